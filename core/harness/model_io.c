/*
 * Trained models as artifacts: parameters as they lie in the net, and the meta
 * block that says how to build the net again. Every size is checked against
 * what the plugin builds before a byte is copied.
 */
#include <math.h>
#include <string.h>

#include "model_io.h"

enum { SIDE_MAX = 16384, CLASSES_MAX = 1 << 20 };

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
           read_int(cJSON_GetArrayItem(shape, 0), 1, SIDE_MAX,
                    &task->shape.c) &&
           read_int(cJSON_GetArrayItem(shape, 1), 1, SIDE_MAX,
                    &task->shape.h) &&
           read_int(cJSON_GetArrayItem(shape, 2), 1, SIDE_MAX,
                    &task->shape.w) &&
           read_int(cJSON_GetObjectItemCaseSensitive(meta, "classes"), 1,
                    CLASSES_MAX, &task->classes);
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

enum ib_status ib_model_build(const struct ib_use *use,
                              const struct ib_stack *stack,
                              const struct ib_model_task *task, int max_batch,
                              struct ib_loaded_model *out, struct ib_error *err)
{
    const struct ib_model *model = (const struct ib_model *)use->plugin;
    struct ib_graph *g = ib_graph_create();
    enum ib_status s;

    if (!g)
        return ib_error_set(err, IB_E_NOMEM, "model %s: no memory",
                            use->plugin->name);
    out->nodes =
        (struct ib_model_nodes){IB_NONE, IB_NONE, IB_NONE, IB_NONE, IB_NONE};
    out->task = *task;
    s = model->build(use->options, task, g, &out->nodes, err);
    if (!s)
        s = rewrite(stack, task, g, &out->nodes, err);
    if (!s) /* attacks and defenses put losses there */
        ib_graph_keep(g, out->nodes.features);
    if (s) {
        ib_graph_free(g);
        return ib_error_prefix(err, "model %s", use->plugin->name);
    }
    s = ib_net_create(&out->net, g, max_batch, err);
    return s ? ib_error_prefix(err, "model %s", use->plugin->name) : IB_OK;
}

static enum ib_status copy_parameters(const struct ib_artifact *a,
                                      struct ib_loaded_model *m,
                                      struct ib_error *err)
{
    size_t n = ib_net_parameter_count(m->net), bytes;
    const float *from = a->data;

    if (!ib_size_mul(n, sizeof(float), &bytes) || bytes != a->size)
        return ib_error_set(err, IB_E_DATA,
                            "model %s: the artifact has %zu bytes of "
                            "parameters, the net has %zu parameters",
                            m->use.plugin->name, a->size, n);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(from[i]))
            return ib_error_set(err, IB_E_DATA,
                                "model %s: parameter %zu is not a finite "
                                "number",
                                m->use.plugin->name, i);
    if (bytes)
        memcpy(ib_net_parameters(m->net), from, bytes);
    return IB_OK;
}

enum ib_status ib_model_decode(const struct ib_registry *registry,
                               const struct ib_artifact *artifact,
                               int max_batch, struct ib_loaded_model *out,
                               struct ib_error *err)
{
    const cJSON *spec =
        cJSON_GetObjectItemCaseSensitive(artifact->meta, "spec");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(spec, "kind");
    const cJSON *plugin = cJSON_GetObjectItemCaseSensitive(spec, "plugin");
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
    if (!s)
        s = ib_stack_from_spec(
            registry, cJSON_GetObjectItemCaseSensitive(spec, "defenses"),
            &stack, err);
    if (!s)
        s = ib_model_build(&out->use, &stack, &task, max_batch, out, err);
    if (!s)
        s = copy_parameters(artifact, out, err);
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
