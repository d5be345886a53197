/* The summary: rows, headline, controls, utility, counts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results_parts.h"

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}

/* Place of a row among all coordinates but the seed. */
static size_t place_of(const struct ib_suite *s, const struct ib_cell *c)
{
    size_t at = (size_t)c->model;
    at = at * (size_t)s->n_defenses + (size_t)c->defense;
    at = at * (size_t)s->n_attacks + (size_t)c->attack;
    return at * IB_LEVELS + (size_t)c->access;
}

/* Rows in the order model, defense, attack, access. */
static enum ib_status rows_make(struct ib_summary *s, struct ib_error *err)
{
    const struct ib_plan *p = s->g->plan;
    const struct ib_suite *suite = p->suite;
    size_t places = (size_t)suite->n_models * (size_t)suite->n_defenses *
                    (size_t)suite->n_attacks * IB_LEVELS;
    size_t *row = calloc(places + 1, sizeof *row);
    if (!row)
        return no_memory(err);
    for (size_t i = 0; i < p->n_cells; i++)
        row[place_of(suite, &p->cells[i])] = 1;
    for (size_t i = 0; i < places; i++)
        if (row[i])
            row[i] = ++s->n_rows;
    s->rows = calloc(s->n_rows + 1, sizeof *s->rows);
    s->leakage = calloc(s->n_rows + 1, sizeof *s->leakage);
    for (size_t i = 0; s->rows && i < p->n_cells; i++) {
        const struct ib_cell *c = &p->cells[i];
        struct ib_row *r = &s->rows[row[place_of(suite, c)] - 1];
        if (!r->first)
            r->first = c;
        r->cell[c->seed] = c;
        r->scored[c->seed] = &s->g->cell[i];
    }
    free(row);
    return s->rows && s->leakage ? IB_OK : no_memory(err);
}

static enum ib_status leakage_make(struct ib_summary *s, struct ib_error *err)
{
    enum ib_status status = IB_OK;
    for (size_t i = 0; !status && i < s->n_rows; i++) {
        struct ib_leakage_task t;
        status = ib_row_task(s, &s->rows[i], &t, err);
        if (status)
            break;
        status = ib_leakage_make(&t, &s->leakage[i], err);
        ib_leakage_task_free(&t);
    }
    return status;
}

/* Of utility, as printed; none is below 0. */
static const struct measure {
    const char *name;
    double max;
} measures[] = {{"accuracy", 1}, {"ece", 1}, {"distortion", INFINITY}};

/* Utility has no identities of its own: seeds are the unit. */
static void put_seed_mean(bool *ok, const struct ib_summary *s, int model,
                          int defense, const struct measure *what, cJSON *o)
{
    const struct ib_suite *suite = s->g->plan->suite;
    const cJSON *item;
    double x[IB_RESULTS_SEEDS];
    struct ib_interval i;
    int n = 0;
    cJSON_ArrayForEach(item, ib_at(s->results, "utility"))
    {
        double v = ib_at_number(item, what->name);
        if (!isnan(v) && n < IB_RESULTS_SEEDS &&
            !strcmp(ib_at_text(item, "model"), suite->models[model].id) &&
            !strcmp(ib_at_text(item, "defense"), suite->defenses[defense].id))
            x[n++] = v;
    }
    ib_interval_seeds(x, n, 0, what->max, &i);
    ib_put_estimate(ok, o, what->name, &i);
}

static bool put_utility(const struct ib_summary *s, cJSON *out)
{
    const struct ib_suite *suite = s->g->plan->suite;
    bool ok = true;
    for (int i = 0; i < suite->n_models * suite->n_defenses; i++) {
        int m = i / suite->n_defenses, d = i % suite->n_defenses, seeds = 0;
        const cJSON *item;
        cJSON_ArrayForEach(item, ib_at(s->results, "utility")) seeds +=
            !strcmp(ib_at_text(item, "model"), suite->models[m].id) &&
            !strcmp(ib_at_text(item, "defense"), suite->defenses[d].id) &&
            !strcmp(ib_at_text(item, "status"), "ok");
        if (!seeds)
            continue;
        cJSON *o = ib_put_object(&ok, out, NULL);
        ib_put_text(&ok, o, "model", suite->models[m].id);
        ib_put_text(&ok, o, "defense", suite->defenses[d].id);
        ib_put_number(&ok, o, "seeds", seeds);
        for (size_t k = 0; k < IB_COUNT(measures); k++)
            put_seed_mean(&ok, s, m, d, &measures[k], o);
    }
    return ok;
}

static bool put_counts(const struct ib_gather *g, cJSON *out)
{
    bool ok = true;
    for (size_t i = 0; ok && i < g->plan->n_cells; i++) {
        cJSON *n = cJSON_GetObjectItemCaseSensitive(out, g->cell[i].status);
        if (n)
            cJSON_SetNumberValue(n, n->valuedouble + 1);
        else
            ib_put_number(&ok, out, g->cell[i].status, 1);
    }
    return ok;
}

static enum ib_status put_all(const struct ib_summary *s, cJSON *o,
                              struct ib_error *err)
{
    bool ok = true;
    enum ib_status status = IB_OK;
    cJSON *rows = ib_put_array(&ok, o, "rows");
    for (size_t i = 0; !status && i < s->n_rows; i++)
        status = ib_summary_row(s, i, rows, err);
    cJSON *headline = ib_put_array(&ok, o, "headline");
    if (!status)
        status = ib_summary_headline(s, headline, err);
    cJSON *controls = ib_put_array(&ok, o, "controls");
    if (!status)
        status = ib_summary_controls(s, controls, err);
    ok = put_utility(s, ib_put_array(&ok, o, "utility")) && ok;
    if (!status && ok)
        status = ib_summary_matched(s, o, err);
    ok = put_counts(s->g, ib_put_object(&ok, o, "cells")) && ok;
    ib_put_text(&ok, o, "method", ib_stats_method);
    return status ? status : ok ? IB_OK : no_memory(err);
}

enum ib_status ib_results_summary(const struct ib_gather *g,
                                  const cJSON *results, cJSON **out,
                                  struct ib_error *err)
{
    struct ib_summary s = {.g = g, .results = results};
    enum ib_status status = rows_make(&s, err);
    if (!status)
        status = leakage_make(&s, err);
    *out = cJSON_CreateObject();
    if (!status)
        status = put_all(&s, *out, err);
    free(s.rows);
    free(s.leakage);
    if (status) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return status;
}
