/* models, evaluators, defenses: lists of entries, sweeps expanded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite_parts.h"

static const char *const reserved_item[] = {"id", NULL};

/* Letters and digits first; no path that leaves a folder. */
static bool is_id(const char *id)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = strlen(id);

    if (n == 0 || n > IB_SUITE_ID_MAX || !strchr(first, id[0]) ||
        strstr(id, "..") || strstr(id, "//") || id[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr(first, id[i]) && !strchr("-_.+=,:@/[]", id[i]))
            return false;
    return true;
}

/* The default of a defense's id: its members' names. */
static void join_stack(const cJSON *value, struct ib_text *out)
{
    const cJSON *stack = cJSON_GetObjectItemCaseSensitive(value, "stack");

    for (const cJSON *c = cJSON_IsArray(stack) ? stack->child : NULL; c;
         c = c->next) {
        const char *name = cJSON_GetStringValue(
            cJSON_IsObject(c) ? cJSON_GetObjectItemCaseSensitive(c, "name")
                              : c);
        ib_text_add(out, "%s%s", out->size ? "+" : "", name ? name : "?");
    }
    if (!out->size)
        ib_text_add(out, "none");
}

static enum ib_status entry_id(struct ib_suite_draft *d,
                               struct ib_suite_entry *e, const char *suffix)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(e->value, "id");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(e->value, "name");
    struct ib_text text = {0};

    if (id && !cJSON_IsString(id))
        return ib_suite_wrong(d, "%s.id: not a text in quotes", e->path);
    if (id || cJSON_IsString(name))
        ib_text_add(&text, "%s", id ? id->valuestring : name->valuestring);
    else
        join_stack(e->value, &text);
    ib_text_add(&text, "%s", suffix);
    if (!is_id(ib_text_string(&text))) {
        ib_suite_wrong(d,
                       "%s.id: \"%.120s\" cannot be an id: letters, digits "
                       "and -_.+=,:@/[] are allowed, a letter or digit first, "
                       "up to %d bytes",
                       e->path, ib_text_string(&text), IB_SUITE_ID_MAX);
        ib_text_free(&text);
        return IB_E_USAGE;
    }
    e->id = ib_suite_copy(d, ib_text_string(&text));
    ib_text_free(&text);
    return e->id ? IB_OK : IB_E_NOMEM;
}

static enum ib_status each_variant(struct ib_suite_draft *d, const cJSON *value,
                                   struct ib_suite_entry *e,
                                   ib_suite_take_entry take, size_t *index)
{
    enum ib_status s;
    size_t n = 0;

    s = ib_sweep_count(value, e->full, &n, d->err);
    for (size_t k = 0; k < n && s == IB_OK; k++) {
        struct ib_text suffix = {0};
        s = ib_sweep_variant(value, k, &e->value, &suffix, d->err);
        if (s == IB_OK)
            s = entry_id(d, e, ib_text_string(&suffix));
        if (s == IB_OK)
            s = take(d, e, (*index)++);
        ib_text_free(&suffix);
        cJSON_Delete(e->value);
        e->value = NULL;
    }
    return s;
}

enum ib_status ib_suite_each(struct ib_suite_draft *d, const char *list,
                             ib_suite_take_entry take)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(d->root, list);
    enum ib_status s = IB_OK;
    size_t index = 0;
    int i = 0;

    for (v = v ? v->child : NULL; v && s == IB_OK; v = v->next, i++) {
        struct ib_suite_entry e = {0};
        snprintf(e.path, sizeof e.path, "%s[%d]", list, i);
        snprintf(e.full, sizeof e.full, "%.400s: %.100s", d->file, e.path);
        s = each_variant(d, v, &e, take, &index);
    }
    return s;
}

enum ib_status ib_suite_count(const struct ib_suite_draft *d, const char *list,
                              size_t *n)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(d->root, list);
    char path[IB_SUITE_PATH_MAX];
    int i = 0;

    *n = 0;
    if (v && (!cJSON_IsArray(v) || !v->child))
        return ib_suite_wrong(d, "%s: not a list with at least one entry",
                              list);
    for (v = v ? v->child : NULL; v; v = v->next, i++) {
        size_t variants;
        snprintf(path, sizeof path, "%.400s: %s[%d]", d->file, list, i);
        if (!cJSON_IsObject(v))
            return ib_suite_wrong(d, "%s[%d]: not an object {...}", list, i);
        if (ib_sweep_count(v, path, &variants, d->err) != IB_OK)
            return IB_E_USAGE;
        if (!ib_size_add(*n, variants, n))
            *n = SIZE_MAX;
    }
    return IB_OK;
}

/* --- models and evaluators ----------------------------------------------- */

static enum ib_status clash(const struct ib_suite_draft *d,
                            const struct ib_suite_entry *e, const char *other)
{
    return ib_suite_wrong(d,
                          "%s.id: \"%s\" is the id of another %s; give this "
                          "one its own \"id\"",
                          e->path, e->id, other);
}

static enum ib_status take_model(struct ib_suite_draft *d,
                                 const struct ib_suite_entry *e, size_t index)
{
    struct ib_suite_item *m = &d->models[index];

    for (size_t i = 0; i < index; i++)
        if (strcmp(d->models[i].id, e->id) == 0)
            return clash(d, e, "model");
    m->id = e->id;
    d->s.n_models = (int)index + 1;
    return ib_use_parse(d->registry, IB_KIND_MODEL, e->value,
                        &(struct ib_place){e->full, reserved_item}, &m->use,
                        d->err);
}

/* Two names for one model would count as two judges. */
static enum ib_status check_twin(const struct ib_suite_draft *d,
                                 const struct ib_suite_entry *e, size_t index)
{
    const struct ib_suite_item *all = d->evaluators;
    cJSON *own = ib_use_spec(d->registry, &all[index].use);
    enum ib_status s =
        own ? IB_OK : ib_error_set(d->err, IB_E_NOMEM, "no memory for a suite");

    for (size_t i = 0; i < index && s == IB_OK; i++) {
        cJSON *other = ib_use_spec(d->registry, &all[i].use);

        if (cJSON_Compare(own, other, true))
            s = ib_suite_wrong(d,
                               "%s: the same model as evaluator \"%s\", with "
                               "the same options; an independent judge "
                               "differs in one",
                               e->path, all[i].id);
        cJSON_Delete(other);
    }
    cJSON_Delete(own);
    return s;
}

static enum ib_status take_evaluator(struct ib_suite_draft *d,
                                     const struct ib_suite_entry *e,
                                     size_t index)
{
    struct ib_suite_item *m = &d->evaluators[index];
    enum ib_status s;

    for (size_t i = 0; i < index; i++)
        if (strcmp(d->evaluators[i].id, e->id) == 0)
            return clash(d, e, "evaluator");
    for (int i = 0; i < d->s.n_models; i++)
        if (strcmp(d->models[i].id, e->id) == 0)
            return clash(d, e, "model");
    m->id = e->id;
    d->s.n_evaluators = (int)index + 1;
    s = ib_use_parse(d->registry, IB_KIND_MODEL, e->value,
                     &(struct ib_place){e->full, reserved_item}, &m->use,
                     d->err);
    return s == IB_OK ? check_twin(d, e, index) : s;
}

static enum ib_status take_defense(struct ib_suite_draft *d,
                                   const struct ib_suite_entry *e, size_t index)
{
    static const char *const allowed[] = {"id", "stack", NULL};
    const cJSON *stack = cJSON_GetObjectItemCaseSensitive(e->value, "stack");
    struct ib_suite_defense *out = &d->defenses[index];
    char path[IB_SUITE_PATH_MAX + 8];

    if (ib_suite_members(d, e->value, e->path, allowed) != IB_OK)
        return IB_E_USAGE;
    if (!cJSON_IsArray(stack))
        return ib_suite_wrong(d, "%s.stack: missing, or not a list", e->path);
    for (size_t i = 0; i < index; i++)
        if (strcmp(d->defenses[i].id, e->id) == 0)
            return clash(d, e, "defense");
    out->id = e->id;
    d->s.n_defenses = (int)index + 1;
    snprintf(path, sizeof path, "%s.stack", e->full);
    return ib_stack_parse(d->registry, stack, path, &out->stack, d->err);
}

/* Room for what ib_suite_count counted, and one more. */
static enum ib_status room(struct ib_suite_draft *d, const char *list,
                           size_t size, void **out)
{
    size_t n;

    if (ib_suite_count(d, list, &n) != IB_OK)
        return IB_E_USAGE;
    *out = ib_suite_take(d, n + 1, size);
    return *out ? IB_OK : IB_E_NOMEM;
}

enum ib_status ib_suite_models(struct ib_suite_draft *d)
{
    void *list;
    enum ib_status s = room(d, "models", sizeof *d->models, &list);

    if (s != IB_OK)
        return s;
    d->s.models = d->models = list;
    return ib_suite_each(d, "models", take_model);
}

enum ib_status ib_suite_evaluators(struct ib_suite_draft *d)
{
    void *list;
    enum ib_status s = room(d, "evaluators", sizeof *d->evaluators, &list);

    if (s != IB_OK)
        return s;
    d->s.evaluators = d->evaluators = list;
    return ib_suite_each(d, "evaluators", take_evaluator);
}

/* Without a list there is one slot: no defense at all. */
enum ib_status ib_suite_defenses(struct ib_suite_draft *d)
{
    void *list;
    enum ib_status s = room(d, "defenses", sizeof *d->defenses, &list);

    if (s != IB_OK)
        return s;
    d->s.defenses = d->defenses = list;
    s = ib_suite_each(d, "defenses", take_defense);
    if (s == IB_OK && d->s.n_defenses == 0) {
        d->defenses[0].id = "none";
        d->s.n_defenses = 1;
    }
    return s;
}
