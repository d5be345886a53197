#include "json_diff.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 512, LEAF_MAX = 90 };

/* A leaf, or what kind of thing stands there. */
static const char *leaf(const cJSON *v, char out[LEAF_MAX])
{
    if (!v)
        return "not there";
    if (cJSON_IsNumber(v))
        snprintf(out, LEAF_MAX, "%.17g", v->valuedouble);
    else if (cJSON_IsString(v))
        snprintf(out, LEAF_MAX, "\"%.80s\"", v->valuestring);
    else
        return cJSON_IsTrue(v)     ? "true"
               : cJSON_IsFalse(v)  ? "false"
               : cJSON_IsNull(v)   ? "null"
               : cJSON_IsArray(v)  ? "a list"
               : cJSON_IsObject(v) ? "an object"
                                   : "not JSON";
    return out;
}

static void differ(struct ib_diff *d, const cJSON *want, const cJSON *got,
                   const char *place)
{
    char a[LEAF_MAX], b[LEAF_MAX];

    ib_finding(d->f, d->file, place, "%s; %s: %s", leaf(got, a), d->here,
               leaf(want, b));
}

static void diff_leaf(struct ib_diff *d, const cJSON *want, const cJSON *got,
                      const char *place)
{
    d->compared++;
    if (cJSON_IsNumber(want) && cJSON_IsNumber(got)) {
        double x = want->valuedouble, scale = fmax(1, fabs(x));
        double off = fabs(got->valuedouble - x) / scale;
        d->worst = fmax(d->worst, off);
        if (off <= d->tolerance)
            return;
    } else if (want && got && cJSON_Compare(want, got, true)) {
        return;
    }
    differ(d, want, got, place);
}

static void diff_objects(struct ib_diff *d, const cJSON *want, const cJSON *got,
                         const char *place)
{
    const cJSON *item, *other = got->child;
    char below[PLACE_MAX];

    cJSON_ArrayForEach(item, want)
    {
        /* members mostly come in one order: look where the last one was */
        if (!other || strcmp(other->string, item->string) != 0)
            other = ib_at(got, item->string);
        snprintf(below, sizeof below, "%s%s%s", place, *place ? "." : "",
                 item->string);
        ib_json_diff(d, item, other, below);
        other = other ? other->next : NULL;
    }
    cJSON_ArrayForEach(item, got)
    {
        if (ib_at(want, item->string))
            continue;
        snprintf(below, sizeof below, "%s%s%s", place, *place ? "." : "",
                 item->string);
        ib_json_diff(d, NULL, item, below);
    }
}

static void diff_lists(struct ib_diff *d, const cJSON *want, const cJSON *got,
                       const char *place)
{
    int i = 0;

    want = want->child;
    got = got->child;
    while (want || got) {
        char below[PLACE_MAX];
        snprintf(below, sizeof below, "%s[%d]", place, i++);
        ib_json_diff(d, want, got, below);
        want = want ? want->next : NULL;
        got = got ? got->next : NULL;
    }
}

void ib_json_diff(struct ib_diff *d, const cJSON *want, const cJSON *got,
                  const char *place)
{
    if (cJSON_IsObject(want) && cJSON_IsObject(got))
        diff_objects(d, want, got, place);
    else if (cJSON_IsArray(want) && cJSON_IsArray(got))
        diff_lists(d, want, got, place);
    else
        diff_leaf(d, want, got, place);
}
