/*
 * Small dense linear algebra: see linear.h.
 */
#include "linear.h"

#include <invbench/math.h>
#include <math.h>

size_t ib_lu_size(size_t n)
{
    return n * n + n;
}

static size_t largest_below(size_t n, const double *a, size_t k)
{
    size_t best = k;
    for (size_t i = k + 1; i < n; i++)
        if (fabs(a[i * n + k]) > fabs(a[best * n + k]))
            best = i;
    return best;
}

static void swap_rows(size_t n, double *a, size_t i, size_t j)
{
    for (size_t k = 0; k < n && i != j; k++) {
        double t = a[i * n + k];
        a[i * n + k] = a[j * n + k];
        a[j * n + k] = t;
    }
}

double ib_lu_factor(size_t n, double *a)
{
    double *taken = a + n * n, log_det = 0;
    for (size_t k = 0; k < n; k++) {
        size_t best = largest_below(n, a, k);
        taken[k] = (double)best;
        swap_rows(n, a, k, best);
        double pivot = a[k * n + k];
        if (!(fabs(pivot) > 0) || !isfinite(pivot))
            return NAN;
        log_det += ib_log(fabs(pivot));
        for (size_t i = k + 1; i < n; i++) {
            double f = a[i * n + k] /= pivot;
            for (size_t j = k + 1; j < n; j++)
                a[i * n + j] -= f * a[k * n + j];
        }
    }
    return log_det;
}

void ib_lu_inverse_column(size_t n, const double *a, size_t column, double *x)
{
    const double *taken = a + n * n;
    for (size_t i = 0; i < n; i++)
        x[i] = i == column;
    for (size_t k = 0; k < n; k++) {
        size_t from = (size_t)taken[k];
        double t = x[k];
        x[k] = x[from];
        x[from] = t;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            x[i] -= a[i * n + j] * x[j];
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            x[i] -= a[i * n + j] * x[j];
        x[i] /= a[i * n + i];
    }
}

void ib_orthonormalise(size_t n, ib_real *a)
{
    for (size_t i = 0; i < n; i++) {
        ib_real *row = a + i * n;
        for (size_t j = 0; j < 2 * i; j++) {
            const ib_real *before = a + (j % i) * n;
            ib_axpy(n, (ib_real)-ib_dot(n, row, before), before, row);
        }
        ib_real scale = (ib_real)(1 / sqrt(ib_dot(n, row, row)));
        for (size_t k = 0; k < n; k++)
            row[k] *= scale;
    }
}
