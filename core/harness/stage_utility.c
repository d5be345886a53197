/* Stage utility: what a model and its response are worth on held-out data, and
 * how well the model itself fits the data that it was trained on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/math.h>

#include "data_io.h"
#include "evaluate.h"
#include "json_put.h"
#include "stage.h"

enum { BATCH = 64, TRAIN_MAX = 10000 };

struct stage {
    const struct ib_stage_env *env;
    const cJSON *spec;
    struct ib_open_data data;
    struct ib_loaded_model model;
    struct ib_stack stack;
    uint64_t seed;
    size_t *counts; /* 2 x K */
    float *scores;  /* (n + 1) x K */
    struct ib_utility u;
    size_t train_n, train_hits;
};

/* The seed of a response is its model's. */
static enum ib_status model_seed(struct stage *s, const char *key,
                                 struct ib_error *err)
{
    struct ib_artifact a = {0};
    enum ib_status status = ib_store_get(s->env->store, key, &a, err);
    if (status)
        return status;
    double seed = ib_at_number(ib_at(a.meta, "spec"), "seed");
    s->seed = seed >= 0 ? (uint64_t)seed : 0;
    ib_artifact_free(&a);
    return IB_OK;
}

static enum ib_status stage_open(struct stage *s, struct ib_error *err)
{
    const char *model = ib_at_text(s->spec, "model");
    const char *data = ib_at_text(s->spec, "data");
    if (!model || !data)
        return ib_error_set(err, IB_E_INTERNAL,
                            "the spec names no model or no data");
    enum ib_status status = ib_data_open(s->env, data, &s->data, err);
    if (!status)
        status = ib_model_open(s->env, model, BATCH, &s->model, err);
    if (!status)
        status = model_seed(s, model, err);
    if (!status)
        status = ib_stack_from_spec(s->env->registry,
                                    ib_at(s->spec, "defenses"), &s->stack, err);
    if (status)
        return status;
    if (!s->data.set.split[IB_HOLDOUT].n)
        return ib_error_set(err, IB_E_DENIED, "the data has no holdout split");
    return IB_OK;
}

static enum ib_status measure(struct stage *s, struct ib_error *err)
{
    const struct ib_images *x = &s->data.set.split[IB_HOLDOUT];
    size_t k = (size_t)s->model.task.classes;
    s->counts = calloc(2 * k, sizeof *s->counts);
    s->scores = calloc((x->n + 1) * k, sizeof *s->scores);
    if (!s->counts || !s->scores)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu answers", x->n);
    ib_predict(s->model.net, s->model.nodes.input, s->model.nodes.logits, x,
               s->scores);
    for (size_t i = 0; i < x->n * k; i++)
        if (!isfinite(s->scores[i]))
            return ib_error_set(err, IB_E_NUMERIC,
                                "the model's answer to held-out image %zu is "
                                "not a number",
                                i / k);
    ib_softmax_rows(x->n, k, s->scores, s->scores);
    s->u.correct = s->counts;
    s->u.total = s->counts + k;
    struct ib_utility_rows rows = {.n = x->n,
                                   .classes = (int)k,
                                   .scores = s->scores,
                                   .label = x->identity,
                                   .seed = s->seed};
    return ib_utility_add(&s->u, &s->stack, &rows, err);
}

/* At most TRAIN_MAX training images, evenly spaced over the split. */
static enum ib_status sample_train(const struct ib_images *all,
                                   struct ib_images *out, void **owned,
                                   struct ib_error *err)
{
    size_t d = ib_shape_size(all->shape);
    size_t n = all->n < TRAIN_MAX ? all->n : TRAIN_MAX;
    int32_t *label = malloc(n * (sizeof(*label) + d) + 1);
    uint8_t *pixels = (uint8_t *)(label + n);
    if (!label)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", n);
    for (size_t i = 0; i < n; i++) {
        size_t from = i * all->n / n;
        memcpy(pixels + i * d, all->pixels + from * d, d);
        label[i] = all->identity[from];
    }
    *out = (struct ib_images){all->shape, n, pixels, label};
    *owned = label;
    return IB_OK;
}

static enum ib_status measure_train(struct stage *s, struct ib_error *err)
{
    size_t k = (size_t)s->model.task.classes;
    struct ib_images x;
    void *owned = NULL;
    float *z = NULL;
    enum ib_status status =
        sample_train(&s->data.set.split[IB_TRAIN], &x, &owned, err);
    if (status)
        return status;
    z = malloc(x.n * k * sizeof *z + 1);
    if (!z)
        status =
            ib_error_set(err, IB_E_NOMEM, "no memory for %zu answers", x.n);
    else
        ib_predict(s->model.net, s->model.nodes.input, s->model.nodes.logits,
                   &x, z);
    for (size_t i = 0; !status && i < x.n; i++) {
        size_t best = 0;
        for (size_t j = 1; j < k; j++)
            if (z[i * k + j] > z[i * k + best])
                best = j;
        s->train_hits += (int32_t)best == x.identity[i];
    }
    s->train_n = x.n;
    free(z);
    free(owned);
    return status;
}

static void put_counts(bool *ok, cJSON *o, const char *name, const size_t *x,
                       int k)
{
    cJSON *row = ib_put_array(ok, o, name);
    for (int i = 0; i < k; i++)
        ib_put(ok, row, NULL, cJSON_CreateNumber((double)x[i]));
}

static enum ib_status put(struct stage *s, const char *key,
                          struct ib_error *err)
{
    bool ok = true;
    double n = (double)s->u.n;
    int k = s->model.task.classes;
    cJSON *meta = cJSON_CreateObject();
    ib_put_copy(&ok, meta, "spec", s->spec);
    cJSON *o = ib_put_object(&ok, meta, "utility");
    ib_put_number(&ok, o, "n", n);
    ib_put_number(&ok, o, "accuracy", (double)s->u.hits / n);
    ib_put_number(&ok, o, "ece", ib_ece_value(&s->u.ece));
    ib_put_number(&ok, o, "distortion", s->u.distortion / n);
    put_counts(&ok, o, "correct", s->u.correct, k);
    put_counts(&ok, o, "total", s->u.total, k);
    o = ib_put_object(&ok, o, "train");
    ib_put_number(&ok, o, "n", (double)s->train_n);
    ib_put_number(&ok, o, "of", (double)s->data.set.split[IB_TRAIN].n);
    ib_put_number(&ok, o, "accuracy",
                  (double)s->train_hits / (double)s->train_n);
    enum ib_status status =
        ok ? ib_store_put(s->env->store, key, meta, NULL, 0, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory for the utility");
    cJSON_Delete(meta);
    return status;
}

enum ib_status ib_stage_utility(const struct ib_stage_env *env,
                                const cJSON *spec, const char *key,
                                struct ib_error *err)
{
    struct stage s = {.env = env, .spec = spec};
    enum ib_status status = stage_open(&s, err);
    if (!status)
        status = measure(&s, err);
    if (!status)
        status = measure_train(&s, err);
    if (!status)
        status = put(&s, key, err);
    ib_stack_free(&s.stack);
    ib_model_close(&s.model);
    ib_data_close(&s.data);
    free(s.counts);
    free(s.scores);
    return status;
}
