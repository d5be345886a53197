/* What the plots share: quoting, colours, the frame of a script. */
#ifndef INVBENCH_HARNESS_PLOTS_PARTS_H
#define INVBENCH_HARNESS_PLOTS_PARTS_H

#include "plots.h"

enum {
    IB_PLOT_COLORS = 7,
    IB_PLOT_WIDTH = 520, /* of curves, in pixels: two stand side by side */
    IB_PLOT_HEIGHT = 330,
    IB_PLOT_LINE = 18, /* of a legend */
};
extern const char *const ib_plot_colors[IB_PLOT_COLORS];
/* These stand for ink and paper; the report puts the page's own in their
 * place. */
#define IB_PLOT_INK   "#010203"
#define IB_PLOT_PAPER "#fefdfc"

/* A text as a gnuplot string: single-quoted, where nothing is expanded. Cut to
 * width columns. */
void ib_plot_quote(struct ib_text *t, const char *s, int width);
/* A number of a data file; "NaN" where there is none. */
void ib_plot_number(struct ib_text *t, double x);
/* Everything before the plot command; p has its name and size. */
void ib_plot_begin(struct ib_text *t, const struct ib_plot *p);
/* Everything after it. */
void ib_plot_end(struct ib_text *t, const struct ib_plot *p);

/* Fill data and script; false when there is nothing to show. */
bool ib_plot_heat(const struct ib_view *v, struct ib_plot *p,
                  struct ib_text *data, struct ib_text *script);
bool ib_plot_queries(const struct ib_view *v, struct ib_plot *p,
                     struct ib_text *data, struct ib_text *script);
bool ib_plot_tradeoff(const struct ib_view *v, struct ib_plot *p,
                      struct ib_text *data, struct ib_text *script);

#endif
