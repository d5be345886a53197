/* What the images themselves and the target say of a reconstruction. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/math.h>

#include "json_put.h"
#include "score.h"
#include "stack.h"

static size_t count_distinct(const struct ib_images *x)
{
    size_t d = ib_shape_size(x->shape), distinct = 0;
    for (size_t i = 0; i < x->n; i++) {
        size_t j = 0;
        while (j < i && memcmp(x->pixels + i * d, x->pixels + j * d, d))
            j++;
        distinct += j == i;
    }
    return distinct;
}

/* RMS difference from the mean image: over pixels of sum x^2 - (sum x)^2/n,
 * in integers. */
static double spread(const struct ib_images *x)
{
    size_t d = ib_shape_size(x->shape);
    double total = 0;
    for (size_t p = 0; p < d; p++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < x->n; i++) {
            uint64_t v = x->pixels[i * d + p];
            sum += v;
            squares += v * v;
        }
        total += (double)squares - (double)sum * (double)sum / (double)x->n;
    }
    return total > 0 ? sqrt(total / ((double)x->n * (double)d)) / 255 : 0;
}

static double contrast(const uint8_t *pixels, size_t d)
{
    uint64_t sum = 0, squares = 0;
    for (size_t p = 0; p < d; p++) {
        sum += pixels[p];
        squares += (uint64_t)pixels[p] * pixels[p];
    }
    double mean = (double)sum / (double)d;
    double variance = (double)squares / (double)d - mean * mean;
    return variance > 0 ? sqrt(variance) / 255 : 0;
}

cJSON *ib_score_output(const struct ib_images *x)
{
    bool ok = true;
    size_t d = ib_shape_size(x->shape);
    double sum = 0;
    cJSON *o = cJSON_CreateObject();
    for (size_t i = 0; i < x->n; i++)
        sum += contrast(x->pixels + i * d, d);
    ib_put_number(&ok, o, "distinct", (double)count_distinct(x));
    ib_put_number(&ok, o, "spread", x->n ? spread(x) : 0);
    ib_put_number(&ok, o, "contrast", x->n ? sum / (double)x->n : 0);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* Far from the ordinals of an attack's own questions. */
static const uint64_t first_ordinal = UINT64_C(1) << 40;

/* What the target is asked, and through what. */
struct question {
    const struct ib_recon *recon;
    const struct ib_stack *stack;
    uint64_t seed;
    int classes;
};

/* scores: logits in, answers out; out: per target, that of its own class. */
static enum ib_status answer(const struct question *q, float *scores,
                             double *out, struct ib_error *err)
{
    const struct ib_recon *recon = q->recon;
    int k = q->classes, label;
    size_t n = (size_t)recon->targets * (size_t)recon->images;
    for (int t = 0; t < recon->targets; t++)
        out[t] = 0;
    ib_softmax_rows(n, (size_t)k, scores, scores);
    for (size_t i = 0; i < n; i++) {
        size_t t = i / (size_t)recon->images;
        struct ib_asker who = {.seed = q->seed,
                               .identity = recon->target[t],
                               .ordinal =
                                   first_ordinal + i % (size_t)recon->images};
        enum ib_status status = ib_stack_respond(
            q->stack, k, scores + i * (size_t)k, &who, &label, err);
        if (status)
            return status;
        double x = scores[i * (size_t)k + (size_t)recon->target[t]];
        out[t] += fmin(fmax(x, 0), 1) / recon->images;
    }
    return IB_OK;
}

static enum ib_status ask(struct ib_loaded_model *model,
                          const struct ib_recon *recon,
                          const struct ib_stack *stack, cJSON **out,
                          struct ib_error *err)
{
    int k = model->task.classes;
    struct ib_images images = {.shape = recon->shape,
                               .n = (size_t)recon->targets *
                                    (size_t)recon->images,
                               .pixels = recon->pixels};
    double seed = ib_at_number(ib_at(recon->artifact.meta, "spec"), "seed");
    float *scores = calloc(images.n * (size_t)k + 1, sizeof *scores);
    double *all = calloc((size_t)recon->targets + 1, sizeof *all);
    enum ib_status status = IB_OK;
    if (scores && all) {
        const struct question q = {recon, stack, seed >= 0 ? (uint64_t)seed : 0,
                                   k};
        ib_predict(model->net, model->nodes.input, model->nodes.logits, &images,
                   scores);
        status = answer(&q, scores, all, err);
        *out = status ? NULL : cJSON_CreateDoubleArray(all, recon->targets);
    }
    free(scores);
    free(all);
    if (status || *out)
        return status;
    return ib_error_set(err, IB_E_NOMEM, "no memory for answers");
}

enum ib_status ib_score_answers(const struct ib_stage_env *env,
                                const struct ib_recon *recon, cJSON **out,
                                struct ib_error *err)
{
    const cJSON *spec = ib_at(recon->artifact.meta, "spec");
    const char *kind = ib_at_text(spec, "kind");
    const char *key = ib_at_text(spec, "model");
    struct ib_loaded_model model = {0};
    struct ib_stack stack = {0};
    *out = NULL;
    if (!kind || strcmp(kind, "attack") || !key)
        return IB_OK;
    enum ib_status status =
        ib_model_open(env, key, IB_JUDGE_BATCH, &model, err);
    if (!status)
        status = ib_stack_from_spec(env->registry, ib_at(spec, "defenses"),
                                    &stack, err);
    if (!status)
        status = ask(&model, recon, &stack, out, err);
    ib_stack_free(&stack);
    ib_model_close(&model);
    return status;
}
