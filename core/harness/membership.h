/*
 * Membership inference: was this image among those that the target learnt
 * from? Every score is higher where the answer is rather yes.
 *
 *  loss          log p_y: minus the loss (Yeom, Giacomelli, Fredrikson, Jha,
 *                "Privacy Risk in Machine Learning", CSF 2018)
 *  confidence    max_k p_k, without the label (Salem et al., "ML-Leaks", NDSS
 *                2019, adversary 3)
 *  lira          Carlini, Chien, Nasr, Song, Terzis, Tramer, "Membership
 *                Inference Attacks From First Principles", S&P 2022, algorithm
 *                1 (online): log N(x; m_in, s_in^2) - log N(x; m_out, s_out^2)
 *                where x = log p_y - log sum_{k != y} p_k is the target's
 *                answer, and m, s are fitted to shadow models that did (in) and
 *                did not (out) learn from the image
 *  lira-offline  the same with those that did not alone:
 *                (x - m_out) / s_out, which orders as their 1 - Pr[Z > x]
 *
 * m is the image's own; s is its own from IB_LIRA_OWN shadow models on, and
 * pooled over all images below (s^2 = sum of squares about the images' own
 * means / degrees of freedom), as the paper advises where shadow models are
 * few. One shadow model in two learns from an image.
 */
#ifndef INVBENCH_HARNESS_MEMBERSHIP_H
#define INVBENCH_HARNESS_MEMBERSHIP_H

#include <invbench/base.h>

enum ib_membership_attack {
    IB_MEMBERSHIP_LOSS,
    IB_MEMBERSHIP_CONFIDENCE,
    IB_MEMBERSHIP_LIRA,
    IB_MEMBERSHIP_LIRA_OFFLINE,
    IB_MEMBERSHIP_ATTACKS,
};
extern const char *const ib_membership_names[IB_MEMBERSHIP_ATTACKS + 1];
enum {
    IB_LIRA_OWN = 64,
    IB_MEMBERSHIP_RESAMPLES = 2000,
    IB_MEMBERSHIP_RATES = 2
};
/* False-positive rates at which the true-positive rate is told: 1 in ... */
extern const int ib_membership_rate[IB_MEMBERSHIP_RATES];

/* Of one answer of K probabilities (what leaves the defenses: they need not
 * sum to 1; below 0 counts as 0). 1e-30 stands for 0 in a logarithm. */
double ib_membership_loss(int classes, const float *p, int label);
double ib_membership_confidence(int classes, const float *p);
double ib_membership_logit(int classes, const float *p, int label);

struct ib_lira {
    size_t n;
    int shadows;
    const double *target; /* n: logits of the target's answers */
    const double *shadow; /* n x shadows: of the shadow models' */
    const uint8_t *in;    /* n x shadows: did it learn from the image? */
    bool online;
};
/* score: n. Every image needs a shadow model that did not learn from it, and
 * one that did where online. */
IB_CHECK enum ib_status ib_lira_score(const struct ib_lira *q, double *score,
                                      struct ib_error *err);

struct ib_membership_value {
    double value, low, high; /* NaN: null, ... */
    const char *reason;      /* ... for this reason (static); NULL: none */
};
/* What an attack's scores are worth: area under the ROC curve (ties count
 * half), and the largest true-positive rate at which at most 1 in
 * ib_membership_rate[i] of the non-members is taken for a member (images of
 * one score are taken together); null with under 10 false positives allowed. */
struct ib_membership_worth {
    struct ib_membership_value auc, tpr[IB_MEMBERSHIP_RATES];
};
struct ib_membership_task {
    size_t members, others;
    const double *const *score; /* attacks x (members, then others) */
    int attacks;
    uint64_t seed; /* of the resamples */
};
/* 95 % percentile intervals over IB_MEMBERSHIP_RESAMPLES resamples of members
 * and of non-members, the same for all attacks. Where a value is 0 or 1 they
 * reach as far as Wilson's of as many images (auc: of the fewer side). None
 * under 10 members or non-members. out: attacks. */
IB_CHECK enum ib_status ib_membership_judge(const struct ib_membership_task *t,
                                            struct ib_membership_worth *out,
                                            struct ib_error *err);

#endif
