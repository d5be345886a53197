/* One artifact as a file: the layout of store.h, written and read. */
#ifndef INVBENCH_HARNESS_STORE_FILE_H
#define INVBENCH_HARNESS_STORE_FILE_H

#include "store.h"

enum { IB_ARTIFACT_HEADER = 56, IB_ARTIFACT_ALIGN = 64 };

/* What will stand in the file; sizes are checked before anything is written.
 * meta: canonical JSON. */
struct ib_artifact_parts {
    const char *meta;
    size_t meta_size;
    const void *data;
    size_t data_size;
};
/* Bytes of the whole file; false on overflow. */
IB_CHECK bool ib_artifact_file_size(size_t meta_size, size_t data_size,
                                    size_t *out);
/* Writes all of it to fd. On failure errno tells why. */
IB_CHECK bool ib_artifact_write(int fd, const struct ib_artifact_parts *p);
/* Maps path. IB_E_IO: it cannot be opened; IB_E_DATA: it is not what
 * ib_artifact_write wrote (magic, sizes against the file's, hash, JSON).
 * verify: false leaves the hash unchecked. */
IB_CHECK enum ib_status ib_artifact_map(const char *path, bool verify,
                                        struct ib_artifact *out,
                                        struct ib_error *err);

#endif
