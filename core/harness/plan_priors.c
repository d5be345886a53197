/* Priors: what they learn is one node for all attacks that use the same one,
 * and so are the samples that show what it is worth. */
#include <stdio.h>
#include <string.h>

#include "plan_making.h"

/* Samples are compared in the features of the first convolutional evaluator,
 * or of the first one. */
static int judge_of_samples(const struct ib_suite *suite)
{
    for (int e = 0; e < suite->n_evaluators; e++) {
        const struct ib_model *m =
            (const struct ib_model *)suite->evaluators[e].use.plugin;

        if (strcmp(m->family, "convolutional") == 0)
            return e;
    }
    return 0;
}

struct sampling {
    cJSON *plugin;
    uint64_t seed;
    int data, prior; /* nodes; prior: -1 where it learns nothing */
    int evaluator, model;
    const char *label;
};

static int add_sample(struct ib_plan_builder *b, const struct sampling *s,
                      struct ib_error *err)
{
    const struct ib_plan_node *nodes = b->plan.nodes;
    const int inputs[] = {s->data, s->model, s->prior};
    const struct ib_spec_sample spec = {
        .plugin = s->plugin,
        .seed = s->seed,
        .data = nodes[s->data].key,
        .fitted = s->prior >= 0 ? nodes[s->prior].key : NULL,
        .evaluator = b->plan.suite->evaluators[s->evaluator].id,
        .model = nodes[s->model].key};

    return ib_plan_add(b,
                       &(struct ib_plan_new){.kind = IB_NODE_SAMPLE,
                                             .spec = ib_spec_sample(b, &spec),
                                             .label = s->label,
                                             .inputs = inputs,
                                             .n_inputs = s->prior >= 0 ? 3 : 2},
                       err);
}

static int add_fit(struct ib_making *m, int attack, const char *label)
{
    return ib_plan_add(
        m->b,
        &(struct ib_plan_new){
            .kind = IB_NODE_PRIOR,
            .spec = ib_spec_prior(m->b, m->specs.priors[attack],
                                  ib_making_seed(m), ib_making_data_key(m)),
            .label = label,
            .inputs = &m->data,
            .n_inputs = 1},
        m->err);
}

static bool has_cell(const struct ib_making *m, int prior_node)
{
    const struct ib_plan *p = &m->b->plan;

    for (size_t i = p->n_priors; i-- > 0 && p->priors[i].seed == m->seed;)
        if (p->priors[i].prior_node == prior_node)
            return true;
    return false;
}

/* "pca/ATTACK/s1" */
static enum ib_status add_cell(struct ib_making *m, int attack, int prior_node,
                               const char *what)
{
    struct ib_prior_cell *cell = ib_plan_add_prior(m->b);
    struct sampling s = {.plugin = m->specs.priors[attack],
                         .seed = ib_making_seed(m),
                         .data = m->data,
                         .prior = prior_node,
                         .evaluator = judge_of_samples(m->suite)};
    char label[160];

    if (!cell)
        return ib_making_no_memory(m);
    *cell = (struct ib_prior_cell){.seed = m->seed,
                                   .attack = attack,
                                   .evaluator = s.evaluator,
                                   .prior_node = prior_node};
    if (m->suite->n_evaluators == 0) {
        cell->sample_node = -1;
        return IB_OK;
    }
    snprintf(label, sizeof(label), "sample %.150s", what);
    s.model = m->evaluator[s.evaluator];
    s.label = label;
    cell->sample_node = add_sample(m->b, &s, m->err);
    return ib_making_status(m, cell->sample_node);
}

enum ib_status ib_making_prior(struct ib_making *m, int attack, int *node)
{
    const struct ib_suite_attack *a = &m->suite->attacks[attack];
    const struct ib_prior *prior = (const struct ib_prior *)a->prior.plugin;
    char label[160];

    if (m->prior[attack] == IB_PRIOR_UNKNOWN && !prior->fitted)
        m->prior[attack] = IB_PRIOR_UNFITTED;
    *node = m->prior[attack];
    if (*node != IB_PRIOR_UNKNOWN)
        return IB_OK;
    snprintf(label, sizeof(label), "prior %s/%.70s/%s", prior->plugin.name,
             a->id, m->s);
    *node = add_fit(m, attack, label);
    if (*node < 0)
        return m->err->status;
    m->prior[attack] = *node;
    if (has_cell(m, *node))
        return IB_OK;
    return add_cell(m, attack, *node, label + strlen("prior "));
}

/* The node of an evaluator of this seed. */
static int evaluator_node(const struct ib_plan *p, int seed, int evaluator)
{
    for (size_t i = 0; i < p->n_evaluators; i++)
        if (p->evaluators[i].seed == seed &&
            p->evaluators[i].evaluator == evaluator)
            return p->evaluators[i].model_node;
    return -1;
}

static int find_key(const struct ib_plan *p, const char *key)
{
    for (size_t i = 0; key && i < p->n_nodes; i++)
        if (strcmp(p->nodes[i].key, key) == 0)
            return (int)i;
    return -1;
}

enum ib_status ib_plan_sample(struct ib_plan *p, size_t cell, int *node,
                              struct ib_error *err)
{
    const struct ib_cell *c = &p->cells[cell];
    const cJSON *spec = p->nodes[c->attack_node].spec;
    const struct ib_suite_attack *a = &p->suite->attacks[c->attack];
    struct sampling s = {.plugin =
                             cJSON_GetObjectItemCaseSensitive(spec, "prior"),
                         .seed = p->suite->seeds[c->seed],
                         .data = p->data_node[c->seed],
                         .evaluator = judge_of_samples(p->suite)};
    char label[160];

    if (p->suite->n_evaluators == 0)
        return ib_error_set(err, IB_E_USAGE,
                            "samples are compared in an evaluator's features; "
                            "there is no evaluator");
    snprintf(label, sizeof(label), "sample %s/%.70s/s%llu",
             a->prior.plugin->name, a->id, (unsigned long long)s.seed);
    s.prior = find_key(p, cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                              spec, "fitted")));
    s.model = evaluator_node(p, c->seed, s.evaluator);
    s.label = label;
    *node = add_sample(p->owned, &s, err);
    return *node < 0 ? err->status : IB_OK;
}
