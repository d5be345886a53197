/* What a check of files found wrong: a list for people and for machines. */
#ifndef INVBENCH_HARNESS_FINDINGS_H
#define INVBENCH_HARNESS_FINDINGS_H

#include "json_put.h"

enum { IB_FINDINGS_KEPT = 1000 };

/* Zero-initialise. */
struct ib_findings {
    cJSON *list; /* [{file, place, text}]: the first IB_FINDINGS_KEPT */
    size_t n;    /* all of them */
    bool failed; /* no memory: some are lost */
};

/* One fault. file: relative to what is checked; place: a JSON path, or "". */
void ib_finding(struct ib_findings *f, const char *file, const char *place,
                const char *format, ...) IB_PRINTF(4, 5);
/* The same for an error that a reader returned; its text names the place. */
void ib_finding_error(struct ib_findings *f, const char *file,
                      const struct ib_error *err);
void ib_findings_free(struct ib_findings *f);
/* One line each, at most `most` of them, then how many more there are. */
void ib_findings_text(const struct ib_findings *f, size_t most,
                      struct ib_text *out);

#endif
