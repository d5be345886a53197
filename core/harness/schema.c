/* The walk through schema and value, side by side. */
#include "schema.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 512 };

struct walk {
    const cJSON *root;
    const char *file;
    struct ib_findings *f;
};

struct ib_schema_row {
    const char *name, *text;
};
extern const struct ib_schema_row ib_schema_rows[];

static void check(const struct walk *w, const cJSON *schema, const cJSON *v,
                  const char *place);

enum ib_status ib_schema_open(const char *name, cJSON **out,
                              struct ib_error *err)
{
    for (const struct ib_schema_row *r = ib_schema_rows; r->name; r++)
        if (strcmp(r->name, name) == 0)
            return ib_json_parse(r->text, strlen(r->text), name, out, err);
    return ib_error_set(err, IB_E_INTERNAL, "there is no schema \"%s\"", name);
}

static bool is_type(const cJSON *v, const char *type)
{
    static const struct {
        const char *name;
        int bits;
    } types[] = {
        {"object", cJSON_Object},  {"array", cJSON_Array},
        {"string", cJSON_String},  {"number", cJSON_Number},
        {"integer", cJSON_Number}, {"boolean", cJSON_True | cJSON_False},
        {"null", cJSON_NULL}};

    for (size_t i = 0; i < IB_COUNT(types); i++)
        if (strcmp(type, types[i].name) == 0)
            return (v->type & types[i].bits) &&
                   (strcmp(type, "integer") != 0 ||
                    v->valuedouble == floor(v->valuedouble));
    return false;
}

static const char *type_name(const cJSON *v)
{
    if (cJSON_IsBool(v))
        return "a truth value";
    if (cJSON_IsNull(v))
        return "null";
    if (cJSON_IsNumber(v))
        return "a number";
    if (cJSON_IsString(v))
        return "a text";
    return cJSON_IsArray(v) ? "a list" : "an object";
}

static bool is_one_of(const cJSON *v, const cJSON *types)
{
    const cJSON *item;

    if (cJSON_IsString(types))
        return is_type(v, types->valuestring);
    cJSON_ArrayForEach(item, types)
    {
        if (is_type(v, item->valuestring))
            return true;
    }
    return false;
}

static void check_type(const struct walk *w, const cJSON *type, const cJSON *v,
                       const char *place)
{
    struct ib_text wanted = {0};
    const cJSON *item;

    if (is_one_of(v, type))
        return;
    cJSON_ArrayForEach(item, type) ib_text_add(
        &wanted, "%s%s", wanted.size ? " or " : "", item->valuestring);
    ib_finding(w->f, w->file, place, "is %s; %s is wanted", type_name(v),
               cJSON_IsString(type) ? type->valuestring
                                    : ib_text_string(&wanted));
    ib_text_free(&wanted);
}

static void check_enum(const struct walk *w, const cJSON *list, const cJSON *v,
                       const char *place)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_Compare(item, v, true))
            return;
    }
    ib_finding(w->f, w->file, place, "%s%.80s%s is none of what is allowed",
               cJSON_IsString(v) ? "\"" : "",
               cJSON_IsString(v) ? v->valuestring : type_name(v),
               cJSON_IsString(v) ? "\"" : "");
}

static void check_pattern(const struct walk *w, const char *pattern,
                          const cJSON *v, const char *place)
{
    regex_t r;

    if (!cJSON_IsString(v))
        return;
    if (regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        ib_finding(w->f, w->file, place, "the schema's pattern is broken");
        return;
    }
    if (regexec(&r, v->valuestring, 0, NULL, 0) != 0)
        ib_finding(w->f, w->file, place, "\"%.80s\" does not match %s",
                   v->valuestring, pattern);
    regfree(&r);
}

static void check_required(const struct walk *w, const cJSON *list,
                           const cJSON *v, const char *place)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsObject(v) && !cJSON_HasObjectItem(v, item->valuestring) &&
            !ib_at(v, item->valuestring))
            ib_finding(w->f, w->file, place, "\"%s\" is missing",
                       item->valuestring);
    }
}

/* minimum, maximum, minItems, maxItems */
static void check_limit(const struct walk *w, const cJSON *k, const cJSON *v,
                        const char *place)
{
    bool items = strstr(k->string, "Items") != NULL;
    bool most = strncmp(k->string, "max", 3) == 0;
    double x = items ? cJSON_GetArraySize(v) : v->valuedouble;

    if (items ? !cJSON_IsArray(v) : !cJSON_IsNumber(v))
        return;
    if (most ? x > k->valuedouble : x < k->valuedouble)
        ib_finding(w->f, w->file, place, "%s%.17g; at %s %.17g is allowed",
                   items ? "a list of " : "", x, most ? "most" : "least",
                   k->valuedouble);
}

static void check_ref(const struct walk *w, const char *ref, const cJSON *v,
                      const char *place)
{
    const cJSON *s = strncmp(ref, "#/$defs/", 8)
                         ? NULL
                         : ib_at(ib_at(w->root, "$defs"), ref + 8);

    if (s)
        check(w, s, v, place);
    else
        ib_finding(w->f, w->file, place, "the schema has no %s", ref);
}

static void check_members(const struct walk *w, const cJSON *schema,
                          const cJSON *v, const char *place)
{
    const cJSON *properties = ib_at(schema, "properties");
    const cJSON *rest = ib_at(schema, "additionalProperties"), *item;

    if (!cJSON_IsObject(v))
        return;
    cJSON_ArrayForEach(item, v)
    {
        char below[PLACE_MAX];
        const cJSON *s = ib_at(properties, item->string);
        snprintf(below, sizeof below, "%s%s%s", place, *place ? "." : "",
                 item->string);
        if (!s && cJSON_IsObject(rest))
            s = rest;
        if (s)
            check(w, s, item, below);
        else if (cJSON_IsFalse(rest))
            ib_finding(w->f, w->file, below, "is not known");
    }
}

static void check_items(const struct walk *w, const cJSON *items,
                        const cJSON *v, const char *place)
{
    const cJSON *item;
    int i = 0;

    if (!cJSON_IsArray(v))
        return;
    cJSON_ArrayForEach(item, v)
    {
        char below[PLACE_MAX];
        snprintf(below, sizeof below, "%s[%d]", place, i++);
        check(w, items, item, below);
    }
}

static bool is_word(const char *word, const char *const *list)
{
    while (*list && strcmp(*list, word) != 0)
        list++;
    return *list != NULL;
}

static void check_keyword(const struct walk *w, const cJSON *k, const cJSON *v,
                          const char *place)
{
    static const char *const ignored[] = {"$schema",
                                          "$id",
                                          "$defs",
                                          "title",
                                          "description",
                                          "properties",
                                          "additionalProperties",
                                          NULL};
    static const char *const limits[] = {"minimum", "maximum", "minItems",
                                         "maxItems", NULL};
    const char *word = k->string;

    if (is_word(word, ignored))
        return;
    if (strcmp(word, "$ref") == 0)
        check_ref(w, k->valuestring, v, place);
    else if (strcmp(word, "required") == 0)
        check_required(w, k, v, place);
    else if (strcmp(word, "items") == 0)
        check_items(w, k, v, place);
    else if (strcmp(word, "type") == 0)
        check_type(w, k, v, place);
    else if (strcmp(word, "enum") == 0)
        check_enum(w, k, v, place);
    else if (strcmp(word, "const") == 0 && !cJSON_Compare(k, v, true))
        ib_finding(w->f, w->file, place, "is not %s",
                   cJSON_IsString(k) ? k->valuestring : "what it must be");
    else if (strcmp(word, "pattern") == 0)
        check_pattern(w, k->valuestring, v, place);
    else if (is_word(word, limits))
        check_limit(w, k, v, place);
    else if (strcmp(word, "const") != 0)
        ib_finding(w->f, w->file, place, "the schema's \"%s\" is not known",
                   word);
}

static void check(const struct walk *w, const cJSON *schema, const cJSON *v,
                  const char *place)
{
    const cJSON *k;

    cJSON_ArrayForEach(k, schema) check_keyword(w, k, v, place);
    check_members(w, schema, v, place);
}

void ib_schema_check(const cJSON *schema, const cJSON *v, const char *file,
                     struct ib_findings *f)
{
    struct walk w = {.root = schema, .file = file, .f = f};

    check(&w, schema, v, "");
}
