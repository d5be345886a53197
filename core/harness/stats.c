#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

enum { RESAMPLES = 2000, BOOTSTRAP_IDENTITIES = 50, BOOTSTRAP_SEEDS = 10 };
enum { CELLS_MAX = 2000 };

const char ib_stats_method[] =
    "95 % intervals. The unit is the identity, crossed with seeds. From 50 "
    "identities (and 1 seed or at least 10): percentiles of 2000 bootstrap "
    "resamples of identities and seeds. With fewer: Student's t with the "
    "two-way jackknife variance over identities and seeds and Satterthwaite's "
    "degrees of freedom. Shares that are all 0 or all 1: Wilson. Under 10 "
    "identities: none. Every resample recomputes floor, ceiling, ratio and "
    "minimum. With one seed an interval does not know how training varies.";

const char ib_no_spread[] = "all pairs differ alike: no spread to judge from";

struct ib_panel ib_panel_make(int seeds, int identities)
{
    size_t n = (size_t)seeds * (size_t)identities;
    struct ib_panel p = {seeds, identities, calloc(n + 1, sizeof *p.v)};
    for (size_t i = 0; p.v && i < n; i++)
        p.v[i] = NAN;
    return p;
}

void ib_panel_free(struct ib_panel *p)
{
    free(p->v);
    *p = (struct ib_panel){0};
}

static size_t panel_size(const struct ib_panel *p)
{
    return (size_t)p->seeds * (size_t)p->identities;
}

double ib_panel_mean(const struct ib_panel *p, const double *w)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < panel_size(p); i++) {
        double k = w ? w[i] : 1;
        if (isnan(p->v[i]) || k == 0)
            continue;
        sum += k * p->v[i];
        total += k;
    }
    return total > 0 ? sum / total : NAN;
}

static bool seed_there(const struct ib_panel *p, int s)
{
    for (int k = 0; k < p->identities; k++)
        if (!isnan(p->v[(size_t)s * (size_t)p->identities + (size_t)k]))
            return true;
    return false;
}

static bool identity_there(const struct ib_panel *p, int k)
{
    for (int s = 0; s < p->seeds; s++)
        if (!isnan(p->v[(size_t)s * (size_t)p->identities + (size_t)k]))
            return true;
    return false;
}

int ib_panel_seeds(const struct ib_panel *p)
{
    int n = 0;
    for (int s = 0; s < p->seeds; s++)
        n += seed_there(p, s);
    return n;
}

int ib_panel_identities(const struct ib_panel *p)
{
    int n = 0;
    for (int k = 0; k < p->identities; k++)
        n += identity_there(p, k);
    return n;
}

double *ib_panel_support(const struct ib_panel *p)
{
    double *w = calloc(panel_size(p) + 1, sizeof *w);
    for (int k = 0; w && k < p->identities; k++) {
        if (!identity_there(p, k))
            continue;
        for (int s = 0; s < p->seeds; s++)
            w[s * p->identities + k] = seed_there(p, s);
    }
    return w;
}

struct ib_panel ib_panel_both(const struct ib_panel *a,
                              const struct ib_panel *b)
{
    struct ib_panel d = ib_panel_make(a->seeds, a->identities);
    for (size_t i = 0; d.v && i < panel_size(&d); i++)
        d.v[i] = a->v[i] - b->v[i];
    return d;
}

/* The seeds and identities that exist, and room for weights. */
struct sample {
    const struct ib_statistic *s;
    int seeds, identities;
    int *seed, *identity; /* their indices */
    double *w;            /* of the whole panel */
    double *drawn;        /* values of resamples */
};

static void sample_free(struct sample *x)
{
    free(x->seed);
    free(x->identity);
    free(x->w);
    free(x->drawn);
}

static bool sample_make(struct sample *x, const struct ib_statistic *s)
{
    const struct ib_panel *p = s->support;
    *x = (struct sample){.s = s};
    x->seed = calloc((size_t)p->seeds + 1, sizeof *x->seed);
    x->identity = calloc((size_t)p->identities + 1, sizeof *x->identity);
    x->w = calloc(panel_size(p) + 1, sizeof *x->w);
    x->drawn = calloc(RESAMPLES + (size_t)p->identities + (size_t)p->seeds,
                      sizeof *x->drawn);
    if (!x->seed || !x->identity || !x->w || !x->drawn)
        return false;
    for (int i = 0; i < p->seeds; i++)
        if (seed_there(p, i))
            x->seed[x->seeds++] = i;
    for (int i = 0; i < p->identities; i++)
        if (identity_there(p, i))
            x->identity[x->identities++] = i;
    return true;
}

static double *weight_at(struct sample *x, int seed, int identity)
{
    return &x->w[(size_t)x->seed[seed] * (size_t)x->s->support->identities +
                 (size_t)x->identity[identity]];
}

/* Weight 0 for one seed, one identity or both (-1: none). */
static void weights_without(struct sample *x, int seed, int identity)
{
    bool cell = seed >= 0 && identity >= 0;
    for (int s = 0; s < x->seeds; s++)
        for (int k = 0; k < x->identities; k++)
            *weight_at(x, s, k) = cell ? !(s == seed && k == identity)
                                       : s != seed && k != identity;
}

static double evaluate(const struct sample *x)
{
    return x->s->value(x->s->ctx, x->w);
}

enum deletion { DELETE_SEED, DELETE_IDENTITY, DELETE_CELL };

/* Variance from n leave-one-out values; NaN where one is undefined. */
static double jackknife(struct sample *x, int n, enum deletion what)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        if (what == DELETE_SEED)
            weights_without(x, i, -1);
        else if (what == DELETE_IDENTITY)
            weights_without(x, -1, i);
        else
            weights_without(x, i / x->identities, i % x->identities);
        x->drawn[i] = evaluate(x);
        sum += x->drawn[i];
    }
    for (int i = 0; i < n; i++)
        squares += (x->drawn[i] - sum / n) * (x->drawn[i] - sum / n);
    return squares * (n - 1) / n;
}

static void interval_student(struct sample *x, struct ib_interval *out)
{
    int seeds = x->seeds, identities = x->identities;
    double vi = jackknife(x, identities, DELETE_IDENTITY), vs = 0, v = vi;
    if (seeds > 1) {
        vs = jackknife(x, seeds, DELETE_SEED);
        int cells = seeds * identities;
        double vc = cells <= CELLS_MAX ? jackknife(x, cells, DELETE_CELL) : 0;
        v = fmax(fmax(vi, vs), vi + vs - vc);
    }
    if (isnan(vi) || isnan(vs) || isnan(v)) {
        out->reason = "undefined when one identity or seed is left out";
        return;
    }
    double spread = vi * vi / (identities - 1);
    if (seeds > 1)
        spread += vs * vs / (seeds - 1);
    out->se = sqrt(v);
    out->df = spread > 0 ? (vi + vs) * (vi + vs) / spread : identities - 1;
    double reach = ib_student_quantile(0.975, out->df) * out->se;
    out->low = out->value - reach;
    out->high = out->value + reach;
}

static void weights_draw(struct sample *x, struct ib_rng *rng, int *seed,
                         int *identity)
{
    memset(seed, 0, (size_t)x->seeds * sizeof *seed);
    memset(identity, 0, (size_t)x->identities * sizeof *identity);
    for (int i = 0; i < x->seeds; i++)
        seed[x->seeds > 1 ? ib_rng_below(rng, (uint32_t)x->seeds) : 0]++;
    for (int i = 0; i < x->identities; i++)
        identity[ib_rng_below(rng, (uint32_t)x->identities)]++;
    for (int s = 0; s < x->seeds; s++)
        for (int k = 0; k < x->identities; k++)
            *weight_at(x, s, k) = seed[s] * identity[k];
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int n, double p)
{
    double at = p * (n - 1);
    int i = (int)at;
    if (i >= n - 1)
        return sorted[n - 1];
    return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

static enum ib_status interval_bootstrap(struct sample *x,
                                         struct ib_interval *out,
                                         struct ib_error *err)
{
    struct ib_rng rng = ib_rng_stream(1, "statistics", -1, "bootstrap");
    int n = 0;
    int *counts = calloc((size_t)(x->seeds + x->identities), sizeof *counts);
    if (!counts)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a bootstrap");
    for (int i = 0; i < RESAMPLES; i++) {
        weights_draw(x, &rng, counts, counts + x->seeds);
        double v = evaluate(x);
        if (!isnan(v))
            x->drawn[n++] = v;
    }
    free(counts);
    if (n < RESAMPLES * 9 / 10) {
        out->reason = "undefined in over a tenth of the resamples";
        return IB_OK;
    }
    qsort(x->drawn, (size_t)n, sizeof *x->drawn, ascending);
    out->low = percentile(x->drawn, n, 0.025);
    out->high = percentile(x->drawn, n, 0.975);
    return IB_OK;
}

enum ib_status ib_interval_make(const struct ib_statistic *s,
                                struct ib_interval *out, struct ib_error *err)
{
    struct sample x;
    enum ib_status status = IB_OK;
    *out = (struct ib_interval){NAN, NAN, NAN, NAN, NAN, NULL};
    if (!sample_make(&x, s)) {
        sample_free(&x);
        return ib_error_set(err, IB_E_NOMEM, "no memory for an interval");
    }
    weights_without(&x, -1, -1);
    out->value = evaluate(&x);
    if (isnan(out->value))
        out->reason = "no value";
    else if (x.identities < IB_IDENTITIES_MIN)
        out->reason = "no interval under 10 identities";
    else if (x.identities >= BOOTSTRAP_IDENTITIES &&
             (x.seeds == 1 || x.seeds >= BOOTSTRAP_SEEDS))
        status = interval_bootstrap(&x, out, err);
    else
        interval_student(&x, out);
    sample_free(&x);
    return status;
}

static double mean_value(const void *ctx, const double *w)
{
    return ib_panel_mean(ctx, w);
}

static bool all_equal(const struct ib_panel *p, double x)
{
    for (size_t i = 0; i < panel_size(p); i++)
        if (!isnan(p->v[i]) && p->v[i] != x)
            return false;
    return true;
}

static bool all_near(const struct ib_panel *p, double x)
{
    for (size_t i = 0; i < panel_size(p); i++)
        if (fabs(p->v[i] - x) > 1e-12 * fmax(1, fabs(x)))
            return false;
    return true;
}

enum ib_status ib_interval_mean(const struct ib_panel *p, double min,
                                double max, struct ib_interval *out,
                                struct ib_error *err)
{
    struct ib_statistic s = {mean_value, p, p};
    enum ib_status status = ib_interval_make(&s, out, err);
    if (status || isnan(out->low))
        return status;
    double reach = ib_wilson_reach(ib_panel_identities(p));
    if (min == 0 && max == 1 && all_equal(p, 0))
        out->high = reach;
    if (min == 0 && max == 1 && all_equal(p, 1))
        out->low = 1 - reach;
    out->low = fmax(out->low, min);
    out->high = fmin(out->high, max);
    return IB_OK;
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
    for (size_t i = 0; i < panel_size(&d); i++)
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
