/* applicable() before the run, as far as the store allows. */
#include "plan_check.h"

#include <stdlib.h>
#include <string.h>

#include "data_io.h"
#include "model_io.h"
#include "plan_nodes.h"

struct checking {
    struct ib_plan *plan;
    const struct ib_stage_env *env;
    struct ib_model_task task;
    bool has_public;
    signed char *has_code; /* per model; -1: not yet known */
};

/* Builds the net once to see its nodes. A model that does not fit the data
 * will say so when it is trained. */
static bool has_code(struct checking *c, int model)
{
    const struct ib_use *use = &c->plan->suite->models[model].use;
    struct ib_loaded_model m;
    struct ib_error ignored;

    if (c->has_code[model] >= 0)
        return c->has_code[model];
    c->has_code[model] = 1;
    memset(&m, 0, sizeof(m));
    if (!((const struct ib_model *)use->plugin)->build)
        return true;
    if (!ib_model_build(use, NULL, &c->task, 1, &m, &ignored))
        c->has_code[model] =
            m.nodes.code != IB_NONE && m.nodes.decoded != IB_NONE;
    ib_net_free(m.net);
    return c->has_code[model];
}

static bool learns(const struct ib_use *prior)
{
    return ((const struct ib_prior *)prior->plugin)->fitted;
}

static enum ib_status check_cell(struct checking *c, struct ib_cell *cell,
                                 struct ib_error *err)
{
    const struct ib_suite_attack *a = &c->plan->suite->attacks[cell->attack];
    const struct ib_attack *attack = (const struct ib_attack *)a->use.plugin;
    const struct ib_attack_task task = {.level = cell->access,
                                        .shape = c->task.shape,
                                        .classes = c->task.classes,
                                        .has_public = c->has_public,
                                        .has_code = has_code(c, cell->model),
                                        .max_queries = a->max_queries};
    const char *reason;

    reason =
        attack->applicable ? attack->applicable(a->use.options, &task) : NULL;
    if (!reason && !c->has_public && learns(&a->prior))
        reason = "its prior learns from public images; the data set has none";
    if (!reason)
        return IB_OK;
    cell->plan = IB_CELL_SKIP;
    cell->reason = ib_plan_text(c->plan->owned, reason);
    return cell->reason ? IB_OK
                        : ib_error_set(err, IB_E_NOMEM, "plan: no memory");
}

static enum ib_status check_seed(struct checking *c, int seed,
                                 struct ib_error *err)
{
    const struct ib_plan_node *node = &c->plan->nodes[c->plan->data_node[seed]];
    struct ib_open_data data;
    enum ib_status s;

    if (!ib_store_has(c->env->store, node->key))
        return IB_OK;
    s = ib_data_open(c->env, node->key, &data, err);
    if (s)
        return s;
    c->task = (struct ib_model_task){data.set.shape, data.set.classes};
    c->has_public = data.set.split[IB_PUBLIC].n > 0;
    ib_data_close(&data);
    for (size_t i = 0; i < c->plan->n_cells && !s; i++)
        if (c->plan->cells[i].seed == seed &&
            c->plan->cells[i].plan != IB_CELL_SKIP)
            s = check_cell(c, &c->plan->cells[i], err);
    return s;
}

enum ib_status ib_plan_check(struct ib_plan *plan,
                             const struct ib_stage_env *env,
                             struct ib_error *err)
{
    struct checking c = {.plan = plan, .env = env};
    size_t n = (size_t)plan->suite->n_models;
    enum ib_status s = IB_OK;

    c.has_code = malloc(n + 1);
    if (!c.has_code)
        return ib_error_set(err, IB_E_NOMEM, "plan: no memory");
    memset(c.has_code, -1, n + 1);
    for (int seed = 0; seed < plan->suite->n_seeds && !s; seed++)
        s = check_seed(&c, seed, err);
    free(c.has_code);
    return s;
}
