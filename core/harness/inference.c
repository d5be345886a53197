#include "inference.h"

#include <math.h>
#include <stdlib.h>

double ib_bound_low(const struct ib_interval *d, double level)
{
    return d->value - ib_student_quantile(level, d->df) * d->se;
}

double ib_bound_high(const struct ib_interval *d, double level)
{
    return d->value + ib_student_quantile(level, d->df) * d->se;
}

/* P(T <= x / se); at once 0 or 1 where nothing varies. */
static double below(const struct ib_interval *d, double x)
{
    if (d->se == 0)
        return x < 0 ? 0 : x > 0 ? 1 : 0.5;
    return ib_student_cdf(x / d->se, d->df);
}

double ib_p_different(const struct ib_interval *d)
{
    return 2 * below(d, -fabs(d->value));
}

double ib_p_equivalent(const struct ib_interval *d, double margin)
{
    return below(d, fabs(d->value) - margin);
}

double ib_p_noninferior(const struct ib_interval *d, double margin)
{
    return below(d, d->value - margin);
}

double ib_power(const struct ib_interval *d, double effect, double level)
{
    double t = ib_student_quantile(level, d->df);
    return below(d, effect - t * d->se);
}

double ib_detectable(const struct ib_interval *d, double level, double power)
{
    if (d->se == 0)
        return NAN;
    return (ib_student_quantile(level, d->df) +
            ib_student_quantile(power, d->df)) *
           d->se;
}

struct ranked {
    double p;
    size_t index;
};

static int by_p(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

enum ib_status ib_holm(double *p, size_t n, struct ib_error *err)
{
    struct ranked *r = calloc(n + 1, sizeof *r);
    double least = 0;
    size_t m = 0;
    if (!r)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu tests", n);
    for (size_t i = 0; i < n; i++)
        if (!isnan(p[i]))
            r[m++] = (struct ranked){p[i], i};
    qsort(r, m, sizeof *r, by_p);
    for (size_t i = 0; i < m; i++) {
        least = fmax(least, fmin(r[i].p * (double)(m - i), 1));
        p[r[i].index] = least;
    }
    free(r);
    return IB_OK;
}
