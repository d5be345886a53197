/* May two runs be compared at all, and what else is not the same? */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_parts.h"

enum ib_status ib_compare_say(cJSON *list, struct ib_error *err,
                              const char *format, ...)
{
    char text[IB_ERROR_MAX];
    va_list args;
    bool ok = true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ib_put_text(&ok, list, NULL, text);
    return ok ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory for a text");
}

static const cJSON *root(const struct ib_compare *c, enum ib_side side)
{
    return c->side[side].root;
}

static bool same(const cJSON *a, const cJSON *b)
{
    return (!a && !b) || cJSON_Compare(a, b, true);
}

static const cJSON *item_with(const cJSON *list, const char *member,
                              const char *value)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, list)
    {
        if (!strcmp(ib_view_text(o, member), value))
            return o;
    }
    return NULL;
}

/* --- data ---------------------------------------------------------------- */

static enum ib_status check_dataset(struct ib_compare *c, struct ib_error *err)
{
    static const char *const members[] = {"name", "options", "shape",
                                          "classes"};
    const cJSON *a = ib_view_object(root(c, IB_BASE), "dataset");
    const cJSON *b = ib_view_object(root(c, IB_NEW), "dataset");
    for (size_t i = 0; i < IB_COUNT(members); i++)
        if (!same(ib_at(a, members[i]), ib_at(b, members[i])))
            return ib_compare_say(c->incompatible, err,
                                  "other data: dataset.%s differs "
                                  "(%.60s, %.60s)",
                                  members[i], ib_view_text(a, "name"),
                                  ib_view_text(b, "name"));
    return IB_OK;
}

/* dataset.sha256 of a seed; NULL: unknown. */
static const char *hash_of(const cJSON *results, double seed)
{
    const cJSON *hashes =
        ib_view_array(ib_view_object(results, "dataset"), "sha256");
    const cJSON *s;
    int i = 0;
    cJSON_ArrayForEach(s, ib_view_array(results, "seeds"))
    {
        const cJSON *hash = cJSON_GetArrayItem(hashes, i++);
        if (cJSON_IsNumber(s) && s->valuedouble == seed)
            return cJSON_IsString(hash) ? hash->valuestring : NULL;
    }
    return NULL;
}

static enum ib_status check_images(struct ib_compare *c, struct ib_error *err)
{
    for (int i = 0; i < c->seeds; i++) {
        const char *a = hash_of(root(c, IB_BASE), c->seed[i]);
        const char *b = hash_of(root(c, IB_NEW), c->seed[i]);
        if (a && b && strcmp(a, b))
            return ib_compare_say(c->incompatible, err,
                                  "other data: the images of seed %.0f are not "
                                  "the same (dataset.sha256)",
                                  c->seed[i]);
    }
    return IB_OK;
}

/* --- evaluators ---------------------------------------------------------- */

static enum ib_status check_evaluator(struct ib_compare *c, const cJSON *a,
                                      const cJSON *b, struct ib_error *err)
{
    static const char *const members[] = {"name", "version", "options"};
    const char *id = ib_view_text(a, "id");
    if (!b)
        return ib_compare_say(c->incompatible, err,
                              "other evaluators: NEW has no %.60s", id);
    for (size_t i = 0; i < IB_COUNT(members); i++)
        if (!same(ib_at(a, members[i]), ib_at(b, members[i])))
            return ib_compare_say(c->incompatible, err,
                                  "other evaluators: %.60s: %s differs", id,
                                  members[i]);
    return IB_OK;
}

static const char *weights_of(const cJSON *results, const char *id, double seed)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, ib_view_array(results, "evaluators_utility"))
    {
        if (!strcmp(ib_view_text(o, "evaluator"), id) &&
            ib_view_number(o, "seed") == seed)
            return ib_view_text(o, "weights");
    }
    return "";
}

/* The same options may have given other weights: another machine, another
 * version. *known: both runs say which weights they had. */
static enum ib_status check_weights(struct ib_compare *c, const char *id,
                                    bool *known, struct ib_error *err)
{
    *known = true;
    for (int i = 0; i < c->seeds; i++) {
        const char *a = weights_of(root(c, IB_BASE), id, c->seed[i]);
        const char *b = weights_of(root(c, IB_NEW), id, c->seed[i]);
        *known = *known && *a && *b;
        if (*a && *b && strcmp(a, b))
            return ib_compare_say(c->incompatible, err,
                                  "other evaluators: %.60s has other weights "
                                  "under seed %.0f (numerics: %.80s; %.80s)",
                                  id, c->seed[i],
                                  ib_view_text(root(c, IB_BASE), "numerics"),
                                  ib_view_text(root(c, IB_NEW), "numerics"));
    }
    return IB_OK;
}

/* A frozen judge says the same of the same real image. */
static bool judges_alike(const struct ib_compare *c, const char *model,
                         const char *column, double seed)
{
    const cJSON *who, *other;
    const cJSON *a =
        ib_place_control(&c->side[IB_BASE], model, "holdout", seed);
    const cJSON *b = ib_place_control(&c->side[IB_NEW], model, "holdout", seed);
    cJSON_ArrayForEach(who, ib_view_array(a, "identities"))
    {
        other = item_with(ib_view_array(b, "identities"), "name",
                          ib_view_text(who, "name"));
        double x = ib_view_number(ib_view_object(who, "scores"), column);
        double y = ib_view_number(ib_view_object(other, "scores"), column);
        if (fabs(x - y) > 1e-4)
            return false;
    }
    return true;
}

static enum ib_status check_answers(struct ib_compare *c, const char *id,
                                    struct ib_error *err)
{
    const struct ib_names *models = &c->side[IB_BASE].view.models;
    char column[IB_METRIC_MAX];
    snprintf(column, sizeof column, "confidence@%s", id);
    for (size_t m = 0; m < models->n; m++)
        for (int i = 0; i < c->seeds; i++)
            if (!judges_alike(c, models->at[m], column, c->seed[i]))
                return ib_compare_say(c->incompatible, err,
                                      "other evaluators: %.60s judges the same "
                                      "real images differently under seed %.0f",
                                      id, c->seed[i]);
    return IB_OK;
}

static enum ib_status check_evaluators(struct ib_compare *c,
                                       struct ib_error *err)
{
    const cJSON *mine = ib_view_array(root(c, IB_BASE), "evaluators"), *o;
    const cJSON *theirs = ib_view_array(root(c, IB_NEW), "evaluators");
    enum ib_status s = IB_OK;
    cJSON_ArrayForEach(o, mine)
    {
        const char *id = ib_view_text(o, "id");
        int before = cJSON_GetArraySize(c->incompatible);
        bool known = false;
        if (s == IB_OK)
            s = check_evaluator(c, o, item_with(theirs, "id", id), err);
        if (s == IB_OK && cJSON_GetArraySize(c->incompatible) == before)
            s = check_weights(c, id, &known, err);
        if (s == IB_OK && !known &&
            cJSON_GetArraySize(c->incompatible) == before)
            s = check_answers(c, id, err);
    }
    cJSON_ArrayForEach(o, theirs)
    {
        const char *id = ib_view_text(o, "id");
        if (s == IB_OK && !item_with(mine, "id", id))
            s = ib_compare_say(c->incompatible, err,
                               "other evaluators: BASE has no %.60s", id);
    }
    return s;
}

/* --- metrics ------------------------------------------------------------- */

static enum ib_status check_columns(struct ib_compare *c, struct ib_error *err)
{
    static const char *const members[] = {"definition", "unit", "direction"};
    const cJSON *a = ib_view_array(root(c, IB_BASE), "columns");
    const cJSON *b = ib_view_array(root(c, IB_NEW), "columns");
    for (size_t i = 0; i < c->n_rules; i++) {
        const char *metric = c->rules[i].metric;
        const cJSON *x = item_with(a, "name", metric);
        const cJSON *y = item_with(b, "name", metric);
        for (size_t k = 0; x && y && k < IB_COUNT(members); k++) {
            if (same(ib_at(x, members[k]), ib_at(y, members[k])))
                continue;
            enum ib_status s = ib_compare_say(c->incompatible, err,
                                              "other metric: %.60s: %s differs",
                                              metric, members[k]);
            if (s)
                return s;
        }
    }
    return IB_OK;
}

/* --- what has changed ---------------------------------------------------- */

static enum ib_status changed_items(struct ib_compare *c, const char *list,
                                    struct ib_error *err)
{
    const cJSON *o, *other = ib_view_array(root(c, IB_NEW), list);
    enum ib_status s = IB_OK;
    cJSON_ArrayForEach(o, ib_view_array(root(c, IB_BASE), list))
    {
        const char *id = ib_view_text(o, "id");
        const cJSON *x = item_with(other, "id", id);
        if (s == IB_OK && x && !same(o, x))
            s = ib_compare_say(c->changed, err, "%.*s %.60s: options differ",
                               (int)strlen(list) - 1, list, id);
    }
    return s;
}

/* "(step=0.05, ...)"; nothing where there are no options. */
static void options_text(const cJSON *options, struct ib_text *out)
{
    const cJSON *o;
    int n = 0;
    cJSON_ArrayForEach(o, options)
    {
        ib_text_add(out, "%s%.40s=", n++ ? ", " : "(", o->string);
        if (cJSON_IsNumber(o))
            ib_text_add(out, "%.6g", o->valuedouble);
        else if (cJSON_IsString(o))
            ib_text_add(out, "%.40s", o->valuestring);
        else if (cJSON_IsBool(o))
            ib_text_add(out, cJSON_IsTrue(o) ? "true" : "false");
        else
            ib_text_add(out, "...");
    }
    if (n)
        ib_text_add(out, ")");
}

/* "round(step=0.05) + top-k(k=3)" */
static void stack_text(const cJSON *defense, char *out, size_t n)
{
    const cJSON *o;
    struct ib_text text = {0};
    cJSON_ArrayForEach(o, ib_view_array(defense, "stack"))
    {
        ib_text_add(&text, "%s%.60s", text.size ? " + " : "",
                    ib_view_text(o, "name"));
        options_text(ib_view_object(o, "options"), &text);
    }
    snprintf(out, n, "%s", text.size ? ib_text_string(&text) : "none");
    ib_text_free(&text);
}

static enum ib_status changed_defenses(struct ib_compare *c,
                                       struct ib_error *err)
{
    const cJSON *mine = ib_view_array(root(c, IB_BASE), "defenses");
    const cJSON *theirs = ib_view_array(root(c, IB_NEW), "defenses");
    const struct ib_names *names = &c->side[IB_BASE].view.defenses;
    for (size_t i = 0; i < names->n; i++) {
        char before[256], after[256];
        const cJSON *a = cJSON_GetArrayItem(mine, (int)i);
        const cJSON *b = c->defense_new[i] < 0
                             ? NULL
                             : cJSON_GetArrayItem(theirs, c->defense_new[i]);
        if (!b || same(ib_at(a, "stack"), ib_at(b, "stack")))
            continue;
        stack_text(a, before, sizeof before);
        stack_text(b, after, sizeof after);
        enum ib_status s = ib_compare_say(
            c->changed, err, "defense slot %zu (%.60s): %s -> %s", i,
            names->at[i], before,
            strcmp(before, after) ? after : "the same, from other code");
        if (s)
            return s;
    }
    return IB_OK;
}

static enum ib_status changed_frame(struct ib_compare *c, struct ib_error *err)
{
    const char *a = ib_view_text(root(c, IB_BASE), "numerics");
    const char *b = ib_view_text(root(c, IB_NEW), "numerics");
    if (strcmp(a, b))
        return ib_compare_say(c->changed, err, "numerics: %.200s -> %.200s", a,
                              b);
    return IB_OK;
}

enum ib_status ib_compare_check(struct ib_compare *c, struct ib_error *err)
{
    enum ib_status s = check_dataset(c, err);
    if (!s)
        s = check_images(c, err);
    if (!s)
        s = check_evaluators(c, err);
    if (!s)
        s = check_columns(c, err);
    if (!s)
        s = changed_defenses(c, err);
    if (!s)
        s = changed_items(c, "models", err);
    if (!s)
        s = changed_items(c, "attacks", err);
    return s ? s : changed_frame(c, err);
}
