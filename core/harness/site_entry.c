/* One entry's page: the report's own sections, its pictures as files, and what
 * it takes to recompute it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "report_page.h"
#include "site_parts.h"

static void add_title(const struct ib_site_open *e, struct ib_text *t)
{
    const cJSON *from = ib_view_object(e->manifest, "provenance");
    const char *title = ib_view_text(from, "title");
    const char *by = ib_view_text(from, "by"), *url = ib_view_text(from, "url");
    const char *notes = ib_view_text(from, "notes");
    const cJSON *suite = ib_view_object(e->results, "suite");
    const char *summary = ib_view_text(suite, "summary");

    ib_html_add(t, "<p class=kicker>Entry</p>\n<h1>%s</h1>\n", e->name);
    if (*title)
        ib_html_add(t, "<p>%s</p>\n", title);
    ib_html_add(t, "<p class=soft>By %s; suite <b>%s</b>%s%s</p>\n",
                *by ? by : "somebody who is not named",
                ib_view_text(suite, "name"), *summary ? ": " : "", summary);
    if (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0)
        ib_html_add(t,
                    "<p><a href=\"%s\" rel=\"noopener nofollow\">%s</a></p>\n",
                    url, url);
    if (*notes)
        ib_html_add(t, "<p>%s</p>\n", notes);
}

static void add_nav(struct ib_text *t, bool challenged)
{
    static const char *const parts[][2] = {
        {"matrix", "Matrix"},     {"curves", "Curves"},
        {"pictures", "Pictures"}, {"flags", "Flags"},
        {"controls", "Controls"}, {"utility", "Utility"},
        {"exposure", "Exposure"}, {"recompute", "Recompute"},
        {"details", "Details"}};

    ib_text_add(t, "<nav class=jump aria-label=Sections><ul>\n");
    if (challenged)
        ib_text_add(t, "<li><a href=\"#challenges\">Challenges</a></li>\n");
    for (size_t i = 0; i < IB_COUNT(parts); i++)
        ib_text_add(t, "<li><a href=\"#%s\">%s</a></li>\n", parts[i][0],
                    parts[i][1]);
    ib_text_add(t, "</ul></nav>\n");
}

static void add_downloads(const struct ib_site_open *e, struct ib_text *t)
{
    static const char *const files[] = {"results.json", "table.csv",
                                        "suite.json", IB_ENTRY_FILE,
                                        IB_ENTRY_RECORD};

    ib_text_add(t, "<p>Download: ");
    for (size_t i = 0; i < IB_COUNT(files) - (e->verified ? 0 : 1); i++)
        ib_html_add(t, "%s<a href=\"../data/%s/%s\" download>%s</a>",
                    i ? ", " : "", e->name, files[i], files[i]);
    ib_text_add(t, "</p>\n");
}

/* --- curves ------------------------------------------------------------------
 */

/* Undefended attacks first; at most `most` of them. */
static int choose(const struct ib_site *s, const struct ib_site_open *e,
                  int model, struct ib_site_curve *curve, int most,
                  int *left_out)
{
    const struct ib_view *v = &e->view;
    int n = 0, bare = ib_view_undefended(v);

    for (int defended = 0; defended < 2; defended++)
        for (size_t i = 0; i < v->n_rows; i++) {
            const struct ib_view_row *r = &v->rows[i];
            struct ib_site_attack a = {.points = 0};
            if (r->model != model || (r->defense != bare) != (defended == 1) ||
                !ib_view_is(r, "ok") || !ib_site_curve_of(s, e, r, &a) ||
                a.points < 2)
                continue;
            if (n == most)
                ++*left_out;
            else
                curve[n++] = (struct ib_site_curve){v->attacks.at[r->attack],
                                                    v->defenses.at[r->defense],
                                                    a.points,
                                                    a.queries,
                                                    a.quality,
                                                    defended == 1};
        }
    return n;
}

static void add_curves(struct ib_site *s, const struct ib_site_open *e,
                       struct ib_text *t)
{
    enum { MOST = 12 };
    struct ib_site_curve curve[MOST];

    ib_text_add(t, "<h2 id=curves>Quality against queries</h2>\n"
                   "<div class=two>\n");
    for (size_t m = 0; m < e->view.models.n; m++) {
        size_t mark = ib_scratch_mark(s->pool);
        const char *model = e->view.models.at[m];
        char title[128];
        int left_out = 0, n = choose(s, e, (int)m, curve, MOST, &left_out);
        snprintf(title, sizeof title, "Quality against queries, %.80s", model);
        ib_html_add(t,
                    "<figure><figcaption><b>%s</b>; dashed: behind a "
                    "defense</figcaption>\n",
                    model);
        ib_site_curves(t, title, curve, n, left_out);
        ib_text_add(t, "</figure>\n");
        ib_scratch_reset(s->pool, mark);
    }
    ib_text_add(t, "</div>\n");
}

/* --- pictures
 * -------------------------------------------------------------------- */

/* ctx: points to the struct ib_site_open * that the sheet is of. */
static void add_sheet(void *ctx, const struct ib_page *p, const cJSON *sheet)
{
    const struct ib_site_open *e = *(const struct ib_site_open **)ctx;
    struct ib_text *t = p->t;
    const char *file = ib_view_text(sheet, "file");
    bool control = strcmp(ib_view_text(sheet, "kind"), "control") == 0;
    const cJSON *column;

    if (!*file || strchr(file, '/'))
        return;
    ib_html_add(t,
                "<figure><div class=sheet role=region tabindex=0 "
                "aria-label=\"%s\"><img loading=lazy src=\"../data/%s/%s\" "
                "alt=\"%s, %s: private images, the nearest, and ",
                file, e->name, file, ib_view_text(sheet, "model"),
                control ? "controls" : ib_view_text(sheet, "attack"));
    cJSON_ArrayForEach(column, ib_view_array(sheet, "columns"))
    {
        if (cJSON_IsString(column))
            ib_html_add(t, "%s ", column->valuestring);
    }
    ib_html_add(t,
                "\"></div><figcaption><b>%s</b>, %s%s%s.</figcaption>"
                "</figure>\n",
                ib_view_text(sheet, "model"),
                control ? "controls" : ib_view_text(sheet, "attack"),
                control ? "" : ", attacker sees ",
                control ? "" : ib_view_text(sheet, "access"));
}

static void add_sheets(const struct ib_site_open *e, const struct ib_page *p)
{
    const cJSON *sheets = ib_view_array(e->index, "sheets");
    struct ib_text *t = p->t;

    ib_text_add(t, "<h2 id=pictures>Pictures</h2>\n");
    if (cJSON_GetArraySize(sheets) == 0)
        ib_text_add(t, "<p>This entry has no contact sheets.</p>\n");
    else
        ib_text_add(
            t, "<p class=note>Of each model the attack that leaks "
               "most; the others below. From the left: a private image, the "
               "private and the public image that are nearest to the "
               "reconstruction, and what came out behind each defense (first "
               "seed).</p>\n");
    ib_page_sheet_groups(p, sheets,
                         &(struct ib_page_sheet){.put = add_sheet, .ctx = &e});
}

/* --- recomputing
 * ------------------------------------------------------------------ */

static void add_verified(const struct ib_site_open *e, struct ib_text *t)
{
    const cJSON *v = e->verified, *draw = ib_view_object(v, "draw");
    bool mine = strcmp(ib_view_text(ib_view_object(v, "entry"), "sha256"),
                       e->hash) == 0;

    if (!v || !mine) {
        ib_text_add(t, "<p><span class=\"badge open\">not recorded</span> "
                       "Nobody has left a record of a verification with this "
                       "entry.</p>\n");
        return;
    }
    ib_html_add(t, "<p><span class=\"badge good\">%s</span> %d of ",
                ib_view_text(v, "verdict"),
                cJSON_GetArraySize(ib_view_array(draw, "cells")));
    ib_text_add(t, "%.0f cells", ib_view_number(draw, "of"));
    ib_html_add(t,
                "%s, by invbench %s. Nonce of the draw: <code>%s</code>"
                ".</p>\n",
                strcmp(ib_view_text(v, "mode"), "bits") == 0
                    ? " were recomputed and are the same to the last bit"
                    : " were rescored, and recomputed to equivalence (other "
                      "numerics)",
                ib_view_text(v, "program"),
                *ib_view_text(draw, "nonce") ? ib_view_text(draw, "nonce")
                                             : "none, all were");
}

static void add_recompute(const struct ib_site_open *e, struct ib_text *t)
{
    const cJSON *files =
        ib_view_object(ib_view_object(e->manifest, "data"), "files");
    const char *data = files && files->child ? " --data DIR" : "";
    const cJSON *w;

    ib_text_add(t, "<h2 id=recompute>Recompute it</h2>\n");
    add_verified(e, t);
    ib_html_add(t,
                "<pre>invbench verify results/%s --all%s\n"
                "invbench run suite.json --out again%s</pre>\n"
                "<p class=note>The first compares everything with this entry, "
                "the second starts from its suite alone. Entry <code>%s</code>"
                "; numerics <code>%s</code>.</p>\n",
                e->name, data, data, e->hash,
                ib_view_text(e->results, "numerics"));
    ib_text_add(t, "<details><summary>Weights of the evaluators</summary>"
                   "<ul>\n");
    cJSON_ArrayForEach(w, ib_view_array(e->results, "evaluators_utility"))
    {
        ib_html_add(t, "<li>%s, seed ", ib_view_text(w, "evaluator"));
        ib_text_add(t, "%.0f", ib_view_number(w, "seed"));
        ib_html_add(t, ": <code>%s</code></li>\n", ib_view_text(w, "weights"));
    }
    ib_text_add(t, "</ul></details>\n");
}

static enum ib_status add_json(const char *title, const cJSON *v,
                               struct ib_text *t, struct ib_error *err)
{
    struct ib_text json = {0};
    enum ib_status s = ib_json_pretty(v, &json, err);

    if (!s)
        ib_html_add(t,
                    "<details><summary>%s</summary><pre>%s</pre></details>\n",
                    title, ib_text_string(&json));
    ib_text_free(&json);
    return s;
}

static enum ib_status fill(struct ib_site *s, const struct ib_site_open *e,
                           struct ib_text *t, struct ib_error *err)
{
    struct ib_page p = {.v = &e->view, .dir = e->dir, .t = t};
    enum ib_status status;

    add_title(e, t);
    add_downloads(e, t);
    ib_page_tested(&p);
    add_nav(t, ib_site_has_challenges(s, e));
    ib_page_headline(&p);
    ib_site_challenges(s, e, t);
    ib_page_matrix(&p);
    add_curves(s, e, t);
    ib_page_matched(&p);
    add_sheets(e, &p);
    ib_page_flags(&p);
    ib_page_controls(&p);
    ib_page_utility(&p);
    ib_page_priors(&p);
    ib_page_membership(&p);
    status = ib_page_exposure(&p, err);
    if (status)
        return status;
    add_recompute(e, t);
    status = ib_page_details(&p, err);
    if (!status)
        status = add_json("Suite", e->suite, t, err);
    if (!status)
        status = add_json("What the submitter says",
                          ib_view_object(e->manifest, "provenance"), t, err);
    return status;
}

enum ib_status ib_site_entry_page(struct ib_site *s,
                                  const struct ib_site_open *e,
                                  struct ib_error *err)
{
    struct ib_text t = {0};
    char name[PATH_MAX];
    enum ib_status status;

    ib_site_head(&t, e->name, 1, -1);
    status = fill(s, e, &t, err);
    ib_site_foot(&t, false);
    snprintf(name, sizeof name, "entry/%s.html", e->name);
    if (!status)
        status = ib_site_write(s, name, &t, err);
    ib_text_free(&t);
    return status;
}
