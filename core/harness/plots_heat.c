/* Attack x defense: a cell each, its number in it; hatched where none is. */
#include <math.h>

#include "plots_parts.h"
#include "table_width.h"

enum { ROWS_MAX = 60, COLUMNS_MAX = 40, LABEL_MAX = 34 };

struct mapping { /* of matrix lines to rows of the picture */
    const struct ib_line *line[ROWS_MAX];
    int rows, columns;
};

static struct mapping map_lines(const struct ib_view *v, struct ib_plot *p)
{
    struct mapping m = {.columns = (int)v->defenses.n};

    for (size_t i = 0; i < v->n_lines; i++) {
        if (!v->lines[i].runs)
            continue;
        if (m.rows < ROWS_MAX)
            m.line[m.rows++] = &v->lines[i];
        else
            p->left_out++;
    }
    if (m.columns > COLUMNS_MAX) {
        p->left_out += m.columns - COLUMNS_MAX;
        m.columns = COLUMNS_MAX;
    }
    return m;
}

static double shown(const struct ib_plot *p, const struct ib_view_row *r)
{
    if (!r || !ib_view_is(r, "ok"))
        return NAN;
    return p->leakage ? r->leakage.value : ib_view_margin(r, "id_top1").value;
}

/* What stands in a cell without a number: a short word of our own. */
static const char *absent(const struct ib_view_row *r)
{
    if (!r)
        return "-";
    if (ib_view_is(r, "ok"))
        return "n/a";
    if (ib_view_is(r, "bypass"))
        return "bypassed";
    return ib_view_is(r, "skipped") ? "skipped" : "failed";
}

static int add_block(const struct ib_view *v, const struct ib_plot *p,
                     const struct mapping *m, bool numbers,
                     struct ib_text *data)
{
    int n = 0;

    for (int y = 0; y < m->rows; y++)
        for (int x = 0; x < m->columns; x++) {
            const struct ib_view_row *r =
                ib_view_find(v, p->model, x, m->line[y]);
            double value = shown(p, r);
            if (isnan(value) == numbers)
                continue;
            char s[IB_NUMBER_SIZE];
            ib_text_add(data, "%d %d", x, y);
            ib_plot_number(data, value);
            ib_text_add(data, " \"%s\" %d\n",
                        numbers ? ib_view_format(s, value) : absent(r),
                        numbers && value > 0.7 ? 0xffffff : 0x101112);
            n++;
        }
    return n;
}

static int widest_defense(const struct ib_view *v)
{
    int widest = 0;

    for (size_t i = 0; i < v->defenses.n; i++) {
        int w = ib_text_width(v->defenses.at[i]);
        widest = w > widest ? w : widest;
    }
    return widest < LABEL_MAX ? widest : LABEL_MAX;
}

static void add_tics(const struct ib_view *v, const struct mapping *m,
                     struct ib_text *t)
{
    ib_text_add(t, "set xtics (");
    for (int x = 0; x < m->columns; x++) {
        ib_plot_quote(t, v->defenses.at[x], LABEL_MAX);
        ib_text_add(t, " %d%s", x, x + 1 < m->columns ? ", " : "");
    }
    ib_text_add(t, ") %s scale 0\nset ytics (",
                widest_defense(v) > 12 ? "rotate by -25 left" : "");
    for (int y = 0; y < m->rows; y++) {
        struct ib_text label = {0};
        ib_text_add(&label, "%s (%s)", v->attacks.at[m->line[y]->attack],
                    m->line[y]->access);
        ib_plot_quote(t, ib_text_string(&label), LABEL_MAX);
        ib_text_add(t, " %d%s", y, y + 1 < m->rows ? ", " : "");
        ib_text_free(&label);
    }
    ib_text_add(t, ") scale 0\n");
}

static void add_style(const struct ib_plot *p, const struct mapping *m,
                      struct ib_text *t)
{
    ib_text_add(t,
                "set xrange [-0.5:%d.5]\nset yrange [%d.5:-0.5]\n"
                "set border 0\nunset grid\nunset key\n"
                "set cbrange [0:1]\n"
                "set palette defined (0 '#f4f1e8', 0.25 '#f6d28a', "
                "0.5 '#e69f00', 0.75 '#b54a00', 1 '#5c1400')\n"
                "set cbtics 0.25 textcolor rgb '" IB_PLOT_INK "'\n"
                "set cblabel '%s' textcolor rgb '" IB_PLOT_INK "'\n",
                m->columns - 1, m->rows - 1,
                p->leakage ? "leakage" : "identified minus control");
}

static int longest_label(const struct ib_view *v, const struct mapping *m)
{
    int longest = 8;

    for (int y = 0; y < m->rows; y++) {
        int w = ib_text_width(v->attacks.at[m->line[y]->attack]) +
                ib_text_width(m->line[y]->access) + 3;
        if (w > longest)
            longest = w;
    }
    return longest < LABEL_MAX ? longest : LABEL_MAX;
}

bool ib_plot_heat(const struct ib_view *v, struct ib_plot *p,
                  struct ib_text *data, struct ib_text *script)
{
    struct mapping m = map_lines(v, p);

    if (m.rows == 0 || m.columns == 0)
        return false;
    ib_text_add(data, "# defense attack value text color\n");
    int numbers = add_block(v, p, &m, true, data);
    ib_text_add(data, "\n\n");
    int missing = add_block(v, p, &m, false, data);
    p->width = 8 * longest_label(v, &m) + 150 + 96 * m.columns;
    p->height = 80 + 44 * m.rows + 3 * widest_defense(v);
    ib_plot_begin(script, p);
    add_tics(v, &m, script);
    add_style(p, &m, script);
    ib_text_add(script, "plot ");
    if (numbers > 0)
        ib_text_add(script,
                    "'%s.dat' index 0 using 1:2:(0.48):(0.47):3 with "
                    "boxxyerror lc palette fs solid noborder, \\\n"
                    "  '' index 0 using 1:2:4:5 with labels tc rgb variable%s",
                    p->name, missing > 0 ? ", \\\n  " : "");
    if (missing > 0)
        ib_text_add(script,
                    "'%s.dat' index %d using 1:2:(0.48):(0.47) with "
                    "boxxyerror lc rgb '#9a9a9a' fs pattern 4, \\\n"
                    "  '' index %d using 1:2:4 with labels tc rgb '" IB_PLOT_INK
                    "'",
                    p->name, numbers > 0, numbers > 0);
    ib_plot_end(script, p);
    return true;
}
