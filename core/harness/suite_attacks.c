/* attacks: options, prior, filters, access and budget of their own. */
#include <stdio.h>
#include <string.h>

#include "options_io.h"
#include "suite_parts.h"

bool ib_suite_means(const char *word, const char *id)
{
    size_t n = strlen(word);

    return strncmp(word, id, n) == 0 && (id[n] == '\0' || id[n] == '/');
}

/* The ids that a filter may name. */
struct ids {
    const char **id; /* NULL-terminated */
    size_t n;
};

static bool mark(const struct ids *all, const char *word, bool *wanted)
{
    bool any = false;

    for (size_t i = 0; i < all->n; i++)
        if (ib_suite_means(word, all->id[i]))
            any = wanted[i] = true;
    return any;
}

static enum ib_status no_such_id(const struct ib_suite_draft *d,
                                 const struct ids *all, const char *path, int i,
                                 const cJSON *item)
{
    const char *word = cJSON_IsString(item) ? item->valuestring : "";
    struct ib_text hint = {0};

    ib_text_suggest(&hint, word, all->id);
    ib_suite_wrong(d, "%s[%d]: \"%.60s\" names nothing%s", path, i, word,
                   ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

/* A filter: some of all, in the order of all. */
static enum ib_status take_filter(struct ib_suite_draft *d, const cJSON *v,
                                  const char *path, const struct ids *all,
                                  const char *const **out)
{
    const char **list;
    bool *wanted;
    size_t n = 0;
    int i = 0;

    if (!v)
        return IB_OK;
    if (!cJSON_IsArray(v) || !v->child)
        return ib_suite_wrong(d, "%s: not a list of ids with at least one",
                              path);
    wanted = ib_suite_take(d, all->n, sizeof *wanted);
    list = ib_suite_take(d, all->n + 1, sizeof *list);
    if (!wanted || !list)
        return IB_E_NOMEM;
    for (const cJSON *c = v->child; c; c = c->next, i++)
        if (!cJSON_IsString(c) || !mark(all, c->valuestring, wanted))
            return no_such_id(d, all, path, i, c);
    for (size_t k = 0; k < all->n; k++)
        if (wanted[k])
            list[n++] = all->id[k];
    *out = list;
    return IB_OK;
}

static enum ib_status take_filters(struct ib_suite_draft *d,
                                   const struct ib_suite_entry *e,
                                   struct ib_suite_attack *a)
{
    struct ids models = {.n = (size_t)d->s.n_models};
    struct ids defenses = {.n = (size_t)d->s.n_defenses};
    char path[IB_SUITE_PATH_MAX + 16];
    enum ib_status s;

    models.id = ib_suite_take(d, models.n + 1, sizeof *models.id);
    defenses.id = ib_suite_take(d, defenses.n + 1, sizeof *defenses.id);
    if (!models.id || !defenses.id)
        return IB_E_NOMEM;
    for (size_t i = 0; i < models.n; i++)
        models.id[i] = d->models[i].id;
    for (size_t i = 0; i < defenses.n; i++)
        defenses.id[i] = d->defenses[i].id;
    snprintf(path, sizeof path, "%s.models", e->path);
    s = take_filter(d, cJSON_GetObjectItemCaseSensitive(e->value, "models"),
                    path, &models, &a->models);
    if (s != IB_OK)
        return s;
    snprintf(path, sizeof path, "%s.defenses", e->path);
    return take_filter(d,
                       cJSON_GetObjectItemCaseSensitive(e->value, "defenses"),
                       path, &defenses, &a->defenses);
}

struct own_fields {
    struct ib_ints identities;
};

static const struct ib_option own_options[] = {
    {.name = "identities",
     .type = IB_INTS,
     .max = 9007199254740991.0,
     .offset = offsetof(struct own_fields, identities),
     .help = "classes under attack; none: all"},
    {0},
};

static enum ib_status take_identities(struct ib_suite_draft *d,
                                      const struct ib_suite_entry *e,
                                      struct ib_ints *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(e->value, "identities");
    struct own_fields fields;
    cJSON *object;
    enum ib_status s;

    if (!v)
        return IB_OK;
    object = cJSON_CreateObject();
    if (!object ||
        !cJSON_AddItemReferenceToObject(object, "identities", (cJSON *)v)) {
        cJSON_Delete(object);
        return ib_error_set(d->err, IB_E_NOMEM, "no memory");
    }
    s = ib_options_parse(own_options, sizeof fields, object,
                         &(struct ib_place){.path = e->full}, &fields, d->err);
    cJSON_Delete(object);
    *out = fields.identities;
    for (int i = 0; s == IB_OK && i < out->n; i++)
        for (int k = 0; k < i; k++)
            if (out->v[i] == out->v[k])
                return ib_suite_wrong(d, "%s.identities: %lld stands twice",
                                      e->path, (long long)out->v[i]);
    return s;
}

static enum ib_status take_limits(struct ib_suite_draft *d,
                                  const struct ib_suite_entry *e,
                                  struct ib_suite_attack *a)
{
    const cJSON *access = cJSON_GetObjectItemCaseSensitive(e->value, "access");
    char path[IB_SUITE_PATH_MAX + 16];
    enum ib_status s = IB_OK;

    a->access = d->s.access;
    a->max_queries = d->s.max_queries;
    if (access) {
        snprintf(path, sizeof path, "%s.access", e->path);
        s = ib_suite_access(d, access, path, &a->access);
    } else if (!a->access) {
        return ib_suite_wrong(d,
                              "access: missing; a list of levels, for "
                              "example [\"scores\", \"whitebox\"], here or in "
                              "%s",
                              e->path);
    }
    snprintf(path, sizeof path, "%s.max_queries", e->path);
    if (s == IB_OK)
        s = ib_suite_integer(
            d, cJSON_GetObjectItemCaseSensitive(e->value, "max_queries"), path,
            (1ull << 53) - 1, &a->max_queries);
    return s;
}

static enum ib_status take_prior(struct ib_suite_draft *d,
                                 const struct ib_suite_entry *e,
                                 struct ib_suite_attack *a)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(e->value, "prior");
    cJSON *pixels = v ? NULL : cJSON_CreateString("pixels");
    char path[IB_SUITE_PATH_MAX + 8];
    enum ib_status s;

    if (!v && !pixels)
        return ib_error_set(d->err, IB_E_NOMEM, "no memory");
    snprintf(path, sizeof path, "%s.prior", e->full);
    s = ib_use_parse(d->registry, IB_KIND_PRIOR, v ? v : pixels,
                     &(struct ib_place){.path = path}, &a->prior, d->err);
    cJSON_Delete(pixels);
    return s;
}

static enum ib_status take_attack(struct ib_suite_draft *d,
                                  const struct ib_suite_entry *e, size_t index)
{
    static const char *const reserved[] = {
        "id",     "prior",       "models",     "defenses",
        "access", "max_queries", "identities", NULL};
    struct ib_suite_attack *a = &d->attacks[index];
    enum ib_status s;

    for (size_t i = 0; i < index; i++)
        if (strcmp(d->attacks[i].id, e->id) == 0)
            return ib_suite_wrong(d,
                                  "%s.id: \"%s\" is the id of another "
                                  "attack; give this one its own \"id\"",
                                  e->path, e->id);
    a->id = e->id;
    d->s.n_attacks = (int)index + 1;
    s = ib_use_parse(d->registry, IB_KIND_ATTACK, e->value,
                     &(struct ib_place){e->full, reserved}, &a->use, d->err);
    if (s == IB_OK)
        s = take_prior(d, e, a);
    if (s == IB_OK)
        s = take_filters(d, e, a);
    if (s == IB_OK)
        s = take_limits(d, e, a);
    return s == IB_OK ? take_identities(d, e, &a->identities) : s;
}

enum ib_status ib_suite_attacks(struct ib_suite_draft *d)
{
    size_t n;

    if (ib_suite_count(d, "attacks", &n) != IB_OK)
        return IB_E_USAGE;
    d->attacks = ib_suite_take(d, n + 1, sizeof *d->attacks);
    if (!d->attacks)
        return IB_E_NOMEM;
    d->s.attacks = d->attacks;
    return ib_suite_each(d, "attacks", take_attack);
}
