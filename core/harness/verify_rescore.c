/*
 * Scoring what was submitted: reconstructions and the evaluators' weights go
 * into the store as artifacts of their own, and the score stage runs on them
 * like on any other.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_nodes.h"
#include "recon_io.h"
#include "score.h"
#include "verify.h"

enum { PLACE_MAX = 512 };

/* --- reconstructions ------------------------------------------------------ */

static cJSON *zeros(int n)
{
    cJSON *list = cJSON_CreateArray();
    bool ok = list != NULL;

    for (int i = 0; i < n; i++)
        ib_put_number(&ok, list, NULL, 0);
    return list;
}

/* meta "recon" of images without a history. */
static cJSON *recon_meta(const cJSON *record, const struct ib_npy *a)
{
    static const char *const kind[] = {"forward", "label", "gradient",
                                       "repeated", "denied"};
    bool ok = true;
    const cJSON *person;
    cJSON *o = cJSON_CreateObject();
    cJSON *targets = ib_put_array(&ok, o, "targets");

    cJSON_ArrayForEach(person, ib_at(record, "identities"))
        ib_put_copy(&ok, targets, NULL, ib_at(person, "class"));
    ib_put_number(&ok, o, "images", (double)a->size[1]);
    cJSON *shape = ib_put_array(&ok, o, "shape");
    for (int i = 2; i < 5; i++)
        ib_put_number(&ok, shape, NULL, (double)a->size[i]);
    ib_put_array(&ok, o, "checkpoints");
    ib_put_array(&ok, o, "reached");
    cJSON *queries = ib_put_object(&ok, o, "queries");
    for (size_t i = 0; i < IB_COUNT(kind); i++)
        ib_put(&ok, queries, kind[i], zeros((int)a->size[0]));
    ib_put_number(&ok, queries, "shared", 0);
    ib_put_number(&ok, o, "simulated_seconds", 0);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* The attack's spec, and whose pictures these are. */
static cJSON *submitted_spec(const cJSON *spec, const struct ib_npy *a)
{
    char hash[IB_KEY_SIZE];
    bool ok = true;
    cJSON *o = cJSON_Duplicate(spec, true);

    ib_sha256(a->data, a->bytes, hash);
    ib_put_text(&ok, o, "submitted", hash);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

enum ib_status ib_recon_import(struct ib_store *store, const cJSON *spec,
                               const cJSON *record, const struct ib_npy *a,
                               char key[IB_KEY_SIZE], struct ib_error *err)
{
    struct ib_recon_parts parts = {.pixels = a->data, .bytes = a->bytes};
    cJSON *own = submitted_spec(spec, a);
    enum ib_status s;

    if (a->dims != 5) {
        cJSON_Delete(own);
        return ib_error_set(err, IB_E_DATA,
                            "reconstructions have 5 dimensions, not %d",
                            a->dims);
    }
    parts.recon = recon_meta(record, a);
    if (own && parts.recon)
        s = ib_json_key(own, key, err);
    else
        s = ib_error_set(err, IB_E_NOMEM, "no memory for reconstructions");
    if (s)
        cJSON_Delete(parts.recon);
    else
        s = ib_recon_put(store, key, own, &parts, err);
    cJSON_Delete(own);
    return s;
}

/* --- pinned evaluators ---------------------------------------------------- */

/* The weight file of a hash, wherever it lies; false: nowhere. */
static bool find_weights(const struct ib_verify *v, const char *hash,
                         struct ib_text *out)
{
    enum { LIMIT = 1 << 30 };
    const char *dirs[] = {v->weights, NULL};
    char path[PATH_MAX], inside[PATH_MAX], got[IB_KEY_SIZE];

    if (!ib_entry_path(v->entry, IB_ENTRY_WEIGHTS, inside, NULL))
        dirs[1] = inside;
    for (size_t i = 0; i < IB_COUNT(dirs); i++) {
        if (!dirs[i] ||
            snprintf(path, sizeof path, "%s/%s.f32", dirs[i], hash) >= PATH_MAX)
            continue;
        if (ib_file_read(path, LIMIT, out, NULL))
            continue;
        ib_sha256(out->data, out->size, got);
        if (strcmp(got, hash) == 0)
            return true;
    }
    return false;
}

/* Puts the weights beside the evaluator that was trained here; key is the new
 * one's. */
static enum ib_status pin(struct ib_verify *v, const char *hash,
                          const struct ib_text *weights, char key[IB_KEY_SIZE],
                          struct ib_error *err)
{
    struct ib_artifact a;
    bool ok = true;
    enum ib_status s = ib_store_get(v->session->store, key, &a, err);

    if (s)
        return s;
    cJSON *spec = cJSON_GetObjectItemCaseSensitive(a.meta, "spec");
    ib_put_text(&ok, spec, "weights", hash);
    s = ok ? ib_json_key(spec, key, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory for weights");
    if (!s && weights->size != a.size)
        s = ib_error_set(err, IB_E_DATA,
                         "weights %s have %zu bytes, the evaluator needs %zu",
                         hash, weights->size, a.size);
    if (!s)
        s = ib_store_put(v->session->store, key, a.meta, weights->data,
                         weights->size, err);
    ib_artifact_free(&a);
    return s;
}

static const char *hash_of(const struct ib_verify *v, const char *evaluator,
                           double seed)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, ib_at(v->entry->results, "evaluators_utility"))
    {
        if (strcmp(ib_at_text(row, "evaluator"), evaluator) == 0 &&
            ib_at_number(row, "seed") == seed)
            return ib_at_text(row, "weights");
    }
    return NULL;
}

/* The score spec's evaluators, pinned where their weights are at hand. Under
 * the same numerics those trained here are the pinned ones. */
static enum ib_status pin_judges(struct ib_verify *v, cJSON *judges,
                                 double seed, struct ib_error *err)
{
    enum ib_status s = IB_OK;
    cJSON *judge;

    if (v->entry->same_numerics)
        return IB_OK;
    cJSON_ArrayForEach(judge, judges)
    {
        const char *hash = hash_of(v, ib_at_text(judge, "id"), seed);
        cJSON *model = cJSON_GetObjectItemCaseSensitive(judge, "model");
        struct ib_text weights = {0};
        char key[IB_KEY_SIZE];
        snprintf(key, sizeof key, "%s", model->valuestring);
        if (!hash || !find_weights(v, hash, &weights))
            v->own_weights = true;
        else if (!s)
            s = pin(v, hash, &weights, key, err);
        ib_text_free(&weights);
        if (!s && !cJSON_SetValuestring(model, key))
            s = ib_error_set(err, IB_E_NOMEM, "no memory for weights");
    }
    return s;
}

/* --- scoring ---------------------------------------------------------------
 */

enum ib_status ib_rescore_add(struct ib_verify *v, size_t cell,
                              const struct ib_npy *a, int *node,
                              struct ib_error *err)
{
    struct ib_plan *p = v->session->plan;
    const struct ib_cell *c = &p->cells[cell];
    const cJSON *record = ib_verify_record(v, v->entry->results, cell);
    char key[IB_KEY_SIZE], name[PLACE_MAX];
    enum ib_status s = ib_recon_import(
        v->session->store, p->nodes[c->attack_node].spec, record, a, key, err);

    if (s)
        return s;
    cJSON *spec = cJSON_Duplicate(p->nodes[c->score_node].spec, true);
    cJSON *recon = cJSON_GetObjectItemCaseSensitive(spec, "reconstructions");
    s = cJSON_SetValuestring(recon, key)
            ? pin_judges(v,
                         cJSON_GetObjectItemCaseSensitive(spec, "evaluators"),
                         (double)p->suite->seeds[c->seed], err)
            : ib_error_set(err, IB_E_NOMEM, "no memory to score");
    if (s) {
        cJSON_Delete(spec);
        return s;
    }
    ib_cell_name(p, c, name, sizeof name);
    *node = ib_plan_add(p->owned,
                        &(struct ib_plan_new){.kind = IB_NODE_SCORE,
                                              .spec = spec,
                                              .label = name,
                                              .inputs = &p->data_node[c->seed],
                                              .n_inputs = 1},
                        err);
    return *node < 0 ? IB_E_NOMEM : IB_OK;
}

static enum ib_status prepare(struct ib_verify *v, size_t cell, int *node,
                              struct ib_error *err)
{
    const cJSON *record = ib_verify_record(v, v->entry->results, cell);
    const char *name = ib_at_text(record, "reconstructions");
    char path[PATH_MAX];
    struct ib_npy a = {0};
    struct ib_error why;
    enum ib_status s = IB_OK;

    *node = -1;
    if (!name || !ib_entry_lists(v->entry, name))
        return IB_OK;
    if (ib_entry_path(v->entry, name, path, &why) ||
        ib_npy_read(path, &a, &why))
        ib_finding_error(&v->f, name, &why);
    else
        s = ib_rescore_add(v, cell, &a, node, err);
    ib_npy_free(&a);
    return s;
}

/* One cell's new scores against its record's. */
static void compare(struct ib_verify *v, size_t cell, const cJSON *scores)
{
    const cJSON *record = ib_verify_record(v, v->entry->results, cell), *column;
    struct ib_diff d = {.file = "results.json",
                        .here = "rescored here",
                        .tolerance =
                            v->entry->same_numerics ? 0 : IB_RESCORE_TOLERANCE,
                        .f = &v->f};

    cJSON_ArrayForEach(column, ib_at(scores, "values"))
    {
        const cJSON *x, *person = ib_at(record, "identities")->child;
        int i = 0;
        cJSON_ArrayForEach(x, column)
        {
            char place[PLACE_MAX];
            snprintf(place, sizeof place, "%.300s.identities[%d].scores.%.100s",
                     ib_at_text(record, "name"), i++, column->string);
            ib_json_diff(&d, x, ib_at(ib_at(person, "scores"), column->string),
                         place);
            person = person ? person->next : NULL;
        }
    }
    /* what trains a net on the pictures differs by more than rounding */
    cJSON_ArrayForEach(column, ib_at(ib_at(scores, "set"), "values"))
    {
        char place[PLACE_MAX];
        if (!v->entry->same_numerics)
            break;
        snprintf(place, sizeof place, "%.300s.set_scores.%.100s",
                 ib_at_text(record, "name"), column->string);
        ib_json_diff(
            &d, column,
            ib_at(ib_at(ib_at(record, "set_scores"), column->string), "value"),
            place);
    }
    v->numbers += d.compared;
    v->rescored++;
}

static enum ib_status read_scores(struct ib_verify *v, size_t cell, int node,
                                  struct ib_error *err)
{
    const struct ib_plan_node *n = &v->session->plan->nodes[node];
    struct ib_artifact a;
    enum ib_status s;

    if (!ib_node_is_there(v->session->plan, node)) {
        ib_finding(&v->f, "results.json", n->label,
                   "cannot be rescored here: %s", n->reason);
        return IB_OK;
    }
    s = ib_store_get(v->session->store, n->key, &a, err);
    if (!s)
        compare(v, cell, ib_at(a.meta, "scores"));
    ib_artifact_free(&a);
    return s;
}

enum ib_status ib_rescore_run(struct ib_verify *v, const int *node,
                              size_t nodes, bool *stopped, struct ib_error *err)
{
    struct ib_session *s = v->session;
    bool *want = calloc(s->plan->n_nodes + 1, sizeof *want);
    enum ib_status status;

    if (!want)
        return ib_error_set(err, IB_E_NOMEM, "no memory to score");
    for (size_t i = 0; i < nodes; i++)
        if (node[i] >= 0)
            want[node[i]] = true;
    status = ib_session_run_wanted(s, want, stopped, err);
    free(want);
    return status;
}

enum ib_status ib_verify_rescore(struct ib_verify *v, const bool *which,
                                 bool *stopped, struct ib_error *err)
{
    size_t n = v->session->plan->n_cells;
    int *node = calloc(n + 1, sizeof *node);
    enum ib_status s =
        node ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory to score");

    for (size_t i = 0; i < n && !s; i++) {
        node[i] = -1;
        if (which[i])
            s = prepare(v, i, &node[i], err);
    }
    if (!s)
        s = ib_rescore_run(v, node, n, stopped, err);
    for (size_t i = 0; i < n && !s && !*stopped; i++)
        if (node[i] >= 0)
            s = read_scores(v, i, node[i], err);
    free(node);
    return s;
}
