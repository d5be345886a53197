/*
 * Elementary functions whose last bit does not depend on the C library or on
 * the compiler: results are part of what invbench promises to reproduce.
 * Errors: below 2 ulp for ib_real versions, below 4 ulp for double versions, on
 * the ranges stated; outside they saturate (exp) or return -inf/NaN as C does.
 */
#ifndef INVBENCH_MATH_H
#define INVBENCH_MATH_H

#include <invbench/base.h>

ib_real ib_expf(ib_real x);
ib_real ib_logf(ib_real x);
ib_real ib_tanhf(ib_real x);
ib_real ib_sigmoidf(ib_real x);
double ib_exp(double x);
double ib_log(double x);
double ib_sin(double x); /* |x| < 1e6 */
double ib_cos(double x);
double ib_pow(double x, double y); /* x >= 0 */

/* y[i] = f(x[i]); x and y may be the same array. */
void ib_vexp(size_t n, const ib_real *x, ib_real *y);
void ib_vlog(size_t n, const ib_real *x, ib_real *y);
void ib_vtanh(size_t n, const ib_real *x, ib_real *y);
void ib_vsigmoid(size_t n, const ib_real *x, ib_real *y);
/* The largest, or NaN if there is one; n > 0. */
ib_real ib_max(size_t n, const ib_real *x);
/* Each of N rows of K: p = softmax(z); z and p may be the same array. */
void ib_softmax_rows(size_t n, size_t k, const ib_real *z, ib_real *p);

/* BLAS behind one door (row-major, single-threaded, deterministic).
 * C[m x n] = alpha * op(A) op(B) + beta * C; ta/tb: transpose. */
struct ib_gemm {
    bool ta, tb;
    int m, n, k;
    ib_real alpha, beta;
    int lda, ldb, ldc;
};
void ib_sgemm(ib_real *c, const ib_real *a, const ib_real *b,
              const struct ib_gemm *g);
double ib_dot(size_t n, const ib_real *a, const ib_real *b); /* double sum */
double ib_sum(size_t n, const ib_real *a);
void ib_axpy(size_t n, ib_real a, const ib_real *x, ib_real *y); /* y += a x */

#endif
