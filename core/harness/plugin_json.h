/* Words for the enums of descriptors. */
#ifndef INVBENCH_HARNESS_PLUGIN_JSON_H
#define INVBENCH_HARNESS_PLUGIN_JSON_H

#include "registry.h"

extern const char *const ib_stage_names[IB_STAGE_COUNT];
extern const char *const ib_direction_names[3];

#endif
