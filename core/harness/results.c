/* results.json as a whole. */
#include <stdlib.h>
#include <string.h>

#include "results_parts.h"

struct named {
    char name[512];
    size_t index;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name,
                  ((const struct named *)b)->name);
}

static bool put_cells(const struct ib_gather *g, cJSON *out)
{
    const struct ib_plan *p = g->plan;
    struct named *order = calloc(p->n_cells + 1, sizeof *order);
    bool ok = order != NULL;
    for (size_t i = 0; ok && i < p->n_cells; i++) {
        ib_cell_name(p, &p->cells[i], order[i].name, sizeof order[i].name);
        order[i].index = i;
    }
    if (ok)
        qsort(order, p->n_cells, sizeof *order, by_name);
    for (size_t i = 0; ok && i < p->n_cells; i++)
        ib_put(&ok, out, NULL, ib_results_cell(g, order[i].index));
    free(order);
    return ok;
}

static enum ib_status assemble(const struct ib_gather *g, cJSON *o,
                               struct ib_error *err)
{
    bool ok = true;
    cJSON *cells = ib_put_array(&ok, o, "cells");
    ok = put_cells(g, cells) && ok;
    cJSON *controls = ib_put_array(&ok, o, "controls");
    for (size_t i = 0; i < g->plan->n_controls; i++)
        ib_put(&ok, controls, NULL, ib_results_control(g, i));
    if (!ok)
        return ib_error_set(err, IB_E_NOMEM, "no memory for results");
    cJSON *utility = ib_results_utility(g, err);
    if (!utility)
        return err ? err->status : IB_E_NOMEM;
    ib_put(&ok, o, "utility", utility);
    utility = ib_results_evaluators_utility(g, err);
    if (!utility)
        return err ? err->status : IB_E_NOMEM;
    ib_put(&ok, o, "evaluators_utility", utility);
    if (g->plan->n_priors > 0) {
        cJSON *priors = ib_results_priors(g, err);
        if (!priors)
            return err ? err->status : IB_E_NOMEM;
        ib_put(&ok, o, "priors", priors);
    }
    if (g->plan->n_memberships > 0) {
        cJSON *membership = ib_results_membership(g, err);
        if (!membership)
            return err ? err->status : IB_E_NOMEM;
        ib_put(&ok, o, "membership", membership);
    }
    cJSON *summary = NULL;
    enum ib_status status = ib_results_summary(g, o, &summary, err);
    if (status)
        return status;
    ib_put(&ok, o, "summary", summary);
    ib_put(&ok, o, "provenance", ib_results_provenance(g->plan));
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for results");
}

enum ib_status ib_results_make(const struct ib_plan *plan,
                               const struct ib_stage_env *env, cJSON **out,
                               struct ib_error *err)
{
    struct ib_gather g;
    struct ib_error own;
    struct ib_error *e = err ? err : &own;
    enum ib_status status = ib_gather_all(plan, env, &g, e);
    *out = NULL;
    if (status)
        return status;
    *out = ib_results_header(&g, e);
    status = *out ? assemble(&g, *out, e) : e->status;
    ib_gather_free(&g);
    if (status) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return status;
}
