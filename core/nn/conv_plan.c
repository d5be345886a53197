/*
 * What a pass of a convolution walks over: phases, lists of offsets, weights in
 * the kernels' order.
 */
#include "conv.h"
#include "kernel.h"

#include <limits.h>

/* Frames and lists of the images that are done at once stay in the
 * second-level cache beside what they become. */
enum { FRAME_NUMBERS = 64 * 1024, LIST_SPOTS = 4096 };

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* --- phases --------------------------------------------------------------- */

static struct ib_conv_axis axis_down(const struct ib_conv_map *m, int out)
{
    return (struct ib_conv_axis){
        .taps = m->kernel, .step = 1, .move = 1, .count = out};
}

/* Pixel i of the large side sees kernel index a + s t at v - t of the small
 * one, where i + pad = s v + a. The frame begins at the smallest v - t. */
static struct ib_conv_axis axis_up(const struct ib_conv_map *m, int size, int a)
{
    int s = m->stride, to = (a + s - m->pad % s) % s;
    int before = (m->kernel - 1) / s;
    return (struct ib_conv_axis){
        .taps = a < m->kernel ? ceil_div(m->kernel - a, s) : 0,
        .first = a,
        .step = s,
        .move = -1,
        .count = to < size ? ceil_div(size - to, s) : 0,
        .to = to,
        .from = (to + m->pad) / s - (m->pad / s - before),
    };
}

static size_t spots_of(const struct ib_conv_pass *p,
                       const struct ib_conv_axis *y,
                       const struct ib_conv_axis *x)
{
    int row = p->thin ? ceil_div(x->count, IB_VECTOR) : x->count;
    return (size_t)y->count * (size_t)row;
}

static void enter_phase(const struct ib_conv_pass *p, int index,
                        struct ib_conv_phase *f)
{
    const struct ib_conv_map *m = &p->map;
    if (p->up) {
        f->y = axis_up(m, p->out.h, index / p->write);
        f->x = axis_up(m, p->out.w, index % p->write);
    } else {
        f->y = axis_down(m, p->out.h);
        f->x = axis_down(m, p->out.w);
    }
    f->taps = (size_t)p->in.c * (size_t)f->y.taps * (size_t)f->x.taps;
    f->spots = spots_of(p, &f->y, &f->x);
}

size_t ib_conv_lanes(const struct ib_conv_pass *p, size_t m)
{
    size_t most = p->thin ? IB_THIN : IB_LANES, left = (size_t)p->out.c - m;
    return left < most ? left : most;
}

/* Columns of one row of packed weights, of one group. */
static size_t lanes_packed(const struct ib_conv_pass *p)
{
    size_t m = (size_t)p->out.c;
    return p->thin ? m : (m + IB_LANES - 1) / IB_LANES * IB_LANES;
}

/* --- sizes ---------------------------------------------------------------- */

/* Cycles for a pixel, roughly: ib_wide computes 16 lanes even where fewer are
 * wanted, ib_thin whole vectors of neighbours and reads across cache lines. */
static bool thin_is_faster(const struct ib_conv_pass *p)
{
    int k = p->map.kernel, taps = p->up ? ceil_div(k, p->write) : k;
    double sums = (double)p->in.c * taps * taps, row = p->out.w;
    if (p->read != 1)
        return false;
    row = ceil_div(p->out.w, p->write);
    double wide = (double)lanes_packed(p) * (sums + 10);
    double vectors = ceil_div((int)row, IB_VECTOR) * IB_VECTOR / row;
    double thin = (double)p->out.c * vectors * (1.2 * sums + 6);
    return thin < wide;
}

static size_t clamp(size_t x, size_t most)
{
    return x < 1 ? 1 : x > most ? most : x;
}

static void measure(struct ib_conv_pass *p)
{
    size_t plane = (size_t)p->h * (size_t)p->w;
    /* An odd number of cache lines: planes spread over all sets. */
    plane = (plane + 15) / 16 * 16;
    p->plane = plane / 16 % 2 ? plane : plane + 16;
    p->frame = (size_t)p->groups * (size_t)p->in.c * p->plane;
    p->thin = thin_is_faster(p);
    p->taps = p->spots = p->packed = 0;
    for (int i = 0; i < p->write * p->write; i++) {
        struct ib_conv_phase f;
        enter_phase(p, i, &f);
        p->taps += f.taps;
        p->spots += f.spots;
        p->packed += (size_t)p->groups * lanes_packed(p) * (1 + f.taps);
    }
    size_t area = ib_shape_size(p->out), images = FRAME_NUMBERS / p->frame;
    images = clamp(images, clamp(LIST_SPOTS / p->spots, 64));
    p->images = clamp(images, clamp(INT_MAX / (size_t)p->groups / area, 64));
}

static void per_group(struct ib_conv_pass *p)
{
    p->groups = p->map.groups;
    p->in.c /= p->groups;
    p->out.c /= p->groups;
}

struct ib_conv_pass ib_conv_down(const struct ib_conv_map *map)
{
    struct ib_conv_pass p = {.map = *map,
                             .in = map->large,
                             .out = map->small,
                             .read = map->stride,
                             .write = 1,
                             .top = map->pad,
                             .left = map->pad};
    p.h = (p.out.h - 1) * map->stride + map->kernel;
    p.w = (p.out.w - 1) * map->stride + map->kernel;
    per_group(&p);
    measure(&p);
    return p;
}

struct ib_conv_pass ib_conv_up(const struct ib_conv_map *map)
{
    int s = map->stride, begin = map->pad / s - (map->kernel - 1) / s;
    struct ib_conv_pass p = {.map = *map,
                             .up = true,
                             .in = map->small,
                             .out = map->large,
                             .read = 1,
                             .write = s,
                             .top = -begin,
                             .left = -begin};
    p.h = (p.out.h - 1 + map->pad) / s - begin + 1;
    p.w = (p.out.w - 1 + map->pad) / s - begin + 1;
    per_group(&p);
    measure(&p);
    return p;
}

/* --- lists ---------------------------------------------------------------- */

/* Numbers that hold so many offsets, and end on a cache line. */
static size_t offsets(size_t n)
{
    size_t line = 64 / sizeof(ib_real);
    return (n * sizeof(int32_t) / sizeof(ib_real) + line) / line * line;
}

static size_t listed(const struct ib_conv_pass *p)
{
    return offsets(2 * p->taps + 3 * p->images * p->spots);
}

size_t ib_conv_pass_shared(const struct ib_conv_pass *p)
{
    return listed(p) + p->packed + 64 / sizeof(ib_real);
}

struct ib_conv_lists ib_conv_lists(const struct ib_conv_pass *p,
                                   ib_real *shared)
{
    struct ib_conv_lists l = {.index = -1, .identity = (int32_t *)shared};
    l.phase.tap = l.identity + p->taps;
    l.phase.from = l.phase.tap + p->taps;
    l.phase.weights = shared + listed(p);
    return l;
}

bool ib_conv_next(const struct ib_conv_pass *p, struct ib_conv_lists *l)
{
    struct ib_conv_phase *f = &l->phase;
    if (++l->index == p->write * p->write)
        return false;
    if (l->index > 0) {
        f->tap += f->taps;
        f->from += 3 * p->images * f->spots;
        f->weights += (size_t)p->groups * lanes_packed(p) * (1 + f->taps);
    }
    enter_phase(p, l->index, f);
    f->to = f->from + p->images * f->spots;
    f->length = f->to + p->images * f->spots;
    return true;
}

static void list_taps(const struct ib_conv_pass *p,
                      const struct ib_conv_phase *f)
{
    int32_t *tap = f->tap;
    for (int c = 0; c < p->in.c; c++)
        for (int y = 0; y < f->y.taps; y++)
            for (int x = 0; x < f->x.taps; x++)
                *tap++ = (int32_t)(c * (int)p->plane + y * f->y.move * p->w +
                                   x * f->x.move);
}

static void list_spots(const struct ib_conv_pass *p,
                       const struct ib_conv_phase *f, size_t image, size_t at)
{
    size_t size = (size_t)p->groups * ib_shape_size(p->out);
    int step = p->thin ? IB_VECTOR : 1;
    for (int y = 0; y < f->y.count; y++)
        for (int x = 0; x < f->x.count; x += step, at++) {
            int fy = f->y.from + y * p->read, fx = f->x.from + x * p->read;
            int oy = f->y.to + y * p->write, ox = f->x.to + x * p->write;
            int left = f->x.count - x;
            f->from[at] = (int32_t)(image * p->frame) + fy * p->w + fx;
            f->to[at] = (int32_t)(image * size) + oy * p->out.w + ox;
            f->length[at] = left < step ? left : step;
        }
}

/* --- weights -------------------------------------------------------------- */

/* One block of lanes: the biases, then a row for each tap. w: at the block's
 * first output channel; strides of W for an output and an input channel. */
static ib_real *pack_block(const struct ib_conv_pass *p,
                           const struct ib_conv_phase *f, ib_real *to,
                           const ib_real *w, size_t lanes)
{
    size_t area = (size_t)p->map.kernel * (size_t)p->map.kernel;
    size_t in = p->up ? (size_t)p->out.c * area : area;
    size_t out = p->up ? area : (size_t)p->in.c * area;
    size_t row = p->thin ? lanes : IB_LANES;
    for (size_t c = 0; c < (size_t)p->in.c; c++)
        for (int y = 0; y < f->y.taps; y++)
            for (int x = 0; x < f->x.taps; x++, to += row) {
                int ky = f->y.first + y * f->y.step;
                int kx = f->x.first + x * f->x.step;
                const ib_real *from = w + c * in + ky * p->map.kernel + kx;
                for (size_t l = 0; l < row; l++)
                    to[l] = l < lanes ? from[l * out] : 0;
            }
    return to;
}

static void pack(const struct ib_conv_pass *p, const struct ib_conv_phase *f,
                 const ib_real *w, const ib_real *b)
{
    size_t area = (size_t)p->map.kernel * (size_t)p->map.kernel;
    size_t m = (size_t)p->out.c, out = p->up ? area : (size_t)p->in.c * area;
    ib_real *to = f->weights;
    for (size_t g = 0; g < (size_t)p->groups; g++) {
        for (size_t at = 0; at < m;) {
            size_t lanes = ib_conv_lanes(p, at);
            size_t row = p->thin ? lanes : IB_LANES;
            for (size_t l = 0; l < row; l++)
                *to++ = b && l < lanes ? b[g * m + at + l] : 0;
            to = pack_block(p, f, to, w + at * out, lanes);
            at += lanes;
        }
        w += m * (size_t)p->in.c * area;
    }
}

void ib_conv_pass_prepare(const struct ib_conv_pass *p, const ib_real *w,
                          const ib_real *b, ib_real *shared)
{
    struct ib_conv_lists l = ib_conv_lists(p, shared);
    for (size_t i = 0; i < p->taps; i++)
        l.identity[i] = (int32_t)i;
    while (ib_conv_next(p, &l)) {
        list_taps(p, &l.phase);
        for (size_t i = 0; i < p->images; i++)
            list_spots(p, &l.phase, i, i * l.phase.spots);
        if (w)
            pack(p, &l.phase, w, b);
    }
}
