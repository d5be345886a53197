/* The scan behind ib_json_parse. */
#ifndef INVBENCH_HARNESS_JSON_CHECK_H
#define INVBENCH_HARNESS_JSON_CHECK_H

#include <stddef.h>

enum { IB_JSON_DEPTH = 64 };

/* NULL for strict JSON; else what is wrong, and where (both from 1, the column
 * in bytes). */
const char *ib_json_check(const char *text, size_t n, size_t *line,
                          size_t *column);

#endif
