#include "flags.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* As the rules below say them. */
static const double copied_most = 0.01, alike = 0.01, gap_most = 0.2,
                    points = 0.02, hidden_most = 0.2;
enum { SEEDS_LEAST = 3 };
const double ib_flag_ceiling_least = 0.5;

const struct ib_flag_rule ib_flag_rules[IB_FLAG_COUNT] = {
    [IB_FLAG_COPIED] = {"copied-output",
                        "under some seed, the share of reconstructions within "
                        "0.02 (RMS) of a private image is more than 1 point "
                        "above the same share of held-out images (metric "
                        "nearest)"},
    [IB_FLAG_DEGENERATE] = {"degenerate-output",
                            "under some seed, fewer than half of the "
                            "reconstructions differ from each other, or their "
                            "distance from their mean (RMS) or their contrast "
                            "is below 0.01 of the pixel range"},
    [IB_FLAG_STOCHASTIC] = {"stochastic-output",
                            "a defense of the stack answers at random"},
    [IB_FLAG_EVALUATORS] = {"evaluator-gap",
                            "the evaluators' Acc@1 lie more than 20 points "
                            "apart"},
    [IB_FLAG_CONTROL] = {"control-out-of-range",
                         "an evaluator takes a floor control for the person "
                         "more often than 3 times chance and than 10 % "
                         "(public-best: 50 %), or knows fewer than 50 % of "
                         "real held-out images"},
    [IB_FLAG_UTILITY] = {"utility-drop",
                         "the defense costs more than 2 points of accuracy"},
    [IB_FLAG_SEEDS] = {"few-seeds", "fewer than 3 seeds"},
    [IB_FLAG_MISSING] = {"missing-cells",
                         "a planned cell of the row did not come about"},
    [IB_FLAG_CONVERGED] = {"not-converged",
                           "Acc@1 rose by more than 2 points from half of "
                           "max_queries to all of it, by people whose attack "
                           "spent it (95 %, or was refused more); who ended by "
                           "the attack's own rule counts as no gain"},
    [IB_FLAG_MASKING] = {"gradient-masking",
                         "attacks that see only labels find over 2 points "
                         "more than gradient attacks on the same stack"},
    [IB_FLAG_POWER] = {"low-power",
                       "leakage is not told from 0, but its 95 % interval "
                       "reaches above 0.2: a leak of that size would look the "
                       "same"},
};

double ib_flag_floor_limit(bool public_best, int classes)
{
    return public_best ? 0.5 : fmax(0.1, 3.0 / classes);
}

static void flag(bool *ok, cJSON *all, enum ib_flag which, const char *format,
                 ...) IB_PRINTF(4, 5);

static void flag(bool *ok, cJSON *all, enum ib_flag which, const char *format,
                 ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cJSON *o = ib_put_object(ok, all, NULL);
    ib_put_text(ok, o, "name", ib_flag_rules[which].name);
    ib_put_text(ok, o, "text", text);
}

static void flag_output(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->images > 1 && 2 * f->distinct < f->images)
        flag(ok, all, IB_FLAG_DEGENERATE,
             "only %d of %d reconstructions differ from each other",
             f->distinct, f->images);
    else if (f->images > 1 && f->spread < alike)
        flag(ok, all, IB_FLAG_DEGENERATE,
             "reconstructions are nearly the same for everybody (RMS "
             "difference %.4f of the pixel range)",
             f->spread);
    else if (f->images && f->contrast < alike)
        flag(ok, all, IB_FLAG_DEGENERATE,
             "reconstructions are nearly blank (contrast %.4f of the pixel "
             "range)",
             f->contrast);
    if (f->stochastic)
        flag(ok, all, IB_FLAG_STOCHASTIC,
             "%s answers at random: an attack that averages answers may see "
             "more than these did",
             f->stochastic);
}

static void flag_copies(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->copied - f->copied_real > copied_most)
        flag(ok, all, IB_FLAG_COPIED,
             "%.1f %% of the reconstructions are copies of private images (of "
             "real held-out images %.1f %%): look for a way by which the "
             "attack got at private data before believing any number here",
             100 * f->copied, 100 * f->copied_real);
}

static void flag_judges(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->acc1_high - f->acc1_low > gap_most)
        flag(ok, all, IB_FLAG_EVALUATORS,
             "evaluators disagree: Acc@1 from %.1f %% to %.1f %%; what fools "
             "one need not look like the person",
             100 * f->acc1_low, 100 * f->acc1_high);
    if (f->control)
        flag(ok, all, IB_FLAG_CONTROL, "%s", f->control);
}

static void flag_cells(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->accuracy_undefended - f->accuracy > points)
        flag(ok, all, IB_FLAG_UTILITY,
             "the defense costs %.1f points of accuracy (%.1f %% to %.1f %%)",
             100 * (f->accuracy_undefended - f->accuracy),
             100 * f->accuracy_undefended, 100 * f->accuracy);
    if (f->planned && f->seeds < SEEDS_LEAST)
        flag(ok, all, IB_FLAG_SEEDS,
             "%d seed%s: the interval knows little of how training varies",
             f->seeds, f->seeds == 1 ? "" : "s");
    if (f->missing)
        flag(ok, all, IB_FLAG_MISSING, "%d of %d cells are missing", f->missing,
             f->planned);
}

static void flag_attacks(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->gain > points)
        flag(ok, all, IB_FLAG_CONVERGED,
             "Acc@1 still rose by %.1f points between %.0f and %.0f queries: "
             "more queries may find more",
             100 * f->gain, f->half, f->full);
    if (f->labels - f->here > points)
        flag(ok, all, IB_FLAG_MASKING,
             "attacks that only see labels find more (%.3f) than this access "
             "level does (%.3f): gradients are masked, not absent",
             f->labels, f->here);
    if (f->leakage_low <= 0 && f->leakage_high > hidden_most)
        flag(ok, all, IB_FLAG_POWER,
             "no leak is seen, but one of %.2f would look the same (95 %% "
             "interval %.2f to %.2f): more people or seeds are needed to call "
             "this safe",
             f->leakage_high, f->leakage_low, f->leakage_high);
}

cJSON *ib_flags_make(const struct ib_flag_facts *f)
{
    bool ok = true;
    cJSON *all = cJSON_CreateArray();
    flag_copies(&ok, all, f);
    flag_output(&ok, all, f);
    flag_judges(&ok, all, f);
    flag_cells(&ok, all, f);
    flag_attacks(&ok, all, f);
    if (ok)
        return all;
    cJSON_Delete(all);
    return NULL;
}
