/* The frame of a page, and the charts that pages share. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report_style.h"
#include "site_parts.h"

enum { LABELS = 8, COLOURS = 6 };

static const char *up(int level)
{
    return level ? "../" : "";
}

void ib_site_head(struct ib_text *t, const char *title, int level, int track)
{
    ib_html_add(t,
                "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>"
                "\n<meta name=viewport content=\"width=device-width, "
                "initial-scale=1\">\n<title>%s: invbench leaderboard</title>\n"
                "<style>\n",
                title);
    ib_text_put(t, ib_report_style, strlen(ib_report_style));
    ib_text_put(t, ib_site_style, strlen(ib_site_style));
    ib_html_add(t,
                "</style>\n</head>\n<body>\n<a class=skip href=\"#main\">Skip "
                "to the content</a>\n<header class=site>"
                "<a class=brand href=\"%sindex.html\">invbench "
                "leaderboard</a>\n<nav aria-label=Tracks><ul>\n",
                up(level));
    for (int i = 0; i < IB_SITE_TRACKS; i++) {
        ib_html_add(t, "<li><a href=\"%s%s.html\"", up(level),
                    ib_site_tracks[i]);
        ib_html_add(t,
                    i == track ? " aria-current=page>%s</a></li>\n"
                               : ">%s</a></li>\n",
                    ib_site_tracks[i]);
    }
    ib_text_add(t, "</ul></nav></header>\n<main id=main>\n");
}

void ib_site_foot(struct ib_text *t, bool script)
{
    ib_text_add(t, "</main>\n<footer><p>Made by invbench from the entries "
                   "alone. These pages need no server and no network.</p>"
                   "</footer>\n");
    if (script) {
        ib_text_add(t, "<script>\n");
        ib_text_put(t, ib_site_script, strlen(ib_site_script));
        ib_text_add(t, "</script>\n");
    }
    ib_text_add(t, "</body>\n</html>\n");
}

void ib_site_interval(struct ib_text *t, const struct ib_estimate *e)
{
    char a[IB_NUMBER_SIZE], b[IB_NUMBER_SIZE];

    if (!isnan(e->low) && !isnan(e->high))
        ib_text_add(t, " <small>[%s, %s]</small>", ib_view_format(a, e->low),
                    ib_view_format(b, e->high));
}

/* --- privacy against utility
 * -------------------------------------------------- */

static bool is_point(const struct ib_site_row *r, int board, int track)
{
    return r->board == board && r->track == track &&
           !isnan(r->accuracy.value) && !isnan(ib_site_most(r)->value);
}

static size_t extent(const struct ib_site *s, int board, int track,
                     struct ib_chart *c)
{
    size_t n = 0;

    c->x0 = c->y0 = INFINITY;
    c->x1 = c->y1 = -INFINITY;
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_site_row *r = &s->rows[i];
        if (!is_point(r, board, track))
            continue;
        c->x0 = fmin(c->x0, r->accuracy.value);
        c->x1 = fmax(c->x1, r->accuracy.value);
        c->y0 = fmin(c->y0, ib_site_most(r)->value);
        c->y1 = fmax(c->y1, ib_site_most(r)->value);
        n++;
    }
    c->y0 = fmin(c->y0, 0);
    c->y1 = fmax(c->y1, 1);
    /* At least 5 points, so that noise does not look like a difference. */
    double widen = fmax(0.05 - (c->x1 - c->x0), 0) / 2;
    c->x1 = fmin(c->x1 + widen, fmax(1, c->x1));
    c->x0 = fmin(c->x0 - widen, c->x1 - 0.05);
    ib_chart_pad(&c->x0, &c->x1);
    ib_chart_pad(&c->y0, &c->y1);
    return n;
}

static void add_mark(const struct ib_site *s, const struct ib_chart *c,
                     const struct ib_site_row *r, struct ib_text *t)
{
    char label[512];

    snprintf(label, sizeof label,
             "%.100s (%.80s): accuracy %.1f %%, leakage %.2f", r->defense,
             s->entries[r->entry].name, 100 * r->accuracy.value,
             ib_site_most(r)->value);
    ib_chart_mark(t, c,
                  &(struct ib_mark){.x = r->accuracy.value,
                                    .y = ib_site_most(r)->value,
                                    .class = r->bare       ? "bare"
                                             : r->frontier ? "front"
                                                           : "rest",
                                    .label = label,
                                    .square = r->bare});
}

/* The next point of the frontier to the right of x. */
static const struct ib_site_row *next_front(const struct ib_site *s, int board,
                                            int track, double x, double y)
{
    const struct ib_site_row *best = NULL;

    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_site_row *r = &s->rows[i];
        if (!is_point(r, board, track) || !r->frontier ||
            r->accuracy.value < x ||
            (r->accuracy.value == x && ib_site_most(r)->value <= y))
            continue;
        if (!best || r->accuracy.value < best->accuracy.value)
            best = r;
    }
    return best;
}

/* Steps along the frontier, and words at points that stand far enough apart. */
static void add_front(const struct ib_site *s, int board, int track,
                      const struct ib_chart *c, struct ib_text *t)
{
    const struct ib_site_row *r = next_front(s, board, track, -INFINITY, 0);
    double last_x = -INFINITY, last_y = 0, wx = -INFINITY, wy = 0;
    int labels = 0;

    for (; r; r = next_front(s, board, track, last_x, last_y)) {
        double x = r->accuracy.value, y = ib_site_most(r)->value;
        if (last_x > -INFINITY)
            ib_chart_line(t, c, "step", 3, (double[]){last_x, x, x},
                          (double[]){last_y, last_y, y});
        last_x = x;
        last_y = y;
        bool apart = fabs(ib_chart_x(c, x) - ib_chart_x(c, wx)) > 110 ||
                     fabs(ib_chart_y(c, y) - ib_chart_y(c, wy)) > 15;
        if (labels == LABELS || (wx > -INFINITY && !apart))
            continue;
        ib_chart_words(t, c, x, y, r->defense);
        wx = x;
        wy = y;
        labels++;
    }
}

static void add_tradeoff(const struct ib_site *s, int board, int track,
                         struct ib_text *t)
{
    char summary[256];
    struct ib_chart c = {.title = "Leakage against accuracy",
                         .summary = summary,
                         .x_label = "accuracy on held-out images",
                         .y_label = "leakage",
                         .percent_x = true};
    size_t n = extent(s, board, track, &c);

    if (n == 0) {
        ib_text_add(t, "<p class=note>No row has both a leakage and an "
                       "accuracy, so there is nothing to draw.</p>\n");
        return;
    }
    snprintf(summary, sizeof summary,
             "%zu defenses; the same numbers stand in the table. Down and to "
             "the right is better.",
             n);
    ib_chart_begin(t, &c);
    ib_chart_rule(t, &c, 0);
    ib_chart_rule(t, &c, 1);
    for (size_t i = 0; i < s->n_rows; i++)
        if (is_point(&s->rows[i], board, track) && !s->rows[i].frontier &&
            !s->rows[i].bare)
            add_mark(s, &c, &s->rows[i], t);
    add_front(s, board, track, &c, t);
    for (size_t i = 0; i < s->n_rows; i++)
        if (is_point(&s->rows[i], board, track) &&
            (s->rows[i].frontier || s->rows[i].bare))
            add_mark(s, &c, &s->rows[i], t);
    ib_chart_end(t);
    ib_text_add(t,
                "<ul class=legend aria-hidden=true>"
                "<li><svg viewBox=\"0 0 36 12\"><circle class=front cx=18 cy=6 "
                "r=4.5 /></svg>not dominated: nothing else here is at least as "
                "accurate and leaks less</li>"
                "<li><svg viewBox=\"0 0 36 12\"><circle class=rest cx=18 cy=6 "
                "r=4.5 /></svg>dominated</li>"
                "<li><svg viewBox=\"0 0 36 12\"><rect class=bare x=13.5 y=1.5 "
                "width=9 height=9 /></svg>undefended</li></ul>\n");
}

/* --- quality against queries
 * -------------------------------------------------- */

void ib_site_curves(struct ib_text *t, const char *title,
                    const struct ib_site_curve *curve, int n, int left_out)
{
    struct ib_chart c = {.title = title,
                         .summary = "Share of identities that the strictest "
                                    "evaluator recognises, after so many "
                                    "queries.",
                         .x_label = "queries an identity",
                         .y_label = "recognised by every evaluator",
                         .x0 = INFINITY,
                         .x1 = 0,
                         .y0 = 0,
                         .y1 = 1,
                         .log_x = true};

    for (int i = 0; i < n; i++)
        for (int k = 0; k < curve[i].points; k++) {
            c.x0 = fmin(c.x0, curve[i].queries[k]);
            c.x1 = fmax(c.x1, curve[i].queries[k]);
        }
    if (n == 0 || !(c.x1 > c.x0)) {
        ib_text_add(t, "<p class=note>No attack here passed two checkpoints, "
                       "so there is no curve to draw.</p>\n");
        return;
    }
    ib_chart_pad(&c.y0, &c.y1);
    c.x0 /= 1.15;
    c.x1 *= 1.15;
    ib_chart_begin(t, &c);
    for (int i = 0; i < n; i++) {
        char class[32];
        snprintf(class, sizeof class, "c%d%s", i % COLOURS,
                 curve[i].defended ? " defended" : "");
        ib_chart_line(t, &c, class, (size_t)curve[i].points, curve[i].queries,
                      curve[i].quality);
    }
    ib_chart_end(t);
    ib_text_add(t, "<ul class=legend>\n");
    for (int i = 0; i < n; i++) {
        ib_text_add(t,
                    "<li><svg viewBox=\"0 0 36 12\" aria-hidden=true><path "
                    "class=\"c%d%s\" d=\"M1 6H35\"/></svg>",
                    i % COLOURS, curve[i].defended ? " defended" : "");
        ib_html_add(t, "%s, %s</li>\n", curve[i].attack, curve[i].defense);
    }
    ib_text_add(t, "</ul>\n");
    if (left_out)
        ib_text_add(t, "<p class=note>%d more are in the results.</p>\n",
                    left_out);
}

/* Of every attack: undefended, and behind the defense that leaks least. */
static int choose_curves(const struct ib_site *s, int board, int track,
                         struct ib_site_curve *curve, int most)
{
    const struct ib_site_board *b = &s->boards[board];
    int n = 0;

    for (int a = 0; a < b->n_attacks; a++)
        for (int bare = 1; bare >= 0 && n < most; bare--) {
            const struct ib_site_row *row = NULL;
            const struct ib_site_attack *of = NULL;
            for (size_t i = 0; i < s->n_rows; i++) {
                const struct ib_site_row *r = &s->rows[i];
                for (int k = 0; k < r->n_attacks; k++)
                    if (r->board == board && r->track == track &&
                        r->bare == (bare == 1) &&
                        strcmp(r->attack[k].id, b->attack[a]) == 0 &&
                        r->attack[k].points > 1 &&
                        !isnan(ib_site_most(r)->value) &&
                        (!row ||
                         ib_site_most(r)->value < ib_site_most(row)->value)) {
                        row = r;
                        of = &r->attack[k];
                    }
            }
            if (row)
                curve[n++] = (struct ib_site_curve){of->id,      row->defense,
                                                    of->points,  of->queries,
                                                    of->quality, bare == 0};
        }
    return n;
}

void ib_site_plots(const struct ib_site *s, int board, int track,
                   struct ib_text *t)
{
    enum { MOST = 8 };
    struct ib_site_curve curve[MOST];
    int n = choose_curves(s, board, track, curve, MOST);

    ib_text_add(t, "<div class=two>\n<figure><figcaption><b>Privacy against "
                   "utility.</b> Down and to the right is better.</figcaption>"
                   "\n");
    add_tradeoff(s, board, track, t);
    ib_text_add(t, "</figure>\n<figure><figcaption><b>Quality against "
                   "queries.</b> Each attack undefended, and (dashed) behind "
                   "the defense that leaks least.</figcaption>\n");
    ib_site_curves(t, "Quality against queries", curve, n, 0);
    ib_text_add(t, "</figure>\n</div>\n");
}
