/*
 * From an entry's results back to what the stages had left in the store, so
 * that the very code that wrote the results can write them once more. What is
 * not in results.json (scores at half of the budget, queries by identity) only
 * the flag not-converged needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "recon_io.h"
#include "score.h"

/* The record of a name in a list; records come sorted, so where the last one
 * was is a good place to look. */
static const cJSON *find(const cJSON *list, const char *name,
                         const cJSON **last)
{
    const cJSON *from = *last ? *last : list->child, *at = from;

    while (at) {
        const char *there = ib_at_text(at, "name");
        if (there && strcmp(there, name) == 0) {
            *last = at->next;
            return at;
        }
        at = at->next ? at->next : list->child;
        if (at == from)
            break;
    }
    return NULL;
}

static const cJSON *find_control(const cJSON *list, const char *name,
                                 const char *model, double seed)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (strcmp(ib_at_text(item, "name"), name) == 0 &&
            strcmp(ib_at_text(item, "model"), model) == 0 &&
            ib_at_number(item, "seed") == seed)
            return item;
    }
    return NULL;
}

static void put_targets(bool *ok, const cJSON *record, cJSON *scores)
{
    cJSON *targets = ib_put_array(ok, scores, "targets");
    cJSON *answers = ib_put_array(ok, scores, "answers");
    const cJSON *person;

    cJSON_ArrayForEach(person, ib_at(record, "identities"))
    {
        ib_put_copy(ok, targets, NULL, ib_at(person, "class"));
        ib_put_copy(ok, answers, NULL, ib_at(person, "answer"));
    }
}

/* values, columns and reasons of the columns that the record has, in the order
 * of the results. */
static void put_values(bool *ok, const cJSON *columns, const cJSON *record,
                       cJSON *scores)
{
    cJSON *mine = ib_put_array(ok, scores, "columns");
    cJSON *values = ib_put_object(ok, scores, "values");
    cJSON *reasons = ib_put_object(ok, scores, "reasons");
    const cJSON *column, *person;

    cJSON_ArrayForEach(column, columns)
    {
        const char *name = ib_at_text(column, "name");
        const cJSON *mean = ib_at(ib_at(record, "scores"), name);
        if (!mean)
            continue;
        ib_put_copy(ok, mine, NULL, column);
        cJSON *row = ib_put_array(ok, values, name);
        cJSON_ArrayForEach(person, ib_at(record, "identities"))
            ib_put_copy(ok, row, NULL, ib_at(ib_at(person, "scores"), name));
        if (ib_at(mean, "reason"))
            ib_put_copy(ok, reasons, name, ib_at(mean, "reason"));
    }
}

static void put_set(bool *ok, const cJSON *columns, const cJSON *record,
                    cJSON *scores)
{
    const cJSON *column;

    if (!ib_at(record, "set_scores"))
        return;
    cJSON *set = ib_put_object(ok, scores, "set");
    cJSON *mine = ib_put_array(ok, set, "columns");
    cJSON *values = ib_put_object(ok, set, "values");
    cJSON *reasons = ib_put_object(ok, set, "reasons");
    cJSON_ArrayForEach(column, columns)
    {
        const char *name = ib_at_text(column, "name");
        const cJSON *one = ib_at(ib_at(record, "set_scores"), name);
        if (!one)
            continue;
        ib_put_copy(ok, mine, NULL, column);
        ib_put_copy(ok, values, name, ib_at(one, "value"));
        if (ib_at(one, "reason"))
            ib_put_copy(ok, reasons, name, ib_at(one, "reason"));
    }
}

/* Queries as one slot that has the mean. */
static cJSON *recon_of(const cJSON *record)
{
    static const char *const kind[] = {"forward", "label", "gradient",
                                       "repeated", "denied"};
    const cJSON *q = ib_at(record, "queries");
    bool ok = true;
    cJSON *o = cJSON_CreateObject();

    if (cJSON_IsObject(q)) {
        cJSON *queries = ib_put_object(&ok, o, "queries");
        for (size_t i = 0; i < IB_COUNT(kind); i++)
            ib_put_copy(&ok, ib_put_array(&ok, queries, kind[i]), NULL,
                        ib_at(q, kind[i]));
        ib_put_copy(&ok, queries, "shared", ib_at(q, "shared"));
        ib_put_copy(&ok, o, "simulated_seconds", ib_at(q, "simulated_seconds"));
    }
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

static double images_of(const struct ib_entry *e, const cJSON *record)
{
    char path[PATH_MAX];
    struct ib_npy a;
    const char *name = ib_at_text(record, "reconstructions");
    double n = 1;

    if (!name || ib_entry_path(e, name, path, NULL) ||
        ib_npy_read(path, &a, NULL))
        return n;
    if (a.dims == 5 && a.size[1] > 0)
        n = a.size[1] < IB_SCORED_IMAGES ? (double)a.size[1]
                                         : (double)IB_SCORED_IMAGES;
    ib_npy_free(&a);
    return n;
}

static bool is_there(const cJSON *record)
{
    return record && strcmp(ib_at_text(record, "status"), "ok") == 0;
}

static bool fill(const struct ib_entry *e, const cJSON *record,
                 struct ib_scored *out)
{
    bool ok = true;

    out->status = record ? ib_at_text(record, "status") : "pending";
    out->reason =
        record ? ib_at_text(record, "reason") : "the entry has no such record";
    if (!is_there(record))
        return true;
    out->recon = recon_of(record);
    out->scores = cJSON_CreateObject();
    put_targets(&ok, record, out->scores);
    put_values(&ok, ib_at(e->results, "columns"), record, out->scores);
    put_set(&ok, ib_at(e->results, "set_columns"), record, out->scores);
    ib_put_number(&ok, out->scores, "images", images_of(e, record));
    ib_put_copy(&ok, out->scores, "output", ib_at(record, "output"));
    if (ib_at(record, "curve"))
        ib_put_copy(&ok, out->scores, "curve", ib_at(record, "curve"));
    return ok && out->recon;
}

static bool fill_cells(const struct ib_entry *e, struct ib_gather *g)
{
    const cJSON *cells = ib_at(e->results, "cells"), *last = NULL;
    bool ok = true;

    for (size_t i = 0; ok && i < g->plan->n_cells; i++) {
        const struct ib_cell *c = &g->plan->cells[i];
        char name[512];
        ib_cell_name(g->plan, c, name, sizeof name);
        if (c->plan == IB_CELL_RUN)
            ok = fill(e, find(cells, name, &last), &g->cell[i]);
        else
            g->cell[i] = (struct ib_scored){
                .status = c->plan == IB_CELL_SKIP ? "skipped" : "bypass",
                .reason = c->reason};
    }
    return ok;
}

static bool fill_controls(const struct ib_entry *e, struct ib_gather *g)
{
    const struct ib_suite *s = g->plan->suite;
    bool ok = true;

    for (size_t i = 0; ok && i < g->plan->n_controls; i++) {
        const struct ib_control_cell *c = &g->plan->controls[i];
        ok = fill(e,
                  find_control(ib_at(e->results, "controls"), c->name,
                               s->models[c->model].id,
                               (double)s->seeds[c->seed]),
                  &g->control[i]);
    }
    return ok;
}

/* Names of the classes of one seed, from any record that tells them. */
static cJSON *names_of(const struct ib_entry *e, double seed, int classes)
{
    static const char *const lists[] = {"controls", "cells"};
    cJSON *names = cJSON_CreateArray();
    const cJSON *record, *person;
    bool ok = true;

    for (int i = 0; i < classes; i++)
        ib_put_text(&ok, names, NULL, "");
    for (size_t k = 0; ok && k < IB_COUNT(lists); k++)
        cJSON_ArrayForEach(record, ib_at(e->results, lists[k]))
        {
            if (ib_at_number(record, "seed") != seed)
                continue;
            cJSON_ArrayForEach(person, ib_at(record, "identities"))
            {
                int class = (int)ib_at_number(person, "class");
                cJSON *slot = cJSON_GetArrayItem(names, class);
                if (slot && !*slot->valuestring)
                    ok = cJSON_SetValuestring(slot, ib_at_text(person, "name"));
            }
        }
    if (ok)
        return names;
    cJSON_Delete(names);
    return NULL;
}

static bool fill_data(const struct ib_entry *e, struct ib_gather *g)
{
    enum { CLASSES_MAX = 1 << 20 };
    const cJSON *data = ib_at(e->results, "dataset");
    double classes = ib_at_number(data, "classes");
    bool ok;

    g->dataset = cJSON_Duplicate(data, true);
    g->columns = cJSON_Duplicate(ib_at(e->results, "columns"), true);
    g->classes = classes >= 0 && classes <= CLASSES_MAX ? (int)classes : 0;
    g->set_columns =
        ib_at(e->results, "set_columns")
            ? cJSON_Duplicate(ib_at(e->results, "set_columns"), true)
            : cJSON_CreateArray();
    ok = g->dataset && g->columns && g->set_columns;
    for (int i = 0; ok && i < g->seeds; i++) {
        const cJSON *hash = cJSON_GetArrayItem(ib_at(data, "sha256"), i);
        snprintf(g->data[i], sizeof g->data[i], "%s",
                 cJSON_IsString(hash) ? hash->valuestring : "");
        g->names[i] = names_of(e, (double)g->plan->suite->seeds[i], g->classes);
        ok = g->names[i] != NULL;
    }
    return ok;
}

enum ib_status ib_entry_gather(const struct ib_entry *e, struct ib_gather *g,
                               struct ib_error *err)
{
    const struct ib_plan *p = e->plan;

    *g = (struct ib_gather){
        .plan = p, .env = &e->env, .seeds = e->suite->n_seeds};
    if (g->seeds > IB_RESULTS_SEEDS)
        return ib_error_set(err, IB_E_USAGE, "%d seeds; at most %d allowed",
                            g->seeds, IB_RESULTS_SEEDS);
    g->cell = calloc(p->n_cells + 1, sizeof *g->cell);
    g->control = calloc(p->n_controls + 1, sizeof *g->control);
    if (g->cell && g->control && fill_data(e, g) &&
        !ib_gather_people(g, NULL) && fill_cells(e, g) && fill_controls(e, g))
        return IB_OK;
    ib_gather_free(g);
    return ib_error_set(err, IB_E_NOMEM, "no memory for an entry's records");
}
