/* Membership inference on a target behind its defenses, and the shadow models
 * that all stacks with the same training half share. */
#include <stdio.h>

#include "plan_making.h"

enum { INPUTS_MAX = 2 + 256 };

static int add_shadow(struct ib_making *m, int shadow)
{
    const struct ib_spec_model spec = {.role = "shadow",
                                       .shadow = shadow,
                                       .plugin = m->specs.models[m->model],
                                       .train = m->specs.train[m->defense]};
    char label[160];

    snprintf(label, sizeof(label), "shadow %d %.60s/%.60s/%s", shadow,
             m->suite->models[m->model].id, m->suite->defenses[m->defense].id,
             m->s);
    return ib_making_model(m, spec, label);
}

static cJSON *keys_of(const struct ib_plan *p, const int *nodes, int n)
{
    cJSON *keys = cJSON_CreateArray();

    for (int i = 0; i < n; i++)
        cJSON_AddItemToArray(keys, cJSON_CreateString(p->nodes[nodes[i]].key));
    return keys;
}

static enum ib_status add_membership(struct ib_making *m, const int *inputs,
                                     int shadows)
{
    const struct ib_plan *p = &m->b->plan;
    struct ib_membership_cell *cell;
    char label[160];
    int node;
    const struct ib_spec_membership spec = {
        .model = p->nodes[m->target].key,
        .data = ib_making_data_key(m),
        .seed = ib_making_seed(m),
        .respond = m->specs.respond[m->defense],
        .shadows = keys_of(p, inputs + 2, shadows)};

    snprintf(label, sizeof(label), "membership %.60s/%.60s/%s",
             m->suite->models[m->model].id, m->suite->defenses[m->defense].id,
             m->s);
    node = ib_plan_add(
        m->b,
        &(struct ib_plan_new){.kind = IB_NODE_MEMBERSHIP,
                              .spec = ib_spec_membership(m->b, &spec),
                              .label = label,
                              .inputs = inputs,
                              .n_inputs = 2 + shadows},
        m->err);
    if (node < 0)
        return m->err->status;
    cell = ib_plan_add_membership(m->b);
    if (!cell)
        return ib_making_no_memory(m);
    *cell = (struct ib_membership_cell){m->seed, m->model, m->defense,
                                        m->target, node};
    return IB_OK;
}

enum ib_status ib_making_membership(struct ib_making *m)
{
    const struct ib_suite_membership *asked = &m->suite->membership;
    int inputs[INPUTS_MAX] = {m->target, m->data};

    if (!asked->attacks)
        return IB_OK;
    for (int k = 0; k < asked->shadows && k < INPUTS_MAX - 2; k++) {
        inputs[2 + k] = add_shadow(m, k);
        if (inputs[2 + k] < 0)
            return m->err->status;
    }
    return add_membership(m, inputs, asked->shadows);
}
