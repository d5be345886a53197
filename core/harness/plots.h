/* RUN/plots: data files, gnuplot scripts, and the pictures made of them. */
#ifndef INVBENCH_HARNESS_PLOTS_H
#define INVBENCH_HARNESS_PLOTS_H

#include "report_view.h"

enum ib_plot_kind { IB_PLOT_HEAT, IB_PLOT_QUERIES, IB_PLOT_TRADEOFF };

struct ib_plot {
    enum ib_plot_kind kind;
    int model;         /* -1: all of them */
    char name[80];     /* RUN/plots/NAME.dat, .gp, .svg, .png */
    int width, height; /* of the pictures, in pixels */
    int left_out;      /* lines or points that did not fit into the picture */
    bool leakage;      /* shows leakage; false: identification minus control */
};

struct ib_plots {
    struct ib_plot *at;
    size_t n;
    bool drawn;        /* .svg and .png are there */
    char problem[512]; /* why not, for the reader */
};

/* Writes data and scripts, and runs gnuplot once over all. A machine without
 * gnuplot, and a gnuplot that fails, are no error: see drawn. */
IB_CHECK enum ib_status ib_plots_make(const char *dir, const struct ib_view *v,
                                      struct ib_plots *out,
                                      struct ib_error *err);
void ib_plots_free(struct ib_plots *p);

#endif
