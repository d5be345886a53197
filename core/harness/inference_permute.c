/* The permutation test of inference.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

#include "inference.h"
#include "stats_parts.h"

static const double tie_weight = 1e-9;

/* row: for each identity the sums of the n panels, then their counts; mean:
 * the same, of one round; tie: what an identity adds to tell apart what is
 * equal, with its sign. */
struct rounds {
    const struct ib_sample *x;
    double *row, *mean, *tie;
};

static void fill_rows(struct rounds *r)
{
    const struct ib_sample *x = r->x;
    size_t n = (size_t)x->s->n, i = 0;
    for (size_t p = 0; p < n; p++)
        for (int s = 0; s < x->seeds; s++)
            for (int k = 0; k < x->identities; k++, i++) {
                double *to = r->row + 2 * n * (size_t)k + p;
                if (isnan(x->v[i]))
                    continue;
                to[0] += x->v[i];
                to[n] += 1;
            }
}

static void fill_ties(struct rounds *r)
{
    struct ib_rng rng = ib_rng_stream(1, "statistics", -1, "ties");
    size_t n = (size_t)r->x->s->n, half = n / 2;
    for (int k = 0; k < r->x->identities; k++) {
        const double *from = r->row + 2 * n * (size_t)k;
        double weight = tie_weight * ib_rng_uniform(&rng);
        for (size_t p = 0; p < half; p++)
            r->tie[k] += weight * (from[p] - from[p + half]);
    }
}

/* Returns what tells ties apart. */
static double add_identity(struct rounds *r, int identity, bool exchanged)
{
    size_t n = (size_t)r->x->s->n, half = n / 2;
    const double *from = r->row + 2 * n * (size_t)identity;
    for (size_t p = 0; p < n; p++) {
        size_t to = !exchanged ? p : p < half ? p + half : p - half;
        r->mean[to] += from[p];
        r->mean[n + to] += from[n + p];
    }
    return exchanged ? -r->tie[identity] : r->tie[identity];
}

/* |difference| of one round; rng NULL: as it was measured. */
static double one_round(struct rounds *r, struct ib_rng *rng)
{
    size_t n = (size_t)r->x->s->n;
    uint32_t coins = 0;
    double tie = 0;
    memset(r->mean, 0, 2 * n * sizeof *r->mean);
    for (int k = 0; k < r->x->identities; k++, coins >>= 1) {
        if (k % 32 == 0 && rng)
            coins = ib_rng_u32(rng);
        tie += add_identity(r, k, coins & 1);
    }
    for (size_t p = 0; p < n; p++)
        r->mean[p] = r->mean[n + p] > 0 ? r->mean[p] / r->mean[n + p] : NAN;
    return fabs(ib_sample_value(r->x, r->mean) + tie);
}

/* NaN where a tenth of the rounds is undefined. The round that was measured
 * counts as one. */
static double share_of_rounds(struct rounds *r)
{
    struct ib_rng rng = ib_rng_stream(1, "statistics", -1, "permutation");
    double measured = one_round(r, NULL) * (1 - 1e-12);
    int reached = 1, defined = 1;
    for (int i = 0; i < IB_RESAMPLES; i++) {
        double v = one_round(r, &rng);
        defined += !isnan(v);
        reached += v >= measured;
    }
    if (defined < IB_RESAMPLES / 10 * 9)
        return NAN;
    return (double)reached / defined;
}

enum ib_status ib_permutation(const struct ib_statistic *s, double *p,
                              struct ib_error *err)
{
    struct ib_sample x;
    struct rounds r = {.x = &x};
    *p = NAN;
    enum ib_status status = ib_sample_make(&x, s, err);
    if (!status && x.identities >= IB_IDENTITIES_MIN && !isnan(x.value)) {
        size_t width = 2 * (size_t)s->n;
        size_t k = (size_t)x.identities;
        r.row = calloc((k + 1) * width + k, sizeof *r.row);
        if (r.row) {
            r.mean = r.row + k * width;
            r.tie = r.mean + width;
            fill_rows(&r);
            fill_ties(&r);
            *p = share_of_rounds(&r);
        } else {
            status = ib_error_set(err, IB_E_NOMEM, "no memory for a test");
        }
    }
    free(r.row);
    ib_sample_free(&x);
    return status;
}

static double difference(const void *ctx, const double *mean)
{
    (void)ctx;
    return mean[0] - mean[1];
}

enum ib_status ib_permutation_mean(const struct ib_panel *a,
                                   const struct ib_panel *b, double *p,
                                   struct ib_error *err)
{
    struct ib_panel d = ib_panel_both(a, b), zero = ib_panel_both(a, b);
    const struct ib_panel *const panel[] = {&d, &zero};
    struct ib_statistic s = {
        .n = 2, .panel = panel, .value = difference, .support = &d};
    enum ib_status status = IB_OK;
    *p = NAN;
    if (!d.v || !zero.v)
        status = ib_error_set(err, IB_E_NOMEM, "no memory for a test");
    for (int i = 0; !status && i < d.seeds * d.identities; i++)
        if (!isnan(zero.v[i]))
            zero.v[i] = 0;
    if (!status)
        status = ib_permutation(&s, p, err);
    ib_panel_free(&d);
    ib_panel_free(&zero);
    return status;
}
