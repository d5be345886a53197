/* Tables of text that line up: for a terminal, or as Markdown. */
#ifndef INVBENCH_HARNESS_TABLE_H
#define INVBENCH_HARNESS_TABLE_H

#include "text.h"

enum { IB_TABLE_COLUMNS_MAX = 16 };

enum ib_tint { IB_PLAIN, IB_BOLD, IB_RED, IB_YELLOW, IB_GREEN, IB_DIM };

struct ib_table_column {
    const char *title;
    bool right;  /* aligned on the right */
    int shrinks; /* may be cut to this width (0: never) */
};

struct ib_table;
/* columns is copied; titles must outlive the table. NULL: no memory. */
IB_CHECK struct ib_table *ib_table_create(const struct ib_table_column *columns,
                                          int n);
void ib_table_free(struct ib_table *t);
/* Cells are added from left to right, row after row. Control characters are
 * never shown. */
void ib_table_add(struct ib_table *t, enum ib_tint tint, const char *format,
                  ...) IB_PRINTF(3, 4);
/* At most width columns wide: names are cut first, then columns are left out
 * from the right. Returns how many were left out. color: escape sequences. */
int ib_table_text(const struct ib_table *t, int width, bool color,
                  struct ib_text *out);
void ib_table_markdown(const struct ib_table *t, struct ib_text *out);
/* IB_E_NOMEM when something that was added got lost. */
IB_CHECK enum ib_status ib_table_status(const struct ib_table *t,
                                        struct ib_error *err);

#endif
