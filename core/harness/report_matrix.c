/* The matrix of attacks and defenses, and the controls that it leans on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report_page.h"

void ib_page_table(struct ib_text *t, const char *label, const char *caption)
{
    ib_html_add(
        t,
        "<div class=scroll role=region tabindex=0 "
        "aria-label=\"%s\">\n<table>\n<caption><span>%s</span></caption>\n",
        label, caption);
}

void ib_page_table_end(struct ib_text *t)
{
    ib_text_add(t, "</tbody></table>\n</div>\n");
}

static void add_evaluator(struct ib_text *t, const struct ib_view_row *r)
{
    const char *id = "";
    const cJSON *e = ib_view_evaluator(r, &id), *other;
    double least = NAN, most = NAN;

    if (!e)
        return;
    ib_html_add(t, "<small title=\"the strictest evaluator: %s\">evaluator ",
                id);
    ib_page_number(t, ib_view_number(e, "acc1"));
    ib_text_add(t, " (");
    ib_page_number(t, ib_view_number(e, "floor"));
    ib_text_add(t, " to ");
    ib_page_number(t, ib_view_number(e, "ceiling"));
    ib_text_add(t, ")");
    cJSON_ArrayForEach(other, ib_view_object(r->json, "evaluators"))
    {
        if (other == e)
            continue;
        least = fmin(least, ib_view_number(other, "acc1"));
        most = fmax(most, ib_view_number(other, "acc1"));
    }
    if (!isnan(most)) {
        ib_text_add(t, least < most ? ", others " : ", other ");
        ib_page_number(t, least);
    }
    if (least < most) {
        ib_text_add(t, " to ");
        ib_page_number(t, most);
    }
    ib_text_add(t, "</small>");
}

static void add_beside_control(struct ib_text *t, const struct ib_view_row *r,
                               const char *column, const char *words)
{
    struct ib_estimate e = ib_view_column(r, column);

    if (isnan(e.value))
        return;
    ib_html_add(t, "<small title=\"best control: %s\">%s ",
                e.control[0] ? e.control : "none", words);
    ib_page_number(t, e.value);
    ib_text_add(t, " (control ");
    ib_page_number(t, e.control_value);
    ib_text_add(t, ")</small>");
}

static void add_difference(struct ib_text *t, const struct ib_view_row *r)
{
    const cJSON *d = ib_view_object(r->json, "difference");
    struct ib_estimate e = ib_view_estimate(ib_view_object(d, "leakage"));

    if (isnan(e.value))
        return;
    ib_text_add(t, "<small>%s", e.value > 0 ? "+" : "");
    ib_page_number(t, e.value);
    ib_text_add(t, " ");
    ib_page_interval(t, &e);
    ib_text_add(t, " against undefended</small>");
}

static void add_flags(struct ib_text *t, const struct ib_view_row *r)
{
    const cJSON *f;

    cJSON_ArrayForEach(f, ib_view_array(r->json, "flags"))
        ib_html_add(t, "<a class=flag href=\"#flags\" title=\"%s\">%s</a>",
                    ib_view_text(f, "text"), ib_view_text(f, "name"));
}

static void add_value(struct ib_text *t, const struct ib_view_row *r)
{
    char queries[IB_NUMBER_SIZE];
    double x = r->leakage.value;

    if (isnan(x)) {
        ib_html_add(t, "<td class=\"v null\"><b>n/a</b> <small>%s</small>",
                    r->leakage.reason);
    } else {
        double share = x < 0 ? 0 : x > 1 ? 1 : x;
        ib_text_add(t,
                    "<td class=v style=\"background:rgba(213,94,0,%.2f)\">"
                    "<b>",
                    0.42 * share);
        ib_page_number(t, x);
        ib_text_add(t, "</b> ");
    }
    ib_page_interval(t, &r->leakage);
    add_difference(t, r);
    add_evaluator(t, r);
    add_beside_control(t, r, "id_top1", "by SSIM");
    add_beside_control(t, r, "ssim", "SSIM");
    if (!isnan(ib_view_queries(r)))
        ib_text_add(t, "<small>%s queries an identity</small>",
                    ib_view_count(queries, ib_view_queries(r)));
    add_flags(t, r);
    ib_text_add(t, "</td>");
}

/* The row that a bypassed one points at, or NULL. */
static const struct ib_view_row *same_as(const struct ib_view *v,
                                         const struct ib_view_row *r,
                                         const struct ib_line *l)
{
    const char *same = ib_view_text(r->json, "same_as");
    char name[4096];

    for (size_t d = 0; d < v->defenses.n; d++) {
        snprintf(name, sizeof name, "%s/%s/%s/%s", v->models.at[r->model],
                 v->defenses.at[d], v->attacks.at[r->attack], r->access);
        if (strcmp(name, same) == 0)
            return ib_view_find(v, r->model, (int)d, l);
    }
    return NULL;
}

static void add_bypass(const struct ib_page *p, const struct ib_view_row *r,
                       const struct ib_line *l)
{
    const struct ib_view_row *same = same_as(p->v, r, l);

    ib_html_add(p->t, "<td class=\"v null\" title=\"%s\">bypassed", r->reason);
    if (same && ib_view_is(same, "ok")) {
        ib_html_add(p->t,
                    "<small>same as %s: ", p->v->defenses.at[same->defense]);
        ib_page_number(p->t, same->leakage.value);
        ib_text_add(p->t, "</small>");
    }
    ib_text_add(p->t, "</td>");
}

static void add_cell(const struct ib_page *p, const struct ib_view_row *r,
                     const struct ib_line *l)
{
    if (!r) {
        ib_text_add(p->t, "<td class=\"v null\">not in this run</td>");
    } else if (ib_view_is(r, "ok")) {
        add_value(p->t, r);
    } else if (ib_view_is(r, "bypass")) {
        add_bypass(p, r, l);
    } else {
        ib_html_add(p->t, "<td class=\"v null%s\">%s<small>%s</small>",
                    ib_view_is(r, "skipped") ? "" : " lost", r->status,
                    r->reason);
        add_flags(p->t, r);
        ib_text_add(p->t, "</td>");
    }
}

static void add_line(const struct ib_page *p, int model,
                     const struct ib_line *l)
{
    ib_html_add(p->t, "<tr><th scope=row>%s<small>sees %s</small></th>",
                p->v->attacks.at[l->attack], l->access);
    for (size_t d = 0; d < p->v->defenses.n; d++)
        add_cell(p, ib_view_find(p->v, model, (int)d, l), l);
    ib_text_add(p->t, "</tr>\n");
}

/* A line has a row where the suite asks for it with this model. */
static bool line_is_asked(const struct ib_page *p, int model,
                          const struct ib_line *l)
{
    for (size_t d = 0; d < p->v->defenses.n; d++)
        if (ib_view_find(p->v, model, (int)d, l))
            return l->runs;
    return false;
}

static void add_model(const struct ib_page *p, int model)
{
    const char *id = p->v->models.at[model];

    ib_html_add(p->t, "<h3>%s</h3>\n", id);
    ib_page_table(p->t, id,
                  "Large: leakage [95 % interval]. Rows are attacks, columns "
                  "what stood before the model.");
    ib_text_add(p->t, "<thead><tr><th scope=col>Attack</th>");
    for (size_t d = 0; d < p->v->defenses.n; d++)
        ib_html_add(p->t, "<th scope=col>%s</th>", p->v->defenses.at[d]);
    ib_text_add(p->t, "</tr></thead>\n<tbody>\n");
    for (size_t l = 0; l < p->v->n_lines; l++)
        if (line_is_asked(p, model, &p->v->lines[l]))
            add_line(p, model, &p->v->lines[l]);
    ib_page_table_end(p->t);
}

void ib_page_matrix(const struct ib_page *p)
{
    bool said = false;

    ib_text_add(
        p->t,
        "<h2 id=matrix>Every attack against every defense</h2>\n"
        "<p class=note>Hatched cells have no number of their own and say why; "
        "<b>bypassed</b>: the defense stands where this attack does not pass, "
        "so nothing was measured twice.</p>\n"
        "<details><summary>The small print of a cell</summary>\n"
        "<dl class=facts><dt>evaluator</dt><dd>share of people that the "
        "strictest independent classifier recognises (by which leakage is "
        "least); in brackets its floor (best control) and its ceiling (real "
        "unseen images)</dd>\n"
        "<dt>by SSIM</dt><dd>share whose most similar private image is of the "
        "right person, and the same for the best control</dd>\n"
        "<dt>SSIM</dt><dd>to the most similar private image of the person. It "
        "likes blur: a plain average scores well with nothing reconstructed, "
        "so only the difference to the control means anything</dd></dl>"
        "</details>\n");
    if (p->v->n_lines == 0)
        ib_text_add(p->t, "<p>This run has no cells.</p>\n");
    for (size_t m = 0; m < p->v->models.n && p->v->n_lines > 0; m++)
        add_model(p, (int)m);
    for (size_t l = 0; l < p->v->n_lines; l++) {
        const struct ib_line *line = &p->v->lines[l];
        if (line->runs)
            continue;
        ib_html_add(p->t, "%s%s with %s (%s)",
                    said ? "; " : "Never run: ", p->v->attacks.at[line->attack],
                    line->access, line->reason[0] ? line->reason : "skipped");
        said = true;
    }
    if (said)
        ib_text_add(p->t, ".\n");
}

static bool shown_control(const char *column)
{
    return strcmp(column, "ssim") == 0 || strcmp(column, "id_top1") == 0 ||
           strncmp(column, "acc1@", 5) == 0;
}

/* acc1@EVALUATOR stays as it is: its id is wanted. */
static const char *control_title(const char *column)
{
    if (strcmp(column, "ssim") == 0)
        return "SSIM";
    return strcmp(column, "id_top1") == 0 ? "identified by SSIM" : column;
}

static void add_control(const struct ib_page *p, const cJSON *control)
{
    const cJSON *columns = ib_view_object(control, "columns"), *c;

    ib_html_add(p->t, "<tr><th scope=row>%s<small>%s</small></th>",
                ib_view_text(control, "name"), ib_view_text(control, "model"));
    cJSON_ArrayForEach(c, ib_view_array(p->v->root, "columns"))
    {
        const char *name = ib_view_text(c, "name");
        if (!shown_control(name))
            continue;
        struct ib_estimate e = ib_view_estimate(ib_view_object(columns, name));
        ib_text_add(p->t, "<td class=n>");
        ib_page_number(p->t, e.value);
        ib_text_add(p->t, "<small>");
        ib_page_interval(p->t, &e);
        ib_text_add(p->t, "</small></td>");
    }
    ib_text_add(p->t, "</tr>\n");
}

static void add_missing_controls(const struct ib_page *p)
{
    const cJSON *c;

    cJSON_ArrayForEach(c, ib_view_array(p->v->root, "controls"))
    {
        if (strcmp(ib_view_text(c, "status"), "ok") != 0)
            ib_html_add(p->t, "<p class=note>%s of %s: %s: %s</p>\n",
                        ib_view_text(c, "name"), ib_view_text(c, "model"),
                        ib_view_text(c, "status"), ib_view_text(c, "reason"));
    }
}

void ib_page_controls(const struct ib_page *p)
{
    const cJSON *controls = ib_view_array(p->v->summary, "controls"), *c;

    ib_text_add(p->t,
                "<h2 id=controls>Controls</h2>\n<p class=note>Not "
                "attacks: what scores are worth when nothing was "
                "reconstructed, and (holdout) when everything was. "
                "optimised-noise is noise driven up the target's gradients: "
                "where an evaluator takes it for people, it can be "
                "fooled.</p>\n");
    if (cJSON_GetArraySize(controls) == 0) {
        ib_text_add(p->t, "<p>This run has no controls: without them its "
                          "scores cannot be judged.</p>\n");
        add_missing_controls(p);
        return;
    }
    ib_page_table(p->t, "Controls", "Mean over identities [95 % interval].");
    ib_text_add(p->t, "<thead><tr><th scope=col>Control</th>");
    cJSON_ArrayForEach(c, ib_view_array(p->v->root, "columns"))
    {
        if (shown_control(ib_view_text(c, "name")))
            ib_html_add(p->t, "<th scope=col class=n title=\"%s\">%s</th>",
                        ib_view_text(c, "definition"),
                        control_title(ib_view_text(c, "name")));
    }
    ib_text_add(p->t, "</tr></thead>\n<tbody>\n");
    cJSON_ArrayForEach(c, controls) add_control(p, c);
    ib_page_table_end(p->t);
    add_missing_controls(p);
}
