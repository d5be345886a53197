/* What the harness does with an options table (invbench/options.h). */
#ifndef INVBENCH_HARNESS_OPTIONS_IO_H
#define INVBENCH_HARNESS_OPTIONS_IO_H

#include <invbench/options.h>

#include "json.h"

/* The object that options are read from: for messages, and what of it is not
 * an option. */
struct ib_place {
    const char *path;            /* "suite.json: attacks[0]" */
    const char *const *reserved; /* members left to the caller; NULL-terminated,
                                    may be NULL */
};
/* Defaults first, then the members of object (NULL: none). Unknown members,
 * wrong types and values out of range name path, value, what is allowed, and
 * the nearest name. */
IB_CHECK enum ib_status ib_options_parse(const struct ib_option *table,
                                         size_t size, const cJSON *object,
                                         const struct ib_place *place,
                                         void *out, struct ib_error *err);
/* Effective values, every option named. NULL: no memory. */
cJSON *ib_options_echo(const struct ib_option *table, const void *options);
/* The table itself: names, types, defaults in range, offsets inside size. */
IB_CHECK enum ib_status ib_options_check(const struct ib_option *table,
                                         size_t size, struct ib_error *err);
/* What is allowed, as text: "0..10", "a | b | c". */
void ib_options_range(const struct ib_option *o, struct ib_text *out);
/* "int", "real", "bool", "choice", "text", "ints". */
const char *ib_options_type(const struct ib_option *o);

#endif
