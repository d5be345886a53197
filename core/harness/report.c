/* RUN/report.html: one file, everything in it. */
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "report_page.h"
#include "report_style.h"
#include "run_results.h"

static const char *const sections[][2] = {
    {"headline", "Headline"}, {"matrix", "Matrix"},
    {"plots", "Curves"},      {"pictures", "Pictures"},
    {"flags", "Flags"},       {"controls", "Controls"},
    {"utility", "Utility"},   {"exposure", "Exposure"},
    {"details", "Details"},
};

static const char *plural(double n)
{
    return n == 1 ? "" : "s";
}

/* " (30 people, 480 private images)" */
static void add_people(struct ib_text *t, const cJSON *data)
{
    double people = ib_view_number(data, "classes");
    double images = ib_view_number(ib_view_object(data, "counts"), "train");

    if (people > 0 && images > 0)
        ib_text_add(t, " (%.0f people, %.0f private images)", people, images);
}

/* What the attacker sees, and how often it may ask. */
static void add_attacker(const struct ib_page *p)
{
    const cJSON *level, *levels = ib_view_array(p->v->root, "access");
    double most =
        ib_view_number(ib_view_object(p->v->root, "budget"), "max_queries");
    int n = cJSON_GetArraySize(levels), i = 0;
    char s[IB_NUMBER_SIZE];

    ib_text_add(p->t, "Attackers see ");
    cJSON_ArrayForEach(level, levels)
    {
        ib_html_text(p->t, cJSON_IsString(level) ? level->valuestring : "");
        i++;
        ib_text_add(p->t, "%s", i + 1 < n ? ", " : i < n ? " or " : "");
    }
    if (most > 0)
        ib_text_add(p->t, ", and ask at most %s times for a person. ",
                    ib_view_count(s, most));
    else
        ib_text_add(p->t, ". ");
}

/* "1 model, 3 defenses and 2 attacks on synthfaces; ..." */
static void add_size(const struct ib_page *p)
{
    const struct ib_view *v = p->v;
    const cJSON *data = ib_view_object(v->root, "dataset");
    const cJSON *cells = ib_view_object(v->summary, "cells");
    int seeds = cJSON_GetArraySize(ib_view_array(v->root, "seeds"));
    double all = 0, ok = ib_view_number(cells, "ok");
    const cJSON *n;

    cJSON_ArrayForEach(n, cells) all += cJSON_IsNumber(n) ? n->valuedouble : 0;
    ib_text_add(p->t, "<p>%zu model%s, %zu defense%s and %zu attack%s on ",
                v->models.n, plural((double)v->models.n), v->defenses.n,
                plural((double)v->defenses.n), v->attacks.n,
                plural((double)v->attacks.n));
    ib_html_text(p->t, ib_view_text(data, "name"));
    add_people(p->t, data);
    ib_text_add(p->t, ", %d seed%s. ", seeds, plural(seeds));
    add_attacker(p);
    ib_text_add(p->t,
                "%.0f of %.0f cells have numbers; the others say why not."
                "</p>\n",
                ok > 0 ? ok : 0, all);
}

static void add_head(const struct ib_page *p)
{
    const cJSON *suite = ib_view_object(p->v->root, "suite");

    ib_html_add(p->t,
                "<!doctype html>\n<html lang=en>\n<head>\n"
                "<meta charset=utf-8>\n<meta name=viewport "
                "content=\"width=device-width, initial-scale=1\">\n"
                "<meta http-equiv=Content-Security-Policy content=\""
                "default-src 'none'; style-src 'unsafe-inline'; img-src "
                "data:\">\n<title>%s: invbench report</title>\n<style>\n",
                ib_view_text(suite, "name"));
    ib_text_put(p->t, ib_report_style, strlen(ib_report_style));
    ib_html_add(p->t,
                "</style>\n</head>\n<body>\n<a class=skip href=\"#main\">Skip "
                "to the results</a>\n<header>\n<p class=kicker>invbench: how "
                "much of its training data does a model give back?</p>\n"
                "<h1>%s</h1>\n<p>%s</p>\n",
                ib_view_text(suite, "name"), ib_view_text(suite, "summary"));
    add_size(p);
    ib_text_add(p->t, "</header>\n");
}

static void add_nav(const struct ib_page *p)
{
    ib_text_add(p->t, "<nav aria-label=Sections><ul>\n");
    for (size_t i = 0; i < IB_COUNT(sections); i++)
        ib_text_add(p->t, "<li><a href=\"#%s\">%s</a></li>\n", sections[i][0],
                    sections[i][1]);
    ib_text_add(p->t, "</ul></nav>\n");
}

static enum ib_status add_main(const struct ib_page *p, struct ib_error *err)
{
    ib_text_add(p->t, "<main id=main>\n");
    ib_page_tested(p);
    ib_page_headline(p);
    ib_page_matrix(p);
    enum ib_status s = ib_page_plots(p, err);
    ib_page_matched(p);
    if (s == IB_OK)
        s = ib_page_sheets(p, err);
    ib_page_flags(p);
    ib_page_controls(p);
    ib_page_utility(p);
    ib_page_priors(p);
    ib_page_membership(p);
    if (s == IB_OK)
        s = ib_page_exposure(p, err);
    if (s == IB_OK)
        s = ib_page_details(p, err);
    ib_text_add(p->t, "</main>\n<footer><p>Made by invbench from "
                      "results.json. This file needs no network and runs no "
                      "script.</p></footer>\n</body>\n</html>\n");
    return s;
}

static enum ib_status write_page(const struct ib_view *v,
                                 const struct ib_plots *plots, const char *dir,
                                 struct ib_error *err)
{
    struct ib_text t = {0};
    struct ib_page p = {.v = v, .plots = plots, .dir = dir, .t = &t};
    char path[4096];

    add_head(&p);
    add_nav(&p);
    enum ib_status s = add_main(&p, err);
    if (s == IB_OK)
        s = ib_text_status(&t, err);
    snprintf(path, sizeof path, "%s/report.html", dir);
    if (s == IB_OK)
        s = ib_file_write(path, ib_text_string(&t), t.size, err);
    ib_text_free(&t);
    return s;
}

enum ib_status ib_report_make(const char *dir, struct ib_error *err)
{
    cJSON *results = NULL;
    struct ib_view v = {0};
    struct ib_plots plots = {0};
    char path[4096];

    if (strlen(dir) > 3500)
        return ib_error_set(err, IB_E_IO, "%.80s...: path is too long", dir);
    snprintf(path, sizeof path, "%s/results.json", dir);
    enum ib_status s = ib_run_results(dir, &results, err);
    if (s == IB_OK)
        s = ib_view_open(results, path, &v, err);
    if (s == IB_OK)
        s = ib_plots_make(dir, &v, &plots, err);
    if (s == IB_OK)
        s = write_page(&v, &plots, dir, err);
    ib_plots_free(&plots);
    ib_view_close(&v);
    cJSON_Delete(results);
    return s;
}
