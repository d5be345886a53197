/*
 * Attack accuracy: does an independent classifier recognise the person?
 *
 * Yuheng Zhang et al., "The secret revealer: generative model-inversion
 * attacks against deep neural networks", CVPR 2020, section 4.1. Deviations:
 * at least two evaluators, of other families than the target, each with
 * columns of its own; ties count against the target; controls (floor and
 * ceiling) are scored by the same evaluators.
 */
#include <math.h>

#include <invbench/math.h>
#include <invbench/metric.h>

enum { ACC1, ACC5, CONFIDENCE, COLUMNS };

static int rank_of(const float *logits, int classes, int32_t target)
{
    int rank = 1;
    for (int k = 0; k < classes; k++)
        rank += k != target && logits[k] >= logits[target];
    return rank;
}

static double confidence(const float *logits, int classes, int32_t target)
{
    double sum = 0;
    for (int k = 0; k < classes; k++)
        sum += ib_exp((double)logits[k] - (double)logits[target]);
    return 1 / sum;
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    const struct ib_evaluator_view *v = env->evaluators;
    (void)options;
    (void)err;
    for (size_t i = 0; i < env->n; i++) {
        const float *logits = v->logits + i * (size_t)v->classes;
        int rank = rank_of(logits, v->classes, env->target[i]);
        double sure = confidence(logits, v->classes, env->target[i]);
        value[ACC1 * env->n + i] = isnan(sure) ? NAN : rank == 1;
        value[ACC5 * env->n + i] =
            isnan(sure) || v->classes < 10 ? NAN : rank <= 5;
        value[CONFIDENCE * env->n + i] = sure;
        if (isnan(sure))
            *reason = "the evaluator's answer is not a number";
    }
    if (!*reason && v->classes < 10)
        *reason = "Acc@5 says nothing below 10 classes";
    return IB_OK;
}

static const struct ib_column columns[] = {
    [ACC1] = {.name = "acc1",
              .min = 0,
              .max = 1,
              .direction = IB_HIGHER_LEAKS,
              .definition = "1 where the evaluator's first answer is the "
                            "target; ties count against"},
    [ACC5] = {.name = "acc5",
              .min = 0,
              .max = 1,
              .direction = IB_HIGHER_LEAKS,
              .definition = "1 where the target is among the evaluator's five "
                            "first answers; null below 10 classes"},
    [CONFIDENCE] = {.name = "confidence",
                    .min = 0,
                    .max = 1,
                    .direction = IB_HIGHER_LEAKS,
                    .definition = "the evaluator's softmax probability of the "
                                  "target"},
    {0},
};

const struct ib_metric ib_metric_accuracy = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "accuracy",
            .summary = "an independent classifier recognises the identity",
            .citation = "Zhang, Jia, Pei, Wang, Li, Song: The secret "
                        "revealer. CVPR 2020",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .per_evaluator = true,
    .score = score,
    .curve = true,
};
