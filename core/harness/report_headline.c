/* What was tested, and what came of it, in plain words. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report_page.h"

void ib_page_interval(struct ib_text *t, const struct ib_estimate *e)
{
    char a[IB_NUMBER_SIZE], b[IB_NUMBER_SIZE];

    if (!isnan(e->low) && !isnan(e->high))
        ib_text_add(t, "[%s, %s]", ib_view_format(a, e->low),
                    ib_view_format(b, e->high));
}

void ib_page_number(struct ib_text *t, double x)
{
    char s[IB_NUMBER_SIZE];

    if (isnan(x))
        ib_text_add(t, "<span class=soft>n/a</span>");
    else
        ib_text_add(t, "%s", ib_view_format(s, x));
}

const char *ib_page_verdict(const struct ib_estimate *e)
{
    if (isnan(e->value))
        return "";
    if (isnan(e->low) || isnan(e->high))
        return "no interval, so this may be chance";
    if (e->high <= 0.1)
        return "no more than the controls find";
    if (e->low <= 0)
        return "not told apart from the controls";
    if (e->value < 0.35)
        return "some leakage";
    if (e->value < 0.7)
        return "strong leakage";
    return e->value < 0.95 ? "nearly as telling as real unseen images"
                           : "as telling as real unseen images";
}

static void add_ids(struct ib_text *t, const struct ib_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        ib_html_add(t, "%s%s", i ? ", " : "", names->at[i]);
}

static void add_fact(struct ib_text *t, const char *term,
                     const struct ib_names *names)
{
    ib_html_add(t, "<dt>%s</dt><dd>", term);
    add_ids(t, names);
    ib_text_add(t, "</dd>\n");
}

static void add_count(struct ib_text *t, const cJSON *o, const char *member,
                      const char *words)
{
    double n = ib_view_number(o, member);

    if (!isnan(n))
        ib_text_add(t, "%.0f %s", n, words);
}

static void add_data(const struct ib_page *p)
{
    const cJSON *d = ib_view_object(p->v->root, "dataset");
    const cJSON *counts = ib_view_object(d, "counts");
    const cJSON *shape = ib_view_array(d, "shape");
    double side[3];

    ib_html_add(p->t, "<dt>Data</dt><dd>%s: ", ib_view_text(d, "name"));
    add_count(p->t, d, "classes", "private identities, ");
    add_count(p->t, counts, "train", "private images, ");
    add_count(p->t, counts, "holdout", "held out, ");
    add_count(p->t, counts, "public", "public (other identities)");
    for (int i = 0; i < 3; i++) {
        const cJSON *n = cJSON_GetArrayItem(shape, i);
        side[i] = cJSON_IsNumber(n) ? n->valuedouble : NAN;
    }
    if (!isnan(side[0] + side[1] + side[2]))
        ib_text_add(p->t, "; %.0f &times; %.0f pixels, %s", side[2], side[1],
                    side[0] == 1 ? "grey" : "colour");
    ib_text_add(p->t, "</dd>\n");
}

static void add_list(struct ib_text *t, const cJSON *array)
{
    const cJSON *i;
    const char *comma = "";

    cJSON_ArrayForEach(i, array)
    {
        if (cJSON_IsString(i))
            ib_html_add(t, "%s%s", comma, i->valuestring);
        else if (cJSON_IsNumber(i))
            ib_text_add(t, "%s%.15g", comma, i->valuedouble);
        comma = ", ";
    }
}

static void add_cells(const struct ib_page *p)
{
    const cJSON *n;
    const char *comma = "";

    ib_text_add(p->t, "<dt>Cells</dt><dd>");
    cJSON_ArrayForEach(n, ib_view_object(p->v->summary, "cells"))
    {
        if (!cJSON_IsNumber(n) || !n->string)
            continue;
        ib_text_add(p->t, "%s%.0f ", comma, n->valuedouble);
        ib_html_text(p->t, n->string);
        comma = ", ";
    }
    ib_text_add(p->t, "</dd>\n");
}

void ib_page_tested(const struct ib_page *p)
{
    const cJSON *budget = ib_view_object(p->v->root, "budget");
    double most = ib_view_number(budget, "max_queries");
    char s[IB_NUMBER_SIZE];

    ib_text_add(p->t, "<details class=tested><summary>What was tested, in "
                      "full</summary>\n<dl class=facts>\n");
    add_data(p);
    add_fact(p->t, "Models under attack", &p->v->models);
    add_fact(p->t, "Defenses", &p->v->defenses);
    add_fact(p->t, "Attacks", &p->v->attacks);
    ib_text_add(p->t, "<dt>What attacks may see</dt><dd>");
    add_list(p->t, ib_view_array(p->v->root, "access"));
    ib_text_add(p->t, "</dd>\n<dt>Query budget</dt><dd>%s</dd>\n",
                most > 0 ? ib_view_count(s, most) : "unlimited");
    ib_text_add(p->t, "<dt>Seeds</dt><dd>");
    add_list(p->t, ib_view_array(p->v->root, "seeds"));
    ib_text_add(p->t, "</dd>\n");
    add_cells(p);
    ib_text_add(p->t, "</dl></details>\n");
}

/* The largest leakage of a model over the headlines of the undefended stack:
 * NULL when it has none. */
static const cJSON *worst_of(const struct ib_page *p, int model)
{
    const char *id = p->v->models.at[model];
    const char *bare =
        p->v->defenses.n ? p->v->defenses.at[ib_view_undefended(p->v)] : "";
    const cJSON *h, *worst = NULL;
    double most = -INFINITY;

    cJSON_ArrayForEach(h, ib_view_array(p->v->summary, "headline"))
    {
        double x = ib_view_number(ib_view_object(h, "leakage"), "value");
        if (strcmp(ib_view_text(h, "model"), id) == 0 &&
            strcmp(ib_view_text(h, "defense"), bare) == 0 && x > most) {
            most = x;
            worst = h;
        }
    }
    return worst;
}

static const struct ib_view_row *best_identified(const struct ib_page *p,
                                                 int model)
{
    const struct ib_view_row *best = NULL;

    for (size_t i = 0; i < p->v->n_rows; i++) {
        const struct ib_view_row *r = &p->v->rows[i];
        double x = ib_view_margin(r, "id_top1").value;
        if (r->model == model && ib_view_is(r, "ok") && !isnan(x) &&
            (!best || x > ib_view_margin(best, "id_top1").value))
            best = r;
    }
    return best;
}

/* For a model without any leakage: what identification says, and why. */
static void add_uncalibrated(const struct ib_page *p, int model)
{
    const struct ib_view_row *r = best_identified(p, model);

    if (!r) {
        ib_text_add(p->t, "<p>No cell of this model has a number. See "
                          "<a href=\"#flags\">flags and missing cells</a>."
                          "</p>\n");
        return;
    }
    struct ib_estimate id = ib_view_column(r, "id_top1");
    ib_text_add(p->t, "<p class=big>");
    ib_page_number(p->t, id.value);
    ib_text_add(p->t, " <small>identified by SSIM; best control ");
    ib_page_number(p->t, id.control_value);
    ib_html_add(p->t, "</small></p>\n<p>%s (%s), behind %s.</p>\n",
                p->v->attacks.at[r->attack], r->access,
                p->v->defenses.at[r->defense]);
    ib_html_add(p->t, "<p class=note>Leakage is not calibrated here: %s.</p>\n",
                r->leakage.reason[0] ? r->leakage.reason
                                     : "no reason was recorded");
}

/* The headline of a model behind a defense at an access level, or NULL. */
static const cJSON *headline_of(const struct ib_page *p, int model,
                                const char *defense, const char *access)
{
    const cJSON *h;

    cJSON_ArrayForEach(h, ib_view_array(p->v->summary, "headline"))
    {
        if (strcmp(ib_view_text(h, "model"), p->v->models.at[model]) == 0 &&
            strcmp(ib_view_text(h, "access"), access) == 0 &&
            (!defense || strcmp(ib_view_text(h, "defense"), defense) == 0))
            return h;
    }
    return NULL;
}

/* track: has anything behind any defense. */
static void add_value(struct ib_text *t, const cJSON *h, bool track)
{
    struct ib_estimate e = ib_view_estimate(ib_view_object(h, "leakage"));
    double x = e.value;
    int n = cJSON_GetArraySize(ib_view_array(h, "attacks"));

    if (!h) {
        ib_text_add(t, track ? "<td class=null>not run</td>"
                             : "<td class=\"null empty\">empty</td>");
        return;
    }
    if (isnan(x)) {
        ib_html_add(t, "<td class=null title=\"%s\">%s<small>", e.reason,
                    n == 0 ? "bypassed" : "n/a");
    } else {
        ib_text_add(t, "<td style=\"background:rgba(213,94,0,%.2f)\"><b>",
                    0.42 * (x < 0   ? 0
                            : x > 1 ? 1
                                    : x));
        ib_page_number(t, x);
        ib_text_add(t, "</b><small>");
    }
    ib_page_interval(t, &e);
    ib_text_add(t, "</small>");
    if (n > 1) {
        ib_text_add(t, "<small title=\"the evaluators' own choice, against as "
                       "many controls; the mean over the attacks\">best ");
        ib_page_number(t, ib_view_estimate(ib_view_object(h, "best")).value);
        ib_text_add(t, ", mean ");
        ib_page_number(t, ib_view_estimate(ib_view_object(h, "mean")).value);
        ib_text_add(t, "</small>");
    }
    ib_text_add(t, "</td>");
}

static void add_items(const struct ib_page *p, int model)
{
    enum { MOST = 16 };
    static const char *const levels[] = {"labels", "scores", "gradients",
                                         "whitebox"};
    size_t shown = 0;

    ib_text_add(p->t, "<div class=wide role=region tabindex=0 "
                      "aria-label=\"Leakage by access level\">\n"
                      "<table class=mini><caption><span>Leakage behind each "
                      "defense, by what the attacker sees</span></caption>\n"
                      "<thead><tr><th scope=col>Defense</th>");
    for (size_t i = 0; i < IB_COUNT(levels); i++)
        ib_html_add(p->t, "<th scope=col%s>%s</th>",
                    headline_of(p, model, NULL, levels[i]) ? ""
                                                           : " class=empty",
                    levels[i]);
    ib_text_add(p->t, "</tr></thead>\n<tbody>\n");
    for (size_t d = 0; d < p->v->defenses.n && shown < MOST; d++, shown++) {
        ib_html_add(p->t, "<tr><th scope=row>%s</th>", p->v->defenses.at[d]);
        for (size_t i = 0; i < IB_COUNT(levels); i++)
            add_value(p->t,
                      headline_of(p, model, p->v->defenses.at[d], levels[i]),
                      headline_of(p, model, NULL, levels[i]) != NULL);
        ib_text_add(p->t, "</tr>\n");
    }
    ib_text_add(p->t, "</tbody></table>\n</div>\n");
    if (p->v->defenses.n > shown)
        ib_html_add(p->t, "<p class=note>%d more are in the matrix.</p>\n",
                    (int)(p->v->defenses.n - shown));
}

static void add_card(const struct ib_page *p, int model)
{
    const cJSON *worst = worst_of(p, model);
    struct ib_estimate e = ib_view_estimate(ib_view_object(worst, "leakage"));

    ib_html_add(p->t, "<section class=card><h3>%s</h3>\n",
                p->v->models.at[model]);
    if (worst && !isnan(e.value)) {
        ib_text_add(p->t, "<p class=big>");
        ib_page_number(p->t, e.value);
        ib_text_add(p->t, " <small>");
        ib_page_interval(p->t, &e);
        ib_html_add(p->t,
                    " leakage</small></p>\n<p>Undefended, attacker sees "
                    "%s: %s.</p>\n",
                    ib_view_text(worst, "access"), ib_page_verdict(&e));
        add_items(p, model);
    } else if (ib_view_calibrated(p->v, model)) {
        add_items(p, model);
    } else {
        add_uncalibrated(p, model);
    }
    ib_text_add(p->t, "</section>\n");
}

static bool any_left_out(const struct ib_page *p)
{
    const cJSON *h;

    cJSON_ArrayForEach(h, ib_view_array(p->v->summary, "headline"))
    {
        if (cJSON_GetArraySize(ib_view_array(h, "left_out")) > 0)
            return true;
    }
    return false;
}

void ib_page_headline(const struct ib_page *p)
{
    ib_text_add(
        p->t,
        "<h2 id=headline>What came of it</h2>\n<p class=guide><b>Leakage "
        "0</b>: the pictures that attacks make are taken for the right person "
        "no more often than the best control (a public image, the average, "
        "noise, somebody else). <b>Leakage 1</b>: as often as real images "
        "that the model never saw. Brackets are 95&nbsp;%% intervals.</p>\n"
        "<div class=cards>\n");
    for (size_t m = 0; m < p->v->models.n; m++)
        add_card(p, (int)m);
    ib_text_add(p->t, "</div>\n");
    if (p->v->n_rows > 0)
        ib_text_add(p->t,
                    "<p class=note>Of an attacker who runs every attack "
                    "of that access level and keeps, for each person, "
                    "the picture that the target likes most. Attacks "
                    "that did not run on every stack of the track take "
                    "no part.%s</p>\n",
                    any_left_out(p) ? " Here some did not: see left_out in "
                                      "results.json."
                                    : "");
}
