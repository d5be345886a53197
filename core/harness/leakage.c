#include "leakage.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "inference.h"

static const double min_gap = 0.1, accuracy_slack = 0.02;
static const double rounding = 1e-9; /* 0.6 - 0.5 is a gap of 0.1 */

const char *const ib_floor_names[IB_FLOORS] = {"public-mean", "public-best",
                                               "noise", "other"};

/* Gap of ceiling and floor below which a resample is undefined: half of what a
 * leakage needs. */
static const double resample_gap = 0.05;

static int floors(const struct ib_leakage_task *t)
{
    return t->floors ? t->floors : IB_FLOORS;
}

static const char *floor_name(const struct ib_leakage_task *t, int i)
{
    return (t->floor_name ? t->floor_name : ib_floor_names)[i];
}

/* The statistic: which evaluators take part is settled beforehand. */
struct ratio {
    const struct ib_leakage_task *task;
    bool counts[IB_LEAKAGE_EVALUATORS];
};

/* What of Q there is: the support of everything else. */
static const struct ib_panel *support(const struct ib_leakage_task *t)
{
    return &t->evaluator[0].q;
}

static double floor_of(const struct ib_leakage_task *t,
                       const struct ib_leakage_evaluator *e, const double *w,
                       int *index)
{
    double best = NAN;
    *index = -1;
    for (int i = 0; i < floors(t); i++) {
        double x = e->floor[i].v ? ib_panel_mean(&e->floor[i], w) : NAN;
        if (!isnan(x) && !(x <= best)) {
            best = x;
            *index = i;
        }
    }
    return best;
}

/* Panels of all evaluators that count; returns how many. A floor that was not
 * measured stands as the ceiling's panel, and is never looked at. */
static int panels_of(const struct ratio *r, const struct ib_panel **out)
{
    int n = 0;
    for (int i = 0; i < r->task->n; i++) {
        const struct ib_leakage_evaluator *e = &r->task->evaluator[i];
        if (!r->counts[i])
            continue;
        out[n++] = &e->q;
        out[n++] = &e->ceiling;
        for (int f = 0; f < floors(r->task); f++)
            out[n++] = e->floor[f].v ? &e->floor[f] : &e->ceiling;
    }
    return n;
}

/* mean: of one evaluator's panels: q, ceiling, n floors. */
static double evaluator_ratio(const struct ib_leakage_evaluator *e, int n,
                              const double *mean)
{
    double floor = NAN;
    for (int f = 0; f < n; f++)
        if (e->floor[f].v && !isnan(mean[2 + f]) && !(mean[2 + f] <= floor))
            floor = mean[2 + f];
    double gap = mean[1] - floor;
    return gap >= resample_gap ? (mean[0] - floor) / gap : NAN;
}

static double ratio_value(const void *ctx, const double *mean)
{
    const struct ratio *r = ctx;
    double least = INFINITY;
    for (int i = 0; i < r->task->n; i++) {
        if (!r->counts[i])
            continue;
        double x =
            evaluator_ratio(&r->task->evaluator[i], floors(r->task), mean);
        if (isnan(x))
            return NAN;
        least = fmin(least, x);
        mean += 2 + floors(r->task);
    }
    return least < INFINITY ? least : NAN;
}

/* Measures one evaluator and says whether it counts, and if not, why. */
static void part_make(const struct ib_leakage_task *t,
                      const struct ib_leakage_evaluator *e, const double *w,
                      struct ib_leakage_part *p)
{
    p->acc1 = ib_panel_mean(&e->q, w);
    p->ceiling = e->ceiling.v ? ib_panel_mean(&e->ceiling, w) : NAN;
    p->floor = floor_of(t, e, w, &p->floor_index);
    p->leakage = NAN;
    if (t->no_public)
        snprintf(p->reason, sizeof p->reason, "%s", t->no_public);
    else if (isnan(p->acc1))
        snprintf(p->reason, sizeof p->reason, "no cell of this row came about");
    else if (isnan(p->ceiling) || isnan(p->floor))
        snprintf(p->reason, sizeof p->reason, "controls are missing");
    else if (isnan(e->accuracy) || isnan(e->target_accuracy))
        snprintf(p->reason, sizeof p->reason,
                 "its accuracy or the target's is not known");
    else if (e->accuracy < e->target_accuracy - accuracy_slack - rounding)
        snprintf(p->reason, sizeof p->reason,
                 "%.1f %% right on held-out images, the target %.1f %%: more "
                 "than 2 points worse",
                 100 * e->accuracy, 100 * e->target_accuracy);
    else if (p->ceiling - p->floor < min_gap - rounding)
        snprintf(p->reason, sizeof p->reason,
                 "ceiling %.3f is not 0.1 above floor %.3f (%s)", p->ceiling,
                 p->floor, floor_name(t, p->floor_index));
    else
        p->leakage = (p->acc1 - p->floor) / (p->ceiling - p->floor);
    p->counts = !isnan(p->leakage);
}

/* w: weights of the panel; NULL: all of it. Returns how many count. */
static int parts_make(const struct ib_leakage_task *t, const double *w,
                      struct ib_leakage *out, struct ratio *r)
{
    int counting = 0;
    *out = (struct ib_leakage){.evaluator = -1};
    *r = (struct ratio){.task = t};
    for (int i = 0; i < t->n; i++) {
        struct ib_leakage_part *p = &out->part[i];
        part_make(t, &t->evaluator[i], w, p);
        r->counts[i] = p->counts;
        counting += p->counts;
        if (p->counts && (out->evaluator < 0 ||
                          p->leakage < out->part[out->evaluator].leakage))
            out->evaluator = i;
    }
    return counting;
}

static void say_why_not(const struct ib_leakage_task *t, struct ib_leakage *out,
                        int counting)
{
    out->interval = (struct ib_interval){NAN, NAN, NAN, NAN, NAN, out->reason};
    out->evaluator = -1;
    if (t->no_public)
        snprintf(out->reason, sizeof out->reason, "%s", t->no_public);
    else if (t->n < 2)
        snprintf(out->reason, sizeof out->reason,
                 "2 evaluators of another family than the target are needed, "
                 "with the metric accuracy; there %s %d",
                 t->n == 1 ? "is" : "are", t->n);
    for (int i = 0; !*out->reason && i < t->n; i++)
        if (!out->part[i].counts)
            snprintf(out->reason, sizeof out->reason,
                     "%d of %d evaluators count, 2 are needed; %.60s: %.100s",
                     counting, t->n, t->evaluator[i].id, out->part[i].reason);
}

static bool degenerate(const struct ib_panel *p, double at)
{
    for (int i = 0; i < p->seeds * p->identities; i++)
        if (!isnan(p->v[i]) && p->v[i] != at)
            return false;
    return true;
}

/* Where no identity, or every one, was recognised, resampling sees no spread
 * in Q: the interval reaches at least as far as Wilson's for Q does. */
static void widen(const struct ib_leakage_task *t, struct ib_leakage *out)
{
    const struct ib_leakage_evaluator *e = &t->evaluator[out->evaluator];
    const struct ib_leakage_part *p = &out->part[out->evaluator];
    double reach =
        ib_wilson_reach(ib_panel_identities(&e->q)) / (p->ceiling - p->floor);
    if (isnan(out->interval.low))
        return;
    if (degenerate(&e->q, 0))
        out->interval.high =
            fmax(out->interval.high, out->interval.value + reach);
    if (degenerate(&e->q, 1))
        out->interval.low =
            fmin(out->interval.low, out->interval.value - reach);
}

enum ib_status ib_leakage_make(const struct ib_leakage_task *t,
                               struct ib_leakage *out, struct ib_error *err)
{
    struct ratio r;
    double *w = t->n ? ib_panel_support(support(t)) : NULL;
    if (t->n && !w)
        return ib_error_set(err, IB_E_NOMEM, "no memory for leakage");
    int counting = parts_make(t, w, out, &r);
    free(w);
    if (counting < 2) {
        say_why_not(t, out, counting);
        return IB_OK;
    }
    const struct ib_panel *panel[IB_STATISTIC_PANELS];
    struct ib_statistic s = {.n = panels_of(&r, panel),
                             .panel = panel,
                             .value = ratio_value,
                             .ctx = &r,
                             .support = support(t),
                             .bounded = true};
    enum ib_status status = ib_interval_make(&s, &out->interval, err);
    if (status)
        return status;
    widen(t, out);
    if (out->interval.reason)
        snprintf(out->reason, sizeof out->reason, "%s", out->interval.reason);
    return IB_OK;
}

struct contrast {
    struct ratio side[2];
    int panels; /* of the first side */
};

static double difference_value(const void *ctx, const double *mean)
{
    const struct contrast *c = ctx;
    return ratio_value(&c->side[0], mean) -
           ratio_value(&c->side[1], mean + c->panels);
}

/* Both sides over the seeds and identities that both have. */
struct paired {
    struct contrast c;
    struct ib_panel both;
    const struct ib_panel *panel[IB_STATISTIC_PANELS];
    struct ib_statistic s;
    bool there; /* two evaluators count on either side */
    bool alike; /* the same ones */
};

static enum ib_status pair_make(const struct ib_leakage_task *a,
                                const struct ib_leakage_task *b,
                                struct paired *out, struct ib_error *err)
{
    struct ib_leakage la, lb;
    struct contrast *c = &out->c;
    *out = (struct paired){.alike = a->n == b->n};
    if (!a->n || !b->n)
        return IB_OK;
    out->both = ib_panel_both(support(a), support(b));
    double *w = out->both.v ? ib_panel_support(&out->both) : NULL;
    if (!w)
        return ib_error_set(err, IB_E_NOMEM, "no memory for leakage");
    out->there = parts_make(a, w, &la, &c->side[0]) >= 2;
    out->there = parts_make(b, w, &lb, &c->side[1]) >= 2 && out->there;
    free(w);
    for (int i = 0; i < a->n && out->alike; i++)
        out->alike = c->side[0].counts[i] == c->side[1].counts[i];
    c->panels = panels_of(&c->side[0], out->panel);
    out->s = (struct ib_statistic){
        .n = c->panels + panels_of(&c->side[1], out->panel + c->panels),
        .panel = out->panel,
        .value = difference_value,
        .ctx = c,
        .support = &out->both,
        .bounded = true};
    return IB_OK;
}

enum ib_status ib_leakage_difference(const struct ib_leakage_task *a,
                                     const struct ib_leakage_task *b,
                                     struct ib_interval *out,
                                     struct ib_error *err)
{
    struct paired x;
    *out = (struct ib_interval){NAN, NAN, NAN,
                                NAN, NAN, "leakage is null on one side"};
    enum ib_status status = pair_make(a, b, &x, err);
    if (!status && x.there)
        status = ib_interval_make(&x.s, out, err);
    if (!status && out->high - out->low < 1e-12) {
        out->low = out->high = NAN;
        out->reason = ib_no_spread;
    }
    ib_panel_free(&x.both);
    return status;
}

enum ib_status ib_leakage_permutation(const struct ib_leakage_task *a,
                                      const struct ib_leakage_task *b,
                                      double *p, struct ib_error *err)
{
    struct paired x;
    *p = NAN;
    enum ib_status status = pair_make(a, b, &x, err);
    if (!status && x.there && x.alike)
        status = ib_permutation(&x.s, p, err);
    ib_panel_free(&x.both);
    return status;
}
