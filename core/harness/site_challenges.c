/* Challenges whose outcome was recorded: RESULTS/challenges/NAME/outcome.json,
 * as `verify --challenge --record` leaves it. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report_page.h"
#include "schema.h"
#include "site_parts.h"

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_schema(const cJSON *v, const char *file,
                         struct ib_findings *f)
{
    struct ib_error why;
    cJSON *schema = NULL;

    if (ib_schema_open("outcome", &schema, &why))
        ib_finding_error(f, file, &why);
    else
        ib_schema_check(schema, v, file, f);
    cJSON_Delete(schema);
}

/* Is it about the challenge.json beside it? */
static void check_challenge(const char *dir, const cJSON *outcome,
                            struct ib_findings *f)
{
    static const char name[] = "challenge.json";
    char path[PATH_MAX], key[IB_KEY_SIZE] = "";
    struct ib_error why;
    cJSON *v = NULL;

    if (snprintf(path, sizeof path, "%s/%s", dir, name) >= PATH_MAX ||
        ib_json_read(path, &v, &why) || ib_json_key(v, key, &why))
        ib_finding_error(f, name, &why);
    else if (strcmp(key, ib_view_text(outcome, "challenge")) != 0)
        ib_finding(f, name, "", "is not what the outcome is about");
    cJSON_Delete(v);
}

static void read_one(struct ib_site *s, const char *name)
{
    char dir[PATH_MAX], path[PATH_MAX], words[PATH_MAX];
    struct ib_findings f = {0};
    struct ib_error why;
    cJSON *v = NULL;

    if (snprintf(dir, sizeof dir, "%s/challenges/%s", s->results, name) >=
            PATH_MAX ||
        snprintf(path, sizeof path, "%s/outcome.json", dir) >= PATH_MAX ||
        access(path, F_OK) != 0)
        return;
    if (ib_json_read(path, &v, &why))
        ib_finding_error(&f, "outcome.json", &why);
    else
        check_schema(v, "outcome.json", &f);
    if (!f.n)
        check_challenge(dir, v, &f);
    if (f.n) {
        snprintf(words, sizeof words, "challenges/%.255s", name);
        ib_site_refuse(s, words, &f);
        s->unheard++;
        cJSON_Delete(v);
    } else {
        cJSON_AddItemToArray(s->outcomes, v);
    }
    ib_findings_free(&f);
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
        if (*list[i]->d_name != '.')
            read_one(s, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return IB_OK;
}

static bool is_of(const cJSON *outcome, const char *name, const char *hash)
{
    const cJSON *entry = ib_view_object(outcome, "entry");

    return strcmp(ib_view_text(entry, "name"), name) == 0 &&
           strcmp(ib_view_text(entry, "sha256"), hash) == 0;
}

void ib_site_challenges_unheard(struct ib_site *s)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, s->outcomes)
    {
        const cJSON *entry = ib_view_object(o, "entry");
        bool any = false;
        for (size_t i = 0; i < s->n_entries; i++)
            any |= is_of(o, s->entries[i].name, s->entries[i].hash);
        if (any)
            continue;
        ib_finding(s->f, "challenges", "",
                   "\"%.80s\" challenges an entry that is not here: %.80s "
                   "%.12s",
                   ib_view_text(ib_view_object(o, "provenance"), "attack"),
                   ib_view_text(entry, "name"), ib_view_text(entry, "sha256"));
        s->unheard++;
    }
}

struct ib_estimate ib_site_challenged(const struct ib_site *s,
                                      const struct ib_site_open *e,
                                      const cJSON *headline)
{
    static const char *const parts[] = {"model", "defense", "access"};
    struct ib_estimate most = {.value = NAN, .low = NAN, .high = NAN};
    const cJSON *o;

    cJSON_ArrayForEach(o, s->outcomes)
    {
        struct ib_estimate x = ib_view_estimate(ib_view_object(o, "leakage"));
        size_t same = 0;
        for (size_t i = 0; i < IB_COUNT(parts); i++)
            same += strcmp(ib_view_text(o, parts[i]),
                           ib_view_text(headline, parts[i])) == 0;
        if (same == IB_COUNT(parts) && is_of(o, e->name, e->hash) &&
            strcmp(ib_view_text(o, "verdict"), "stronger") == 0 &&
            !(x.value <= most.value))
            most = x;
    }
    return most;
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
                "<tr><th scope=row>%s<small>%s</small></th><td>%s behind %s"
                "<small>attacker sees %s</small></td>",
                ib_view_text(from, "attack"), ib_view_text(from, "by"),
                ib_view_text(o, "model"), ib_view_text(o, "defense"),
                ib_view_text(o, "access"));
    add_estimate(t, o, "leakage");
    add_estimate(t, o, "headline");
    add_estimate(t, o, "difference");
    ib_html_add(t, "<td><b>%s</b><small>than %s</small></td></tr>\n",
                ib_view_text(o, "verdict"),
                *ib_view_text(o, "against") ? ib_view_text(o, "against")
                                            : "the entry's attacks");
}

bool ib_site_has_challenges(const struct ib_site *s,
                            const struct ib_site_open *e)
{
    const cJSON *o;

    cJSON_ArrayForEach(o, s->outcomes)
    {
        if (is_of(o, e->name, e->hash))
            return true;
    }
    return false;
}

void ib_site_challenges(const struct ib_site *s, const struct ib_site_open *e,
                        struct ib_text *t)
{
    const cJSON *o;

    if (!ib_site_has_challenges(s, e))
        return;
    ib_text_add(t, "<h2 id=challenges>Challenges</h2>\n<p class=note>Images "
                   "that somebody else brought, scored with this entry's "
                   "evaluators and controls. How they were made is the "
                   "challenger's word.</p>\n");
    ib_page_table(t, "Challenges",
                  "Leakage [95 % interval]. Difference: paired by person and "
                  "seed with the entry's attack that leaks most there.");
    ib_text_add(t, "<thead><tr><th scope=col>Attack</th><th scope=col>"
                   "Against</th><th scope=col class=n>Leakage</th><th "
                   "scope=col class=n>The entry</th><th scope=col class=n>"
                   "Difference</th><th scope=col>Verdict</th></tr></thead>\n"
                   "<tbody>\n");
    cJSON_ArrayForEach(o, s->outcomes)
    {
        if (is_of(o, e->name, e->hash))
            add_row(t, o);
    }
    ib_page_table_end(t);
}
