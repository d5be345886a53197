/* What a worker (or a test) makes of ib_report and ib_report_progress. */
#ifndef INVBENCH_HARNESS_REPORTER_H
#define INVBENCH_HARNESS_REPORTER_H

#include <invbench/plugin.h>

struct ib_reporter {
    void (*note)(void *ctx, const char *text); /* NULL: not wanted */
    void (*progress)(void *ctx, double share); /* NULL: not wanted */
    void *ctx;
};

#endif
