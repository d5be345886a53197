/*
 * Defenses at equal utility: who is dominated, and what a family of defenses
 * leaks where it costs a given accuracy. A family is a defense with its
 * sweep's values ("round/step=0.01", ...: "round"), the undefended target being
 * its strength 0.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "results_parts.h"

static const double drops[] = {0, 0.01, 0.02, 0.05};
static const double same = 1e-12;

struct point {
    const char *defense;
    double accuracy; /* NaN: none */
    double leakage, low, high;
    bool undefended;
};

/* The points of one model and track. */
struct track {
    const struct ib_summary *s;
    const cJSON *summary;
    const char *model, *access;
    struct point *point;
    int n;
};

static bool is_defense(const struct ib_suite *s, const char *id,
                       bool *undefended)
{
    for (int d = 0; d < s->n_defenses; d++)
        if (!strcmp(s->defenses[d].id, id)) {
            *undefended = ib_undefended(s, d);
            return true;
        }
    return false;
}

static double accuracy_of(const cJSON *summary, const char *model,
                          const char *defense)
{
    const cJSON *u;
    cJSON_ArrayForEach(u, ib_at(summary, "utility"))
    {
        if (!strcmp(ib_at_text(u, "model"), model) &&
            !strcmp(ib_at_text(u, "defense"), defense))
            return ib_at_number(ib_at(u, "accuracy"), "value");
    }
    return NAN;
}

static bool is_of(const cJSON *h, const struct track *t)
{
    return !strcmp(ib_at_text(h, "model"), t->model) &&
           !strcmp(ib_at_text(h, "access"), t->access);
}

static void fill(struct track *t)
{
    const cJSON *h;
    t->n = 0;
    cJSON_ArrayForEach(h, ib_at(t->summary, "headline"))
    {
        const cJSON *leakage = ib_at(h, "leakage");
        const char *id = ib_at_text(h, "defense");
        struct point p = {.defense = id,
                          .accuracy = accuracy_of(t->summary, t->model, id),
                          .leakage = ib_at_number(leakage, "value"),
                          .low = ib_at_number(leakage, "low"),
                          .high = ib_at_number(leakage, "high")};
        if (is_of(h, t) && !isnan(p.accuracy) && !isnan(p.leakage) &&
            is_defense(t->s->g->plan->suite, id, &p.undefended))
            t->point[t->n++] = p;
    }
}

/* --- dominated points ------------------------------------------------------
 */

static bool dominates(const struct point *a, const struct point *b)
{
    return a->accuracy >= b->accuracy && a->leakage <= b->leakage &&
           (a->accuracy > b->accuracy || a->leakage < b->leakage);
}

static void put_dominated(bool *ok, const struct track *t, cJSON *h)
{
    const char *id = ib_at_text(h, "defense");
    const struct point *own = NULL;
    for (int i = 0; i < t->n; i++)
        if (!strcmp(t->point[i].defense, id))
            own = &t->point[i];
    if (!own) {
        ib_put(ok, h, "dominated_by", cJSON_CreateNull());
        return;
    }
    cJSON *list = ib_put_array(ok, h, "dominated_by");
    for (int i = 0; i < t->n; i++)
        if (dominates(&t->point[i], own))
            ib_put_text(ok, list, NULL, t->point[i].defense);
}

/* --- leakage at equal accuracy ----------------------------------------------
 */

static size_t family_size(const char *id)
{
    return strcspn(id, "/");
}

static bool in_family(const struct point *p, const char *id)
{
    size_t n = family_size(id);
    return p->undefended ||
           (family_size(p->defense) == n && !strncmp(p->defense, id, n));
}

/* The family's point that is nearest to this accuracy from above (sign 1) or
 * from below (-1); of several the one that leaks least. NULL: none. */
static const struct point *nearest(const struct track *t, const char *id,
                                   double accuracy, int sign)
{
    const struct point *best = NULL;
    for (int i = 0; i < t->n; i++) {
        const struct point *p = &t->point[i];
        double gap = sign * (p->accuracy - accuracy);
        double least = best ? sign * (best->accuracy - accuracy) : INFINITY;
        if (!in_family(p, id) || gap < -same)
            continue;
        if (gap < least - same ||
            (gap <= least + same && p->leakage < best->leakage))
            best = p;
    }
    return best;
}

static double between(double a, double b, double share)
{
    return a + share * (b - a);
}

static void put_at(bool *ok, const struct track *t, const char *id,
                   double accuracy, cJSON *o)
{
    const struct point *a = nearest(t, id, accuracy, 1);
    const struct point *b = nearest(t, id, accuracy, -1);
    struct ib_interval x = {NAN, NAN, NAN, NAN, NAN, NULL};
    if (a && b) {
        double gap = a->accuracy - b->accuracy;
        double share = gap > same ? (a->accuracy - accuracy) / gap
                       : b->leakage < a->leakage ? 1
                                                 : 0;
        x.value = between(a->leakage, b->leakage, share);
        x.low = between(a->low, b->low, share);
        x.high = between(a->high, b->high, share);
        if (isnan(x.low))
            x.reason = "no interval on one side";
    } else {
        x.reason = b ? "all of the family are less accurate"
                     : "none of the family costs as much accuracy";
    }
    ib_put_estimate(ok, o, "leakage", &x);
    cJSON *list = ib_put_array(ok, o, "between");
    if (a && b) {
        ib_put_text(ok, list, NULL, a->defense);
        ib_put_text(ok, list, NULL, b->defense);
    }
}

static const struct point *undefended(const struct track *t)
{
    for (int i = 0; i < t->n; i++)
        if (t->point[i].undefended)
            return &t->point[i];
    return NULL;
}

static void put_family(bool *ok, const struct track *t, const char *id,
                       cJSON *out)
{
    char family[512];
    size_t n = family_size(id);
    memcpy(family, id, n < sizeof family ? n : sizeof family - 1);
    family[n < sizeof family ? n : sizeof family - 1] = '\0';
    for (size_t k = 0; k < IB_COUNT(drops); k++) {
        double accuracy = undefended(t)->accuracy - drops[k];
        cJSON *o = ib_put_object(ok, out, NULL);
        ib_put_text(ok, o, "model", t->model);
        ib_put_text(ok, o, "access", t->access);
        ib_put_text(ok, o, "family", family);
        ib_put_number(ok, o, "drop", drops[k]);
        ib_put_number(ok, o, "accuracy", accuracy);
        put_at(ok, t, id, accuracy, o);
    }
}

static bool is_first_of_family(const struct track *t, int i)
{
    if (t->point[i].undefended)
        return false;
    for (int k = 0; k < i; k++)
        if (!t->point[k].undefended &&
            in_family(&t->point[k], t->point[i].defense))
            return false;
    return true;
}

static void put_track(bool *ok, struct track *t, cJSON *out)
{
    cJSON *h;
    fill(t);
    cJSON_ArrayForEach(h, ib_at(t->summary, "headline"))
    {
        if (is_of(h, t))
            put_dominated(ok, t, h);
    }
    for (int i = 0; undefended(t) && i < t->n; i++)
        if (is_first_of_family(t, i))
            put_family(ok, t, t->point[i].defense, out);
}

enum ib_status ib_summary_matched(const struct ib_summary *s, cJSON *summary,
                                  struct ib_error *err)
{
    const struct ib_suite *suite = s->g->plan->suite;
    struct point *points =
        calloc((size_t)suite->n_defenses + 1, sizeof *points);
    bool ok = points != NULL;
    cJSON *out = ib_put_array(&ok, summary, "matched");
    for (int i = 0; ok && i < suite->n_models * IB_LEVELS; i++) {
        struct track t = {.s = s,
                          .summary = summary,
                          .model = suite->models[i / IB_LEVELS].id,
                          .access = ib_level_names[i % IB_LEVELS],
                          .point = points};
        put_track(&ok, &t, out);
    }
    free(points);
    return ok ? IB_OK
              : ib_error_set(err, IB_E_NOMEM, "no memory for a summary");
}
