/* Stage model: data, graph by plugin, training with the stack's hooks. A shadow
 * model is a target that learns from its half of the pool (shadow.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "data_io.h"
#include "json_put.h"
#include "model_io.h"
#include "shadow.h"
#include "stack.h"

enum { CHECKPOINT_SECONDS = 20 };

struct job {
    const char *role, *data;
    char shadow_role[32];
    int shadow; /* its number; -1: no shadow model */
    uint64_t seed;
    struct ib_stack stack;
    struct ib_open_data open;
    struct ib_images images; /* what it learns from */
    void *half;              /* a shadow model's own copy of them */
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
    const cJSON *shadow = cJSON_GetObjectItemCaseSensitive(spec, "shadow");
    enum ib_status s;

    if (!cJSON_IsString(role) || !cJSON_IsString(data) ||
        !cJSON_IsNumber(seed) || seed->valuedouble < 0)
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage model: role, data or seed is missing");
    j->role = role->valuestring;
    j->data = data->valuestring;
    j->seed = (uint64_t)seed->valuedouble;
    j->shadow = -1;
    if (strcmp(j->role, "shadow") == 0) {
        if (!cJSON_IsNumber(shadow) || shadow->valuedouble < 0)
            return ib_error_set(err, IB_E_INTERNAL,
                                "stage model: a shadow model has no number");
        j->shadow = shadow->valueint;
        snprintf(j->shadow_role, sizeof(j->shadow_role), "shadow-%d",
                 j->shadow);
        j->role = j->shadow_role;
    }
    s = ib_stack_from_spec(env->registry,
                           cJSON_GetObjectItemCaseSensitive(spec, "defenses"),
                           &j->stack, err);
    if (s)
        return s;
    return ib_use_from_spec(env->registry, IB_KIND_MODEL,
                            cJSON_GetObjectItemCaseSensitive(spec, "plugin"),
                            &j->model.use, err);
}

static enum ib_status open_images(const struct ib_stage_env *env, struct job *j,
                                  struct ib_error *err)
{
    enum ib_status s = ib_data_open(env, j->data, &j->open, err);

    if (s)
        return s;
    j->images = j->open.set.split[IB_TRAIN];
    if (j->shadow >= 0)
        s = ib_shadow_images(&j->open.set, j->seed, j->shadow, &j->images,
                             &j->half, err);
    if (s)
        ib_data_close(&j->open);
    return s;
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
    struct ib_training t = {.data = &j->images,
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

static cJSON *make_meta(const cJSON *spec, const struct job *j)
{
    const struct ib_shape shape = j->model.task.shape;
    bool ok = true;
    cJSON *meta = cJSON_CreateObject();

    ib_put_copy(&ok, meta, "spec", spec);
    ib_put(&ok, meta, "shape",
           cJSON_CreateIntArray((int[]){shape.c, shape.h, shape.w}, 3));
    ib_put_number(&ok, meta, "classes", j->model.task.classes);
    ib_put_number(&ok, meta, "parameters",
                  (double)ib_net_parameter_count(j->model.net));
    ib_put_number(&ok, meta, "state", (double)ib_net_state_count(j->model.net));
    if (ok)
        return meta;
    cJSON_Delete(meta);
    return NULL;
}

static enum ib_status put(const struct ib_stage_env *env, const cJSON *spec,
                          const char *key, const struct job *j,
                          struct ib_error *err)
{
    size_t n = ib_model_numbers(j->model.net);
    float *numbers = malloc(n * sizeof(*numbers) + 1);
    cJSON *meta = make_meta(spec, j);
    enum ib_status s;

    if (!numbers || !meta) {
        s = ib_error_set(err, IB_E_NOMEM, "stage model: no memory");
    } else {
        ib_model_save(j->model.net, numbers);
        s = ib_store_put(env->store, key, meta, numbers, n * sizeof(*numbers),
                         err);
    }
    free(numbers);
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
        s = open_images(env, &j, err);
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
    free(j.half);
    return s;
}
