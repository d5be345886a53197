/* A defense stack: parsed, sorted by stage, composed. */
#ifndef INVBENCH_HARNESS_STACK_H
#define INVBENCH_HARNESS_STACK_H

#include "registry.h"

enum { IB_STACK_MAX = 16 };

struct ib_stack {
    struct ib_use use[IB_STACK_MAX]; /* stably sorted by stage */
    int n;
};

/* From a suite's array of {"name", options}. */
IB_CHECK enum ib_status ib_stack_parse(const struct ib_registry *r,
                                       const cJSON *array, const char *path,
                                       struct ib_stack *out,
                                       struct ib_error *err);
/* From a spec's DEFENSES. */
IB_CHECK enum ib_status ib_stack_from_spec(const struct ib_registry *r,
                                           const cJSON *array,
                                           struct ib_stack *out,
                                           struct ib_error *err);
void ib_stack_free(struct ib_stack *s);
const struct ib_defense *ib_stack_at(const struct ib_stack *s, int i);
/* DEFENSES of one stage. */
cJSON *ib_stack_spec(const struct ib_registry *r, const struct ib_stack *s,
                     enum ib_stage stage);
bool ib_stack_has(const struct ib_stack *s, enum ib_stage stage);
/* Training hooks in stack order; returns how many. */
int ib_stack_hooks(const struct ib_stack *s, struct ib_train_hook *hooks);

/* What the stack makes of n phases (room for IB_PHASES_MAX; 0: one supervised
 * phase, which is written out first where a defense has a say); the new n. */
int ib_stack_phases(const struct ib_stack *s,
                    const struct ib_model_nodes *nodes,
                    const struct ib_training *t, struct ib_phase *phases,
                    int n);

/* Who asked, for the row's own random stream. */
struct ib_asker {
    uint64_t seed;
    int client;
    int64_t identity; /* class; -1 shared */
    uint64_t ordinal; /* of this query among the identity's */
};
/* One answer: probabilities in, what leaves out (K, in place), and the label
 * that leaves. A defense that answers with what is no number, or with a label
 * that there is not, is named (IB_E_NUMERIC, IB_E_INTERNAL). */
IB_CHECK enum ib_status ib_stack_respond(const struct ib_stack *s, int classes,
                                         float *scores,
                                         const struct ib_asker *who, int *label,
                                         struct ib_error *err);

#endif
