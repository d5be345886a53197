/* Checking and reading results.json. */
#include "report_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "invbench.results/1"

enum want { TEXT, OBJECT, ARRAY };

/* Every item of an array (at a path of one or two members) has this. */
struct rule {
    const char *outer, *array, *member;
    enum want want;
};
static const struct rule rules[] = {
    {NULL, "models", "id", TEXT},
    {NULL, "evaluators", "id", TEXT},
    {NULL, "defenses", "id", TEXT},
    {NULL, "defenses", "stack", ARRAY},
    {NULL, "attacks", "id", TEXT},
    {NULL, "columns", "name", TEXT},
    {NULL, "columns", "definition", TEXT},
    {NULL, "cells", "model", TEXT},
    {NULL, "cells", "defense", TEXT},
    {NULL, "cells", "attack", TEXT},
    {NULL, "cells", "access", TEXT},
    {NULL, "cells", "status", TEXT},
    {NULL, "cells", "identities", ARRAY},
    {NULL, "cells", "curve", ARRAY},
    {NULL, "controls", "name", TEXT},
    {NULL, "controls", "model", TEXT},
    {NULL, "controls", "status", TEXT},
    {NULL, "evaluators_utility", "evaluator", TEXT},
    {"summary", "rows", "model", TEXT},
    {"summary", "rows", "defense", TEXT},
    {"summary", "rows", "attack", TEXT},
    {"summary", "rows", "access", TEXT},
    {"summary", "rows", "status", TEXT},
    {"summary", "rows", "leakage", OBJECT},
    {"summary", "rows", "columns", OBJECT},
    {"summary", "rows", "evaluators", OBJECT},
    {"summary", "rows", "flags", ARRAY},
    {"summary", "headline", "model", TEXT},
    {"summary", "headline", "defense", TEXT},
    {"summary", "headline", "access", TEXT},
    {"summary", "headline", "leakage", OBJECT},
    {"summary", "controls", "model", TEXT},
    {"summary", "controls", "name", TEXT},
    {"summary", "controls", "columns", OBJECT},
    {"summary", "utility", "model", TEXT},
    {"summary", "utility", "defense", TEXT},
};

static bool is_wanted(const cJSON *o, enum want want)
{
    if (want == TEXT)
        return cJSON_IsString(o);
    return want == OBJECT ? cJSON_IsObject(o) : cJSON_IsArray(o);
}

static enum ib_status check_rule(const cJSON *root, const char *name,
                                 const struct rule *r, struct ib_error *err)
{
    static const char *const wanted[] = {"a text", "an object", "a list"};
    const char *outer = r->outer ? r->outer : "";
    const char *dot = r->outer ? "." : "";
    const cJSON *base = r->outer ? ib_view_object(root, r->outer) : root;
    const cJSON *array = ib_view_array(base, r->array), *item;
    int i = 0;

    if (!array)
        return ib_error_set(err, IB_E_DATA, "%s: %s%s%s: a list is needed",
                            name, outer, dot, r->array);
    cJSON_ArrayForEach(item, array)
    {
        const cJSON *m = cJSON_GetObjectItemCaseSensitive(item, r->member);
        if (!is_wanted(m, r->want))
            return ib_error_set(err, IB_E_DATA,
                                "%s: %s%s%s[%d].%s: %s is needed", name, outer,
                                dot, r->array, i, r->member, wanted[r->want]);
        i++;
    }
    return IB_OK;
}

static enum ib_status check(const cJSON *root, const char *name,
                            struct ib_error *err)
{
    enum ib_status s = IB_OK;
    const char *schema = ib_view_text(root, "schema");

    if (!cJSON_IsObject(root) || schema[0] == '\0')
        return ib_error_set(err, IB_E_DATA,
                            "%s: no results of invbench: \"schema\" is needed",
                            name);
    if (strcmp(schema, SCHEMA) != 0)
        return ib_error_set(err, IB_E_DATA,
                            "%s: schema: \"%.80s\" is not read by this "
                            "version, which reads \"%s\"",
                            name, schema, SCHEMA);
    for (size_t i = 0; i < IB_COUNT(rules) && s == IB_OK; i++)
        s = check_rule(root, name, &rules[i], err);
    return s;
}

static enum ib_status names_open(const cJSON *root, const char *member,
                                 struct ib_names *out, struct ib_error *err)
{
    const cJSON *array = ib_view_array(root, member), *item;
    int n = cJSON_GetArraySize(array);

    if (n > IB_VIEW_NAMES_MAX)
        return ib_error_set(err, IB_E_DATA, "%s: %d items, %d are allowed",
                            member, n, IB_VIEW_NAMES_MAX);
    out->at = calloc((size_t)n + 1, sizeof *out->at);
    if (!out->at)
        return ib_error_set(err, IB_E_NOMEM, "report: no memory");
    cJSON_ArrayForEach(item, array) out->at[out->n++] =
        ib_view_text(item, "id");
    return IB_OK;
}

static int name_index(const struct ib_names *names, const char *id)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->at[i], id) == 0)
            return (int)i;
    return -1;
}

static enum ib_status read_row(struct ib_view *v, const cJSON *o,
                               const char *name, struct ib_error *err)
{
    struct ib_view_row r = {
        .json = o,
        .model = name_index(&v->models, ib_view_text(o, "model")),
        .defense = name_index(&v->defenses, ib_view_text(o, "defense")),
        .attack = name_index(&v->attacks, ib_view_text(o, "attack")),
        .access = ib_view_text(o, "access"),
        .status = ib_view_text(o, "status"),
        .reason = ib_view_text(o, "reason"),
        .leakage = ib_view_estimate(ib_view_object(o, "leakage"))};

    if (r.model < 0 || r.defense < 0 || r.attack < 0)
        return ib_error_set(err, IB_E_DATA,
                            "%s: summary.rows[%zu]: names a model, defense or "
                            "attack that is not listed",
                            name, v->n_rows);
    v->rows[v->n_rows++] = r;
    return IB_OK;
}

static struct ib_line *line_of(struct ib_view *v, const struct ib_view_row *r)
{
    for (size_t i = 0; i < v->n_lines; i++)
        if (v->lines[i].attack == r->attack &&
            strcmp(v->lines[i].access, r->access) == 0)
            return &v->lines[i];
    v->lines[v->n_lines] = (struct ib_line){r->attack, r->access, false, ""};
    return &v->lines[v->n_lines++];
}

static int by_line(const void *a, const void *b)
{
    const struct ib_line *x = a, *y = b;

    if (x->attack != y->attack)
        return x->attack < y->attack ? -1 : 1;
    return strcmp(x->access, y->access);
}

static enum ib_status read_rows(struct ib_view *v, const char *name,
                                struct ib_error *err)
{
    const cJSON *array = ib_view_array(v->summary, "rows"), *item;
    size_t n = (size_t)cJSON_GetArraySize(array);
    enum ib_status s = IB_OK;

    v->rows = calloc(n + 1, sizeof *v->rows);
    v->lines = calloc(n + 1, sizeof *v->lines);
    if (!v->rows || !v->lines)
        return ib_error_set(err, IB_E_NOMEM, "report: no memory");
    cJSON_ArrayForEach(item, array)
    {
        s = read_row(v, item, name, err);
        if (s != IB_OK)
            return s;
    }
    for (size_t i = 0; i < v->n_rows; i++) {
        struct ib_line *l = line_of(v, &v->rows[i]);
        bool skipped = ib_view_is(&v->rows[i], "skipped");
        l->runs |= !skipped;
        if (skipped && l->reason[0] == '\0')
            l->reason = v->rows[i].reason;
    }
    qsort(v->lines, v->n_lines, sizeof *v->lines, by_line);
    return s;
}

enum ib_status ib_view_open(const cJSON *results, const char *name,
                            struct ib_view *out, struct ib_error *err)
{
    struct ib_view v = {.root = results,
                        .summary = ib_view_object(results, "summary")};
    enum ib_status s = check(results, name, err);

    if (s == IB_OK)
        s = names_open(results, "models", &v.models, err);
    if (s == IB_OK)
        s = names_open(results, "defenses", &v.defenses, err);
    if (s == IB_OK)
        s = names_open(results, "attacks", &v.attacks, err);
    if (s == IB_OK)
        s = read_rows(&v, name, err);
    if (s != IB_OK)
        ib_view_close(&v);
    *out = v;
    return s;
}

void ib_view_close(struct ib_view *v)
{
    if (!v)
        return;
    free(v->models.at);
    free(v->defenses.at);
    free(v->attacks.at);
    free(v->rows);
    free(v->lines);
    *v = (struct ib_view){0};
}
