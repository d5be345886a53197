/* Scores of all reconstructions of a cell taken together: they have no values
 * by identity, so seeds are the only unit that they have. */
#include <math.h>
#include <string.h>

#include "results_parts.h"

void ib_results_put_set(bool *ok, const struct ib_scored *x, cJSON *o)
{
    const cJSON *set = ib_at(x->scores, "set"), *value;

    if (!set)
        return;
    cJSON *scores = ib_put_object(ok, o, "set_scores");
    cJSON_ArrayForEach(value, ib_at(set, "values"))
    {
        const char *reason = ib_at_text(ib_at(set, "reasons"), value->string);
        cJSON *one = ib_put_object(ok, scores, value->string);
        ib_put_copy(ok, one, "value", value);
        if (reason)
            ib_put_text(ok, one, "reason", reason);
    }
}

/* Mean over the seeds that have a value; the first reason where none has. */
static struct ib_interval mean_of(const struct ib_gather *g,
                                  const struct ib_scored *const *by_seed,
                                  const cJSON *column, const char **reason)
{
    const char *name = ib_at_text(column, "name");
    double x[IB_RESULTS_SEEDS];
    struct ib_interval i;
    int n = 0;
    *reason = NULL;
    for (int s = 0; s < g->seeds; s++) {
        const cJSON *set = by_seed[s] ? ib_at(by_seed[s]->scores, "set") : NULL;
        double value = ib_at_number(ib_at(set, "values"), name);
        if (!isnan(value))
            x[n++] = value;
        else if (!*reason)
            *reason = ib_at_text(ib_at(set, "reasons"), name);
    }
    ib_interval_seeds(x, n, ib_column_bound(column, "min", -INFINITY),
                      ib_column_bound(column, "max", INFINITY), &i);
    return i;
}

static bool any_has(const struct ib_gather *g,
                    const struct ib_scored *const *by_seed, const char *name)
{
    for (int s = 0; s < g->seeds; s++)
        if (by_seed[s] &&
            ib_at(ib_at(ib_at(by_seed[s]->scores, "set"), "values"), name))
            return true;
    return false;
}

/* The floor control that comes nearest to leaking. */
static void put_control(bool *ok, const struct ib_gather *g, int model,
                        const cJSON *column, cJSON *o)
{
    const struct ib_scored *by_seed[IB_RESULTS_SEEDS];
    const char *direction = ib_at_text(column, "direction"), *name = NULL;
    double best = NAN, sign = strcmp(direction, "lower-leaks") ? 1 : -1;
    for (int i = 0; strcmp(direction, "neutral") && i < IB_FLOORS; i++) {
        const char *reason;
        ib_control_row(g, model, ib_floor_names[i], by_seed);
        double x = mean_of(g, by_seed, column, &reason).value;
        if (isnan(x) || sign * x <= sign * best)
            continue;
        best = x;
        name = ib_floor_names[i];
    }
    if (name) {
        ib_put_text(ok, o, "control", name);
        ib_put_number(ok, o, "control_value", best);
    }
}

void ib_summary_put_set(bool *ok, const struct ib_gather *g, int model,
                        const struct ib_scored *const *by_seed, bool controls,
                        cJSON *o)
{
    const cJSON *column;
    if (cJSON_GetArraySize(g->set_columns) == 0)
        return;
    cJSON *all = ib_put_object(ok, o, "set_scores");
    cJSON_ArrayForEach(column, g->set_columns)
    {
        const char *name = ib_at_text(column, "name"), *reason;
        if (!any_has(g, by_seed, name))
            continue;
        struct ib_interval i = mean_of(g, by_seed, column, &reason);
        if (isnan(i.value))
            i.reason = reason;
        cJSON *one = ib_put_estimate(ok, all, name, &i);
        if (controls)
            put_control(ok, g, model, column, one);
    }
}
