/*
 * Descriptors from JSON: what a probe's child said about an outside module,
 * rebuilt without hooks. The child ran foreign code, so nothing it says is
 * believed before ib_plugin_check has passed.
 */
#include <math.h>
#include <string.h>

#include "plugin_json.h"
#include "registry_parts.h"

enum { LIST_MAX = 128, OPTIONS_SIZE_MAX = 1 << 20 };

/* Sticks after the first mistake. */
struct reader {
    struct ib_scratch *own;
    struct ib_error *err;
    enum ib_status status;
};

static void *take(struct reader *r, size_t count, size_t size)
{
    void *p = r->status == IB_OK ? ib_scratch_take(r->own, count, size) : NULL;

    if (!p && r->status == IB_OK)
        r->status = ib_error_set(r->err, IB_E_NOMEM, "no memory");
    return p;
}

static void bad(struct reader *r, const char *member)
{
    if (r->status == IB_OK)
        r->status = ib_error_set(r->err, IB_E_DATA,
                                 "the module's description lacks a sound "
                                 "\"%s\"",
                                 member);
}

static const char *text(struct reader *r, const cJSON *v, const char *member)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(v, member);
    size_t n;
    char *copy;

    if (!m)
        return NULL;
    if (!cJSON_IsString(m)) {
        bad(r, member);
        return NULL;
    }
    n = strlen(m->valuestring) + 1;
    copy = take(r, n, 1);
    if (copy)
        memcpy(copy, m->valuestring, n);
    return copy;
}

static double bound(const cJSON *v, const char *member, double open)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(v, member);

    return cJSON_IsNumber(m) ? m->valuedouble : open;
}

static size_t size_of(struct reader *r, const cJSON *v, const char *member)
{
    double x = bound(v, member, -1);

    if (x >= 0 && x <= OPTIONS_SIZE_MAX && x == floor(x))
        return (size_t)x;
    bad(r, member);
    return 0;
}

static bool flag(const cJSON *v, const char *member)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(v, member));
}

/* Index of the member's text in names, or -1. */
static int word(struct reader *r, const cJSON *v, const char *member,
                const char *const *names, int n)
{
    const char *t =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(v, member));

    for (int i = 0; t && i < n; i++)
        if (names[i] && strcmp(names[i], t) == 0)
            return i;
    bad(r, member);
    return -1;
}

/* Length of a list, and room for its items and the end mark. */
static const cJSON *list(struct reader *r, const cJSON *v, const char *member,
                         size_t size, void **room)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(v, member);

    *room = NULL;
    if (!cJSON_IsArray(m) || cJSON_GetArraySize(m) > LIST_MAX) {
        bad(r, member);
        return NULL;
    }
    *room = take(r, (size_t)cJSON_GetArraySize(m) + 1, size);
    return *room ? m->child : NULL;
}

static const struct ib_choice *choices(struct reader *r, const cJSON *v)
{
    void *room;
    const cJSON *c = list(r, v, "choices", sizeof(struct ib_choice), &room);
    struct ib_choice *out = room;

    for (; c; c = c->next, out++) {
        out->name = text(r, c, "name");
        out->help = text(r, c, "help");
        if (!out->name)
            bad(r, "choices");
    }
    return room;
}

static void option(struct reader *r, const cJSON *v, struct ib_option *o)
{
    static const char *const types[] = {NULL,     "int",  "real", "bool",
                                        "choice", "text", "ints"};
    int type = word(r, v, "type", types, (int)IB_COUNT(types));

    o->name = text(r, v, "name");
    o->value = text(r, v, "default");
    o->unit = text(r, v, "unit");
    o->help = text(r, v, "help");
    o->offset = size_of(r, v, "offset");
    if (!o->name)
        bad(r, "options");
    if (type < 0)
        return;
    o->type = (enum ib_option_type)type;
    if (o->type == IB_INT || o->type == IB_REAL || o->type == IB_INTS) {
        o->min = bound(v, "min", -INFINITY);
        o->max = bound(v, "max", INFINITY);
    }
    if (o->type == IB_CHOICE)
        o->choices = choices(r, v);
}

static const struct ib_option *options(struct reader *r, const cJSON *v)
{
    void *room;
    const cJSON *c = list(r, v, "options", sizeof(struct ib_option), &room);

    for (struct ib_option *o = room; c; c = c->next)
        option(r, c, o++);
    return room;
}

static const struct ib_column *columns(struct reader *r, const cJSON *v)
{
    void *room;
    const cJSON *c = list(r, v, "columns", sizeof(struct ib_column), &room);
    struct ib_column *out = room;

    for (; c; c = c->next, out++) {
        int direction = word(r, c, "direction", ib_direction_names, 3);
        out->name = text(r, c, "name");
        out->unit = text(r, c, "unit");
        out->definition = text(r, c, "definition");
        out->min = bound(c, "min", -INFINITY);
        out->max = bound(c, "max", INFINITY);
        out->direction = (enum ib_direction)(direction < 0 ? 0 : direction);
        if (!out->name)
            bad(r, "columns");
    }
    return room;
}

static unsigned levels(struct reader *r, const cJSON *v)
{
    unsigned out = 0;
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(v, "levels");

    for (c = cJSON_IsArray(c) ? c->child : NULL; c; c = c->next)
        for (int i = 0; i < IB_LEVELS && cJSON_IsString(c); i++)
            if (strcmp(c->valuestring, ib_level_names[i]) == 0)
                out |= IB_GRANTS(i);
    if (!out)
        bad(r, "levels");
    return out;
}

static void kind_fields(struct reader *r, const cJSON *v, struct ib_plugin *p)
{
    struct ib_attack *attack = (void *)p;
    struct ib_defense *defense = (void *)p;
    struct ib_model *model = (void *)p;
    struct ib_metric *metric = (void *)p;
    struct ib_dataset_plugin *dataset = (void *)p;
    struct ib_prior *prior = (void *)p;
    int stage;

    switch (p->kind) {
    case IB_KIND_ATTACK:
        attack->levels = levels(r, v);
        break;
    case IB_KIND_DEFENSE:
        stage = word(r, v, "stage", ib_stage_names, IB_STAGE_COUNT);
        defense->stage = (enum ib_stage)(stage < 0 ? 0 : stage);
        defense->stochastic = flag(v, "stochastic");
        defense->adaptive = text(r, v, "adaptive");
        break;
    case IB_KIND_MODEL:
        model->family = text(r, v, "family");
        break;
    case IB_KIND_METRIC:
        metric->per_evaluator = flag(v, "per_evaluator");
        metric->columns = columns(r, v);
        break;
    case IB_KIND_DATASET:
        dataset->seeded = flag(v, "seeded");
        break;
    case IB_KIND_PRIOR:
        prior->fitted = flag(v, "fitted");
        break;
    default:
        break;
    }
}

enum ib_status ib_plugin_from_json(const cJSON *v, struct ib_scratch *own,
                                   const struct ib_plugin **out,
                                   struct ib_error *err)
{
    static const size_t sizes[IB_KIND_COUNT] = {
        [IB_KIND_ATTACK] = sizeof(struct ib_attack),
        [IB_KIND_DEFENSE] = sizeof(struct ib_defense),
        [IB_KIND_MODEL] = sizeof(struct ib_model),
        [IB_KIND_METRIC] = sizeof(struct ib_metric),
        [IB_KIND_DATASET] = sizeof(struct ib_dataset_plugin),
        [IB_KIND_PRIOR] = sizeof(struct ib_prior),
    };
    struct reader r = {.own = own, .err = err};
    int kind = word(&r, v, "kind", ib_kind_names, IB_KIND_COUNT);
    struct ib_plugin *p = kind < 0 ? NULL : take(&r, 1, sizes[kind]);

    *out = p;
    if (!p)
        return r.status;
    p->kind = (enum ib_kind)kind;
    p->name = text(&r, v, "name");
    p->summary = text(&r, v, "summary");
    p->citation = text(&r, v, "citation");
    p->license = text(&r, v, "license");
    p->version = text(&r, v, "version");
    p->options_size = size_of(&r, v, "options_size");
    p->options = options(&r, v);
    kind_fields(&r, v, p);
    return r.status;
}
