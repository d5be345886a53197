/* Scores of all pictures of a cell taken together. */
#include <math.h>
#include <string.h>

#include "report_page.h"

struct table {
    const struct ib_page *p;
    const cJSON *columns; /* results "set_columns" */
};

static void add_scores(const struct table *t, const cJSON *scores)
{
    const cJSON *column;

    cJSON_ArrayForEach(column, t->columns)
    {
        const cJSON *o = ib_view_object(scores, ib_view_text(column, "name"));
        struct ib_estimate e = ib_view_estimate(o);

        ib_text_add(t->p->t, "<td class=n>");
        if (isnan(e.value) && *e.reason)
            ib_html_add(t->p->t, "<span class=soft title=\"%s\">n/a</span>",
                        e.reason);
        else
            ib_page_number(t->p->t, e.value);
        ib_text_add(t->p->t, "<small>");
        ib_page_interval(t->p->t, &e);
        if (*e.control)
            ib_html_add(t->p->t, " %s ", e.control);
        if (*e.control)
            ib_page_number(t->p->t, e.control_value);
        ib_text_add(t->p->t, "</small></td>");
    }
    ib_text_add(t->p->t, "</tr>\n");
}

static void add_rows(const struct table *t)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, ib_view_array(t->p->v->summary, "rows"))
    {
        if (cJSON_GetArraySize(ib_view_object(o, "set_scores")) == 0)
            continue;
        ib_html_add(t->p->t,
                    "<tr><th scope=row>%s (%s)<small>%s behind %s</small>"
                    "</th>",
                    ib_view_text(o, "attack"), ib_view_text(o, "access"),
                    ib_view_text(o, "model"), ib_view_text(o, "defense"));
        add_scores(t, ib_view_object(o, "set_scores"));
    }
    cJSON_ArrayForEach(o, ib_view_array(t->p->v->summary, "controls"))
    {
        if (cJSON_GetArraySize(ib_view_object(o, "set_scores")) == 0)
            continue;
        ib_html_add(t->p->t,
                    "<tr><th scope=row>control %s<small>%s</small></th>",
                    ib_view_text(o, "name"), ib_view_text(o, "model"));
        add_scores(t, ib_view_object(o, "set_scores"));
    }
}

/* Each reason for a null once. */
static void add_reasons(const struct table *t)
{
    enum { MOST = 8 };
    const char *said[MOST];
    const cJSON *row, *o;
    int n = 0;

    cJSON_ArrayForEach(row, ib_view_array(t->p->v->summary, "rows"))
    {
        cJSON_ArrayForEach(o, ib_view_object(row, "set_scores"))
        {
            struct ib_estimate e = ib_view_estimate(o);
            bool is_new = isnan(e.value) && *e.reason && n < MOST;

            for (int i = 0; i < n; i++)
                is_new = is_new && strcmp(said[i], e.reason) != 0;
            if (!is_new)
                continue;
            said[n++] = e.reason;
            ib_html_add(t->p->t, "<p class=note>%s: %s.</p>\n", o->string,
                        e.reason);
        }
    }
}

void ib_page_set(const struct ib_page *p)
{
    struct table t = {.p = p,
                      .columns = ib_view_array(p->v->root, "set_columns")};
    const cJSON *column;

    if (cJSON_GetArraySize(t.columns) == 0)
        return;
    ib_text_add(p->t, "<h3 id=set>All pictures of a cell together</h3>\n");
    ib_page_table(p->t, "Scores of sets",
                  "Mean over seeds, 95 % interval from three seeds on, and the "
                  "floor control that comes nearest to leaking. Sets of other "
                  "sizes compare badly.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Attack</th>");
    cJSON_ArrayForEach(column, t.columns) ib_html_add(
        p->t, "<th scope=col class=n>%s</th>", ib_view_text(column, "name"));
    ib_text_add(p->t, "</tr></thead>\n<tbody>\n");
    add_rows(&t);
    ib_page_table_end(p->t);
    add_reasons(&t);
}
