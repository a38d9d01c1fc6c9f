// The inner loops of fitting, for WebAssembly SIMD: `npm run simd` builds simd.wasm from it. matrix-products.ts and
// gram-matrix.ts call it, and do the same in TypeScript where WebAssembly has no SIMD.
//
// Four columns (the classes of a regression) lie side by side: W is d×4, Z is n×4.

#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) void name
#define EXPORT_DOUBLE(name) __attribute__((export_name(#name))) double name

__attribute__((import_module("env"), import_name("log"))) double log(double);

// Z ← X·W, X sparse (CSR)
EXPORT(sparse_times)(const int *starts, const int *indices, const float *values, int n, const double *W, double *Z) {
  for (int i = 0; i < n; i++) {
    v128_t a = wasm_f64x2_splat(0), b = a, a2 = a, b2 = a;
    int p = starts[i];
    const int end = starts[i + 1];
    for (; p + 1 < end; p += 2) {
      const v128_t x = wasm_f64x2_splat(values[p]), x2 = wasm_f64x2_splat(values[p + 1]);
      const double *w = W + 4 * indices[p], *w2 = W + 4 * indices[p + 1];
      a = wasm_f64x2_add(a, wasm_f64x2_mul(x, wasm_v128_load(w)));
      b = wasm_f64x2_add(b, wasm_f64x2_mul(x, wasm_v128_load(w + 2)));
      a2 = wasm_f64x2_add(a2, wasm_f64x2_mul(x2, wasm_v128_load(w2)));
      b2 = wasm_f64x2_add(b2, wasm_f64x2_mul(x2, wasm_v128_load(w2 + 2)));
    }
    if (p < end) {
      const v128_t x = wasm_f64x2_splat(values[p]);
      const double *w = W + 4 * indices[p];
      a = wasm_f64x2_add(a, wasm_f64x2_mul(x, wasm_v128_load(w)));
      b = wasm_f64x2_add(b, wasm_f64x2_mul(x, wasm_v128_load(w + 2)));
    }
    wasm_v128_store(Z + 4 * i, wasm_f64x2_add(a, a2));
    wasm_v128_store(Z + 4 * i + 2, wasm_f64x2_add(b, b2));
  }
}

// G ← G + X'·R, X sparse (CSR)
EXPORT(sparse_transposed_times)(const int *starts, const int *indices, const float *values, int n, const double *R, double *G) {
  for (int i = 0; i < n; i++) {
    const v128_t a = wasm_v128_load(R + 4 * i), b = wasm_v128_load(R + 4 * i + 2);
    if (!wasm_v128_any_true(wasm_v128_or(a, b))) continue; // the row is left out
    for (int p = starts[i]; p < starts[i + 1]; p++) {
      const v128_t x = wasm_f64x2_splat(values[p]);
      double *g = G + 4 * indices[p];
      wasm_v128_store(g, wasm_f64x2_add(wasm_v128_load(g), wasm_f64x2_mul(x, a)));
      wasm_v128_store(g + 2, wasm_f64x2_add(wasm_v128_load(g + 2), wasm_f64x2_mul(x, b)));
    }
  }
}

// Z ← X·W, X dense n×d; two rows at a time, so that W is loaded half as often
EXPORT(dense_times)(const float *X, int n, int d, const double *W, double *Z) {
  int i = 0;
  for (; i + 1 < n; i += 2) {
    const float *x = X + i * d, *y = x + d;
    v128_t a = wasm_f64x2_splat(0), b = a, c = a, e = a;
    for (int j = 0; j < d; j++) {
      const v128_t w = wasm_v128_load(W + 4 * j), w2 = wasm_v128_load(W + 4 * j + 2);
      const v128_t xj = wasm_f64x2_splat(x[j]), yj = wasm_f64x2_splat(y[j]);
      a = wasm_f64x2_add(a, wasm_f64x2_mul(xj, w));
      b = wasm_f64x2_add(b, wasm_f64x2_mul(xj, w2));
      c = wasm_f64x2_add(c, wasm_f64x2_mul(yj, w));
      e = wasm_f64x2_add(e, wasm_f64x2_mul(yj, w2));
    }
    wasm_v128_store(Z + 4 * i, a);
    wasm_v128_store(Z + 4 * i + 2, b);
    wasm_v128_store(Z + 4 * i + 4, c);
    wasm_v128_store(Z + 4 * i + 6, e);
  }
  for (; i < n; i++) {
    v128_t a = wasm_f64x2_splat(0), b = a;
    for (int j = 0; j < d; j++) {
      const v128_t x = wasm_f64x2_splat(X[i * d + j]);
      a = wasm_f64x2_add(a, wasm_f64x2_mul(x, wasm_v128_load(W + 4 * j)));
      b = wasm_f64x2_add(b, wasm_f64x2_mul(x, wasm_v128_load(W + 4 * j + 2)));
    }
    wasm_v128_store(Z + 4 * i, a);
    wasm_v128_store(Z + 4 * i + 2, b);
  }
}

// G ← G + X'·R, X dense n×d; two rows at a time, so that G is loaded and stored half as often
EXPORT(dense_transposed_times)(const float *X, int n, int d, const double *R, double *G) {
  int i = 0;
  for (; i + 1 < n; i += 2) {
    const float *x = X + i * d, *y = x + d;
    const v128_t a = wasm_v128_load(R + 4 * i), b = wasm_v128_load(R + 4 * i + 2);
    const v128_t c = wasm_v128_load(R + 4 * i + 4), e = wasm_v128_load(R + 4 * i + 6);
    for (int j = 0; j < d; j++) {
      const v128_t xj = wasm_f64x2_splat(x[j]), yj = wasm_f64x2_splat(y[j]);
      double *g = G + 4 * j;
      wasm_v128_store(g, wasm_f64x2_add(wasm_v128_load(g), wasm_f64x2_add(wasm_f64x2_mul(xj, a), wasm_f64x2_mul(yj, c))));
      wasm_v128_store(g + 2, wasm_f64x2_add(wasm_v128_load(g + 2), wasm_f64x2_add(wasm_f64x2_mul(xj, b), wasm_f64x2_mul(yj, e))));
    }
  }
  for (; i < n; i++) {
    const v128_t a = wasm_v128_load(R + 4 * i), b = wasm_v128_load(R + 4 * i + 2);
    for (int j = 0; j < d; j++) {
      const v128_t x = wasm_f64x2_splat(X[i * d + j]);
      double *g = G + 4 * j;
      wasm_v128_store(g, wasm_f64x2_add(wasm_v128_load(g), wasm_f64x2_mul(x, a)));
      wasm_v128_store(g + 2, wasm_f64x2_add(wasm_v128_load(g + 2), wasm_f64x2_mul(x, b)));
    }
  }
}

// Z ← K·A in single precision. K is the part of an n×n matrix whose rows and columns lie in these runs [start, end); A and
// Z have the rows of the runs one behind the other.
EXPORT(gram_times)(const float *K, int n, const int (*runs)[2], int count, const float *A, float *Z) {
  for (int r = 0; r < count; r++) {
    int i = runs[r][0];
    for (; i + 3 < runs[r][1]; i += 4, Z += 16) {
      const float *w = A;
      v128_t a = wasm_f32x4_splat(0), b = a, c = a, d = a;
      for (int q = 0; q < count; q++) {
        const float *k = K + i * n, *l = k + n, *m = l + n, *o = m + n;
        for (int j = runs[q][0]; j < runs[q][1]; j++, w += 4) {
          const v128_t v = wasm_v128_load(w);
          a = wasm_f32x4_add(a, wasm_f32x4_mul(wasm_v128_load32_splat(k + j), v));
          b = wasm_f32x4_add(b, wasm_f32x4_mul(wasm_v128_load32_splat(l + j), v));
          c = wasm_f32x4_add(c, wasm_f32x4_mul(wasm_v128_load32_splat(m + j), v));
          d = wasm_f32x4_add(d, wasm_f32x4_mul(wasm_v128_load32_splat(o + j), v));
        }
      }
      wasm_v128_store(Z, a);
      wasm_v128_store(Z + 4, b);
      wasm_v128_store(Z + 8, c);
      wasm_v128_store(Z + 12, d);
    }
    for (; i < runs[r][1]; i++, Z += 4) {
      const float *w = A;
      v128_t a = wasm_f32x4_splat(0);
      for (int q = 0; q < count; q++)
        for (int j = runs[q][0]; j < runs[q][1]; j++, w += 4)
          a = wasm_f32x4_add(a, wasm_f32x4_mul(wasm_v128_load32_splat(K + i * n + j), wasm_v128_load(w)));
      wasm_v128_store(Z, a);
    }
  }
}

static inline float sum(v128_t v) {
  return wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1) + wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3);
}

// The lower triangle of K ← X·X', X dense n×d with d a multiple of 4; by tiles of two rows and four columns
EXPORT(gram_dense)(const float *X, int n, int d, float *K) {
  for (int i = 0; i < n; i += 2) {
    const float *x = X + i * d, *y = i + 1 < n ? x + d : x;
    for (int j = 0; j <= i + 1 && j < n; j += 4) {
      const float *u[4];
      for (int t = 0; t < 4; t++) u[t] = X + (j + t < n ? j + t : j) * d;
      v128_t a[8];
      for (int t = 0; t < 8; t++) a[t] = wasm_f32x4_splat(0);
      for (int c = 0; c < d; c += 4) {
        const v128_t xc = wasm_v128_load(x + c), yc = wasm_v128_load(y + c);
        for (int t = 0; t < 4; t++) {
          const v128_t v = wasm_v128_load(u[t] + c);
          a[t] = wasm_f32x4_add(a[t], wasm_f32x4_mul(xc, v));
          a[t + 4] = wasm_f32x4_add(a[t + 4], wasm_f32x4_mul(yc, v));
        }
      }
      for (int t = 0; t < 4 && j + t < n; t++) {
        K[i * n + j + t] = sum(a[t]);
        if (i + 1 < n) K[(i + 1) * n + j + t] = sum(a[t + 4]);
      }
    }
  }
}

// Adds X·X' of sparse columns (CSC, rows ascending) to the lower triangle of K
EXPORT(gram_sparse)(const int *starts, const int *rows, const float *values, int columns, int n, float *K) {
  for (int j = 0; j < columns; j++)
    for (int p = starts[j]; p < starts[j + 1]; p++) {
      float *k = K + rows[p] * n;
      const float v = values[p];
      for (int q = starts[j]; q <= p; q++) k[rows[q]] += v * values[q];
    }
}

// Copies the lower triangle of K to the upper
EXPORT(mirror)(float *K, int n) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) K[j * n + i] = K[i * n + j];
}

// into ← a + t·b; n numbers, n a multiple of 4; `into` may be a or b
EXPORT(combine)(float *into, const float *a, float t, const float *b, int n) {
  const v128_t times = wasm_f32x4_splat(t);
  for (int j = 0; j < n; j += 4)
    wasm_v128_store(into + j, wasm_f32x4_add(wasm_v128_load(a + j), wasm_f32x4_mul(times, wasm_v128_load(b + j))));
}

// a·b of n numbers, n a multiple of 4, added up in double precision
EXPORT_DOUBLE(product)(const float *a, const float *b, int n) {
  v128_t low = wasm_f64x2_splat(0), high = low;
  for (int j = 0; j < n; j += 4) {
    const v128_t u = wasm_v128_load(a + j), v = wasm_v128_load(b + j);
    low = wasm_f64x2_add(low, wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(u), wasm_f64x2_promote_low_f32x4(v)));
    const v128_t u2 = wasm_i32x4_shuffle(u, u, 2, 3, 2, 3), v2 = wasm_i32x4_shuffle(v, v, 2, 3, 2, 3);
    high = wasm_f64x2_add(high, wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(u2), wasm_f64x2_promote_low_f32x4(v2)));
  }
  const v128_t all = wasm_f64x2_add(low, high);
  return wasm_f64x2_extract_lane(all, 0) + wasm_f64x2_extract_lane(all, 1);
}

// e to the power of four numbers ≤ 0 (Cephes' expf: e^x = 2^m · e^r, e^r by a polynomial)
static inline v128_t exponential(v128_t x) {
  x = wasm_f32x4_max(x, wasm_f32x4_splat(-87.0f));
  const v128_t m = wasm_f32x4_nearest(wasm_f32x4_mul(x, wasm_f32x4_splat(1.44269504f)));
  v128_t r = wasm_f32x4_sub(x, wasm_f32x4_mul(m, wasm_f32x4_splat(0.693359375f)));
  r = wasm_f32x4_add(r, wasm_f32x4_mul(m, wasm_f32x4_splat(2.12194440e-4f)));
  static const float terms[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  v128_t y = wasm_f32x4_splat(1.9875691500e-4f);
  for (int t = 0; t < 5; t++) y = wasm_f32x4_add(wasm_f32x4_mul(y, r), wasm_f32x4_splat(terms[t]));
  y = wasm_f32x4_add(wasm_f32x4_add(wasm_f32x4_mul(y, wasm_f32x4_mul(r, r)), r), wasm_f32x4_splat(1));
  const v128_t power = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(m), wasm_i32x4_splat(127)), 23);
  return wasm_f32x4_mul(y, power);
}

static inline v128_t everywhere(v128_t a, v128_t (*f)(v128_t, v128_t)) {
  a = f(a, wasm_i32x4_shuffle(a, a, 1, 0, 3, 2));
  return f(a, wasm_i32x4_shuffle(a, a, 2, 3, 0, 1));
}

static inline v128_t larger(v128_t a, v128_t b) { return wasm_f32x4_pmax(a, b); }
static inline v128_t plus(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }

// The loss of kernel-logistic-regression.ts for k ≤ 4 classes and the n rows of these runs of an N×N matrix K, and its
// gradient; x and the gradient are A (n×4), b (4), K·A (n×4), b (4). `intercept` is 1 where b is free, 0 where it stays 0.
EXPORT_DOUBLE(dual_loss)(const float *K, int N, const int (*runs)[2], int count, int n, int k, const int *y, const float *s,
                         float penalty, float intercept, const float *x, float *gradient) {
  const int half = 4 * n + 4;
  const v128_t lanes = wasm_i32x4_const(0, 1, 2, 3), used = wasm_i32x4_lt(lanes, wasm_i32x4_splat(k));
  const v128_t b = wasm_v128_load(x + 4 * n), one = wasm_f32x4_splat(1), lambda = wasm_f32x4_splat(penalty);
  v128_t slope = wasm_f32x4_splat(0);
  double loss = penalty / 2 * product(x, x + half, 4 * n);
  for (int i = 0; i < n; i++) {
    v128_t z = wasm_f32x4_add(wasm_v128_load(x + half + 4 * i), b);
    z = wasm_v128_bitselect(z, wasm_f32x4_splat(-1e30f), used);
    z = wasm_f32x4_sub(z, everywhere(z, larger));
    const v128_t e = wasm_v128_and(exponential(z), used), total = everywhere(e, plus);
    const v128_t truth = wasm_i32x4_eq(lanes, wasm_i32x4_splat(y[i]));
    const v128_t own = everywhere(wasm_v128_and(z, truth), plus);
    loss += s[i] * (log(wasm_f32x4_extract_lane(total, 0)) - wasm_f32x4_extract_lane(own, 0));
    v128_t r = wasm_f32x4_sub(wasm_f32x4_div(e, total), wasm_v128_and(truth, one));
    r = wasm_f32x4_mul(wasm_f32x4_splat(s[i]), r);
    slope = wasm_f32x4_add(slope, r);
    wasm_v128_store(gradient + 4 * i, wasm_f32x4_add(r, wasm_f32x4_mul(lambda, wasm_v128_load(x + 4 * i))));
  }
  slope = wasm_f32x4_mul(slope, wasm_f32x4_splat(intercept));
  wasm_v128_store(gradient + 4 * n, slope);
  gram_times(K, N, runs, count, gradient, gradient + half);
  wasm_v128_store(gradient + half + 4 * n, slope);
  return loss;
}
