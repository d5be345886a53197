/*
 * Suites: read, validated whole, resolved (sweeps expanded, defaults filled).
 * The format is docs/suite.md and suites/suite.schema.json.
 */
#ifndef INVBENCH_HARNESS_SUITE_H
#define INVBENCH_HARNESS_SUITE_H

#include "membership.h"
#include "registry.h"
#include "stack.h"

enum { IB_SUITE_CELLS_MAX = 200000 };

struct ib_suite_item { /* a model or an evaluator */
    const char *id;
    struct ib_use use;
};
struct ib_suite_defense {
    const char *id;
    struct ib_stack stack;
};
struct ib_suite_attack {
    const char *id;
    struct ib_use use;
    struct ib_use prior; /* member "prior"; default {"name": "pixels"} */
    /* Filters: NULL-terminated ids, or NULL for all. */
    const char *const *models, *const *defenses;
    unsigned access;           /* IB_GRANTS bits; default: the suite's */
    uint64_t max_queries;      /* default: the suite's budget */
    struct ib_ints identities; /* classes under attack; n = 0: all */
};
struct ib_suite_membership {
    unsigned attacks; /* bits of enum ib_membership_attack; 0: none */
    int shadows;      /* 0: no attack needs them */
};
struct ib_suite {
    const char *name, *path, *summary;
    int n_seeds;
    const uint64_t *seeds;
    struct ib_use dataset;
    int n_models, n_evaluators, n_defenses, n_attacks, n_metrics;
    const struct ib_suite_item *models, *evaluators;
    const struct ib_suite_defense *defenses;
    const struct ib_suite_attack *attacks;
    const struct ib_use *metrics;
    struct ib_suite_membership membership;
    unsigned access;
    uint64_t max_queries;
    double latency, rate_limit; /* simulated seconds a query; queries a second
                                   (0: none) */
    cJSON *resolved; /* every default filled in; what RUN/suite.json holds */
    void *owned;
};

/* set: NULL-terminated "path=json" overrides (--set), applied to the text
 * before validation; only: NULL-terminated "attack=mi-face" filters on
 * coordinates (model, defense, attack, access, seed), applied after. */
IB_CHECK enum ib_status ib_suite_read(const struct ib_registry *r,
                                      const char *path, const char *const *set,
                                      const char *const *only,
                                      struct ib_suite **out,
                                      struct ib_error *err);
/* From a parsed object (consumed), for train/attack/score on the fly. */
IB_CHECK enum ib_status ib_suite_parse(const struct ib_registry *r,
                                       cJSON *object, const char *name,
                                       struct ib_suite **out,
                                       struct ib_error *err);
void ib_suite_free(struct ib_suite *s);
/* Names of the membership attacks that are asked for; NULL: no memory. */
cJSON *ib_membership_names_json(const struct ib_suite *s);

#endif
