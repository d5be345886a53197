/* An entry's results written once more from its own records. */
#include <stdlib.h>
#include <string.h>

#include "entry.h"

struct named {
    char name[512];
    size_t index;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name,
                  ((const struct named *)b)->name);
}

static bool put_cells(const struct ib_gather *g, cJSON *cells)
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
        ib_put(&ok, cells, NULL, ib_results_cell(g, order[i].index));
    free(order);
    return ok;
}

/* Utility follows from nothing else in the entry: it stands for itself, but
 * the evaluators' keys follow from the plan. */
static bool put_utility(const struct ib_entry *e, cJSON *o)
{
    const struct ib_plan *p = e->plan;
    bool ok = true;
    int i = 0;
    cJSON *row;

    ib_put_copy(&ok, o, "utility", ib_at(e->results, "utility"));
    ib_put_copy(&ok, o, "evaluators_utility",
                ib_at(e->results, "evaluators_utility"));
    cJSON_ArrayForEach(row, ib_at(o, "evaluators_utility"))
    {
        if (i == (int)p->n_evaluators)
            break;
        const struct ib_evaluator_cell *c = &p->evaluators[i++];
        cJSON *key = cJSON_GetObjectItemCaseSensitive(row, "key");
        if (cJSON_IsString(key))
            ok = cJSON_SetValuestring(key, p->nodes[c->model_node].key) && ok;
    }
    return ok;
}

/* What stands for itself, too: only `verify` can tell. */
static bool put_rest(const struct ib_entry *e, cJSON *o)
{
    const cJSON *item;
    bool ok = true;

    cJSON_ArrayForEach(item, e->results)
    {
        if (!ib_at(o, item->string) && strcmp(item->string, "provenance") != 0)
            ib_put_copy(&ok, o, item->string, item);
    }
    return ok;
}

/* All but the summary, which is the entry's own. */
static enum ib_status rebuild(const struct ib_entry *e,
                              const struct ib_gather *g, cJSON **out,
                              struct ib_error *err)
{
    cJSON *o = *out = ib_results_header(g, err);
    bool ok = true;

    if (!o)
        return err->status;
    cJSON *cells = ib_put_array(&ok, o, "cells");
    ok = cells && put_cells(g, cells) && ok;
    cJSON *controls = ib_put_array(&ok, o, "controls");
    for (size_t i = 0; ok && i < g->plan->n_controls; i++)
        ib_put(&ok, controls, NULL, ib_results_control(g, i));
    ok = ok && put_utility(e, o);
    cJSON *numerics = cJSON_GetObjectItemCaseSensitive(o, "numerics");
    ok = ok &&
         cJSON_SetValuestring(numerics, ib_at_text(e->manifest, "numerics")) &&
         put_rest(e, o);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for results");
}

static enum ib_status rebuild_summary(const struct ib_gather *g, cJSON *o,
                                      struct ib_error *err)
{
    cJSON *summary = NULL;
    enum ib_status s = ib_results_summary(g, o, &summary, err);

    if (s)
        return s;
    if (cJSON_ReplaceItemInObjectCaseSensitive(o, "summary", summary))
        return IB_OK;
    cJSON_Delete(summary);
    return ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}

enum ib_status ib_entry_rebuild(const struct ib_entry *e, cJSON **out,
                                struct ib_error *err)
{
    struct ib_error own;
    struct ib_error *why = err ? err : &own;
    struct ib_gather g;
    enum ib_status s = ib_entry_gather(e, &g, why);

    *out = NULL;
    if (s)
        return s;
    s = rebuild(e, &g, out, why);
    if (!s)
        s = rebuild_summary(&g, *out, why);
    ib_gather_free(&g);
    if (s) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    return s;
}

/* The flag that cannot be rebuilt. */
static void drop_flag(cJSON *results)
{
    cJSON *row, *flag;

    cJSON_ArrayForEach(row, ib_at(ib_at(results, "summary"), "rows"))
    {
        cJSON *flags = cJSON_GetObjectItemCaseSensitive(row, "flags");
        cJSON *next = flags ? flags->child : NULL;
        while ((flag = next) != NULL) {
            next = flag->next;
            const char *name = ib_at_text(flag, "name");
            if (name && strcmp(name, "not-converged") == 0)
                cJSON_Delete(cJSON_DetachItemViaPointer(flags, flag));
        }
    }
}

void ib_entry_compare(const cJSON *want, const cJSON *got, struct ib_diff *d)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, want)
    {
        if (strcmp(item->string, "provenance") != 0)
            ib_json_diff(d, item, ib_at(got, item->string), item->string);
    }
    cJSON_ArrayForEach(item, got)
    {
        if (strcmp(item->string, "provenance") != 0 &&
            !ib_at(want, item->string))
            ib_json_diff(d, NULL, item, item->string);
    }
}

/* A summary is dear; of cells that are wrong it would be wrong, too. */
static enum ib_status compare(const struct ib_entry *e,
                              const struct ib_gather *g, cJSON *got,
                              struct ib_findings *f, struct ib_error *err)
{
    struct ib_diff d = {
        .file = "results.json", .here = "follows from the rest", .f = f};
    size_t before = f->n;
    cJSON *want = NULL;
    enum ib_status s = rebuild(e, g, &want, err);

    if (!s)
        ib_entry_compare(want, got, &d);
    if (!s && f->n == before) {
        s = rebuild_summary(g, want, err);
        drop_flag(got);
        drop_flag(want);
        if (!s)
            ib_json_diff(&d, ib_at(want, "summary"), ib_at(got, "summary"),
                         "summary");
    }
    cJSON_Delete(want);
    return s;
}

enum ib_status ib_entry_check_rebuilt(const struct ib_entry *e,
                                      struct ib_findings *f,
                                      struct ib_error *err)
{
    struct ib_error own;
    struct ib_error *why = err ? err : &own;
    struct ib_gather g;
    cJSON *got = cJSON_Duplicate(e->results, true);
    enum ib_status s = got ? ib_entry_gather(e, &g, why)
                           : ib_error_set(why, IB_E_NOMEM, "no memory");

    if (!s) {
        s = compare(e, &g, got, f, why);
        ib_gather_free(&g);
    }
    cJSON_Delete(got);
    return s;
}
