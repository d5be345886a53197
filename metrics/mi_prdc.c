/*
 * Precision, recall, density and coverage as model inversion papers compute
 * them: person by person, k = 3.
 *
 * Struppek, Hintersdorf, De Almeida Correia, Adler, Kersting, "Plug & play
 * attacks", ICML 2022 (metrics/prcd.py of the authors' code), taken over by
 * later toolboxes. Precision and recall ask the nearest image's ball alone,
 * balls are closed, and density divides by the number of private images: other
 * numbers than those of Naeem et al., which prdc has. The values of one person
 * stand at each of that person's reconstructions. People with k + 1 or fewer
 * images on either side have none (the papers leave them out, too). Deviations:
 * the evaluator's features; their code compares class 0 with all private
 * images, this does not.
 */
#include <math.h>
#include <string.h>

#include <invbench/metric.h>

enum { PRECISION, RECALL, DENSITY, COVERAGE, COLUMNS };

struct options {
    int64_t k;
};

static const struct ib_option table[] = {
    {.name = "k",
     .type = IB_INT,
     .value = "3",
     .min = 1,
     .max = 100,
     .offset = offsetof(struct options, k),
     .unit = "neighbours",
     .help = "which neighbour's distance is the radius of a ball"},
    {0},
};

static const char too_few[] =
    "a person needs more than k + 1 images on each side";

/* Rows of one class, gathered into `to`. */
static size_t gather(size_t n, size_t f, const int32_t *class,
                     const float *feature, int32_t wanted, float *to)
{
    size_t rows = 0;

    for (size_t i = 0; i < n; i++)
        if (class[i] == wanted)
            memcpy(to + f * rows++, feature + i * f, f * sizeof(*to));
    return rows;
}

static void put(const struct ib_metric_env *env, int32_t class,
                const struct ib_prdc *q, double *value)
{
    const double x[COLUMNS] = {q->precision, q->recall, q->density,
                               q->coverage};

    for (size_t i = 0; i < env->n; i++)
        for (size_t c = 0; env->target[i] == class && c < COLUMNS; c++)
            value[c * env->n + i] = x[c];
}

static size_t count(size_t n, const int32_t *class, int32_t wanted)
{
    size_t rows = 0;

    for (size_t i = 0; i < n; i++)
        rows += class[i] == wanted;
    return rows;
}

static enum ib_status score_class(const struct ib_metric_env *env,
                                  int32_t class, size_t k, double *value,
                                  struct ib_error *err)
{
    const struct ib_evaluator_view *e = env->evaluators;
    const int32_t *who = env->train->identity;
    size_t f = (size_t)e->features, mark = ib_scratch_mark(env->scratch);
    size_t n = count(env->train->n, who, class);
    size_t m = count(env->n, env->target, class);
    struct ib_prdc q = {.d = f, .k = k, .inversion = true};
    enum ib_status s = IB_OK;

    if (n <= k + 1 || m <= k + 1)
        return IB_OK;
    float *real = ib_scratch_take(env->scratch, n, f * sizeof(*real));
    float *fake = ib_scratch_take(env->scratch, m, f * sizeof(*fake));
    if (!real || !fake)
        return ib_error_set(err, IB_E_NOMEM, "mi-prdc: no memory");
    q.real = (struct ib_rows){
        .n = gather(env->train->n, f, who, e->private_feature, class, real),
        .floats = real};
    q.fake = (struct ib_rows){
        .n = gather(env->n, f, env->target, e->feature, class, fake),
        .floats = fake};
    s = ib_prdc_find(&q, env->scratch, err);
    if (!s)
        put(env, class, &q, value);
    ib_scratch_reset(env->scratch, mark);
    return s;
}

static enum ib_status score(const void *opaque, const struct ib_metric_env *env,
                            double *value, const char **reason,
                            struct ib_error *err)
{
    const struct options *o = opaque;
    enum ib_status s = IB_OK;

    for (size_t i = 0; i < COLUMNS * env->n; i++)
        value[i] = NAN;
    for (int32_t class = 0; class < env->classes && !s; class ++)
        s = score_class(env, class, (size_t)o->k, value, err);
    for (size_t i = 0; i < env->n; i++)
        if (isnan(value[i]))
            *reason = too_few;
    return s;
}

static const struct ib_column columns[] = {
    [PRECISION] = {.name = "mi_precision",
                   .min = 0,
                   .max = 1,
                   .direction = IB_HIGHER_LEAKS,
                   .definition = "share of the person's reconstructions inside "
                                 "the ball of the private image that is "
                                 "nearest, as in inversion papers"},
    [RECALL] = {.name = "mi_recall",
                .min = 0,
                .max = 1,
                .direction = IB_HIGHER_LEAKS,
                .definition = "share of the person's private images inside the "
                              "ball of the reconstruction that is nearest, as "
                              "in inversion papers"},
    [DENSITY] = {.name = "mi_density",
                 .min = 0,
                 .max = INFINITY,
                 .direction = IB_HIGHER_LEAKS,
                 .definition = "the person's reconstructions in a private "
                               "image's ball, on average, over k, as in "
                               "inversion papers"},
    [COVERAGE] = {.name = "mi_coverage",
                  .min = 0,
                  .max = 1,
                  .direction = IB_HIGHER_LEAKS,
                  .definition = "share of the person's private images whose "
                                "ball holds a reconstruction, as in inversion "
                                "papers"},
    {0},
};

const struct ib_metric ib_metric_mi_prdc = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "mi-prdc",
            .summary = "precision, recall, density, coverage as inversion "
                       "papers compute them, person by person",
            .citation = "Struppek, Hintersdorf, De Almeida Correia, Adler, "
                        "Kersting: Plug & play attacks: towards robust and "
                        "flexible model inversion attacks. ICML 2022",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .columns = columns,
    .per_evaluator = true,
    .score = score,
};
