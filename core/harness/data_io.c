#include "data_encode.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing ------------------------------------------------------------ */

static size_t padded(size_t n)
{
    return (n + 63) / 64 * 64;
}

static cJSON *describe(const struct ib_dataset *d)
{
    const int shape[3] = {d->shape.c, d->shape.h, d->shape.w};
    cJSON *meta = cJSON_CreateObject();
    cJSON_AddItemToObject(meta, "shape", cJSON_CreateIntArray(shape, 3));
    cJSON_AddNumberToObject(meta, "classes", d->classes);
    cJSON_AddNumberToObject(meta, "identities", d->identities);
    cJSON_AddStringToObject(meta, "license", d->license);
    cJSON_AddItemToObject(meta, "names",
                          cJSON_CreateStringArray(d->names, d->identities));
    cJSON *splits = cJSON_AddObjectToObject(meta, "splits");
    for (int k = 0; k < IB_SPLITS; k++)
        if (d->split[k].n > 0)
            cJSON_AddNumberToObject(splits, ib_split_names[k],
                                    (double)d->split[k].n);
    return meta;
}

static uint8_t *write_split(const struct ib_images *x, uint8_t *at)
{
    size_t d = ib_shape_size(x->shape);
    memcpy(at, x->identity, x->n * sizeof *x->identity);
    at += padded(x->n * sizeof *x->identity);
    for (size_t i = 0; i < x->n; i++) {
        struct sha256_ctx sha;
        sha256_init(&sha);
        sha256_update(&sha, d, x->pixels + i * d);
        sha256_digest(&sha, SHA256_DIGEST_SIZE, at + i * SHA256_DIGEST_SIZE);
    }
    at += padded(x->n * SHA256_DIGEST_SIZE);
    memcpy(at, x->pixels, x->n * d);
    return at + padded(x->n * d);
}

enum ib_status ib_data_encode(const struct ib_dataset *d, cJSON **meta,
                              uint8_t **bytes, size_t *size,
                              struct ib_error *err)
{
    size_t total = 0;
    for (int k = 0; k < IB_SPLITS; k++) {
        const struct ib_images *x = &d->split[k];
        total += padded(x->n * sizeof *x->identity) +
                 padded(x->n * SHA256_DIGEST_SIZE) +
                 padded(x->n * ib_shape_size(x->shape));
    }
    uint8_t *out = calloc(total > 0 ? total : 1, 1);
    cJSON *object = describe(d);
    if (out == NULL || object == NULL) {
        free(out);
        cJSON_Delete(object);
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for a data set of %zu bytes", total);
    }
    uint8_t *at = out;
    for (int k = 0; k < IB_SPLITS; k++)
        if (d->split[k].n > 0)
            at = write_split(&d->split[k], at);
    *meta = object;
    *bytes = out;
    *size = total;
    return IB_OK;
}

/* --- reading ------------------------------------------------------------ */

static bool whole(const cJSON *v, double min, double max, double *out)
{
    if (!cJSON_IsNumber(v) || !(v->valuedouble >= min) ||
        !(v->valuedouble <= max) ||
        v->valuedouble != (double)(int64_t)v->valuedouble)
        return false;
    *out = v->valuedouble;
    return true;
}

static bool read_shape(const cJSON *meta, struct ib_shape *out)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(meta, "shape");
    double x[3];
    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) != 3)
        return false;
    for (int i = 0; i < 3; i++)
        if (!whole(cJSON_GetArrayItem(v, i), 1, 1 << 20, &x[i]))
            return false;
    *out = (struct ib_shape){(int)x[0], (int)x[1], (int)x[2]};
    return x[0] * x[1] * x[2] <= (double)(1 << 26);
}

/* The names as one allocation that keeps pointers into the artifact's meta. */
static bool read_names(const cJSON *meta, int count, void **owned)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(meta, "names"), *item;
    if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) != count)
        return false;
    const char **names = malloc((size_t)count * sizeof *names);
    if (names == NULL)
        return false;
    *owned = names;
    cJSON_ArrayForEach(item, v)
    {
        if (!cJSON_IsString(item))
            return false;
        *names++ = item->valuestring;
    }
    return true;
}

static bool read_header(const cJSON *meta, struct ib_open_data *out)
{
    double classes, identities;
    const cJSON *license = cJSON_GetObjectItemCaseSensitive(meta, "license");
    if (!read_shape(meta, &out->set.shape) || !cJSON_IsString(license) ||
        !whole(cJSON_GetObjectItemCaseSensitive(meta, "identities"), 1, 1 << 20,
               &identities) ||
        !whole(cJSON_GetObjectItemCaseSensitive(meta, "classes"), 1, identities,
               &classes))
        return false;
    out->set.classes = (int)classes;
    out->set.identities = (int)identities;
    out->set.license = license->valuestring;
    if (!read_names(meta, (int)identities, &out->owned))
        return false;
    out->set.names = out->owned;
    return true;
}

struct cursor {
    const uint8_t *at;
    size_t left;
};

static const void *take(struct cursor *c, size_t n, size_t size)
{
    size_t bytes;
    if (!ib_size_mul(n, size, &bytes) || bytes > c->left ||
        padded(bytes) > c->left)
        return NULL;
    const void *at = c->at;
    c->at += padded(bytes);
    c->left -= padded(bytes);
    return at;
}

static bool read_split(struct cursor *c, const struct ib_dataset *d, size_t n,
                       struct ib_images *out)
{
    const int32_t *identity = take(c, n, sizeof *identity);
    const void *hashes = identity ? take(c, n, SHA256_DIGEST_SIZE) : NULL;
    const uint8_t *pixels = hashes ? take(c, n, ib_shape_size(d->shape)) : NULL;
    if (pixels == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (identity[i] < 0 || identity[i] >= d->identities)
            return false;
    *out = (struct ib_images){d->shape, n, pixels, identity};
    return true;
}

static bool read_splits(const cJSON *meta, const struct ib_artifact *a,
                        struct ib_dataset *d)
{
    const cJSON *splits = cJSON_GetObjectItemCaseSensitive(meta, "splits");
    struct cursor c = {a->data, a->size};
    if (!cJSON_IsObject(splits))
        return false;
    for (int k = 0; k < IB_SPLITS; k++) {
        double n = 0;
        const cJSON *v =
            cJSON_GetObjectItemCaseSensitive(splits, ib_split_names[k]);
        d->split[k].shape = d->shape;
        if (v == NULL)
            continue;
        if (!whole(v, 1, 1e12, &n) ||
            !read_split(&c, d, (size_t)n, &d->split[k]))
            return false;
    }
    return c.left == 0;
}

enum ib_status ib_data_decode(struct ib_artifact *artifact,
                              struct ib_open_data *out, struct ib_error *err)
{
    struct ib_open_data o = {.artifact = *artifact};
    const cJSON *meta =
        cJSON_GetObjectItemCaseSensitive(o.artifact.meta, "data");
    *artifact = (struct ib_artifact){0};
    if (!read_header(meta, &o) || !read_splits(meta, &o.artifact, &o.set)) {
        ib_data_close(&o);
        return ib_error_set(err, IB_E_DATA,
                            "the artifact is not a data set: its description "
                            "and its size disagree");
    }
    *out = o;
    return IB_OK;
}

enum ib_status ib_data_open(const struct ib_stage_env *env, const char *key,
                            struct ib_open_data *out, struct ib_error *err)
{
    struct ib_artifact artifact = {0};
    enum ib_status s = ib_store_get(env->store, key, &artifact, err);
    if (s == IB_OK)
        s = ib_data_decode(&artifact, out, err);
    return s == IB_OK ? s : ib_error_prefix(err, "data set %.12s", key);
}

void ib_data_close(struct ib_open_data *d)
{
    if (d == NULL)
        return;
    free(d->owned);
    ib_artifact_free(&d->artifact);
    *d = (struct ib_open_data){0};
}

void ib_data_manifest(const struct ib_open_data *d, char key[IB_KEY_SIZE])
{
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    for (int k = 0; k < IB_SPLITS; k++) {
        const struct ib_images *x = &d->set.split[k];
        uint64_t n = x->n;
        sha256_update(&sha, sizeof n, (const uint8_t *)&n);
        if (n == 0)
            continue;
        size_t hashes = x->n * SHA256_DIGEST_SIZE;
        sha256_update(&sha, x->n * sizeof *x->identity,
                      (const uint8_t *)x->identity);
        sha256_update(&sha, hashes, x->pixels - padded(hashes));
    }
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(key + 2 * i, 3, "%02x", digest[i]);
}
