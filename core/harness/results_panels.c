/* From scores to panels, and to the calibration that leakage needs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "results_parts.h"

void ib_row_name(const struct ib_plan *p, const struct ib_cell *c, char *out,
                 size_t n)
{
    char *end;
    ib_cell_name(p, c, out, n);
    end = strrchr(out, '/');
    if (end)
        *end = '\0';
}

static void panel_fill(const struct ib_gather *g, struct ib_panel *p, int seed,
                       const cJSON *scores, const char *column)
{
    const cJSON *target = cJSON_GetArrayItem(ib_at(scores, "targets"), 0);
    const cJSON *value =
        cJSON_GetArrayItem(ib_at(ib_at(scores, "values"), column), 0);
    double *row = p->v + (size_t)seed * (size_t)p->identities;
    for (; target && value; target = target->next, value = value->next)
        if (target->valueint >= 0 && target->valueint < g->classes &&
            cJSON_IsNumber(value))
            row[g->person[seed * g->classes + target->valueint]] =
                value->valuedouble;
}

struct ib_panel ib_row_panel(const struct ib_gather *g,
                             const struct ib_scored *const *by_seed,
                             const char *column)
{
    struct ib_panel p = ib_panel_make(g->seeds, g->people);
    for (int s = 0; p.v && s < g->seeds; s++)
        if (by_seed[s])
            panel_fill(g, &p, s, by_seed[s]->scores, column);
    return p;
}

void ib_control_row(const struct ib_gather *g, int model, const char *name,
                    const struct ib_scored **by_seed)
{
    memset(by_seed, 0, IB_RESULTS_SEEDS * sizeof *by_seed);
    for (size_t i = 0; i < g->plan->n_controls; i++) {
        const struct ib_control_cell *c = &g->plan->controls[i];
        if (c->model == model && !strcmp(c->name, name))
            by_seed[c->seed] = &g->control[i];
    }
}

int ib_row_evaluators(const struct ib_gather *g,
                      const struct ib_scored *const *by_seed, const char **id,
                      int max)
{
    const cJSON *column;
    for (int s = 0; s < g->seeds; s++) {
        int n = 0;
        if (!by_seed[s] || !by_seed[s]->scores)
            continue;
        cJSON_ArrayForEach(column, ib_at(by_seed[s]->scores, "columns"))
        {
            const char *name = ib_at_text(column, "name");
            if (name && n < max && !strncmp(name, "acc1@", 5))
                id[n++] = name + 5;
        }
        return n;
    }
    return 0;
}

static double mean_where(const cJSON *list, const char *key, const char *id,
                         const char *key2, const char *id2, const char *what)
{
    const cJSON *item;
    double sum = 0;
    int n = 0;
    cJSON_ArrayForEach(item, list)
    {
        const char *a = ib_at_text(item, key);
        const char *b = key2 ? ib_at_text(item, key2) : NULL;
        double x = ib_at_number(item, what);
        if (!a || strcmp(a, id) || (key2 && (!b || strcmp(b, id2))) || isnan(x))
            continue;
        sum += x;
        n++;
    }
    return n ? sum / n : NAN;
}

double ib_mean_utility(const struct ib_summary *s, int model, int defense,
                       const char *what)
{
    const struct ib_suite *suite = s->g->plan->suite;
    return mean_where(ib_at(s->results, "utility"), "model",
                      suite->models[model].id, "defense",
                      suite->defenses[defense].id, what);
}

bool ib_undefended(const struct ib_suite *s, int defense)
{
    return s->defenses[defense].stack.n == 0;
}

/* The target to compare evaluators with: undefended where the suite has that,
 * else the most accurate of its defended forms. */
static double target_accuracy(const struct ib_summary *s, int model)
{
    const struct ib_suite *suite = s->g->plan->suite;
    double best = NAN;
    for (int d = 0; d < suite->n_defenses; d++) {
        double x = ib_mean_utility(s, model, d, "accuracy");
        if (!isnan(x) && ib_undefended(suite, d))
            return x;
        if (!isnan(x) && !(x <= best))
            best = x;
    }
    return best;
}

/* Why the public controls of a model are missing; NULL: they are there. */
static const char *no_public(const struct ib_gather *g, int model)
{
    const struct ib_scored *by_seed[IB_RESULTS_SEEDS];
    const char *why = "the public controls were not planned";
    for (int f = 0; f < 2; f++) {
        ib_control_row(g, model, ib_floor_names[f], by_seed);
        for (int s = 0; s < g->seeds; s++) {
            if (by_seed[s] && by_seed[s]->scores)
                return NULL;
            if (by_seed[s] && by_seed[s]->reason)
                why = by_seed[s]->reason;
        }
    }
    return why;
}

static bool fill_evaluator(const struct ib_summary *s, int model,
                           struct ib_leakage_evaluator *e)
{
    const struct ib_scored *by_seed[IB_RESULTS_SEEDS];
    char column[2 * IB_NAME_MAX];
    bool ok = true;
    snprintf(column, sizeof column, "acc1@%s", e->id);
    e->accuracy = mean_where(ib_at(s->results, "evaluators_utility"),
                             "evaluator", e->id, NULL, NULL, "accuracy");
    ib_control_row(s->g, model, "holdout", by_seed);
    e->ceiling = ib_row_panel(s->g, by_seed, column);
    for (int i = 0; i < IB_FLOORS; i++) {
        ib_control_row(s->g, model, ib_floor_names[i], by_seed);
        e->floor[i] = ib_row_panel(s->g, by_seed, column);
        ok = ok && e->floor[i].v;
    }
    return ok && e->ceiling.v;
}

void ib_leakage_task_free(struct ib_leakage_task *t)
{
    for (int i = 0; i < t->n; i++) {
        ib_panel_free(&t->evaluator[i].q);
        ib_panel_free(&t->evaluator[i].ceiling);
        for (int f = 0; f < IB_FLOORS_MAX; f++)
            ib_panel_free(&t->evaluator[i].floor[f]);
    }
    *t = (struct ib_leakage_task){0};
}

enum ib_status ib_calibration(const struct ib_summary *s, int model,
                              const char *const *id, int n,
                              struct ib_leakage_task *out, struct ib_error *err)
{
    bool ok = true;
    *out =
        (struct ib_leakage_task){.n = n, .no_public = no_public(s->g, model)};
    for (int i = 0; i < n; i++) {
        struct ib_leakage_evaluator *e = &out->evaluator[i];
        e->id = id[i];
        e->target_accuracy = target_accuracy(s, model);
        ok = fill_evaluator(s, model, e) && ok;
    }
    if (ok)
        return IB_OK;
    ib_leakage_task_free(out);
    return ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}

enum ib_status ib_row_task(const struct ib_summary *s, const struct ib_row *row,
                           struct ib_leakage_task *out, struct ib_error *err)
{
    const char *id[IB_LEAKAGE_EVALUATORS];
    int n = ib_row_evaluators(s->g, row->scored, id, IB_LEAKAGE_EVALUATORS);
    enum ib_status status =
        ib_calibration(s, row->first->model, id, n, out, err);
    for (int i = 0; !status && i < n; i++) {
        char column[2 * IB_NAME_MAX];
        snprintf(column, sizeof column, "acc1@%s", id[i]);
        out->evaluator[i].q = ib_row_panel(s->g, row->scored, column);
        if (!out->evaluator[i].q.v)
            status = ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
    }
    if (status)
        ib_leakage_task_free(out);
    return status;
}
