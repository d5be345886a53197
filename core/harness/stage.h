/*
 * Stages: each computes one kind of artifact from its spec alone and puts it
 * into the store. They run in workers.
 *
 * Every spec is an object with "kind", "numerics", "code" (ib_code_hash of the
 * stage) and what is listed here. KEY is another artifact's key; PLUGIN is
 * what ib_use_spec makes; DEFENSES is an array of PLUGIN in stack order.
 *
 *  data     plugin PLUGIN, seed (only when the dataset is seeded),
 *           files {path: sha256}
 *           -> data: see data_io.h
 *  model    role "target" | "evaluator" | "shadow", plugin PLUGIN, seed, data
 *           KEY, defenses DEFENSES (stage train only), shadow (its number; of
 *           a shadow model only: see shadow.h)
 *           -> data: parameters, then state, float32, each in node order;
 *              meta: "parameters", "state" (how many), "shape" [c, h, w],
 *              "classes"
 *  prior    plugin PLUGIN, seed, data KEY
 *           -> data: what the prior's fit() left; meta: "images" (public ones
 *              that it saw), "held_out" (those it did not), "numbers"
 *  sample   plugin PLUGIN (a prior), fitted KEY (where it learns), seed, data
 *           KEY, evaluator {id, model KEY}
 *           -> see sample.h
 *  attack   plugin PLUGIN, prior PLUGIN, fitted KEY (where the prior learns),
 *           level, max_queries (0: unlimited),
 *           latency, rate_limit (simulated clock), seed, data KEY, model KEY,
 *           defenses DEFENSES (stage respond only), targets [class, ...]
 *           (empty: all classes; so in control)
 *           -> see recon_io.h
 *  control  name "public-mean" | "public-best" | "noise" | "holdout" |
 *           "other" | "optimised-noise", seed, data KEY, model KEY (public-best
 *           and optimised-noise only), targets
 *           -> see recon_io.h
 *  score    reconstructions KEY, data KEY, metrics [PLUGIN],
 *           evaluators [{id, model KEY}]
 *           -> meta "scores": see score.h; no data
 *  utility  model KEY, data KEY, defenses DEFENSES (stage respond only)
 *           -> meta "utility": {n, accuracy, ece, distortion, correct: [per
 *              class count], total: [...], train: {n, of, accuracy}}: over
 *              holdout, and, without the stack, over at most 10000 images of
 *              the train split; no data
 *  membership  attacks [name, ...], model KEY, data KEY, seed, defenses
 * DEFENSES (stage respond only), shadows [KEY, ...] (number 0, 1, ...; empty
 *           unless an attack needs them)
 *           -> meta "membership": {members, non_members, attacks: {name: {auc,
 *              tpr_0.001, tpr_0.01}}}, each {value, low, high, reason (where
 *              one of them is null)}: of at most 10000 images of the train
 *              split (members), and of holdout (the others); no data
 */
#ifndef INVBENCH_HARNESS_STAGE_H
#define INVBENCH_HARNESS_STAGE_H

#include "registry.h"
#include "store.h"

struct ib_stage_env {
    struct ib_store *store;
    const struct ib_registry *registry;
    const char *data_dir; /* NULL: none */
    size_t memory_limit;  /* bytes a worker may use */
    struct ib_reporter *reporter;
    struct ib_pool *pool; /* NULL: one thread */
    const char *program;  /* of the attacker process; NULL: this one */
    /* For a plan without the data: {path: sha256} to believe; NULL: none. */
    const cJSON *files;
};

typedef enum ib_status (*ib_stage_run)(const struct ib_stage_env *env,
                                       const cJSON *spec, const char *key,
                                       struct ib_error *err);

enum ib_status ib_stage_data(const struct ib_stage_env *env, const cJSON *spec,
                             const char *key, struct ib_error *err);
enum ib_status ib_stage_model(const struct ib_stage_env *env, const cJSON *spec,
                              const char *key, struct ib_error *err);
enum ib_status ib_stage_prior(const struct ib_stage_env *env, const cJSON *spec,
                              const char *key, struct ib_error *err);
enum ib_status ib_stage_sample(const struct ib_stage_env *env,
                               const cJSON *spec, const char *key,
                               struct ib_error *err);
enum ib_status ib_stage_attack(const struct ib_stage_env *env,
                               const cJSON *spec, const char *key,
                               struct ib_error *err);
enum ib_status ib_stage_control(const struct ib_stage_env *env,
                                const cJSON *spec, const char *key,
                                struct ib_error *err);
enum ib_status ib_stage_score(const struct ib_stage_env *env, const cJSON *spec,
                              const char *key, struct ib_error *err);
enum ib_status ib_stage_utility(const struct ib_stage_env *env,
                                const cJSON *spec, const char *key,
                                struct ib_error *err);
enum ib_status ib_stage_membership(const struct ib_stage_env *env,
                                   const cJSON *spec, const char *key,
                                   struct ib_error *err);

/* A trained model, opened from the store and ready to run. */
struct ib_loaded_model {
    struct ib_use use;
    struct ib_net *net;
    struct ib_model_nodes nodes;
    struct ib_model_task task;
};
IB_CHECK enum ib_status ib_model_open(const struct ib_stage_env *env,
                                      const char *key, int max_batch,
                                      struct ib_loaded_model *out,
                                      struct ib_error *err);
/* The same from an artifact's bytes (for a process without the store). */
IB_CHECK enum ib_status ib_model_decode(const struct ib_registry *registry,
                                        const struct ib_artifact *artifact,
                                        int max_batch,
                                        struct ib_loaded_model *out,
                                        struct ib_error *err);
void ib_model_close(struct ib_loaded_model *m);

#endif
