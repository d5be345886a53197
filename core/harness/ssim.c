/*
 * SSIM (Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from
 * error visibility to structural similarity", IEEE TIP 13(4), 2004).
 *
 * Positions where the whole window fits are averaged; for 11x11 that is what
 * scikit-image averages with gaussian_weights=True (it crops 5 pixels). The
 * separable window runs over eight columns at a time: rows are padded to a
 * multiple of eight, and the loops over lanes have a constant count so that
 * every compiler does the same additions in the same order.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include <invbench/math.h>
#include <invbench/metric.h>

enum { LANES = 8, WINDOW_MAX = 11, TILE = 64 };

static const double ssim_c1 = 0.01 * 0.01, ssim_c2 = 0.03 * 0.03;

struct window {
    int size;
    double w[WINDOW_MAX];
};

static struct window window_make(struct ib_shape s)
{
    int side = s.h < s.w ? s.h : s.w;
    if (side > WINDOW_MAX)
        side = WINDOW_MAX;
    struct window win = {.size = side % 2 ? side : side - 1};
    double sum = 0;
    for (int k = 0; k < win.size; k++) {
        double x = k - win.size / 2;
        win.w[k] = ib_exp(-x * x / (2 * 1.5 * 1.5));
        sum += win.w[k];
    }
    for (int k = 0; k < win.size; k++)
        win.w[k] /= sum;
    return win;
}

/* Sizes of a prepared image. */
struct plan {
    struct window win;
    size_t c, h, w;
    size_t oh, ow;     /* positions */
    size_t pitch;      /* of rows of pixels, and of moments */
    size_t plane, out; /* doubles of one channel: pixels, moments */
};

static struct plan plan_make(struct ib_shape s)
{
    struct plan p = {.win = window_make(s)};
    p.c = (size_t)s.c;
    p.h = (size_t)s.h;
    p.w = (size_t)s.w;
    p.oh = p.h - (size_t)p.win.size + 1;
    p.ow = p.w - (size_t)p.win.size + 1;
    p.pitch = (p.w + LANES - 1) / LANES * LANES;
    p.plane = p.h * p.pitch;
    p.out = p.oh * p.pitch;
    return p;
}

/* Eight columns of the window along one direction. */
static inline void filter_lanes(const struct window *win, const double *x,
                                size_t step, double y[LANES])
{
    double sum[LANES] = {0};
    for (int k = 0; k < win->size; k++)
        for (int j = 0; j < LANES; j++)
            sum[j] = fma(win->w[k], x[(size_t)k * step + (size_t)j], sum[j]);
    memcpy(y, sum, sizeof sum);
}

/* One row of positions: rows of x are filtered downwards into line (pitch + 2
 * LANES long, its tail zero), then along. */
static void filter_row(const struct plan *p, const double *x, double *line,
                       double *y)
{
    for (size_t j = 0; j < p->pitch; j += LANES)
        filter_lanes(&p->win, x + j, p->pitch, line + j);
    for (size_t j = 0; j < p->pitch; j += LANES)
        filter_lanes(&p->win, line + j, 1, y + j);
}

struct work {
    double *product; /* plane */
    double *line;    /* pitch + 2 LANES */
    double *row;     /* pitch */
};

struct prepared {
    double *x, *mean, *variance; /* c x plane, c x out, c x out */
};

static void image_prepare(const struct plan *p, const uint8_t *image,
                          const struct work *t, const struct prepared *to)
{
    for (size_t r = 0; r < p->c * p->h; r++)
        for (size_t j = 0; j < p->w; j++)
            to->x[r * p->pitch + j] = image[r * p->w + j] / 255.0;
    for (size_t c = 0; c < p->c; c++) {
        const double *x = to->x + c * p->plane;
        for (size_t i = 0; i < p->plane; i++)
            t->product[i] = x[i] * x[i];
        for (size_t r = 0; r < p->oh; r++) {
            double *mean = to->mean + c * p->out + r * p->pitch;
            double *variance = to->variance + c * p->out + r * p->pitch;
            filter_row(p, x + r * p->pitch, t->line, mean);
            filter_row(p, t->product + r * p->pitch, t->line, variance);
            for (size_t j = 0; j < p->ow; j++)
                variance[j] -= mean[j] * mean[j];
        }
    }
}

static inline double ssim_at(double ma, double mb, double va, double vb,
                             double ab)
{
    double m = ma * mb, cov = ab - m;
    return ((m + m + ssim_c1) * (cov + cov + ssim_c2)) /
           ((ma * ma + mb * mb + ssim_c1) * (va + vb + ssim_c2));
}

/* Adds one row of positions to eight lanes. */
static void ssim_row(const struct plan *p, const struct prepared *a,
                     const struct prepared *b, const double *ab, size_t offset,
                     double lane[LANES])
{
    const double *ma = a->mean + offset, *mb = b->mean + offset;
    const double *va = a->variance + offset, *vb = b->variance + offset;
    size_t whole = p->ow / LANES * LANES;
    for (size_t j = 0; j < whole; j += LANES)
        for (size_t i = 0; i < LANES; i++)
            lane[i] +=
                ssim_at(ma[j + i], mb[j + i], va[j + i], vb[j + i], ab[j + i]);
    for (size_t j = whole; j < p->ow; j++)
        lane[j - whole] += ssim_at(ma[j], mb[j], va[j], vb[j], ab[j]);
}

static double ssim_pair(const struct plan *p, const struct prepared *a,
                        const struct prepared *b, const struct work *t)
{
    double total = 0;
    for (size_t c = 0; c < p->c; c++) {
        const double *x = a->x + c * p->plane, *y = b->x + c * p->plane;
        for (size_t i = 0; i < p->plane; i += LANES)
            for (size_t j = 0; j < LANES; j++)
                t->product[i + j] = x[i + j] * y[i + j];
        double lane[LANES] = {0};
        for (size_t r = 0; r < p->oh; r++) {
            filter_row(p, t->product + r * p->pitch, t->line, t->row);
            ssim_row(p, a, b, t->row, c * p->out + r * p->pitch, lane);
        }
        for (int j = 0; j < LANES; j++)
            total += lane[j];
    }
    return total / (double)(p->c * p->oh * p->ow);
}

static bool prepared_take(const struct plan *p, size_t n, struct prepared *all,
                          struct ib_scratch *scratch)
{
    size_t row = p->c * p->plane, out = p->c * p->out;
    double *x = ib_scratch_take(scratch, n * (row + 2 * out), sizeof *x);
    for (size_t i = 0; x && i < n; i++, x += row + 2 * out)
        all[i] = (struct prepared){x, x + row, x + row + out};
    return x != NULL;
}

static bool work_take(const struct plan *p, struct work *t,
                      struct ib_scratch *scratch)
{
    double *x = ib_scratch_take(scratch, p->plane + 2 * p->pitch + 2 * LANES,
                                sizeof *x);
    if (x)
        *t =
            (struct work){x, x + p->plane, x + p->plane + p->pitch + 2 * LANES};
    return x != NULL;
}

/* Rows first .. first + count of the matrix; all: count prepared images of a,
 * then the one of b at hand. */
static void matrix_block(const struct ib_ssim_pairs *q, const struct plan *p,
                         size_t first, size_t count, const struct prepared *all,
                         const struct work *t)
{
    size_t d = ib_shape_size(q->shape);
    const struct prepared *b = all + count;
    for (size_t i = 0; i < count; i++)
        image_prepare(p, q->a + (first + i) * d, t, &all[i]);
    for (size_t j = 0; j < q->m; j++) {
        image_prepare(p, q->b + j * d, t, b);
        for (size_t i = 0; i < count; i++)
            q->out[(first + i) * q->m + j] = ssim_pair(p, &all[i], b, t);
    }
}

enum ib_status ib_ssim_matrix(const struct ib_ssim_pairs *q,
                              struct ib_scratch *scratch, struct ib_error *err)
{
    struct plan p = plan_make(q->shape);
    size_t fit = ((size_t)32 << 20) / 8 / (p.c * (p.plane + 2 * p.out));
    size_t block = fit < q->n ? fit : q->n;
    size_t mark = ib_scratch_mark(scratch);
    if (block < 1)
        block = 1;
    struct prepared *all = ib_scratch_take(scratch, block + 1, sizeof *all);
    struct work t;
    enum ib_status status = IB_OK;
    if (!all || !prepared_take(&p, block + 1, all, scratch) ||
        !work_take(&p, &t, scratch))
        status = ib_error_set(err, IB_E_NOMEM,
                              "no memory for the SSIM of %zu x %zu images",
                              q->n, q->m);
    for (size_t i = 0; !status && i < q->n; i += block)
        matrix_block(q, &p, i, q->n - i < block ? q->n - i : block, all, &t);
    ib_scratch_reset(scratch, mark);
    return status;
}

/* --- one pair, without memory of its own ------------------------------- */

/* A strip of up to TILE columns of positions: the last rows of pixels, by row
 * modulo the window, and one row of a, b, aa, bb, ab filtered downwards. */
enum { STRIP = (TILE + WINDOW_MAX + LANES - 1) / LANES * LANES };
struct strip {
    double a[WINDOW_MAX][STRIP], b[WINDOW_MAX][STRIP];
    double line[5][STRIP + 2 * LANES];
};

static void strip_load(struct strip *t, int slot, const uint8_t *a,
                       const uint8_t *b, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        t->a[slot][j] = a[j] / 255.0;
        t->b[slot][j] = b[j] / 255.0;
    }
}

/* Eight columns; the window's first row is in slot first. */
static void strip_down(const struct window *win, int first, size_t j0,
                       struct strip *t)
{
    double sum[5][LANES] = {{0}};
    for (int k = 0, slot = first; k < win->size; k++) {
        const double *a = t->a[slot] + j0, *b = t->b[slot] + j0;
        double w = win->w[k];
        for (int j = 0; j < LANES; j++) {
            sum[0][j] = fma(w, a[j], sum[0][j]);
            sum[1][j] = fma(w, b[j], sum[1][j]);
            sum[2][j] = fma(w, a[j] * a[j], sum[2][j]);
            sum[3][j] = fma(w, b[j] * b[j], sum[3][j]);
            sum[4][j] = fma(w, a[j] * b[j], sum[4][j]);
        }
        slot = slot + 1 == win->size ? 0 : slot + 1;
    }
    for (int i = 0; i < 5; i++)
        memcpy(t->line[i] + j0, sum[i], sizeof sum[i]);
}

/* Sum over a row of n positions. */
static double strip_row(const struct window *win, int first, size_t n,
                        struct strip *t)
{
    double sum = 0, v[5][LANES];
    for (size_t j = 0; j < n + (size_t)win->size - 1; j += LANES)
        strip_down(win, first, j, t);
    for (size_t j = 0; j < n; j += LANES) {
        for (int i = 0; i < 5; i++)
            filter_lanes(win, t->line[i] + j, 1, v[i]);
        for (size_t i = 0; i < LANES && j + i < n; i++)
            sum += ssim_at(v[0][i], v[1][i], v[2][i] - v[0][i] * v[0][i],
                           v[3][i] - v[1][i] * v[1][i], v[4][i]);
    }
    return sum;
}

double ib_ssim(struct ib_shape s, const uint8_t *a, const uint8_t *b)
{
    struct plan p = plan_make(s);
    struct strip t = {{{0}}};
    size_t more = (size_t)p.win.size - 1;
    double total = 0;
    for (size_t c = 0; c < p.c; c++)
        for (size_t j = 0; j < p.ow; j += TILE) {
            size_t n = p.ow - j < TILE ? p.ow - j : TILE;
            for (size_t r = 0; r < p.h; r++) {
                size_t at = (c * p.h + r) * p.w + j;
                int slot = (int)(r % (size_t)p.win.size);
                strip_load(&t, slot, a + at, b + at, n + more);
                if (r >= more)
                    total += strip_row(&p.win, (slot + 1) % p.win.size, n, &t);
            }
        }
    return total / (double)(p.c * p.oh * p.ow);
}

double ib_pixel_mse(size_t d, const uint8_t *a, const uint8_t *b)
{
    uint64_t sum = 0;
    assert(d > 0);
    for (size_t i = 0; i < d; i++) {
        int x = a[i] - b[i];
        sum += (uint64_t)(x * x);
    }
    return (double)sum / (255.0 * 255.0 * (double)d);
}
