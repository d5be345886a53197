/* What scores of membership are worth: ROC curves and their intervals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

#include "membership.h"
#include "stats.h"

enum { LEAST = 10, MEASURES = 1 + IB_MEMBERSHIP_RATES };

static const char no_images[] = "there are no members or no non-members";
static const char few_images[] = "under 10 members or non-members";
static const char *const few_others[IB_MEMBERSHIP_RATES] = {
    "a false-positive rate of 0.1 % needs 10000 non-members",
    "a false-positive rate of 1 % needs 1000 non-members"};

struct curve {
    const struct ib_membership_task *t;
    const double *score;
    uint32_t *order; /* of all images, by falling score */
    double *draws;   /* MEASURES x IB_MEMBERSHIP_RESAMPLES */
    struct ib_membership_worth *out;
};

struct ranked {
    double score;
    uint32_t index;
};

static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = (x->score < y->score) - (x->score > y->score);

    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void sort(struct curve *c, struct ranked *room)
{
    size_t n = c->t->members + c->t->others;

    for (size_t i = 0; i < n; i++)
        room[i] = (struct ranked){c->score[i], (uint32_t)i};
    qsort(room, n, sizeof(*room), by_score);
    for (size_t i = 0; i < n; i++)
        c->order[i] = room[i].index;
}

/* weight: how often each image counts; NULL: once. Counts are whole, sums are
 * exact. measure: area, then the rates. */
static void walk(const struct curve *c, const uint32_t *weight,
                 double measure[MEASURES])
{
    size_t m = c->t->members, n = m + c->t->others;
    double hits = 0, falses = 0, area = 0;

    for (int r = 0; r < MEASURES; r++)
        measure[r] = 0;
    for (size_t i = 0; i < n;) {
        double block[2] = {0, 0};
        double score = c->score[c->order[i]];

        for (; i < n && c->score[c->order[i]] == score; i++)
            block[c->order[i] >= m] += weight ? weight[c->order[i]] : 1;
        area += block[1] * (hits + block[0] / 2);
        hits += block[0];
        falses += block[1];
        for (int r = 0; r < IB_MEMBERSHIP_RATES; r++)
            if (falses * ib_membership_rate[r] <= (double)c->t->others)
                measure[1 + r] = hits / (double)m;
    }
    measure[0] = area / ((double)m * (double)c->t->others);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* n: images that the value is a share of. */
static void bound(double *draws, size_t n, struct ib_membership_value *v)
{
    const size_t tail = IB_MEMBERSHIP_RESAMPLES / 40;
    int few = n < INT32_MAX ? (int)n : INT32_MAX;

    qsort(draws, IB_MEMBERSHIP_RESAMPLES, sizeof(*draws), by_value);
    v->low = draws[tail - 1];
    v->high = draws[IB_MEMBERSHIP_RESAMPLES - tail];
    if (v->value <= 0)
        v->high = fmax(v->high, ib_wilson_reach(few));
    if (v->value >= 1)
        v->low = fmin(v->low, 1 - ib_wilson_reach(few));
}

static void measure_all(struct curve *c)
{
    size_t m = c->t->members, u = c->t->others;
    double x[MEASURES];
    bool any = m > 0 && u > 0;

    if (any)
        walk(c, NULL, x);
    for (int r = 0; r < MEASURES; r++) {
        struct ib_membership_value *v = r ? &c->out->tpr[r - 1] : &c->out->auc;

        *v = (struct ib_membership_value){NAN, NAN, NAN, no_images};
        if (!any)
            continue;
        if (r && u < (size_t)LEAST * (size_t)ib_membership_rate[r - 1]) {
            v->reason = few_others[r - 1];
            continue;
        }
        v->value = x[r];
        v->reason = m < LEAST || u < LEAST ? few_images : NULL;
    }
}

static void resample(const struct ib_membership_task *t, int round,
                     uint32_t *weight)
{
    struct ib_rng rng =
        ib_rng_stream(t->seed, "membership", round, "bootstrap");

    memset(weight, 0, (t->members + t->others) * sizeof(*weight));
    for (size_t i = 0; i < t->members; i++)
        weight[ib_rng_below(&rng, (uint32_t)t->members)]++;
    for (size_t i = 0; i < t->others; i++)
        weight[t->members + ib_rng_below(&rng, (uint32_t)t->others)]++;
}

static void intervals(struct curve *all, uint32_t *weight)
{
    const struct ib_membership_task *t = all->t;
    size_t least = t->members < t->others ? t->members : t->others;

    if (least < LEAST)
        return;
    for (int b = 0; b < IB_MEMBERSHIP_RESAMPLES; b++) {
        resample(t, b, weight);
        for (int a = 0; a < t->attacks; a++) {
            double x[MEASURES];

            walk(&all[a], weight, x);
            for (int r = 0; r < MEASURES; r++)
                all[a].draws[r * IB_MEMBERSHIP_RESAMPLES + b] = x[r];
        }
    }
    for (int a = 0; a < t->attacks; a++)
        for (int r = 0; r < MEASURES; r++) {
            struct ib_membership_value *v =
                r ? &all[a].out->tpr[r - 1] : &all[a].out->auc;

            if (!v->reason)
                bound(all[a].draws + r * IB_MEMBERSHIP_RESAMPLES,
                      r ? t->members : least, v);
        }
}

enum ib_status ib_membership_judge(const struct ib_membership_task *t,
                                   struct ib_membership_worth *out,
                                   struct ib_error *err)
{
    size_t n = t->members + t->others, attacks = (size_t)t->attacks;
    struct curve all[IB_MEMBERSHIP_ATTACKS] = {{0}};
    uint32_t *order = calloc(n * (attacks + 1) + 1, sizeof(*order));
    struct ranked *room = calloc(n + 1, sizeof(*room));
    double *draws = calloc(attacks * MEASURES * IB_MEMBERSHIP_RESAMPLES + 1,
                           sizeof(*draws));
    enum ib_status s = IB_OK;

    if (!order || !room || !draws)
        s = ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", n);
    for (size_t a = 0; !s && a < attacks; a++) {
        all[a] = (struct curve){.t = t,
                                .score = t->score[a],
                                .order = order + a * n,
                                .draws = draws +
                                         a * MEASURES * IB_MEMBERSHIP_RESAMPLES,
                                .out = &out[a]};
        sort(&all[a], room);
        measure_all(&all[a]);
    }
    if (!s)
        intervals(all, order + attacks * n);
    free(order);
    free(room);
    free(draws);
    return s;
}
