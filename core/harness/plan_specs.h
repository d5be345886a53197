/* The specs of stage.h, put together from parts that are made once. */
#ifndef INVBENCH_HARNESS_PLAN_SPECS_H
#define INVBENCH_HARNESS_PLAN_SPECS_H

#include "plan_nodes.h"

/* What a suite's entries contribute to specs; owned by the builder. */
struct ib_plan_specs {
    cJSON *dataset, *metrics, *none; /* none: [] */
    cJSON **models, **evaluators, **attacks, **priors;
    cJSON **train, **respond; /* per defense */
    cJSON **targets;          /* per attack */
    void *lists;
};
IB_CHECK enum ib_status ib_plan_specs_make(struct ib_plan_builder *b,
                                           struct ib_plan_specs *out,
                                           struct ib_error *err);
void ib_plan_specs_free(struct ib_plan_specs *s);

/* Each returns a new object (NULL: no memory) that refers to the parts. */
cJSON *ib_spec_data(const struct ib_plan_builder *b,
                    const struct ib_plan_specs *s, uint64_t seed, cJSON *files);
struct ib_spec_model {
    const char *role;
    cJSON *plugin, *train;
    int shadow; /* number of a shadow model */
    uint64_t seed;
    const char *data;
};
cJSON *ib_spec_model(const struct ib_plan_builder *b,
                     const struct ib_spec_model *m);
cJSON *ib_spec_prior(const struct ib_plan_builder *b, cJSON *plugin,
                     uint64_t seed, const char *data);
struct ib_spec_sample {
    cJSON *plugin;
    uint64_t seed;
    const char *data, *fitted; /* fitted: NULL where the prior learns nothing */
    const char *evaluator, *model; /* its id and its key */
};
cJSON *ib_spec_sample(const struct ib_plan_builder *b,
                      const struct ib_spec_sample *s);
struct ib_spec_attack {
    int attack;
    enum ib_level level;
    uint64_t seed;
    const char *data, *model;
    const char *fitted; /* NULL: the prior learns nothing */
    cJSON *respond;
};
cJSON *ib_spec_attack(const struct ib_plan_builder *b,
                      const struct ib_plan_specs *s,
                      const struct ib_spec_attack *a);
/* model: NULL unless the control asks the target. */
cJSON *ib_spec_control(const struct ib_plan_builder *b,
                       const struct ib_plan_specs *s, const char *name,
                       uint64_t seed, const char *data, const char *model);
/* evaluators: [{id, model}], referred to. */
cJSON *ib_spec_score(const struct ib_plan_builder *b,
                     const struct ib_plan_specs *s, const char *recon,
                     const char *data, cJSON *evaluators);
cJSON *ib_spec_utility(const struct ib_plan_builder *b, const char *model,
                       const char *data, cJSON *respond);
/* shadows: keys; consumed. */
struct ib_spec_membership {
    const char *model, *data;
    uint64_t seed;
    cJSON *respond, *shadows;
};
cJSON *ib_spec_membership(const struct ib_plan_builder *b,
                          const struct ib_spec_membership *m);

#endif
