/* Reading what the workers left in the store. */
#include <stdlib.h>
#include <string.h>

#include "recon_io.h"
#include "results_parts.h"

bool ib_node_is_there(const struct ib_plan *p, int node)
{
    return node >= 0 && (p->nodes[node].outcome == IB_CACHED ||
                         p->nodes[node].outcome == IB_DONE);
}

struct ib_scored ib_nodes_status(const struct ib_plan *p, int first, int second)
{
    int node = ib_node_is_there(p, first) ? second : first;
    if (ib_node_is_there(p, node))
        return (struct ib_scored){.status = "ok"};
    if (node < 0)
        return (struct ib_scored){.status = "pending",
                                  .reason = "was not planned"};
    const struct ib_plan_node *n = &p->nodes[node];
    return (struct ib_scored){.status = ib_outcome_names[n->outcome],
                              .reason = *n->reason ? n->reason
                                        : n->outcome == IB_PENDING
                                            ? "the run ended before it"
                                            : "no reason was given"};
}

static enum ib_status load(const struct ib_gather *g, int recon, int score,
                           struct ib_scored *out, struct ib_error *err)
{
    struct ib_artifact a = {0};
    enum ib_status status;
    *out = ib_nodes_status(g->plan, recon, score);
    if (strcmp(out->status, "ok"))
        return IB_OK;
    status = ib_store_get(g->env->store, g->plan->nodes[score].key, &a, err);
    if (!status)
        out->scores = cJSON_DetachItemFromObjectCaseSensitive(a.meta, "scores");
    ib_artifact_free(&a);
    if (!status)
        status =
            ib_store_get(g->env->store, g->plan->nodes[recon].key, &a, err);
    if (!status)
        out->recon = cJSON_DetachItemFromObjectCaseSensitive(a.meta, "recon");
    ib_artifact_free(&a);
    if (!status && (!out->scores || !out->recon))
        status =
            ib_error_set(err, IB_E_DATA,
                         "artifact %s holds no scores (or %s no "
                         "reconstructions)",
                         g->plan->nodes[score].key, g->plan->nodes[recon].key);
    return status;
}

static enum ib_status load_cell(struct ib_gather *g, size_t i,
                                struct ib_error *err)
{
    const struct ib_cell *c = &g->plan->cells[i];
    struct ib_scored *out = &g->cell[i];
    if (c->plan == IB_CELL_RUN)
        return load(g, c->attack_node, c->score_node, out, err);
    out->status = c->plan == IB_CELL_SKIP ? "skipped" : "bypass";
    out->reason = c->reason;
    return IB_OK;
}

static enum ib_status load_control(struct ib_gather *g, size_t i,
                                   struct ib_error *err)
{
    const struct ib_control_cell *c = &g->plan->controls[i];
    if (!c->reason)
        return load(g, c->recon_node, c->score_node, &g->control[i], err);
    g->control[i] =
        (struct ib_scored){.status = "skipped", .reason = c->reason};
    return IB_OK;
}

static cJSON *names_of(const struct ib_dataset *d)
{
    bool ok = true;
    cJSON *all = cJSON_CreateArray();
    for (int i = 0; i < d->classes; i++)
        ib_put_text(&ok, all, NULL, d->names[i]);
    if (ok)
        return all;
    cJSON_Delete(all);
    return NULL;
}

static bool describe(struct ib_gather *g, const struct ib_dataset *d)
{
    bool ok = true;
    int shape[3] = {d->shape.c, d->shape.h, d->shape.w};
    ib_put(&ok, g->dataset, "shape", cJSON_CreateIntArray(shape, 3));
    ib_put_number(&ok, g->dataset, "classes", d->classes);
    ib_put_number(&ok, g->dataset, "identities", d->identities);
    cJSON *counts = ib_put_object(&ok, g->dataset, "counts");
    for (int i = 0; i < IB_SPLITS; i++)
        ib_put_number(&ok, counts, ib_split_names[i], (double)d->split[i].n);
    ib_put_text(&ok, g->dataset, "license", d->license);
    return ok;
}

static enum ib_status load_data(struct ib_gather *g, int seed,
                                struct ib_error *err)
{
    struct ib_open_data d = {0};
    int node = g->plan->data_node[seed];
    if (!ib_node_is_there(g->plan, node))
        return IB_OK;
    enum ib_status status =
        ib_data_open(g->env, g->plan->nodes[node].key, &d, err);
    if (status)
        return status;
    ib_data_manifest(&d, g->data[seed]);
    g->names[seed] = names_of(&d.set);
    if (!g->names[seed] || (!g->classes && !describe(g, &d.set)))
        status = ib_error_set(err, IB_E_NOMEM, "no memory for results");
    g->classes = d.set.classes;
    ib_data_close(&d);
    return status;
}

static enum ib_status gather_begin(const struct ib_plan *plan,
                                   const struct ib_stage_env *env,
                                   struct ib_gather *g, struct ib_error *err)
{
    *g = (struct ib_gather){
        .plan = plan, .env = env, .seeds = plan->suite->n_seeds};
    if (g->seeds > IB_RESULTS_SEEDS)
        return ib_error_set(err, IB_E_USAGE, "%d seeds; at most %d allowed",
                            g->seeds, IB_RESULTS_SEEDS);
    g->cell = calloc(plan->n_cells + 1, sizeof *g->cell);
    g->control = calloc(plan->n_controls + 1, sizeof *g->control);
    g->dataset = cJSON_CreateObject();
    g->columns = cJSON_CreateArray();
    g->set_columns = cJSON_CreateArray();
    if (!g->cell || !g->control || !g->dataset || !g->columns ||
        !g->set_columns)
        return ib_error_set(err, IB_E_NOMEM, "no memory for results");
    return IB_OK;
}

struct named {
    const char *name;
    int at; /* seed * classes + class */
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int by_place(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* Numbers people in the order in which seeds and classes first name them. all:
 * n names, sorted; first: n of room. */
static void number_names(struct ib_gather *g, struct named *all, size_t n,
                         struct named *first)
{
    size_t people = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(all[i].name, all[i - 1].name))
            first[people++] = all[i];
    qsort(first, people, sizeof *first, by_place);
    for (size_t i = 0; i < people; i++)
        g->person[first[i].at] = (int)i;
    for (size_t i = 1; i < n; i++)
        if (!strcmp(all[i].name, all[i - 1].name))
            g->person[all[i].at] = g->person[all[i - 1].at];
    g->people = (int)people;
}

enum ib_status ib_gather_people(struct ib_gather *g, struct ib_error *err)
{
    size_t n = 0, size = (size_t)g->seeds * (size_t)g->classes;
    struct named *all = calloc(2 * size + 1, sizeof *all);
    free(g->person);
    g->person = calloc(size + 1, sizeof *g->person);
    for (int s = 0; all && g->person && s < g->seeds; s++) {
        const cJSON *name;
        int class = 0;
        cJSON_ArrayForEach(name, g->names[s])
        {
            if (class < g->classes)
                all[n++] =
                    (struct named){name->valuestring, s * g->classes + class};
            class ++;
        }
    }
    bool ok = all && g->person;
    if (ok && n) {
        qsort(all, n, sizeof *all, by_name);
        number_names(g, all, n, all + size);
    }
    free(all);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for results");
}

static const cJSON *named_in(const cJSON *columns, const char *name)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, columns)
    {
        const char *text = ib_at_text(item, "name");
        if (text && !strcmp(text, name))
            return item;
    }
    return NULL;
}

/* Adds the columns of a list that are not there yet. */
static bool merge_columns(cJSON *columns, const cJSON *list)
{
    const cJSON *item;
    bool ok = true;
    cJSON_ArrayForEach(item, list)
    {
        const char *name = ib_at_text(item, "name");
        if (name && !named_in(columns, name))
            ib_put_copy(&ok, columns, NULL, item);
    }
    return ok;
}

static bool merge(struct ib_gather *g, const cJSON *scores)
{
    return merge_columns(g->columns, ib_at(scores, "columns")) &&
           merge_columns(g->set_columns,
                         ib_at(ib_at(scores, "set"), "columns"));
}

static enum ib_status gather_columns(struct ib_gather *g, struct ib_error *err)
{
    bool ok = true;
    for (size_t i = 0; i < g->plan->n_controls; i++)
        ok = ok && merge(g, g->control[i].scores);
    for (size_t i = 0; i < g->plan->n_cells; i++)
        ok = ok && merge(g, g->cell[i].scores);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for results");
}

enum ib_status ib_gather_all(const struct ib_plan *plan,
                             const struct ib_stage_env *env,
                             struct ib_gather *g, struct ib_error *err)
{
    enum ib_status status = gather_begin(plan, env, g, err);
    for (int i = 0; !status && i < g->seeds; i++)
        status = load_data(g, i, err);
    if (!status)
        status = ib_gather_people(g, err);
    for (size_t i = 0; !status && i < plan->n_cells; i++)
        status = load_cell(g, i, err);
    for (size_t i = 0; !status && i < plan->n_controls; i++)
        status = load_control(g, i, err);
    if (!status)
        status = gather_columns(g, err);
    if (status)
        ib_gather_free(g);
    return status;
}

enum ib_status ib_gather_cell(const struct ib_plan *plan, size_t cell,
                              const struct ib_stage_env *env,
                              struct ib_gather *g, struct ib_error *err)
{
    enum ib_status status = gather_begin(plan, env, g, err);
    if (!status)
        status = load_cell(g, cell, err);
    if (!status && g->cell[cell].scores)
        status = load_data(g, plan->cells[cell].seed, err);
    if (status)
        ib_gather_free(g);
    return status;
}

static void scored_free(struct ib_scored *x, size_t n)
{
    for (size_t i = 0; x && i < n; i++) {
        cJSON_Delete(x[i].scores);
        cJSON_Delete(x[i].recon);
    }
    free(x);
}

void ib_gather_free(struct ib_gather *g)
{
    if (!g || !g->plan)
        return;
    scored_free(g->cell, g->plan->n_cells);
    scored_free(g->control, g->plan->n_controls);
    for (int i = 0; i < IB_RESULTS_SEEDS; i++)
        cJSON_Delete(g->names[i]);
    cJSON_Delete(g->dataset);
    cJSON_Delete(g->columns);
    cJSON_Delete(g->set_columns);
    free(g->person);
    *g = (struct ib_gather){0};
}

const cJSON *ib_column_named(const struct ib_gather *g, const char *name)
{
    return named_in(g->columns, name);
}
