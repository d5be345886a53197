/* Families of defenses where they cost the same accuracy. */
#include <math.h>
#include <string.h>

#include "report_page.h"

static bool same_row(const cJSON *a, const cJSON *b)
{
    static const char *const members[] = {"model", "access", "family"};

    for (size_t i = 0; i < IB_COUNT(members); i++)
        if (strcmp(ib_view_text(a, members[i]), ib_view_text(b, members[i])))
            return false;
    return true;
}

/* "at a", "between a and b" */
static void add_place(const struct ib_page *p, const cJSON *between)
{
    const cJSON *a = cJSON_GetArrayItem(between, 0);
    const cJSON *b = cJSON_GetArrayItem(between, 1);

    if (!cJSON_IsString(a) || !cJSON_IsString(b))
        return;
    if (strcmp(a->valuestring, b->valuestring) == 0)
        ib_html_add(p->t, " at %s", a->valuestring);
    else
        ib_html_add(p->t, " between %s and %s", a->valuestring, b->valuestring);
}

static void add_cell(const struct ib_page *p, const cJSON *o)
{
    const cJSON *leakage = ib_view_object(o, "leakage");
    struct ib_estimate e = ib_view_estimate(leakage);

    ib_text_add(p->t, "<td class=m>");
    if (isnan(e.value)) {
        ib_html_add(p->t, "<span class=soft>n/a</span><small>%s</small></td>",
                    e.reason);
        return;
    }
    ib_page_number(p->t, e.value);
    ib_text_add(p->t, "<small>");
    ib_page_interval(p->t, &e);
    add_place(p, ib_view_array(o, "between"));
    ib_text_add(p->t, "</small></td>");
}

static void add_row(const struct ib_page *p, const cJSON *first)
{
    const cJSON *o = first;

    ib_html_add(p->t, "<tr><th scope=row>%s<small>%s, sees %s</small></th>",
                ib_view_text(first, "family"), ib_view_text(first, "model"),
                ib_view_text(first, "access"));
    for (; o && same_row(o, first); o = o->next)
        add_cell(p, o);
    ib_text_add(p->t, "</tr>\n");
}

void ib_page_matched(const struct ib_page *p)
{
    const cJSON *all = ib_view_array(p->v->summary, "matched"), *o;
    const cJSON *previous = NULL;

    if (cJSON_GetArraySize(all) == 0)
        return;
    ib_text_add(p->t, "<h3 id=matched>At equal accuracy</h3>\n");
    ib_page_table(p->t, "Leakage at equal accuracy",
                  "Leakage where a defense costs so much accuracy, on the "
                  "straight line between the two nearest strengths of it; the "
                  "undefended target is strength 0.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Defense</th>");
    cJSON_ArrayForEach(o, all)
    {
        if (!same_row(o, all->child))
            break;
        double drop = ib_view_number(o, "drop");
        if (drop > 0)
            ib_text_add(p->t, "<th scope=col class=n>-%.3g points</th>",
                        100 * drop);
        else
            ib_text_add(p->t, "<th scope=col class=n>as undefended</th>");
    }
    ib_text_add(p->t, "</tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(o, all)
    {
        if (!previous || !same_row(o, previous))
            add_row(p, o);
        previous = o;
    }
    ib_page_table_end(p->t);
}
