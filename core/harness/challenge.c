/* Reading a challenge, and scoring it. */
#include "challenge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"

#define FILE_NAME "challenge.json"

static enum ib_status path_in(const struct ib_challenge *c, const char *name,
                              char out[PATH_MAX], struct ib_error *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", c->dir, name) < PATH_MAX)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                        c->dir);
}

/* --- reading
 * ------------------------------------------------------------------ */

static enum ib_status read_json(struct ib_challenge *c, struct ib_verify *v,
                                struct ib_error *err)
{
    char path[PATH_MAX];
    cJSON *schema = NULL;
    enum ib_status s = path_in(c, FILE_NAME, path, err);

    if (!s)
        s = ib_json_read(path, &c->json, err);
    if (!s)
        s = ib_json_key(c->json, c->hash, err);
    if (!s)
        s = ib_schema_open("challenge", &schema, err);
    if (!s)
        ib_schema_check(schema, c->json, FILE_NAME, &v->f);
    cJSON_Delete(schema);
    return s;
}

static int model_named(const struct ib_suite *s, const char *id)
{
    for (int i = 0; i < s->n_models; i++)
        if (strcmp(s->models[i].id, id) == 0)
            return i;
    return -1;
}

static int defense_named(const struct ib_suite *s, const char *id)
{
    for (int i = 0; i < s->n_defenses; i++)
        if (strcmp(s->defenses[i].id, id) == 0)
            return i;
    return -1;
}

static enum ib_level level_named(const char *name)
{
    int l = 0;

    while (l + 1 < IB_LEVELS && strcmp(ib_level_names[l], name) != 0)
        l++;
    return (enum ib_level)l;
}

/* The entry's row of an attack at the challenged place, or NULL. */
static const cJSON *row_of(const struct ib_challenge *c,
                           const struct ib_verify *v, const char *attack)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, ib_at(ib_at(v->entry->results, "summary"), "rows"))
    {
        if (strcmp(ib_at_text(row, "model"), ib_at_text(c->json, "model")) ||
            strcmp(ib_at_text(row, "defense"),
                   ib_at_text(c->json, "defense")) ||
            strcmp(ib_at_text(row, "access"), ib_at_text(c->json, "access")) ||
            strcmp(ib_at_text(row, "attack"), attack))
            continue;
        return row;
    }
    return NULL;
}

/* The entry's attack that leaks most there; one without a leakage where none
 * has any. */
static void find_against(struct ib_challenge *c, const struct ib_verify *v)
{
    const struct ib_suite *s = v->session->suite;
    double most = -INFINITY;

    c->against = -1;
    for (int a = 0; a < s->n_attacks; a++) {
        const cJSON *row = row_of(c, v, s->attacks[a].id);
        double x = ib_at_number(ib_at(row, "leakage"), "value");
        if (!row || strcmp(ib_at_text(row, "status"), "ok") != 0)
            continue;
        if (c->against < 0 || x > most) {
            c->against = a;
            most = isnan(x) ? most : x;
        }
    }
}

static void find_cells(struct ib_challenge *c, const struct ib_verify *v)
{
    const struct ib_plan *p = v->session->plan;

    for (int k = 0; k < IB_RESULTS_SEEDS; k++)
        c->cell[k] = -1;
    for (size_t i = 0; i < p->n_cells; i++) {
        const struct ib_cell *x = &p->cells[i];
        const cJSON *record = ib_verify_record(v, v->entry->results, i);
        if (x->model == c->model && x->defense == c->defense &&
            x->access == c->access && x->attack == c->against &&
            x->plan == IB_CELL_RUN && record &&
            strcmp(ib_at_text(record, "status"), "ok") == 0)
            c->cell[x->seed] = (int)i;
    }
}

static int seed_index(const struct ib_suite *s, double seed)
{
    for (int k = 0; k < s->n_seeds; k++)
        if ((double)s->seeds[k] == seed)
            return k;
    return -1;
}

static void check_place(struct ib_challenge *c, struct ib_verify *v)
{
    const struct ib_suite *s = v->session->suite;
    const cJSON *entry = ib_at(c->json, "entry"), *r;

    if (strcmp(ib_at_text(entry, "sha256"), v->entry->hash) != 0)
        ib_finding(&v->f, FILE_NAME, "entry.sha256",
                   "is not this entry's, which is %s", v->entry->hash);
    c->model = model_named(s, ib_at_text(c->json, "model"));
    c->defense = defense_named(s, ib_at_text(c->json, "defense"));
    c->access = level_named(ib_at_text(c->json, "access"));
    if (c->model < 0 || c->defense < 0) {
        ib_finding(&v->f, FILE_NAME, c->model < 0 ? "model" : "defense",
                   "the entry's suite has no such id");
        return;
    }
    find_against(c, v);
    find_cells(c, v);
    if (c->against < 0)
        ib_finding(&v->f, FILE_NAME, "access",
                   "the entry has no attack with a number there to be "
                   "challenged (where a defense is bypassed, challenge the "
                   "model without it)");
    cJSON_ArrayForEach(r, ib_at(c->json, "reconstructions"))
    {
        int k = seed_index(s, ib_at_number(r, "seed"));
        if (k < 0 || (c->against >= 0 && c->cell[k] < 0))
            ib_finding(&v->f, FILE_NAME, "reconstructions",
                       "seed %g is none of those that the entry attacked",
                       ib_at_number(r, "seed"));
    }
}

enum ib_status ib_challenge_open(struct ib_challenge *c, const char *dir,
                                 struct ib_verify *v, struct ib_error *err)
{
    enum ib_status s;

    *c = (struct ib_challenge){.dir = dir};
    s = read_json(c, v, err);
    if (!s && !v->f.n)
        check_place(c, v);
    return s;
}

void ib_challenge_close(struct ib_challenge *c)
{
    for (int k = 0; k < IB_RESULTS_SEEDS; k++)
        cJSON_Delete(c->scored[k].scores);
    cJSON_Delete(c->json);
    *c = (struct ib_challenge){0};
}

/* --- scoring
 * ------------------------------------------------------------------- */

/* The targets and the evaluators of the challenged seeds. */
static enum ib_status train(struct ib_challenge *c, struct ib_verify *v,
                            bool *stopped, struct ib_error *err)
{
    struct ib_session *s = v->session;
    const struct ib_plan *p = s->plan;
    bool *want = calloc(p->n_nodes + 1, sizeof *want);
    enum ib_status status;

    if (!want)
        return ib_error_set(err, IB_E_NOMEM, "no memory to score");
    for (int k = 0; k < p->suite->n_seeds; k++) {
        if (c->cell[k] < 0)
            continue;
        const struct ib_plan_node *attack =
            &p->nodes[p->cells[c->cell[k]].attack_node];
        const struct ib_plan_node *score =
            &p->nodes[p->cells[c->cell[k]].score_node];
        for (int i = 0; i < attack->n_inputs; i++)
            want[attack->input[i]] = true;
        for (int i = 0; i < score->n_inputs; i++)
            want[score->input[i]] |=
                p->nodes[score->input[i]].kind != IB_NODE_ATTACK;
    }
    status = ib_session_run_wanted(s, want, stopped, err);
    free(want);
    return status;
}

/* Under the same numerics the evaluators must come out as the entry's. */
static enum ib_status check_weights(const struct ib_challenge *c,
                                    struct ib_verify *v, struct ib_error *err)
{
    const struct ib_plan *p = v->session->plan;
    enum ib_status s = IB_OK;

    for (size_t i = 0; i < p->n_evaluators && !s; i++) {
        const struct ib_evaluator_cell *e = &p->evaluators[i];
        const cJSON *row = cJSON_GetArrayItem(
            ib_at(v->entry->results, "evaluators_utility"), (int)i);
        const char *said = ib_at_text(row, "weights");
        char hash[IB_KEY_SIZE];
        struct ib_artifact a = {0};
        if (c->cell[e->seed] < 0 || !ib_node_is_there(p, e->model_node))
            continue;
        s = ib_store_get(v->session->store, p->nodes[e->model_node].key, &a,
                         err);
        if (s)
            break;
        ib_sha256(a.data, a.size, hash);
        ib_artifact_free(&a);
        if (!said || strcmp(said, hash) != 0)
            ib_finding(&v->f, "results.json", "evaluators_utility",
                       "row %zu: the weights that come out here are %s", i,
                       hash);
    }
    return s;
}

static enum ib_status add_one(struct ib_challenge *c, struct ib_verify *v,
                              const cJSON *r, int *node, struct ib_error *err)
{
    int k = seed_index(v->session->suite, ib_at_number(r, "seed"));
    const char *file = ib_at_text(r, "file");
    char path[PATH_MAX], hash[IB_KEY_SIZE];
    struct ib_npy a = {0};
    struct ib_error why;
    const cJSON *record =
        ib_verify_record(v, v->entry->results, (size_t)c->cell[k]);
    enum ib_status s = path_in(c, file, path, err);

    if (s)
        return s;
    if (ib_sha256_file(path, hash, &why) || ib_npy_read(path, &a, &why))
        ib_finding_error(&v->f, file, &why);
    else if (strcmp(hash, ib_at_text(r, "sha256")) != 0)
        ib_finding(&v->f, file, "", "has the hash %s; %s says otherwise", hash,
                   FILE_NAME);
    else if (a.dims != 5 ||
             (int)a.size[0] != cJSON_GetArraySize(ib_at(record, "identities")))
        ib_finding(&v->f, file, "",
                   "is not identities x images x channels x rows x columns "
                   "of the entry's %d identities",
                   cJSON_GetArraySize(ib_at(record, "identities")));
    else
        s = ib_rescore_add(v, (size_t)c->cell[k], &a, &node[k], err);
    ib_npy_free(&a);
    return s;
}

static enum ib_status take_scores(struct ib_challenge *c, struct ib_verify *v,
                                  const int *node, struct ib_error *err)
{
    const struct ib_plan *p = v->session->plan;
    enum ib_status s = IB_OK;

    for (int k = 0; k < p->suite->n_seeds && !s; k++) {
        struct ib_artifact a = {0};
        if (node[k] < 0)
            continue;
        if (!ib_node_is_there(p, node[k])) {
            ib_finding(&v->f, FILE_NAME, "reconstructions",
                       "cannot be scored: %s", p->nodes[node[k]].reason);
            continue;
        }
        s = ib_store_get(v->session->store, p->nodes[node[k]].key, &a, err);
        if (s)
            break;
        c->scored[k] = (struct ib_scored){
            .status = "ok",
            .scores =
                cJSON_DetachItemFromObjectCaseSensitive(a.meta, "scores")};
        ib_artifact_free(&a);
        c->seeds++;
        v->rescored++;
    }
    return s;
}

static enum ib_status score(struct ib_challenge *c, struct ib_verify *v,
                            bool *stopped, struct ib_error *err)
{
    int node[IB_RESULTS_SEEDS];
    const cJSON *r;
    enum ib_status s = IB_OK;

    for (int k = 0; k < IB_RESULTS_SEEDS; k++)
        node[k] = -1;
    cJSON_ArrayForEach(r, ib_at(c->json, "reconstructions"))
    {
        if (!s)
            s = add_one(c, v, r, node, err);
    }
    if (!s && !v->f.n)
        s = ib_rescore_run(v, node, IB_RESULTS_SEEDS, stopped, err);
    if (!s && !v->f.n && !*stopped)
        s = take_scores(c, v, node, err);
    return s;
}

/* --- comparing
 * ------------------------------------------------------------------ */

/* The challenge's row and the entry's, over the entry's own controls. */
static enum ib_status weigh(struct ib_challenge *c, const struct ib_summary *s,
                            const struct ib_row *mine,
                            const struct ib_row *theirs, struct ib_error *err)
{
    struct ib_leakage_task a = {0}, b = {0};
    enum ib_status status = ib_row_task(s, mine, &a, err);

    if (!status)
        status = ib_leakage_make(&a, &c->leakage, err);
    if (!status)
        status = ib_row_task(s, theirs, &b, err);
    if (!status)
        status = ib_leakage_difference(&a, &b, &c->difference, err);
    if (!status && c->leakage.evaluator >= 0)
        snprintf(c->evaluator, sizeof c->evaluator, "%s",
                 a.evaluator[c->leakage.evaluator].id);
    ib_leakage_task_free(&a);
    ib_leakage_task_free(&b);
    return status;
}

static enum ib_status compare(struct ib_challenge *c, struct ib_verify *v,
                              struct ib_error *err)
{
    struct ib_gather g;
    struct ib_row mine = {0}, theirs = {0};
    enum ib_status s = ib_entry_gather(v->entry, &g, err);

    if (s)
        return s;
    struct ib_summary summary = {.g = &g, .results = v->entry->results};
    for (int k = 0; k < g.seeds; k++) {
        if (c->cell[k] < 0 || !c->scored[k].scores)
            continue;
        mine.first = theirs.first = &g.plan->cells[c->cell[k]];
        mine.cell[k] = theirs.cell[k] = mine.first;
        mine.scored[k] = &c->scored[k];
        theirs.scored[k] = &g.cell[c->cell[k]];
    }
    if (mine.first)
        s = weigh(c, &summary, &mine, &theirs, err);
    ib_gather_free(&g);
    return s;
}

enum ib_status ib_challenge_run(struct ib_challenge *c, struct ib_verify *v,
                                bool *stopped, struct ib_error *err)
{
    enum ib_status s = train(c, v, stopped, err);

    if (!s && !*stopped && v->entry->same_numerics)
        s = check_weights(c, v, err);
    if (!s && !*stopped && !v->f.n)
        s = score(c, v, stopped, err);
    if (!s && !*stopped && !v->f.n)
        s = compare(c, v, err);
    return s;
}

bool ib_challenge_stands(const struct ib_challenge *c,
                         const struct ib_verify *v)
{
    return v->f.n == 0 && c->difference.low > 0;
}
