/* Strict reading and canonical writing of JSON, on top of cJSON. */
#ifndef INVBENCH_HARNESS_JSON_H
#define INVBENCH_HARNESS_JSON_H

#include <cjson/cJSON.h>

#include "text.h"

enum { IB_KEY_SIZE = 65 }; /* SHA-256 in hexadecimal, and NUL */

/* Refuses, with name:line:column: anything that is not JSON, duplicate keys,
 * trailing bytes, nesting over 64, more than 64 MiB, bytes that are not
 * UTF-8. *out is owned by the caller (cJSON_Delete). */
IB_CHECK enum ib_status ib_json_parse(const char *text, size_t n,
                                      const char *name, cJSON **out,
                                      struct ib_error *err);
IB_CHECK enum ib_status ib_json_read(const char *path, cJSON **out,
                                     struct ib_error *err);
/* Canonical: sorted keys, shortest numbers that read back the same, no white
 * space. Integers up to 2^53 without point or exponent. */
IB_CHECK enum ib_status ib_json_canonical(const cJSON *v, struct ib_text *out,
                                          struct ib_error *err);
/* The same numbers, keys in the order they were added, two-space indents. */
IB_CHECK enum ib_status ib_json_pretty(const cJSON *v, struct ib_text *out,
                                       struct ib_error *err);
/* Writes text to path by temporary file, fsync, rename. */
IB_CHECK enum ib_status ib_file_write(const char *path, const void *data,
                                      size_t n, struct ib_error *err);
IB_CHECK enum ib_status ib_file_read(const char *path, size_t limit,
                                     struct ib_text *out, struct ib_error *err);

/* SHA-256 in lower-case hexadecimal. */
void ib_sha256(const void *data, size_t n, char key[IB_KEY_SIZE]);
IB_CHECK enum ib_status ib_sha256_file(const char *path, char key[IB_KEY_SIZE],
                                       struct ib_error *err);
/* SHA-256 of the canonical form. */
IB_CHECK enum ib_status ib_json_key(const cJSON *v, char key[IB_KEY_SIZE],
                                    struct ib_error *err);
/* NaN and infinity become null. */
cJSON *ib_json_number(double x);

#endif
