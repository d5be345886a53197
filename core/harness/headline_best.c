/* Controls for what is the best of several attempts: who may choose the best of
 * n pictures finds something in controls, too. */
#include <math.h>

#include "results_parts.h"
#include "score.h"

/* Sets of floor controls, by size. Bit i: ib_floor_names[i]. */
struct sets {
    int n;
    unsigned mask[IB_FLOORS_MAX];
    const char *name[IB_FLOORS_MAX];
};
static const struct sets sets_of[IB_FLOORS + 1] = {
    [2] = {6,
           {3, 5, 9, 6, 10, 12},
           {"public-mean or public-best", "public-mean or noise",
            "public-mean or other", "public-best or noise",
            "public-best or other", "noise or other"}},
    [3] = {4,
           {7, 11, 13, 14},
           {"public-mean, public-best or noise",
            "public-mean, public-best or other", "public-mean, noise or other",
            "public-best, noise or other"}},
    [4] = {1, {15}, {"any floor control"}},
};

/* By seed and identity the highest of the panels in the mask; those that were
 * not measured have no value. */
static struct ib_panel highest(const struct ib_panel *floor, unsigned mask)
{
    struct ib_panel out = ib_panel_make(floor[0].seeds, floor[0].identities);
    for (int f = 0; out.v && f < IB_FLOORS; f++)
        for (int i = 0; (mask & 1u << f) && i < out.seeds * out.identities; i++)
            out.v[i] = fmax(out.v[i], floor[f].v[i]); /* NaN gives way */
    return out;
}

static bool maximise_floors(struct ib_leakage_evaluator *e,
                            const struct sets *sets)
{
    struct ib_panel best[IB_FLOORS_MAX] = {{0}};
    bool ok = true;
    for (int i = 0; i < sets->n; i++) {
        best[i] = highest(e->floor, sets->mask[i]);
        ok = ok && best[i].v;
    }
    for (int i = 0; i < IB_FLOORS_MAX; i++) {
        ib_panel_free(&e->floor[i]);
        e->floor[i] = best[i];
    }
    return ok;
}

/* Of `images` held-out images a share is recognised: the chance that one of n
 * drawn from them is. */
static double any_of(double share, int images, int n)
{
    int wrong = images - (int)nearbyint(share * images);
    double none = 1;
    if (n > images)
        n = images;
    for (int k = 0; k < n; k++)
        none *= fmax(wrong - k, 0) / (images - k);
    return 1 - none;
}

/* Held-out images of each person that the control holdout has scored under a
 * seed: as many as the one with the fewest has. 0: not known. */
static int images_of(const struct ib_summary *s, int seed)
{
    const cJSON *row, *total;
    int fewest = IB_SCORED_IMAGES;
    cJSON_ArrayForEach(row, ib_at(s->results, "utility"))
    {
        if (ib_at_number(row, "seed") !=
                (double)s->g->plan->suite->seeds[seed] ||
            !cJSON_IsArray(ib_at(row, "total")))
            continue;
        cJSON_ArrayForEach(total, ib_at(row, "total"))
        {
            if (total->valueint < fewest)
                fewest = total->valueint;
        }
        return fewest;
    }
    return 0;
}

static void maximise_ceiling(const struct ib_summary *s, int n,
                             struct ib_panel *ceiling)
{
    for (int k = 0; k < ceiling->seeds; k++) {
        int images = images_of(s, k);
        double *row = ceiling->v + (size_t)k * (size_t)ceiling->identities;
        for (int i = 0; i < ceiling->identities; i++)
            if (!isnan(row[i]) && images > 0)
                row[i] = any_of(row[i], images, n);
    }
}

enum ib_status ib_maximise_controls(const struct ib_summary *s, int n,
                                    struct ib_leakage_task *t,
                                    struct ib_error *err)
{
    const struct sets *sets = &sets_of[n < IB_FLOORS ? n : IB_FLOORS];
    bool ok = true;
    if (n < 2)
        return IB_OK;
    for (int i = 0; i < t->n; i++) {
        ok = maximise_floors(&t->evaluator[i], sets) && ok;
        maximise_ceiling(s, n, &t->evaluator[i].ceiling);
    }
    t->floors = sets->n;
    t->floor_name = sets->name;
    return ok ? IB_OK
              : ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}
