/* Stage sample: drawing from a prior, and scoring what comes (sample.h). */
#include <stdlib.h>
#include <string.h>

#include "data_io.h"
#include "json_put.h"
#include "prior_process.h"
#include "sample.h"

enum { BATCH = 64, SCRATCH_DEFAULT = 1 << 30 };

struct stage {
    const struct ib_stage_env *env;
    const cJSON *spec;
    struct ib_open_data data;
    struct ib_loaded_model judge;
    struct ib_artifact fitted;
    struct ib_public_parts parts;
    struct ib_images samples, real, held; /* as scored */
    uint8_t *picked;                      /* real and held, evenly spaced */
    size_t *nearest;
    struct ib_prior_result drawn;
    struct ib_scratch *scratch;
};

static enum ib_status open_inputs(struct stage *s, struct ib_error *err)
{
    const char *data = ib_at_text(s->spec, "data");
    const char *fitted = ib_at_text(s->spec, "fitted");
    const char *judge = ib_at_text(ib_at(s->spec, "evaluator"), "model");
    uint64_t seed = (uint64_t)ib_at_number(s->spec, "seed");
    enum ib_status status;

    if (!data || !judge || !ib_at_text(ib_at(s->spec, "plugin"), "name") ||
        !(ib_at_number(s->spec, "seed") >= 0))
        return ib_error_set(err, IB_E_INTERNAL,
                            "stage sample: plugin, data, evaluator or seed is "
                            "missing");
    status = ib_data_open(s->env, data, &s->data, err);
    if (!status && fitted)
        status = ib_store_get(s->env->store, fitted, &s->fitted, err);
    if (!status)
        status = ib_model_open(s->env, judge, BATCH, &s->judge, err);
    if (!status)
        status = ib_net_use_pool(s->judge.net, s->env->pool, err);
    if (!status && !ib_shape_equal(s->judge.task.shape, s->data.set.shape))
        status = ib_error_set(err, IB_E_DATA,
                              "the evaluator was not trained on this data");
    if (!status)
        status = ib_public_split(&s->data.set.split[IB_PUBLIC], seed, &s->parts,
                                 err);
    if (!status && s->parts.seen.n == 0)
        status = ib_error_set(err, IB_E_DENIED,
                              "samples are compared with public images; the "
                              "data set has none");
    return status;
}

/* n of x, evenly spaced. */
static struct ib_images pick(const struct ib_images *x, size_t n, uint8_t *to)
{
    size_t d = ib_shape_size(x->shape);

    for (size_t i = 0; i < n; i++)
        memcpy(to + i * d, x->pixels + i * x->n / n * d, d);
    return (struct ib_images){x->shape, n, to, NULL};
}

static enum ib_status pick_sets(struct stage *s, struct ib_error *err)
{
    const struct ib_public_parts *p = &s->parts;
    size_t d = ib_shape_size(s->data.set.shape);
    size_t held = p->held.n < IB_SAMPLES_MAX ? p->held.n : IB_SAMPLES_MAX;
    size_t real = held < p->seen.n ? held : p->seen.n;
    size_t n = held < IB_SAMPLES_MIN ? IB_SAMPLES_MIN : held;

    s->picked = malloc((held + real) * d + 1);
    s->nearest = calloc(n, sizeof(*s->nearest));
    if (!s->picked || !s->nearest)
        return ib_error_set(err, IB_E_NOMEM, "no memory for samples");
    s->held = pick(&p->held, held, s->picked);
    s->real = pick(&p->seen, real, s->picked + held * d);
    s->samples = (struct ib_images){s->data.set.shape, n, NULL, NULL};
    return IB_OK;
}

static enum ib_status draw(struct stage *s, struct ib_error *err)
{
    const struct ib_prior_job job = {
        .env = s->env,
        .prior = ib_at(s->spec, "plugin"),
        .images = &s->data.set.split[IB_PUBLIC],
        .seed = (uint64_t)ib_at_number(s->spec, "seed"),
        .fitted = s->fitted.data,
        .fitted_size = s->fitted.size,
        .samples = s->samples.n,
    };
    enum ib_status status = ib_prior_run(&job, &s->drawn, err);

    s->samples.pixels = s->drawn.data;
    return status;
}

static enum ib_status score(struct stage *s, cJSON *sample,
                            struct ib_error *err)
{
    const struct ib_model_nodes *nodes = &s->judge.nodes;
    size_t limit = s->env->memory_limit / 2;
    struct ib_sample_task task = {
        .samples = &s->samples,
        .real = &s->real,
        .held = &s->held,
        .seen = &s->parts.seen,
        .net = s->judge.net,
        .input = nodes->input,
        .features =
            nodes->features != IB_NONE ? nodes->features : nodes->logits,
    };

    s->scratch = ib_scratch_create(limit ? limit : SCRATCH_DEFAULT);
    task.scratch = s->scratch;
    if (!s->scratch)
        return ib_error_set(err, IB_E_NOMEM, "no memory to score samples in");
    return ib_sample_score(&task, sample, s->nearest, err);
}

static void put_nearest(bool *ok, const struct stage *s, cJSON *sample)
{
    cJSON *list = ib_put_array(ok, sample, "nearest");

    for (size_t i = 0; i < s->samples.n; i++)
        ib_put_number(ok, list, NULL,
                      (double)s->parts.seen_index[s->nearest[i]]);
}

static enum ib_status put_all(struct stage *s, const char *key,
                              struct ib_error *err)
{
    bool ok = true;
    cJSON *meta = cJSON_CreateObject(), *sample;
    enum ib_status status;

    ib_put_copy(&ok, meta, "spec", s->spec);
    sample = ib_put_object(&ok, meta, "sample");
    ib_put_number(&ok, sample, "n", (double)s->samples.n);
    ib_put_number(&ok, sample, "held", (double)s->held.n);
    ib_put_number(&ok, sample, "real", (double)s->real.n);
    ib_put_number(&ok, sample, "seen", (double)s->parts.seen.n);
    ib_put_text(&ok, sample, "evaluator",
                ib_at_text(ib_at(s->spec, "evaluator"), "id"));
    status = score(s, sample, err);
    put_nearest(&ok, s, sample);
    if (!status && !ok)
        status = ib_error_set(err, IB_E_NOMEM, "no memory for samples");
    if (!status)
        status = ib_store_put(s->env->store, key, meta, s->drawn.data,
                              s->drawn.size, err);
    cJSON_Delete(meta);
    return status;
}

static void stage_close(struct stage *s)
{
    ib_prior_result_free(&s->drawn);
    ib_public_parts_free(&s->parts);
    ib_model_close(&s->judge);
    ib_artifact_free(&s->fitted);
    if (s->data.owned)
        ib_data_close(&s->data);
    ib_scratch_free(s->scratch);
    free(s->picked);
    free(s->nearest);
}

enum ib_status ib_stage_sample(const struct ib_stage_env *env,
                               const cJSON *spec, const char *key,
                               struct ib_error *err)
{
    struct stage s = {.env = env, .spec = spec};
    enum ib_status status = open_inputs(&s, err);

    if (!status)
        status = pick_sets(&s, err);
    if (!status)
        status = draw(&s, err);
    if (!status)
        status = put_all(&s, key, err);
    stage_close(&s);
    return status;
}
