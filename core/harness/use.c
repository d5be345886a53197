/* Plugins chosen by JSON: struct ib_use of registry.h. */
#include <stdlib.h>
#include <string.h>

#include "options_io.h"
#include "registry.h"

enum { RESERVED_MAX = 32 };

static enum ib_status parse_options(const struct ib_plugin *plugin,
                                    const cJSON *object,
                                    const struct ib_place *place,
                                    struct ib_use *out, struct ib_error *err)
{
    enum ib_status s;
    void *options = calloc(1, plugin->options_size + 1);

    if (!options)
        return ib_error_set(err, IB_E_NOMEM, "%s: no memory", place->path);
    s = ib_options_parse(plugin->options, plugin->options_size, object, place,
                         options, err);
    if (s != IB_OK) {
        free(options);
        return s;
    }
    out->plugin = plugin;
    out->options = options;
    return IB_OK;
}

/* "ssim" stands for {"name": "ssim"}. */
static enum ib_status use_name(const cJSON *object, const char *path,
                               const char **out, struct ib_error *err)
{
    const cJSON *name = cJSON_IsObject(object)
                            ? cJSON_GetObjectItemCaseSensitive(object, "name")
                            : object;

    if (!cJSON_IsObject(object) && !cJSON_IsString(object))
        return ib_error_set(err, IB_E_USAGE,
                            "%s: a plugin is {\"name\": ..., options}", path);
    if (!cJSON_IsString(name))
        return ib_error_set(err, IB_E_USAGE,
                            "%s.name: missing, or not a text in quotes", path);
    *out = name->valuestring;
    return IB_OK;
}

enum ib_status ib_use_parse(const struct ib_registry *r, enum ib_kind kind,
                            const cJSON *object, const struct ib_place *place,
                            struct ib_use *out, struct ib_error *err)
{
    const char *own[RESERVED_MAX + 2] = {"name"}, *name = NULL;
    const struct ib_plugin *plugin = NULL;
    struct ib_text where = {0};
    enum ib_status s;

    *out = (struct ib_use){0};
    for (int i = 0; place->reserved && place->reserved[i] && i < RESERVED_MAX;
         i++)
        own[i + 1] = place->reserved[i];
    s = use_name(object, place->path, &name, err);
    if (s == IB_OK) {
        ib_text_add(&where, "%s.name", place->path);
        s = ib_registry_find(r, kind, name, ib_text_string(&where), &plugin,
                             err);
    }
    if (s == IB_OK)
        s = parse_options(plugin, cJSON_IsObject(object) ? object : NULL,
                          &(struct ib_place){place->path, own}, out, err);
    ib_text_free(&where);
    return s;
}

void ib_use_free(struct ib_use *u)
{
    if (!u)
        return;
    free(u->options);
    *u = (struct ib_use){0};
}

cJSON *ib_use_spec(const struct ib_registry *r, const struct ib_use *u)
{
    const struct ib_plugin *p = u->plugin;
    cJSON *out = cJSON_CreateObject();

    if (out && cJSON_AddStringToObject(out, "name", p->name) &&
        cJSON_AddStringToObject(out, "version", p->version) &&
        cJSON_AddStringToObject(out, "code", ib_registry_code_hash(r, p)) &&
        cJSON_AddItemToObject(out, "options",
                              ib_options_echo(p->options, u->options)))
        return out;
    cJSON_Delete(out);
    return NULL;
}

static enum ib_status same_text(const cJSON *spec, const char *member,
                                const char *have, struct ib_error *err)
{
    const char *want =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spec, member));

    if (want && strcmp(want, have) == 0)
        return IB_OK;
    return ib_error_set(err, IB_E_DATA,
                        "%s: \"%.70s\" was asked for, this program has \"%s\"",
                        member, want ? want : "(nothing)", have);
}

enum ib_status ib_use_from_spec(const struct ib_registry *r, enum ib_kind kind,
                                const cJSON *spec, struct ib_use *out,
                                struct ib_error *err)
{
    const struct ib_plugin *plugin = NULL;
    const char *name = NULL;
    enum ib_status s = use_name(spec, "spec", &name, err);

    *out = (struct ib_use){0};
    if (s == IB_OK)
        s = ib_registry_find(r, kind, name, "spec", &plugin, err);
    if (s == IB_OK)
        s = same_text(spec, "version", plugin->version, err);
    if (s == IB_OK)
        s = same_text(spec, "code", ib_registry_code_hash(r, plugin), err);
    if (s != IB_OK)
        return s;
    return parse_options(plugin,
                         cJSON_GetObjectItemCaseSensitive(spec, "options"),
                         &(struct ib_place){.path = name}, out, err);
}
