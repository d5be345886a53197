/* One page a track: a table for everything that may be compared. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "site_parts.h"

static size_t rows_of(const struct ib_site *s, int board, int track)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_rows; i++)
        n += s->rows[i].track == track &&
             (board < 0 || s->rows[i].board == board);
    return n;
}

/* Attacks of the board that ran in this track at all. */
static int columns_of(const struct ib_site *s, int board, int track,
                      const char **id)
{
    const struct ib_site_board *b = &s->boards[board];
    int n = 0;

    for (int a = 0; a < b->n_attacks; a++) {
        bool any = false;
        for (size_t i = 0; i < s->n_rows && !any; i++)
            for (int k = 0; k < s->rows[i].n_attacks; k++)
                any |= s->rows[i].board == board && s->rows[i].track == track &&
                       strcmp(s->rows[i].attack[k].id, b->attack[a]) == 0;
        if (any)
            id[n++] = b->attack[a];
    }
    return n;
}

static void add_number(struct ib_text *t, const struct ib_estimate *e)
{
    char a[IB_NUMBER_SIZE];

    ib_text_add(t, "<td class=n>%s", ib_view_format(a, e->value));
    ib_site_interval(t, e);
    ib_text_add(t, "</td>");
}

/* The most that anybody has shown; the entry's own number below it. */
static void add_leakage(struct ib_text *t, const struct ib_site_row *r,
                        const char *entry)
{
    const struct ib_estimate *most = ib_site_most(r);
    char a[IB_NUMBER_SIZE];

    if (isnan(most->value)) {
        ib_html_add(t, "<td class=why>n/a%s%s</td>", *most->reason ? ": " : "",
                    most->reason);
        return;
    }
    ib_text_add(t, "<td class=\"n l\" style=\"--a:%.2f\"><b>%s</b>",
                0.42 * fmin(fmax(most->value, 0), 1),
                ib_view_format(a, most->value));
    ib_site_interval(t, most);
    if (most == &r->challenge) {
        ib_html_add(t,
                    " <small><a href=\"entry/%s.html#challenges\">by a "
                    "challenge</a>; the entry ",
                    entry);
        ib_text_add(t, "%s</small>", ib_view_format(a, r->leakage.value));
    }
    ib_text_add(t, "</td>");
}

static void add_accuracy(struct ib_text *t, const struct ib_estimate *e)
{
    if (isnan(e->value)) {
        ib_text_add(t, "<td class=n>n/a</td>");
        return;
    }
    ib_text_add(t, "<td class=n>%.1f %%", 100 * e->value);
    if (!isnan(e->low) && !isnan(e->high))
        ib_text_add(t, " <small>[%.1f, %.1f]</small>", 100 * e->low,
                    100 * e->high);
    ib_text_add(t, "</td>");
}

static void add_attacks(struct ib_text *t, const struct ib_site_row *r,
                        const char *const *id, int n)
{
    for (int i = 0; i < n; i++) {
        const struct ib_site_attack *a = NULL;
        for (int k = 0; k < r->n_attacks; k++)
            if (strcmp(r->attack[k].id, id[i]) == 0)
                a = &r->attack[k];
        if (a)
            add_number(t, &a->leakage);
        else
            ib_text_add(t, "<td class=n>n/a</td>");
    }
}

static void add_row(const struct ib_site *s, const struct ib_site_row *r,
                    const char *const *id, int n, struct ib_text *t)
{
    const struct ib_site_entry *e = &s->entries[r->entry];
    char q[IB_NUMBER_SIZE];

    ib_html_add(t, "<tr><th scope=row>%s", r->defense);
    if (r->frontier)
        ib_text_add(t, " <span class=dia role=img aria-label=\"not "
                       "dominated\">&#9670;</span>");
    if (r->bare)
        ib_text_add(t, " <span class=und role=img aria-label=undefended>"
                       "&#9632;</span>");
    ib_html_add(t, " <small><a href=\"entry/%s.html\">%s</a>", e->name,
                e->name);
    if (*e->by)
        ib_html_add(t, ", %s", e->by);
    ib_text_add(t, "</small></th>");
    add_leakage(t, r, e->name);
    add_accuracy(t, &r->accuracy);
    add_number(t, &r->best);
    add_number(t, &r->mean);
    add_attacks(t, r, id, n);
    ib_text_add(t, "<td class=n>%s</td>", ib_view_count(q, r->queries));
    ib_html_add(t, "<td class=f>%s</td></tr>\n", r->flags);
}

static void add_table(const struct ib_site *s, int board, int track,
                      struct ib_text *t)
{
    const char *id[IB_SITE_ATTACKS];
    int n = columns_of(s, board, track, id);

    ib_html_add(
        t,
        "<div class=scroll role=region tabindex=0 aria-label=\"%s on "
        "%s\">\n<table class=board>\n<caption><span>Leakage of %s behind each "
        "defense [95 %% interval]. &#9670; no other row "
        "dominates it; &#9632; undefended.</span></caption>\n<thead><tr><th "
        "scope=col>Defense</th>"
        "<th scope=col class=n aria-sort=ascending>Leakage</th><th scope=col "
        "class=n>"
        "Accuracy</th><th scope=col class=n>At most<small>evaluators "
        "choose</small></th><th scope=col class=n>Mean<small>of the "
        "attacks</small></th>",
        s->boards[board].model, s->boards[board].data, s->boards[board].model);
    for (int i = 0; i < n; i++)
        ib_html_add(t, "<th scope=col class=n>%s<small>alone</small></th>",
                    id[i]);
    ib_text_add(t, "<th scope=col class=n>Queries<small>an identity</small>"
                   "</th><th scope=col class=f>Flags</th></tr></thead>\n"
                   "<tbody>\n");
    for (size_t i = 0; i < s->n_rows; i++)
        if (s->rows[i].board == board && s->rows[i].track == track)
            add_row(s, &s->rows[i], id, n, t);
    ib_text_add(t, "</tbody></table>\n</div>\n");
}

static void add_board(const struct ib_site *s, int board, int track,
                      struct ib_text *t)
{
    const struct ib_site_board *b = &s->boards[board];

    ib_html_add(t,
                "<section class=board id=b%d><h2>%s <span class=soft>on %s"
                "</span></h2>\n<p class=note>Suite %s; rows share data, model, "
                "attacks, evaluators, seeds and budget (board ",
                board + 1, b->model, b->data, b->suite);
    ib_text_add(t, "<code>%.8s</code>).</p>\n", b->key);
    add_table(s, board, track, t);
    ib_site_plots(s, board, track, t);
    ib_text_add(t, "</section>\n");
}

static void add_filter(const struct ib_site *s, int track, struct ib_text *t)
{
    ib_text_add(t,
                "<form class=filter role=search aria-label=\"Filter rows\" "
                "hidden><label>Find<input type=search name=q "
                "placeholder=\"defense, entry, name\"></label>\n<label>Model "
                "and data<select name=board><option value=\"\">all</option>\n");
    for (size_t b = 0; b < s->n_boards; b++)
        if (rows_of(s, (int)b, track))
            ib_html_add(t, "<option value=b%d>%s on %s (%s)</option>\n",
                        (int)b + 1, s->boards[b].model, s->boards[b].data,
                        s->boards[b].suite);
    ib_text_add(t, "</select></label>\n<label class=check><input type=checkbox "
                   "name=full> with a number</label><label class=check><input "
                   "type=checkbox name=clean> without flags</label>\n"
                   "<output aria-live=polite></output></form>\n");
}

static void add_reading(struct ib_text *t)
{
    ib_text_add(
        t, "<details><summary>How to read the columns</summary>\n"
           "<dl class=facts><dt>Leakage</dt><dd>0: the pictures are taken for "
           "the right person no more often than the best control; 1: as often "
           "as real images that the model never saw. Of an attacker who runs "
           "all attacks of the track and keeps, for each person, the picture "
           "that the target likes most. Where a challenge to the entry brought "
           "home more, that counts.</dd>\n<dt>Accuracy</dt><dd>of the "
           "defended model on held-out images.</dd>\n<dt>At most</dt><dd>the "
           "same where the evaluators choose the picture, held against "
           "controls of which they choose, too: no attacker with these attacks "
           "can do better.</dd>\n<dt>Mean</dt><dd>over the attacks."
           "</dd>\n<dt>NAME, alone</dt><dd>leakage of that attack by "
           "itself.</dd>\n<dt>Flags</dt><dd>what to know before you quote the "
           "row; the entry's page says what each means there.</dd></dl>"
           "</details>\n");
}

enum ib_status ib_site_track(const struct ib_site *s, int track,
                             struct ib_error *err)
{
    struct ib_text t = {0};
    char name[32];
    size_t n = rows_of(s, -1, track);

    ib_site_head(&t, ib_site_tracks[track], 0, track);
    ib_html_add(&t, "<h1>Track: %s</h1>\n<p>In this track %s.</p>\n",
                ib_site_tracks[track], ib_site_track_words[track]);
    if (n == 0) {
        ib_text_add(&t, "<p class=guide><b>This track is empty.</b> No entry "
                        "has run an attack at this access level yet. That says "
                        "nothing about how safe anything is.</p>\n");
    } else {
        add_reading(&t);
        add_filter(s, track, &t);
        for (size_t b = 0; b < s->n_boards; b++)
            if (rows_of(s, (int)b, track))
                add_board(s, (int)b, track, &t);
    }
    ib_site_foot(&t, n > 0);
    snprintf(name, sizeof name, "%s.html", ib_site_tracks[track]);
    enum ib_status status = ib_site_write(s, name, &t, err);
    ib_text_free(&t);
    return status;
}
