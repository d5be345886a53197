/*
 * Suite -> DAG. The plan is this nest of loops and nothing else:
 * seed x (data, evaluators) x model x (controls) x defense x (target, utility,
 * membership) x attack x (prior) x access level; equal specs have equal keys
 * and share their node.
 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_io.h"
#include "plan_making.h"

static const char *const control_names[] = {"public-mean", "public-best",
                                            "noise",       "holdout",
                                            "other",       "optimised-noise"};

const char *ib_making_data_key(const struct ib_making *m)
{
    return m->b->plan.nodes[m->data].key;
}

uint64_t ib_making_seed(const struct ib_making *m)
{
    return m->suite->seeds[m->seed];
}

enum ib_status ib_making_no_memory(struct ib_making *m)
{
    return ib_error_set(m->err, IB_E_NOMEM, "plan: no memory");
}

enum ib_status ib_making_status(const struct ib_making *m, int node)
{
    return node < 0 ? m->err->status : IB_OK;
}

static const char *family(const struct ib_suite_item *item)
{
    return ((const struct ib_model *)item->use.plugin)->family;
}

/* --- seed: data, evaluators -------------------------------------------- */

/* Hashes of the data's files: measured, or those that are to be believed. */
static enum ib_status plan_files(struct ib_making *m, cJSON **files)
{
    const struct ib_suite *suite = m->suite;
    struct ib_dataset_env env = {.seed = ib_making_seed(m),
                                 .data_dir = m->b->env->data_dir};
    enum ib_status s;

    if (m->b->env->files) {
        *files = cJSON_Duplicate(m->b->env->files, true);
        return *files ? IB_OK : ib_making_no_memory(m);
    }
    env.scratch = ib_scratch_create((size_t)256 << 20);
    if (!env.scratch)
        return ib_making_no_memory(m);
    s = ib_dataset_files(&suite->dataset, &env, files, m->err);
    ib_scratch_free(env.scratch);
    if (s)
        ib_error_prefix(m->err, "data set %s", suite->dataset.plugin->name);
    return s;
}

static enum ib_status plan_data(struct ib_making *m)
{
    const struct ib_suite *suite = m->suite;
    cJSON *files = NULL;
    char label[64];
    enum ib_status s = plan_files(m, &files);

    if (s)
        return s;
    if (!ib_plan_keep(m->b, files))
        return ib_making_no_memory(m);
    snprintf(label, sizeof(label), "data %s/%s", suite->dataset.plugin->name,
             m->s);
    m->data = ib_plan_add(
        m->b,
        &(struct ib_plan_new){
            .kind = IB_NODE_DATA,
            .spec = ib_spec_data(m->b, &m->specs, ib_making_seed(m), files),
            .label = label},
        m->err);
    m->b->plan.data_node[m->seed] = m->data;
    return ib_making_status(m, m->data);
}

int ib_making_model(struct ib_making *m, struct ib_spec_model spec,
                    const char *label)
{
    spec.seed = ib_making_seed(m);
    spec.data = ib_making_data_key(m);
    return ib_plan_add(m->b,
                       &(struct ib_plan_new){.kind = IB_NODE_MODEL,
                                             .spec = ib_spec_model(m->b, &spec),
                                             .label = label,
                                             .inputs = &m->data,
                                             .n_inputs = 1},
                       m->err);
}

static int add_model(struct ib_making *m, const char *role, cJSON *plugin,
                     cJSON *train, const char *label)
{
    return ib_making_model(
        m,
        (struct ib_spec_model){.role = role, .plugin = plugin, .train = train},
        label);
}

static int add_utility(struct ib_making *m, int model, cJSON *respond,
                       const char *label)
{
    const int inputs[] = {model, m->data};

    return ib_plan_add(
        m->b,
        &(struct ib_plan_new){
            .kind = IB_NODE_UTILITY,
            .spec = ib_spec_utility(m->b, m->b->plan.nodes[model].key,
                                    ib_making_data_key(m), respond),
            .label = label,
            .inputs = inputs,
            .n_inputs = 2},
        m->err);
}

static enum ib_status plan_evaluator(struct ib_making *m, int e)
{
    const char *id = m->suite->evaluators[e].id;
    struct ib_evaluator_cell *cell;
    char label[160];
    int model, utility;

    snprintf(label, sizeof(label), "evaluator %s/%s", id, m->s);
    model =
        add_model(m, "evaluator", m->specs.evaluators[e], m->specs.none, label);
    if (model < 0)
        return m->err->status;
    snprintf(label, sizeof(label), "utility evaluator %s/%s", id, m->s);
    utility = add_utility(m, model, m->specs.none, label);
    if (utility < 0)
        return m->err->status;
    cell = ib_plan_add_evaluator(m->b);
    if (!cell)
        return ib_making_no_memory(m);
    *cell = (struct ib_evaluator_cell){m->seed, e, model, utility};
    m->evaluator[e] = model;
    return IB_OK;
}

/* --- model: judges, controls ------------------------------------------- */

/* Evaluators of other families than the target's. */
static enum ib_status find_judges(struct ib_making *m)
{
    const char *own = family(&m->suite->models[m->model]);

    m->n_judges = 0;
    m->judges = cJSON_CreateArray();
    for (int e = 0; e < m->suite->n_evaluators; e++) {
        int node = m->evaluator[e];
        cJSON *judge;

        if (strcmp(family(&m->suite->evaluators[e]), own) == 0)
            continue;
        if (m->n_judges == IB_JUDGES_MAX)
            return ib_error_set(m->err, IB_E_USAGE,
                                "%s: more than %d evaluators judge model %s",
                                m->suite->path, IB_JUDGES_MAX,
                                m->suite->models[m->model].id);
        judge = cJSON_CreateObject();
        cJSON_AddStringToObject(judge, "id", m->suite->evaluators[e].id);
        cJSON_AddStringToObject(judge, "model", m->b->plan.nodes[node].key);
        cJSON_AddItemToArray(m->judges, judge);
        m->judge[m->n_judges++] = node;
    }
    return ib_plan_keep(m->b, m->judges) ? IB_OK : ib_making_no_memory(m);
}

int ib_making_score(struct ib_making *m, int recon, const char *what)
{
    struct ib_plan_builder *b = m->b;
    int inputs[2 + IB_JUDGES_MAX], score;
    char label[160];

    if (b->score_of[recon] >= 0)
        return b->score_of[recon];
    inputs[0] = recon;
    inputs[1] = m->data;
    memcpy(inputs + 2, m->judge, (size_t)m->n_judges * sizeof(int));
    snprintf(label, sizeof(label), "score %s", what);
    score = ib_plan_add(
        b,
        &(struct ib_plan_new){
            .kind = IB_NODE_SCORE,
            .spec = ib_spec_score(b, &m->specs, b->plan.nodes[recon].key,
                                  ib_making_data_key(m), m->judges),
            .label = label,
            .inputs = inputs,
            .n_inputs = 2 + m->n_judges},
        m->err);
    b->score_of[recon] = score;
    return score;
}

static enum ib_status plan_control(struct ib_making *m, const char *name,
                                   int undefended)
{
    struct ib_plan_builder *b = m->b;
    bool asks = strcmp(name, "public-best") == 0 ||
                strcmp(name, "optimised-noise") == 0;
    const int inputs[] = {m->data, undefended};
    struct ib_control_cell *cell = ib_plan_add_control(b);
    char label[160];
    const char *what = label + strlen("control ");

    if (!cell)
        return ib_making_no_memory(m);
    *cell = (struct ib_control_cell){
        .seed = m->seed, .model = m->model, .name = name, .score_node = -1};
    snprintf(label, sizeof(label), "control %s/%s/%s", name,
             m->suite->models[m->model].id, m->s);
    cell->recon_node = ib_plan_add(
        b,
        &(struct ib_plan_new){.kind = IB_NODE_CONTROL,
                              .spec = ib_spec_control(
                                  b, &m->specs, name, ib_making_seed(m),
                                  ib_making_data_key(m),
                                  asks ? b->plan.nodes[undefended].key : NULL),
                              .label = label,
                              .inputs = inputs,
                              .n_inputs = asks ? 2 : 1},
        m->err);
    if (cell->recon_node < 0)
        return m->err->status;
    cell->score_node = ib_making_score(m, cell->recon_node, what);
    return ib_making_status(m, cell->score_node);
}

static enum ib_status plan_controls(struct ib_making *m)
{
    enum ib_status s = IB_OK;
    char label[160];
    int undefended;

    snprintf(label, sizeof(label), "model %s/%s", m->suite->models[m->model].id,
             m->s);
    undefended =
        add_model(m, "target", m->specs.models[m->model], m->specs.none, label);
    if (undefended < 0)
        return m->err->status;
    for (size_t i = 0; i < IB_COUNT(control_names) && !s; i++)
        s = plan_control(m, control_names[i], undefended);
    return s;
}

static enum ib_status plan_defense(struct ib_making *m)
{
    const char *model = m->suite->models[m->model].id;
    const char *defense = m->suite->defenses[m->defense].id;
    enum ib_status s;
    char label[160];
    int utility;

    snprintf(label, sizeof(label), "model %s/%s/%s", model, defense, m->s);
    m->target = add_model(m, "target", m->specs.models[m->model],
                          m->specs.train[m->defense], label);
    if (m->target < 0)
        return m->err->status;
    snprintf(label, sizeof(label), "utility %s/%s/%s", model, defense, m->s);
    utility = add_utility(m, m->target, m->specs.respond[m->defense], label);
    if (utility < 0)
        return m->err->status;
    s = ib_making_membership(m);
    return s ? s : ib_making_attacks(m, utility);
}

/* A control that does not ask the target is one artifact for all models, but
 * each model has its own judges: scores are not shared between models. */
static void forget_scores(struct ib_plan_builder *b)
{
    for (size_t i = 0; i < b->plan.n_nodes; i++)
        b->score_of[i] = -1;
}

static enum ib_status plan_model(struct ib_making *m)
{
    enum ib_status s = find_judges(m);

    forget_scores(m->b);
    if (!s)
        s = plan_controls(m);
    for (m->defense = 0; m->defense < m->suite->n_defenses && !s; m->defense++)
        s = plan_defense(m);
    return s;
}

static enum ib_status plan_seed(struct ib_making *m)
{
    enum ib_status s;

    snprintf(m->seed_text, sizeof(m->seed_text), "s%llu",
             (unsigned long long)ib_making_seed(m));
    m->s = m->seed_text;
    for (int a = 0; a < m->suite->n_attacks; a++)
        m->prior[a] = IB_PRIOR_UNKNOWN;
    s = plan_data(m);
    for (int e = 0; e < m->suite->n_evaluators && !s; e++)
        s = plan_evaluator(m, e);
    for (m->model = 0; m->model < m->suite->n_models && !s; m->model++)
        s = plan_model(m);
    return s;
}

static enum ib_status check_limits(const struct ib_suite *suite,
                                   struct ib_error *err)
{
    if (suite->n_seeds > IB_SEEDS_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "%s: %d seeds; at most %d are allowed", suite->path,
                            suite->n_seeds, IB_SEEDS_MAX);
    if (suite->n_evaluators > IB_EVALUATORS_MAX)
        return ib_error_set(
            err, IB_E_USAGE, "%s: %d evaluators; at most %d are allowed",
            suite->path, suite->n_evaluators, IB_EVALUATORS_MAX);
    return IB_OK;
}

enum ib_status ib_plan_make(const struct ib_suite *suite,
                            const struct ib_stage_env *env,
                            struct ib_plan **out, struct ib_error *err)
{
    struct ib_error spare = {0};
    struct ib_making m = {.suite = suite, .err = err ? err : &spare};
    enum ib_status s = check_limits(suite, err);

    if (s)
        return s;
    m.b = ib_plan_builder_create(suite, env);
    m.prior = calloc((size_t)suite->n_attacks + 1, sizeof(*m.prior));
    if (!m.b || !m.prior) {
        ib_plan_free(m.b ? &m.b->plan : NULL);
        free(m.prior);
        return ib_making_no_memory(&m);
    }
    s = ib_plan_specs_make(m.b, &m.specs, m.err);
    for (m.seed = 0; m.seed < suite->n_seeds && !s; m.seed++)
        s = plan_seed(&m);
    ib_plan_specs_free(&m.specs);
    free(m.prior);
    if (s)
        ib_plan_free(&m.b->plan);
    else
        *out = &m.b->plan;
    return s;
}
