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

static const char *meaning(const char *name, const char *text)
{
    static const char *const words[][2] = {
        {"copied-output", "copies of private images: something leaked past "
                          "the oracle; believe no number yet"},
        {"low-power", "no leak is seen, and a real one would not be: no result "
                      "rather than a safe one"},
        {"few-seeds", "intervals do not know how training varies"},
        {"not-converged", "more queries would leak more"},
        {"gradient-masking", "the defense hides gradients from the attack; it "
                             "does not protect"},
        {"degenerate-output", "nearly the same picture for everybody"},
        {"stochastic-output", "answers are drawn at random: another run of the "
                              "attack may differ"},
        {"evaluator-gap", "the evaluators disagree: the attack may be fooling "
                          "one of them"},
        {"control-out-of-range", "a control is not where it must be: doubt the "
                                 "scale"},
        {"utility-drop",
         "the defense costs accuracy: compare at equal utility"},
        {"missing-cells", "not all cells of this row came about"},
    };

    for (size_t i = 0; i < IB_COUNT(words); i++)
        if (strcmp(words[i][0], name) == 0)
            return words[i][1];
    return text;
}

/* How many remarks from here on are alike. */
static size_t alike(const struct remark *all, size_t n, bool in_text)
{
    size_t k = 1;

    while (k < n && strcmp(all[k].name, all->name) == 0 &&
           (!in_text || strcmp(all[k].text, all->text) == 0))
        k++;
    return k;
}

/* A text, and the places it is about. */
static void add_text(const struct ib_page *p, const struct remark *all,
                     size_t n)
{
    enum { PLACES = 6 };

    ib_html_add(p->t, "<li>%s<small>", all->text);
    for (size_t k = 0; k < n && k < PLACES; k++)
        add_place(p, all[k].row, k == 0);
    if (n > PLACES)
        ib_html_add(p->t, "; and %d more", (int)(n - PLACES));
    ib_text_add(p->t, "</small></li>\n");
}

/* One flag: what it means, then what raised it and where; folded where there
 * is much of that. */
static void add_flag(const struct ib_page *p, const struct remark *all,
                     size_t n)
{
    enum { OPEN = 2 };
    size_t texts = 0;

    for (size_t i = 0; i < n; i += alike(all + i, n - i, true))
        texts++;
    ib_html_add(p->t, "<tr><th scope=row>%s</th><td>%s</td><td>", all->name,
                meaning(all->name, all->text));
    if (texts > OPEN)
        ib_text_add(p->t, "<details><summary>%zu cells</summary>", n);
    ib_text_add(p->t, "<ul class=plain>\n");
    for (size_t i = 0, k; i < n; i += k) {
        k = alike(all + i, n - i, true);
        add_text(p, all + i, k);
    }
    ib_text_add(p->t, "</ul>%s</td></tr>\n", texts > OPEN ? "</details>" : "");
}

static void add_remarks(const struct ib_page *p, struct remark *all, size_t n)
{
    qsort(all, n, sizeof *all, by_text);
    for (size_t i = 0, k; i < n; i += k) {
        k = alike(all + i, n - i, false);
        add_flag(p, all + i, k);
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
                          "What it means</th><th scope=col>What raised it, and "
                          "where (model / defense / attack)</th></tr></thead>\n"
                          "<tbody>\n");
        add_remarks(p, all, n);
        ib_page_table_end(p->t);
    }
    add_rules(p);
    free(all);
}
