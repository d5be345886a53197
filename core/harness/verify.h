/*
 * Verifying an entry: cells drawn by lot (or all) are computed anew and held
 * against what was submitted. Under the same numerics every number and every
 * pixel must be the same. Under others the submitted reconstructions are
 * scored with the submitted weights of the evaluators, to 1e-4, and what is
 * recomputed must be equivalent: two one-sided t tests at 0.05, identities as
 * units, against a margin of 0.05.
 */
#ifndef INVBENCH_HARNESS_VERIFY_H
#define INVBENCH_HARNESS_VERIFY_H

#include "entry.h"
#include "recon_io.h"
#include "run_session.h"

enum { IB_NONCE_SIZE = 129 };
#define IB_RESCORE_TOLERANCE  1e-4
#define IB_EQUIVALENCE_MARGIN 0.05
#define IB_EQUIVALENCE_ALPHA  0.05

enum ib_verdict { IB_VERIFIED, IB_REFUTED, IB_INCONCLUSIVE };
extern const char *const ib_verdict_names[];

/* Mean difference (here - submitted) of one column over identities. */
struct ib_equivalence {
    char column[2 * IB_NAME_MAX];
    int identities, cells;
    double difference, low, high; /* 90 %: what the two tests at 0.05 use */
    double p;                     /* the larger of both */
    enum ib_verdict verdict;
};

struct ib_verify {
    const struct ib_entry *entry;
    struct ib_session *session; /* suite and plan are the entry's, made here */
    const char *weights;        /* directory of weight files; NULL: none */
    bool all;
    int64_t cells; /* wanted; unless all */
    char nonce[IB_NONCE_SIZE], seed[IB_KEY_SIZE];
    /* from here on: results */
    bool *drawn;             /* per cell of the plan */
    size_t n_drawn, n_cells; /* of those that run */
    size_t reused;           /* artifacts that were in the store before */
    size_t computed;         /* artifacts made for this */
    size_t numbers, images;  /* compared */
    size_t rescored;         /* cells */
    bool
        own_weights; /* rescored with evaluators trained here: no pinned file */
    struct ib_equivalence *equivalence;
    size_t n_equivalence;
    struct ib_findings f;
    enum ib_verdict verdict;
};

/* What of the entry is to be held against what; fills drawn. seed =
 * SHA-256("HASH NONCE"); cells by ascending SHA-256("SEED NAME"). */
IB_CHECK enum ib_status ib_verify_draw(struct ib_verify *v,
                                       struct ib_error *err);
/* Is the data that is here the data of the entry? A finding where not. */
IB_CHECK enum ib_status ib_verify_data(struct ib_verify *v,
                                       struct ib_error *err);
/* Runs and compares. *stopped: SIGINT. */
IB_CHECK enum ib_status ib_verify_run(struct ib_verify *v, bool *stopped,
                                      struct ib_error *err);
void ib_verify_free(struct ib_verify *v);

/* --- parts -----------------------------------------------------------------
 */

/* own: ib_results_make of the session's plan; may lose its keys. */
void ib_verify_results(struct ib_verify *v, cJSON *own);
IB_CHECK enum ib_status ib_verify_pictures(struct ib_verify *v, bool *differ,
                                           struct ib_error *err);
IB_CHECK enum ib_status ib_verify_sheets(struct ib_verify *v,
                                         struct ib_error *err);
/* Scores submitted reconstructions. which: per cell. */
IB_CHECK enum ib_status ib_verify_rescore(struct ib_verify *v,
                                          const bool *which, bool *stopped,
                                          struct ib_error *err);
IB_CHECK enum ib_status ib_verify_equivalence(struct ib_verify *v,
                                              const cJSON *own,
                                              struct ib_error *err);
/* Adds a score node of submitted images to the session's plan, as if they were
 * that cell's; runs such nodes (-1: none). */
IB_CHECK enum ib_status ib_rescore_add(struct ib_verify *v, size_t cell,
                                       const struct ib_npy *a, int *node,
                                       struct ib_error *err);
IB_CHECK enum ib_status ib_rescore_run(struct ib_verify *v, const int *node,
                                       size_t nodes, bool *stopped,
                                       struct ib_error *err);
/* Submitted images as an artifact: spec is the attack's that they stand for;
 * the record says whose they are. */
IB_CHECK enum ib_status ib_recon_import(struct ib_store *store,
                                        const cJSON *spec, const cJSON *record,
                                        const struct ib_npy *a,
                                        char key[IB_KEY_SIZE],
                                        struct ib_error *err);
/* The record of a cell; NULL: none. */
const cJSON *ib_verify_record(const struct ib_verify *v, const cJSON *results,
                              size_t cell);

/* As JSON (schema invbench.verification/1), and in words. */
cJSON *ib_verify_json(const struct ib_verify *v, const char *version);
void ib_verify_text(const struct ib_verify *v, struct ib_text *out);

#endif
