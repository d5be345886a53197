/* One row of the summary: an attack on a model behind a defense. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results_parts.h"

cJSON *ib_put_estimate(bool *ok, cJSON *o, const char *name,
                       const struct ib_interval *i)
{
    cJSON *x = ib_put_object(ok, o, name);
    ib_put_number(ok, x, "value", i->value);
    ib_put_number(ok, x, "low", i->low);
    ib_put_number(ok, x, "high", i->high);
    if (i->reason)
        ib_put_text(ok, x, "reason", i->reason);
    return x;
}

void ib_put_leakage(bool *ok, cJSON *o, const char *name,
                    const struct ib_interval *i, const char *reason,
                    const char *evaluator)
{
    cJSON *x = ib_put_object(ok, o, name);
    ib_put_number(ok, x, "value", i->value);
    ib_put_number(ok, x, "low", i->low);
    ib_put_number(ok, x, "high", i->high);
    ib_put_text(ok, x, "reason", reason && *reason ? reason : NULL);
    ib_put_text(ok, x, "evaluator", evaluator);
}

double ib_column_bound(const cJSON *column, const char *name, double open)
{
    double x = ib_at_number(column, name);
    return isnan(x) ? open : x;
}

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}

/* The control (never the ceiling) whose mean comes nearest to leaking; of the
 * seeds and identities that the row has. w: weights, NULL: no memory. */
static bool put_control(const struct ib_gather *g, int model,
                        const cJSON *column, const double *w, cJSON *o)
{
    const struct ib_scored *by_seed[IB_RESULTS_SEEDS];
    const char *direction = ib_at_text(column, "direction"), *name = NULL;
    double best = NAN, sign = strcmp(direction, "lower-leaks") ? 1 : -1;
    bool ok = w != NULL;
    for (int i = 0; ok && strcmp(direction, "neutral") && i < IB_FLOORS; i++) {
        ib_control_row(g, model, ib_floor_names[i], by_seed);
        struct ib_panel p =
            ib_row_panel(g, by_seed, ib_at_text(column, "name"));
        if (!p.v)
            return false;
        double x = ib_panel_mean(&p, w);
        ib_panel_free(&p);
        if (isnan(x) || sign * x <= sign * best)
            continue;
        best = x;
        name = ib_floor_names[i];
    }
    if (name) {
        ib_put_text(&ok, o, "control", name);
        ib_put_number(&ok, o, "control_value", best);
    }
    return ok;
}

static bool is_class(const cJSON *column)
{
    const char *unit = ib_at_text(column, "unit");
    return unit && !strcmp(unit, "class");
}

/* Every column of these scores, with interval and best control. */
static enum ib_status put_columns(const struct ib_gather *g, int model,
                                  const struct ib_scored *const *by_seed,
                                  bool controls, cJSON *out,
                                  struct ib_error *err)
{
    const cJSON *column;
    cJSON_ArrayForEach(column, g->columns)
    {
        bool ok = true;
        struct ib_interval i;
        const char *name = ib_at_text(column, "name");
        struct ib_panel p = ib_row_panel(g, by_seed, name);
        if (!p.v)
            return no_memory(err);
        enum ib_status status = IB_OK;
        if (!is_class(column) && ib_panel_identities(&p)) {
            status = ib_interval_mean(
                &p, ib_column_bound(column, "min", -INFINITY),
                ib_column_bound(column, "max", INFINITY), &i, err);
            cJSON *o = ib_put_estimate(&ok, out, name, &i);
            double *w = controls ? ib_panel_support(&p) : NULL;
            ok = ok && (!controls || put_control(g, model, column, w, o));
            free(w);
        }
        ib_panel_free(&p);
        if (status || !ok)
            return status ? status : no_memory(err);
    }
    return IB_OK;
}

static void put_evaluator(bool *ok, const struct ib_leakage_evaluator *e,
                          const struct ib_leakage_part *p, cJSON *out)
{
    cJSON *o = ib_put_object(ok, out, e->id);
    ib_put_number(ok, o, "acc1", p->acc1);
    ib_put_number(ok, o, "floor", p->floor);
    ib_put_text(ok, o, "floor_control",
                p->floor_index >= 0 ? ib_floor_names[p->floor_index] : NULL);
    ib_put_number(ok, o, "ceiling", p->ceiling);
    ib_put_number(ok, o, "leakage", p->leakage);
    ib_put_number(ok, o, "accuracy", e->accuracy);
    ib_put(ok, o, "counts", cJSON_CreateBool(p->counts));
    ib_put_text(ok, o, "reason", *p->reason ? p->reason : NULL);
}

/* The undefended row with the same model, attack and access; NULL: none. */
static const struct ib_row *reference_of(const struct ib_summary *s,
                                         const struct ib_row *row)
{
    const struct ib_suite *suite = s->g->plan->suite;
    const struct ib_cell *c = row->first;
    if (ib_undefended(suite, c->defense))
        return NULL;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_cell *r = s->rows[i].first;
        if (r->model == c->model && r->attack == c->attack &&
            r->access == c->access && ib_undefended(suite, r->defense))
            return &s->rows[i];
    }
    return NULL;
}

static enum ib_status put_paired(const struct ib_gather *g,
                                 const struct ib_row *row,
                                 const struct ib_row *ref, cJSON *columns,
                                 int *most, struct ib_error *err)
{
    const cJSON *column;
    cJSON_ArrayForEach(column, g->columns)
    {
        const char *name = ib_at_text(column, "name");
        struct ib_interval i;
        bool ok = true;
        int pairs = 0;
        if (is_class(column))
            continue;
        struct ib_panel a = ib_row_panel(g, row->scored, name);
        struct ib_panel b = ib_row_panel(g, ref->scored, name);
        enum ib_status status =
            a.v && b.v ? ib_interval_difference(&a, &b, &i, &pairs, err)
                       : no_memory(err);
        if (!status && pairs)
            ib_put_estimate(&ok, columns, name, &i);
        *most = pairs > *most ? pairs : *most;
        ib_panel_free(&a);
        ib_panel_free(&b);
        if (status || !ok)
            return status ? status : no_memory(err);
    }
    return IB_OK;
}

static enum ib_status put_difference(const struct ib_summary *s,
                                     const struct ib_row *row,
                                     const struct ib_leakage_task *task,
                                     cJSON *o, struct ib_error *err)
{
    const struct ib_row *ref = reference_of(s, row);
    struct ib_leakage_task other = {0};
    struct ib_interval i;
    char name[512];
    bool ok = true;
    int pairs = 0;
    if (!ref || !task->n) {
        ib_put_text(&ok, o, "difference", NULL);
        return ok ? IB_OK : no_memory(err);
    }
    enum ib_status status = ib_row_task(s, ref, &other, err);
    if (!status)
        status = ib_leakage_difference(task, &other, &i, err);
    ib_leakage_task_free(&other);
    if (status)
        return status;
    cJSON *d = ib_put_object(&ok, o, "difference");
    ib_row_name(s->g->plan, ref->first, name, sizeof name);
    ib_put_text(&ok, d, "against", name);
    ib_put_estimate(&ok, d, "leakage", &i);
    status = put_paired(s->g, row, ref, ib_put_object(&ok, d, "columns"),
                        &pairs, err);
    ib_put_number(&ok, d, "pairs", pairs);
    return status ? status : ok ? IB_OK : no_memory(err);
}

/* Of the first seed's cell that is ok, else of the first cell. */
static const struct ib_scored *spokesman(const struct ib_row *row)
{
    const struct ib_scored *first = NULL;
    for (int s = 0; s < IB_RESULTS_SEEDS; s++) {
        if (!row->scored[s])
            continue;
        if (row->scored[s]->scores)
            return row->scored[s];
        if (!first)
            first = row->scored[s];
    }
    return first;
}

static const struct ib_row *twin_of(const struct ib_summary *s,
                                    const struct ib_row *row)
{
    if (row->first->plan != IB_CELL_BYPASS)
        return NULL;
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i].first->plan == IB_CELL_RUN &&
            s->rows[i].first->attack_node == row->first->attack_node)
            return &s->rows[i];
    return NULL;
}

static void put_coordinates(bool *ok, const struct ib_summary *s,
                            const struct ib_row *row, cJSON *o)
{
    const struct ib_suite *suite = s->g->plan->suite;
    const struct ib_cell *c = row->first;
    const struct ib_scored *x = spokesman(row);
    const struct ib_row *twin = twin_of(s, row);
    char name[512];
    int seeds = 0;
    for (int i = 0; i < s->g->seeds; i++)
        seeds += row->scored[i] && row->scored[i]->scores;
    ib_put_text(ok, o, "model", suite->models[c->model].id);
    ib_put_text(ok, o, "defense", suite->defenses[c->defense].id);
    ib_put_text(ok, o, "attack", suite->attacks[c->attack].id);
    ib_put_text(ok, o, "access", ib_level_names[c->access]);
    ib_put_text(ok, o, "status", x->status);
    ib_put_text(ok, o, "reason", x->reason);
    if (twin)
        ib_row_name(s->g->plan, twin->first, name, sizeof name);
    ib_put_text(ok, o, "same_as", twin ? name : NULL);
    ib_put_number(ok, o, "seeds", seeds);
}

/* Identities that any seed's cell of the row scored. */
static int identities_of(const struct ib_leakage_task *task,
                         const struct ib_row *row)
{
    const struct ib_scored *x = spokesman(row);
    if (task->n)
        return ib_panel_identities(&task->evaluator[0].q);
    return cJSON_GetArraySize(ib_at(x->scores, "targets"));
}

static void put_calibrated(bool *ok, const struct ib_row *row,
                           const struct ib_leakage_task *task,
                           const struct ib_leakage *l, cJSON *o)
{
    const struct ib_scored *x = spokesman(row);
    const char *why = x->scores   ? l->reason
                      : x->reason ? x->reason
                                  : "no cell of this row came about";
    ib_put_leakage(ok, o, "leakage", &l->interval, why,
                   l->evaluator >= 0 ? task->evaluator[l->evaluator].id : NULL);
    cJSON *evaluators = ib_put_object(ok, o, "evaluators");
    for (int i = 0; i < task->n; i++)
        put_evaluator(ok, &task->evaluator[i], &l->part[i], evaluators);
}

/* Mean over the seeds that are there; null without any. */
static cJSON *row_queries(const struct ib_gather *g, const struct ib_row *row)
{
    cJSON *sum = NULL, *item;
    int n = 0;
    for (int s = 0; s < g->seeds; s++) {
        if (!row->scored[s] || !row->scored[s]->recon)
            continue;
        cJSON *one = ib_results_queries(row->scored[s]->recon);
        cJSON_ArrayForEach(item, sum) cJSON_SetNumberValue(
            item, item->valuedouble + ib_at_number(one, item->string));
        if (sum)
            cJSON_Delete(one);
        else
            sum = one;
        n++;
    }
    cJSON_ArrayForEach(item, sum)
        cJSON_SetNumberValue(item, item->valuedouble / n);
    return n ? sum : cJSON_CreateNull();
}

enum ib_status ib_summary_row(const struct ib_summary *s, size_t index,
                              cJSON *rows, struct ib_error *err)
{
    const struct ib_row *row = &s->rows[index];
    struct ib_leakage_task task;
    bool ok = true;
    enum ib_status status = ib_row_task(s, row, &task, err);
    if (status)
        return status;
    cJSON *o = ib_put_object(&ok, rows, NULL);
    put_coordinates(&ok, s, row, o);
    ib_put_number(&ok, o, "identities", identities_of(&task, row));
    put_calibrated(&ok, row, &task, &s->leakage[index], o);
    status = put_difference(s, row, &task, o, err);
    ib_leakage_task_free(&task);
    cJSON *columns = ib_put_object(&ok, o, "columns");
    if (!status)
        status = put_columns(s->g, row->first->model, row->scored, true,
                             columns, err);
    ib_summary_put_set(&ok, s->g, row->first->model, row->scored, true, o);
    ib_put(&ok, o, "queries", row_queries(s->g, row));
    ib_put(&ok, o, "flags", ib_summary_flags(s, index));
    return status ? status : ok ? IB_OK : no_memory(err);
}

enum ib_status ib_summary_controls(const struct ib_summary *s, cJSON *out,
                                   struct ib_error *err)
{
    const struct ib_plan *p = s->g->plan;
    const struct ib_scored *by_seed[IB_RESULTS_SEEDS];
    enum ib_status status = IB_OK;
    bool ok = true;
    for (size_t i = 0; !status && ok && i < p->n_controls; i++) {
        const struct ib_control_cell *c = &p->controls[i];
        int seeds = 0, identities = 0;
        if (c->seed != 0)
            continue;
        ib_control_row(s->g, c->model, c->name, by_seed);
        for (int k = 0; k < s->g->seeds; k++) {
            const cJSON *t =
                by_seed[k] ? ib_at(by_seed[k]->scores, "targets") : NULL;
            seeds += t != NULL;
            identities = t ? cJSON_GetArraySize(t) : identities;
        }
        cJSON *o = ib_put_object(&ok, out, NULL);
        ib_put_text(&ok, o, "model", p->suite->models[c->model].id);
        ib_put_text(&ok, o, "name", c->name);
        ib_put_number(&ok, o, "seeds", seeds);
        ib_put_number(&ok, o, "identities", identities);
        cJSON *columns = ib_put_object(&ok, o, "columns");
        status = put_columns(s->g, c->model, by_seed, false, columns, err);
        ib_summary_put_set(&ok, s->g, c->model, by_seed, false, o);
    }
    return status ? status : ok ? IB_OK : no_memory(err);
}
