/*
 * Options tables. One table drives JSON parsing, defaults, range errors,
 * `describe`, generated docs, shell completion and the echo of effective
 * values into results. A plugin reads a typed struct that is already valid.
 *
 *   struct round_options { double step; };
 *   static const struct ib_option options[] = {
 *       {.name = "step", .type = IB_REAL, .value = "0.01", .min = 1e-9,
 *        .max = 1, .offset = offsetof(struct round_options, step),
 *        .help = "scores are rounded to multiples of this"},
 *       {0},
 *   };
 *
 * Field types: IB_INT int64_t, IB_REAL double, IB_BOOL bool, IB_CHOICE int
 * (index into choices), IB_TEXT char[IB_TEXT_MAX], IB_INTS struct ib_ints.
 */
#ifndef INVBENCH_OPTIONS_H
#define INVBENCH_OPTIONS_H

#include <invbench/base.h>

enum ib_option_type {
    IB_INT = 1,
    IB_REAL,
    IB_BOOL,
    IB_CHOICE,
    IB_TEXT,
    IB_INTS,
};

enum { IB_INTS_MAX = 16 };

struct ib_ints {
    int n;
    int64_t v[IB_INTS_MAX];
};

struct ib_choice {
    const char *name; /* NULL ends the list */
    const char *help;
};

struct ib_option {
    const char *name; /* NULL ends the table; lower case, '_' between words */
    enum ib_option_type type;
    size_t offset;     /* of the field in the plugin's options struct */
    const char *value; /* default as text, goes through the same checks */
    double min, max;   /* IB_INT, IB_REAL, and each item of IB_INTS */
    const struct ib_choice *choices; /* IB_CHOICE */
    const char *unit;                /* NULL: a plain number */
    const char *help;                /* one clause, lower case, no full stop */
};

#endif
