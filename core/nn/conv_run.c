/*
 * Convolutions: images into frames, frames through the kernels.
 */
#include "conv.h"
#include "kernel.h"

#include <string.h>

enum {
    STEP = 8,    /* numbers of one vector move */
    CHUNK = 512, /* pixels whose gradient is turned at once */
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

void ib_conv_fill(const struct ib_conv_pass *p, size_t n, const ib_real *x,
                  ib_real *frame)
{
    size_t planes = n * (size_t)p->groups * (size_t)p->in.c;
    int rows = shown(p->in.h, p->top, p->h);
    int columns = shown(p->in.w, p->left, p->w);
    size_t inside = (size_t)columns, gap = (size_t)(p->w - columns);
    size_t before = (size_t)(p->top * p->w + p->left);
    for (size_t i = 0; i < planes; i++, frame += p->plane) {
        ib_real *to = clear(frame, before), *end = frame + p->plane;
        for (int y = 0; y < rows; y++) {
            to = copy(to, x + (ptrdiff_t)y * p->in.w, inside);
            to = clear(to, y + 1 < rows ? gap : (size_t)(end - to));
        }
        x += (ptrdiff_t)p->in.h * p->in.w;
    }
    clear(frame, IB_VECTOR); /* read, and dropped, beside the last row */
}

size_t ib_conv_frames(const struct ib_conv_pass *p, size_t n)
{
    return (n < p->images ? n : p->images) * p->frame + IB_VECTOR + STEP;
}

/* --- passes --------------------------------------------------------------- */

/* One block of lanes of one phase: images in frames x to y. */
static void run_block(const struct ib_conv_pass *p,
                      const struct ib_conv_phase *f,
                      const struct ib_conv_run *r, const ib_real *weights,
                      size_t lanes)
{
    size_t area = (size_t)p->out.h * (size_t)p->out.w;
    if (p->thin)
        ib_kernel_thin(&(struct ib_thin){.a = weights,
                                         .b = r->x,
                                         .tap = f->tap,
                                         .from = f->from,
                                         .to = f->to,
                                         .length = f->length,
                                         .taps = f->taps,
                                         .spots = r->n * f->spots,
                                         .spread = (size_t)p->write,
                                         .out = r->y,
                                         .row = area,
                                         .lanes = lanes,
                                         .add = r->add});
    else
        ib_kernel_wide(&(struct ib_wide){.a = weights,
                                         .b = r->x,
                                         .tap = f->tap,
                                         .from = f->from,
                                         .to = f->to,
                                         .taps = f->taps,
                                         .columns = r->n * f->spots,
                                         .out = r->y,
                                         .row = area,
                                         .lanes = lanes,
                                         .add = r->add});
}

static void run_phase(const struct ib_conv_pass *p,
                      const struct ib_conv_phase *f, struct ib_conv_run r)
{
    size_t m = (size_t)p->out.c, area = (size_t)p->out.h * (size_t)p->out.w;
    const ib_real *weights = f->weights;
    for (size_t g = 0; g < (size_t)p->groups; g++) {
        for (size_t at = 0; at < m;) {
            size_t lanes = ib_conv_lanes(p, at);
            run_block(p, f, &r, weights, lanes);
            weights += (1 + f->taps) * (p->thin ? lanes : IB_LANES);
            r.y += lanes * area;
            at += lanes;
        }
        r.x += (size_t)p->in.c * p->plane;
    }
}

void ib_conv_pass_run(const struct ib_conv_pass *p, const struct ib_conv_run *r)
{
    size_t groups = (size_t)p->groups;
    size_t in = groups * ib_shape_size(p->in);
    size_t out = groups * ib_shape_size(p->out);
    struct ib_conv_run part = *r;
    part.x = r->scratch;
    for (size_t at = 0; at < r->n; at += p->images) {
        part.n = r->n - at < p->images ? r->n - at : p->images;
        part.y = r->y + at * out;
        ib_conv_fill(p, part.n, r->x + at * in, r->scratch);
        struct ib_conv_lists l = ib_conv_lists(p, r->shared);
        while (ib_conv_next(p, &l))
            run_phase(p, &l.phase, part);
    }
}

/* --- gradient of the weights ---------------------------------------------- */

size_t ib_conv_outer_scratch(const struct ib_conv_pass *down, size_t n)
{
    return ib_conv_frames(down, n) + (1 + CHUNK) * IB_LANES;
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

static void outer_group(const struct ib_conv_pass *p,
                        const struct ib_conv_lists *l,
                        const struct ib_conv_outer *o, const ib_real *x)
{
    const struct ib_conv_phase *f = &l->phase;
    size_t pixels = o->n * f->spots;
    if (p->thin) {
        ib_kernel_dot(
            &(struct ib_dot){.a = o->small,
                             .a_row = (size_t)p->out.h * (size_t)p->out.w,
                             .b = x,
                             .tap = f->tap,
                             .from = f->from,
                             .to = f->to,
                             .length = f->length,
                             .taps = f->taps,
                             .spots = pixels,
                             .rows = (size_t)p->out.c,
                             .out = o->dw,
                             .row = f->taps,
                             .add = o->add});
        return;
    }
    for (size_t at = 0; at < pixels; at += CHUNK) {
        size_t end = pixels - at < CHUNK ? pixels : at + CHUNK;
        outer_wide(p, l, o, x, (const size_t[2]){at, end});
    }
}

void ib_conv_outer(const struct ib_conv_pass *p, const struct ib_conv_outer *o)
{
    size_t groups = (size_t)p->groups;
    size_t in = groups * ib_shape_size(p->in), out = ib_shape_size(p->out);
    struct ib_conv_lists l = ib_conv_lists(p, o->shared);
    ib_conv_next(p, &l);
    for (size_t at = 0; at < o->n; at += p->images) {
        struct ib_conv_outer part = *o;
        part.n = o->n - at < p->images ? o->n - at : p->images;
        part.add = o->add || at > 0;
        ib_conv_fill(p, part.n, o->large + at * in, o->scratch);
        for (size_t g = 0; g < groups; g++) {
            part.small = o->small + (at * groups + g) * out;
            part.dw = o->dw + g * (size_t)p->out.c * l.phase.taps;
            outer_group(p, &l, &part,
                        o->scratch + g * (size_t)p->in.c * p->plane);
        }
    }
}
