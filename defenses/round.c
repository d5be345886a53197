/*
 * Rounding of confidence scores: p' = r * round(p / r), half to even.
 *
 * Fredrikson, Jha, Ristenpart, "Model Inversion Attacks that Exploit Confidence
 * Information and Basic Countermeasures", CCS 2015, section 6.3: r in {0.001,
 * 0.005, 0.01, 0.05}; images are said to be lost at 0.05 (for an attack by
 * finite differences with a small step).
 *
 * Rounded scores are not renormalised: a row need not sum to 1, and may be
 * all zeros. The answered label is the one from before rounding, so that ties
 * made by rounding do not change it.
 *
 * Deviation: none known. (Rounding by decimals, as in other tools, is a step
 * of 0.1, 0.01, ...; quotients are rounded in double precision.)
 */
#include <invbench/defense.h>
#include <math.h>

struct round_options {
    double step;
};

static const struct ib_option round_table[] = {
    {.name = "step",
     .type = IB_REAL,
     .value = "0.01",
     .min = 1e-9,
     .max = 1,
     .offset = offsetof(struct round_options, step),
     .help = "scores are rounded to multiples of this"},
    {0},
};

/* Half to even, whatever rounding mode the process is in. */
static double round_even(double x)
{
    double low = floor(x), rest = x - low;

    if (rest > 0.5 || (rest == 0.5 && floor(low / 2) * 2 != low))
        low += 1;
    return low;
}

static void round_respond(const void *options, struct ib_response *r)
{
    const struct round_options *o = options;

    for (int i = 0; i < r->classes; i++)
        r->scores[i] = (float)(o->step * round_even(r->scores[i] / o->step));
}

const struct ib_defense ib_defense_round = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "round",
               .summary = "rounds scores to multiples of a step",
               .citation = "Fredrikson, Jha, Ristenpart, Model Inversion "
                           "Attacks that Exploit Confidence Information and "
                           "Basic Countermeasures, CCS 2015",
               .license = "MIT",
               .version = "1",
               .options = round_table,
               .options_size = sizeof(struct round_options)},
    .stage = IB_STAGE_RESPOND,
    .adaptive = "mi-face-blackbox with a step of the search and of its "
                "differences that is wide against the rounding step",
    .respond = round_respond,
};
