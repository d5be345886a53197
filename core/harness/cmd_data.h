/* What `invbench data preview` and `data sample` share. */
#ifndef INVBENCH_HARNESS_CMD_DATA_H
#define INVBENCH_HARNESS_CMD_DATA_H

#include "cli.h"

/* "key=json" into object; what is no JSON is taken as text. */
IB_CHECK enum ib_status ib_data_option(cJSON *object, const char *text,
                                       struct ib_error *err);
int ib_data_sample(const struct ib_command_env *env, const struct ib_args *args,
                   struct ib_error *err);

#endif
