/*
 * What the pages of the site share. An entry's results are read, its own pages
 * written, and what the boards need of it kept, before the next one is read:
 * a few hundred bytes a row.
 *
 * A board is what may be compared: one model on one data set, with the same
 * attacks, evaluators, seeds, budget and metrics. Its rows are defenses.
 */
#ifndef INVBENCH_HARNESS_SITE_PARTS_H
#define INVBENCH_HARNESS_SITE_PARTS_H

#include <limits.h>

#include "chart.h"
#include "report_view.h"
#include "site.h"

enum {
    IB_SITE_TRACKS = 4,
    IB_SITE_ATTACKS = 32, /* of one row */
    IB_SITE_POINTS = 32,  /* of a curve */
};
extern const char *const ib_site_tracks[IB_SITE_TRACKS]; /* access levels */
extern const char *const ib_site_track_words[IB_SITE_TRACKS];

struct ib_site_attack { /* one attack of a row */
    const char *id;
    struct ib_estimate leakage;
    int points; /* of quality against queries, seeds averaged */
    double *queries, *quality;
};
struct ib_site_row { /* a defense, in one track */
    int entry, board, track;
    const char *defense;
    struct ib_estimate leakage, best, mean, accuracy;
    struct ib_estimate challenge; /* a stronger one's leakage; or NaN */
    double queries; /* most that an attack used, mean per identity */
    int missing, seeds;
    const char *flags; /* "few-seeds, utility-drop" */
    bool bare, frontier;
    int n_attacks;
    struct ib_site_attack *attack;
};
struct ib_site_board {
    char key[IB_KEY_SIZE];
    const char *model, *data, *suite; /* words for people */
    const char *attack[IB_SITE_ATTACKS];
    int n_attacks;
};
struct ib_site_entry {
    const char *name, *title, *by, *suite, *data, *numerics, *hash;
    const char *verified; /* words; "": nobody has recorded it */
    int rows;
};
struct ib_site {
    const char *results, *out;
    struct ib_scratch *pool; /* of all texts and lists below */
    struct ib_site_entry *entries;
    size_t n_entries;
    struct ib_site_row *rows;
    size_t n_rows;
    struct ib_site_board *boards;
    size_t n_boards;
    cJSON *outcomes; /* of challenges */
    size_t unheard;  /* challenges that are not shown */
    struct ib_findings *f;
};

/* An entry that is open: its results and view live until the next one. */
struct ib_site_open {
    char dir[PATH_MAX];
    const char *name;
    char hash[IB_KEY_SIZE];
    cJSON *manifest, *results, *suite, *index, *verified;
    struct ib_view view;
};
/* *there: false with a finding where it cannot be shown. */
IB_CHECK enum ib_status ib_site_entry_open(struct ib_site *s, const char *name,
                                           struct ib_site_open *e, bool *there,
                                           struct ib_error *err);
void ib_site_entry_close(struct ib_site_open *e);
/* Adds its rows and boards. */
IB_CHECK enum ib_status ib_site_collect(struct ib_site *s,
                                        const struct ib_site_open *e,
                                        struct ib_error *err);
/* Points of an attack's curve, in the pool; false: no memory. */
bool ib_site_curve_of(const struct ib_site *s, const struct ib_site_open *e,
                      const struct ib_view_row *row, struct ib_site_attack *a);
/* Which rows of each board and track no other dominates. */
void ib_site_rank(struct ib_site *s);

IB_CHECK enum ib_status ib_site_challenges_read(struct ib_site *s,
                                                struct ib_error *err);
/* Names challenges to entries that are not among those read. */
void ib_site_challenges_unheard(struct ib_site *s);
/* The highest leakage of a challenge to this headline that was found to be
 * stronger; NaN: none was. */
struct ib_estimate ib_site_challenged(const struct ib_site *s,
                                      const struct ib_site_open *e,
                                      const cJSON *headline);
bool ib_site_has_challenges(const struct ib_site *s,
                            const struct ib_site_open *e);
/* A section of the entry's page; nothing where there are none. */
void ib_site_challenges(const struct ib_site *s, const struct ib_site_open *e,
                        struct ib_text *t);

/* What the row is ranked by: the most that anybody has shown to leak. */
const struct ib_estimate *ib_site_most(const struct ib_site_row *r);
/* One finding for all that keeps something from being shown. */
void ib_site_refuse(struct ib_site *s, const char *name,
                    const struct ib_findings *f);
/* A copy in the pool; NULL: no memory. */
const char *ib_site_text(struct ib_site *s, const char *text);

/* Pages. level: how many directories below the site's root. */
void ib_site_head(struct ib_text *t, const char *title, int level, int track);
void ib_site_foot(struct ib_text *t, bool script);
IB_CHECK enum ib_status ib_site_write(const struct ib_site *s, const char *name,
                                      const struct ib_text *t,
                                      struct ib_error *err);
IB_CHECK enum ib_status ib_site_copy(const struct ib_site *s, const char *from,
                                     const char *name, struct ib_error *err);
IB_CHECK enum ib_status ib_site_dir(const struct ib_site *s, const char *name,
                                    struct ib_error *err);
IB_CHECK enum ib_status ib_site_index(const struct ib_site *s,
                                      struct ib_error *err);
IB_CHECK enum ib_status ib_site_track(const struct ib_site *s, int track,
                                      struct ib_error *err);
IB_CHECK enum ib_status ib_site_entry_page(struct ib_site *s,
                                           const struct ib_site_open *e,
                                           struct ib_error *err);
/* leaderboard.csv and leaderboard.json */
IB_CHECK enum ib_status ib_site_data(const struct ib_site *s,
                                     struct ib_error *err);
/* The entry's own files and table. */
IB_CHECK enum ib_status ib_site_entry_data(const struct ib_site *s,
                                           const struct ib_site_open *e,
                                           struct ib_error *err);
/* "[0.05, 0.47]" after a space; nothing where there is none. */
void ib_site_interval(struct ib_text *t, const struct ib_estimate *e);
void ib_site_plots(const struct ib_site *s, int board, int track,
                   struct ib_text *t);
/* Quality against queries of one entry's model. */
struct ib_site_curve {
    const char *attack, *defense;
    int points;
    const double *queries, *quality;
    bool defended;
};
void ib_site_curves(struct ib_text *t, const char *title,
                    const struct ib_site_curve *curve, int n, int left_out);
extern const char ib_site_style[], ib_site_script[];

#endif
