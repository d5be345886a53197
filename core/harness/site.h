/* The leaderboard: a static site over a directory of entries. */
#ifndef INVBENCH_HARNESS_SITE_H
#define INVBENCH_HARNESS_SITE_H

#include "console.h"
#include "findings.h"

struct ib_site_report {
    size_t entries, refused, rows, boards;
};
/* Reads every entry below results; writes out. Entries whose files are not
 * what their entry.json says are left out, and named in f. */
IB_CHECK enum ib_status ib_site_make(const char *results, const char *out,
                                     struct ib_site_report *report,
                                     struct ib_findings *f,
                                     struct ib_error *err);

#endif
