/* RUN/images/, RUN/plots/, RUN/report.html, and the table on the terminal. */
#ifndef INVBENCH_HARNESS_REPORT_H
#define INVBENCH_HARNESS_REPORT_H

#include "console.h"
#include "plan.h"

/* Contact sheets need the data and the reconstructions: made by `run`. */
IB_CHECK enum ib_status ib_report_sheets(const struct ib_plan *plan,
                                         const struct ib_stage_env *env,
                                         const char *dir, struct ib_error *err);
/* Plots and report.html from dir/results.json and dir/images/ alone. */
IB_CHECK enum ib_status ib_report_make(const char *dir, struct ib_error *err);
/* The result table, lined up, for a terminal of the console's width. */
IB_CHECK enum ib_status ib_report_table(const cJSON *results,
                                        const struct ib_console *console,
                                        struct ib_error *err);
/* The same, all columns, as Markdown. */
IB_CHECK enum ib_status ib_report_markdown(const cJSON *results,
                                           struct ib_text *out,
                                           struct ib_error *err);

/* 8-bit PNG, grey or RGB, from planar pixels. */
IB_CHECK enum ib_status ib_png_write(const char *path, struct ib_shape shape,
                                     const uint8_t *pixels,
                                     struct ib_error *err);

/* A contact sheet: a grid of images with row and column captions. */
struct ib_sheet;
IB_CHECK enum ib_status ib_sheet_create(struct ib_sheet **out, int rows,
                                        int columns, struct ib_shape cell,
                                        struct ib_error *err);
void ib_sheet_caption_row(struct ib_sheet *s, int row, const char *text);
void ib_sheet_caption_column(struct ib_sheet *s, int column, const char *text);
/* A text below the grid, as long as it needs to be. */
void ib_sheet_legend(struct ib_sheet *s, const char *text);
void ib_sheet_place(struct ib_sheet *s, int row, int column,
                    struct ib_shape shape, const uint8_t *pixels);
IB_CHECK enum ib_status ib_sheet_write(const struct ib_sheet *s,
                                       const char *path, struct ib_error *err);
void ib_sheet_free(struct ib_sheet *s);

#endif
