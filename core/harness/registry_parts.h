/* What the files behind registry.h share. */
#ifndef INVBENCH_HARNESS_REGISTRY_PARTS_H
#define INVBENCH_HARNESS_REGISTRY_PARTS_H

#include "registry.h"

struct ib_registry_entry {
    const struct ib_plugin *plugin;
    const char *code;                       /* hash */
    const struct ib_loaded_module *foreign; /* NULL: in the tree */
};

struct ib_loaded_module {
    char *path;
    void *handle;           /* of dlopen; NULL for a copy of descriptors */
    struct ib_scratch *own; /* where a copy lives */
    char code[IB_KEY_SIZE];
};

enum { IB_MODULES_MAX = 32, IB_PLUGINS_MAX = 256 };

struct ib_registry {
    struct ib_registry_entry entries[IB_KIND_COUNT][IB_PLUGINS_MAX];
    size_t n[IB_KIND_COUNT];
    struct ib_loaded_module modules[IB_MODULES_MAX];
    const char *paths[IB_MODULES_MAX + 1];
    size_t n_modules;
    char *program;
    char numerics[512];
};

enum ib_status ib_registry_add(struct ib_registry *r,
                               const struct ib_plugin *plugin, const char *code,
                               const struct ib_loaded_module *foreign,
                               struct ib_error *err);

/* What every descriptor must have: texts, a sound options table, and (hooks:
 * true) the hooks that its kind requires. Names what is missing. */
enum ib_status ib_plugin_check(const struct ib_plugin *p, bool hooks,
                               struct ib_error *err);

/* dlopen, magic, texts. The handle stays open for as long as the program runs:
 * descriptors point into it. */
enum ib_status ib_module_open(const char *path, void **handle,
                              const struct ib_module **out,
                              struct ib_error *err);
/* Everything about the block at m's start that can be wrong, field by field. */
enum ib_status ib_module_check(const struct ib_module_magic *m,
                               struct ib_error *err);

/* Has a child load path and print its descriptors; returns them as JSON. */
enum ib_status ib_module_probe(const char *program, const char *path,
                               cJSON **out, struct ib_error *err);

/* A plugin's descriptor as JSON, hooks apart, and the way back (into memory
 * of own). What comes back is checked with ib_plugin_check by the caller. */
cJSON *ib_plugin_json(const struct ib_plugin *p);
enum ib_status ib_plugin_from_json(const cJSON *v, struct ib_scratch *own,
                                   const struct ib_plugin **out,
                                   struct ib_error *err);
/* {"name","version","license","summary","code","plugins":[...]} */
cJSON *ib_module_json(const struct ib_module *m, const char *code);

#endif
