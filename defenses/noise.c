/*
 * Additive noise on scores: p' = p + e, e independent for every score.
 *
 * The usual output perturbation (as a postprocessor in adversarial-robustness
 * toolboxes with scale 0.2, Gaussian; Laplace noise of scale b has standard
 * deviation b * sqrt(2)). With clip (default) scores are clamped to [0, 1];
 * with renormalise (default) a row is then scaled to sum to 1, and a row that
 * clipping left without anything becomes uniform. Both look at their own row
 * alone, never at the batch. The answered label is that of the noisy scores.
 *
 * Every answer draws from its own stream: (client, identity, ordinal of the
 * query), so that asking again draws again, and batching changes nothing.
 */
#include <invbench/defense.h>
#include <invbench/math.h>

enum noise_kind { NOISE_GAUSSIAN, NOISE_LAPLACE };

struct noise_options {
    double scale;
    int distribution; /* enum noise_kind */
    bool clip, renormalise;
};

static const struct ib_choice noise_choices[] = {
    {"gaussian", "normal with standard deviation `scale`"},
    {"laplace", "two-sided exponential with mean absolute value `scale`"},
    {0},
};

static const struct ib_option noise_table[] = {
    {.name = "scale",
     .type = IB_REAL,
     .value = "0.2",
     .min = 0,
     .max = 1000,
     .offset = offsetof(struct noise_options, scale),
     .help = "size of the noise, in units of probability"},
    {.name = "distribution",
     .type = IB_CHOICE,
     .value = "gaussian",
     .choices = noise_choices,
     .offset = offsetof(struct noise_options, distribution),
     .help = "what the noise is drawn from"},
    {.name = "clip",
     .type = IB_BOOL,
     .value = "true",
     .offset = offsetof(struct noise_options, clip),
     .help = "clamp noisy scores to 0..1"},
    {.name = "renormalise",
     .type = IB_BOOL,
     .value = "true",
     .offset = offsetof(struct noise_options, renormalise),
     .help = "scale noisy scores to sum to 1 (needs clip to be of use)"},
    {0},
};

/* Laplace by its quantile function; u is never 0 or 1. */
static double noise_laplace(struct ib_rng *rng)
{
    double u =
        (ib_rng_uniform(rng) * 9007199254740992.0 + 0.5) / 9007199254740992.0;

    return u < 0.5 ? ib_log(2 * u) : -ib_log(2 * (1 - u));
}

static void noise_renormalise(int classes, float *p)
{
    double sum = 0;

    for (int i = 0; i < classes; i++)
        sum += p[i];
    for (int i = 0; i < classes; i++)
        p[i] = (float)(sum > 0 ? p[i] / sum : 1.0 / classes);
}

static void noise_respond(const void *options, struct ib_response *r)
{
    const struct noise_options *o = options;
    float *p = r->scores;

    for (int i = 0; i < r->classes; i++) {
        double e = o->distribution == NOISE_LAPLACE ? noise_laplace(r->rng)
                                                    : ib_rng_normal(r->rng);
        double x = p[i] + o->scale * e;
        if (o->clip)
            x = x < 0 ? 0 : x > 1 ? 1 : x;
        p[i] = (float)x;
    }
    if (o->renormalise)
        noise_renormalise(r->classes, p);
    r->label = 0;
    for (int i = 1; i < r->classes; i++)
        if (p[i] > p[r->label])
            r->label = i;
}

const struct ib_defense ib_defense_noise = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "noise",
               .summary = "adds Gaussian or Laplace noise to scores",
               .citation = "Nicolae et al., Adversarial Robustness Toolbox "
                           "v1.0.0, arXiv 1807.01069, 2018 (postprocessor)",
               .license = "MIT",
               .version = "1",
               .options = noise_table,
               .options_size = sizeof(struct noise_options)},
    .stage = IB_STAGE_RESPOND,
    .stochastic = true,
    .adaptive = "mi-face-blackbox with more samples a step: averaged answers",
    .respond = noise_respond,
};
