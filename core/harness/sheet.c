/*
 * Contact sheets: a grid of images on white with captions at the left and on
 * top. Small images are magnified by a whole number. Captions break after
 * blanks, '/', '-', '_' and ',' or wherever they must.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "sheet_font.h"

enum {
    CELL_WIDTH_LEAST = 72, /* magnified until at least this wide */
    GAP = 4,
    MARGIN = 8,
    ROW_CAPTION_CHARS = 18,
    LINES_MAX = 3,
    LEGEND_MAX = 2048, /* characters */
    SIDE_MAX = 32768,
    EMPTY = 236, /* grey of a cell without an image */
};

struct ib_sheet {
    int rows, columns;
    struct ib_shape cell;
    char **caption; /* rows, then columns */
    char *legend;   /* NULL: none */
    uint8_t *pixels;
    bool *filled;
};

struct canvas {
    struct ib_shape shape;
    uint8_t *pixels;
};

enum ib_status ib_sheet_create(struct ib_sheet **out, int rows, int columns,
                               struct ib_shape cell, struct ib_error *err)
{
    size_t count = 0, bytes = 0;
    if (rows < 1 || columns < 1 || cell.h < 1 || cell.w < 1 ||
        (cell.c != 1 && cell.c != 3) ||
        !ib_size_mul((size_t)rows, (size_t)columns, &count) ||
        !ib_size_mul(count, ib_shape_size(cell), &bytes))
        return ib_error_set(err, IB_E_INTERNAL,
                            "a contact sheet of %d x %d cells of %d x %d x %d",
                            rows, columns, cell.c, cell.h, cell.w);
    struct ib_sheet *s = calloc(1, sizeof *s);
    if (s != NULL) {
        *s = (struct ib_sheet){.rows = rows, .columns = columns, .cell = cell};
        s->caption = calloc((size_t)rows + (size_t)columns, sizeof *s->caption);
        s->pixels = malloc(bytes);
        s->filled = calloc(count, sizeof *s->filled);
    }
    if (s == NULL || s->caption == NULL || s->pixels == NULL ||
        s->filled == NULL) {
        ib_sheet_free(s);
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for a contact sheet of %zu bytes",
                            bytes);
    }
    *out = s;
    return IB_OK;
}

void ib_sheet_free(struct ib_sheet *s)
{
    if (s == NULL)
        return;
    for (int i = 0; s->caption != NULL && i < s->rows + s->columns; i++)
        free(s->caption[i]);
    free(s->caption);
    free(s->legend);
    free(s->pixels);
    free(s->filled);
    free(s);
}

/* Without memory a caption is left out. */
static void set_caption(struct ib_sheet *s, int i, const char *text)
{
    free(s->caption[i]);
    s->caption[i] = strdup(text);
}

void ib_sheet_caption_row(struct ib_sheet *s, int row, const char *text)
{
    if (row >= 0 && row < s->rows)
        set_caption(s, row, text);
}

void ib_sheet_caption_column(struct ib_sheet *s, int column, const char *text)
{
    if (column >= 0 && column < s->columns)
        set_caption(s, s->rows + column, text);
}

void ib_sheet_legend(struct ib_sheet *s, const char *text)
{
    free(s->legend);
    s->legend = strdup(text);
}

static uint8_t sample(struct ib_shape s, const uint8_t *pixels, int c,
                      size_t at)
{
    size_t plane = (size_t)s.h * (size_t)s.w;
    return pixels[(s.c == 3 ? (size_t)c * plane : 0) + at];
}

/* An image of another size is stretched to the cell; colour in a grey sheet
 * shows its luma. */
void ib_sheet_place(struct ib_sheet *s, int row, int column,
                    struct ib_shape shape, const uint8_t *pixels)
{
    struct ib_shape k = s->cell;
    if (row < 0 || row >= s->rows || column < 0 || column >= s->columns ||
        shape.h < 1 || shape.w < 1)
        return;
    size_t i = (size_t)row * (size_t)s->columns + (size_t)column;
    uint8_t *out = s->pixels + i * ib_shape_size(k);
    for (int c = 0; c < k.c; c++)
        for (int y = 0; y < k.h; y++)
            for (int x = 0; x < k.w; x++) {
                size_t at = (size_t)(y * shape.h / k.h) * (size_t)shape.w +
                            (size_t)(x * shape.w / k.w);
                unsigned v = sample(shape, pixels, c, at);
                if (k.c == 1 && shape.c == 3)
                    v = (77u * v + 150u * sample(shape, pixels, 1, at) +
                         29u * sample(shape, pixels, 2, at) + 128u) >>
                        8;
                *out++ = (uint8_t)v;
            }
    s->filled[i] = true;
}

/* --- captions ------------------------------------------------------------ */

/* UTF-8 with every character beyond ASCII made one '?'. */
static void to_ascii(const char *text, char *out, size_t size)
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x80 && c < 0xc0)
            continue;
        out[n++] = c >= ' ' && c < 0x7f ? (char)c : '?';
    }
    out[n] = '\0';
}

/* How much of text goes on a line of `width` characters. */
static size_t line_length(const char *text, size_t width)
{
    size_t n = strlen(text), cut = 0;
    if (n <= width)
        return n;
    for (size_t i = 1; i <= width; i++)
        if (strchr(" /-_,", text[i - 1]) != NULL)
            cut = i;
    return cut > 0 ? cut : width;
}

static int count_lines(const char *text, size_t width)
{
    char ascii[IB_TEXT_MAX];
    if (text == NULL)
        return 0;
    to_ascii(text, ascii, sizeof ascii);
    int lines = 0;
    for (const char *at = ascii; *at != '\0' && lines < LINES_MAX; lines++)
        at += line_length(at, width);
    return lines;
}

/* The next line of a legend; its length, 0 at the end. Skips the blank at which
 * the line before was broken. */
static size_t legend_line(const char **at, size_t width)
{
    while (**at == ' ')
        (*at)++;
    return line_length(*at, width);
}

static int legend_lines(const char *text, size_t width)
{
    char ascii[LEGEND_MAX];
    const char *at = ascii;
    int lines = 0;

    if (text == NULL)
        return 0;
    to_ascii(text, ascii, sizeof ascii);
    for (size_t n; (n = legend_line(&at, width)) > 0; lines++)
        at += n;
    return lines;
}

static void draw_glyph(struct canvas *v, int x, int y, char c)
{
    size_t plane = (size_t)v->shape.h * (size_t)v->shape.w;
    for (int j = 0; j < IB_GLYPH_H; j++)
        for (int i = 0; i < IB_GLYPH_W; i++) {
            if ((ib_glyph_row(c, j) >> (IB_GLYPH_W - 1 - i) & 1) == 0)
                continue;
            if (x + i >= v->shape.w || y + j >= v->shape.h)
                continue;
            size_t at = (size_t)(y + j) * (size_t)v->shape.w + (size_t)(x + i);
            for (size_t k = 0; k < (size_t)v->shape.c; k++)
                v->pixels[k * plane + at] = 24;
        }
}

/* What does not fit into the lines ends in "..". */
static void draw_text(struct canvas *v, int x, int y, const char *text,
                      size_t width)
{
    char ascii[IB_TEXT_MAX];
    to_ascii(text, ascii, sizeof ascii);
    const char *at = ascii;
    for (int line = 0; line < LINES_MAX && *at != '\0'; line++) {
        size_t n = line_length(at, width);
        bool cut = line == LINES_MAX - 1 && at[n] != '\0';
        for (size_t i = 0; i < n; i++)
            draw_glyph(v, x + (int)i * IB_GLYPH_STEP, y,
                       cut && i + 2 >= n ? '.' : at[i]);
        at += n;
        y += IB_GLYPH_LINE;
    }
}

static void draw_legend(struct canvas *v, int x, int y, const char *text,
                        size_t width)
{
    char ascii[LEGEND_MAX];
    const char *at = ascii;

    if (text == NULL)
        return;
    to_ascii(text, ascii, sizeof ascii);
    for (size_t n; (n = legend_line(&at, width)) > 0; y += IB_GLYPH_LINE) {
        for (size_t i = 0; i < n; i++)
            draw_glyph(v, x + (int)i * IB_GLYPH_STEP, y, at[i]);
        at += n;
    }
}

/* --- the picture --------------------------------------------------------- */

struct layout {
    int zoom, w, h;      /* of a cell on the sheet */
    int left, top;       /* of the first cell */
    size_t column_chars; /* of a line above a column */
    size_t legend_chars; /* of a line of the legend */
    int legend_top;
    struct ib_shape shape;
};

static int widest_row_caption(const struct ib_sheet *s)
{
    size_t most = 0;
    for (int i = 0; i < s->rows; i++) {
        size_t n = s->caption[i] ? strlen(s->caption[i]) : 0;
        n = n < ROW_CAPTION_CHARS ? n : ROW_CAPTION_CHARS;
        most = n > most ? n : most;
    }
    return most > 0 ? (int)most * IB_GLYPH_STEP + GAP : 0;
}

static bool lay_out(const struct ib_sheet *s, struct layout *l)
{
    int lines = 0;
    l->zoom = (CELL_WIDTH_LEAST + s->cell.w - 1) / s->cell.w;
    l->w = s->cell.w * l->zoom;
    l->h = s->cell.h * l->zoom;
    l->column_chars = (size_t)(l->w / IB_GLYPH_STEP);
    for (int i = 0; i < s->columns; i++) {
        int n = count_lines(s->caption[s->rows + i], l->column_chars);
        lines = n > lines ? n : lines;
    }
    l->left = MARGIN + widest_row_caption(s);
    l->top = MARGIN + lines * IB_GLYPH_LINE;
    int64_t w = l->left + (int64_t)s->columns * (l->w + GAP) - GAP + MARGIN;
    int64_t h = l->top + (int64_t)s->rows * (l->h + GAP) - GAP + MARGIN;
    l->legend_chars = w > 2 * MARGIN + IB_GLYPH_STEP
                          ? (size_t)(w - 2 * MARGIN) / IB_GLYPH_STEP
                          : 1;
    l->legend_top = (int)(h < SIDE_MAX ? h : SIDE_MAX);
    int legend = legend_lines(s->legend, l->legend_chars);
    h += legend > 0 ? legend * IB_GLYPH_LINE + MARGIN : 0;
    if (w > SIDE_MAX || h > SIDE_MAX)
        return false;
    l->shape = (struct ib_shape){s->cell.c, (int)h, (int)w};
    return true;
}

static void draw_cell(const struct ib_sheet *s, const struct layout *l, int row,
                      int column, struct canvas *v)
{
    size_t i = (size_t)row * (size_t)s->columns + (size_t)column;
    size_t plane = (size_t)v->shape.h * (size_t)v->shape.w;
    int left = l->left + column * (l->w + GAP);
    int top = l->top + row * (l->h + GAP);
    const uint8_t *in = s->pixels + i * ib_shape_size(s->cell);
    for (int c = 0; c < s->cell.c; c++)
        for (int y = 0; y < l->h; y++)
            for (int x = 0; x < l->w; x++) {
                size_t from =
                    (size_t)(c * s->cell.h + y / l->zoom) * (size_t)s->cell.w +
                    (size_t)(x / l->zoom);
                size_t to = (size_t)c * plane +
                            (size_t)(top + y) * (size_t)v->shape.w +
                            (size_t)(left + x);
                v->pixels[to] = s->filled[i] ? in[from] : EMPTY;
            }
}

static void draw_captions(const struct ib_sheet *s, const struct layout *l,
                          struct canvas *v)
{
    for (int r = 0; r < s->rows; r++) {
        int lines = count_lines(s->caption[r], ROW_CAPTION_CHARS);
        int top =
            l->top + r * (l->h + GAP) + (l->h - lines * IB_GLYPH_LINE) / 2;
        if (lines > 0)
            draw_text(v, MARGIN, top > 0 ? top : 0, s->caption[r],
                      ROW_CAPTION_CHARS);
    }
    for (int c = 0; c < s->columns; c++) {
        const char *text = s->caption[s->rows + c];
        int lines = count_lines(text, l->column_chars);
        if (lines > 0)
            draw_text(v, l->left + c * (l->w + GAP),
                      l->top - lines * IB_GLYPH_LINE, text, l->column_chars);
    }
}

enum ib_status ib_sheet_write(const struct ib_sheet *s, const char *path,
                              struct ib_error *err)
{
    struct layout l;
    if (!lay_out(s, &l))
        return ib_error_set(err, IB_E_USAGE,
                            "%s: a contact sheet of %d x %d cells is wider or "
                            "higher than %d pixels",
                            path, s->rows, s->columns, SIDE_MAX);
    struct canvas v = {.shape = l.shape};
    v.pixels = malloc(ib_shape_size(l.shape));
    if (v.pixels == NULL)
        return ib_error_set(err, IB_E_NOMEM, "%s: no memory for %d x %d pixels",
                            path, l.shape.w, l.shape.h);
    memset(v.pixels, 255, ib_shape_size(l.shape));
    for (int r = 0; r < s->rows; r++)
        for (int c = 0; c < s->columns; c++)
            draw_cell(s, &l, r, c, &v);
    draw_captions(s, &l, &v);
    draw_legend(&v, MARGIN, l.legend_top, s->legend, l.legend_chars);
    enum ib_status st = ib_png_write(path, v.shape, v.pixels, err);
    free(v.pixels);
    return st;
}
