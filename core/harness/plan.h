/* The DAG of artifacts that a suite asks for. */
#ifndef INVBENCH_HARNESS_PLAN_H
#define INVBENCH_HARNESS_PLAN_H

#include "stage.h"
#include "suite.h"

enum ib_node_kind {
    IB_NODE_DATA,
    IB_NODE_MODEL,
    IB_NODE_PRIOR,
    IB_NODE_SAMPLE,
    IB_NODE_CONTROL,
    IB_NODE_ATTACK,
    IB_NODE_SCORE,
    IB_NODE_UTILITY,
    IB_NODE_MEMBERSHIP,
    IB_NODE_KINDS,
};
extern const char *const ib_node_kind_names[IB_NODE_KINDS];

enum ib_outcome {
    IB_PENDING,
    IB_CACHED, /* was in the store before the run */
    IB_DONE,
    IB_FAILED,  /* said so itself */
    IB_CRASHED, /* died by a signal */
    IB_TIMEOUT,
    IB_OOM,
    IB_BLOCKED,        /* an input did not come about */
    IB_NOT_APPLICABLE, /* skipped: a worker found it cannot run */
};
extern const char *const ib_outcome_names[];

struct ib_plan_node {
    enum ib_node_kind kind;
    char key[IB_KEY_SIZE];
    cJSON *spec;
    char label[160];  /* "attack softmax/none/mi-face/gradients/s1" */
    const int *input; /* earlier nodes; the plan's */
    int n_inputs;
    enum ib_outcome outcome;
    char reason[512];         /* of failure */
    bool no_store;            /* failed because the store took nothing */
    double seconds, peak_mib; /* measured; provenance only */
};

enum ib_cell_plan { IB_CELL_RUN, IB_CELL_SKIP, IB_CELL_BYPASS };

struct ib_cell {
    int seed, model, defense, attack; /* indices into the suite */
    enum ib_level access;
    enum ib_cell_plan plan;
    const char *reason; /* skip: why; bypass: which defenses do not stand
                           between; NULL otherwise. Owned by the plan. */
    int attack_node, score_node, utility_node; /* -1: none */
};
struct ib_control_cell {
    int seed, model;
    const char *name;   /* see stage.h */
    const char *reason; /* skipped: why; NULL when it runs */
    int recon_node, score_node;
};
struct ib_evaluator_cell { /* utility of an evaluator */
    int seed, evaluator, model_node, utility_node;
};

struct ib_membership_cell { /* of a target behind its defenses */
    int seed, model, defense;
    int target_node, node;
};

struct ib_prior_cell { /* a prior that learns: what it came to */
    int seed, attack;  /* attack: the first one that uses it */
    int evaluator;     /* whose features its samples are compared in */
    int prior_node, sample_node; /* sample: -1 without an evaluator */
};

struct ib_plan {
    const struct ib_suite *suite;
    struct ib_plan_node *nodes;
    size_t n_nodes;
    struct ib_cell *cells;
    size_t n_cells;
    struct ib_control_cell *controls;
    size_t n_controls;
    struct ib_evaluator_cell *evaluators;
    size_t n_evaluators;
    struct ib_prior_cell *priors;
    size_t n_priors;
    struct ib_membership_cell *memberships;
    size_t n_memberships;
    int data_node[64]; /* per seed index */
    void *owned;
};

IB_CHECK enum ib_status ib_plan_make(const struct ib_suite *suite,
                                     const struct ib_stage_env *env,
                                     struct ib_plan **out,
                                     struct ib_error *err);
void ib_plan_free(struct ib_plan *p);
/* The node of samples of a cell's prior, added where the plan has none (the
 * prior learns nothing). */
IB_CHECK enum ib_status ib_plan_sample(struct ib_plan *p, size_t cell,
                                       int *node, struct ib_error *err);
/* "softmax/none/mi-face/gradients/s1" */
void ib_cell_name(const struct ib_plan *p, const struct ib_cell *c, char *out,
                  size_t n);

#endif
