/*
 * The only file that calls BLAS.
 */
#include "blas.h"

#include <assert.h>
#include <cblas.h>
#include <invbench/math.h>
#include <stdio.h>

void ib_blas_single_threaded(void)
{
    openblas_set_num_threads(1);
}

const char *ib_blas_numerics(void)
{
    /* Begins with the version; names the core type chosen at run time. */
    return openblas_get_config();
}

void ib_sgemm(ib_real *c, const ib_real *a, const ib_real *b,
              const struct ib_gemm *g)
{
    assert(g->m >= 0 && g->n >= 0 && g->k >= 0);
    if (g->m == 0 || g->n == 0)
        return;
#ifdef IB_DOUBLE
#define GEMM cblas_dgemm
#else
#define GEMM cblas_sgemm
#endif
    GEMM(CblasRowMajor, g->ta ? CblasTrans : CblasNoTrans,
         g->tb ? CblasTrans : CblasNoTrans, g->m, g->n, g->k, g->alpha, a,
         g->lda, b, g->ldb, g->beta, c, g->ldc);
}

/* Four partial sums, joined in a fixed order: the same on every compiler. */
double ib_dot(size_t n, const ib_real *a, const ib_real *b)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] = __builtin_fma((double)a[i + j], (double)b[i + j], s[j]);
    for (; i < n; i++)
        s[0] = __builtin_fma((double)a[i], (double)b[i], s[0]);
    return (s[0] + s[1]) + (s[2] + s[3]);
}

double ib_sum(size_t n, const ib_real *a)
{
    double s[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t j = 0; j < 4; j++)
            s[j] += (double)a[i + j];
    for (; i < n; i++)
        s[0] += (double)a[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

void ib_axpy(size_t n, ib_real a, const ib_real *x, ib_real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = ib_fma(a, x[i], y[i]);
}
