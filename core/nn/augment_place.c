/*
 * The parts of a draw that take pixels from other places, and their adjoints.
 */
#include "augment.h"

#include <math.h>
#include <string.h>

/* --- mirror, shift, crop -------------------------------------------------- */

/* Along one side of n pixels. */
struct side {
    int n, shift, crop;
    bool mirror;
};

static struct side rows_of(const struct ib_draw *draw, struct ib_shape s)
{
    return (struct side){s.h, draw->shift_y, draw->crop_y, false};
}

static struct side columns_of(const struct ib_draw *draw, struct ib_shape s)
{
    return (struct side){s.w, draw->shift_x, draw->crop_x, draw->mirror};
}

/* The old pixel at j of the new side; -1: none. */
static int source(struct side d, int j)
{
    j -= d.crop;
    if (j < 0 || j >= d.n)
        return -1;
    j -= d.shift;
    j = j < 0 ? 0 : j >= d.n ? d.n - 1 : j;
    return d.mirror ? d.n - 1 - j : j;
}

/* The new pixels first..end - 1 are old ones in one piece; the others are 0 or
 * repeat an edge. */
static void piece_of(struct side d, int *first, int *end)
{
    int by = d.crop + d.shift;
    int low = d.crop > by ? d.crop : by, high = d.crop < by ? d.crop : by;
    *first = low < 0 ? 0 : low > d.n ? d.n : low;
    *end = high > 0 ? d.n : d.n + high;
    if (*end < *first)
        *end = *first;
}

static void move_edge(struct side d, int from, int to, const ib_real *x,
                      ib_real *y)
{
    for (int j = from; j < to; j++) {
        int k = source(d, j);
        y[j] = k < 0 ? 0 : x[k];
    }
}

static void move_line(struct side d, const ib_real *restrict x,
                      ib_real *restrict y)
{
    int first, end;
    piece_of(d, &first, &end);
    move_edge(d, 0, first, x, y);
    move_edge(d, end, d.n, x, y);
    if (first == end)
        return;
    x += source(d, first);
    if (!d.mirror)
        memcpy(y + first, x, (size_t)(end - first) * sizeof *y);
    else
        for (int j = 0; j < end - first; j++)
            y[first + j] = x[-j];
}

static void edge_vjp(struct side d, int from, int to, const ib_real *dy,
                     ib_real *dx)
{
    for (int j = from; j < to; j++) {
        int k = source(d, j);
        if (k >= 0)
            dx[k] += dy[j];
    }
}

/* Adds. */
static void line_vjp(struct side d, const ib_real *restrict dy,
                     ib_real *restrict dx)
{
    int first, end;
    piece_of(d, &first, &end);
    edge_vjp(d, 0, first, dy, dx);
    edge_vjp(d, end, d.n, dy, dx);
    if (first == end)
        return;
    dx += source(d, first);
    dy += first;
    for (int j = 0; j < end - first; j++)
        dx[d.mirror ? -j : j] += dy[j];
}

bool ib_draw_moves(const struct ib_draw *draw)
{
    return draw->mirror || draw->shift_y || draw->shift_x || draw->crop_y ||
           draw->crop_x;
}

void ib_draw_move(const struct ib_draw *draw, struct ib_shape s,
                  const ib_real *x, ib_real *y)
{
    struct side rows = rows_of(draw, s), columns = columns_of(draw, s);
    for (int c = 0; c < s.c; c++, x += (size_t)s.h * (size_t)s.w)
        for (int i = 0; i < s.h; i++, y += s.w) {
            int k = source(rows, i);
            if (k < 0)
                memset(y, 0, (size_t)s.w * sizeof *y);
            else
                move_line(columns, x + (ptrdiff_t)k * s.w, y);
        }
}

void ib_draw_move_vjp(const struct ib_draw *draw, struct ib_shape s,
                      const ib_real *dy, ib_real *dx)
{
    struct side rows = rows_of(draw, s), columns = columns_of(draw, s);
    memset(dx, 0, ib_shape_size(s) * sizeof *dx);
    for (int c = 0; c < s.c; c++, dx += (size_t)s.h * (size_t)s.w)
        for (int i = 0; i < s.h; i++, dy += s.w) {
            int k = source(rows, i);
            if (k >= 0)
                line_vjp(columns, dy, dx + (ptrdiff_t)k * s.w);
        }
}

/* --- zoom and rotation ---------------------------------------------------- */

/* Old positions are x = xx j + xy i + x0, y = yx j + yy i + y0 of the new pixel
 * in row i, column j. Pixels are points at whole numbers. */
struct sampler {
    double xx, xy, x0, yx, yy, y0;
    int h, w;
    bool zeros; /* outside is 0; else edges repeat */
};

/* First the rotation about the centre, then from the whole to its part. */
static struct sampler sampler_of(const struct ib_draw *draw, struct ib_shape s)
{
    double cx = 0.5 * (s.w - 1), cy = 0.5 * (s.h - 1);
    double kx = draw->width / s.w, ky = draw->height / s.h;
    double c = draw->cosine, n = draw->sine;
    return (struct sampler){
        .xx = kx * c,
        .xy = -kx * n,
        .x0 = kx * (cx - c * cx + n * cy + 0.5) + draw->left - 0.5,
        .yx = ky * n,
        .yy = ky * c,
        .y0 = ky * (cy - n * cx - c * cy + 0.5) + draw->top - 0.5,
        .h = s.h,
        .w = s.w,
        .zeros = n != 0,
    };
}

enum { BLOCK = 64, CORNERS = 4 };

/* For up to BLOCK new pixels of one row: the four old ones around each, and
 * their weights. */
struct taps {
    int at[CORNERS][BLOCK];
    ib_real weight[CORNERS][BLOCK];
};

/* The same along one side: the pixels before and after, and their weights. */
struct pairs {
    int at[2][BLOCK];
    ib_real weight[2][BLOCK];
};

static inline double within(double x, double low, double high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Positions p, p + step, ... on a side of n pixels. Pixels outside are given
 * the weight 0; without `zeros` positions stay inside. */
static void find_pairs(int count, double p, double step, int n, bool zeros,
                       struct pairs *out)
{
    double last = n - 1, least = zeros ? -1 : 0, most = zeros ? n : last;
    for (int j = 0; j < count; j++) {
        double x = within(p + step * j, least, most), low = floor(x);
        double right = x - low, left = 1 - right;
        left = low < 0 || low > last ? 0 : left;
        right = low + 1 > last ? 0 : right;
        out->at[0][j] = (int)within(low, 0, last);
        out->at[1][j] = (int)within(low + 1, 0, last);
        out->weight[0][j] = (ib_real)left;
        out->weight[1][j] = (ib_real)right;
    }
}

static void find_taps(const struct sampler *m, int i, int from, int count,
                      struct taps *t)
{
    struct pairs column, row;
    double x = m->xx * from + (m->xy * i + m->x0);
    double y = m->yx * from + (m->yy * i + m->y0);
    find_pairs(count, x, m->xx, m->w, m->zeros, &column);
    find_pairs(count, y, m->yx, m->h, m->zeros, &row);
    for (int k = 0; k < CORNERS; k++)
        for (int j = 0; j < count; j++) {
            t->at[k][j] = row.at[k / 2][j] * m->w + column.at[k % 2][j];
            t->weight[k][j] = row.weight[k / 2][j] * column.weight[k % 2][j];
        }
}

bool ib_draw_samples(const struct ib_draw *draw, struct ib_shape s)
{
    return draw->sine != 0 || draw->cosine != 1 || draw->top != 0 ||
           draw->left != 0 || draw->height != s.h || draw->width != s.w;
}

void ib_draw_sample(const struct ib_draw *draw, struct ib_shape s,
                    const ib_real *x, ib_real *y)
{
    struct sampler m = sampler_of(draw, s);
    struct taps t;
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (int i = 0; i < s.h; i++)
        for (int from = 0; from < s.w; from += BLOCK) {
            int count = s.w - from < BLOCK ? s.w - from : BLOCK;
            find_taps(&m, i, from, count, &t);
            for (size_t c = 0; c < (size_t)s.c; c++) {
                const ib_real *p = x + c * plane;
                ib_real *to = y + c * plane + (ptrdiff_t)i * s.w + from;
                for (int j = 0; j < count; j++)
                    to[j] = (t.weight[0][j] * p[t.at[0][j]] +
                             t.weight[1][j] * p[t.at[1][j]]) +
                            (t.weight[2][j] * p[t.at[2][j]] +
                             t.weight[3][j] * p[t.at[3][j]]);
            }
        }
}

void ib_draw_sample_vjp(const struct ib_draw *draw, struct ib_shape s,
                        const ib_real *dy, ib_real *dx)
{
    struct sampler m = sampler_of(draw, s);
    struct taps t;
    size_t plane = (size_t)s.h * (size_t)s.w;
    memset(dx, 0, ib_shape_size(s) * sizeof *dx);
    for (int i = 0; i < s.h; i++)
        for (int from = 0; from < s.w; from += BLOCK) {
            int count = s.w - from < BLOCK ? s.w - from : BLOCK;
            find_taps(&m, i, from, count, &t);
            for (size_t c = 0; c < (size_t)s.c; c++) {
                const ib_real *g = dy + c * plane + (ptrdiff_t)i * s.w + from;
                ib_real *p = dx + c * plane;
                for (int j = 0; j < count; j++)
                    for (int k = 0; k < CORNERS; k++)
                        p[t.at[k][j]] += t.weight[k][j] * g[j];
            }
        }
}
