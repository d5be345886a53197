/* Utility, definitions, options, provenance, how to recompute. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report_page.h"

static void add_estimate(struct ib_text *t, const cJSON *o, const char *member)
{
    struct ib_estimate e = ib_view_estimate(ib_view_object(o, member));

    ib_text_add(t, "<td class=n>");
    ib_page_number(t, e.value);
    ib_text_add(t, "<small>");
    ib_page_interval(t, &e);
    ib_text_add(t, "</small></td>");
}

static void add_models(const struct ib_page *p)
{
    const cJSON *u;

    ib_page_table(p->t, "Utility",
                  "On held-out images, as the defended model answers.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Defense</th><th scope=col "
                      "class=n>Accuracy</th><th scope=col class=n>Calibration "
                      "error (ECE)</th><th scope=col class=n>Distortion of "
                      "scores (L1)</th><th scope=col class=n>Seeds</th></tr>"
                      "</thead>\n<tbody>\n");
    cJSON_ArrayForEach(u, ib_view_array(p->v->summary, "utility"))
    {
        ib_html_add(p->t, "<tr><th scope=row>%s<small>%s</small></th>",
                    ib_view_text(u, "defense"), ib_view_text(u, "model"));
        add_estimate(p->t, u, "accuracy");
        add_estimate(p->t, u, "ece");
        add_estimate(p->t, u, "distortion");
        ib_text_add(p->t, "<td class=n>");
        double seeds = ib_view_number(u, "seeds");
        if (!isnan(seeds))
            ib_text_add(p->t, "%.0f", seeds);
        ib_text_add(p->t, "</td></tr>\n");
    }
    ib_page_table_end(p->t);
}

static void add_evaluators(const struct ib_page *p)
{
    const cJSON *e;

    ib_page_table(p->t, "Evaluators",
                  "The independent classifiers that judge identity.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Evaluator</th><th scope=col "
                      "class=n>Seed</th><th scope=col class=n>Accuracy</th>"
                      "<th scope=col>Status</th></tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(e, ib_view_array(p->v->root, "evaluators_utility"))
    {
        ib_html_add(p->t, "<tr><th scope=row>%s</th>",
                    ib_view_text(e, "evaluator"));
        ib_text_add(p->t, "<td class=n>%.15g</td><td class=n>",
                    ib_view_number(e, "seed"));
        ib_page_number(p->t, ib_view_number(e, "accuracy"));
        ib_html_add(p->t, "</td><td>%s %s</td></tr>\n",
                    ib_view_text(e, "status"), ib_view_text(e, "reason"));
    }
    ib_page_table_end(p->t);
}

void ib_page_utility(const struct ib_page *p)
{
    ib_text_add(p->t, "<h2 id=utility>What defenses cost</h2>\n");
    if (cJSON_GetArraySize(ib_view_array(p->v->summary, "utility")) > 0)
        add_models(p);
    else
        ib_text_add(p->t, "<p>This run has no utility figures.</p>\n");
    if (cJSON_GetArraySize(ib_view_array(p->v->root, "evaluators_utility")) > 0)
        add_evaluators(p);
}

static const char *direction(const cJSON *column)
{
    const char *d = ib_view_text(column, "direction");

    if (strcmp(d, "higher-leaks") == 0)
        return "higher = more leakage";
    return strcmp(d, "lower-leaks") == 0 ? "lower = more leakage" : "";
}

static void add_definitions(const struct ib_page *p, const char *list,
                            const char *title)
{
    const cJSON *c;
    const char *previous = "";

    if (cJSON_GetArraySize(ib_view_array(p->v->root, list)) == 0)
        return;
    ib_html_add(p->t, "<details><summary>%s</summary>\n<dl class=facts>\n",
                title);
    cJSON_ArrayForEach(c, ib_view_array(p->v->root, list))
    {
        const char *definition = ib_view_text(c, "definition");
        bool same = strcmp(definition, previous) == 0;
        ib_html_add(
            p->t,
            "<dt>%s%s%s%s</dt><dd>%s <span class=soft>%s</span>"
            "</dd>\n",
            ib_view_text(c, "name"), *ib_view_text(c, "unit") ? " [" : "",
            ib_view_text(c, "unit"), *ib_view_text(c, "unit") ? "]" : "",
            same ? "the same, by another evaluator" : definition, direction(c));
        previous = definition;
    }
    ib_text_add(p->t, "</dl></details>\n");
}

static enum ib_status add_json(const struct ib_page *p, const char *title,
                               const cJSON *v, struct ib_error *err)
{
    struct ib_text json = {0};

    if (!v)
        return IB_OK;
    enum ib_status s = ib_json_pretty(v, &json, err);
    if (s == IB_OK)
        ib_html_add(p->t,
                    "<details><summary>%s</summary><pre>%s</pre>"
                    "</details>\n",
                    title, ib_text_string(&json));
    ib_text_free(&json);
    return s;
}

/* Provenance without its long lists. */
static enum ib_status add_provenance(const struct ib_page *p,
                                     struct ib_error *err)
{
    cJSON *copy =
        cJSON_Duplicate(ib_view_object(p->v->root, "provenance"), true);
    enum { LONGEST = 16 };
    cJSON *m = copy ? copy->child : NULL;

    while (m) {
        cJSON *next = m->next;
        if (cJSON_GetArraySize(m) > LONGEST)
            cJSON_Delete(cJSON_DetachItemViaPointer(copy, m));
        m = next;
    }
    enum ib_status s = add_json(p, "Provenance (never compared)", copy, err);
    cJSON_Delete(copy);
    return s;
}

static void add_recompute(const struct ib_page *p)
{
    const cJSON *suite = ib_view_object(p->v->root, "suite");
    const cJSON *data = ib_view_object(p->v->root, "dataset");

    ib_html_add(p->t,
                "<h3>Recompute it</h3>\n<pre>invbench run suite.json --out "
                "again%s\ninvbench report again</pre>\n",
                strcmp(ib_view_text(data, "name"), "synthfaces") == 0
                    ? ""
                    : " --data DIR");
    ib_html_add(p->t,
                "<p class=note><code>suite.json</code> lies beside this page "
                "(SHA-256 of its canonical form: <code>%s</code>). On a "
                "machine of the same numerics (<code>%s</code>) every number "
                "comes out the same, to the last bit.</p>\n",
                ib_view_text(suite, "sha256"),
                ib_view_text(p->v->root, "numerics"));
    ib_html_add(p->t, "<p class=note>Terms of the data: %s</p>\n",
                *ib_view_text(data, "license") ? ib_view_text(data, "license")
                                               : "not stated");
}

enum ib_status ib_page_details(const struct ib_page *p, struct ib_error *err)
{
    static const char *const parts[][2] = {
        {"attacks", "Attacks and their options"},
        {"defenses", "Defenses and their options"},
        {"models", "Models and their options"},
        {"evaluators", "Evaluators and their options"},
    };
    enum ib_status s = IB_OK;

    ib_text_add(p->t, "<h2 id=details>Details</h2>\n");
    if (*ib_view_text(p->v->summary, "method"))
        ib_html_add(p->t,
                    "<details><summary>How the intervals are made</summary>"
                    "<p>%s</p></details>\n",
                    ib_view_text(p->v->summary, "method"));
    ib_page_set(p);
    add_definitions(p, "columns", "What each number means");
    add_definitions(p, "set_columns", "What scores of sets mean");
    for (size_t i = 0; i < IB_COUNT(parts) && s == IB_OK; i++)
        s = add_json(p, parts[i][1], ib_view_array(p->v->root, parts[i][0]),
                     err);
    if (s == IB_OK)
        s = add_json(p, "Data set", ib_view_object(p->v->root, "dataset"), err);
    if (s == IB_OK)
        s = add_provenance(p, err);
    add_recompute(p);
    return s;
}
