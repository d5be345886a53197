/* Outside modules: loaded as code, or as copies of their descriptors. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "registry_parts.h"

enum { COPY_MAX = 16 << 20 };

static const char *missing_module_text(const struct ib_module *m)
{
    return !m->name || !*m->name         ? "name"
           : !m->version || !*m->version ? "version"
           : !m->license || !*m->license ? "license"
           : !m->summary || !*m->summary ? "summary"
           : !m->code_hash               ? "code_hash"
                                         : NULL;
}

static enum ib_status check_module(const struct ib_module *m,
                                   struct ib_error *err)
{
    const char *missing;
    enum ib_status s;

    if (!m)
        return ib_error_set(err, IB_E_USAGE, "ib_module_entry() gave NULL");
    s = ib_module_check(&m->magic, err);
    if (s != IB_OK)
        return s;
    missing = missing_module_text(m);
    if (missing)
        return ib_error_set(err, IB_E_USAGE,
                            "the module's text \"%s\" is missing", missing);
    if (!m->plugins || !m->plugins[0])
        return ib_error_set(err, IB_E_USAGE, "the module has no plugins");
    for (size_t i = 0; m->plugins[i] && s == IB_OK; i++)
        s = ib_plugin_check(m->plugins[i], true, err);
    return s;
}

enum ib_status ib_module_open(const char *path, void **handle,
                              const struct ib_module **out,
                              struct ib_error *err)
{
    const struct ib_module *(*entry)(void);
    void *symbol;
    enum ib_status s;

    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!*handle)
        return ib_error_set(err, IB_E_USAGE, "cannot be loaded: %.600s",
                            dlerror());
    symbol = dlsym(*handle, "ib_module_entry");
    memcpy(&entry, &symbol, sizeof entry);
    if (symbol) {
        *out = entry();
        s = check_module(*out, err);
    } else {
        s = ib_error_set(err, IB_E_USAGE,
                         "not an invbench module: it does not define "
                         "ib_module_entry()");
    }
    if (s != IB_OK) {
        dlclose(*handle);
        *handle = NULL;
    }
    return s;
}

static enum ib_status load_code(struct ib_registry *r,
                                struct ib_loaded_module *m,
                                struct ib_error *err)
{
    const struct ib_module *module = NULL;
    enum ib_status s = ib_module_open(m->path, &m->handle, &module, err);

    if (s == IB_OK && *module->code_hash)
        ib_sha256(module->code_hash, strlen(module->code_hash), m->code);
    for (size_t i = 0; s == IB_OK && module->plugins[i]; i++)
        s = ib_registry_add(r, module->plugins[i], m->code, m, err);
    return s;
}

static enum ib_status copy_plugins(struct ib_registry *r,
                                   struct ib_loaded_module *m,
                                   const cJSON *answer, struct ib_error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, "plugins");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer, "code");
    enum ib_status s = IB_OK;

    if (!cJSON_IsArray(list) || !list->child || !cJSON_IsString(code))
        return ib_error_set(err, IB_E_DATA,
                            "the module's description is incomplete");
    if (*code->valuestring)
        ib_sha256(code->valuestring, strlen(code->valuestring), m->code);
    for (const cJSON *v = list->child; v && s == IB_OK; v = v->next) {
        const struct ib_plugin *plugin = NULL;
        s = ib_plugin_from_json(v, m->own, &plugin, err);
        if (s == IB_OK)
            s = ib_plugin_check(plugin, false, err);
        if (s == IB_OK)
            s = ib_registry_add(r, plugin, m->code, m, err);
    }
    return s;
}

static enum ib_status load_copy(struct ib_registry *r,
                                struct ib_loaded_module *m,
                                struct ib_error *err)
{
    cJSON *answer = NULL;
    enum ib_status s;

    m->own = ib_scratch_create(COPY_MAX);
    if (!m->own)
        return ib_error_set(err, IB_E_NOMEM, "no memory");
    s = ib_module_probe(r->program ? r->program : "/proc/self/exe", m->path,
                        &answer, err);
    if (s == IB_OK)
        s = copy_plugins(r, m, answer, err);
    cJSON_Delete(answer);
    return s;
}

/* After a module failed half-way none of its plugins stays known. */
static void drop_plugins(struct ib_registry *r,
                         const struct ib_loaded_module *m)
{
    for (int kind = 0; kind < IB_KIND_COUNT; kind++)
        while (r->n[kind] && r->entries[kind][r->n[kind] - 1].foreign == m)
            r->n[kind]--;
}

static bool only_attacks(const struct ib_registry *r,
                         const struct ib_loaded_module *m)
{
    for (int kind = 0; kind < IB_KIND_COUNT; kind++)
        if (kind != IB_KIND_ATTACK && kind != IB_KIND_PRIOR && r->n[kind] &&
            r->entries[kind][r->n[kind] - 1].foreign == m)
            return false;
    return true;
}

static enum ib_status load_trusted(struct ib_registry *r,
                                   struct ib_loaded_module *m,
                                   struct ib_error *err)
{
    enum ib_status s = load_copy(r, m, err);

    if (s != IB_OK || only_attacks(r, m))
        return s;
    drop_plugins(r, m);
    ib_scratch_free(m->own);
    m->own = NULL;
    return load_code(r, m, err);
}

enum ib_status ib_registry_load(struct ib_registry *r, const char *path,
                                enum ib_load how, struct ib_error *err)
{
    struct ib_loaded_module *m = &r->modules[r->n_modules];
    enum ib_status s;

    if (r->n_modules == IB_MODULES_MAX)
        return ib_error_set(err, IB_E_USAGE, "%s: more than %d modules", path,
                            IB_MODULES_MAX);
    *m = (struct ib_loaded_module){.path = realpath(path, NULL)};
    /* a sandbox may refuse to resolve what is resolved already */
    if (!m->path && path[0] == '/')
        m->path = strdup(path);
    if (!m->path)
        return ib_error_set(err, IB_E_USAGE, "--plugin %s: no such file", path);
    s = ib_sha256_file(m->path, m->code, err);
    if (s == IB_OK)
        s = how == IB_LOAD_CODE      ? load_code(r, m, err)
            : how == IB_LOAD_TRUSTED ? load_trusted(r, m, err)
                                     : load_copy(r, m, err);
    if (s == IB_OK) {
        r->paths[r->n_modules++] = m->path;
        return IB_OK;
    }
    drop_plugins(r, m);
    if (m->handle)
        dlclose(m->handle);
    ib_scratch_free(m->own);
    free(m->path);
    *m = (struct ib_loaded_module){0};
    return ib_error_prefix(err, "--plugin %s", path);
}
