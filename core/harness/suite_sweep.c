/* Option sweeps: {"sweep": [a, b]} in an entry makes one entry of each. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "suite_parts.h"

enum { SWEEPS_MAX = 16 };

struct sweep {
    const cJSON *node, *values, *chosen;
    char label[128];
};

struct sweeps {
    struct sweep item[SWEEPS_MAX];
    int n;
    const char *path;
    struct ib_error *err;
};

static enum ib_status add_sweep(struct sweeps *s, const cJSON *node,
                                const char *label)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(node, "sweep");
    struct sweep *item = &s->item[s->n];

    if (!cJSON_IsArray(values) || !values->child || node->child->next ||
        !node->string)
        return ib_error_set(s->err, IB_E_USAGE,
                            "%s.%s: a sweep is {\"sweep\": [value, ...]} in "
                            "the place of an option's value",
                            s->path, label);
    if (s->n == SWEEPS_MAX)
        return ib_error_set(s->err, IB_E_USAGE,
                            "%s: more than %d sweeps in one entry", s->path,
                            SWEEPS_MAX);
    item->node = node;
    item->values = values;
    snprintf(item->label, sizeof item->label, "%s", label);
    s->n++;
    return IB_OK;
}

/* Members of a stack's only defense are named without it. */
static void label_of(const cJSON *parent, const char *prefix, const cJSON *v,
                     char *out, size_t n)
{
    const char *name =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(v, "name"));

    if (v->string)
        snprintf(out, n, "%s%s%.60s", prefix, *prefix ? "." : "", v->string);
    else if (parent->child->next)
        snprintf(out, n, "%.60s", name ? name : "?");
    else
        out[0] = '\0';
}

static enum ib_status find_sweeps(struct sweeps *s, const cJSON *v,
                                  const char *prefix)
{
    enum ib_status status = IB_OK;

    for (const cJSON *c = v->child; c && status == IB_OK; c = c->next) {
        char label[128];
        label_of(v, prefix, c, label, sizeof label);
        if (cJSON_IsObject(c) && cJSON_GetObjectItemCaseSensitive(c, "sweep"))
            status = add_sweep(s, c, label);
        else if (cJSON_IsObject(c))
            status = find_sweeps(s, c, label);
        else if (cJSON_IsArray(c) && c->child && cJSON_IsObject(c->child))
            status = find_sweeps(s, c, "");
    }
    return status;
}

enum ib_status ib_sweep_count(const cJSON *entry, const char *path, size_t *n,
                              struct ib_error *err)
{
    struct sweeps s = {.path = path, .err = err};
    enum ib_status status = find_sweeps(&s, entry, "");

    *n = 1;
    for (int i = 0; status == IB_OK && i < s.n; i++)
        if (!ib_size_mul(*n, (size_t)cJSON_GetArraySize(s.item[i].values), n))
            *n = SIZE_MAX;
    return status;
}

static void add_suffix(struct ib_text *suffix, const char *label,
                       const cJSON *value)
{
    struct ib_text shown = {0};

    if (cJSON_IsString(value))
        ib_text_add(&shown, "%s", value->valuestring);
    else if (ib_json_canonical(value, &shown, NULL) != IB_OK)
        suffix->failed = true;
    ib_text_add(suffix, "/%s=%s", label, ib_text_string(&shown));
    ib_text_free(&shown);
}

/* A copy of v with chosen values in the place of sweeps; next counts them. */
static cJSON *copy_chosen(const struct sweeps *s, const cJSON *v, int *next)
{
    cJSON *out;

    if (*next < s->n && s->item[*next].node == v)
        return cJSON_Duplicate(s->item[(*next)++].chosen, true);
    out = cJSON_Duplicate(v, false);
    for (const cJSON *c = v->child; out && c; c = c->next) {
        cJSON *item = copy_chosen(s, c, next);
        if (c->string ? !cJSON_AddItemToObject(out, c->string, item)
                      : !cJSON_AddItemToArray(out, item)) {
            cJSON_Delete(item);
            cJSON_Delete(out);
            return NULL;
        }
    }
    return out;
}

enum ib_status ib_sweep_variant(const cJSON *entry, size_t k, cJSON **out,
                                struct ib_text *suffix, struct ib_error *err)
{
    struct sweeps s = {.path = "entry", .err = err};
    enum ib_status status = find_sweeps(&s, entry, "");
    int next = 0;

    *out = NULL;
    if (status != IB_OK)
        return status;
    for (int i = s.n - 1; i >= 0; i--) {
        size_t n = (size_t)cJSON_GetArraySize(s.item[i].values);
        s.item[i].chosen = cJSON_GetArrayItem(s.item[i].values, (int)(k % n));
        k /= n;
    }
    for (int i = 0; i < s.n; i++)
        add_suffix(suffix, s.item[i].label, s.item[i].chosen);
    *out = copy_chosen(&s, entry, &next);
    return *out ? ib_text_status(suffix, err)
                : ib_error_set(err, IB_E_NOMEM, "no memory for a sweep");
}
