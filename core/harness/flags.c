#include "flags.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static void flag(bool *ok, cJSON *all, const char *name, const char *format,
                 ...) IB_PRINTF(4, 5);

static void flag(bool *ok, cJSON *all, const char *name, const char *format,
                 ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cJSON *o = ib_put_object(ok, all, NULL);
    ib_put_text(ok, o, "name", name);
    ib_put_text(ok, o, "text", text);
}

static void flag_output(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->images > 1 && 2 * f->distinct < f->images)
        flag(ok, all, "degenerate-output",
             "only %d of %d reconstructions differ from each other",
             f->distinct, f->images);
    else if (f->images > 1 && f->spread < 0.01)
        flag(ok, all, "degenerate-output",
             "reconstructions are nearly the same for everybody (RMS "
             "difference %.4f of the pixel range)",
             f->spread);
    else if (f->images && f->contrast < 0.01)
        flag(ok, all, "degenerate-output",
             "reconstructions are nearly blank (contrast %.4f of the pixel "
             "range)",
             f->contrast);
    if (f->stochastic)
        flag(ok, all, "stochastic-output",
             "%s answers at random: an attack that averages answers may see "
             "more than these did",
             f->stochastic);
}

static void flag_judges(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->acc1_high - f->acc1_low > 0.2)
        flag(ok, all, "evaluator-gap",
             "evaluators disagree: Acc@1 from %.1f %% to %.1f %%; what fools "
             "one need not look like the person",
             100 * f->acc1_low, 100 * f->acc1_high);
    if (f->control)
        flag(ok, all, "control-out-of-range", "%s", f->control);
}

static void flag_cells(bool *ok, cJSON *all, const struct ib_flag_facts *f)
{
    if (f->accuracy_undefended - f->accuracy > 0.02)
        flag(ok, all, "utility-drop",
             "the defense costs %.1f points of accuracy (%.1f %% to %.1f %%)",
             100 * (f->accuracy_undefended - f->accuracy),
             100 * f->accuracy_undefended, 100 * f->accuracy);
    if (f->planned && f->seeds < 3)
        flag(ok, all, "few-seeds",
             "%d seed%s: the interval knows little of how training varies",
             f->seeds, f->seeds == 1 ? "" : "s");
    if (f->missing)
        flag(ok, all, "missing-cells", "%d of %d cells are missing", f->missing,
             f->planned);
}

cJSON *ib_flags_make(const struct ib_flag_facts *f)
{
    bool ok = true;
    cJSON *all = cJSON_CreateArray();
    flag_output(&ok, all, f);
    flag_judges(&ok, all, f);
    flag_cells(&ok, all, f);
    if (f->gain > 0.02)
        flag(&ok, all, "not-converged",
             "Acc@1 still rose by %.1f points between %.0f and %.0f queries: "
             "more queries may find more",
             100 * f->gain, f->half, f->full);
    if (f->labels - f->here > 0.02)
        flag(&ok, all, "gradient-masking",
             "attacks that only see labels find more (%.3f) than this access "
             "level does (%.3f): gradients are masked, not absent",
             f->labels, f->here);
    if (ok)
        return all;
    cJSON_Delete(all);
    return NULL;
}
