/*
 * A small JSON Schema (2020-12) checker: the keywords that our schemas use;
 * any other keyword fails the test, so that nothing is silently unchecked.
 */
#ifndef INVBENCH_TESTS_SCHEMA_CHECK_H
#define INVBENCH_TESTS_SCHEMA_CHECK_H

#include <math.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

struct schema_check {
    const cJSON *root;
    char why[512]; /* the first fault: place and keyword */
};

static bool schema_valid(struct schema_check *c, const cJSON *schema,
                         const cJSON *v, const char *path);

static bool schema_fault(struct schema_check *c, const char *path,
                         const char *what)
{
    if (!*c->why)
        snprintf(c->why, sizeof c->why, "%.300s: %.150s", path, what);
    return false;
}

static bool schema_is_type(const cJSON *v, const char *type)
{
    bool whole = cJSON_IsNumber(v) && v->valuedouble == floor(v->valuedouble);
    return (!strcmp(type, "object") && cJSON_IsObject(v)) ||
           (!strcmp(type, "array") && cJSON_IsArray(v)) ||
           (!strcmp(type, "string") && cJSON_IsString(v)) ||
           (!strcmp(type, "number") && cJSON_IsNumber(v)) ||
           (!strcmp(type, "boolean") && cJSON_IsBool(v)) ||
           (!strcmp(type, "null") && cJSON_IsNull(v)) ||
           (!strcmp(type, "integer") && whole);
}

static bool schema_type(const cJSON *type, const cJSON *v)
{
    const cJSON *item;
    if (cJSON_IsString(type))
        return schema_is_type(v, type->valuestring);
    cJSON_ArrayForEach(item, type)
    {
        if (schema_is_type(v, item->valuestring))
            return true;
    }
    return false;
}

static bool schema_enum(const cJSON *list, const cJSON *v)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_Compare(item, v, true))
            return true;
    }
    return false;
}

static bool schema_pattern(const char *pattern, const cJSON *v)
{
    regex_t r;
    if (!cJSON_IsString(v))
        return true;
    if (regcomp(&r, pattern, REG_EXTENDED | REG_NOSUB))
        return false;
    bool ok = regexec(&r, v->valuestring, 0, NULL, 0) == 0;
    regfree(&r);
    return ok;
}

static bool schema_members(struct schema_check *c, const cJSON *schema,
                           const cJSON *v, const char *path)
{
    const cJSON *properties =
        cJSON_GetObjectItemCaseSensitive(schema, "properties");
    const cJSON *rest =
        cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
    const cJSON *item;
    if (!cJSON_IsObject(v))
        return true;
    cJSON_ArrayForEach(item, v)
    {
        char place[512];
        const cJSON *s =
            cJSON_GetObjectItemCaseSensitive(properties, item->string);
        snprintf(place, sizeof place, "%s.%s", path, item->string);
        if (!s && cJSON_IsFalse(rest))
            return schema_fault(c, place, "is not allowed");
        if (!s && cJSON_IsObject(rest))
            s = rest;
        if (s && !schema_valid(c, s, item, place))
            return false;
    }
    return true;
}

static bool schema_items(struct schema_check *c, const cJSON *items,
                         const cJSON *v, const char *path)
{
    const cJSON *item;
    int i = 0;
    if (!cJSON_IsArray(v))
        return true;
    cJSON_ArrayForEach(item, v)
    {
        char place[512];
        snprintf(place, sizeof place, "%s[%d]", path, i++);
        if (!schema_valid(c, items, item, place))
            return false;
    }
    return true;
}

static bool schema_required(struct schema_check *c, const cJSON *list,
                            const cJSON *v, const char *path)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsObject(v) &&
            !cJSON_GetObjectItemCaseSensitive(v, item->valuestring))
            return schema_fault(c, path, item->valuestring);
    }
    return true;
}

static bool schema_ref(struct schema_check *c, const char *ref, const cJSON *v,
                       const char *path)
{
    const cJSON *defs = cJSON_GetObjectItemCaseSensitive(c->root, "$defs");
    const cJSON *s = strncmp(ref, "#/$defs/", 8)
                         ? NULL
                         : cJSON_GetObjectItemCaseSensitive(defs, ref + 8);
    return s ? schema_valid(c, s, v, path) : schema_fault(c, path, ref);
}

static bool schema_number(const char *word, const cJSON *limit, const cJSON *v)
{
    double n = cJSON_GetArraySize(v), x = v->valuedouble;
    if (!strcmp(word, "minimum"))
        return !cJSON_IsNumber(v) || x >= limit->valuedouble;
    if (!strcmp(word, "maximum"))
        return !cJSON_IsNumber(v) || x <= limit->valuedouble;
    if (!strcmp(word, "minItems"))
        return !cJSON_IsArray(v) || n >= limit->valuedouble;
    if (!strcmp(word, "maxItems"))
        return !cJSON_IsArray(v) || n <= limit->valuedouble;
    return false;
}

static bool schema_ignored(const char *word)
{
    static const char *const words[] = {"$schema",
                                        "$id",
                                        "$defs",
                                        "title",
                                        "description",
                                        "properties",
                                        "additionalProperties"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(word, words[i]))
            return true;
    return false;
}

static bool schema_keyword(struct schema_check *c, const cJSON *k,
                           const cJSON *v, const char *path)
{
    const char *word = k->string;
    if (!strcmp(word, "$ref"))
        return schema_ref(c, k->valuestring, v, path);
    if (!strcmp(word, "required"))
        return schema_required(c, k, v, path);
    if (!strcmp(word, "items"))
        return schema_items(c, k, v, path);
    bool ok = !strcmp(word, "type")      ? schema_type(k, v)
              : !strcmp(word, "enum")    ? schema_enum(k, v)
              : !strcmp(word, "const")   ? cJSON_Compare(k, v, true)
              : !strcmp(word, "pattern") ? schema_pattern(k->valuestring, v)
                                         : schema_number(word, k, v);
    return ok || schema_fault(c, path, word);
}

static bool schema_valid(struct schema_check *c, const cJSON *schema,
                         const cJSON *v, const char *path)
{
    const cJSON *k;
    cJSON_ArrayForEach(k, schema)
    {
        if (!schema_ignored(k->string) && !schema_keyword(c, k, v, path))
            return false;
    }
    return schema_members(c, schema, v, path);
}

#endif
