/*
 * Estimates of d c / d z from scores alone, c(z) = 1 - score of the slot's
 * class, for many slots at once.
 *
 *  nes: mean over P antithetic pairs of u (c(z + s u) - c(z - s u)) / (2 s),
 *       u ~ N(0, I) (Ilyas, Engstrom, Athalye, Lin, "Black-box Adversarial
 *       Attacks with Limited Queries and Information", ICML 2018, Algorithm 1).
 *  spsa: the same with u_j = +1 or -1 (Spall, "Multivariate stochastic
 *       approximation using a simultaneous perturbation gradient
 *       approximation", IEEE Transactions on Automatic Control 37(3), 1992).
 *  finite-differences: (c(z + s e_j) - c(z - s e_j)) / (distance of the two
 *       points), for every coordinate j or for P random ones.
 *
 * Points are taken into the prior's range before they are asked: at an edge of
 * the box a difference is one-sided, finite differences divide by what is left
 * of the distance, and the entry of a nes estimate shrinks by up to a half.
 */
#ifndef INVBENCH_PARTS_GRADEST_H
#define INVBENCH_PARTS_GRADEST_H

#include <invbench/attack.h>

enum ib_estimator { IB_NES, IB_SPSA, IB_DIFFERENCES };
extern const struct ib_choice ib_estimator_choices[];

struct ib_gradest;

struct ib_gradest_setup {
    const struct ib_attack_env *env;
    enum ib_estimator estimator;
    size_t pairs; /* P of one estimate; 0 (finite differences): all */
    size_t rows;  /* most rows of one ask, >= 2; the oracle's capacity caps */
};

/* One estimate. */
struct ib_gradest_row {
    int32_t slot;    /* in */
    double step;     /* in: s > 0 */
    double cost;     /* out: c(z); INFINITY: no query was left for it */
    size_t pairs;    /* out: that the budget allowed when they were planned */
    size_t answered; /* out: pairs of which no point was denied; the mean of
                        nes and spsa is over these */
    size_t signal;   /* out: pairs whose two answers differed */
};

/* Takes all its memory from env->scratch. */
IB_CHECK enum ib_status ib_gradest_create(struct ib_gradest **out,
                                          const struct ib_gradest_setup *s,
                                          struct ib_error *err);
/* z: n x size of the prior's latent, one row for each of row[0..n-1].
 * gradient as z, every entry written; NULL: only the costs. A row costs 1 + 2
 * pairs queries and never more than what its slot has left. Random numbers
 * come from the slot's own stream, so that the rows of a call do not change
 * each other's. */
IB_CHECK enum ib_status ib_gradest_run(struct ib_gradest *g, size_t n,
                                       struct ib_gradest_row *row,
                                       const float *z, float *gradient,
                                       struct ib_error *err);

#endif
