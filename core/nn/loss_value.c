/*
 * Losses of values against values: most are a mean over all entries.
 */
#include <invbench/losses.h>
#include <invbench/math.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

/* The sum of the losses of m <= BLOCK entries, and the slope of each. */
typedef double (*entries_loss)(size_t m, const ib_real *y, const ib_real *t,
                               ib_real *slope);

/* The sum over count entries; scale: of the gradient. */
static double sum_of(entries_loss loss, size_t count, const ib_real *y,
                     const ib_real *t, ib_real *gradient, ib_real scale)
{
    ib_real slope[BLOCK];
    double sum = 0;
    for (size_t i = 0; i < count; i += BLOCK) {
        size_t m = count - i < BLOCK ? count - i : BLOCK;
        sum += loss(m, y + i, t + i, slope);
        for (size_t j = 0; gradient && j < m; j++)
            gradient[i + j] = slope[j] * scale;
    }
    return sum;
}

static double mean_of(entries_loss loss, size_t count, const ib_real *y,
                      const ib_real *t, ib_real *gradient)
{
    double share = 1.0 / (double)count;
    return sum_of(loss, count, y, t, gradient, (ib_real)share) * share;
}

static double squares(size_t m, const ib_real *y, const ib_real *t,
                      ib_real *slope)
{
    ib_real gap[BLOCK];
    for (size_t j = 0; j < m; j++) {
        gap[j] = y[j] - t[j];
        slope[j] = 2 * gap[j];
    }
    return ib_dot(m, gap, gap);
}

double ib_loss_mse(size_t n, size_t d, const ib_real *y, const ib_real *t,
                   ib_real *gradient)
{
    return mean_of(squares, n * d, y, t, gradient);
}

static double distances(size_t m, const ib_real *y, const ib_real *t,
                        ib_real *slope)
{
    ib_real gap[BLOCK];
    for (size_t j = 0; j < m; j++) {
        ib_real v = y[j] - t[j];
        gap[j] = v < 0 ? -v : v;
        slope[j] = (ib_real)((v > 0) - (v < 0));
    }
    return ib_sum(m, gap);
}

double ib_loss_l1(size_t n, size_t d, const ib_real *y, const ib_real *t,
                  ib_real *gradient)
{
    return mean_of(distances, n * d, y, t, gradient);
}

/* max(z, 0) - z t + log(1 + e), e = exp(-|z|). The logarithm is corrected for
 * what 1 + e was rounded by, so that small losses keep their digits. */
static double logit_entropies(size_t m, const ib_real *z, const ib_real *t,
                              ib_real *slope)
{
    ib_real e[BLOCK] = {0}, one[BLOCK], log[BLOCK];
    for (size_t j = 0; j < m; j++)
        e[j] = z[j] < 0 ? z[j] : -z[j];
    ib_vexp(m, e, e);
    for (size_t j = 0; j < m; j++)
        one[j] = 1 + e[j];
    ib_vlog(m, one, log);
    for (size_t j = 0; j < m; j++) {
        ib_real low = (e[j] - (one[j] - 1)) / one[j];
        ib_real linear = (z[j] > 0 ? z[j] : 0) - z[j] * t[j];
        ib_real p = (z[j] < 0 ? e[j] : 1) / one[j];
        log[j] = linear + (log[j] + low);
        slope[j] = p - t[j];
    }
    return ib_sum(m, log);
}

double ib_loss_bce_logits(size_t n, size_t d, const ib_real *z,
                          const ib_real *t, ib_real *gradient)
{
    return mean_of(logit_entropies, n * d, z, t, gradient);
}

/* NaN stays NaN. */
static ib_real at_least(ib_real x, ib_real least)
{
    return x < least ? least : x;
}

static double entropies(size_t m, const ib_real *p, const ib_real *t,
                        ib_real *slope)
{
    ib_real yes[BLOCK], no[BLOCK];
    ib_vlog(m, p, yes);
    for (size_t j = 0; j < m; j++)
        no[j] = 1 - p[j];
    ib_vlog(m, no, no);
    for (size_t j = 0; j < m; j++) {
        yes[j] =
            -t[j] * at_least(yes[j], -100) - (1 - t[j]) * at_least(no[j], -100);
        slope[j] = (p[j] - t[j]) / at_least(p[j] * (1 - p[j]), 1e-12f);
    }
    return ib_sum(m, yes);
}

double ib_loss_bce(size_t n, size_t d, const ib_real *p, const ib_real *t,
                   ib_real *gradient)
{
    return mean_of(entropies, n * d, p, t, gradient);
}

double ib_loss_hinge(size_t n, int sign, const ib_real *s, ib_real *gradient)
{
    double loss = 0;
    ib_real side = sign < 0 ? -1 : 1, slope = -side / (ib_real)n;
    for (size_t i = 0; i < n; i++) {
        ib_real gap = 1 - side * s[i];
        loss += (double)at_least(gap, 0);
        if (gradient)
            gradient[i] = gap > 0 ? slope : 0;
    }
    return loss / (double)n;
}

double ib_loss_hinge_generator(size_t n, const ib_real *s, ib_real *gradient)
{
    for (size_t i = 0; gradient && i < n; i++)
        gradient[i] = -1 / (ib_real)n;
    return -ib_sum(n, s) / (double)n;
}

/* --- features ------------------------------------------------------------ */

/* The means of m <= BLOCK columns from y on. */
static void mean_columns(size_t n, size_t d, const ib_real *y, size_t m,
                         double mean[BLOCK])
{
    memset(mean, 0, BLOCK * sizeof *mean);
    for (size_t i = 0; i < n; i++, y += d)
        for (size_t j = 0; j < m; j++)
            mean[j] += (double)y[j];
    for (size_t j = 0; j < m; j++)
        mean[j] /= (double)n;
}

void ib_mean_row(size_t n, size_t d, const ib_real *y, ib_real *mean)
{
    double part[BLOCK];
    for (size_t from = 0; from < d; from += BLOCK) {
        size_t m = d - from < BLOCK ? d - from : BLOCK;
        mean_columns(n, d, y + from, m, part);
        for (size_t j = 0; j < m; j++)
            mean[from + j] = (ib_real)part[j];
    }
}

double ib_loss_feature_rows(size_t n, size_t d, const ib_real *y,
                            const ib_real *t, ib_real *gradient)
{
    double sum = 0, share = 1.0 / ((double)n * (double)d);
    for (size_t i = 0; i < n; i++)
        sum += sum_of(squares, d, y + i * d, t,
                      gradient ? gradient + i * d : NULL, (ib_real)share);
    return sum * share;
}

/* loss and slope of the differences of means; slope: by the mean. */
static double mean_loss(size_t m, const double *mean, const ib_real *t, bool l1,
                        ib_real *slope)
{
    double sum = 0;
    for (size_t j = 0; j < m; j++) {
        double gap = mean[j] - (double)t[j];
        sum += l1 ? fabs(gap) : gap * gap;
        slope[j] = (ib_real)(l1 ? (gap > 0) - (gap < 0) : 2 * gap);
    }
    return sum;
}

static double feature_mean(size_t n, size_t d, const ib_real *y,
                           const ib_real *t, ib_real *gradient, bool l1)
{
    double sum = 0, mean[BLOCK], share = l1 ? 1.0 / (double)d : 1;
    ib_real slope[BLOCK], scale = (ib_real)(share / (double)n);
    for (size_t from = 0; from < d; from += BLOCK) {
        size_t m = d - from < BLOCK ? d - from : BLOCK;
        mean_columns(n, d, y + from, m, mean);
        sum += mean_loss(m, mean, t + from, l1, slope);
        for (size_t i = 0; gradient && i < n; i++)
            for (size_t j = 0; j < m; j++)
                gradient[i * d + from + j] = slope[j] * scale;
    }
    return sum * share;
}

double ib_loss_feature_mean(size_t n, size_t d, const ib_real *y,
                            const ib_real *t, ib_real *gradient)
{
    return feature_mean(n, d, y, t, gradient, false);
}

double ib_loss_feature_mean_l1(size_t n, size_t d, const ib_real *y,
                               const ib_real *t, ib_real *gradient)
{
    return feature_mean(n, d, y, t, gradient, true);
}
