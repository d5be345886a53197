/* One line of a comparison: values, interval, p-values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_parts.h"

static const double tiny = 1e-9; /* of rounding */

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory for a comparison");
}

void ib_line_name(const struct ib_comparison *l, char *out, size_t n)
{
    const char *part[] = {l->model, l->defense, l->attack, l->access};
    size_t at = 0;
    *out = '\0';
    for (size_t i = 0; i < IB_COUNT(part); i++)
        if (part[i] && at + 1 < n)
            at += (size_t)snprintf(out + at, n - at, "%s%.100s", at ? "/" : "",
                                   part[i]);
}

static void finish(struct ib_comparison *l)
{
    if (isnan(l->d.se)) {
        if (!*l->reason)
            snprintf(l->reason, sizeof l->reason, "%s",
                     l->d.reason ? l->d.reason : "no value on one side");
        return;
    }
    if (l->d.se < tiny && fabs(l->d.value) < tiny) /* the same, one by one */
        l->d.value = l->d.low = l->d.high = l->d.se = 0;
    l->p = ib_p_different(&l->d);
}

static void keep_pairs(struct ib_panel *a, const struct ib_panel *b)
{
    for (int i = 0; i < a->seeds * a->identities; i++)
        if (isnan(b->v[i]))
            a->v[i] = NAN;
}

static void count_pairs(struct ib_comparison *l, const struct ib_panel *p)
{
    l->pairs = 0;
    for (int i = 0; i < p->seeds * p->identities; i++)
        l->pairs += !isnan(p->v[i]);
    l->seeds = ib_panel_seeds(p);
    l->identities = ib_panel_identities(p);
}

enum ib_status ib_line_row(struct ib_compare *c, struct ib_comparison *l,
                           const struct ib_place place[2], struct ib_error *err)
{
    struct ib_panel base = ib_place_panel(c, IB_BASE, &place[0], l->metric);
    struct ib_panel fresh = ib_place_panel(c, IB_NEW, &place[1], l->metric);
    enum ib_status s = base.v && fresh.v ? IB_OK : no_memory(err);
    if (!s) {
        keep_pairs(&base, &fresh);
        keep_pairs(&fresh, &base);
        l->base = ib_panel_mean(&base, NULL);
        l->fresh = ib_panel_mean(&fresh, NULL);
        count_pairs(l, &base);
        s = ib_interval_difference(&fresh, &base, &l->d, &l->pairs, err);
    }
    if (!s)
        s = ib_permutation_mean(&fresh, &base, &l->p_permuted, err);
    finish(l);
    ib_panel_free(&base);
    ib_panel_free(&fresh);
    return s;
}

/* --- leakage ------------------------------------------------------------- */

/* Of both only the pairs that both have. */
static void keep_common(struct ib_leakage_task *a, struct ib_leakage_task *b)
{
    if (!a->n || !b->n)
        return;
    for (int i = 0; i < a->n; i++)
        keep_pairs(&a->evaluator[i].q, &b->evaluator[0].q);
    for (int i = 0; i < b->n; i++)
        keep_pairs(&b->evaluator[i].q, &a->evaluator[0].q);
}

static void take_value(struct ib_comparison *l, const struct ib_leakage *x,
                       enum ib_side side, double *out)
{
    *out = x->interval.value;
    if (isnan(*out) && !*l->reason)
        snprintf(l->reason, sizeof l->reason, "%s: %.200s", ib_side_names[side],
                 x->reason);
}

enum ib_status ib_line_leakage(struct ib_compare *c, struct ib_comparison *l,
                               const struct ib_place *const places[2], size_t n,
                               struct ib_error *err)
{
    struct ib_leakage_task task[2] = {{0}, {0}};
    struct ib_leakage value;
    enum ib_status s = IB_OK;
    for (int i = 0; !s && i < 2; i++)
        s = ib_place_task(c, (enum ib_side)i, places[i], n, &task[i], err);
    if (!s)
        keep_common(&task[0], &task[1]);
    for (int i = 0; !s && i < 2; i++) {
        s = ib_leakage_make(&task[i], &value, err);
        if (!s)
            take_value(l, &value, (enum ib_side)i, i ? &l->fresh : &l->base);
    }
    if (!s && task[0].n)
        count_pairs(l, &task[0].evaluator[0].q);
    if (!s)
        s = ib_leakage_difference(&task[1], &task[0], &l->d, err);
    if (!s)
        s = ib_leakage_permutation(&task[1], &task[0], &l->p_permuted, err);
    finish(l);
    ib_place_task_free(&task[0]);
    ib_place_task_free(&task[1]);
    return s;
}

/* --- utility ------------------------------------------------------------- */

/* Right answers, and images, of each class; then of the other run. */
struct counts {
    struct ib_panel panel[4];
};

static double accuracy_value(const void *ctx, const double *mean)
{
    (void)ctx;
    return mean[1] > 0 && mean[3] > 0 ? mean[0] / mean[1] - mean[2] / mean[3]
                                      : NAN;
}

/* Columns of the classes under a seed: who they are, as far as the controls
 * tell; the class number after all people otherwise. */
static void class_columns(const struct ib_compare *c, const char *model,
                          int seed, int *column, int classes)
{
    const cJSON *who, *control = ib_place_control(&c->side[IB_BASE], model,
                                                  "holdout", c->seed[seed]);
    for (int k = 0; k < classes; k++)
        column[k] = (int)c->n_people + k;
    cJSON_ArrayForEach(who, ib_view_array(control, "identities"))
    {
        double k = ib_view_number(who, "class");
        int at = ib_person_column(c, ib_view_text(who, "name"));
        if (k >= 0 && k < classes && at >= 0)
            column[(int)k] = at;
    }
}

static void fill_counts(const struct ib_compare *c, const struct ib_place *p,
                        enum ib_side side, int *column, struct counts *out)
{
    static const char *const member[] = {"correct", "total"};
    int classes = out->panel[0].identities - (int)c->n_people;
    for (int i = 0; i < c->seeds; i++) {
        const cJSON *u =
            ib_place_utility(&c->side[side], p->model, p->defense, c->seed[i]);
        class_columns(c, p->model, i, column, classes);
        for (int k = 0; k < 2; k++) {
            struct ib_panel *to = &out->panel[(side == IB_BASE ? 2 : 0) + k];
            const cJSON *n;
            int class = 0;
            cJSON_ArrayForEach(n, ib_view_array(u, member[k]))
            {
                if (class < classes && cJSON_IsNumber(n))
                    to->v[i * to->identities + column[class]] = n->valuedouble;
                class ++;
            }
        }
    }
}

static int classes_of(const struct ib_compare *c)
{
    double n = ib_view_number(ib_view_object(c->side[IB_BASE].root, "dataset"),
                              "classes");
    return n >= 1 && n <= 1 << 20 ? (int)n : 0;
}

static enum ib_status accuracy_line(struct ib_compare *c,
                                    struct ib_comparison *l,
                                    const struct ib_place place[2],
                                    struct ib_error *err)
{
    struct counts x;
    const struct ib_panel *panel[4];
    int *column = calloc((size_t)classes_of(c) + 1, sizeof *column);
    enum ib_status s = column ? IB_OK : no_memory(err);
    for (int i = 0; i < 4; i++) {
        x.panel[i] = ib_panel_make(c->seeds, (int)c->n_people + classes_of(c));
        panel[i] = &x.panel[i];
        if (!x.panel[i].v)
            s = no_memory(err);
    }
    if (!s) {
        fill_counts(c, &place[0], IB_BASE, column, &x);
        fill_counts(c, &place[1], IB_NEW, column, &x);
        for (int i = 0; i < 4; i++)
            keep_pairs(&x.panel[i], &x.panel[i < 2 ? 2 : 0]);
        count_pairs(l, &x.panel[0]);
        l->fresh =
            ib_panel_mean(panel[0], NULL) / ib_panel_mean(panel[1], NULL);
        l->base = ib_panel_mean(panel[2], NULL) / ib_panel_mean(panel[3], NULL);
        struct ib_statistic stat = {.n = 4,
                                    .panel = panel,
                                    .value = accuracy_value,
                                    .support = panel[0],
                                    .bounded = true};
        s = ib_interval_make(&stat, &l->d, err);
    }
    for (int i = 0; i < 4; i++)
        ib_panel_free(&x.panel[i]);
    free(column);
    finish(l);
    return s;
}

/* Seeds are the only unit of what is measured once for a model. */
static void seeds_line(struct ib_compare *c, struct ib_comparison *l,
                       const struct ib_place place[2])
{
    double value[2][IB_COMPARE_SEEDS], sum[2] = {0}, squares = 0;
    int n = 0;
    for (int i = 0; i < c->seeds; i++) {
        for (int k = 0; k < 2; k++)
            value[k][n] =
                ib_view_number(ib_place_utility(&c->side[k], place[k].model,
                                                place[k].defense, c->seed[i]),
                               l->metric);
        if (isnan(value[0][n] + value[1][n]))
            continue;
        sum[0] += value[0][n];
        sum[1] += value[1][n];
        n++;
    }
    l->base = n ? sum[0] / n : NAN;
    l->fresh = n ? sum[1] / n : NAN;
    l->pairs = l->seeds = n;
    l->d = (struct ib_interval){l->fresh - l->base,         NAN, NAN, NAN, NAN,
                                "no interval under 3 seeds"};
    if (n >= 3) {
        for (int i = 0; i < n; i++) {
            double x = value[1][i] - value[0][i] - l->d.value;
            squares += x * x;
        }
        double reach = ib_student_quantile(0.975, n - 1);
        l->d.se = sqrt(squares / (n - 1) / n);
        l->d.df = n - 1;
        l->d.low = l->d.value - reach * l->d.se;
        l->d.high = l->d.value + reach * l->d.se;
        l->d.reason = NULL;
    }
    finish(l);
}

enum ib_status ib_line_utility(struct ib_compare *c, struct ib_comparison *l,
                               const struct ib_place place[2],
                               struct ib_error *err)
{
    const cJSON *u =
        c->seeds ? ib_place_utility(&c->side[IB_NEW], place[IB_NEW].model,
                                    place[IB_NEW].defense, c->seed[0])
                 : NULL;
    if (!strcmp(l->metric, "accuracy") && ib_view_array(u, "correct"))
        return accuracy_line(c, l, place, err);
    seeds_line(c, l, place);
    return IB_OK;
}
