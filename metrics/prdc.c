/*
 * Precision, recall, density and coverage of what came out, with the private
 * images of the people under attack as the real ones, in an evaluator's
 * features; all people together.
 *
 * Naeem, Oh, Uh, Choi, Yoo, "Reliable fidelity and diversity metrics for
 * generative models", ICML 2020, as in the authors' code. Not what inversion
 * papers compute under these names: that is mi-prdc. The size of both sets
 * enters: recall falls with few reconstructions whatever they show, so compare
 * cells of one size only.
 */
#include <math.h>

#include <invbench/metric.h>

enum { PRECISION, RECALL, DENSITY, COVERAGE };

struct options {
    int64_t k, real;
};

static const struct ib_option table[] = {
    {.name = "k",
     .type = IB_INT,
     .value = "5",
     .min = 1,
     .max = 100,
     .offset = offsetof(struct options, k),
     .unit = "neighbours",
     .help = "which neighbour's distance is the radius of a ball"},
    {.name = "real",
     .type = IB_INT,
     .value = "1000",
     .min = 10,
     .max = 100000,
     .offset = offsetof(struct options, real),
     .unit = "images",
     .help = "private images at most, evenly spaced; time grows with the "
             "square"},
    {0},
};

static enum ib_status score(const void *opaque, const struct ib_metric_env *env,
                            double *value, const char **reason,
                            struct ib_error *err)
{
    const struct options *o = opaque;
    const struct ib_evaluator_view *e = env->evaluators;
    struct ib_private_rows real;
    enum ib_status s = ib_private_rows_find(env, (size_t)o->real, &real, err);
    struct ib_prdc q = {.d = (size_t)e->features,
                        .k = (size_t)o->k,
                        .real = {.n = real.n, .floats = real.feature},
                        .fake = {.n = env->n, .floats = e->feature}};

    if (!s)
        s = ib_prdc_find(&q, env->scratch, err);
    if (s)
        return s;
    value[PRECISION] = q.precision;
    value[RECALL] = q.recall;
    value[DENSITY] = q.density;
    value[COVERAGE] = q.coverage;
    *reason = q.reason;
    return IB_OK;
}

static const struct ib_column columns[] = {
    [PRECISION] = {.name = "precision",
                   .min = 0,
                   .max = 1,
                   .direction = IB_HIGHER_LEAKS,
                   .definition = "share of reconstructions inside the ball of "
                                 "some private image, whose radius is the "
                                 "distance to its k-th neighbour"},
    [RECALL] = {.name = "recall",
                .min = 0,
                .max = 1,
                .direction = IB_HIGHER_LEAKS,
                .definition = "share of private images inside the ball of some "
                              "reconstruction"},
    [DENSITY] = {.name = "density",
                 .min = 0,
                 .max = INFINITY,
                 .direction = IB_HIGHER_LEAKS,
                 .definition = "balls of private images that a reconstruction "
                               "lies in, on average, over k"},
    [COVERAGE] = {.name = "coverage",
                  .min = 0,
                  .max = 1,
                  .direction = IB_HIGHER_LEAKS,
                  .definition = "share of private images whose ball holds a "
                                "reconstruction"},
    {0},
};

const struct ib_metric ib_metric_prdc = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "prdc",
            .summary = "precision, recall, density, coverage (Naeem et al.) in "
                       "the evaluator's features",
            .citation = "Naeem, Oh, Uh, Choi, Yoo: Reliable fidelity and "
                        "diversity metrics for generative models. ICML 2020",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .columns = columns,
    .per_evaluator = true,
    .of_set = true,
    .score = score,
};
