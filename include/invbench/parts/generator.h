/*
 * What priors share whose decode is a net: keeping it, opening it again, and
 * all hooks of a prior over it. z is taken to come from N(0, 1) and is kept
 * within 3 standard deviations; classes, where there are any, follow it as
 * weights in [0, 1] of which a sample has one.
 */
#ifndef INVBENCH_PARTS_GENERATOR_H
#define INVBENCH_PARTS_GENERATOR_H

#include <invbench/ops.h>
#include <invbench/prior.h>

struct ib_generator {
    struct ib_net *net; /* of IB_GENERATOR_ROWS rows; runs change its rows */
    ib_node input, output;
    size_t latent;  /* numbers of z, classes included */
    size_t classes; /* 0: none */
    size_t d;       /* numbers of an image */
    float *black;   /* latent: of 64 samples the darkest */
};
enum { IB_GENERATOR_ROWS = 64 };

/* What is kept: 8 bytes, u32 classes, u32 zero, u64 parameters, u64 state
 * numbers, then those, float32. Fills fit->data and fit->size; first_parameter,
 * first_state: where the generator begins in the net (it ends with it). */
struct ib_generator_part {
    struct ib_net *net;
    size_t first_parameter, first_state;
    size_t classes;
};
IB_CHECK enum ib_status ib_generator_keep(struct ib_prior_fit *fit,
                                          const struct ib_generator_part *part,
                                          struct ib_error *err);
/* How many classes were kept; sizes are checked as far as the header goes. */
IB_CHECK enum ib_status ib_generator_classes(const struct ib_prior_env *env,
                                             size_t *classes,
                                             struct ib_error *err);
/* Makes a net of the graph (taken over, also on failure) and gives it what was
 * kept, every size checked. The prior's state is the generator; 0: err is set.
 * input: `latent` numbers, the last `classes` of them the class weights. */
struct ib_generator_graph {
    struct ib_graph *graph;
    ib_node input, output;
    size_t classes;
};
size_t ib_generator_open(const struct ib_generator_graph *g,
                         const struct ib_prior_env *env, void **state,
                         struct ib_error *err);

/* The other hooks of a prior whose state is a struct ib_generator. */
enum ib_status ib_generator_start(const void *state, enum ib_start start,
                                  struct ib_rng *rng, float *z,
                                  struct ib_error *err);
void ib_generator_decode(const void *state, size_t n, const float *z, float *x);
void ib_generator_vjp(const void *state, size_t n, const float *z,
                      const float *dx, float *dz);
void ib_generator_project(const void *state, size_t n, float *z);
void ib_generator_close(void *state);

#endif
