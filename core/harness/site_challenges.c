/* Challenges whose outcome was recorded: RESULTS/challenges/NAME/outcome.json,
 * as `verify --challenge --record` leaves it. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_page.h"
#include "site_parts.h"

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

enum ib_status ib_site_challenges_read(struct ib_site *s, struct ib_error *err)
{
    struct dirent **list = NULL;
    char path[PATH_MAX];
    int n;

    s->outcomes = cJSON_CreateArray();
    if (!s->outcomes)
        return ib_error_set(err, IB_E_NOMEM, "leaderboard: no memory");
    if (snprintf(path, sizeof path, "%s/challenges", s->results) >= PATH_MAX)
        return IB_OK;
    n = scandir(path, &list, NULL, by_name);
    for (int i = 0; i < n; i++) {
        cJSON *v = NULL;
        if (*list[i]->d_name != '.' &&
            snprintf(path, sizeof path, "%s/challenges/%s/outcome.json",
                     s->results, list[i]->d_name) < PATH_MAX &&
            !ib_json_read(path, &v, NULL) &&
            strcmp(ib_view_text(v, "schema"), "invbench.outcome/1") == 0)
            cJSON_AddItemToArray(s->outcomes, v);
        else
            cJSON_Delete(v);
        free(list[i]);
    }
    free(list);
    return IB_OK;
}

static bool is_of(const cJSON *outcome, const struct ib_site_open *e)
{
    const cJSON *entry = ib_view_object(outcome, "entry");

    return strcmp(ib_view_text(entry, "name"), e->name) == 0 &&
           strcmp(ib_view_text(entry, "sha256"), e->hash) == 0;
}

bool ib_site_is_challenged(const struct ib_site *s,
                           const struct ib_site_open *e, const cJSON *headline)
{
    static const char *const parts[] = {"model", "defense", "access"};
    const cJSON *o;

    cJSON_ArrayForEach(o, s->outcomes)
    {
        size_t same = 0;
        for (size_t i = 0; i < IB_COUNT(parts); i++)
            same += strcmp(ib_view_text(o, parts[i]),
                           ib_view_text(headline, parts[i])) == 0;
        if (same == IB_COUNT(parts) && is_of(o, e) &&
            strcmp(ib_view_text(o, "verdict"), "stronger") == 0)
            return true;
    }
    return false;
}

static void add_estimate(struct ib_text *t, const cJSON *o, const char *member)
{
    struct ib_estimate e = ib_view_estimate(ib_view_object(o, member));

    ib_text_add(t, "<td class=n>");
    ib_page_number(t, e.value);
    ib_site_interval(t, &e);
    ib_text_add(t, "</td>");
}

static void add_row(struct ib_text *t, const cJSON *o)
{
    const cJSON *from = ib_view_object(o, "provenance");

    ib_html_add(t,
                "<tr><th scope=row>%s <small>%s</small></th><td>%s behind %s, "
                "sees %s</td>",
                ib_view_text(from, "attack"), ib_view_text(from, "by"),
                ib_view_text(o, "model"), ib_view_text(o, "defense"),
                ib_view_text(o, "access"));
    add_estimate(t, o, "leakage");
    add_estimate(t, o, "headline");
    add_estimate(t, o, "difference");
    ib_html_add(t, "<td>%s</td></tr>\n", ib_view_text(o, "verdict"));
}

void ib_site_challenges(const struct ib_site *s, const struct ib_site_open *e,
                        struct ib_text *t)
{
    const cJSON *o;
    bool any = false;

    cJSON_ArrayForEach(o, s->outcomes)
    {
        if (!is_of(o, e))
            continue;
        if (!any) {
            ib_text_add(t, "<h2 id=challenges>Challenges</h2>\n<p "
                           "class=note>Images that somebody else brought, "
                           "scored with this entry's evaluators and "
                           "controls. How they were made is the challenger's "
                           "word.</p>\n");
            ib_page_table(t, "Challenges",
                          "Leakage [95 % interval]; more: paired with the "
                          "entry's best attack of that track.");
            ib_text_add(t, "<thead><tr><th scope=col>Attack</th><th scope=col>"
                           "Against</th><th scope=col class=n>Leakage</th><th "
                           "scope=col class=n>Entry</th><th scope=col class=n>"
                           "More</th><th scope=col>Verdict</th></tr></thead>\n"
                           "<tbody>\n");
        }
        any = true;
        add_row(t, o);
    }
    if (any)
        ib_page_table_end(t);
}
