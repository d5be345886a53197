/* Small readers that the parts of a suite share. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "suite_parts.h"

void *ib_suite_take(struct ib_suite_draft *d, size_t n, size_t size)
{
    void *p = ib_scratch_take(d->arena, n, size);

    if (!p)
        ib_error_set(d->err, IB_E_NOMEM, "%s: no memory", d->file);
    return p;
}

char *ib_suite_copy(struct ib_suite_draft *d, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = ib_suite_take(d, n, 1);

    if (copy)
        memcpy(copy, text, n);
    return copy;
}

enum ib_status ib_suite_wrong(const struct ib_suite_draft *d,
                              const char *format, ...)
{
    char text[IB_ERROR_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return ib_error_set(d->err, IB_E_USAGE, "%s: %s", d->file, text);
}

static bool is_listed(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

enum ib_status ib_suite_members(const struct ib_suite_draft *d, const cJSON *v,
                                const char *path, const char *const *allowed)
{
    struct ib_text hint = {0};

    if (!cJSON_IsObject(v))
        return ib_suite_wrong(d, "%s: not an object {...}",
                              *path ? path : "the suite");
    for (const cJSON *c = v->child; c; c = c->next) {
        if (is_listed(allowed, c->string))
            continue;
        ib_text_suggest(&hint, c->string, allowed);
        ib_suite_wrong(d, "%s%s%.60s: unknown key%s", path, *path ? "." : "",
                       c->string, ib_text_string(&hint));
        ib_text_free(&hint);
        return IB_E_USAGE;
    }
    return IB_OK;
}

enum ib_status ib_suite_integer(const struct ib_suite_draft *d, const cJSON *v,
                                const char *path, uint64_t max, uint64_t *out)
{
    double x;

    if (!v)
        return IB_OK;
    if (!cJSON_IsNumber(v) || v->valuedouble != floor(v->valuedouble))
        return ib_suite_wrong(d, "%s: not an integer", path);
    x = v->valuedouble;
    if (x < 0 || x > (double)max)
        return ib_suite_wrong(d,
                              "%s: %.17g is out of range; 0..%.17g is "
                              "allowed",
                              path, x, (double)max);
    *out = (uint64_t)x;
    return IB_OK;
}

enum ib_status ib_suite_access(const struct ib_suite_draft *d, const cJSON *v,
                               const char *path, unsigned *out)
{
    const char *names[IB_LEVELS + 1] = {0};
    struct ib_text hint = {0};
    unsigned levels = 0;
    int i = 0;

    for (int level = 0; level < IB_LEVELS; level++)
        names[level] = ib_level_names[level];
    if (!cJSON_IsArray(v) || !v->child)
        return ib_suite_wrong(d, "%s: not a list of access levels", path);
    for (const cJSON *c = v->child; c; c = c->next, i++) {
        const char *word = cJSON_IsString(c) ? c->valuestring : "";
        int level = 0;
        while (level < IB_LEVELS && strcmp(names[level], word) != 0)
            level++;
        if (level == IB_LEVELS) {
            ib_text_suggest(&hint, word, names);
            ib_suite_wrong(d, "%s[%d]: \"%.60s\" is no access level%s", path, i,
                           word, ib_text_string(&hint));
            ib_text_free(&hint);
            return IB_E_USAGE;
        }
        if (levels & IB_GRANTS(level))
            return ib_suite_wrong(d, "%s[%d]: \"%s\" stands twice", path, i,
                                  word);
        levels |= IB_GRANTS(level);
    }
    *out = levels;
    return IB_OK;
}
