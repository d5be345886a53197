/*
 * What a pass of a convolution walks over: lists of offsets, and weights in the
 * kernels' order.
 */
#include "conv.h"
#include "kernel.h"

#include <string.h>

/* --- where they lie --------------------------------------------------------
 */

enum { LINE = 64 / sizeof(ib_real) };

/* Numbers that hold so many offsets, and end on a cache line. */
static size_t offsets(size_t n)
{
    return (n * sizeof(int32_t) / sizeof(ib_real) + LINE) / LINE * LINE;
}

static size_t listed(const struct ib_conv_pass *p)
{
    return offsets(2 * p->taps + 3 * p->images * p->spots);
}

static size_t channels(const struct ib_conv_pass *p)
{
    return (size_t)(p->up ? p->map.large.c : p->map.small.c);
}

size_t ib_conv_shared(const struct ib_conv_pass *p)
{
    return (listed(p) + p->packed + channels(p) + LINE - 1) / LINE * LINE;
}

struct ib_conv_lists ib_conv_lists(const struct ib_conv_pass *p,
                                   ib_real *shared)
{
    struct ib_conv_lists l = {.index = -1, .identity = (int32_t *)shared};
    l.phase.tap = l.identity + p->taps;
    l.phase.from = l.phase.tap + p->taps;
    l.phase.weights = shared + listed(p);
    l.bias = l.phase.weights + p->packed;
    return l;
}

bool ib_conv_next(const struct ib_conv_pass *p, struct ib_conv_lists *l)
{
    struct ib_conv_phase *f = &l->phase;
    size_t lanes = (size_t)p->groups * ib_conv_packed_lanes(p);
    if (++l->index == p->write * p->write)
        return false;
    if (l->index > 0) {
        f->offset += (size_t)p->groups * (size_t)p->out.c * ib_conv_area(f);
        f->from += 3 * p->images * f->spots;
        f->tap += f->taps;
        f->weights += lanes * (1 + f->taps);
    }
    ib_conv_phase(p, l->index, f);
    f->to = f->from + p->images * f->spots;
    f->length = f->to + p->images * f->spots;
    return true;
}

/* --- offsets ---------------------------------------------------------------
 */

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

/* Of image i of those that are done at once. */
static void list_spots(const struct ib_conv_pass *p,
                       const struct ib_conv_phase *f, size_t i)
{
    size_t size = (size_t)(p->groups * p->out.c) * ib_conv_area(f);
    size_t at = i * f->spots;
    int step = p->thin ? IB_VECTOR : 1;
    for (int y = 0; y < f->y.count; y++)
        for (int x = 0; x < f->x.count; x += step, at++) {
            int fy = f->y.from + y * p->read, fx = f->x.from + x * p->read;
            int left = f->x.count - x;
            f->from[at] = (int32_t)(i * p->frame) + fy * p->w + fx;
            f->to[at] = (int32_t)(i * size) + y * f->x.count + x;
            f->length[at] = left < step ? left : step;
        }
}

/* --- weights -------------------------------------------------------------- */

/* Strides of W. A folded pass has the kernel's taps among its lanes. */
struct strides {
    size_t in, out, group;
    size_t per; /* lanes of one output channel */
};

static struct strides strides_of(const struct ib_conv_pass *p)
{
    size_t area = (size_t)p->map.kernel * (size_t)p->map.kernel;
    size_t large = (size_t)p->map.large.c / (size_t)p->groups * area;
    size_t small = (size_t)p->map.small.c / (size_t)p->groups;
    return (struct strides){.in = p->up ? large : area,
                            .out = p->up ? area : large,
                            .group = small * large,
                            .per = p->folded ? area : 1};
}

enum { TURNED = 64 }; /* taps that pack_turned can take */

/* One input channel's taps of the phase, for some lanes; lane[l]: their first.
 */
static ib_real *pack_taps(const struct ib_conv_pass *p,
                          const struct ib_conv_phase *f,
                          const ib_real *const *lane, size_t lanes, ib_real *to)
{
    size_t row = p->thin ? lanes : IB_LANES;
    for (int y = 0; y < f->y.taps; y++)
        for (int x = 0; x < f->x.taps; x++, to += row) {
            int ky = f->y.first + y * f->y.step;
            int kx = f->x.first + x * f->x.step;
            for (size_t l = 0; l < row; l++)
                to[l] = l < lanes ? lane[l][ky * p->kernel + kx] : 0;
        }
    return to;
}

/* The same for IB_LANES lanes that lie `row` numbers apart, all taps at once.
 */
static ib_real *pack_turned(const struct ib_conv_pass *p,
                            const struct ib_conv_phase *f, const ib_real *w,
                            size_t row, ib_real *to)
{
    ib_real all[TURNED * IB_LANES];
    ib_kernel_lanes(all, w, row, IB_LANES, (size_t)(p->kernel * p->kernel));
    for (int y = 0; y < f->y.taps; y++)
        for (int x = 0; x < f->x.taps; x++, to += IB_LANES) {
            int ky = f->y.first + y * f->y.step;
            int kx = f->x.first + x * f->x.step;
            memcpy(to, all + (ky * p->kernel + kx) * IB_LANES,
                   IB_LANES * sizeof *to);
        }
    return to;
}

/* One block of lanes from lane `first` on: the biases, then a row for each tap.
 * w: of one group. */
static ib_real *pack_block(const struct ib_conv_pass *p,
                           const struct ib_conv_phase *f, const ib_real *w,
                           size_t first, ib_real *to)
{
    struct strides s = strides_of(p);
    size_t lanes = ib_conv_lanes(p, first), area = (size_t)p->kernel;
    bool wide = !p->thin && lanes == IB_LANES;
    const ib_real *lane[IB_LANES];
    area *= area;
    for (size_t l = 0; l < lanes; l++)
        lane[l] = w + (first + l) / s.per * s.out + (first + l) % s.per;
    for (size_t c = 0; c < (size_t)p->in.c; c++) {
        if (wide && lane[IB_LANES - 1] == lane[0] + IB_LANES - 1) {
            memcpy(to, lane[0], IB_LANES * sizeof *to);
            to += IB_LANES;
        } else if (wide && s.per == 1 && area <= TURNED)
            to = pack_turned(p, f, lane[0], s.out, to);
        else
            to = pack_taps(p, f, lane, lanes, to);
        for (size_t l = 0; l < lanes; l++)
            lane[l] += s.in;
    }
    return to;
}

static void pack(const struct ib_conv_pass *p, const struct ib_conv_lists *l,
                 const ib_real *w)
{
    const struct ib_conv_phase *f = &l->phase;
    struct strides s = strides_of(p);
    size_t m = (size_t)p->out.c;
    ib_real *to = f->weights;
    for (size_t g = 0; g < (size_t)p->groups; g++)
        for (size_t at = 0; at < m; at += ib_conv_lanes(p, at)) {
            size_t lanes = ib_conv_lanes(p, at);
            size_t row = p->thin ? lanes : IB_LANES;
            for (size_t i = 0; i < row; i++) {
                bool biased = i < lanes && !p->spread;
                *to++ = biased ? l->bias[(g * m + at + i) / s.per] : 0;
            }
            to = pack_block(p, f, w + g * s.group, at, to);
        }
}

void ib_conv_prepare(const struct ib_conv_pass *p, const ib_real *w,
                     const ib_real *b, ib_real *shared)
{
    struct ib_conv_lists l = ib_conv_lists(p, shared);
    for (size_t i = 0; i < p->taps; i++)
        l.identity[i] = (int32_t)i;
    for (size_t i = 0; i < channels(p); i++)
        l.bias[i] = b ? b[i] : 0;
    while (ib_conv_next(p, &l)) {
        list_taps(p, &l.phase);
        for (size_t i = 0; i < p->images; i++)
            list_spots(p, &l.phase, i);
        if (w)
            pack(p, &l, w);
    }
}
