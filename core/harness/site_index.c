/* The first page: what it is, the four tracks, all boards at a glance, all
 * entries. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "site_parts.h"

static void add_intro(struct ib_text *t)
{
    ib_text_add(
        t,
        "<h1>How much of its training data does a model give back?</h1>\n"
        "<p>Model inversion attacks against defended models, measured by "
        "<b>invbench</b>. Every number here can be recomputed to the last bit "
        "from the files that stand beside it.</p>\n"
        "<p class=guide><b>Leakage 0</b>: what attacks bring home is taken for "
        "the right person no more often than the best control. <b>Leakage "
        "1</b>: as often as real images that the model never saw. Brackets are "
        "95 %% intervals. Only rows of one table may be compared: there the "
        "data, the model, the attacks, the evaluators, the seeds and the "
        "budget are the same.</p>\n");
}

static void count(const struct ib_site *s, int track, size_t *rows,
                  size_t *entries)
{
    int last = -1;

    *rows = *entries = 0;
    for (size_t e = 0; e < s->n_entries; e++)
        for (size_t i = 0; i < s->n_rows; i++) {
            if (s->rows[i].track != track || s->rows[i].entry != (int)e)
                continue;
            ++*rows;
            *entries += last != (int)e;
            last = (int)e;
        }
}

static void add_tracks(const struct ib_site *s, struct ib_text *t)
{
    ib_text_add(t, "<h2>Tracks</h2>\n<div class=cards>\n");
    for (int k = 0; k < IB_SITE_TRACKS; k++) {
        size_t rows, entries;
        count(s, k, &rows, &entries);
        ib_html_add(t,
                    "<section class=card><h3><a href=\"%s.html\">%s</a></h3>\n"
                    "<p>%s.</p>\n",
                    ib_site_tracks[k], ib_site_tracks[k],
                    ib_site_track_words[k]);
        if (rows)
            ib_text_add(t, "<p><b>%zu</b> row%s from %zu entr%s</p>", rows,
                        rows == 1 ? "" : "s", entries,
                        entries == 1 ? "y" : "ies");
        else
            ib_text_add(t, "<p class=soft>empty: no entry yet</p>");
        ib_text_add(t, "</section>\n");
    }
    ib_text_add(t, "</div>\n");
}

/* Undefended, and the least leakage that costs at most 2 points of accuracy
 * against it. */
static void add_glance(const struct ib_site *s, int board, int track,
                       struct ib_text *t)
{
    const struct ib_site_row *bare = NULL, *best = NULL;
    char a[IB_NUMBER_SIZE], b[IB_NUMBER_SIZE];

    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_site_row *r = &s->rows[i];
        if (r->board == board && r->track == track && r->bare &&
            !isnan(ib_site_most(r)->value) && !bare)
            bare = r;
    }
    for (size_t i = 0; i < s->n_rows; i++) {
        const struct ib_site_row *r = &s->rows[i];
        if (r->board == board && r->track == track && !r->bare &&
            !isnan(ib_site_most(r)->value) &&
            (!bare || !(r->accuracy.value < bare->accuracy.value - 0.02)) &&
            (!best || ib_site_most(r)->value < ib_site_most(best)->value))
            best = r;
    }
    if (!bare && !best) {
        ib_text_add(t, "<td class=soft>empty</td>");
        return;
    }
    ib_text_add(t, "<td>");
    if (bare)
        ib_text_add(t, "<b>%s</b> undefended",
                    ib_view_format(a, ib_site_most(bare)->value));
    if (bare && best && ib_site_most(best)->value >= ib_site_most(bare)->value)
        ib_text_add(t, "<small>no defense here leaks less</small>");
    else if (best)
        ib_html_add(t, "<small>least: %s behind %s</small>",
                    ib_view_format(b, ib_site_most(best)->value),
                    best->defense);
    ib_text_add(t, "</td>");
}

static void add_boards(const struct ib_site *s, struct ib_text *t)
{
    ib_text_add(
        t, "<h2>At a glance</h2>\n<div class=scroll role=region "
           "tabindex=0 aria-label=\"All boards\">\n<table class=plain>"
           "<caption><span>Leakage of each model undefended, and behind the "
           "defense that leaks least without costing more than 2 points "
           "of accuracy.</span></caption>\n<thead><tr><th scope=col>Model and "
           "data</th>");
    for (int k = 0; k < IB_SITE_TRACKS; k++)
        ib_html_add(t, "<th scope=col>%s</th>", ib_site_tracks[k]);
    ib_text_add(t, "</tr></thead>\n<tbody>\n");
    for (size_t b = 0; b < s->n_boards; b++) {
        ib_html_add(t, "<tr><th scope=row>%s<small>%s (%s)</small></th>",
                    s->boards[b].model, s->boards[b].data, s->boards[b].suite);
        for (int k = 0; k < IB_SITE_TRACKS; k++)
            add_glance(s, (int)b, k, t);
        ib_text_add(t, "</tr>\n");
    }
    ib_text_add(t, "</tbody></table>\n</div>\n");
}

static void add_entry(const struct ib_site_entry *e, struct ib_text *t)
{
    ib_html_add(t, "<tr><th scope=row><a href=\"entry/%s.html\">%s</a>",
                e->name, e->name);
    if (*e->title)
        ib_html_add(t, "<small>%s</small>", e->title);
    ib_html_add(t,
                "</th><td>%s</td><td>%s</td><td>%s</td><td class=n>%d</td>"
                "<td>",
                *e->by ? e->by : "not said", e->suite, e->data, e->rows);
    if (*e->verified)
        ib_html_add(t,
                    "<span class=\"badge good\">verified</span><small>%s"
                    "</small>",
                    e->verified);
    else
        ib_text_add(t, "<span class=\"badge open\">not recorded</span>");
    ib_text_add(t, "</td></tr>\n");
}

static void add_entries(const struct ib_site *s, struct ib_text *t)
{
    ib_text_add(
        t,
        "<h2>Entries</h2>\n<div class=scroll role=region tabindex=0 "
        "aria-label=Entries>\n<table class=\"board plain\"><caption>"
        "<span>Every run that is published here.</span></caption>\n<thead><tr>"
        "<th scope=col>Entry</th><th scope=col>By</th><th scope=col>"
        "Suite</th><th scope=col>Data</th><th scope=col class=n>Rows"
        "</th><th scope=col>Verification</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < s->n_entries; i++)
        add_entry(&s->entries[i], t);
    ib_text_add(t, "</tbody></table>\n</div>\n");
}

/* What did not make it, each with its first reason. */
static void add_refused(const struct ib_site *s, struct ib_text *t)
{
    const cJSON *f;

    if (!s->f->n)
        return;
    ib_text_add(t, "<h2>Not shown</h2>\n<p>These are not what they say of "
                   "themselves:</p>\n<ul>\n");
    cJSON_ArrayForEach(f, s->f->list)
        ib_html_add(t, "<li><b>%s</b>: %s</li>\n", ib_view_text(f, "file"),
                    ib_view_text(f, "text"));
    ib_text_add(t, "</ul>\n");
}

enum ib_status ib_site_index(const struct ib_site *s, struct ib_error *err)
{
    struct ib_text t = {0};

    ib_site_head(&t, "Overview", 0, -1);
    add_intro(&t);
    add_tracks(s, &t);
    if (s->n_boards)
        add_boards(s, &t);
    if (s->n_entries)
        add_entries(s, &t);
    else
        ib_text_add(&t, "<p>There is no entry yet.</p>\n");
    add_refused(s, &t);
    ib_text_add(&t, "<h2>Download</h2>\n<p><a href=\"leaderboard.csv\" "
                    "download>leaderboard.csv</a>, <a "
                    "href=\"leaderboard.json\" download>leaderboard.json</a>: "
                    "every row of every track. Each entry's page has its own "
                    "files.</p>\n");
    ib_site_foot(&t, s->n_entries > 0);
    enum ib_status status = ib_site_write(s, "index.html", &t, err);
    ib_text_free(&t);
    return status;
}
