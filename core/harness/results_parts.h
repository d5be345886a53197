/* What the files of results share: everything a run scored, gathered. */
#ifndef INVBENCH_HARNESS_RESULTS_PARTS_H
#define INVBENCH_HARNESS_RESULTS_PARTS_H

#include "data_io.h"
#include "json_put.h"
#include "leakage.h"
#include "results.h"

enum { IB_RESULTS_SEEDS = 64 };

/* One scored cell or control. */
struct ib_scored {
    const char *status; /* of the schema; never NULL */
    const char *reason; /* NULL: none */
    cJSON *scores;      /* meta "scores" (score.h); NULL unless ok */
    cJSON *recon;       /* meta "recon" (recon_io.h); NULL unless ok */
};

struct ib_gather {
    const struct ib_plan *plan;
    const struct ib_stage_env *env;
    int seeds, classes; /* classes 0: the data did not come about */
    char data[IB_RESULTS_SEEDS][IB_KEY_SIZE]; /* manifest; "": no data */
    cJSON *names[IB_RESULTS_SEEDS]; /* of identities, by seed; NULL: unknown */
    int people;                     /* different names under all seeds */
    int *person;    /* [seed * classes + class]: who it is, < people; a class
                       number may stand for others under another seed */
    cJSON *dataset; /* results "dataset" */
    struct ib_scored *cell, *control;
    cJSON *columns;     /* results "columns": the union over all scores */
    cJSON *set_columns; /* the same of scores of sets */
};
IB_CHECK enum ib_status ib_gather_all(const struct ib_plan *plan,
                                      const struct ib_stage_env *env,
                                      struct ib_gather *out,
                                      struct ib_error *err);
/* Only what cell needs, for its record. */
IB_CHECK enum ib_status ib_gather_cell(const struct ib_plan *plan, size_t cell,
                                       const struct ib_stage_env *env,
                                       struct ib_gather *out,
                                       struct ib_error *err);
void ib_gather_free(struct ib_gather *g);
/* Fills person and people from names. */
IB_CHECK enum ib_status ib_gather_people(struct ib_gather *g,
                                         struct ib_error *err);

bool ib_node_is_there(const struct ib_plan *p, int node);
/* Status and reason of what needs these nodes (-1: none). */
struct ib_scored ib_nodes_status(const struct ib_plan *p, int first,
                                 int second);

/* Members of results; NULL: no memory. */
cJSON *ib_results_cell(const struct ib_gather *g, size_t cell);
cJSON *ib_results_control(const struct ib_gather *g, size_t control);
cJSON *ib_results_header(const struct ib_gather *g, struct ib_error *err);
cJSON *ib_results_utility(const struct ib_gather *g, struct ib_error *err);
cJSON *ib_results_evaluators_utility(const struct ib_gather *g,
                                     struct ib_error *err);
/* Of priors that learn, by seed. */
/* A list with what put makes of rows 0..n-1: it adds to `all`. NULL with err
 * set where that failed. */
typedef enum ib_status (*ib_results_put)(bool *ok, const struct ib_gather *g,
                                         size_t i, cJSON *all,
                                         struct ib_error *err);
cJSON *ib_results_list(const struct ib_gather *g, size_t n, ib_results_put put,
                       struct ib_error *err);
cJSON *ib_results_priors(const struct ib_gather *g, struct ib_error *err);
/* Of targets whose members were asked after. */
cJSON *ib_results_membership(const struct ib_gather *g, struct ib_error *err);
cJSON *ib_results_provenance(const struct ib_plan *p);
/* Mean per identity of each kind of query; null without recon. */
cJSON *ib_results_queries(const cJSON *recon);
/* RUN-relative path of a cell's reconstructions. */
void ib_results_npy_name(const struct ib_plan *p, const struct ib_cell *c,
                         char *out, size_t n);
/* "mi-face/..." of one row: MODEL/DEFENSE/ATTACK/ACCESS. */
void ib_row_name(const struct ib_plan *p, const struct ib_cell *c, char *out,
                 size_t n);

/* The summary needs what is already assembled (utility of both kinds). */
IB_CHECK enum ib_status ib_results_summary(const struct ib_gather *g,
                                           const cJSON *results, cJSON **out,
                                           struct ib_error *err);

/* One row of the summary: the cells of all seeds. */
struct ib_row {
    const struct ib_cell *first; /* of any seed: model, defense, ... */
    const struct ib_cell *cell[IB_RESULTS_SEEDS]; /* NULL: not planned */
    const struct ib_scored *scored[IB_RESULTS_SEEDS];
};
struct ib_summary {
    const struct ib_gather *g;
    const cJSON *results;
    struct ib_row *rows;
    size_t n_rows;
    struct ib_leakage *leakage; /* per row */
};
/* Panel of one column over a row's seeds; v NULL: no memory. */
struct ib_panel ib_row_panel(const struct ib_gather *g,
                             const struct ib_scored *const *by_seed,
                             const char *column);
/* The scored control of each seed: by_seed[IB_RESULTS_SEEDS]. */
void ib_control_row(const struct ib_gather *g, int model, const char *name,
                    const struct ib_scored **by_seed);
/* Ids of the evaluators that judged any of these; at most max. */
int ib_row_evaluators(const struct ib_gather *g,
                      const struct ib_scored *const *by_seed, const char **id,
                      int max);
/* Everything but q of a model's evaluators. id: n of them. */
IB_CHECK enum ib_status ib_calibration(const struct ib_summary *s, int model,
                                       const char *const *id, int n,
                                       struct ib_leakage_task *out,
                                       struct ib_error *err);
void ib_leakage_task_free(struct ib_leakage_task *t);
/* Floors and ceilings for a Q that is the best of n candidates: the best, for
 * each identity, of as many controls (at most IB_FLOORS; there are no more),
 * and of as many held-out images. */
IB_CHECK enum ib_status ib_maximise_controls(const struct ib_summary *s, int n,
                                             struct ib_leakage_task *t,
                                             struct ib_error *err);
/* A whole task for one row. */
IB_CHECK enum ib_status ib_row_task(const struct ib_summary *s,
                                    const struct ib_row *row,
                                    struct ib_leakage_task *out,
                                    struct ib_error *err);
bool ib_undefended(const struct ib_suite *s, int defense);
/* Mean over seeds of results.utility[].what for a model behind a defense. */
double ib_mean_utility(const struct ib_summary *s, int model, int defense,
                       const char *what);
void ib_put_leakage(bool *ok, cJSON *o, const char *name,
                    const struct ib_interval *i, const char *reason,
                    const char *evaluator);
cJSON *ib_put_estimate(bool *ok, cJSON *o, const char *name,
                       const struct ib_interval *i);
const cJSON *ib_column_named(const struct ib_gather *g, const char *name);

/* results_set.c: "set_scores" of a cell or control; of a row's or control's
 * seeds, with the floor that comes nearest. Nothing without such scores. */
void ib_results_put_set(bool *ok, const struct ib_scored *x, cJSON *o);
void ib_summary_put_set(bool *ok, const struct ib_gather *g, int model,
                        const struct ib_scored *const *by_seed, bool controls,
                        cJSON *o);
/* "min" or "max" of a column; `open` where it has none. */
double ib_column_bound(const cJSON *column, const char *name, double open);

IB_CHECK enum ib_status ib_summary_row(const struct ib_summary *s, size_t row,
                                       cJSON *rows, struct ib_error *err);
IB_CHECK enum ib_status ib_summary_headline(const struct ib_summary *s,
                                            cJSON *out, struct ib_error *err);
/* "matched", and "dominated_by" of the headlines; needs both headline and
 * utility. */
IB_CHECK enum ib_status ib_summary_matched(const struct ib_summary *s,
                                           cJSON *summary,
                                           struct ib_error *err);
IB_CHECK enum ib_status ib_summary_controls(const struct ib_summary *s,
                                            cJSON *out, struct ib_error *err);
cJSON *ib_summary_flags(const struct ib_summary *s, size_t row);

#endif
