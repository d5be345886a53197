/*
 * results.json as reports, plots and the table read it: checked once, then
 * read without fear. All texts belong to the JSON, which must outlive the view.
 */
#ifndef INVBENCH_HARNESS_REPORT_VIEW_H
#define INVBENCH_HARNESS_REPORT_VIEW_H

#include "json.h"

enum { IB_VIEW_NAMES_MAX = 4096 };

/* A number with its interval; NaN where there is none. */
struct ib_estimate {
    double value, low, high;
    const char *reason;  /* why value is null; "" if not said */
    const char *control; /* the control that comes nearest to leaking, or "" */
    double control_value;
};

struct ib_names { /* ids, in the order of the results */
    size_t n;
    const char **at;
};

struct ib_view_row { /* one of summary.rows */
    const cJSON *json;
    int model, defense, attack; /* into the names */
    const char *access, *status, *reason;
    struct ib_estimate leakage;
};

struct ib_line { /* a row of the matrix: an attack at an access level */
    int attack;
    const char *access;
    bool runs;          /* some cell of it is more than skipped */
    const char *reason; /* of the first skipped one; "" otherwise */
};

struct ib_view {
    const cJSON *root, *summary;
    struct ib_names models, defenses, attacks;
    struct ib_view_row *rows;
    size_t n_rows;
    struct ib_line *lines; /* distinct (attack, access) */
    size_t n_lines;
};

/* IB_E_DATA with the JSON path when results is not what this version reads.
 * name stands before the path in messages. */
IB_CHECK enum ib_status ib_view_open(const cJSON *results, const char *name,
                                     struct ib_view *out, struct ib_error *err);
void ib_view_close(struct ib_view *v);

/* Members of an object, of the type asked for; o may be NULL. */
const char *ib_view_text(const cJSON *o, const char *member);   /* or "" */
double ib_view_number(const cJSON *o, const char *member);      /* or NaN */
const cJSON *ib_view_array(const cJSON *o, const char *member); /* or NULL */
const cJSON *ib_view_object(const cJSON *o, const char *member);
struct ib_estimate ib_view_estimate(const cJSON *o); /* {value, low, high} */

/* NULL when there is no such row. */
const struct ib_view_row *ib_view_find(const struct ib_view *v, int model,
                                       int defense, const struct ib_line *l);
bool ib_view_is(const struct ib_view_row *r, const char *status);
/* A column of a row: its estimate and the best control's value. */
struct ib_estimate ib_view_column(const struct ib_view_row *r,
                                  const char *column);
/* The evaluator that leakage is of; where there is no leakage, the one whose
 * acc1 is the lowest among those that count (all, when none counts): its
 * object, and its id in *id; NULL: none. */
const cJSON *ib_view_evaluator(const struct ib_view_row *r, const char **id);
/* column minus its best control; the interval moves along. */
struct ib_estimate ib_view_margin(const struct ib_view_row *r,
                                  const char *column);
/* summary.utility of a model behind a defense, or NULL. */
const cJSON *ib_view_utility(const struct ib_view *v, int model, int defense);
/* True when some row of the model (-1: of any) has a leakage. */
bool ib_view_calibrated(const struct ib_view *v, int model);
/* The defense without a stack, else the first. */
int ib_view_undefended(const struct ib_view *v);
/* Mean queries of all kinds an identity; NaN when not known. asked: of the
 * "queries" of a row or cell. */
double ib_view_asked(const cJSON *queries);
double ib_view_queries(const struct ib_view_row *r);

/* "0.43", "-0.10", "n/a". */
enum { IB_NUMBER_SIZE = 32 };
const char *ib_view_format(char out[IB_NUMBER_SIZE], double x);
/* "12", "9.8k", "1.2M": counts. */
const char *ib_view_count(char out[IB_NUMBER_SIZE], double x);

#endif
