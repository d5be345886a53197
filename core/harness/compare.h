/*
 * Comparing two runs: what got worse, by how much, and how sure is it.
 *
 * Cells are paired by their coordinates (model, defense slot, attack, access,
 * budget, seed), their scores by the identity's name. A defense slot is the
 * defense's id, else its place in the suite: what it holds may differ, that is
 * what is compared. Only results.json is read.
 */
#ifndef INVBENCH_HARNESS_COMPARE_H
#define INVBENCH_HARNESS_COMPARE_H

#include "console.h"
#include "inference.h"
#include "json_put.h"
#include "report_view.h"

enum { IB_COMPARE_SEEDS = 64, IB_METRIC_MAX = 2 * IB_NAME_MAX };

#define IB_GATE_LEVEL  0.99 /* of the one-sided bound that fails a rule */
#define IB_CLAIM_LEVEL 0.95 /* of the bound that shows non-inferiority */
#define IB_GATE_POWER  0.8

enum ib_side { IB_BASE, IB_NEW };
extern const char *const ib_side_names[]; /* "BASE", "NEW" */

/* METRIC:+0.02 or METRIC:-1pp: the sign says which way is worse. */
struct ib_rule {
    const char *text;
    char metric[IB_METRIC_MAX];
    double threshold; /* >= 0 */
    int worse;        /* +1: a rise, -1: a fall */
    bool noninferior; /* must show a worsening below the threshold */
};
IB_CHECK enum ib_status ib_rule_parse(const char *text, bool noninferior,
                                      struct ib_rule *out,
                                      struct ib_error *err);

/* What is measured once for... */
enum ib_scope {
    IB_SCOPE_ROW,     /* model, defense, attack, access */
    IB_SCOPE_TRACK,   /* model, defense, access: the headline */
    IB_SCOPE_UTILITY, /* model, defense */
};

/* One line of the table: NEW - BASE of a metric. */
struct ib_comparison {
    char metric[IB_METRIC_MAX];
    enum ib_scope scope;
    const char *model, *defense;  /* ids of BASE */
    const char *defense_new;      /* where its id is another */
    const char *attack, *access;  /* NULL where the scope has none */
    double base, fresh;           /* over what both have */
    struct ib_interval d;         /* reason: why it has no se */
    double p, p_holm, p_permuted; /* NaN: none */
    int worse;                    /* 0: neither way */
    int pairs, identities, seeds;
    int missing;              /* cells that one run should have had */
    char reason[IB_TEXT_MAX]; /* why it cannot be judged; "": it can */
    bool planned;             /* false: neither run has it by design */
};

enum ib_verdict { IB_PASS, IB_FAIL, IB_UNDECIDED };
extern const char *const ib_verdict_words[];

/* A rule held against a line. */
struct ib_judgement {
    size_t rule, line;
    enum ib_verdict verdict;
    double worsening, bound; /* bound: low of a rule, high of a claim */
    double noise;            /* least worsening that is told from none */
    double detectable;       /* seen with IB_GATE_POWER */
    char text[2 * IB_TEXT_MAX];
};

enum ib_outcome {
    IB_OUTCOME_OK,
    IB_OUTCOME_REGRESSION,
    IB_OUTCOME_NOTHING,
    IB_OUTCOME_INCOMPATIBLE
};
extern const char *const ib_outcome_words[];

struct ib_compare_side {
    cJSON *root;
    struct ib_view view;
    const cJSON **by_place, **by_name; /* cells, sorted */
    size_t n_cells;
};
struct ib_compare {
    struct ib_compare_side side[2];
    const struct ib_rule *rules;
    size_t n_rules;
    int seeds; /* that both have */
    double seed[IB_COMPARE_SEEDS];
    int *defense_new;    /* of each defense of BASE; -1: none */
    const char **people; /* sorted names of both runs */
    size_t n_people;
    struct ib_comparison *lines;
    size_t n_lines;
    struct ib_judgement *judgements;
    size_t n_judgements;
    /* Texts for the reader. */
    cJSON *incompatible, *changed, *warnings, *unpaired;
    enum ib_outcome outcome;
};

/* Reads both runs (directories or files) and compares. rules must outlive it.
 * Incompatible runs are an outcome, not an error. */
IB_CHECK enum ib_status ib_compare_make(const char *base, const char *fresh,
                                        const struct ib_rule *rules,
                                        size_t n_rules, struct ib_compare *out,
                                        struct ib_error *err);
void ib_compare_free(struct ib_compare *c);

/* "softmax/none/mi-face/gradients" */
void ib_line_name(const struct ib_comparison *l, char *out, size_t n);

/* Reports. width 0: Markdown. */
IB_CHECK enum ib_status ib_compare_text(const struct ib_compare *c, int width,
                                        bool color, struct ib_text *out,
                                        struct ib_error *err);
/* NULL: no memory. results/comparison.schema.json is the format. */
cJSON *ib_compare_json(const struct ib_compare *c);
void ib_compare_junit(const struct ib_compare *c, struct ib_text *out);
/* Commands of GitHub's workflows, one line each. */
void ib_compare_annotations(const struct ib_compare *c, struct ib_text *out);

#endif
