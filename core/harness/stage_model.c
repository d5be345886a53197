/* Stage model: data, graph by plugin, training with the stack's hooks. */
#include <string.h>

#include "checkpoint.h"
#include "data_io.h"
#include "model_io.h"
#include "stack.h"

enum { CHECKPOINT_SECONDS = 20 };

struct job {
    const char *role, *data;
    uint64_t seed;
    struct ib_stack stack;
    struct ib_open_data open;
    struct ib_loaded_model model;
    struct ib_checkpoint_file checkpoint;
};

static enum ib_status read_spec(const struct ib_stage_env *env,
                                const cJSON *spec, struct job *j,
                                struct ib_error *err)
{
    const cJSON *role = cJSON_GetObjectItemCaseSensitive(spec, "role");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(spec, "data");
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(spec, "seed");
    enum ib_status s;

    if (!cJSON_IsString(role) || !cJSON_IsString(data) ||
        !cJSON_IsNumber(seed) || seed->valuedouble < 0)
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage model: role, data or seed is missing");
    j->role = role->valuestring;
    j->data = data->valuestring;
    j->seed = (uint64_t)seed->valuedouble;
    s = ib_stack_from_spec(env->registry,
                           cJSON_GetObjectItemCaseSensitive(spec, "defenses"),
                           &j->stack, err);
    if (s)
        return s;
    return ib_use_from_spec(env->registry, IB_KIND_MODEL,
                            cJSON_GetObjectItemCaseSensitive(spec, "plugin"),
                            &j->model.use, err);
}

static enum ib_status train(const struct ib_stage_env *env, struct job *j,
                            struct ib_error *err)
{
    const struct ib_dataset *set = &j->open.set;
    const struct ib_model *model = (const struct ib_model *)j->model.use.plugin;
    const struct ib_train_options *options = j->model.use.options;
    struct ib_model_task task = {set->shape, set->classes};
    struct ib_train_hook hooks[IB_STACK_MAX];
    struct ib_phase phases[IB_PHASES_MAX];
    struct ib_training t = {.data = &set->split[IB_TRAIN],
                            .classes = set->classes,
                            .options = *options,
                            .phases = phases,
                            .hooks = hooks,
                            .seed = j->seed,
                            .role = j->role,
                            .reporter = env->reporter};
    enum ib_status s = ib_model_build(&j->model.use, &j->stack, &task,
                                      (int)options->batch, &j->model, err);

    if (!s)
        s = ib_net_use_pool(j->model.net, env->pool, err);
    if (s)
        return s;
    t.net = j->model.net;
    t.input = j->model.nodes.input;
    t.logits = j->model.nodes.logits;
    t.n_hooks = ib_stack_hooks(&j->stack, hooks);
    if (model->phases)
        t.n_phases = model->phases(j->model.use.options, &j->model.nodes,
                                   ib_net_graph(t.net), phases);
    t.n_phases =
        ib_stack_phases(&j->stack, &j->model.nodes, &t, phases, t.n_phases);
    t.checkpoint = &j->checkpoint.hooks;
    return ib_train(&t, err);
}

static enum ib_status put(const struct ib_stage_env *env, const cJSON *spec,
                          const char *key, const struct job *j,
                          struct ib_error *err)
{
    const struct ib_shape shape = j->model.task.shape;
    size_t n = ib_net_parameter_count(j->model.net);
    cJSON *meta = cJSON_CreateObject();
    cJSON *copy = cJSON_Duplicate(spec, true);
    cJSON *dims = cJSON_CreateIntArray((int[]){shape.c, shape.h, shape.w}, 3);
    enum ib_status s;

    if (!cJSON_AddItemToObject(meta, "spec", copy) ||
        !cJSON_AddItemToObject(meta, "shape", dims) ||
        !cJSON_AddNumberToObject(meta, "classes", j->model.task.classes) ||
        !cJSON_AddNumberToObject(meta, "parameters", (double)n))
        s = ib_error_set(err, IB_E_NOMEM, "stage model: no memory");
    else
        s = ib_store_put(env->store, key, meta, ib_net_parameters(j->model.net),
                         n * sizeof(float), err);
    cJSON_Delete(meta);
    return s;
}

enum ib_status ib_stage_model(const struct ib_stage_env *env, const cJSON *spec,
                              const char *key, struct ib_error *err)
{
    struct job j;
    enum ib_status s;

    memset(&j, 0, sizeof(j));
    s = read_spec(env, spec, &j, err);
    if (!s)
        s = ib_data_open(env, j.data, &j.open, err);
    if (s)
        goto done;
    ib_checkpoint_open(&j.checkpoint, env->store, key, CHECKPOINT_SECONDS);
    s = train(env, &j, err);
    if (!s)
        s = put(env, spec, key, &j, err);
    /* what fails would fail again from its last checkpoint on */
    ib_checkpoint_close(&j.checkpoint, s != IB_E_IO);
    ib_data_close(&j.open);
done:
    ib_model_close(&j.model);
    ib_stack_free(&j.stack);
    return s;
}
