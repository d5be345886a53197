/*
 * A net and the optimiser that moves it, for priors that train with a loop of
 * their own.
 */
#ifndef INVBENCH_PARTS_LEARNER_H
#define INVBENCH_PARTS_LEARNER_H

#include <invbench/optim.h>
#include <invbench/prior.h>

struct ib_graph;
struct ib_net;

struct ib_learner {
    struct ib_net *net;
    struct ib_optim optim;
    size_t parameters;
};
struct ib_learner_setup {
    struct ib_graph *graph; /* taken over, also on failure; NULL: no memory */
    size_t rows;
    const char *stream;   /* of ("prior", -1): draws the first weights */
    struct ib_optim adam; /* rate, momentum, beta2 */
};
/* Moments from fit->scratch; the net uses fit->pool. Close also after an
 * error. */
IB_CHECK enum ib_status ib_learner_open(struct ib_learner *l,
                                        const struct ib_learner_setup *setup,
                                        const struct ib_prior_fit *fit,
                                        struct ib_error *err);
/* Bytes of a net of so many rows, its optimiser included; 0: no memory to
 * know. The graph is freed. */
size_t ib_learner_bytes(struct ib_graph *graph, size_t rows);
void ib_learner_close(struct ib_learner *l);
/* For checkpoints: all that moves. Returns how many regions (at most 4). */
int ib_learner_regions(struct ib_learner *l, struct ib_region *r);
/* One step by the gradients that stand in the net. */
void ib_learner_apply(struct ib_learner *l);
/* Steps *step .. steps - 1, with progress and checkpoints. */
struct ib_learner_loop {
    const struct ib_prior_fit *fit;
    int64_t *step, steps;
    const struct ib_region *region; /* all that moves, *step too */
    int regions;
    void *ctx;
    enum ib_status (*run)(void *ctx, struct ib_error *err); /* one step */
};
IB_CHECK enum ib_status ib_learner_train(const struct ib_learner_loop *loop,
                                         struct ib_error *err);
/* IB_OK where the loss of a step (from 0) is finite; else IB_E_NUMERIC with the
 * step, the first layer of the n learners whose weights are not finite, and
 * what may help. */
IB_CHECK enum ib_status ib_learner_check(const struct ib_learner *const *l,
                                         int n, int64_t step, double loss,
                                         struct ib_error *err);

#endif
