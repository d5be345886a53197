/* The parts of report.html, from top to bottom. */
#ifndef INVBENCH_HARNESS_REPORT_PAGE_H
#define INVBENCH_HARNESS_REPORT_PAGE_H

#include "html.h"
#include "plots.h"

struct ib_page {
    const struct ib_view *v;
    const struct ib_plots *plots;
    const char *dir;
    struct ib_text *t; /* the page so far */
};

void ib_page_tested(const struct ib_page *p);   /* what was tested */
void ib_page_headline(const struct ib_page *p); /* one card a model */
void ib_page_matrix(const struct ib_page *p);   /* attack x defense */
void ib_page_controls(const struct ib_page *p); /* floors and ceilings */
IB_CHECK enum ib_status ib_page_plots(const struct ib_page *p,
                                      struct ib_error *err);
IB_CHECK enum ib_status ib_page_sheets(const struct ib_page *p,
                                       struct ib_error *err);
/* How one sheet is put on a page. */
struct ib_page_sheet {
    void (*put)(void *ctx, const struct ib_page *p, const cJSON *sheet);
    void *ctx;
};
/* Of each model the sheet of the attack that leaks most; then all others,
 * folded away. */
void ib_page_sheet_groups(const struct ib_page *p, const cJSON *sheets,
                          const struct ib_page_sheet *add);
void ib_page_matched(const struct ib_page *p);    /* at equal accuracy */
void ib_page_flags(const struct ib_page *p);      /* flags and missing cells */
void ib_page_utility(const struct ib_page *p);    /* what defenses cost */
void ib_page_priors(const struct ib_page *p);     /* where some learn */
void ib_page_set(const struct ib_page *p);        /* where scores are of sets */
void ib_page_membership(const struct ib_page *p); /* where it was asked for */
IB_CHECK enum ib_status ib_page_exposure(const struct ib_page *p,
                                         struct ib_error *err);
IB_CHECK enum ib_status ib_page_details(const struct ib_page *p,
                                        struct ib_error *err);

/* "[0.43, 0.83]"; nothing where there is no interval. */
void ib_page_interval(struct ib_text *t, const struct ib_estimate *e);
/* A number, or a grey "n/a". */
void ib_page_number(struct ib_text *t, double x);
/* A leakage and its interval in words; "" where there is nothing to say. */
const char *ib_page_verdict(const struct ib_estimate *e);
/* The frame of a table that scrolls by itself on a narrow screen; label is
 * read aloud, caption stands above it. */
void ib_page_table(struct ib_text *t, const char *label, const char *caption);
void ib_page_table_end(struct ib_text *t);

#endif
