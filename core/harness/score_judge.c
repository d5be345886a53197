/* Evaluators: opening them, and their features of the data. */
#include <stdlib.h>

#include "json_put.h"
#include "score.h"

static cJSON *features_spec(const struct ib_stage_env *env, const char *model,
                            const char *data, const char *split)
{
    bool ok = true;
    cJSON *spec = cJSON_CreateObject();
    ib_put_text(&ok, spec, "kind", "features");
    ib_put_text(&ok, spec, "model", model);
    ib_put_text(&ok, spec, "data", data);
    ib_put_text(&ok, spec, "split", split);
    ib_put_text(&ok, spec, "numerics", ib_numerics(env->registry));
    ib_put_text(&ok, spec, "code", ib_code_hash("score"));
    if (ok)
        return spec;
    cJSON_Delete(spec);
    return NULL;
}

static enum ib_status features_compute(struct ib_judge *j,
                                       const struct ib_images *images,
                                       size_t bytes, float **out,
                                       struct ib_error *err)
{
    *out = malloc(bytes ? bytes : 1);
    if (!*out)
        return ib_error_set(err, IB_E_NOMEM,
                            "evaluator %s: no memory for %zu features", j->id,
                            bytes / sizeof(float));
    ib_predict(j->model.net, j->model.nodes.input, j->feature_node, images,
               *out);
    return IB_OK;
}

static enum ib_status features_put(struct ib_store *store, const char *key,
                                   const cJSON *spec, const float *x,
                                   size_t bytes, struct ib_error *err)
{
    bool ok = true;
    cJSON *meta = cJSON_CreateObject();
    ib_put_copy(&ok, meta, "spec", spec);
    enum ib_status status =
        ok ? ib_store_put(store, key, meta, x, bytes, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory for features");
    cJSON_Delete(meta);
    return status;
}

/* One split's features: from the store, or computed and kept there. */
static enum ib_status features_of(const struct ib_stage_env *env,
                                  struct ib_judge *j, const cJSON *spec,
                                  const struct ib_images *images, int slot,
                                  struct ib_error *err)
{
    char key[IB_KEY_SIZE];
    struct ib_artifact *kept = &j->kept[slot];
    size_t bytes = images->n * (size_t)j->features * sizeof(float);
    enum ib_status status = ib_json_key(spec, key, err);
    if (status)
        return status;
    if (ib_store_has(env->store, key) &&
        ib_store_get(env->store, key, kept, NULL) == IB_OK) {
        if (kept->size == bytes)
            return IB_OK;
        ib_artifact_free(kept);
        *kept = (struct ib_artifact){0};
    }
    status = features_compute(j, images, bytes, &j->computed[slot], err);
    if (!status)
        status =
            features_put(env->store, key, spec, j->computed[slot], bytes, err);
    return status;
}

static enum ib_status split_features(const struct ib_stage_env *env,
                                     struct ib_judge *j, const char *keys[2],
                                     const struct ib_dataset *data, int slot,
                                     struct ib_error *err)
{
    enum ib_split split = slot ? IB_PUBLIC : IB_TRAIN;
    if (!data->split[split].n)
        return IB_OK;
    cJSON *spec = features_spec(env, keys[0], keys[1], ib_split_names[split]);
    enum ib_status status =
        spec ? features_of(env, j, spec, &data->split[split], slot, err)
             : ib_error_set(err, IB_E_NOMEM, "no memory for features");
    const float **to = slot ? &j->public_feature : &j->private_feature;
    *to = j->computed[slot] ? j->computed[slot] : j->kept[slot].data;
    cJSON_Delete(spec);
    return status;
}

enum ib_status ib_judge_open(const struct ib_stage_env *env, const cJSON *spec,
                             const char *data_key,
                             const struct ib_dataset *data,
                             struct ib_judge *out, struct ib_error *err)
{
    const char *keys[2] = {ib_at_text(spec, "model"), data_key};
    *out = (struct ib_judge){.id = ib_at_text(spec, "id")};
    if (!out->id || !keys[0])
        return ib_error_set(err, IB_E_INTERNAL,
                            "an evaluator of the spec has no id or model");
    enum ib_status status =
        ib_model_open(env, keys[0], IB_JUDGE_BATCH, &out->model, err);
    if (status)
        return status;
    if (out->model.task.classes != data->classes ||
        !ib_shape_equal(out->model.task.shape, data->shape))
        return ib_error_set(err, IB_E_DATA,
                            "evaluator %s was not trained on this data",
                            out->id);
    out->feature_node = out->model.nodes.features != IB_NONE
                            ? out->model.nodes.features
                            : out->model.nodes.logits;
    out->features = (int)ib_shape_size(
        ib_graph_shape(ib_net_graph(out->model.net), out->feature_node));
    for (int slot = 0; !status && slot < 2; slot++)
        status = split_features(env, out, keys, data, slot, err);
    return status;
}

void ib_judge_close(struct ib_judge *j)
{
    ib_model_close(&j->model);
    for (int i = 0; i < 2; i++) {
        ib_artifact_free(&j->kept[i]);
        free(j->computed[i]);
    }
    *j = (struct ib_judge){0};
}
