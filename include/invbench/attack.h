/*
 * The attack kind: one published attack per file. See attacks/mi_face.c.
 */
#ifndef INVBENCH_ATTACK_H
#define INVBENCH_ATTACK_H

#include <invbench/oracle.h>
#include <invbench/prior.h>

/* What is known before a cell runs. */
struct ib_attack_task {
    enum ib_level level;
    struct ib_shape shape;
    int classes;
    bool has_public; /* public images exist */
    bool has_code;   /* the target has a code and decodes it */
    uint64_t max_queries;
};

struct ib_attack_env {
    struct ib_oracle *oracle;
    struct ib_prior_use prior;
    const struct ib_images *public_images; /* NULL: none */
    int targets;
    const int32_t *target; /* class of each slot */
    uint64_t seed;         /* for ib_rng_stream(seed, "attack", class, name) */
    struct ib_scratch *scratch;
    struct ib_reporter *reporter;
};

struct ib_attack {
    struct ib_plugin plugin;
    unsigned levels; /* IB_GRANTS(...) | ...: levels that it can use */
    /* Optional: images per identity (default 1). */
    int (*images)(const void *options);
    /* Optional, pure: NULL, or why this cell cannot run. The levels need not
     * be checked here. */
    const char *(*applicable)(const void *options,
                              const struct ib_attack_task *task);
    /* Required. Leaves its results in ib_oracle_guess() of every slot. */
    enum ib_status (*run)(const void *options, struct ib_attack_env *env,
                          struct ib_error *err);
};

#endif
