#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite_parts.h"

enum { ARENA_MAX = 1 << 28 };
static const uint64_t integer_max = (1ull << 53) - 1;

static const cJSON *member(const struct ib_suite_draft *d, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(d->root, name);
}

static enum ib_status read_text(struct ib_suite_draft *d, const char *name,
                                const char *fallback, const char **out)
{
    const cJSON *v = member(d, name);

    if (!v && !fallback)
        return ib_suite_wrong(d, "%s: missing; a text in quotes", name);
    if (v && !cJSON_IsString(v))
        return ib_suite_wrong(d, "%s: not a text in quotes", name);
    *out = ib_suite_copy(d, v ? v->valuestring : fallback);
    return *out ? IB_OK : IB_E_NOMEM;
}

static enum ib_status read_head(struct ib_suite_draft *d)
{
    const char *schema = NULL;
    enum ib_status s = read_text(d, "schema", NULL, &schema);

    if (s == IB_OK && strcmp(schema, "invbench.suite/1") != 0)
        return ib_suite_wrong(d,
                              "schema: \"%.60s\" is not known; "
                              "\"invbench.suite/1\" is",
                              schema);
    if (s == IB_OK)
        s = read_text(d, "name", NULL, &d->s.name);
    if (s == IB_OK && (!*d->s.name || strlen(d->s.name) > IB_SUITE_ID_MAX))
        return ib_suite_wrong(d, "name: empty, or over %d bytes",
                              IB_SUITE_ID_MAX);
    return s == IB_OK ? read_text(d, "summary", "", &d->s.summary) : s;
}

static enum ib_status read_seeds(struct ib_suite_draft *d)
{
    const cJSON *v = member(d, "seeds");
    char path[32];

    d->s.seeds = d->seeds =
        ib_suite_take(d, IB_SUITE_SEEDS_MAX, sizeof *d->seeds);
    if (!d->seeds)
        return IB_E_NOMEM;
    if (!cJSON_IsArray(v) || !v->child)
        return ib_suite_wrong(
            d, "seeds: missing, empty, or not a list of integers");
    for (v = v->child; v; v = v->next) {
        int n = d->s.n_seeds;
        snprintf(path, sizeof path, "seeds[%d]", n);
        if (n == IB_SUITE_SEEDS_MAX)
            return ib_suite_wrong(d, "seeds: more than %d", n);
        if (ib_suite_integer(d, v, path, integer_max, &d->seeds[n]) != IB_OK)
            return IB_E_USAGE;
        for (int i = 0; i < n; i++)
            if (d->seeds[i] == d->seeds[n])
                return ib_suite_wrong(d, "%s: %llu stands twice", path,
                                      (unsigned long long)d->seeds[n]);
        d->s.n_seeds++;
    }
    return IB_OK;
}

static enum ib_status read_real(struct ib_suite_draft *d, const cJSON *budget,
                                const char *name, double max, double *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(budget, name);

    if (!v)
        return IB_OK;
    if (!cJSON_IsNumber(v))
        return ib_suite_wrong(d, "budget.%s: not a number", name);
    if (!(v->valuedouble >= 0 && v->valuedouble <= max))
        return ib_suite_wrong(d,
                              "budget.%s: %.15g is out of range; 0..%.15g "
                              "is allowed",
                              name, v->valuedouble, max);
    *out = v->valuedouble;
    return IB_OK;
}

static enum ib_status read_budget(struct ib_suite_draft *d)
{
    static const char *const allowed[] = {"max_queries", "latency",
                                          "rate_limit", NULL};
    const cJSON *access = member(d, "access"), *v = member(d, "budget");
    enum ib_status s = IB_OK;

    if (access)
        s = ib_suite_access(d, access, "access", &d->s.access);
    if (s != IB_OK || !v)
        return s;
    s = ib_suite_members(d, v, "budget", allowed);
    if (s == IB_OK)
        s = ib_suite_integer(
            d, cJSON_GetObjectItemCaseSensitive(v, "max_queries"),
            "budget.max_queries", integer_max, &d->s.max_queries);
    if (s == IB_OK)
        s = read_real(d, v, "latency", 1e6, &d->s.latency);
    return s == IB_OK ? read_real(d, v, "rate_limit", 1e9, &d->s.rate_limit)
                      : s;
}

static enum ib_status read_dataset(struct ib_suite_draft *d)
{
    char path[IB_SUITE_PATH_MAX];

    snprintf(path, sizeof path, "%.400s: dataset", d->file);
    if (!member(d, "dataset"))
        return ib_suite_wrong(d, "dataset: missing; {\"name\": ..., options}");
    return ib_use_parse(d->registry, IB_KIND_DATASET, member(d, "dataset"),
                        &(struct ib_place){.path = path}, &d->s.dataset,
                        d->err);
}

/* Without a list: every metric that is built in and not costly, with its
 * defaults. */
static cJSON *default_metrics(const struct ib_registry *r)
{
    cJSON *out = cJSON_CreateArray();

    for (size_t i = 0; i < ib_registry_count(r, IB_KIND_METRIC); i++) {
        const struct ib_plugin *p = ib_registry_at(r, IB_KIND_METRIC, i);
        if (!ib_registry_is_foreign(r, p) &&
            !((const struct ib_metric *)p)->on_request)
            cJSON_AddItemToArray(out, cJSON_CreateString(p->name));
    }
    return out;
}

static enum ib_status parse_metrics(struct ib_suite_draft *d, const cJSON *list)
{
    char path[IB_SUITE_PATH_MAX];

    if (!cJSON_IsArray(list))
        return ib_suite_wrong(d, "metrics: not a list");
    d->metrics = ib_suite_take(d, (size_t)cJSON_GetArraySize(list) + 1,
                               sizeof *d->metrics);
    if (!d->metrics)
        return IB_E_NOMEM;
    d->s.metrics = d->metrics;
    for (const cJSON *v = list->child; v; v = v->next) {
        int n = d->s.n_metrics;
        snprintf(path, sizeof path, "%.400s: metrics[%d]", d->file, n);
        if (ib_use_parse(d->registry, IB_KIND_METRIC, v,
                         &(struct ib_place){.path = path}, &d->metrics[n],
                         d->err) != IB_OK)
            return IB_E_USAGE;
        d->s.n_metrics++;
        for (int i = 0; i < n; i++)
            if (d->metrics[i].plugin == d->metrics[n].plugin)
                return ib_suite_wrong(d, "metrics[%d]: \"%s\" stands twice", n,
                                      d->metrics[n].plugin->name);
    }
    return IB_OK;
}

static enum ib_status read_metrics(struct ib_suite_draft *d)
{
    cJSON *own = member(d, "metrics") ? NULL : default_metrics(d->registry);
    enum ib_status s = parse_metrics(d, own ? own : member(d, "metrics"));

    cJSON_Delete(own);
    return s;
}

static size_t saturate(size_t a, size_t b)
{
    size_t out;

    return ib_size_mul(a, b, &out) ? out : SIZE_MAX;
}

/* Before anything is expanded: a bound on the cells that are asked for. */
static enum ib_status check_size(const struct ib_suite_draft *d)
{
    static const char *const lists[] = {"models", "defenses", "attacks"};
    const cJSON *seeds = member(d, "seeds");
    size_t cells =
        seeds && seeds->child ? (size_t)cJSON_GetArraySize(seeds) : 1;

    for (size_t i = 0; i < IB_COUNT(lists); i++) {
        size_t n;
        enum ib_status s = ib_suite_count(d, lists[i], &n);
        if (s != IB_OK)
            return s;
        if (n == 0 && i != 1)
            return ib_suite_wrong(d, "%s: missing; there is nothing to run",
                                  lists[i]);
        if (n > IB_SUITE_LIST_MAX && n <= IB_SUITE_CELLS_MAX)
            return ib_suite_wrong(d,
                                  "%s: %zu entries after sweeps; up to %d "
                                  "are allowed",
                                  lists[i], n, IB_SUITE_LIST_MAX);
        cells = saturate(cells, n ? n : 1);
    }
    if (cells > IB_SUITE_CELLS_MAX)
        return ib_suite_wrong(d,
                              "the suite asks for %zu cells (seeds x models "
                              "x defenses x attacks); up to %d are allowed",
                              cells, IB_SUITE_CELLS_MAX);
    return IB_OK;
}

static size_t listed(const char *const *filter, size_t all)
{
    size_t n = 0;

    while (filter && filter[n])
        n++;
    return filter ? n : all;
}

size_t ib_suite_cells(const struct ib_suite *s)
{
    size_t cells = 0;

    for (int i = 0; i < s->n_attacks; i++) {
        const struct ib_suite_attack *a = &s->attacks[i];
        size_t n = listed(a->models, (size_t)s->n_models) *
                   listed(a->defenses, (size_t)s->n_defenses) *
                   (size_t)__builtin_popcount(a->access);
        cells += n * (size_t)s->n_seeds;
    }
    return cells;
}

static enum ib_status read_all(struct ib_suite_draft *d)
{
    static const char *const allowed[] = {
        "schema", "name",       "summary",    "seeds",   "dataset",
        "models", "evaluators", "defenses",   "attacks", "access",
        "budget", "metrics",    "membership", NULL};
    enum ib_status (*const steps[])(struct ib_suite_draft *) = {
        read_head,         read_seeds,
        read_budget,       read_dataset,
        ib_suite_models,   ib_suite_evaluators,
        ib_suite_defenses, ib_suite_attacks,
        read_metrics,      ib_suite_membership_read,
    };
    enum ib_status s = ib_suite_members(d, d->root, "", allowed);
    size_t evaluators;

    if (s == IB_OK)
        s = check_size(d);
    if (s == IB_OK)
        s = ib_suite_count(d, "evaluators", &evaluators);
    if (s == IB_OK && evaluators > 14)
        return ib_suite_wrong(d,
                              "evaluators: %zu after sweeps; up to 14 are "
                              "allowed",
                              evaluators);
    for (size_t i = 0; s == IB_OK && i < IB_COUNT(steps); i++)
        s = steps[i](d);
    if (s == IB_OK && ib_suite_cells(&d->s) > IB_SUITE_CELLS_MAX)
        return ib_suite_wrong(d,
                              "the suite asks for %zu cells; up to %d are "
                              "allowed",
                              ib_suite_cells(&d->s), IB_SUITE_CELLS_MAX);
    return s;
}

void ib_suite_free(struct ib_suite *s)
{
    struct ib_suite_draft *d = (struct ib_suite_draft *)s;

    if (!s)
        return;
    ib_use_free(&d->s.dataset);
    for (int i = 0; i < s->n_models; i++)
        ib_use_free(&d->models[i].use);
    for (int i = 0; i < s->n_evaluators; i++)
        ib_use_free(&d->evaluators[i].use);
    for (int i = 0; i < s->n_defenses; i++)
        ib_stack_free(&d->defenses[i].stack);
    for (int i = 0; i < s->n_attacks; i++) {
        ib_use_free(&d->attacks[i].use);
        ib_use_free(&d->attacks[i].prior);
    }
    for (int i = 0; i < s->n_metrics; i++)
        ib_use_free(&d->metrics[i]);
    cJSON_Delete(s->resolved);
    ib_scratch_free(d->arena);
    free(d);
}

struct source {
    const char *path;
    const char *const *set, *const *only;
};

static enum ib_status build(struct ib_suite_draft *d, const struct source *from)
{
    enum ib_status s;

    d->file = d->s.path = ib_suite_copy(d, from->path);
    if (!d->file)
        return IB_E_NOMEM;
    s = read_all(d);
    if (s == IB_OK)
        s = ib_suite_only(d, from->only);
    if (s != IB_OK)
        return s;
    d->root = NULL;
    d->s.resolved = ib_suite_echo(&d->s);
    return d->s.resolved ? IB_OK
                         : ib_error_set(d->err, IB_E_NOMEM, "no memory");
}

static enum ib_status make_suite(const struct ib_registry *r, cJSON *root,
                                 const struct source *from,
                                 struct ib_suite **out, struct ib_error *err)
{
    struct ib_suite_draft *d = calloc(1, sizeof *d);
    enum ib_status s = IB_OK;

    for (const char *const *a = from->set; a && *a && s == IB_OK; a++)
        s = ib_suite_set(root, *a, err);
    if (d)
        d->arena = ib_scratch_create(ARENA_MAX);
    if (s == IB_OK && (!d || !d->arena))
        s = ib_error_set(err, IB_E_NOMEM, "%s: no memory", from->path);
    if (s == IB_OK) {
        d->registry = r;
        d->err = err;
        d->root = root;
        s = build(d, from);
        d->err = NULL;
    }
    cJSON_Delete(root);
    if (s != IB_OK && d)
        ib_suite_free(&d->s);
    *out = s == IB_OK ? &d->s : NULL;
    return s;
}

enum ib_status ib_suite_read(const struct ib_registry *r, const char *path,
                             const char *const *set, const char *const *only,
                             struct ib_suite **out, struct ib_error *err)
{
    struct source from = {.path = path, .set = set, .only = only};
    cJSON *root = NULL;
    enum ib_status s = ib_json_read(path, &root, err);

    *out = NULL;
    if (s != IB_OK) /* which suite to run is the user's to say */
        return s == IB_E_NOMEM ? s : (err->status = IB_E_USAGE);
    return make_suite(r, root, &from, out, err);
}

enum ib_status ib_suite_parse(const struct ib_registry *r, cJSON *object,
                              const char *name, struct ib_suite **out,
                              struct ib_error *err)
{
    struct source from = {.path = name};

    return make_suite(r, object, &from, out, err);
}
