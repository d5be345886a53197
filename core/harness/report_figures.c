/* Plots, inlined; contact sheets, as base64 PNG. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_page.h"

enum {
    SVG_MAX = 8 << 20,
    PNG_MAX = 16 << 20,
    SHEETS_MAX = 48 << 20, /* all that one page carries */
    WIDE = 760,            /* a plot that has a line to itself */
};

/* gnuplot's fixed ink and paper become the page's; its ids get a prefix, so
 * that several pictures live in one page. */
struct swap {
    const char *from, *to; /* to: NULL = the prefix goes in after from */
};
static const struct swap swaps[] = {
    {"rgb(1,2,3)", "var(--ink)"},
    {"rgb(  1,   2,   3)", "var(--ink)"},
    {"#010203", "var(--ink)"},
    {"#fefdfc", "var(--card)"},
    {"#FEFDFC", "var(--card)"},
    {"=\"black\"", "=\"var(--ink)\""},
    {"='black'", "='var(--ink)'"},
    {" id='", NULL},
    {" id=\"", NULL},
    {"href='#", NULL},
    {"url(#", NULL},
    {"url('#", NULL},
};

static const struct swap *swap_at(const char *s)
{
    for (size_t i = 0; i < IB_COUNT(swaps); i++)
        if (strncmp(s, swaps[i].from, strlen(swaps[i].from)) == 0)
            return &swaps[i];
    return NULL;
}

/* Skips an element that has no place in the page; NULL: s is none of them. */
static const char *after_dropped(const char *s)
{
    static const char *const dropped[][2] = {{"<title>", "</title>"},
                                             {"<desc>", "</desc>"}};

    for (size_t i = 0; i < IB_COUNT(dropped); i++) {
        if (strncmp(s, dropped[i][0], strlen(dropped[i][0])) != 0)
            continue;
        const char *end = strstr(s, dropped[i][1]);
        return end ? end + strlen(dropped[i][1]) : s + strlen(s);
    }
    return NULL;
}

static void inline_svg(struct ib_text *t, const char *svg, const char *prefix,
                       const char *label)
{
    const char *s = strstr(svg, "<svg");

    if (!s)
        return;
    ib_html_add(t, "<svg role=img aria-label=\"%s\"", label);
    for (s += 4; *s;) {
        const struct swap *w = swap_at(s);
        const char *after = after_dropped(s);
        if (after) {
            s = after;
        } else if (w) {
            ib_text_add(t, "%s%s%s", w->to ? w->to : w->from,
                        w->to ? "" : prefix, w->to ? "" : "-");
            s += strlen(w->from);
        } else {
            ib_text_put(t, s++, 1);
        }
    }
}

static void plot_words(const struct ib_page *p, const struct ib_plot *plot,
                       struct ib_text *out)
{
    const char *what = plot->leakage
                           ? "leakage"
                           : "share of identities identified by SSIM, minus "
                             "the best control's";
    const char *model = plot->model < 0 ? "" : p->v->models.at[plot->model];

    if (plot->kind == IB_PLOT_HEAT)
        ib_text_add(out,
                    "%s: %s of every attack (rows) behind every defense "
                    "(columns). Dark is bad for privacy; hatched cells have "
                    "no number.",
                    model, what);
    else if (plot->kind == IB_PLOT_QUERIES)
        ib_text_add(out,
                    "%s: what an attacker holds after 10, 30, 100, ... "
                    "queries an identity: the lower of the evaluators' "
                    "verdicts; the last point: when all was spent. Identities "
                    "that stopped early keep their last picture.",
                    model);
    else
        ib_text_add(out,
                    "Utility against privacy: accuracy of the defended model "
                    "and %s of the best attack, with 95 %% intervals. The "
                    "best place is bottom right.",
                    what);
    if (plot->left_out > 0)
        ib_text_add(out, " %d more did not fit into the picture.",
                    plot->left_out);
}

static enum ib_status add_plot(const struct ib_page *p,
                               const struct ib_plot *plot, struct ib_error *err)
{
    struct ib_text svg = {0}, words = {0};
    char path[4096];

    snprintf(path, sizeof path, "%s/plots/%s.svg", p->dir, plot->name);
    enum ib_status s = ib_file_read(path, SVG_MAX, &svg, err);
    if (s != IB_OK)
        goto done;
    plot_words(p, plot, &words);
    ib_text_add(p->t,
                "<figure%s>\n<div class=plot role=region tabindex=0 "
                "aria-label=plot style=\"--w:%dpx\">\n",
                plot->width > WIDE ? " class=wide" : "", plot->width);
    inline_svg(p->t, ib_text_string(&svg), plot->name, ib_text_string(&words));
    ib_html_add(p->t,
                "</div>\n<figcaption>%s <span class=soft>(plots/%s.png, "
                ".dat, .gp)</span></figcaption>\n</figure>\n",
                ib_text_string(&words), plot->name);
    s = ib_text_status(&words, err);
done:
    ib_text_free(&svg);
    ib_text_free(&words);
    return s;
}

enum ib_status ib_page_plots(const struct ib_page *p, struct ib_error *err)
{
    static const enum ib_plot_kind order[] = {IB_PLOT_QUERIES, IB_PLOT_HEAT,
                                              IB_PLOT_TRADEOFF};
    enum ib_status s = IB_OK;

    ib_text_add(p->t, "<h2 id=plots>The curves</h2>\n");
    if (!p->plots->drawn)
        ib_html_add(p->t,
                    "<p>No plots: %s. Their data and scripts are in "
                    "plots/.</p>\n",
                    p->plots->problem[0] ? p->plots->problem
                                         : "no cell has a number");
    if (!p->plots->drawn)
        return IB_OK;
    ib_text_add(p->t, "<div class=plots>\n");
    for (size_t k = 0; k < IB_COUNT(order); k++)
        for (size_t i = 0; i < p->plots->n && s == IB_OK; i++)
            if (p->plots->at[i].kind == order[k])
                s = add_plot(p, &p->plots->at[i], err);
    ib_text_add(p->t, "</div>\n");
    return s;
}

/* --- contact sheets ---------------------------------------------------- */

static bool safe_file(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && n < 250 && name[0] != '.' && !strchr(name, '/') &&
           strcmp(name + n - 4, ".png") == 0;
}

static unsigned be32(const unsigned char *b)
{
    return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 |
           b[3];
}

/* Width and height from the header; false when it is no PNG. */
static bool png_size(const struct ib_text *png, int *w, int *h)
{
    const unsigned char *b = (const unsigned char *)png->data;

    if (png->size < 33 || memcmp(b, "\x89PNG\r\n\x1a\n", 8) != 0 ||
        memcmp(b + 12, "IHDR", 4) != 0)
        return false;
    unsigned width = be32(b + 16), height = be32(b + 20);
    if (width == 0 || width > 100000 || height == 0 || height > 100000)
        return false;
    *w = (int)width;
    *h = (int)height;
    return true;
}

static void sheet_words(const cJSON *sheet, struct ib_text *out)
{
    const cJSON *c;
    const char *comma = "";
    bool control = strcmp(ib_view_text(sheet, "kind"), "control") == 0;

    if (strcmp(ib_view_text(sheet, "kind"), "prior") == 0) {
        ib_text_add(out,
                    "Samples of the prior %s (of %s), seed %.15g, each beside "
                    "the public image that is nearest to it in pixels, of "
                    "those that it learnt from.",
                    ib_view_text(sheet, "prior"), ib_view_text(sheet, "attack"),
                    ib_view_number(sheet, "seed"));
        return;
    }
    if (control)
        ib_text_add(out, "Controls of %s", ib_view_text(sheet, "model"));
    else
        ib_text_add(out, "%s attacked by %s (sees %s)",
                    ib_view_text(sheet, "model"), ib_view_text(sheet, "attack"),
                    ib_view_text(sheet, "access"));
    ib_text_add(out,
                ", seed %.15g. A row is an identity. Columns: private = a "
                "real training image; nearest = the identity's training "
                "image nearest to the first picture, public (if the data has "
                "any) = the public image nearest to it; then %s ",
                ib_view_number(sheet, "seed"),
                control ? "what each control offers:"
                        : "what the attack made behind");
    cJSON_ArrayForEach(c, ib_view_array(sheet, "columns"))
    {
        if (cJSON_IsString(c))
            ib_text_add(out, "%s%s", comma, c->valuestring);
        comma = ", ";
    }
    ib_text_add(out, ".");
}

/* Adds a sheet's picture, or says why there is none; returns its bytes. */
static size_t add_picture(const struct ib_page *p, const char *file,
                          const char *alt, size_t room)
{
    struct ib_text png = {0};
    struct ib_error why = {0};
    char path[4096];
    int w = 0, h = 0;
    size_t size = 0;

    snprintf(path, sizeof path, "%s/images/%s", p->dir, file);
    if (!safe_file(file)) {
        ib_html_add(p->t, "<p>\"%s\" is no name of a sheet.</p>", file);
    } else if (ib_file_read(path, PNG_MAX, &png, &why) != IB_OK) {
        ib_html_add(p->t, "<p>This sheet is missing: %s.</p>", why.text);
    } else if (!png_size(&png, &w, &h)) {
        ib_html_add(p->t, "<p>images/%s is no PNG picture.</p>", file);
    } else if (png.size > room) {
        ib_html_add(p->t, "<p>Too large for this page: see images/%s.</p>",
                    file);
    } else {
        size = png.size;
        ib_html_add(p->t,
                    "<img width=%d height=%d alt=\"%s\" "
                    "src=\"data:image/png;base64,",
                    w, h, alt);
        ib_html_base64(p->t, png.data, png.size);
        ib_text_add(p->t, "\">");
    }
    ib_text_free(&png);
    return size;
}

/* ctx: the bytes of pictures that the page already holds. */
static void add_sheet(void *ctx, const struct ib_page *p, const cJSON *sheet)
{
    struct ib_text words = {0};
    size_t *used = ctx;

    sheet_words(sheet, &words);
    ib_text_add(p->t, "<figure>\n<div class=sheet role=region tabindex=0 "
                      "aria-label=\"contact sheet\">");
    *used += add_picture(p, ib_view_text(sheet, "file"), ib_text_string(&words),
                         (size_t)SHEETS_MAX - *used);
    ib_html_add(p->t, "</div>\n<figcaption>%s</figcaption>\n</figure>\n",
                ib_text_string(&words));
    p->t->failed |= words.failed;
    ib_text_free(&words);
}

enum ib_status ib_page_sheets(const struct ib_page *p, struct ib_error *err)
{
    char path[4096];
    cJSON *index = NULL;
    struct ib_error why = {0};
    size_t used = 0;

    ib_text_add(p->t, "<h2 id=pictures>The pictures</h2>\n");
    snprintf(path, sizeof path, "%s/images/index.json", p->dir);
    enum ib_status s = ib_json_read(path, &index, &why);
    const cJSON *sheets = ib_view_array(index, "sheets");
    if (s == IB_E_NOMEM)
        return ib_error_set(err, s, "%s", why.text);
    if (s != IB_OK)
        ib_html_add(p->t,
                    "<p>No contact sheets: %s. <code>invbench "
                    "run</code> makes them.</p>\n",
                    why.text);
    else if (cJSON_GetArraySize(sheets) == 0)
        ib_text_add(p->t, "<p>No cell of this run left pictures.</p>\n");
    else
        ib_text_add(p->t, "<p class=note>Of each model the attack that leaks "
                          "most; below it the others, and the controls: a "
                          "clear face that is not this person's gives nothing "
                          "away.</p>\n");
    ib_page_sheet_groups(
        p, sheets, &(struct ib_page_sheet){.put = add_sheet, .ctx = &used});
    cJSON_Delete(index);
    return IB_OK;
}
