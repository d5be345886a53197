/* --set path=json: overrides in a suite before it is validated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite_parts.h"

/* The path on its way down. */
struct walk {
    const char *assignment;
    char segment[IB_SUITE_ID_MAX + 1];
    struct ib_error *err;
};

static bool is_index(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return n > 0 && n < 7 && s[n] == '\0';
}

static bool item_is(const cJSON *item, const char *id)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(item, "id");

    if (!v)
        v = cJSON_GetObjectItemCaseSensitive(item, "name");
    if (!v)
        v = item;
    return cJSON_IsString(v) && strcmp(v->valuestring, id) == 0;
}

static enum ib_status no_item(struct walk *w, const cJSON *list)
{
    return ib_error_set(w->err, IB_E_USAGE,
                        "--set %.200s: the list has no item \"%s\" (%d items; "
                        "name one by its index from 0 or by its id)",
                        w->assignment, w->segment, cJSON_GetArraySize(list));
}

static enum ib_status find_item(struct walk *w, cJSON *list, cJSON **out)
{
    *out = NULL;
    if (is_index(w->segment))
        *out = cJSON_GetArrayItem(list, atoi(w->segment));
    for (cJSON *c = list->child; c && !*out; c = c->next)
        if (item_is(c, w->segment))
            *out = c;
    return *out ? IB_OK : no_item(w, list);
}

/* The child that the segment names; a missing object on the way is made. */
static enum ib_status step_down(struct walk *w, cJSON *at, cJSON **out)
{
    *out = NULL;
    if (cJSON_IsArray(at))
        return find_item(w, at, out);
    if (!cJSON_IsObject(at))
        return ib_error_set(w->err, IB_E_USAGE,
                            "--set %.200s: there is nothing below a plain "
                            "value at \"%s\"",
                            w->assignment, w->segment);
    *out = cJSON_GetObjectItemCaseSensitive(at, w->segment);
    if (!*out)
        *out = cJSON_AddObjectToObject(at, w->segment);
    return *out ? IB_OK : ib_error_set(w->err, IB_E_NOMEM, "no memory");
}

/* Takes value over when it returns IB_OK. */
static enum ib_status replace(struct walk *w, cJSON *at, cJSON *value)
{
    cJSON *old = NULL;
    enum ib_status s = step_down(w, at, &old);

    if (s != IB_OK)
        return s;
    if (cJSON_IsObject(at)
            ? !cJSON_ReplaceItemInObjectCaseSensitive(at, w->segment, value)
            : !cJSON_ReplaceItemViaPointer(at, old, value))
        return ib_error_set(w->err, IB_E_NOMEM, "no memory");
    return IB_OK;
}

static enum ib_status assign(struct walk *w, cJSON *root, const char *path,
                             size_t n, cJSON *value)
{
    cJSON *at = root;
    const char *end = path + n;

    for (;;) {
        const char *dot = memchr(path, '.', (size_t)(end - path));
        size_t length = (size_t)((dot ? dot : end) - path);
        enum ib_status s;
        if (length == 0 || length > IB_SUITE_ID_MAX)
            return ib_error_set(w->err, IB_E_USAGE,
                                "--set %.200s: an empty or very long name in "
                                "the path",
                                w->assignment);
        memcpy(w->segment, path, length);
        w->segment[length] = '\0';
        if (!dot)
            return replace(w, at, value);
        s = step_down(w, at, &at);
        if (s != IB_OK)
            return s;
        path = dot + 1;
    }
}

enum ib_status ib_suite_set(cJSON *root, const char *assignment,
                            struct ib_error *err)
{
    struct walk w = {.assignment = assignment, .err = err};
    const char *equals = strchr(assignment, '=');
    cJSON *value = NULL;
    enum ib_status s;

    if (!equals)
        return ib_error_set(err, IB_E_USAGE,
                            "--set %.200s: not of the form path=json",
                            assignment);
    s = ib_json_parse(equals + 1, strlen(equals + 1), "value", &value, err);
    if (s != IB_OK) {
        ib_error_prefix(err, "--set %.200s (texts stand in double quotes)",
                        assignment);
        return IB_E_USAGE;
    }
    s = assign(&w, root, assignment, (size_t)(equals - assignment), value);
    if (s != IB_OK)
        cJSON_Delete(value);
    return s;
}
