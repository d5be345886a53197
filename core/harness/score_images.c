/* Running metrics over images, and what comes of it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "score.h"

static size_t columns_of(const struct ib_metric *m)
{
    size_t n = 0;
    while (m->columns[n].name)
        n++;
    return n;
}

static const struct ib_metric *metric_at(const struct ib_score_task *t, int i)
{
    return (const struct ib_metric *)(const void *)t->metrics[i].plugin;
}

static size_t columns_total(const struct ib_score_task *t)
{
    size_t n = 0;
    for (int i = 0; i < t->n_metrics; i++) {
        const struct ib_metric *m = metric_at(t, i);
        size_t times = m->per_evaluator ? (size_t)t->n_judges : 1;
        if (!t->curve || (m->curve && !m->of_set))
            n += columns_of(m) * times;
    }
    return n;
}

static enum ib_status no_memory(struct ib_error *err)
{
    return ib_error_set(err, IB_E_NOMEM, "no memory to score in");
}

static enum ib_status views_make(const struct ib_score_task *t,
                                 struct ib_evaluator_view *views,
                                 struct ib_error *err)
{
    size_t n = t->images.n;
    for (int i = 0; i < t->n_judges; i++) {
        struct ib_judge *j = &t->judges[i];
        int k = j->model.task.classes;
        float *logits =
            ib_scratch_take(t->scratch, n * (size_t)k, sizeof *logits);
        float *feature = ib_scratch_take(t->scratch, n * (size_t)j->features,
                                         sizeof *feature);
        if (!logits || !feature)
            return no_memory(err);
        ib_predict(j->model.net, j->model.nodes.input, j->model.nodes.logits,
                   &t->images, logits);
        ib_predict(j->model.net, j->model.nodes.input, j->feature_node,
                   &t->images, feature);
        views[i] = (struct ib_evaluator_view){j->id,
                                              k,
                                              j->features,
                                              logits,
                                              feature,
                                              j->private_feature,
                                              j->public_feature};
    }
    return IB_OK;
}

static void column_name(struct ib_score_column *c)
{
    snprintf(c->name, sizeof c->name, "%s%s%s", c->column->name,
             c->evaluator ? "@" : "", c->evaluator ? c->evaluator : "");
}

/* A value that is not finite, or outside the declared range by more than
 * rounding, is the metric's mistake. */
static enum ib_status column_check(struct ib_score_column *c, double *value,
                                   size_t n, struct ib_error *err)
{
    const struct ib_column *k = c->column;
    for (size_t i = 0; i < n; i++) {
        double x = value[i];
        if (isnan(x))
            continue;
        if (!(x >= k->min - 1e-9 && x <= k->max + 1e-9) || isinf(x))
            return ib_error_set(err, IB_E_NUMERIC,
                                "metric %s: %s is %g for image %zu; %g..%g is "
                                "allowed",
                                c->metric, c->name, x, i, k->min, k->max);
    }
    return IB_OK;
}

/* Runs one metric, for all evaluators or one; fills its columns. */
static enum ib_status metric_run(const struct ib_score_task *t, int index,
                                 const struct ib_metric_env *env,
                                 const char *evaluator,
                                 struct ib_score_column *out,
                                 struct ib_error *err)
{
    const struct ib_metric *m = metric_at(t, index);
    size_t count = columns_of(m), n = m->of_set ? 1 : t->images.n;
    const char *reason = NULL;
    double *value = ib_scratch_take(t->scratch, count * n, sizeof *value);
    if (!value)
        return no_memory(err);
    for (size_t i = 0; i < count * n; i++)
        value[i] = NAN; /* what a metric leaves out is null, not 0 */
    size_t mark = ib_scratch_mark(t->scratch);
    enum ib_status status =
        m->score(t->metrics[index].options, env, value, &reason, err);
    ib_scratch_reset(t->scratch, mark);
    if (status) {
        ib_error_prefix(err, "metric %s", m->plugin.name);
        return status;
    }
    for (size_t c = 0; !status && c < count; c++) {
        out[c] = (struct ib_score_column){.column = &m->columns[c],
                                          .metric = m->plugin.name,
                                          .evaluator = evaluator,
                                          .value = value + c * n,
                                          .of_set = m->of_set,
                                          .reason = reason};
        column_name(&out[c]);
        status = column_check(&out[c], value + c * n, n, err);
    }
    return status;
}

static struct ib_metric_env metric_env(const struct ib_score_task *t,
                                       const struct ib_evaluator_view *views)
{
    return (struct ib_metric_env){
        .shape = t->data->shape,
        .classes = t->data->classes,
        .n = t->images.n,
        .image = t->images.pixels,
        .target = t->images.identity,
        .train = &t->data->split[IB_TRAIN],
        .publics = &t->data->split[IB_PUBLIC],
        .evaluators = views,
        .n_evaluators = t->n_judges,
        .scratch = t->scratch,
    };
}

enum ib_status ib_score_images(const struct ib_score_task *t,
                               struct ib_score_column **columns, size_t *n,
                               struct ib_error *err)
{
    struct ib_evaluator_view views[IB_JUDGES_MAX];
    size_t total = columns_total(t), at = 0;
    *columns = ib_scratch_take(t->scratch, total + 1, sizeof **columns);
    enum ib_status status =
        *columns ? views_make(t, views, err) : no_memory(err);
    for (int i = 0; !status && i < t->n_metrics; i++) {
        const struct ib_metric *m = metric_at(t, i);
        struct ib_metric_env env = metric_env(t, views);
        if (t->curve && (!m->curve || m->of_set))
            continue;
        int times = m->per_evaluator ? t->n_judges : 1;
        for (int e = 0; !status && e < times; e++) {
            if (m->per_evaluator) {
                env.evaluators = &views[e];
                env.n_evaluators = 1;
            }
            status =
                metric_run(t, i, &env, m->per_evaluator ? views[e].id : NULL,
                           *columns + at, err);
            at += columns_of(m);
        }
    }
    *n = at;
    return status;
}

double ib_score_reduce(const struct ib_score_column *c, size_t first, size_t n)
{
    double sum = 0;
    size_t have = 0;
    bool name = c->column->unit && !strcmp(c->column->unit, "class");
    if (name && n > 1)
        return NAN; /* a class number has no mean */
    for (size_t i = first; i < first + n; i++) {
        if (isnan(c->value[i]))
            continue;
        sum += c->value[i];
        have++;
    }
    return have ? sum / (double)have : NAN;
}

cJSON *ib_score_columns_json(const struct ib_score_column *c, size_t n,
                             bool of_set)
{
    static const char *const direction[] = {"higher-leaks", "lower-leaks",
                                            "neutral"};
    bool ok = true;
    cJSON *all = cJSON_CreateArray();
    for (size_t i = 0; i < n; i++) {
        if (c[i].of_set != of_set)
            continue;
        cJSON *o = ib_put_object(&ok, all, NULL);
        ib_put_text(&ok, o, "name", c[i].name);
        ib_put_text(&ok, o, "metric", c[i].metric);
        ib_put_text(&ok, o, "evaluator", c[i].evaluator);
        ib_put_text(&ok, o, "unit", c[i].column->unit);
        ib_put_text(&ok, o, "direction", direction[c[i].column->direction]);
        ib_put_number(&ok, o, "min", c[i].column->min);
        ib_put_number(&ok, o, "max", c[i].column->max);
        ib_put_text(&ok, o, "definition", c[i].column->definition);
    }
    if (ok)
        return all;
    cJSON_Delete(all);
    return NULL;
}
