/*
 * The content-addressed store: DIR/objects/ab/abcd....; one file an artifact.
 *
 * File: "IBART1\n\0", u64 meta bytes, u64 data bytes, SHA-256 (32 bytes) of
 * meta and data, meta (canonical JSON), zeros up to a multiple of 64, data.
 * Little-endian. Put = temporary file in DIR/tmp, fsync, rename. Readers never
 * see half a file; two writers of one key write the same bytes.
 */
#ifndef INVBENCH_HARNESS_STORE_H
#define INVBENCH_HARNESS_STORE_H

#include "json.h"

struct ib_store;

struct ib_artifact {
    cJSON *meta;      /* parsed; "spec" is what was hashed into the key */
    const void *data; /* mapped, 64-byte aligned; NULL when size is 0 */
    size_t size;
    void *map;
    size_t map_size;
};

/* Makes DIR when it is not there. A read-only store can be read; a put then
 * fails with IB_E_IO. */
IB_CHECK enum ib_status ib_store_open(struct ib_store **out, const char *dir,
                                      struct ib_error *err);
void ib_store_close(struct ib_store *s);
const char *ib_store_dir(const struct ib_store *s);
bool ib_store_has(const struct ib_store *s, const char *key);
/* Checks magic, sizes and hash. A corrupt artifact is moved away (so that it
 * is computed again) and reported as IB_E_DATA. */
IB_CHECK enum ib_status ib_store_get(struct ib_store *s, const char *key,
                                     struct ib_artifact *out,
                                     struct ib_error *err);
void ib_artifact_free(struct ib_artifact *a);
/* Can a put succeed at all? IB_E_IO with the reason where it cannot. */
IB_CHECK enum ib_status ib_store_probe(struct ib_store *s,
                                       struct ib_error *err);
IB_CHECK enum ib_status ib_store_put(struct ib_store *s, const char *key,
                                     const cJSON *meta, const void *data,
                                     size_t size, struct ib_error *err);
/* Calls visit for every artifact: key, kind (from meta), bytes, mtime. */
typedef enum ib_status (*ib_store_visit)(void *ctx, const char *key,
                                         const cJSON *meta, size_t bytes,
                                         int64_t mtime, struct ib_error *err);
IB_CHECK enum ib_status ib_store_each(struct ib_store *s, ib_store_visit visit,
                                      void *ctx, struct ib_error *err);
IB_CHECK enum ib_status ib_store_remove(struct ib_store *s, const char *key,
                                        struct ib_error *err);

#endif
