#include "registry.h"

#include <openblas_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "registry_parts.h"

/* --- the in-tree lists, from plugins.def --------------------------------- */

#define ATTACK(name)  extern const struct ib_attack ib_attack_##name;
#define DEFENSE(name) extern const struct ib_defense ib_defense_##name;
#define MODEL(name)   extern const struct ib_model ib_model_##name;
#define METRIC(name)  extern const struct ib_metric ib_metric_##name;
#define DATASET(name) extern const struct ib_dataset_plugin ib_dataset_##name;
#define PRIOR(name)   extern const struct ib_prior ib_prior_##name;
#include "plugins.def"
#undef ATTACK
#undef DEFENSE
#undef MODEL
#undef METRIC
#undef DATASET
#undef PRIOR

struct tree_row {
    const struct ib_plugin *plugin;
    const char *source;
};

#define ATTACK(name)  {&ib_attack_##name.plugin, "attacks/" #name ".c"},
#define DEFENSE(name) {&ib_defense_##name.plugin, "defenses/" #name ".c"},
#define MODEL(name)   {&ib_model_##name.plugin, "models/" #name ".c"},
#define METRIC(name)  {&ib_metric_##name.plugin, "metrics/" #name ".c"},
#define DATASET(name) {&ib_dataset_##name.plugin, "datasets/" #name ".c"},
#define PRIOR(name)   {&ib_prior_##name.plugin, "priors/" #name ".c"},
static const struct tree_row tree[] = {
#include "plugins.def"
    {NULL, NULL},
};

/* --- hashes --------------------------------------------------------------- */

struct ib_code_hash_row {
    const char *what, *hash;
};
extern const struct ib_code_hash_row ib_code_hash_rows[];

const char *ib_code_hash(const char *what)
{
    for (const struct ib_code_hash_row *r = ib_code_hash_rows; r->what; r++)
        if (strcmp(r->what, what) == 0)
            return r->hash;
    return "";
}

static void compose_numerics(struct ib_registry *r)
{
    snprintf(r->numerics, sizeof r->numerics,
             "engine %.16s; %s; core %s; x86-64-v3", ib_code_hash("engine"),
             openblas_get_config(), openblas_get_corename());
}

const char *ib_numerics(const struct ib_registry *r)
{
    return r->numerics;
}

/* --- the registry --------------------------------------------------------- */

const char *const ib_kind_names[IB_KIND_COUNT] = {
    [IB_KIND_ATTACK] = "attack",   [IB_KIND_DEFENSE] = "defense",
    [IB_KIND_MODEL] = "model",     [IB_KIND_METRIC] = "metric",
    [IB_KIND_DATASET] = "dataset", [IB_KIND_PRIOR] = "prior",
};

static const struct ib_registry_entry *
find_entry(const struct ib_registry *r, enum ib_kind kind, const char *name)
{
    for (size_t i = 0; i < r->n[kind]; i++)
        if (strcmp(r->entries[kind][i].plugin->name, name) == 0)
            return &r->entries[kind][i];
    return NULL;
}

enum ib_status ib_registry_add(struct ib_registry *r,
                               const struct ib_plugin *plugin, const char *code,
                               const struct ib_loaded_module *foreign,
                               struct ib_error *err)
{
    const struct ib_registry_entry *twin =
        find_entry(r, plugin->kind, plugin->name);
    size_t *n = &r->n[plugin->kind];

    if (twin)
        return ib_error_set(err, IB_E_USAGE,
                            "the %s \"%s\" exists already (in %s)",
                            ib_kind_names[plugin->kind], plugin->name,
                            twin->foreign ? twin->foreign->path : "invbench");
    if (*n == IB_PLUGINS_MAX)
        return ib_error_set(err, IB_E_USAGE, "more than %d plugins of a kind",
                            IB_PLUGINS_MAX);
    r->entries[plugin->kind][(*n)++] = (struct ib_registry_entry){
        .plugin = plugin, .code = code, .foreign = foreign};
    return IB_OK;
}

static enum ib_status add_tree(struct ib_registry *r, struct ib_error *err)
{
    for (const struct tree_row *row = tree; row->plugin; row++) {
        const char *code = ib_code_hash(row->source);
        enum ib_status s = ib_plugin_check(row->plugin, true, err);
        if (s == IB_OK && !*code)
            s = ib_error_set(err, IB_E_INTERNAL, "no code hash");
        if (s == IB_OK)
            s = ib_registry_add(r, row->plugin, code, NULL, err);
        if (s != IB_OK)
            return ib_error_prefix(err, "%s", row->source);
    }
    return IB_OK;
}

enum ib_status ib_registry_create(struct ib_registry **out,
                                  struct ib_error *err)
{
    struct ib_registry *r = calloc(1, sizeof *r);
    enum ib_status s;

    *out = NULL;
    if (!r)
        return ib_error_set(err, IB_E_NOMEM, "no memory for the registry");
    compose_numerics(r);
    s = add_tree(r, err);
    if (s != IB_OK) {
        ib_registry_free(r);
        return s;
    }
    *out = r;
    return IB_OK;
}

void ib_registry_free(struct ib_registry *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_modules; i++) {
        free(r->modules[i].path);
        ib_scratch_free(r->modules[i].own);
    }
    free(r->program);
    free(r);
}

enum ib_status ib_registry_set_program(struct ib_registry *r,
                                       const char *program,
                                       struct ib_error *err)
{
    char *copy = strdup(program);

    if (!copy)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a path");
    free(r->program);
    r->program = copy;
    return IB_OK;
}

static enum ib_status unknown_plugin(const struct ib_registry *r,
                                     enum ib_kind kind, const char *name,
                                     const char *where, struct ib_error *err)
{
    const char *names[IB_PLUGINS_MAX + 1] = {0};
    struct ib_text hint = {0};

    for (size_t i = 0; i < r->n[kind]; i++)
        names[i] = r->entries[kind][i].plugin->name;
    ib_text_suggest(&hint, name, names);
    if (!strstr(ib_text_string(&hint), "did you mean"))
        ib_text_add(&hint, "; --plugin FILE.so adds others");
    ib_error_set(err, IB_E_USAGE, "%s: there is no %s \"%.60s\"%s", where,
                 ib_kind_names[kind], name, ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

enum ib_status ib_registry_find(const struct ib_registry *r, enum ib_kind kind,
                                const char *name, const char *where,
                                const struct ib_plugin **out,
                                struct ib_error *err)
{
    const struct ib_registry_entry *e = find_entry(r, kind, name);

    *out = e ? e->plugin : NULL;
    return e ? IB_OK : unknown_plugin(r, kind, name, where, err);
}

size_t ib_registry_count(const struct ib_registry *r, enum ib_kind kind)
{
    return r->n[kind];
}

const struct ib_plugin *ib_registry_at(const struct ib_registry *r,
                                       enum ib_kind kind, size_t i)
{
    return i < r->n[kind] ? r->entries[kind][i].plugin : NULL;
}

const char *ib_registry_code_hash(const struct ib_registry *r,
                                  const struct ib_plugin *p)
{
    const struct ib_registry_entry *e = find_entry(r, p->kind, p->name);

    return e ? e->code : "";
}

const char *const *ib_registry_modules(const struct ib_registry *r)
{
    return r->paths;
}

bool ib_registry_is_foreign(const struct ib_registry *r,
                            const struct ib_plugin *p)
{
    const struct ib_registry_entry *e = find_entry(r, p->kind, p->name);

    return e && e->foreign;
}
