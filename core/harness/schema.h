/*
 * JSON Schema (2020-12): the keywords that the project's schemas use. The
 * schemas themselves are part of the program, so that a format has one
 * definition: results/NAME.schema.json.
 */
#ifndef INVBENCH_HARNESS_SCHEMA_H
#define INVBENCH_HARNESS_SCHEMA_H

#include "findings.h"

/* "results", "entry", ...: parsed; cJSON_Delete. */
IB_CHECK enum ib_status ib_schema_open(const char *name, cJSON **out,
                                       struct ib_error *err);
/* Every place where v breaks the schema becomes a finding about file. A
 * keyword that is not known is a finding too: nothing goes unchecked. */
void ib_schema_check(const cJSON *schema, const cJSON *v, const char *file,
                     struct ib_findings *f);

#endif
