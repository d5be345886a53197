/* What a run of the benchmark looks like. */
#ifndef INVBENCH_HARNESS_BENCH_SHOW_H
#define INVBENCH_HARNESS_BENCH_SHOW_H

#include "bench.h"
#include "console.h"
#include "json.h"

/* Of at least one round. */
IB_CHECK enum ib_status ib_bench_show(const struct ib_bench_run *run,
                                      const char *numerics,
                                      const struct ib_console *console,
                                      struct ib_text *out,
                                      struct ib_error *err);
cJSON *ib_bench_json(const struct ib_bench_run *run, const char *numerics);

#endif
