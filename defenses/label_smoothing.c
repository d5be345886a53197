/*
 * Label smoothing, positive or negative: targets (1 - a) one-hot + a / K.
 *
 * Struppek, Hintersdorf, Kersting, "Be Careful What You Smooth For: Label
 * Smoothing Can Be a Privacy Shield but Also a Catalyst for Model Inversion
 * Attacks", ICLR 2024: positive a helps the attack, negative a (default -0.05)
 * hinders it. Loss there: (1 - a) CE + a mean_k(-log p_k), which is the cross
 * entropy with these targets.
 *
 * Schedule, as shares of a phase's epochs: no smoothing before start; then a
 * linear ramp that reaches a after another ramp; then a. Paper's code: 0 for
 * half of the epochs, a ramp over the next quarter that aims at the end of
 * training (so it reaches a / 2 and jumps). Deviation: the ramp here ends at a,
 * without the jump. For negative a defaults are start 0.5, ramp 0.25; constant
 * smoothing is start 0, ramp 0.
 *
 * Targets stay exact whatever the batch: nothing is averaged over it here.
 */
#include <invbench/defense.h>

struct smoothing_options {
    double alpha, start, ramp;
};

static const struct ib_option smoothing_table[] = {
    {.name = "alpha",
     .type = IB_REAL,
     .value = "-0.05",
     .min = -10,
     .max = 1,
     .offset = offsetof(struct smoothing_options, alpha),
     .help = "how much of a target is spread over all classes; negative: "
             "taken from them"},
    {.name = "start",
     .type = IB_REAL,
     .value = "0.5",
     .min = 0,
     .max = 1,
     .unit = "share of the epochs",
     .offset = offsetof(struct smoothing_options, start),
     .help = "plain one-hot targets until then"},
    {.name = "ramp",
     .type = IB_REAL,
     .value = "0.25",
     .min = 0,
     .max = 1,
     .unit = "share of the epochs",
     .offset = offsetof(struct smoothing_options, ramp),
     .help = "how long alpha grows from 0 to its value"},
    {0},
};

static double smoothing_alpha(const struct smoothing_options *o, int64_t epoch,
                              int64_t epochs)
{
    double past = (double)epoch - o->start * (double)epochs;
    double ramp = o->ramp * (double)epochs;

    if (past < 0)
        return 0;
    if (past + 1 >= ramp)
        return o->alpha;
    return o->alpha * (past + 1) / ramp;
}

static void smoothing_batch(const void *options, struct ib_train_batch *b)
{
    double a = smoothing_alpha(options, b->at.epoch, b->at.epochs);
    size_t n = b->n * (size_t)b->classes;

    for (size_t i = 0; i < n; i++)
        b->target[i] = (float)((1 - a) * b->target[i] + a / b->classes);
}

const struct ib_defense ib_defense_label_smoothing = {
    .plugin = {.kind = IB_KIND_DEFENSE,
               .name = "label-smoothing",
               .summary = "trains with smoothed targets; negative by default",
               .citation = "Struppek, Hintersdorf, Kersting, Be Careful What "
                           "You Smooth For: Label Smoothing Can Be a Privacy "
                           "Shield but Also a Catalyst for Model Inversion "
                           "Attacks, ICLR 2024",
               .license = "MIT",
               .version = "1",
               .options = smoothing_table,
               .options_size = sizeof(struct smoothing_options)},
    .stage = IB_STAGE_TRAIN,
    .adaptive = "label-only attacks: gradients are masked, boundaries are not",
    .batch = smoothing_batch,
};
