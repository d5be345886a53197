/*
 * A challenge: reconstructions that are said to show more than an entry's own
 * attacks did. They are scored with the entry's evaluators and held against
 * its controls; how they were made is the challenger's word.
 */
#ifndef INVBENCH_HARNESS_CHALLENGE_H
#define INVBENCH_HARNESS_CHALLENGE_H

#include "verify.h"

struct ib_challenge {
    const char *dir;
    cJSON *json; /* challenge.json; NULL: not read */
    char hash[IB_KEY_SIZE];
    int model, defense, against; /* of the suite; against: the attack whose
                                    leakage is the highest there */
    enum ib_level access;
    int cell[IB_RESULTS_SEEDS]; /* of `against`, by seed; -1: none */
    struct ib_scored scored[IB_RESULTS_SEEDS]; /* of the challenge */
    int seeds;                                 /* scored */
    struct ib_leakage leakage;
    char evaluator[IB_NAME_MAX];   /* that gives the minimum */
    struct ib_interval difference; /* paired, to `against` */
};

/* Reads and checks; faults become findings of v. */
IB_CHECK enum ib_status ib_challenge_open(struct ib_challenge *c,
                                          const char *dir, struct ib_verify *v,
                                          struct ib_error *err);
/* Trains what judges, scores, and compares. */
IB_CHECK enum ib_status ib_challenge_run(struct ib_challenge *c,
                                         struct ib_verify *v, bool *stopped,
                                         struct ib_error *err);
void ib_challenge_close(struct ib_challenge *c);
/* Schema invbench.outcome/1; and in words. */
cJSON *ib_challenge_json(const struct ib_challenge *c,
                         const struct ib_verify *v);
void ib_challenge_text(const struct ib_challenge *c, const struct ib_verify *v,
                       struct ib_text *out);
/* Is the challenge shown to find more than the entry's best attack? */
bool ib_challenge_stands(const struct ib_challenge *c,
                         const struct ib_verify *v);

#endif
