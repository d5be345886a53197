/* Which contact sheets stand open on a page, and which are folded away. */
#include <math.h>
#include <string.h>

#include "report_page.h"

/* The most that leaks behind any defense on the sheet; -infinity: it is not of
 * an attack. */
static double leak_of(const struct ib_view *v, const cJSON *sheet)
{
    static const char *const parts[] = {"model", "attack", "access"};
    double most = -1e9; /* an attack without a leakage */

    if (strcmp(ib_view_text(sheet, "kind"), "attack") != 0)
        return -INFINITY;
    for (size_t i = 0; i < v->n_rows; i++) {
        size_t same = 0;
        for (size_t k = 0; k < IB_COUNT(parts); k++)
            same += strcmp(ib_view_text(v->rows[i].json, parts[k]),
                           ib_view_text(sheet, parts[k])) == 0;
        if (same == IB_COUNT(parts))
            most = fmax(most, v->rows[i].leakage.value); /* not NaN */
    }
    return most;
}

/* Is it the sheet of the attack that leaks most from its model? */
static bool leads(const struct ib_view *v, const cJSON *sheets,
                  const cJSON *sheet)
{
    double mine = leak_of(v, sheet);
    bool before = true;
    const cJSON *other;

    if (isinf(mine))
        return false;
    cJSON_ArrayForEach(other, sheets)
    {
        double x = leak_of(v, other);
        if (other == sheet) {
            before = false;
            continue;
        }
        if (strcmp(ib_view_text(other, "model"),
                   ib_view_text(sheet, "model")) == 0 &&
            (x > mine || (x == mine && before)))
            return false;
    }
    return true;
}

static void add_group(const struct ib_page *p, const cJSON *sheets, bool rest,
                      const struct ib_page_sheet *add)
{
    const cJSON *sheet;
    int n = 0;

    cJSON_ArrayForEach(sheet, sheets) n += leads(p->v, sheets, sheet) != rest;
    if (n == 0)
        return;
    if (rest)
        ib_text_add(p->t,
                    "<details class=more><summary>%d more sheet%s: other "
                    "attacks, controls, samples of priors</summary>\n",
                    n, n == 1 ? "" : "s");
    ib_text_add(p->t, "<div class=sheets>\n");
    cJSON_ArrayForEach(sheet, sheets)
    {
        if (leads(p->v, sheets, sheet) != rest)
            add->put(add->ctx, p, sheet);
    }
    ib_text_add(p->t, rest ? "</div>\n</details>\n" : "</div>\n");
}

void ib_page_sheet_groups(const struct ib_page *p, const cJSON *sheets,
                          const struct ib_page_sheet *add)
{
    add_group(p, sheets, false, add);
    add_group(p, sheets, true, add);
}
