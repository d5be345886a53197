#include "options_io.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MEMBERS_MAX = 128 };
static const double integer_max = 9007199254740992.0; /* 2^53 */

static const char *const type_names[] = {
    [IB_INT] = "an integer",        [IB_REAL] = "a number",
    [IB_BOOL] = "true or false",    [IB_CHOICE] = "one of its names in quotes",
    [IB_TEXT] = "a text in quotes", [IB_INTS] = "a list of integers",
};

/* One value on its way into a field: for messages. */
struct place {
    const struct ib_option *option;
    const char *path;
    struct ib_error *err;
};

static enum ib_status wrong_type(const struct place *p, const cJSON *v)
{
    bool item = p->option->type == IB_INTS && !cJSON_IsArray(v);
    struct ib_text shown = {0};

    if (ib_json_canonical(v, &shown, NULL) != IB_OK)
        ib_text_clear(&shown);
    ib_error_set(p->err, IB_E_USAGE, "%s.%s: %.60s is not %s", p->path,
                 p->option->name, ib_text_string(&shown),
                 item ? "a list of integers, or an integer in one"
                      : type_names[p->option->type]);
    ib_text_free(&shown);
    return IB_E_USAGE;
}

static enum ib_status check_number(const struct place *p, double x)
{
    const struct ib_option *o = p->option;
    struct ib_text text = {0};

    if (x >= o->min && x <= o->max)
        return IB_OK;
    ib_options_range(o, &text);
    ib_error_set(p->err, IB_E_USAGE,
                 "%s.%s: %.15g is out of range; %s is allowed", p->path,
                 o->name, x, ib_text_string(&text));
    ib_text_free(&text);
    return IB_E_USAGE;
}

static enum ib_status set_integer(const struct place *p, const cJSON *v,
                                  int64_t *out)
{
    double x = v->valuedouble;

    if (!cJSON_IsNumber(v) || x != floor(x) || fabs(x) > integer_max)
        return wrong_type(p, v);
    if (check_number(p, x) != IB_OK)
        return IB_E_USAGE;
    *out = (int64_t)x;
    return IB_OK;
}

static enum ib_status set_choice(const struct place *p, const cJSON *v,
                                 int *out)
{
    const char *names[MEMBERS_MAX + 1] = {0};
    struct ib_text hint = {0};
    int n = 0;

    if (!cJSON_IsString(v))
        return wrong_type(p, v);
    for (; p->option->choices[n].name && n < MEMBERS_MAX; n++) {
        names[n] = p->option->choices[n].name;
        if (strcmp(names[n], v->valuestring) == 0) {
            *out = n;
            return IB_OK;
        }
    }
    ib_text_suggest(&hint, v->valuestring, names);
    ib_error_set(p->err, IB_E_USAGE, "%s.%s: \"%.60s\" is unknown%s", p->path,
                 p->option->name, v->valuestring, ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

static enum ib_status set_text(const struct place *p, const cJSON *v, char *out)
{
    size_t n;

    if (!cJSON_IsString(v))
        return wrong_type(p, v);
    n = strlen(v->valuestring);
    if (n >= IB_TEXT_MAX)
        return ib_error_set(p->err, IB_E_USAGE,
                            "%s.%s: a text of %zu bytes; up to %d are allowed",
                            p->path, p->option->name, n, IB_TEXT_MAX - 1);
    memcpy(out, v->valuestring, n + 1);
    return IB_OK;
}

static enum ib_status set_integers(const struct place *p, const cJSON *v,
                                   struct ib_ints *out)
{
    const cJSON *item;
    enum ib_status s;

    if (!cJSON_IsArray(v))
        return wrong_type(p, v);
    out->n = 0;
    cJSON_ArrayForEach(item, v)
    {
        if (out->n == IB_INTS_MAX)
            return ib_error_set(
                p->err, IB_E_USAGE, "%s.%s: %d integers; up to %d are allowed",
                p->path, p->option->name, cJSON_GetArraySize(v), IB_INTS_MAX);
        s = set_integer(p, item, &out->v[out->n]);
        if (s != IB_OK)
            return s;
        out->n++;
    }
    return IB_OK;
}

static enum ib_status set_value(const struct place *p, const cJSON *v,
                                void *options)
{
    void *field = (char *)options + p->option->offset;

    switch (p->option->type) {
    case IB_INT:
        return set_integer(p, v, field);
    case IB_REAL:
        if (!cJSON_IsNumber(v))
            return wrong_type(p, v);
        *(double *)field = v->valuedouble;
        return check_number(p, v->valuedouble);
    case IB_BOOL:
        if (!cJSON_IsBool(v))
            return wrong_type(p, v);
        *(bool *)field = cJSON_IsTrue(v);
        return IB_OK;
    case IB_CHOICE:
        return set_choice(p, v, field);
    case IB_TEXT:
        return set_text(p, v, field);
    case IB_INTS:
        return set_integers(p, v, field);
    }
    return ib_error_set(p->err, IB_E_INTERNAL, "option %s: unknown type",
                        p->option->name);
}

/* A default is text; it becomes JSON and takes the way of every other value.
 * A list may be written with or without brackets. */
static enum ib_status set_default(const struct place *p, void *options)
{
    const struct ib_option *o = p->option;
    const char *text = o->value ? o->value : "";
    struct ib_text json = {0};
    cJSON *v = NULL;
    enum ib_status s = IB_OK;

    if (o->type == IB_CHOICE || o->type == IB_TEXT) {
        v = cJSON_CreateString(text);
    } else {
        bool bare = o->type == IB_INTS && *text != '[';
        ib_text_add(&json, bare ? "[%s]" : "%s", text);
        s = ib_json_parse(ib_text_string(&json), json.size, o->name, &v,
                          p->err);
    }
    if (s == IB_OK && !v)
        s = ib_error_set(p->err, IB_E_NOMEM, "no memory for options");
    if (s == IB_OK)
        s = set_value(p, v, options);
    if (s != IB_OK)
        ib_error_prefix(p->err, "default of %s", o->name);
    ib_text_free(&json);
    cJSON_Delete(v);
    return s;
}

static const struct ib_option *find_option(const struct ib_option *table,
                                           const char *name)
{
    for (; table && table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

static bool is_listed(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

static enum ib_status unknown_member(const struct ib_option *table,
                                     const char *const *reserved,
                                     const char *path, const char *name,
                                     struct ib_error *err)
{
    const char *names[MEMBERS_MAX + 1] = {0};
    struct ib_text hint = {0};
    int n = 0;

    for (; table && table->name && n < MEMBERS_MAX; table++)
        names[n++] = table->name;
    for (; reserved && *reserved && n < MEMBERS_MAX; reserved++)
        names[n++] = *reserved;
    ib_text_suggest(&hint, name, names);
    ib_error_set(err, IB_E_USAGE, "%s.%.60s: there is no such option%s", path,
                 name, ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

enum ib_status ib_options_parse(const struct ib_option *table, size_t size,
                                const cJSON *object,
                                const struct ib_place *place, void *out,
                                struct ib_error *err)
{
    struct place p = {.path = place->path, .err = err};
    enum ib_status s = IB_OK;
    const cJSON *member;

    if (size)
        memset(out, 0, size);
    for (p.option = table; table && p.option->name && s == IB_OK; p.option++)
        s = set_default(&p, out);
    if (s != IB_OK || !object)
        return s;
    if (!cJSON_IsObject(object))
        return ib_error_set(err, IB_E_USAGE, "%s: not an object {...}",
                            place->path);
    cJSON_ArrayForEach(member, object)
    {
        if (is_listed(place->reserved, member->string))
            continue;
        p.option = find_option(table, member->string);
        s = p.option ? set_value(&p, member, out)
                     : unknown_member(table, place->reserved, place->path,
                                      member->string, err);
        if (s != IB_OK)
            return s;
    }
    return IB_OK;
}

static cJSON *echo_value(const struct ib_option *o, const void *options)
{
    const void *field = (const char *)options + o->offset;
    const struct ib_ints *list = field;
    cJSON *v = NULL;

    switch (o->type) {
    case IB_INT:
        return cJSON_CreateNumber((double)*(const int64_t *)field);
    case IB_REAL:
        return ib_json_number(*(const double *)field);
    case IB_BOOL:
        return cJSON_CreateBool(*(const bool *)field);
    case IB_CHOICE:
        return cJSON_CreateString(o->choices[*(const int *)field].name);
    case IB_TEXT:
        return cJSON_CreateString(field);
    case IB_INTS:
        v = cJSON_CreateArray();
        for (int i = 0; v && i < list->n; i++)
            if (!cJSON_AddItemToArray(v,
                                      cJSON_CreateNumber((double)list->v[i]))) {
                cJSON_Delete(v);
                v = NULL;
            }
    }
    return v;
}

cJSON *ib_options_echo(const struct ib_option *table, const void *options)
{
    cJSON *out = cJSON_CreateObject();

    for (; out && table && table->name; table++)
        if (!cJSON_AddItemToObject(out, table->name,
                                   echo_value(table, options))) {
            cJSON_Delete(out);
            return NULL;
        }
    return out;
}
