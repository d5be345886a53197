/*
 * Convolutions: images into frames, frames through the kernels.
 */
#include "conv.h"
#include "kernel.h"

#include <string.h>

enum {
    STEP = 8,        /* numbers of one vector move */
    CHUNK = 512,     /* pixels whose gradient is turned at once */
    DOT_SPOTS = 128, /* whose gradient stays in the first-level cache */
    BAND = 8192,     /* numbers of frames that thin passes go over again */
};

/* --- frames --------------------------------------------------------------- */

/* Whole vectors: up to STEP - 1 numbers past the end are cleared, too. */
static ib_real *clear(ib_real *to, size_t n)
{
    static const ib_real zeros[STEP];
    for (size_t i = 0; i < n; i += STEP)
        memcpy(to + i, zeros, sizeof zeros);
    return to + n;
}

static ib_real *copy(ib_real *to, const ib_real *from, size_t n)
{
    size_t i = 0;
    for (; i + STEP <= n; i += STEP)
        memcpy(to + i, from + i, STEP * sizeof *to);
    if (n >= STEP)
        memcpy(to + n - STEP, from + n - STEP, STEP * sizeof *to);
    else
        for (; i < n; i++)
            to[i] = from[i];
    return to + n;
}

/* How much of an image of `size` a frame of `frame` holds after `before`. */
static int shown(int size, int before, int frame)
{
    return size < frame - before ? size : frame - before;
}

static void fill_plane(const struct ib_conv_pass *p, const ib_real *x,
                       ib_real *frame)
{
    int rows = shown(p->in.h, p->top, p->h);
    int columns = shown(p->in.w, p->left, p->w);
    size_t inside = (size_t)columns, gap = (size_t)(p->w - columns);
    size_t before = (size_t)(p->top * p->w + p->left);
    ib_real *to = clear(frame, before), *end = frame + p->plane;
    for (int y = 0; y < rows; y++) {
        to = copy(to, x + (ptrdiff_t)y * p->in.w, inside);
        to = clear(to, y + 1 < rows ? gap : (size_t)(end - to));
    }
}

const ib_real *ib_conv_fill(const struct ib_conv_pass *p, size_t n,
                            const ib_real *x, ib_real *scratch)
{
    size_t planes = n * (size_t)p->groups * (size_t)p->in.c;
    size_t area = (size_t)p->in.h * (size_t)p->in.w;
    if (p->direct)
        return x;
    for (size_t i = 0; i < planes; i++)
        fill_plane(p, x + i * area, scratch + i * p->plane);
    /* Read, and dropped, beside the last row. */
    clear(scratch + planes * p->plane, IB_VECTOR);
    return scratch;
}

size_t ib_conv_frames(const struct ib_conv_pass *p, size_t n)
{
    if (p->direct)
        return 0;
    return (n < p->images ? n : p->images) * p->frame + IB_VECTOR + STEP;
}

/* --- passes --------------------------------------------------------------- */

/* What the kernels leave to be spread or woven, of n images. */
static size_t left_apart(const struct ib_conv_pass *p, size_t n)
{
    size_t each = (size_t)p->groups * ib_shape_size(p->out);
    return ib_conv_apart(p) ? (n < p->images ? n : p->images) * each : 0;
}

size_t ib_conv_scratch(const struct ib_conv_pass *p, size_t n)
{
    return ib_conv_frames(p, n) + left_apart(p, n);
}

/* One block of lanes of one phase: spots first..end, frames r->x to r->y. */
static void run_block(const struct ib_conv_pass *p,
                      const struct ib_conv_phase *f,
                      const struct ib_conv_run *r, size_t lanes,
                      const size_t range[2])
{
    size_t area = ib_conv_area(f), at = range[0];
    if (p->thin)
        ib_kernel_thin(&(struct ib_thin){.a = f->weights,
                                         .b = r->x,
                                         .tap = f->tap,
                                         .from = f->from + at,
                                         .to = f->to + at,
                                         .length = f->length + at,
                                         .taps = f->taps,
                                         .spots = range[1] - at,
                                         .out = r->y,
                                         .row = area,
                                         .lanes = lanes,
                                         .add = r->add});
    else
        ib_kernel_wide(&(struct ib_wide){.a = f->weights,
                                         .b = r->x,
                                         .tap = f->tap,
                                         .from = f->from + at,
                                         .to = f->to + at,
                                         .taps = f->taps,
                                         .columns = range[1] - at,
                                         .out = r->y,
                                         .row = area,
                                         .lanes = lanes,
                                         .add = r->add});
}

/* All lanes of one group; f.weights: this group's. */
static void run_group(const struct ib_conv_pass *p, struct ib_conv_phase f,
                      struct ib_conv_run r, const size_t range[2])
{
    size_t m = (size_t)p->out.c, area = ib_conv_area(&f);
    for (size_t at = 0, lanes; at < m; at += lanes) {
        lanes = ib_conv_lanes(p, at);
        run_block(p, &f, &r, lanes, range);
        f.weights += (1 + f.taps) * (p->thin ? lanes : IB_LANES);
        r.y += lanes * area;
    }
}

/* Thin passes read their frames anew for every few lanes: band by band, so that
 * they are read from the first-level cache. */
static void run_phase(const struct ib_conv_pass *p, struct ib_conv_phase f,
                      struct ib_conv_run r)
{
    size_t spots = r.n * f.spots, band = spots;
    if (p->thin)
        band = 1 + BAND / IB_VECTOR / (size_t)p->in.c;
    for (size_t g = 0; g < (size_t)p->groups; g++) {
        for (size_t at = 0; at < spots; at += band) {
            size_t end = spots - at < band ? spots : at + band;
            run_group(p, f, r, (const size_t[2]){at, end});
        }
        f.weights += (1 + f.taps) * ib_conv_packed_lanes(p);
        r.y += (size_t)p->out.c * ib_conv_area(&f);
        r.x += (size_t)p->in.c * p->plane;
    }
}

static void fill_biases(const struct ib_conv_pass *p, const ib_real *bias,
                        size_t n, ib_real *y)
{
    struct ib_shape s = p->up ? p->map.large : p->map.small;
    size_t area = (size_t)s.h * (size_t)s.w;
    for (size_t i = 0; i < n * (size_t)s.c; i++, y += area)
        for (size_t k = 0; k < area; k++)
            y[k] = bias[i % (size_t)s.c];
}

/* --- spreading ------------------------------------------------------------ */

/* Along one axis: input pixels first..first + count go to output pixels to, to
 * + step, .. */
struct landing {
    int first, count, to, step;
};

static struct landing land(const struct ib_conv_pass *p, int tap, int in,
                           int out)
{
    int s = p->map.stride, pad = p->map.pad;
    int move = p->up ? tap - pad : pad - tap; /* pixel i goes to s i + move */
    int first = move < 0 ? (s - 1 - move) / s : 0;
    int last = out - 1 - move < 0 ? -1 : (out - 1 - move) / s;
    last = last < in - 1 ? last : in - 1;
    return (struct landing){.first = first,
                            .count = last < first ? 0 : last - first + 1,
                            .to = first * s + move,
                            .step = s};
}

static void add_row(ib_real *restrict y, const ib_real *restrict x, int n,
                    int step)
{
    if (step == 1)
        for (int i = 0; i < n; i++)
            y[i] += x[i];
    else
        for (int i = 0; i < n; i++)
            y[i * step] += x[i];
}

/* One image: x, products of each output channel's taps, to y. */
static void spread_image(const struct ib_conv_pass *p, const ib_real *x,
                         ib_real *y)
{
    struct ib_shape in = p->up ? p->map.small : p->map.large;
    struct ib_shape out = p->up ? p->map.large : p->map.small;
    int k = p->map.kernel;
    size_t from = (size_t)in.h * (size_t)in.w;
    size_t to = (size_t)out.h * (size_t)out.w;
    for (int t = 0; t < k * k; t++) {
        struct landing v = land(p, t / k, in.h, out.h);
        struct landing h = land(p, t % k, in.w, out.w);
        for (size_t c = 0; c < (size_t)out.c; c++) {
            const ib_real *row = x + (c * (size_t)(k * k) + (size_t)t) * from +
                                 v.first * in.w + h.first;
            ib_real *at = y + c * to + v.to * out.w + h.to;
            for (int i = 0; i < v.count; i++, row += in.w)
                add_row(at + (ptrdiff_t)i * v.step * out.w, row, h.count,
                        h.step);
        }
    }
}

/* --- weaving -------------------------------------------------------------- */

static ib_real *woven_row(const struct ib_conv_pass *p,
                          const struct ib_conv_phase *f, ib_real *y, size_t i,
                          int r)
{
    size_t area = (size_t)p->out.h * (size_t)p->out.w;
    return y + i * area + (f->y.to + r * p->write) * p->out.w;
}

/* One phase, to every `write`th number. */
static void weave_phase(const struct ib_conv_pass *p,
                        const struct ib_conv_phase *f, const ib_real *from,
                        const struct ib_conv_run *r)
{
    size_t planes = r->n * (size_t)(p->groups * p->out.c);
    int s = p->write;
    for (size_t i = 0; i < planes; i++)
        for (int k = 0; k < f->y.count; k++, from += f->x.count) {
            ib_real *to = woven_row(p, f, r->y, i, k) + f->x.to;
            for (int x = 0; x < f->x.count; x++)
                to[x * s] = r->add ? to[x * s] + from[x] : from[x];
        }
}

/* Two phases that fill whole rows. */
static void weave_pair(const struct ib_conv_pass *p,
                       const struct ib_conv_phase f[2],
                       const ib_real *const from[2],
                       const struct ib_conv_run *r)
{
    size_t planes = r->n * (size_t)(p->groups * p->out.c);
    int even = f[0].x.to == 0 ? 0 : 1;
    for (size_t i = 0; i < planes; i++)
        ib_kernel_weave(
            &(struct ib_weave){.even = from[even] + i * ib_conv_area(&f[even]),
                               .odd = from[!even] + i * ib_conv_area(&f[!even]),
                               .rows = (size_t)f->y.count,
                               .width = (size_t)p->out.w,
                               .out = woven_row(p, f, r->y, i, 0),
                               .row = (size_t)(2 * p->out.w),
                               .add = r->add});
}

/* A kernel smaller than the stride leaves pixels that get the bias alone. */
static void weave(const struct ib_conv_pass *p, struct ib_conv_lists l,
                  const ib_real *apart, const struct ib_conv_run *r)
{
    struct ib_conv_phase pair[2];
    const ib_real *from[2];
    bool gaps = p->map.kernel < p->write;
    if (gaps && !r->add)
        fill_biases(p, l.bias, r->n, r->y);
    while (ib_conv_next(p, &l)) {
        size_t k = (size_t)l.index % 2;
        pair[k] = l.phase;
        from[k] = apart + r->n * l.phase.offset;
        if (gaps || p->write != 2) {
            if (l.phase.taps > 0)
                weave_phase(p, &pair[k], from[k], r);
        } else if (k == 1)
            weave_pair(p, pair, from, r);
    }
}

/* --- runs ----------------------------------------------------------------- */

static void spread(const struct ib_conv_pass *p, const struct ib_conv_lists *l,
                   const ib_real *apart, const struct ib_conv_run *r)
{
    size_t each = (size_t)p->groups * ib_shape_size(p->out);
    if (!r->add)
        fill_biases(p, l->bias, r->n, r->y);
    for (size_t i = 0; i < r->n; i++)
        spread_image(p, apart + i * each, r->y + i * ib_conv_out(p));
}

/* Images in frames r->x. */
static void run_images(const struct ib_conv_pass *p,
                       const struct ib_conv_run *r, ib_real *apart)
{
    const struct ib_conv_lists begin = ib_conv_lists(p, r->shared);
    struct ib_conv_lists l = begin;
    struct ib_conv_run part = *r;
    while (ib_conv_next(p, &l)) {
        if (ib_conv_apart(p)) {
            part.y = apart + r->n * l.phase.offset;
            part.add = false;
        }
        if (l.phase.taps > 0)
            run_phase(p, l.phase, part);
    }
    if (p->spread)
        spread(p, &begin, apart, r);
    else if (p->write > 1)
        weave(p, begin, apart, r);
}

void ib_conv_run(const struct ib_conv_pass *p, const struct ib_conv_run *r)
{
    struct ib_conv_run part = *r;
    ib_real *apart = r->scratch + ib_conv_frames(p, r->n);
    for (size_t at = 0; at < r->n; at += p->images) {
        part.n = r->n - at < p->images ? r->n - at : p->images;
        part.y = r->y + at * ib_conv_out(p);
        part.x = ib_conv_fill(p, part.n, r->x + at * ib_conv_in(p), r->scratch);
        run_images(p, &part, apart);
    }
}

/* --- gradient of the weights ---------------------------------------------- */

static bool is_wider(const struct ib_conv_pass *p)
{
    return ib_conv_out(p) != (size_t)p->groups * ib_shape_size(p->out);
}

/* Numbers of n small images whose rows are as wide as the pass sees them. */
static size_t widened(const struct ib_conv_pass *p, size_t n)
{
    size_t each = (size_t)p->groups * ib_shape_size(p->out);
    return is_wider(p) ? (n < p->images ? n : p->images) * each : 0;
}

/* Those images: whole vectors, with zeros after each row. */
static const ib_real *widen(const struct ib_conv_pass *p, size_t n,
                            const ib_real *small, ib_real *to)
{
    size_t rows = n * (size_t)(p->groups * p->out.c * p->out.h);
    size_t from = n * ib_conv_out(p) / rows, wide = (size_t)p->out.w;
    if (!is_wider(p))
        return small;
    for (size_t i = 0; i < rows; i++, small += from)
        clear(copy(to + i * wide, small, from), wide - from);
    return to;
}

size_t ib_conv_outer_scratch(const struct ib_conv_pass *p, size_t n)
{
    size_t turned = (1 + CHUNK) * IB_LANES;
    return ib_conv_frames(p, n) + (p->thin ? widened(p, n) : turned);
}

/* The lanes of pixels first..first + n of the small images (of one block of
 * channels, pixels numbered through the images). */
static void turn(const struct ib_conv_pass *p, const ib_real *small,
                 size_t lanes, const size_t range[2], ib_real *a)
{
    size_t area = (size_t)p->out.h * (size_t)p->out.w;
    size_t image = (size_t)p->groups * (size_t)p->out.c * area;
    for (size_t at = range[0]; at < range[1];) {
        size_t pixel = at % area, n = area - pixel;
        n = n < range[1] - at ? n : range[1] - at;
        ib_kernel_lanes(a, small + at / area * image + pixel, area, lanes, n);
        a += n * IB_LANES;
        at += n;
    }
}

/* Pixels range[0]..range[1], all weights of one group. x: its frames. */
static void outer_wide(const struct ib_conv_pass *p,
                       const struct ib_conv_lists *l,
                       const struct ib_conv_outer *o, const ib_real *x,
                       const size_t range[2])
{
    const struct ib_conv_phase *f = &l->phase;
    size_t m = (size_t)p->out.c, area = (size_t)p->out.h * (size_t)p->out.w;
    ib_real *a = o->scratch + ib_conv_frames(p, o->n);
    for (size_t at = 0; at < m; at += IB_LANES) {
        size_t lanes = ib_conv_lanes(p, at);
        memset(a, 0, IB_LANES * sizeof *a);
        turn(p, o->small + at * area, lanes, range, a + IB_LANES);
        ib_kernel_wide(&(struct ib_wide){.a = a,
                                         .b = x,
                                         .tap = f->from + range[0],
                                         .from = f->tap,
                                         .to = l->identity,
                                         .taps = range[1] - range[0],
                                         .columns = f->taps,
                                         .out = o->dw + at * f->taps,
                                         .row = f->taps,
                                         .lanes = lanes,
                                         .add = o->add || range[0] > 0});
    }
}

static void outer_dot(const struct ib_conv_pass *p,
                      const struct ib_conv_phase *f,
                      const struct ib_conv_outer *o, const ib_real *x,
                      const size_t range[2])
{
    ib_kernel_dot(&(struct ib_dot){.a = o->small,
                                   .a_row = (size_t)(p->out.h * p->out.w),
                                   .b = x,
                                   .tap = f->tap,
                                   .from = f->from + range[0],
                                   .to = f->to + range[0],
                                   .taps = f->taps,
                                   .spots = range[1] - range[0],
                                   .rows = (size_t)p->out.c,
                                   .out = o->dw,
                                   .row = f->taps,
                                   .add = o->add || range[0] > 0});
}

static void outer_group(const struct ib_conv_pass *p,
                        const struct ib_conv_lists *l,
                        const struct ib_conv_outer *o, const ib_real *x)
{
    const struct ib_conv_phase *f = &l->phase;
    size_t spots = o->n * f->spots, chunk = p->thin ? DOT_SPOTS : CHUNK;
    for (size_t at = 0; at < spots; at += chunk) {
        size_t end = spots - at < chunk ? spots : at + chunk;
        if (p->thin)
            outer_dot(p, f, o, x, (const size_t[2]){at, end});
        else
            outer_wide(p, l, o, x, (const size_t[2]){at, end});
    }
}

void ib_conv_outer(const struct ib_conv_pass *p, const struct ib_conv_outer *o)
{
    size_t groups = (size_t)p->groups, out = ib_shape_size(p->out);
    struct ib_conv_lists l = ib_conv_lists(p, o->shared);
    ib_conv_next(p, &l);
    for (size_t at = 0; at < o->n; at += p->images) {
        struct ib_conv_outer part = *o;
        part.n = o->n - at < p->images ? o->n - at : p->images;
        part.add = o->add || at > 0;
        const ib_real *small = widen(p, part.n, o->small + at * ib_conv_out(p),
                                     o->scratch + ib_conv_frames(p, o->n));
        const ib_real *x =
            ib_conv_fill(p, part.n, o->large + at * ib_conv_in(p), o->scratch);
        for (size_t g = 0; g < groups; g++) {
            part.small = small + g * out;
            part.dw = o->dw + g * (size_t)p->out.c * l.phase.taps;
            outer_group(p, &l, &part, x + g * (size_t)p->in.c * p->plane);
        }
    }
}
