/* Memory by the engine's own reckoning. */
#include "plan_memory.h"

#include <math.h>
#include <stdlib.h>

#include "data_io.h"
#include "json_put.h"
#include "model_io.h"

enum what { MODEL, EVALUATOR, PRIOR };
static const char *const what_names[] = {"model", "evaluator", "prior"};

struct item {
    const char *id; /* of a prior: the attack's */
    enum what what;
    struct ib_model_size size;
    struct ib_error why; /* IB_OK: known */
};
struct list {
    struct item *item;
    int n;
    struct ib_error why; /* no shape of an image: nothing is known */
};

/* --- the task --------------------------------------------------------------
 */

static bool task_in_store(const struct ib_plan *p,
                          const struct ib_stage_env *env,
                          struct ib_model_task *task)
{
    for (int i = 0; i < p->suite->n_seeds; i++) {
        const char *key = p->nodes[p->data_node[i]].key;
        struct ib_open_data data;

        if (!ib_store_has(env->store, key) ||
            ib_data_open(env, key, &data, NULL))
            continue;
        *task = (struct ib_model_task){data.set.shape, data.set.classes};
        ib_data_close(&data);
        return true;
    }
    return false;
}

static enum ib_status find_task(const struct ib_plan *p,
                                const struct ib_stage_env *env,
                                struct ib_model_task *task,
                                struct ib_error *err)
{
    const struct ib_use *use = &p->suite->dataset;
    const struct ib_dataset_env own = {
        .seed = p->suite->n_seeds ? p->suite->seeds[0] : 1,
        .data_dir = env->data_dir};

    if (task_in_store(p, env, task))
        return IB_OK;
    if (ib_registry_is_foreign(env->registry, use->plugin))
        return ib_error_set(err, IB_E_DENIED,
                            "the data set comes from outside and is not in "
                            "the store yet");
    return ib_dataset_task(use, &own, task, err);
}

/* --- the models -------------------------------------------------------------
 */

static size_t most(size_t a, size_t b)
{
    return a == 0 || b == 0 ? 0 : a > b ? a : b; /* 0: beyond all bounds */
}

static void measure(struct item *x, const struct ib_use *use,
                    const struct ib_stack *stack,
                    const struct ib_model_task *task, bool first)
{
    struct ib_model_size size;

    if (!first && x->why.status)
        return;
    if (ib_model_measure(use, stack, task, &size, &x->why))
        return;
    if (first) {
        x->size = size;
        return;
    }
    if (size.parameters > x->size.parameters)
        x->size.parameters = size.parameters;
    if (size.state > x->size.state)
        x->size.state = size.state;
    x->size.training = most(x->size.training, size.training);
    x->size.answering = most(x->size.answering, size.answering);
}

/* Priors from outside, and those that keep no net, tell nothing. */
static void measure_prior(struct list *l, const struct ib_suite_attack *a,
                          struct ib_shape shape)
{
    const struct ib_prior *prior = (const struct ib_prior *)a->prior.plugin;
    struct ib_prior_size size = {0};
    struct item *x = &l->item[l->n];

    if (!prior->measure)
        return;
    prior->measure(a->prior.options, shape, &size);
    x->id = a->id;
    x->what = PRIOR;
    x->size.parameters = size.parameters;
    x->size.training = size.fitting;
    x->size.answering = size.answering;
    l->n++;
}

static enum ib_status make_list(const struct ib_plan *p,
                                const struct ib_stage_env *env,
                                struct list *out, struct ib_error *err)
{
    const struct ib_suite *s = p->suite;
    size_t n = (size_t)(s->n_models + s->n_evaluators) + p->n_priors;
    struct ib_model_task task;

    *out = (struct list){.item = calloc(n + 1, sizeof(*out->item))};
    if (!out->item)
        return ib_error_set(err, IB_E_NOMEM, "plan: no memory");
    if (find_task(p, env, &task, &out->why))
        return IB_OK;
    for (int i = 0; i < s->n_models; i++) {
        struct item *x = &out->item[out->n++];

        x->id = s->models[i].id;
        for (int d = 0; d < s->n_defenses; d++)
            measure(x, &s->models[i].use, &s->defenses[d].stack, &task, d == 0);
    }
    for (int i = 0; i < s->n_evaluators; i++) {
        struct item *x = &out->item[out->n++];

        x->id = s->evaluators[i].id;
        x->what = EVALUATOR;
        measure(x, &s->evaluators[i].use, NULL, &task, true);
    }
    for (size_t i = 0; i < p->n_priors && p->priors[i].seed == 0; i++)
        measure_prior(out, &s->attacks[p->priors[i].attack], task.shape);
    return IB_OK;
}

/* --- showing ----------------------------------------------------------------
 */

static double mib(size_t bytes)
{
    return bytes ? (double)bytes / (1 << 20) : INFINITY;
}

static void show_item(const struct item *x, size_t limit, struct ib_text *out)
{
    double training = mib(x->size.training);

    ib_text_add(out, "%-9s %-20.60s ", what_names[x->what], x->id);
    if (x->why.status) {
        ib_text_add(out, "? (%s)\n", x->why.text);
        return;
    }
    ib_text_add(out, "%11zu %8.1f MiB %8.1f MiB%s\n", x->size.parameters,
                training, mib(x->size.answering),
                training > mib(limit) ? "  more than --memory-limit" : "");
}

enum ib_status ib_plan_show_memory(const struct ib_plan *p,
                                   const struct ib_stage_env *env, size_t limit,
                                   struct ib_text *out, struct ib_error *err)
{
    struct list l;
    enum ib_status s = make_list(p, env, &l, err);

    if (s)
        return s;
    if (l.why.status)
        ib_text_add(out, "\nmemory of models is not known yet: %s\n",
                    l.why.text);
    else
        ib_text_add(out, "\n%-30s %11s %12s %12s\n",
                    "net, with its largest stack", "parameters", "training",
                    "answering");
    for (int i = 0; i < l.n; i++)
        show_item(&l.item[i], limit, out);
    free(l.item);
    return ib_text_status(out, err);
}

static void put_bytes(bool *ok, cJSON *o, const char *key, const struct item *x,
                      size_t bytes)
{
    ib_put_number(ok, o, key,
                  x->why.status || bytes == 0 ? NAN : (double)bytes);
}

cJSON *ib_plan_memory_json(const struct ib_plan *p,
                           const struct ib_stage_env *env)
{
    struct list l;
    bool ok = make_list(p, env, &l, NULL) == IB_OK;
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; ok && i < l.n; i++) {
        const struct item *x = &l.item[i];
        cJSON *o = ib_put_object(&ok, list, NULL);

        ib_put_text(&ok, o, what_names[x->what], x->id);
        ib_put_number(&ok, o, "parameters",
                      x->why.status ? NAN : (double)x->size.parameters);
        ib_put_number(&ok, o, "state",
                      x->why.status ? NAN : (double)x->size.state);
        put_bytes(&ok, o, "training_bytes", x, x->size.training);
        put_bytes(&ok, o, "answering_bytes", x, x->size.answering);
    }
    free(l.item);
    if (ok)
        return list;
    cJSON_Delete(list);
    return NULL;
}
