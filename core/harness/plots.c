/* Which plots there are, and making them. */
#include "plots.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plots_parts.h"
#include "plots_run.h"
#include "table_width.h"

/* Okabe and Ito's, without the two that vanish on white or on black. */
const char *const ib_plot_colors[IB_PLOT_COLORS] = {
    "#0072b2", "#e69f00", "#009e73", "#cc79a7",
    "#56b4e9", "#d55e00", "#8c8c8c"};

void ib_plot_quote(struct ib_text *t, const char *s, int width)
{
    struct ib_text cut = {0};
    int full = ib_text_width(s);

    ib_text_fit(&cut, s, full < width ? full : width, false);
    ib_text_put(t, "'", 1);
    for (const char *c = ib_text_string(&cut); *c; c++) {
        if (*c == '\'')
            ib_text_put(t, "''", 2);
        else
            ib_text_put(t, *c == '`' ? "?" : c, 1);
    }
    ib_text_put(t, "'", 1);
    t->failed |= cut.failed;
    ib_text_free(&cut);
}

void ib_plot_number(struct ib_text *t, double x)
{
    if (isnan(x))
        ib_text_add(t, " NaN");
    else
        ib_text_add(t, " %.6g", x);
}

void ib_plot_begin(struct ib_text *t, const struct ib_plot *p)
{
    ib_text_add(t,
                "# gnuplot -d %s.gp\n"
                "reset\n"
                "set encoding utf8\n"
                "set terminal svg size %d,%d dynamic noenhanced "
                "font 'sans-serif,13' background '" IB_PLOT_PAPER "'\n"
                "set output '%s.svg'\n"
                "set border 3 lc rgb '" IB_PLOT_INK "'\n"
                "set tics nomirror out scale 0.5 textcolor rgb '" IB_PLOT_INK
                "'\n"
                "set grid lc rgb '#a0a0a0' lw 0.4 dt 3\n"
                "set key textcolor rgb '" IB_PLOT_INK "'\n",
                p->name, p->width, p->height, p->name);
}

void ib_plot_end(struct ib_text *t, const struct ib_plot *p)
{
    ib_text_add(t,
                "\nset terminal pngcairo size %d,%d "
                "noenhanced font 'sans-serif,10' fontscale 2 linewidth 2 "
                "pointscale 2 background '" IB_PLOT_PAPER "'\n"
                "set output '%s.png'\n"
                "replot\n"
                "unset output\n",
                2 * p->width, 2 * p->height, p->name);
}

/* The name of a model in a file's name; its number too where that is not
 * enough to tell models apart. */
static void name_plot(struct ib_plot *p, const char *what, const char *model)
{
    static const char kept[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t plain = strspn(model, kept);

    if (p->model < 0)
        snprintf(p->name, sizeof p->name, "%s", what);
    else if (plain > 0 && model[plain] == '\0' && plain <= 40)
        snprintf(p->name, sizeof p->name, "%s-%s", what, model);
    else
        snprintf(p->name, sizeof p->name, "%s-model.%d", what, p->model + 1);
}

static enum ib_status write_file(const char *dir, const char *name,
                                 const char *ending, const struct ib_text *t,
                                 struct ib_error *err)
{
    char path[4096];
    enum ib_status s = ib_text_status(t, err);

    if (s != IB_OK)
        return s;
    if (snprintf(path, sizeof path, "%s/%s%s", dir, name, ending) >=
        (int)sizeof path)
        return ib_error_set(err, IB_E_IO, "%s: path is too long", dir);
    return ib_file_write(path, ib_text_string(t), t->size, err);
}

typedef bool (*maker)(const struct ib_view *v, struct ib_plot *p,
                      struct ib_text *data, struct ib_text *script);

static enum ib_status add_plot(const char *folder, const struct ib_view *v,
                               struct ib_plots *out, struct ib_plot p,
                               struct ib_error *err)
{
    static const maker makers[] = {ib_plot_heat, ib_plot_queries,
                                   ib_plot_tradeoff};
    static const char *const names[] = {"heatmap", "queries", "tradeoff"};
    struct ib_text data = {0}, script = {0};
    enum ib_status s = IB_OK;

    name_plot(&p, names[p.kind], p.model < 0 ? "" : v->models.at[p.model]);
    p.leakage = ib_view_calibrated(v, p.model);
    if (makers[p.kind](v, &p, &data, &script)) {
        s = write_file(folder, p.name, ".dat", &data, err);
        if (s == IB_OK)
            s = write_file(folder, p.name, ".gp", &script, err);
        if (s == IB_OK)
            out->at[out->n++] = p;
    }
    ib_text_free(&data);
    ib_text_free(&script);
    return s;
}

static enum ib_status add_all(const char *folder, const struct ib_view *v,
                              struct ib_plots *out, struct ib_error *err)
{
    enum ib_status s = IB_OK;

    for (int m = 0; m < (int)v->models.n && s == IB_OK; m++) {
        struct ib_plot heat = {.kind = IB_PLOT_HEAT, .model = m};
        struct ib_plot queries = {.kind = IB_PLOT_QUERIES, .model = m};
        s = add_plot(folder, v, out, heat, err);
        if (s == IB_OK)
            s = add_plot(folder, v, out, queries, err);
    }
    if (s == IB_OK) {
        struct ib_plot tradeoff = {.kind = IB_PLOT_TRADEOFF, .model = -1};
        s = add_plot(folder, v, out, tradeoff, err);
    }
    return s;
}

static enum ib_status draw(const char *folder, struct ib_plots *p,
                           struct ib_error *err)
{
    struct ib_text all = {0};
    struct ib_error why = {0};
    bool found = true;

    for (size_t i = 0; i < p->n; i++)
        ib_text_add(&all, "load '%s.gp'\n", p->at[i].name);
    enum ib_status s = write_file(folder, "all", ".gp", &all, err);
    ib_text_free(&all);
    if (s != IB_OK)
        return s;
    p->drawn = ib_gnuplot_run(folder, "all.gp", &found, &why) == IB_OK && found;
    if (!found)
        snprintf(p->problem, sizeof p->problem,
                 "gnuplot is not installed on the machine that made this page");
    else if (!p->drawn)
        snprintf(p->problem, sizeof p->problem, "%.500s", why.text);
    return IB_OK;
}

enum ib_status ib_plots_make(const char *dir, const struct ib_view *v,
                             struct ib_plots *out, struct ib_error *err)
{
    char folder[4096];
    enum ib_status s;

    *out = (struct ib_plots){0};
    if (snprintf(folder, sizeof folder, "%s/plots", dir) >=
        (int)sizeof folder - 100)
        return ib_error_set(err, IB_E_IO, "%s: path is too long", dir);
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return ib_error_set(err, IB_E_IO, "%s: %s", folder, strerror(errno));
    out->at = calloc(2 * v->models.n + 1, sizeof *out->at);
    if (!out->at)
        return ib_error_set(err, IB_E_NOMEM, "plots: no memory");
    s = add_all(folder, v, out, err);
    if (s == IB_OK && out->n > 0)
        s = draw(folder, out, err);
    if (s != IB_OK)
        ib_plots_free(out);
    return s;
}

void ib_plots_free(struct ib_plots *p)
{
    if (!p)
        return;
    free(p->at);
    *p = (struct ib_plots){0};
}
