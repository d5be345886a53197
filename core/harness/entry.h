/*
 * An entry: a run as it is submitted and published, results/NAME/. Its files
 * and their formats are described in docs/submitting.md; entry.json (schema
 * invbench.entry/1) lists all of them by hash.
 */
#ifndef INVBENCH_HARNESS_ENTRY_H
#define INVBENCH_HARNESS_ENTRY_H

#include <limits.h>

#include "json_diff.h"
#include "results_parts.h"

#define IB_ENTRY_FILE    "entry.json"
#define IB_ENTRY_RECORD  "verified.json" /* of `verify --record`; not listed */
#define IB_ENTRY_WEIGHTS "weights"       /* optional: weights/SHA256.f32 */

struct ib_entry {
    char dir[PATH_MAX];
    const char *name;          /* of the directory, in dir */
    char hash[IB_KEY_SIZE];    /* of entry.json in canonical form */
    cJSON *manifest, *results; /* NULL: could not be read */
    cJSON *index;              /* images/index.json; NULL: none */
    struct ib_suite *suite;    /* NULL: could not be read */
    struct ib_plan *plan; /* with the entry's own word for data, code, numerics;
                             NULL: could not be made */
    struct ib_stage_env env;       /* of that plan */
    bool same_numerics, same_code; /* as this program's */
    cJSON *other_code;             /* [what of the code is another] */
};

/* Reads what is there; what cannot be read or does not fit its schema becomes
 * a finding. An error only where dir holds no entry at all. */
IB_CHECK enum ib_status ib_entry_open(const struct ib_registry *registry,
                                      const char *dir, struct ib_entry *out,
                                      struct ib_findings *f,
                                      struct ib_error *err);
/* An error where its suite names a plugin that is not registered: that is no
 * fault of the entry, but nobody can verify it so. */
IB_CHECK enum ib_status ib_entry_plugins(const struct ib_registry *registry,
                                         const char *dir, struct ib_error *err);
void ib_entry_close(struct ib_entry *e);
bool ib_is_entry(const char *path);
/* Is it one of the entry's files? */
bool ib_entry_lists(const struct ib_entry *e, const char *name);
/* DIR/name; IB_E_USAGE when that is too long. */
IB_CHECK enum ib_status ib_entry_path(const struct ib_entry *e,
                                      const char *name, char out[PATH_MAX],
                                      struct ib_error *err);

/* Everything that can be found without computing a cell anew: missing and
 * surplus files, hashes, cells that the suite asks for and that are not there,
 * numbers that do not follow from each other, values out of range. */
IB_CHECK enum ib_status ib_entry_check(const struct ib_entry *e,
                                       struct ib_findings *f,
                                       struct ib_error *err);
/* Its parts (IB_OK although there are findings). */
IB_CHECK enum ib_status ib_entry_check_files(const struct ib_entry *e,
                                             struct ib_findings *f,
                                             struct ib_error *err);
void ib_entry_check_values(const struct ib_entry *e, struct ib_findings *f);
IB_CHECK enum ib_status ib_entry_check_pictures(const struct ib_entry *e,
                                                struct ib_findings *f,
                                                struct ib_error *err);
IB_CHECK enum ib_status ib_entry_check_rebuilt(const struct ib_entry *e,
                                               struct ib_findings *f,
                                               struct ib_error *err);

/* What was scored, from the entry's results instead of a store: everything but
 * the scores at half of the budget and queries by identity. */
IB_CHECK enum ib_status ib_entry_gather(const struct ib_entry *e,
                                        struct ib_gather *out,
                                        struct ib_error *err);
/* The results as they follow from the entry's own records. */
IB_CHECK enum ib_status ib_entry_rebuild(const struct ib_entry *e, cJSON **out,
                                         struct ib_error *err);
/* Results and rebuilt results, member by member. */
void ib_entry_compare(const cJSON *want, const cJSON *got, struct ib_diff *d);

/* {what: hash} of all code that the plan's artifacts depend on. */
IB_CHECK enum ib_status ib_plan_code(const struct ib_plan *p, cJSON **out,
                                     struct ib_error *err);
/* {path: SHA-256} of the data's files, the same for every seed. */
IB_CHECK enum ib_status ib_plan_files(const struct ib_plan *p, cJSON **out,
                                      struct ib_error *err);
/* Gives the plan's nodes the keys that they have under other code and other
 * numerics. */
struct ib_claim {
    const char *numerics;
    const cJSON *code; /* as ib_plan_code */
};
IB_CHECK enum ib_status ib_plan_claim(struct ib_plan *p, const char *numerics,
                                      const struct ib_claim *claim,
                                      struct ib_error *err);

/* Makes the entry out of RUN. */
struct ib_entry_maker {
    const char *run, *out; /* directories */
    const char *title, *by, *url, *notes, *program;
    const char *weights; /* directory for the evaluators' weight files, or
                            NULL; "" puts them into the entry */
    bool force;          /* replaces an entry that is there */
    bool no_sheets;      /* leaves the contact sheets out, which show private
                            images */
    bool every_seed; /* keeps all reconstructions, not those of the first seed
                        alone */
    const struct ib_suite *suite;
    const struct ib_plan *plan; /* with the data's true hashes */
    const struct ib_stage_env *env;
};
IB_CHECK enum ib_status ib_entry_make(const struct ib_entry_maker *m,
                                      struct ib_findings *f,
                                      struct ib_error *err);
/* Of results without provenance, in canonical form. */
IB_CHECK enum ib_status ib_results_key(const cJSON *results,
                                       char key[IB_KEY_SIZE],
                                       struct ib_error *err);

#endif
