/* What was run, what models are worth, and where it ran. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "options_io.h"
#include "results_parts.h"

static void put_use(bool *ok, cJSON *o, const struct ib_use *u)
{
    ib_put_text(ok, o, "name", u->plugin->name);
    ib_put_text(ok, o, "version", u->plugin->version);
    ib_put(ok, o, "options",
           u->plugin->options ? ib_options_echo(u->plugin->options, u->options)
                              : cJSON_CreateObject());
}

static void put_models(bool *ok, cJSON *o, const char *name,
                       const struct ib_suite_item *items, int n)
{
    cJSON *all = ib_put_array(ok, o, name);
    for (int i = 0; i < n; i++) {
        const struct ib_model *m =
            (const struct ib_model *)(const void *)items[i].use.plugin;
        cJSON *x = ib_put_object(ok, all, NULL);
        ib_put_text(ok, x, "id", items[i].id);
        put_use(ok, x, &items[i].use);
        ib_put_text(ok, x, "family", m->family);
    }
}

static void put_defenses(bool *ok, cJSON *o, const struct ib_suite *s)
{
    cJSON *all = ib_put_array(ok, o, "defenses");
    for (int i = 0; i < s->n_defenses; i++) {
        cJSON *x = ib_put_object(ok, all, NULL);
        ib_put_text(ok, x, "id", s->defenses[i].id);
        cJSON *stack = ib_put_array(ok, x, "stack");
        for (int k = 0; k < s->defenses[i].stack.n; k++)
            put_use(ok, ib_put_object(ok, stack, NULL),
                    &s->defenses[i].stack.use[k]);
    }
}

static void put_attacks(bool *ok, cJSON *o, const struct ib_suite *s)
{
    cJSON *all = ib_put_array(ok, o, "attacks");
    for (int i = 0; i < s->n_attacks; i++) {
        const struct ib_suite_attack *a = &s->attacks[i];
        cJSON *x = ib_put_object(ok, all, NULL);
        ib_put_text(ok, x, "id", a->id);
        put_use(ok, x, &a->use);
        put_use(ok, ib_put_object(ok, x, "prior"), &a->prior);
        ib_put_number(ok, x, "max_queries", (double)a->max_queries);
    }
}

static void put_frame(bool *ok, cJSON *o, const struct ib_suite *s)
{
    cJSON *access = ib_put_array(ok, o, "access");
    for (int i = 0; i < IB_LEVELS; i++)
        if (s->access & IB_GRANTS(i))
            ib_put_text(ok, access, NULL, ib_level_names[i]);
    cJSON *seeds = ib_put_array(ok, o, "seeds");
    for (int i = 0; i < s->n_seeds; i++)
        ib_put_number(ok, seeds, NULL, (double)s->seeds[i]);
    cJSON *budget = ib_put_object(ok, o, "budget");
    ib_put_number(ok, budget, "max_queries", (double)s->max_queries);
    ib_put_number(ok, budget, "latency", s->latency);
    ib_put_number(ok, budget, "rate_limit", s->rate_limit);
}

static void put_dataset(bool *ok, cJSON *o, const struct ib_gather *g)
{
    static const char *const known[] = {"shape", "classes", "identities",
                                        "counts", "license"};
    const struct ib_use *u = &g->plan->suite->dataset;
    cJSON *d = ib_put_object(ok, o, "dataset");
    ib_put_text(ok, d, "name", u->plugin->name);
    ib_put(ok, d, "options",
           u->plugin->options ? ib_options_echo(u->plugin->options, u->options)
                              : cJSON_CreateObject());
    for (size_t i = 0; i < IB_COUNT(known); i++)
        ib_put_copy(ok, d, known[i], ib_at(g->dataset, known[i]));
    cJSON *sha256 = ib_put_array(ok, d, "sha256");
    for (int i = 0; i < g->seeds; i++)
        ib_put_text(ok, sha256, NULL, *g->data[i] ? g->data[i] : NULL);
}

cJSON *ib_results_header(const struct ib_gather *g, struct ib_error *err)
{
    const struct ib_suite *s = g->plan->suite;
    char key[IB_KEY_SIZE];
    bool ok = true;
    if (ib_json_key(s->resolved, key, err))
        return NULL;
    cJSON *o = cJSON_CreateObject();
    ib_put_text(&ok, o, "schema", "invbench.results/1");
    cJSON *suite = ib_put_object(&ok, o, "suite");
    ib_put_text(&ok, suite, "name", s->name);
    ib_put_text(&ok, suite, "sha256", key);
    ib_put_text(&ok, suite, "summary", s->summary ? s->summary : "");
    ib_put_text(&ok, o, "numerics", ib_numerics(g->env->registry));
    put_dataset(&ok, o, g);
    put_models(&ok, o, "models", s->models, s->n_models);
    put_models(&ok, o, "evaluators", s->evaluators, s->n_evaluators);
    put_defenses(&ok, o, s);
    put_attacks(&ok, o, s);
    put_frame(&ok, o, s);
    ib_put_copy(&ok, o, "columns", g->columns);
    if (cJSON_GetArraySize(g->set_columns) > 0)
        ib_put_copy(&ok, o, "set_columns", g->set_columns);
    if (ok)
        return o;
    cJSON_Delete(o);
    ib_error_set(err, IB_E_NOMEM, "no memory for results");
    return NULL;
}

/* Adds status, reason and the numbers of one utility artifact; of a target
 * also distortion and the counts of each class. */
static enum ib_status put_utility(const struct ib_gather *g, int model,
                                  int node, cJSON *o, bool target,
                                  struct ib_error *err)
{
    static const char *const number[] = {"n", "accuracy", "ece", "distortion"};
    static const char *const counts[] = {"correct", "total"};
    struct ib_scored x = ib_nodes_status(g->plan, model, node);
    struct ib_artifact a = {0};
    bool ok = true;
    if (!strcmp(x.status, "ok")) {
        enum ib_status status =
            ib_store_get(g->env->store, g->plan->nodes[node].key, &a, err);
        if (status)
            return status;
    }
    ib_put_text(&ok, o, "status", x.status);
    ib_put_text(&ok, o, "reason", x.reason);
    const cJSON *utility = ib_at(a.meta, "utility");
    for (size_t i = 0; i < (target ? 4 : 3); i++)
        ib_put_number(&ok, o, number[i], ib_at_number(utility, number[i]));
    for (size_t i = 0; target && i < IB_COUNT(counts); i++)
        ib_put_copy(&ok, o, counts[i], ib_at(utility, counts[i]));
    ib_artifact_free(&a);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for results");
}

/* The first cell of each (model, defense, seed) speaks for it. */
static bool utility_is_new(const struct ib_plan *p, size_t i)
{
    const struct ib_cell *c = &p->cells[i];
    for (size_t k = i; k-- > 0;) {
        const struct ib_cell *b = &p->cells[k];
        if (b->seed != c->seed || b->model != c->model)
            return true; /* cells come by seed, then model, then defense */
        if (b->defense == c->defense)
            return false;
    }
    return true;
}

cJSON *ib_results_list(const struct ib_gather *g, size_t n, ib_results_put put,
                       struct ib_error *err)
{
    cJSON *all = cJSON_CreateArray();
    enum ib_status status = IB_OK;
    bool ok = all != NULL;
    for (size_t i = 0; ok && !status && i < n; i++)
        status = put(&ok, g, i, all, err);
    if (ok && !status)
        return all;
    cJSON_Delete(all);
    if (!status)
        ib_error_set(err, IB_E_NOMEM, "no memory for results");
    return NULL;
}

static enum ib_status put_defended(bool *ok, const struct ib_gather *g,
                                   size_t i, cJSON *all, struct ib_error *err)
{
    const struct ib_suite *s = g->plan->suite;
    const struct ib_cell *c = &g->plan->cells[i];
    if (!utility_is_new(g->plan, i) || c->utility_node < 0)
        return IB_OK;
    cJSON *o = ib_put_object(ok, all, NULL);
    ib_put_text(ok, o, "model", s->models[c->model].id);
    ib_put_text(ok, o, "defense", s->defenses[c->defense].id);
    ib_put_number(ok, o, "seed", (double)s->seeds[c->seed]);
    return put_utility(g, c->utility_node, c->utility_node, o, true, err);
}

cJSON *ib_results_utility(const struct ib_gather *g, struct ib_error *err)
{
    return ib_results_list(g, g->plan->n_cells, put_defended, err);
}

/* Which evaluator judged: its key, and the hash of its weights. */
static enum ib_status put_weights(const struct ib_gather *g, int node, cJSON *o,
                                  struct ib_error *err)
{
    const struct ib_plan *p = g->plan;
    struct ib_artifact a = {0};
    char hash[IB_KEY_SIZE];
    bool ok = true, there = ib_node_is_there(p, node);
    enum ib_status status =
        there ? ib_store_get(g->env->store, p->nodes[node].key, &a, err)
              : IB_OK;
    if (status)
        return status;
    if (there)
        ib_sha256(a.data, a.size, hash);
    ib_put_text(&ok, o, "key", there ? p->nodes[node].key : NULL);
    ib_put_text(&ok, o, "weights", there ? hash : NULL);
    ib_artifact_free(&a);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for results");
}

static enum ib_status put_evaluator(bool *ok, const struct ib_gather *g,
                                    size_t i, cJSON *all, struct ib_error *err)
{
    const struct ib_suite *s = g->plan->suite;
    const struct ib_evaluator_cell *c = &g->plan->evaluators[i];
    cJSON *o = ib_put_object(ok, all, NULL);
    ib_put_text(ok, o, "evaluator", s->evaluators[c->evaluator].id);
    ib_put_number(ok, o, "seed", (double)s->seeds[c->seed]);
    enum ib_status status =
        put_utility(g, c->model_node, c->utility_node, o, false, err);
    return status ? status : put_weights(g, c->model_node, o, err);
}

cJSON *ib_results_evaluators_utility(const struct ib_gather *g,
                                     struct ib_error *err)
{
    return ib_results_list(g, g->plan->n_evaluators, put_evaluator, err);
}

static void cpu_model(char *out, size_t n)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, n, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon)
            continue;
        snprintf(out, n, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (f)
        fclose(f);
}

cJSON *ib_results_provenance(const struct ib_plan *p)
{
    bool ok = true;
    char cpu[256];
    cJSON *o = cJSON_CreateObject();
    cpu_model(cpu, sizeof cpu);
    ib_put_text(&ok, o, "cpu", cpu);
#ifdef __clang__
    ib_put_text(&ok, o, "compiler", "clang " __clang_version__);
#else
    ib_put_text(&ok, o, "compiler", "gcc " __VERSION__);
#endif
    cJSON *nodes = ib_put_array(&ok, o, "nodes");
    for (size_t i = 0; i < p->n_nodes; i++) {
        cJSON *x = ib_put_object(&ok, nodes, NULL);
        ib_put_text(&ok, x, "label", p->nodes[i].label);
        ib_put_text(&ok, x, "key", p->nodes[i].key);
        ib_put_text(&ok, x, "outcome", ib_outcome_names[p->nodes[i].outcome]);
        ib_put_number(&ok, x, "seconds", p->nodes[i].seconds);
        ib_put_number(&ok, x, "peak_mib", p->nodes[i].peak_mib);
    }
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}
