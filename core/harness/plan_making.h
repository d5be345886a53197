/* What the files of the planner share: where in its loops it is. */
#ifndef INVBENCH_HARNESS_PLAN_MAKING_H
#define INVBENCH_HARNESS_PLAN_MAKING_H

#include "plan_specs.h"

enum { IB_JUDGES_MAX = 13, IB_SEEDS_MAX = 64, IB_EVALUATORS_MAX = 64 };

enum { IB_PRIOR_UNKNOWN = -2, IB_PRIOR_UNFITTED = -1 };

/* Where in the loops we are. */
struct ib_making {
    struct ib_plan_builder *b;
    struct ib_plan_specs specs;
    const struct ib_suite *suite;
    int seed, model, defense;
    int data, target; /* nodes */
    const char *s;    /* "s1": the seed in labels */
    char seed_text[32];
    int evaluator[IB_EVALUATORS_MAX]; /* nodes */
    cJSON *judges;                    /* of this model: [{id, model}] */
    int judge[IB_JUDGES_MAX], n_judges;
    int *prior; /* per attack: node of its prior, of this seed; or one of: */
    struct ib_error *err;
};

const char *ib_making_data_key(const struct ib_making *m);
uint64_t ib_making_seed(const struct ib_making *m);
enum ib_status ib_making_no_memory(struct ib_making *m);
/* err was set by the call that returned node. */
enum ib_status ib_making_status(const struct ib_making *m, int node);
/* A node that trains a model on the current data; seed and data are filled in
 * here. */
int ib_making_model(struct ib_making *m, struct ib_spec_model spec,
                    const char *label);
/* The one score node of a set of reconstructions. */
int ib_making_score(struct ib_making *m, int recon, const char *what);
/* The node of what the attack's prior has learnt, added when it is first asked
 * for; IB_PRIOR_UNFITTED: it learns nothing. */
IB_CHECK enum ib_status ib_making_prior(struct ib_making *m, int attack,
                                        int *node);
/* Membership inference on the current target, where the suite asks for it. */
IB_CHECK enum ib_status ib_making_membership(struct ib_making *m);
/* All attacks at all levels on the current model and defense. */
IB_CHECK enum ib_status ib_making_attacks(struct ib_making *m, int utility);

#endif
