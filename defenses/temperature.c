/*
 * Temperature: p' = softmax(z / T). T > 1 flattens answers, T < 1 sharpens
 * them.
 *
 * Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; used as a
 * defense since Hinton et al. 2015's temperature softmax.
 *
 * A response sees probabilities, and softmax(z / T) = p^(1/T) / sum p^(1/T):
 * computed in double from logarithms relative to the largest. A probability
 * that has already underflowed to 0 stays 0 (its logit is no longer known).
 */
#include <invbench/defense.h>
#include <invbench/math.h>

struct temperature_options {
    double t;
};

static const struct ib_option temperature_table[] = {
    {.name = "t",
     .type = IB_REAL,
     .value = "2",
     .min = 0.01,
     .max = 1000,
     .offset = offsetof(struct temperature_options, t),
     .help = "temperature; above 1 answers become flatter"},
    {0},
};

static double temperature_weight(double p, double largest, double t)
{
    return p > 0 ? ib_exp(ib_log(p / largest) / t) : 0;
}

static void temperature_respond(const void *options, struct ib_response *r)
{
    const struct temperature_options *o = options;
    float *p = r->scores;
    double largest = 0, sum = 0;

    for (int i = 0; i < r->classes; i++)
        largest = p[i] > largest ? p[i] : largest;
    if (!(largest > 0))
        return; /* all zeros, by a defense before this one */
    for (int i = 0; i < r->classes; i++)
        sum += temperature_weight(p[i], largest, o->t);
    for (int i = 0; i < r->classes; i++)
        p[i] = (float)(temperature_weight(p[i], largest, o->t) / sum);
}

const struct ib_defense ib_defense_temperature = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "temperature",
               .summary = "flattens scores: softmax of logits / T",
               .citation = "Guo, Pleiss, Sun, Weinberger, On Calibration of "
                           "Modern Neural Networks, ICML 2017",
               .license = "MIT",
               .version = "1",
               .options = temperature_table,
               .options_size = sizeof(struct temperature_options)},
    .stage = IB_STAGE_RESPOND,
    .adaptive = "any score attack that undoes it: p^T, renormalised",
    .respond = temperature_respond,
};
