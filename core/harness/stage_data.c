#include "data_encode.h"

#include <stdlib.h>

/* The files that the plugin will read now are those whose hashes went into the
 * key. */
static enum ib_status check_files(const struct ib_use *use,
                                  const struct ib_dataset_env *env,
                                  const cJSON *expected, struct ib_error *err)
{
    cJSON *found = NULL;
    const cJSON *item;
    enum ib_status s = ib_dataset_files(use, env, &found, err);
    cJSON_ArrayForEach(item, found)
    {
        const cJSON *e =
            cJSON_GetObjectItemCaseSensitive(expected, item->string);
        if (s == IB_OK && !cJSON_Compare(item, e, true))
            s = ib_error_set(err, IB_E_DATA,
                             "%s: the file is not the one that was planned "
                             "with (SHA-256 %.12s..., planned %.12s...)",
                             item->string, item->valuestring,
                             cJSON_IsString(e) ? e->valuestring : "without it");
    }
    if (s == IB_OK && cJSON_GetArraySize(found) != cJSON_GetArraySize(expected))
        s = ib_error_set(err, IB_E_DATA,
                         "%d data files are there; the plan was made with %d",
                         cJSON_GetArraySize(found),
                         cJSON_GetArraySize(expected));
    cJSON_Delete(found);
    return s;
}

static enum ib_status put(struct ib_store *store, const char *key,
                          const cJSON *spec, const struct ib_dataset *d,
                          struct ib_error *err)
{
    cJSON *data = NULL, *meta = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum ib_status s = ib_data_encode(d, &data, &bytes, &size, err);
    if (s != IB_OK)
        return s;
    meta = cJSON_CreateObject();
    if (meta == NULL)
        cJSON_Delete(data);
    else
        cJSON_AddItemToObject(meta, "data", data);
    if (cJSON_AddItemToObject(meta, "spec", cJSON_Duplicate(spec, true)))
        s = ib_store_put(store, key, meta, bytes, size, err);
    else
        s = ib_error_set(err, IB_E_NOMEM, "no memory for a data set");
    cJSON_Delete(meta);
    free(bytes);
    return s;
}

enum ib_status ib_stage_data(const struct ib_stage_env *env, const cJSON *spec,
                             const char *key, struct ib_error *err)
{
    const cJSON *seed = cJSON_GetObjectItemCaseSensitive(spec, "seed");
    struct ib_dataset_env de = {.data_dir = env->data_dir};
    struct ib_use use = {0};
    struct ib_dataset_builder *b = NULL;
    if (cJSON_IsNumber(seed) && seed->valuedouble >= 0)
        de.seed = (uint64_t)seed->valuedouble;
    enum ib_status s = ib_use_from_spec(
        env->registry, IB_KIND_DATASET,
        cJSON_GetObjectItemCaseSensitive(spec, "plugin"), &use, err);
    if (s == IB_OK)
        s = check_files(&use, &de,
                        cJSON_GetObjectItemCaseSensitive(spec, "files"), err);
    if (s == IB_OK)
        s = ib_dataset_build(&use, &de, &b, err);
    if (s == IB_OK)
        s = ib_dataset_assert(ib_dataset_view(b), err);
    if (s == IB_OK)
        s = put(env->store, key, spec, ib_dataset_view(b), err);
    if (s != IB_OK && use.plugin != NULL)
        ib_error_prefix(err, "dataset %s", use.plugin->name);
    ib_dataset_builder_free(b);
    ib_use_free(&use);
    return s;
}
