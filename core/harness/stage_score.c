/* Stage score: reconstructions in, every metric out (score.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_put.h"
#include "score.h"

enum { METRICS_MAX = 64 };

struct stage {
    const struct ib_stage_env *env;
    const cJSON *spec;
    const char *data_key;
    struct ib_recon recon;
    struct ib_open_data data;
    struct ib_judge judges[IB_JUDGES_MAX];
    struct ib_use metrics[METRICS_MAX];
    int images;      /* scored of each target */
    int32_t *target; /* of each image that is scored */
    uint8_t *picked; /* those images; NULL: all of them are */
    struct ib_score_task task;
};

static enum ib_status check_recon(struct stage *s, struct ib_error *err)
{
    const struct ib_dataset *d = &s->data.set;
    const struct ib_recon *r = &s->recon;
    if (!ib_shape_equal(r->shape, d->shape))
        return ib_error_set(err, IB_E_DATA,
                            "reconstructions are %dx%dx%d, the data %dx%dx%d",
                            r->shape.c, r->shape.h, r->shape.w, d->shape.c,
                            d->shape.h, d->shape.w);
    for (int i = 0; i < r->targets; i++)
        if (r->target[i] < 0 || r->target[i] >= d->classes)
            return ib_error_set(err, IB_E_DATA,
                                "reconstruction %d is of class %d; 0..%d is "
                                "allowed",
                                i, (int)r->target[i], d->classes - 1);
    return IB_OK;
}

static enum ib_status open_inputs(struct stage *s, struct ib_error *err)
{
    const char *recon = ib_at_text(s->spec, "reconstructions");
    s->data_key = ib_at_text(s->spec, "data");
    if (!recon || !s->data_key)
        return ib_error_set(err, IB_E_INTERNAL,
                            "the spec names no reconstructions or no data");
    enum ib_status status = ib_recon_open(s->env->store, recon, &s->recon, err);
    if (!status)
        status = ib_data_open(s->env, s->data_key, &s->data, err);
    return status ? status : check_recon(s, err);
}

static enum ib_status open_judges(struct stage *s, struct ib_error *err)
{
    const cJSON *item;
    enum ib_status status = IB_OK;
    cJSON_ArrayForEach(item, ib_at(s->spec, "evaluators"))
    {
        int i = s->task.n_judges;
        if (i == IB_JUDGES_MAX)
            return ib_error_set(err, IB_E_USAGE,
                                "at most %d evaluators can judge a cell",
                                IB_JUDGES_MAX);
        s->task.n_judges++;
        status = ib_judge_open(s->env, item, s->data_key, &s->data.set,
                               &s->judges[i], err);
        if (status)
            return status;
    }
    return status;
}

static enum ib_status open_metrics(struct stage *s, struct ib_error *err)
{
    const cJSON *item;
    enum ib_status status = IB_OK;
    cJSON_ArrayForEach(item, ib_at(s->spec, "metrics"))
    {
        int i = s->task.n_metrics;
        if (i == METRICS_MAX)
            return ib_error_set(err, IB_E_USAGE,
                                "at most %d metrics can score a cell",
                                METRICS_MAX);
        status = ib_use_from_spec(s->env->registry, IB_KIND_METRIC, item,
                                  &s->metrics[i], err);
        if (status)
            return status;
        s->task.n_metrics++;
    }
    return status;
}

/* A layer of the reconstructions (0: final), thinned out where a target has
 * more images than are scored. */
static const uint8_t *layer_images(struct stage *s, int layer)
{
    const struct ib_recon *r = &s->recon;
    size_t d = ib_shape_size(r->shape), all = (size_t)r->images;
    size_t n = (size_t)s->images, targets = (size_t)r->targets;
    const uint8_t *from = r->pixels + (size_t)layer * targets * all * d;
    if (!s->picked)
        return from;
    for (size_t t = 0; t < targets; t++)
        for (size_t i = 0; i < n; i++)
            memcpy(s->picked + (t * n + i) * d,
                   from + (t * all + i * all / n) * d, d);
    return s->picked;
}

static enum ib_status open_task(struct stage *s, struct ib_error *err)
{
    const struct ib_recon *r = &s->recon;
    size_t limit =
        s->env->memory_limit ? s->env->memory_limit / 2 : (size_t)2 << 30;
    bool thin = r->images > IB_SCORED_IMAGES;
    s->images = thin ? IB_SCORED_IMAGES : r->images;
    size_t n = (size_t)r->targets * (size_t)s->images;
    s->task.data = &s->data.set;
    s->task.judges = s->judges;
    s->task.metrics = s->metrics;
    s->task.scratch = ib_scratch_create(limit);
    s->target = calloc(n + 1, sizeof *s->target);
    s->picked = thin ? calloc(n, ib_shape_size(r->shape)) : NULL;
    if (!s->task.scratch || !s->target || (thin && !s->picked))
        return ib_error_set(err, IB_E_NOMEM, "no memory to score in");
    for (size_t i = 0; i < n; i++)
        s->target[i] = r->target[i / (size_t)s->images];
    s->task.images =
        (struct ib_images){r->shape, n, layer_images(s, 0), s->target};
    return IB_OK;
}

static void put_column(bool *ok, const struct stage *s,
                       const struct ib_score_column *c, cJSON *values,
                       cJSON *reasons)
{
    size_t images = (size_t)s->images;
    bool missing = false;
    cJSON *row = ib_put_array(ok, values, c->name);
    for (int t = 0; t < s->recon.targets; t++) {
        double x = ib_score_reduce(c, (size_t)t * images, images);
        missing |= isnan(x);
        ib_put(ok, row, NULL, ib_json_number(x));
    }
    if (missing)
        ib_put_text(ok, reasons, c->name,
                    c->reason ? c->reason : "a class number has no mean");
}

static void put_set(bool *ok, const struct ib_score_column *c, size_t n,
                    cJSON *scores)
{
    size_t sets = 0;
    for (size_t i = 0; i < n; i++)
        sets += c[i].of_set;
    if (!sets)
        return;
    cJSON *set = ib_put_object(ok, scores, "set");
    ib_put(ok, set, "columns", ib_score_columns_json(c, n, true));
    cJSON *values = ib_put_object(ok, set, "values");
    cJSON *reasons = ib_put_object(ok, set, "reasons");
    for (size_t i = 0; i < n; i++) {
        if (!c[i].of_set)
            continue;
        ib_put_number(ok, values, c[i].name, *c[i].value);
        if (isnan(*c[i].value))
            ib_put_text(ok, reasons, c[i].name,
                        c[i].reason ? c[i].reason : "no reason was given");
    }
}

static enum ib_status score_final(struct stage *s, cJSON *scores,
                                  struct ib_error *err)
{
    struct ib_score_column *c = NULL;
    cJSON *answers = NULL;
    size_t n = 0;
    bool ok = true;
    enum ib_status status = ib_score_images(&s->task, &c, &n, err);
    if (!status)
        status = ib_score_answers(s->env, &s->recon, &answers, err);
    if (status)
        return status;
    ib_put(&ok, scores, "columns", ib_score_columns_json(c, n, false));
    ib_put(&ok, scores, "targets",
           cJSON_CreateIntArray(s->recon.target, s->recon.targets));
    ib_put_number(&ok, scores, "images", s->images);
    cJSON *values = ib_put_object(&ok, scores, "values");
    cJSON *reasons = ib_put_object(&ok, scores, "reasons");
    for (size_t i = 0; i < n; i++)
        if (!c[i].of_set)
            put_column(&ok, s, &c[i], values, reasons);
    put_set(&ok, c, n, scores);
    ib_put(&ok, scores, "answers", answers ? answers : cJSON_CreateNull());
    ib_put(&ok, scores, "output", ib_score_output(&s->task.images));
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for scores");
}

/* Share of slots that asked as much as checkpoint i. */
static double share_reached(const struct stage *s, int i)
{
    const cJSON *row = cJSON_GetArrayItem(ib_at(s->recon.meta, "reached"), i),
                *item;
    int yes = 0;
    cJSON_ArrayForEach(item, row) yes += cJSON_IsTrue(item);
    return s->recon.targets ? (double)yes / s->recon.targets : 0;
}

/* Mean over targets of the mean over a target's images. */
static double column_mean(const struct stage *s,
                          const struct ib_score_column *c)
{
    size_t images = (size_t)s->images;
    double sum = 0;
    int n = 0;
    for (int t = 0; t < s->recon.targets; t++) {
        double x = ib_score_reduce(c, (size_t)t * images, images);
        if (isnan(x))
            continue;
        sum += x;
        n++;
    }
    return n ? sum / n : NAN;
}

/* Is checkpoint i half of what the attack was allowed to ask? */
static bool is_half(const struct stage *s, int i)
{
    const cJSON *spec = ib_at(s->recon.artifact.meta, "spec");
    double budget = ib_at_number(spec, "max_queries");

    return budget >= 2 && (double)s->recon.checkpoint[i] == floor(budget / 2);
}

static void put_half(bool *ok, const struct stage *s,
                     const struct ib_score_column *c, size_t n, cJSON *scores)
{
    size_t images = (size_t)s->images;
    cJSON *half = ib_put_object(ok, scores, "half");

    for (size_t k = 0; k < n; k++) {
        cJSON *row = ib_put_array(ok, half, c[k].name);
        for (int t = 0; t < s->recon.targets; t++)
            ib_put(ok, row, NULL,
                   ib_json_number(
                       ib_score_reduce(&c[k], (size_t)t * images, images)));
    }
}

static enum ib_status score_checkpoint(struct stage *s, int i, cJSON *all,
                                       struct ib_error *err)
{
    struct ib_score_column *c = NULL;
    size_t n = 0, mark = ib_scratch_mark(s->task.scratch);
    struct ib_score_task task = s->task;
    bool ok = true;
    task.curve = true;
    task.images.pixels = layer_images(s, i + 1);
    enum ib_status status = ib_score_images(&task, &c, &n, err);
    if (status)
        return status;
    cJSON *point = ib_put_object(
        &ok, cJSON_GetObjectItemCaseSensitive(all, "curve"), NULL);
    ib_put_number(&ok, point, "queries", (double)s->recon.checkpoint[i]);
    ib_put_number(&ok, point, "reached", share_reached(s, i));
    cJSON *scores = ib_put_object(&ok, point, "scores");
    for (size_t k = 0; k < n; k++)
        ib_put_number(&ok, scores, c[k].name, column_mean(s, &c[k]));
    if (is_half(s, i))
        put_half(&ok, s, c, n, all);
    ib_scratch_reset(s->task.scratch, mark);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for scores");
}

static enum ib_status score_all(struct stage *s, const char *key,
                                struct ib_error *err)
{
    bool ok = true;
    cJSON *meta = cJSON_CreateObject();
    ib_put_copy(&ok, meta, "spec", s->spec);
    cJSON *scores = ib_put_object(&ok, meta, "scores");
    enum ib_status status = score_final(s, scores, err);
    ib_put_array(&ok, scores, "curve");
    for (int i = 0; !status && i < s->recon.checkpoints; i++)
        status = score_checkpoint(s, i, scores, err);
    if (!status && !ib_at(scores, "half"))
        ib_put(&ok, scores, "half", cJSON_CreateNull());
    if (!status && !ok)
        status = ib_error_set(err, IB_E_NOMEM, "no memory for scores");
    if (!status)
        status = ib_store_put(s->env->store, key, meta, NULL, 0, err);
    cJSON_Delete(meta);
    return status;
}

static void stage_close(struct stage *s)
{
    for (int i = 0; i < s->task.n_judges; i++)
        ib_judge_close(&s->judges[i]);
    for (int i = 0; i < s->task.n_metrics; i++)
        ib_use_free(&s->metrics[i]);
    ib_scratch_free(s->task.scratch);
    ib_data_close(&s->data);
    ib_recon_close(&s->recon);
    free(s->target);
    free(s->picked);
    free(s);
}

enum ib_status ib_stage_score(const struct ib_stage_env *env, const cJSON *spec,
                              const char *key, struct ib_error *err)
{
    struct stage *s = calloc(1, sizeof *s);
    if (!s)
        return ib_error_set(err, IB_E_NOMEM, "no memory to score in");
    s->env = env;
    s->spec = spec;
    enum ib_status status = open_inputs(s, err);
    if (!status)
        status = open_judges(s, err);
    if (!status)
        status = open_metrics(s, err);
    if (!status)
        status = open_task(s, err);
    if (!status)
        status = score_all(s, key, err);
    stage_close(s);
    return status;
}
