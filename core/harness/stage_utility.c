/* Stage utility: what a model and its response are worth on held-out data. */
#include <math.h>
#include <stdlib.h>

#include <invbench/math.h>

#include "data_io.h"
#include "evaluate.h"
#include "json_put.h"
#include "stage.h"

enum { BATCH = 64 };

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
    ib_utility_add(&s->u, &s->stack, &rows);
    return IB_OK;
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
        status = put(&s, key, err);
    ib_stack_free(&s.stack);
    ib_model_close(&s.model);
    ib_data_close(&s.data);
    free(s.counts);
    free(s.scores);
    return status;
}
