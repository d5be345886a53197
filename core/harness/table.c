#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_width.h"

enum { GAP = 2, CELL_MAX = 512 };

struct cell {
    size_t offset; /* into text */
    enum ib_tint tint;
};

struct ib_table {
    int n;
    struct ib_table_column column[IB_TABLE_COLUMNS_MAX];
    struct cell *cells;
    size_t count, capacity;
    struct ib_text text; /* all cells, each with its NUL */
    bool failed;
};

struct ib_table *ib_table_create(const struct ib_table_column *columns, int n)
{
    struct ib_table *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->n = n < IB_TABLE_COLUMNS_MAX ? n : IB_TABLE_COLUMNS_MAX;
    memcpy(t->column, columns, (size_t)t->n * sizeof *columns);
    return t;
}

void ib_table_free(struct ib_table *t)
{
    if (!t)
        return;
    ib_text_free(&t->text);
    free(t->cells);
    free(t);
}

static bool room_for_one(struct ib_table *t)
{
    if (t->count < t->capacity)
        return true;
    size_t capacity = t->capacity ? 2 * t->capacity : 64;
    struct cell *cells = realloc(t->cells, capacity * sizeof *cells);
    if (!cells) {
        t->failed = true;
        return false;
    }
    t->cells = cells;
    t->capacity = capacity;
    return true;
}

void ib_table_add(struct ib_table *t, enum ib_tint tint, const char *format,
                  ...)
{
    char text[CELL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!room_for_one(t))
        return;
    t->cells[t->count++] = (struct cell){t->text.size, tint};
    ib_text_put(&t->text, text, strlen(text) + 1);
}

static const char *text_at(const struct ib_table *t, size_t i)
{
    return t->text.failed ? "" : t->text.data + t->cells[i].offset;
}

static void measure(const struct ib_table *t, int width[])
{
    for (int c = 0; c < t->n; c++)
        width[c] = ib_text_width(t->column[c].title);
    for (size_t i = 0; i < t->count; i++) {
        int c = (int)(i % (size_t)t->n);
        int w = ib_text_width(text_at(t, i));
        if (w > width[c])
            width[c] = w;
    }
}

/* The widest column that can still shrink, or -1. */
static int can_shrink(const struct ib_table *t, const int width[], int shown)
{
    int best = -1;

    for (int c = 0; c < shown; c++)
        if (t->column[c].shrinks > 0 && width[c] > t->column[c].shrinks &&
            (best < 0 || width[c] > width[best]))
            best = c;
    return best;
}

/* Makes widths fit; returns how many columns are shown. */
static int fit(const struct ib_table *t, int width[], int room)
{
    int shown = t->n, total = -GAP;

    for (int c = 0; c < t->n; c++)
        total += width[c] + GAP;
    while (total > room && shown > 1) {
        int c = can_shrink(t, width, shown);
        if (c >= 0) {
            width[c]--;
            total--;
        } else {
            total -= width[--shown] + GAP;
        }
    }
    return shown;
}

static void tinted(const char *s, enum ib_tint tint, bool color,
                   struct ib_text *out)
{
    static const char *const start[] = {"",         "\033[1m",  "\033[31m",
                                        "\033[33m", "\033[32m", "\033[2m"};

    if (!color || tint == IB_PLAIN)
        ib_text_put(out, s, strlen(s));
    else
        ib_text_add(out, "%s%s\033[0m", start[tint], s);
}

struct layout {
    int width[IB_TABLE_COLUMNS_MAX];
    int shown;
    bool color;
};

static void end_line(struct ib_text *out)
{
    while (out->size > 0 && out->data[out->size - 1] == ' ')
        out->data[--out->size] = '\0';
    ib_text_put(out, "\n", 1);
}

static void put_cell(const struct ib_table *t, const struct layout *l, int c,
                     const char *s, enum ib_tint tint, struct ib_text *out)
{
    struct ib_text fitted = {0};

    ib_text_fit(&fitted, s, l->width[c], t->column[c].right);
    tinted(ib_text_string(&fitted), tint, l->color, out);
    out->failed |= fitted.failed;
    if (c + 1 < l->shown)
        ib_text_put(out, "  ", GAP);
    else
        end_line(out);
    ib_text_free(&fitted);
}

int ib_table_text(const struct ib_table *t, int width, bool color,
                  struct ib_text *out)
{
    struct layout l = {.color = color};

    measure(t, l.width);
    l.shown = fit(t, l.width, width);
    for (int c = 0; c < l.shown; c++)
        put_cell(t, &l, c, t->column[c].title, IB_BOLD, out);
    for (size_t i = 0; i < t->count; i++) {
        int c = (int)(i % (size_t)t->n);
        if (c < l.shown)
            put_cell(t, &l, c, text_at(t, i), t->cells[i].tint, out);
    }
    return t->n - l.shown;
}

/* A cell of Markdown: nothing in it may end the cell or start markup. */
static void put_markdown(const char *s, struct ib_text *out)
{
    ib_text_put(out, " ", 1);
    for (uint32_t c; (c = ib_utf8_read(s, &s)) != 0;) {
        char bytes[4];
        if (c < 0x80 && strchr("|\\`*_<>[]&", (int)c))
            ib_text_put(out, "\\", 1);
        ib_text_put(out, bytes, ib_utf8_write(c, bytes));
    }
    ib_text_put(out, " |", 2);
}

void ib_table_markdown(const struct ib_table *t, struct ib_text *out)
{
    ib_text_add(out, "|");
    for (int c = 0; c < t->n; c++)
        put_markdown(t->column[c].title, out);
    ib_text_add(out, "\n|");
    for (int c = 0; c < t->n; c++)
        ib_text_add(out, t->column[c].right ? "---:|" : "---|");
    for (size_t i = 0; i < t->count; i++) {
        if (i % (size_t)t->n == 0)
            ib_text_add(out, "\n|");
        put_markdown(text_at(t, i), out);
    }
    ib_text_add(out, "\n");
}

enum ib_status ib_table_status(const struct ib_table *t, struct ib_error *err)
{
    if (t->failed)
        return ib_error_set(err, IB_E_NOMEM, "table: no memory");
    return ib_text_status(&t->text, err);
}
