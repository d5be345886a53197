/* The growing plan: nodes shared by key, texts and specs that it owns. */
#ifndef INVBENCH_HARNESS_PLAN_NODES_H
#define INVBENCH_HARNESS_PLAN_NODES_H

#include "plan.h"

struct ib_plan_builder {
    struct ib_plan plan; /* first: plan->owned points back here */
    const struct ib_stage_env *env;
    size_t node_room, cell_room, control_room, evaluator_room, prior_room,
        membership_room;
    int *table; /* open addressing over keys; -1: free */
    size_t table_size;
    int *score_of; /* per node: its score node, -1: none yet */
    char **texts;
    size_t n_texts;
    cJSON **kept; /* specs that nodes refer to */
    size_t n_kept;
};

struct ib_plan_builder *ib_plan_builder_create(const struct ib_suite *suite,
                                               const struct ib_stage_env *env);

/* The node of this spec, added unless its key is there already. spec is
 * consumed, also on failure, and may be NULL (no memory). Inputs are earlier
 * nodes. Returns -1 with err set. */
struct ib_plan_new {
    enum ib_node_kind kind;
    cJSON *spec;
    const char *label;
    const int *inputs;
    int n_inputs;
};
int ib_plan_add(struct ib_plan_builder *b, const struct ib_plan_new *n,
                struct ib_error *err);
struct ib_cell *ib_plan_add_cell(struct ib_plan_builder *b);
struct ib_control_cell *ib_plan_add_control(struct ib_plan_builder *b);
struct ib_evaluator_cell *ib_plan_add_evaluator(struct ib_plan_builder *b);
struct ib_prior_cell *ib_plan_add_prior(struct ib_plan_builder *b);
struct ib_membership_cell *ib_plan_add_membership(struct ib_plan_builder *b);
/* A copy that lives as long as the plan. NULL: no memory. */
const char *ib_plan_text(struct ib_plan_builder *b, const char *text);
/* Takes v over for the plan's life; false (v freed) without memory or v. */
IB_CHECK bool ib_plan_keep(struct ib_plan_builder *b, cJSON *v);

#endif
