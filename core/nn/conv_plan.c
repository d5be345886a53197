/*
 * How a pass of a convolution is to be done: its frames, its phases, which
 * kernel, how many images at once.
 */
#include "conv.h"
#include "kernel.h"

#include <limits.h>

enum {
    FRAME_NUMBERS = 64 * 1024, /* at once: a quarter of a 1 MB cache */
    BIG_NUMBERS = 512 * 1024,  /* the same where weights are larger than it */
    LIST_SPOTS = 4096,
    IMAGES = 64,
};

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

size_t ib_conv_in(const struct ib_conv_pass *p)
{
    return ib_shape_size(p->up ? p->map.small : p->map.large);
}

size_t ib_conv_out(const struct ib_conv_pass *p)
{
    return ib_shape_size(p->up ? p->map.large : p->map.small);
}

/* --- phases --------------------------------------------------------------- */

static struct ib_conv_axis axis_down(int kernel, int out)
{
    return (struct ib_conv_axis){
        .taps = kernel, .step = 1, .move = 1, .count = out};
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

void ib_conv_phase(const struct ib_conv_pass *p, int index,
                   struct ib_conv_phase *f)
{
    if (p->up && !p->folded) {
        f->y = axis_up(&p->map, p->out.h, index / p->write);
        f->x = axis_up(&p->map, p->out.w, index % p->write);
    } else {
        f->y = axis_down(p->kernel, p->out.h);
        f->x = axis_down(p->kernel, p->out.w);
    }
    int row = p->thin ? ceil_div(f->x.count, IB_VECTOR) : f->x.count;
    f->taps = (size_t)p->in.c * (size_t)f->y.taps * (size_t)f->x.taps;
    f->spots = (size_t)f->y.count * (size_t)row;
}

size_t ib_conv_lanes(const struct ib_conv_pass *p, size_t m)
{
    size_t left = (size_t)p->out.c - m;
    if (p->thin) /* blocks of even size */
        return left / ((left + IB_THIN - 1) / IB_THIN);
    return left < IB_LANES ? left : IB_LANES;
}

size_t ib_conv_packed_lanes(const struct ib_conv_pass *p)
{
    size_t m = (size_t)p->out.c;
    return p->thin ? m : (m + IB_LANES - 1) / IB_LANES * IB_LANES;
}

bool ib_conv_apart(const struct ib_conv_pass *p)
{
    return p->spread || p->write > 1;
}

/* --- what it costs -------------------------------------------------------- */

/* In products that a core could form instead, as measured. ib_wide computes 16
 * lanes even where fewer are wanted, and pays for turning a tile; ib_thin
 * computes whole vectors of neighbours, with more loads where lanes are few. */
static double wide_cost(const struct ib_conv_pass *p,
                        const struct ib_conv_phase *f)
{
    double pixels = (double)f->y.count * f->x.count;
    return (double)ib_conv_packed_lanes(p) * pixels * ((double)f->taps + 26);
}

static double thin_cost(const struct ib_conv_pass *p,
                        const struct ib_conv_phase *f)
{
    static const double loads[] = {2.0, 1.5, 1.15, 1.1};
    double vectors = (double)f->y.count * ceil_div(f->x.count, IB_VECTOR);
    double each = loads[p->out.c < 4 ? p->out.c - 1 : 3] * (double)f->taps;
    return vectors * IB_VECTOR * (double)p->out.c * (each + 10);
}

/* Of one image, all phases. */
static double kernel_cost(const struct ib_conv_pass *p, bool thin)
{
    struct ib_conv_pass as = *p;
    double cost = 0;
    as.thin = thin;
    for (int i = 0; i < p->write * p->write; i++) {
        struct ib_conv_phase f;
        ib_conv_phase(&as, i, &f);
        cost += thin ? thin_cost(&as, &f) : wide_cost(&as, &f);
    }
    return p->groups * cost;
}

static double cost_of(const struct ib_conv_pass *p)
{
    double cost = kernel_cost(p, p->thin);
    if (!p->direct)
        cost += 4.0 * (double)p->frame;
    if (p->spread)
        cost += (p->map.stride == 1 ? 10.0 : 32.0) * p->groups *
                (double)ib_shape_size(p->out);
    return cost;
}

/* --- passes --------------------------------------------------------------- */

/* Reading the images in place: no margins, and whole vectors lie inside. */
static bool can_be_direct(const struct ib_conv_pass *p)
{
    if (p->top || p->left || p->h > p->in.h || p->w > p->in.w)
        return false;
    return !p->thin || (p->kernel == 1 && p->in.h == 1 && p->out.w == p->in.w &&
                        p->in.w % IB_VECTOR == 0);
}

static void lay_frames(struct ib_conv_pass *p)
{
    p->direct = can_be_direct(p);
    if (p->direct) {
        p->h = p->in.h;
        p->w = p->in.w;
    }
    p->plane = (size_t)p->h * (size_t)p->w;
    if (!p->direct) {
        /* An odd number of cache lines: planes spread over all sets. */
        p->plane = (p->plane + 15) / 16 * 16;
        p->plane += p->plane / 16 % 2 ? 0 : 16;
    }
    p->frame = (size_t)p->groups * (size_t)p->in.c * p->plane;
}

static size_t clamp(size_t x, size_t most)
{
    return x < 1 ? 1 : x > most ? most : x;
}

static void count_phases(struct ib_conv_pass *p)
{
    size_t lanes = (size_t)p->groups * ib_conv_packed_lanes(p);
    for (int i = 0; i < p->write * p->write; i++) {
        struct ib_conv_phase f;
        ib_conv_phase(p, i, &f);
        p->taps += f.taps;
        p->spots += f.spots;
        p->packed += lanes * (1 + f.taps);
    }
}

/* The offsets of an image's last number must fit an int32_t. */
static void count_images(struct ib_conv_pass *p)
{
    size_t out = (size_t)p->groups * ib_shape_size(p->out);
    size_t most = p->packed > FRAME_NUMBERS ? BIG_NUMBERS : FRAME_NUMBERS;
    size_t each = ib_conv_apart(p) && out > p->frame ? out : p->frame;
    size_t images = clamp(most / each, clamp(LIST_SPOTS / p->spots, IMAGES));
    p->images = clamp(images, clamp(INT_MAX / out, IMAGES));
}

static struct ib_conv_pass finish(struct ib_conv_pass p, bool thin)
{
    p.thin = thin;
    lay_frames(&p);
    count_phases(&p);
    count_images(&p);
    return p;
}

/* A kernel of one tap sees no rows. */
static void flatten(struct ib_conv_pass *p)
{
    p->in.w *= p->in.h;
    p->out.w *= p->out.h;
    p->in.h = p->out.h = p->h = 1;
    p->w = p->in.w;
}

static struct ib_conv_pass begin_down(const struct ib_conv_map *map)
{
    struct ib_conv_pass p = {.map = *map,
                             .in = map->large,
                             .out = map->small,
                             .groups = map->groups,
                             .kernel = map->kernel,
                             .read = map->stride,
                             .write = 1,
                             .top = map->pad,
                             .left = map->pad};
    p.in.c /= map->groups;
    p.out.c /= map->groups;
    p.h = (p.out.h - 1) * map->stride + map->kernel;
    p.w = (p.out.w - 1) * map->stride + map->kernel;
    if (map->kernel == 1 && map->stride == 1)
        flatten(&p);
    return p;
}

static struct ib_conv_pass begin_up(const struct ib_conv_map *map)
{
    int s = map->stride, begin = map->pad / s - (map->kernel - 1) / s;
    struct ib_conv_pass p = {.map = *map,
                             .up = true,
                             .in = map->small,
                             .out = map->large,
                             .groups = map->groups,
                             .kernel = map->kernel,
                             .read = 1,
                             .write = s,
                             .top = -begin,
                             .left = -begin};
    p.in.c /= map->groups;
    p.out.c /= map->groups;
    p.h = (p.out.h - 1 + map->pad) / s - begin + 1;
    p.w = (p.out.w - 1 + map->pad) / s - begin + 1;
    if (map->kernel == 1 && s == 1)
        flatten(&p);
    return p;
}

/* The same result by a kernel of one tap, whose output channels are the taps of
 * all output channels. From images of one pixel they are the result itself. */
static struct ib_conv_pass begin_folded(struct ib_conv_pass p)
{
    const struct ib_conv_map *m = &p.map;
    int k = m->kernel;
    bool same = p.up && m->pad == 0 && m->small.h == 1 && m->small.w == 1 &&
                m->large.h == k && m->large.w == k;
    p.out = p.in;
    p.out.c = (p.up ? m->large.c : m->small.c) / p.groups * k * k;
    p.folded = true;
    p.spread = !same;
    p.kernel = p.read = p.write = 1;
    p.top = p.left = 0;
    flatten(&p);
    return p;
}

static bool can_fold(const struct ib_conv_pass *p)
{
    size_t size, k = (size_t)p->map.kernel;
    size_t in = (size_t)p->in.h * (size_t)p->in.w;
    return p->read == 1 && p->map.kernel > 1 &&
           ib_size_mul(k * k * in, (size_t)(p->out.c * p->groups), &size) &&
           size < INT_MAX / 4;
}

static struct ib_conv_pass best(struct ib_conv_pass p)
{
    struct ib_conv_pass way[4];
    int ways = 0, found = 0;
    way[ways++] = finish(p, false);
    if (p.read == 1)
        way[ways++] = finish(p, true);
    if (can_fold(&p)) {
        way[ways++] = finish(begin_folded(p), false);
        way[ways++] = finish(begin_folded(p), true);
    }
    for (int i = 1; i < ways; i++)
        if (cost_of(&way[i]) < cost_of(&way[found]))
            found = i;
    return way[found];
}

struct ib_conv_pass ib_conv_down(const struct ib_conv_map *map)
{
    return best(begin_down(map));
}

struct ib_conv_pass ib_conv_up(const struct ib_conv_map *map)
{
    return best(begin_up(map));
}

/* ib_dot sees the small images in whole vectors, with zeros after each row;
 * ib_wide turns them first, which pays where many weights see each channel. */
struct ib_conv_pass ib_conv_outer_pass(const struct ib_conv_map *map)
{
    struct ib_conv_pass p = begin_down(map);
    int width = ceil_div(p.out.w, IB_VECTOR) * IB_VECTOR;
    double taps = (double)p.in.c * p.kernel * p.kernel;
    double wide = (double)ib_conv_packed_lanes(&p) * p.out.w * (taps + 20);
    double dot = (double)p.out.c * width * 1.1 * taps;
    bool thin = p.read == 1 && dot < wide;
    if (thin) {
        p.out.w = width;
        p.w = width - 1 + p.kernel;
    }
    return finish(p, thin);
}
