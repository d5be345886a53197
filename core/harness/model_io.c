/*
 * Trained models as artifacts: parameters and state as they lie in the net, and
 * the meta block that says how to build the net again. Every size is checked
 * against what the plugin builds before a byte is copied.
 */
#include <math.h>
#include <string.h>

#include "model_io.h"

static bool read_int(const cJSON *v, int min, int max, int *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min) ||
        !(v->valuedouble <= max) || v->valuedouble != floor(v->valuedouble))
        return false;
    *out = (int)v->valuedouble;
    return true;
}

static bool read_task(const cJSON *meta, struct ib_model_task *task)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(meta, "shape");

    return cJSON_GetArraySize(shape) == 3 &&
           read_int(cJSON_GetArrayItem(shape, 0), 1, IB_SIDE_MAX,
                    &task->shape.c) &&
           read_int(cJSON_GetArrayItem(shape, 1), 1, IB_SIDE_MAX,
                    &task->shape.h) &&
           read_int(cJSON_GetArrayItem(shape, 2), 1, IB_SIDE_MAX,
                    &task->shape.w) &&
           read_int(cJSON_GetObjectItemCaseSensitive(meta, "classes"), 1,
                    IB_CLASSES_MAX, &task->classes);
}

/* What the stack's training-time half makes of the graph. */
static enum ib_status rewrite(const struct ib_stack *stack,
                              const struct ib_model_task *task,
                              struct ib_graph *g, struct ib_model_nodes *nodes,
                              struct ib_error *err)
{
    enum ib_status s = IB_OK;

    for (int i = 0; stack && i < stack->n && !s; i++) {
        const struct ib_defense *d = ib_stack_at(stack, i);

        if (d->rewrite)
            s = d->rewrite(stack->use[i].options, task, g, nodes, err);
        if (s)
            ib_error_prefix(err, "defense %s", d->plugin.name);
    }
    return s;
}

enum ib_status
ib_model_graph(const struct ib_use *use, const struct ib_stack *stack,
               const struct ib_model_task *task, struct ib_graph **out,
               struct ib_model_nodes *nodes, struct ib_error *err)
{
    const struct ib_model *model = (const struct ib_model *)use->plugin;
    struct ib_graph *g = ib_graph_create();
    enum ib_status s;

    *out = NULL;
    if (!model->build) {
        ib_graph_free(g);
        return ib_error_set(err, IB_E_DENIED,
                            "model %s comes from outside: its code runs in "
                            "workers alone",
                            use->plugin->name);
    }
    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "model %s: no memory",
                            use->plugin->name);
    *nodes =
        (struct ib_model_nodes){IB_NONE, IB_NONE, IB_NONE, IB_NONE, IB_NONE};
    s = model->build(use->options, task, g, nodes, err);
    if (!s)
        s = rewrite(stack, task, g, nodes, err);
    if (!s) /* attacks and defenses put losses there */
        ib_graph_keep(g, nodes->features);
    if (s) {
        ib_graph_free(g);
        return ib_error_prefix(err, "model %s", use->plugin->name);
    }
    *out = g;
    return IB_OK;
}

enum ib_status ib_model_build(const struct ib_use *use,
                              const struct ib_stack *stack,
                              const struct ib_model_task *task, int max_batch,
                              struct ib_loaded_model *out, struct ib_error *err)
{
    struct ib_graph *g;
    enum ib_status s = ib_model_graph(use, stack, task, &g, &out->nodes, err);

    if (s)
        return s;
    out->task = *task;
    s = ib_net_create(&out->net, g, max_batch, err);
    return s ? ib_error_prefix(err, "model %s", use->plugin->name) : IB_OK;
}

/* What the trainer keeps beside the net, as numbers. */
static size_t trainer_numbers(const struct ib_train_options *o,
                              const struct ib_model_size *size)
{
    size_t n = size->parameters * ib_optim_arrays(o->optimiser);

    return o->validation > 0 ? n + size->parameters + size->state : n;
}

enum ib_status ib_model_measure(const struct ib_use *use,
                                const struct ib_stack *stack,
                                const struct ib_model_task *task,
                                struct ib_model_size *out, struct ib_error *err)
{
    const struct ib_train_options *options = use->options;
    struct ib_model_nodes nodes;
    struct ib_graph *g;
    size_t beside;
    enum ib_status s = ib_model_graph(use, stack, task, &g, &nodes, err);

    *out = (struct ib_model_size){0};
    if (!s && ib_graph_error(g))
        s = ib_error_set(err, ib_graph_error(g)->status, "model %s: %s",
                         use->plugin->name, ib_graph_error(g)->text);
    if (s)
        goto done;
    out->parameters = ib_graph_parameters(g);
    for (ib_node x = 0; x < ib_graph_count(g); x++)
        if (ib_graph_info(g, x).owner == x)
            out->state += ib_graph_info(g, x).state;
    out->answering = ib_graph_bytes(g, ib_model_attack_rows(task->shape));
    out->training = ib_graph_bytes(g, (int)options->batch);
    if (!out->training ||
        !ib_size_mul(trainer_numbers(options, out), sizeof(float), &beside) ||
        !ib_size_add(out->training, beside, &out->training))
        out->training = 0;
done:
    ib_graph_free(g);
    return s;
}

/* --- the numbers ---------------------------------------------------------- */

size_t ib_model_numbers(const struct ib_net *net)
{
    return ib_net_parameter_count(net) + ib_net_state_count(net);
}

void ib_model_save(struct ib_net *net, float *out)
{
    size_t p = ib_net_parameter_count(net), s = ib_net_state_count(net);

    if (p)
        memcpy(out, ib_net_parameters(net), p * sizeof(float));
    if (s)
        memcpy(out + p, ib_net_state(net), s * sizeof(float));
}

enum ib_status ib_model_load(struct ib_net *net, const void *data, size_t bytes,
                             const char *what, struct ib_error *err)
{
    size_t p = ib_net_parameter_count(net), s = ib_net_state_count(net);
    const float *from = data;

    if (bytes % sizeof(float) || bytes / sizeof(float) != p + s)
        return ib_error_set(err, IB_E_DATA,
                            "%s: %zu bytes of numbers; the net takes %zu "
                            "parameters and %zu numbers of state, 4 bytes each",
                            what, bytes, p, s);
    for (size_t i = 0; i < p + s; i++)
        if (!isfinite(from[i]))
            return ib_error_set(err, IB_E_DATA,
                                "%s: %s %zu is %f; only finite numbers are "
                                "allowed",
                                what, i < p ? "parameter" : "state number",
                                i < p ? i : i - p, (double)from[i]);
    if (p)
        memcpy(ib_net_parameters(net), from, p * sizeof(float));
    if (s)
        memcpy(ib_net_state(net), from + p, s * sizeof(float));
    return IB_OK;
}

/* --- the artifact --------------------------------------------------------- */

enum ib_status ib_model_decode(const struct ib_registry *registry,
                               const struct ib_artifact *artifact,
                               int max_batch, struct ib_loaded_model *out,
                               struct ib_error *err)
{
    const cJSON *spec =
        cJSON_GetObjectItemCaseSensitive(artifact->meta, "spec");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(spec, "kind");
    const cJSON *plugin = cJSON_GetObjectItemCaseSensitive(spec, "plugin");
    const cJSON *defenses = cJSON_GetObjectItemCaseSensitive(spec, "defenses");
    struct ib_stack stack = {0};
    struct ib_model_task task;
    enum ib_status s;

    memset(out, 0, sizeof(*out));
    if (!cJSON_IsString(kind) || strcmp(kind->valuestring, "model") != 0)
        return ib_error_set(err, IB_E_DATA, "the artifact is not a model");
    if (!read_task(artifact->meta, &task))
        return ib_error_set(err, IB_E_DATA,
                            "the model's meta block has no valid \"shape\" "
                            "and \"classes\"");
    s = ib_use_from_spec(registry, IB_KIND_MODEL, plugin, &out->use, err);
    if (!s && defenses)
        s = ib_stack_from_spec(registry, defenses, &stack, err);
    if (!s)
        s = ib_model_build(&out->use, &stack, &task, max_batch, out, err);
    if (!s)
        s = ib_model_load(out->net, artifact->data, artifact->size,
                          out->use.plugin->name, err);
    ib_stack_free(&stack);
    if (s)
        ib_model_close(out);
    return s;
}

enum ib_status ib_model_open(const struct ib_stage_env *env, const char *key,
                             int max_batch, struct ib_loaded_model *out,
                             struct ib_error *err)
{
    struct ib_artifact a;
    enum ib_status s;

    memset(out, 0, sizeof(*out));
    s = ib_store_get(env->store, key, &a, err);
    if (s)
        return s;
    s = ib_model_decode(env->registry, &a, max_batch, out, err);
    ib_artifact_free(&a);
    if (!s)
        s = ib_net_use_pool(out->net, env->pool, err);
    return s;
}

void ib_model_close(struct ib_loaded_model *m)
{
    if (!m)
        return;
    ib_net_free(m->net);
    ib_use_free(&m->use);
    memset(m, 0, sizeof(*m));
}
