/* Flags and missing cells: each text once, with the places it is about. */
#include <stdlib.h>
#include <string.h>

#include "flags.h"
#include "report_page.h"

struct remark {
    const char *name, *text;
    const struct ib_view_row *row;
};

static int by_text(const void *a, const void *b)
{
    const struct remark *x = a, *y = b;
    int c = strcmp(x->name, y->name);

    if (c == 0)
        c = strcmp(x->text, y->text);
    if (c == 0 && x->row != y->row)
        c = x->row < y->row ? -1 : 1;
    return c;
}

static void add_place(const struct ib_page *p, const struct ib_view_row *r,
                      bool first)
{
    const struct ib_view *v = p->v;

    ib_html_add(p->t, "%s%s / %s / %s (%s)", first ? "" : "; ",
                v->models.at[r->model], v->defenses.at[r->defense],
                v->attacks.at[r->attack], r->access);
}

static void add_remarks(const struct ib_page *p, struct remark *all, size_t n)
{
    enum { PLACES = 6 };

    qsort(all, n, sizeof *all, by_text);
    for (size_t i = 0, k; i < n; i = k) {
        ib_html_add(p->t, "<tr><th scope=row>%s</th><td>%s</td><td>",
                    all[i].name, all[i].text);
        for (k = i; k < n && strcmp(all[k].name, all[i].name) == 0 &&
                    strcmp(all[k].text, all[i].text) == 0;
             k++)
            if (k < i + PLACES)
                add_place(p, all[k].row, k == i);
        if (k > i + PLACES)
            ib_html_add(p->t, "; and %d more", (int)(k - i - PLACES));
        ib_text_add(p->t, "</td></tr>\n");
    }
}

static size_t count_flags(const struct ib_view *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_rows; i++)
        n +=
            (size_t)cJSON_GetArraySize(ib_view_array(v->rows[i].json, "flags"));
    return n;
}

static size_t collect(const struct ib_view *v, struct remark *all)
{
    const cJSON *f;
    size_t n = 0;

    for (size_t i = 0; i < v->n_rows; i++) {
        const struct ib_view_row *r = &v->rows[i];
        cJSON_ArrayForEach(f, ib_view_array(r->json, "flags")) all[n++] =
            (struct remark){ib_view_text(f, "name"), ib_view_text(f, "text"),
                            r};
        if (!ib_view_is(r, "ok") && !ib_view_is(r, "skipped") &&
            !ib_view_is(r, "bypass"))
            all[n++] = (struct remark){r->status, r->reason, r};
    }
    return n;
}

static void add_rules(const struct ib_page *p)
{
    ib_text_add(p->t, "<details><summary>When each flag is raised</summary>\n");
    ib_page_table(p->t, "Rules of the flags",
                  "Those that are not listed above were not raised.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Flag</th><th scope=col>Raised "
                      "where</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < IB_FLAG_COUNT; i++)
        ib_html_add(p->t, "<tr><th scope=row>%s</th><td>%s</td></tr>\n",
                    ib_flag_rules[i].name, ib_flag_rules[i].rule);
    ib_page_table_end(p->t);
    ib_text_add(p->t, "</details>\n");
}

void ib_page_flags(const struct ib_page *p)
{
    struct remark *all =
        calloc(count_flags(p->v) + p->v->n_rows + 1, sizeof *all);

    if (!all) {
        p->t->failed = true;
        return;
    }
    size_t n = collect(p->v, all);
    ib_text_add(p->t, "<h2 id=flags>Flags and missing cells</h2>\n");
    if (n == 0) {
        ib_text_add(p->t, "<p>None: every cell came about, and nothing looks "
                          "doubtful.</p>\n");
    } else {
        ib_page_table(p->t, "Flags", "What to know before you quote a number.");
        ib_text_add(p->t, "<thead><tr><th scope=col>Flag</th><th scope=col>"
                          "What it means here</th><th scope=col>Where (model "
                          "/ defense / attack)</th></tr></thead>\n<tbody>\n");
        add_remarks(p, all, n);
        ib_page_table_end(p->t);
    }
    add_rules(p);
    free(all);
}
