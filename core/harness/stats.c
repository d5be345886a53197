#include "stats_parts.h"

#include <math.h>

const char ib_stats_method[] =
    "95 % intervals. The unit is the identity, crossed with seeds. Student's t "
    "around the value with the variance over identities and seeds (Cameron, "
    "Gelbach and Miller) and Satterthwaite's degrees of freedom; leakage takes "
    "both variances from 10000 bootstrap resamples, each of which recomputes "
    "floor, ceiling, ratio and minimum. Shares: Wilson, with the n that this "
    "variance amounts to. Under 10 identities: none. With one seed an interval "
    "does not know how training varies.";

const char ib_no_spread[] = "all pairs differ alike: no spread to judge from";

/* Several of what a share's variance has, in degrees of freedom (stats.h). */
static const double share_scale = 3;

static void set_student(struct ib_interval *out)
{
    double reach = ib_student_quantile(0.975, out->df) * out->se;
    out->low = out->value - reach;
    out->high = out->value + reach;
}

/* Wilson's score interval of a share p with the n that p(1-p)/V amounts to. */
static void set_wilson(struct ib_interval *out, int identities)
{
    double p = out->value, t = ib_student_quantile(0.975, out->df);
    double reach = ib_wilson_reach(identities);
    if (p <= 0 || p >= 1) {
        out->low = p <= 0 ? 0 : 1 - reach;
        out->high = p <= 0 ? reach : 1;
        return;
    }
    double each = out->se * out->se / (p * (1 - p)); /* 1/n */
    double down = 1 + t * t * each;
    double middle = (p + t * t * each / 2) / down;
    double half = t * sqrt(p * (1 - p) * each + t * t * each * each / 4) / down;
    out->low = middle - half;
    out->high = middle + half;
}

static bool all_shares(const struct ib_panel *p)
{
    for (int i = 0; i < p->seeds * p->identities; i++)
        if (!isnan(p->v[i]) && p->v[i] != 0 && p->v[i] != 1)
            return false;
    return true;
}

static enum ib_status fill(const struct ib_sample *x, struct ib_interval *out,
                           struct ib_error *err)
{
    const struct ib_statistic *s = x->s;
    bool share = !s->value && s->bounded;
    struct ib_parts parts = {0};
    enum ib_status status = IB_OK;
    out->value = x->value;
    if (isnan(x->value))
        out->reason = "no value";
    else if (x->identities < IB_IDENTITIES_MIN)
        out->reason = "no interval under 10 identities";
    if (out->reason)
        return IB_OK;
    if (s->value)
        status = ib_parts_resampled(x, &parts, err);
    else
        parts = ib_parts_linear(x);
    if (status)
        return status;
    out->reason = parts.reason;
    if (out->reason)
        return IB_OK;
    ib_parts_join(x, &parts, share ? share_scale : 1, s->bounded ? 1 : 0, out);
    if (share)
        set_wilson(out, x->identities);
    else
        set_student(out);
    return IB_OK;
}

enum ib_status ib_interval_make(const struct ib_statistic *s,
                                struct ib_interval *out, struct ib_error *err)
{
    struct ib_sample x;
    *out = (struct ib_interval){NAN, NAN, NAN, NAN, NAN, NULL};
    enum ib_status status = ib_sample_make(&x, s, err);
    if (!status)
        status = fill(&x, out, err);
    ib_sample_free(&x);
    return status;
}

enum ib_status ib_interval_mean(const struct ib_panel *p, double min,
                                double max, struct ib_interval *out,
                                struct ib_error *err)
{
    struct ib_statistic s = {.n = 1, .panel = &p, .support = p};
    s.bounded = min == 0 && max == 1 && all_shares(p);
    enum ib_status status = ib_interval_make(&s, out, err);
    if (status || isnan(out->low))
        return status;
    out->low = fmax(out->low, min);
    out->high = fmin(out->high, max);
    return IB_OK;
}

void ib_interval_seeds(const double *x, int n, double min, double max,
                       struct ib_interval *out)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < n; i++)
        sum += x[i];
    *out = (struct ib_interval){n ? sum / n : NAN,          NAN, NAN, NAN, NAN,
                                "no interval under 3 seeds"};
    if (n < 3)
        return;
    for (int i = 0; i < n; i++)
        squares += (x[i] - out->value) * (x[i] - out->value);
    out->df = n - 1;
    out->se = sqrt(squares / (n - 1) / n);
    double reach = ib_student_quantile(0.975, out->df) * out->se;
    out->low = fmax(out->value - reach, min);
    out->high = fmin(out->value + reach, max);
    out->reason = NULL;
}

static bool all_near(const struct ib_panel *p, double x)
{
    for (int i = 0; i < p->seeds * p->identities; i++)
        if (fabs(p->v[i] - x) > 1e-12 * fmax(1, fabs(x)))
            return false;
    return true;
}

enum ib_status ib_interval_difference(const struct ib_panel *a,
                                      const struct ib_panel *b,
                                      struct ib_interval *out, int *pairs,
                                      struct ib_error *err)
{
    struct ib_panel d = ib_panel_both(a, b);
    if (!d.v)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an interval");
    *pairs = 0;
    for (int i = 0; i < d.seeds * d.identities; i++)
        *pairs += !isnan(d.v[i]);
    enum ib_status status = ib_interval_mean(&d, -INFINITY, INFINITY, out, err);
    /* A mean of equal numbers may miss them by rounding. */
    if (!status && !isnan(out->low) && all_near(&d, out->value)) {
        out->low = out->high = NAN;
        out->reason = ib_no_spread;
    }
    ib_panel_free(&d);
    return status;
}
