/*
 * All plugins that this run knows: the in-tree lists, and modules loaded by
 * path. Outside modules are loaded (their code runs) only in workers
 * (IB_LOAD_CODE); elsewhere a sandboxed child reads their descriptors and the
 * registry holds copies without hooks (IB_LOAD_DESCRIPTOR).
 */
#ifndef INVBENCH_HARNESS_REGISTRY_H
#define INVBENCH_HARNESS_REGISTRY_H

#include <invbench/invbench.h>

#include "options_io.h"

struct ib_registry;
/* IB_LOAD_TRUSTED is for workers: code, but not of a module that brings only
 * attacks and priors. Those run in the attacker's process alone; here they are
 * known by their descriptors. */
enum ib_load { IB_LOAD_DESCRIPTOR, IB_LOAD_CODE, IB_LOAD_TRUSTED };

IB_CHECK enum ib_status ib_registry_create(struct ib_registry **out,
                                           struct ib_error *err);
void ib_registry_free(struct ib_registry *r);
/* The program that reads outside descriptors ("PROGRAM probe FILE.so");
 * without this call it is the running one. Copied. */
IB_CHECK enum ib_status ib_registry_set_program(struct ib_registry *r,
                                                const char *program,
                                                struct ib_error *err);
IB_CHECK enum ib_status ib_registry_load(struct ib_registry *r,
                                         const char *path, enum ib_load how,
                                         struct ib_error *err);
/* Never NULL on success. Unknown: IB_E_USAGE with the names that exist and the
 * nearest. where names the place in messages. */
IB_CHECK enum ib_status ib_registry_find(const struct ib_registry *r,
                                         enum ib_kind kind, const char *name,
                                         const char *where,
                                         const struct ib_plugin **out,
                                         struct ib_error *err);
size_t ib_registry_count(const struct ib_registry *r, enum ib_kind kind);
const struct ib_plugin *ib_registry_at(const struct ib_registry *r,
                                       enum ib_kind kind, size_t i);
/* Changes whenever the plugin's results may; owned by the registry. */
const char *ib_registry_code_hash(const struct ib_registry *r,
                                  const struct ib_plugin *p);
/* Paths of the loaded modules, in order (for workers); NULL-terminated. */
const char *const *ib_registry_modules(const struct ib_registry *r);
bool ib_registry_is_foreign(const struct ib_registry *r,
                            const struct ib_plugin *p);
extern const char *const ib_kind_names[IB_KIND_COUNT];

/* A plugin chosen by JSON, with its parsed options: {"name": ..., options}. */
struct ib_use {
    const struct ib_plugin *plugin;
    void *options; /* owned; NULL when the plugin has none */
};
IB_CHECK enum ib_status ib_use_parse(const struct ib_registry *r,
                                     enum ib_kind kind, const cJSON *object,
                                     const struct ib_place *place,
                                     struct ib_use *out, struct ib_error *err);
void ib_use_free(struct ib_use *u);
/* {"name","version","code","options":{...}}: what enters keys and specs. */
cJSON *ib_use_spec(const struct ib_registry *r, const struct ib_use *u);
/* The way back, in a worker; checks name, version and code. */
IB_CHECK enum ib_status ib_use_from_spec(const struct ib_registry *r,
                                         enum ib_kind kind, const cJSON *spec,
                                         struct ib_use *out,
                                         struct ib_error *err);

/* Hashes computed at build time (tools/codehash.sh): by "attacks/mi_face.c"
 * for a plugin, "engine" for core/nn, "data|model|prior|sample|attack|
 * control|score|utility" for the harness's part in that artifact. */
const char *ib_code_hash(const char *what);
/* Engine version and hash, OpenBLAS version and core type, instruction set. */
const char *ib_numerics(const struct ib_registry *r);

#endif
