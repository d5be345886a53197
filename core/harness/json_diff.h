/* Where two JSON values differ, leaf by leaf. The order of members does not
 * matter, that of items does. */
#ifndef INVBENCH_HARNESS_JSON_DIFF_H
#define INVBENCH_HARNESS_JSON_DIFF_H

#include "findings.h"

struct ib_diff {
    const char *file; /* that the findings are about */
    const char *here; /* what `want` is called: "recomputed", ... */
    double tolerance; /* |got - want| <= tolerance * max(1, |want|) */
    struct ib_findings *f;
    size_t compared; /* leaves so far */
    double worst;    /* largest |got - want| / max(1, |want|) of numbers */
};
/* Every difference of got (the file's) from want becomes a finding; either
 * may be NULL: not there. place stands before the path. */
void ib_json_diff(struct ib_diff *d, const cJSON *want, const cJSON *got,
                  const char *place);

#endif
