// The inner loops of fitting, for WebAssembly SIMD. `npm run kernel` builds kernel.wasm out of it; src/kernel.ts calls it
// and does the same in TypeScript where WebAssembly has no SIMD.
//
// Four columns (the classes of a regression) stand side by side: W is d×4, Z is n×4.

#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) void name

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
    if (!wasm_v128_any_true(wasm_v128_or(a, b))) continue; // a row that is left out
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

// Z ← K·A in single precision, K n×n
EXPORT(gram_times)(const float *K, int n, const float *A, float *Z) {
  int i = 0;
  for (; i + 3 < n; i += 4) {
    const float *k = K + i * n, *l = k + n, *m = l + n, *o = m + n;
    v128_t a = wasm_f32x4_splat(0), b = a, c = a, d = a;
    for (int j = 0; j < n; j++) {
      const v128_t w = wasm_v128_load(A + 4 * j);
      a = wasm_f32x4_add(a, wasm_f32x4_mul(wasm_v128_load32_splat(k + j), w));
      b = wasm_f32x4_add(b, wasm_f32x4_mul(wasm_v128_load32_splat(l + j), w));
      c = wasm_f32x4_add(c, wasm_f32x4_mul(wasm_v128_load32_splat(m + j), w));
      d = wasm_f32x4_add(d, wasm_f32x4_mul(wasm_v128_load32_splat(o + j), w));
    }
    wasm_v128_store(Z + 4 * i, a);
    wasm_v128_store(Z + 4 * i + 4, b);
    wasm_v128_store(Z + 4 * i + 8, c);
    wasm_v128_store(Z + 4 * i + 12, d);
  }
  for (; i < n; i++) {
    v128_t a = wasm_f32x4_splat(0);
    for (int j = 0; j < n; j++) a = wasm_f32x4_add(a, wasm_f32x4_mul(wasm_v128_load32_splat(K + i * n + j), wasm_v128_load(A + 4 * j)));
    wasm_v128_store(Z + 4 * i, a);
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

// Adds to the lower triangle of K what sparse columns (CSC, rows ascending) make of it
EXPORT(gram_sparse)(const int *starts, const int *rows, const float *values, int columns, int n, float *K) {
  for (int j = 0; j < columns; j++)
    for (int p = starts[j]; p < starts[j + 1]; p++) {
      float *k = K + rows[p] * n;
      const float v = values[p];
      for (int q = starts[j]; q <= p; q++) k[rows[q]] += v * values[q];
    }
}

// The upper triangle like the lower
EXPORT(mirror)(float *K, int n) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++) K[j * n + i] = K[i * n + j];
}
