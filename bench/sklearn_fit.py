"""Fits scikit-learn's LogisticRegression on the rows of a file several times; prints the median time and the loss.

python3 sklearn_fit.py FILE PENALTY dense|sparse SECONDS

FILE is little-endian: int32 rows, columns, values; int32 starts (rows + 1), column numbers (values) and classes (rows);
float32 values: the features without an intercept. The loss is sum_i s_i * -ln p_i[y_i] + penalty / 2 * |W|^2 with
weights s that balance the classes, the intercepts not penalised.
"""

import json
import sys
import time
import warnings

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight


def read(path):
    with open(path, 'rb') as file:
        rows, columns, values = np.fromfile(file, '<i4', 3)
        starts = np.fromfile(file, '<i4', rows + 1)
        indices = np.fromfile(file, '<i4', values)
        labels = np.fromfile(file, '<i4', rows)
        matrix = csr_matrix((np.fromfile(file, '<f4', values), indices, starts), (rows, columns))
    matrix.sort_indices()
    return matrix, labels


def loss_of(model, X, y, penalty):
    z = X @ model.coef_.T.astype(np.float64) + model.intercept_.astype(np.float64)
    logs = logsumexp(z, axis=1) - z[np.arange(len(y)), y]
    squares = np.sum(model.coef_.astype(np.float64) ** 2)
    return float(np.sum(compute_sample_weight('balanced', y) * logs) + penalty / 2 * squares)


def fit(X, y, penalty):
    start = time.perf_counter()
    model = LogisticRegression(C=1 / penalty, class_weight='balanced', max_iter=1000).fit(X, y)
    return model, (time.perf_counter() - start) * 1000


def main(path, penalty, kind, seconds):
    warnings.simplefilter('ignore')
    X, y = read(path)
    X = (X.toarray() if kind == 'dense' else X).astype(np.float64)
    model, _ = fit(X, y, penalty)
    times = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        times.append(fit(X, y, penalty)[1])
    print(json.dumps({'ms': float(np.median(times)), 'loss': loss_of(model, X, y, penalty), 'steps': int(model.n_iter_[0])}))


main(sys.argv[1], float(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
