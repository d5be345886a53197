/* Small charts as inline SVG, for pages that are many: no gnuplot. Colours and
 * widths are the page's stylesheet's (classes), so that dark pages work. */
#ifndef INVBENCH_HARNESS_CHART_H
#define INVBENCH_HARNESS_CHART_H

#include "html.h"

enum { IB_CHART_WIDTH = 560, IB_CHART_HEIGHT = 340 };

struct ib_chart {
    const char *title, *summary; /* read aloud */
    const char *x_label, *y_label;
    double x0, x1, y0, y1; /* what the axes show; x1 > x0, y1 > y0 */
    bool log_x, percent_x;
};

void ib_chart_begin(struct ib_text *t, const struct ib_chart *c);
void ib_chart_end(struct ib_text *t);
/* A line where `y` is. */
void ib_chart_rule(struct ib_text *t, const struct ib_chart *c, double y);
void ib_chart_line(struct ib_text *t, const struct ib_chart *c,
                   const char *class, size_t n, const double *x,
                   const double *y);
/* A mark that shows `label` when pointed at. square: else a disc. */
struct ib_mark {
    double x, y;
    const char *class, *label;
    bool square;
};
void ib_chart_mark(struct ib_text *t, const struct ib_chart *c,
                   const struct ib_mark *m);
/* Words beside a place. */
void ib_chart_words(struct ib_text *t, const struct ib_chart *c, double x,
                    double y, const char *words);
/* Where a place is, in the chart's units. */
double ib_chart_x(const struct ib_chart *c, double x);
double ib_chart_y(const struct ib_chart *c, double y);
/* Widens the range so that marks do not touch the frame. */
void ib_chart_pad(double *low, double *high);

#endif
