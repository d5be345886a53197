#include "recon_io.h"

#include <math.h>
#include <stdlib.h>

#define CLASSES_MAX 1e9
#define QUERIES_MAX 9007199254740992.0 /* 2^53 */

/* An array of whole numbers in [0, max]: count, or -1. */
static int whole_numbers(const cJSON *array, double max)
{
    const cJSON *item;

    if (!cJSON_IsArray(array))
        return -1;
    cJSON_ArrayForEach(item, array)
    {
        double x = item->valuedouble;
        if (!cJSON_IsNumber(item) || !(x >= 0 && x <= max) || x != floor(x))
            return -1;
    }
    return cJSON_GetArraySize(array);
}

static bool recon_shape(const cJSON *meta, struct ib_shape *shape)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(meta, "shape");
    int *part[3] = {&shape->c, &shape->h, &shape->w};

    if (whole_numbers(list, 65536) != 3)
        return false;
    for (int i = 0; i < 3; i++) {
        *part[i] = cJSON_GetArrayItem(list, i)->valueint;
        if (*part[i] < 1)
            return false;
    }
    return true;
}

/* Both lists in one allocation: checkpoints first. */
static bool recon_lists(const cJSON *meta, struct ib_recon *r)
{
    const cJSON *classes = cJSON_GetObjectItemCaseSensitive(meta, "targets");
    const cJSON *passed = cJSON_GetObjectItemCaseSensitive(meta, "checkpoints");
    uint64_t *checkpoint;
    int32_t *target;

    r->targets = whole_numbers(classes, CLASSES_MAX);
    r->checkpoints = whole_numbers(passed, QUERIES_MAX);
    if (r->targets < 1 || r->checkpoints < 0)
        return false;
    r->owned = calloc((size_t)r->checkpoints + (size_t)r->targets,
                      sizeof(*checkpoint));
    if (!r->owned)
        return false;
    checkpoint = r->owned;
    target = (int32_t *)(void *)(checkpoint + r->checkpoints);
    r->checkpoint = checkpoint;
    r->target = target;
    for (const cJSON *i = passed->child; i; i = i->next)
        *checkpoint++ = (uint64_t)i->valuedouble;
    for (const cJSON *i = classes->child; i; i = i->next)
        *target++ = i->valueint;
    return true;
}

static bool recon_size(const struct ib_recon *r, size_t *n)
{
    *n = (size_t)r->checkpoints + 1;
    return ib_size_mul(*n, (size_t)r->targets, n) &&
           ib_size_mul(*n, (size_t)r->images, n) &&
           ib_size_mul(*n, ib_shape_size(r->shape), n);
}

static bool recon_read(struct ib_recon *r)
{
    const cJSON *images;
    size_t n;

    r->meta = cJSON_GetObjectItemCaseSensitive(r->artifact.meta, "recon");
    images = cJSON_GetObjectItemCaseSensitive(r->meta, "images");
    if (!cJSON_IsNumber(images) || images->valueint < 1)
        return false;
    r->images = images->valueint;
    r->pixels = r->artifact.data;
    return recon_shape(r->meta, &r->shape) && recon_lists(r->meta, r) &&
           recon_size(r, &n) && n == r->artifact.size;
}

enum ib_status ib_recon_open(struct ib_store *store, const char *key,
                             struct ib_recon *out, struct ib_error *err)
{
    enum ib_status status;

    *out = (struct ib_recon){0};
    status = ib_store_get(store, key, &out->artifact, err);
    if (status)
        return status;
    if (recon_read(out))
        return IB_OK;
    ib_recon_close(out);
    return ib_error_set(err, IB_E_DATA,
                        "artifact %s does not hold reconstructions: its "
                        "\"recon\" and its size do not fit together",
                        key);
}

void ib_recon_close(struct ib_recon *r)
{
    if (!r)
        return;
    free(r->owned);
    ib_artifact_free(&r->artifact);
    *r = (struct ib_recon){0};
}

enum ib_status ib_recon_put(struct ib_store *store, const char *key,
                            const cJSON *spec,
                            const struct ib_recon_parts *parts,
                            struct ib_error *err)
{
    cJSON *recon = parts->recon;
    cJSON *meta = cJSON_CreateObject();
    cJSON *copy = cJSON_Duplicate(spec, true);
    enum ib_status status = IB_E_NOMEM;

    if (copy && cJSON_AddItemToObject(meta, "spec", copy)) {
        copy = NULL;
        if (cJSON_AddItemToObject(meta, "recon", recon)) {
            recon = NULL;
            status = ib_store_put(store, key, meta, parts->pixels, parts->bytes,
                                  err);
        }
    }
    if (copy || recon)
        ib_error_set(err, status, "no memory for what describes artifact %s",
                     key);
    cJSON_Delete(copy);
    cJSON_Delete(recon);
    cJSON_Delete(meta);
    return status;
}
