/*
 * Batched gradient descent with one stop state a row: Algorithm 1 of
 * Fredrikson, Jha, Ristenpart, "Model Inversion Attacks that Exploit
 * Confidence Information and Basic Countermeasures", CCS 2015.
 *
 *   for i = 1..alpha:
 *       x_i = PROCESS(x_{i-1} - lambda * grad c(x_{i-1}))
 *       stop if c(x_i) >= max(c(x_{i-1}), ..., c(x_{i-beta}))
 *       stop if c(x_i) <= gamma
 *   return argmin c
 *
 * The window rule speaks from i = beta on: before, part of the window is not
 * known yet. A row that stopped is not evaluated again.
 */
#ifndef INVBENCH_PARTS_DESCENT_H
#define INVBENCH_PARTS_DESCENT_H

#include <invbench/attack.h>

/* Cost and gradient of n points, row i asked for slot[i]. */
struct ib_descent_ask {
    size_t n;
    const int32_t *slot;
    const float *z;  /* n x d */
    double *cost;    /* out: n, finite, or INFINITY to end the row before this
                        point (budget spent: it has no cost) */
    bool *last;      /* out: n, false before the call; true: the point counts,
                        and the row ends with it (nothing more to be learnt) */
    float *gradient; /* out: n x d, every entry; NULL: only costs are wanted */
};

struct ib_descent {
    size_t d;      /* length of a row of z */
    int64_t alpha; /* most steps; >= 0 */
    int64_t beta;  /* window of the stop rule; 0 = without this rule */
    double gamma;  /* stop at a cost of this or less */
    double lambda; /* step size */
    bool late;     /* of equal costs keep the later point, not the first */
    void *ctx;
    /* Required: answers the question. */
    enum ib_status (*evaluate)(void *ctx, const struct ib_descent_ask *ask,
                               struct ib_error *err);
    /* Optional: PROCESS, then the projection into z's range, after a step. */
    enum ib_status (*settle)(void *ctx, size_t n, const int32_t *slot, float *z,
                             struct ib_error *err);
    /* Required: a better point than all before (the start at first). */
    void (*publish)(void *ctx, int32_t slot, const float *z);
    struct ib_scratch *scratch;
};

enum ib_descent_stop {
    IB_STOP_STEPS,  /* alpha steps were made */
    IB_STOP_GAMMA,  /* the cost is low enough */
    IB_STOP_WINDOW, /* no better than the worst of the last beta costs */
    IB_STOP_ENDED,  /* evaluate() ended it */
};

struct ib_descent_row {
    int32_t slot;              /* in */
    int64_t steps;             /* out: i at the end */
    int64_t best_step;         /* out: i of the published point */
    double cost;               /* out: of the published point; INFINITY: none */
    enum ib_descent_stop stop; /* out */
};

/* z: n x d, the starts; used up. IB_E_NUMERIC when a cost is NaN. */
IB_CHECK enum ib_status ib_descent_run(const struct ib_descent *p, size_t n,
                                       struct ib_descent_row *row, float *z,
                                       struct ib_error *err);

/* --- options that such attacks share ------------------------------------ */

/* Member `descent` of the attack's options struct. */
struct ib_descent_options {
    int64_t alpha, beta;
    double gamma;
    int start; /* enum ib_start */
};

#define IB_DESCENT_OPTIONS(owner, d_beta)                                      \
    {.name = "alpha",                                                          \
     .type = IB_INT,                                                           \
     .value = "5000",                                                          \
     .min = 0,                                                                 \
     .max = 1e7,                                                               \
     .unit = "steps",                                                          \
     .offset = offsetof(struct owner, descent.alpha),                          \
     .help = "most steps of the descent"},                                     \
        {.name = "beta",                                                       \
         .type = IB_INT,                                                       \
         .value = d_beta,                                                      \
         .min = 0,                                                             \
         .max = 1e5,                                                           \
         .unit = "steps",                                                      \
         .offset = offsetof(struct owner, descent.beta),                       \
         .help =                                                               \
             "stop when no better than the worst of so many last costs; 0: "   \
             "without this rule"},                                             \
        {.name = "gamma",                                                      \
         .type = IB_REAL,                                                      \
         .value = "0.01",                                                      \
         .min = 0,                                                             \
         .max = 1,                                                             \
         .offset = offsetof(struct owner, descent.gamma),                      \
         .help =                                                               \
             "stop at this cost, 1 - confidence (0.01 stands for the paper's " \
             "confidence of 0.99)"},                                           \
    {                                                                          \
        .name = "start", .type = IB_CHOICE, .value = "black",                  \
        .choices = ib_start_choices,                                           \
        .offset = offsetof(struct owner, descent.start), .help = "first image" \
    }

/* The starts of n slots from `first` on; z: n x the prior's size. Every class
 * draws from a stream of its own. */
IB_CHECK enum ib_status ib_descent_start(const struct ib_attack_env *env,
                                         enum ib_start start, size_t first,
                                         size_t n, float *z,
                                         struct ib_error *err);

/* --- what attacks on one class of a classifier share -------------------- */

enum ib_objective { IB_CONFIDENCE, IB_NEGATIVE_LOG, IB_MARGIN };
extern const struct ib_choice ib_objective_choices[];

/* One row of K logits. Returns the cost 1 - softmax(z)[t], summed over the
 * other classes so that it does not cancel near 0; dz (NULL: not wanted): the
 * objective's derivative by each logit. confidence: of 1 - p_t; negative-log:
 * of -log p_t; margin: of max_{j != t} z_j - z_t. */
double ib_class_cost(enum ib_objective objective, size_t k, const float *z,
                     int t, float *dz);

#endif
