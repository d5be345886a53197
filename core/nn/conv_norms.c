/*
 * Squared norms of each image's own gradient of the weights. Either the
 * gradient of one image is formed and measured, or, where that is cheaper,
 * |dW|^2 = sum over pixels q, q' of <dy_q, dy_q'> <x_q, x_q'>, with x_q the
 * patch that pixel q of the small image sees (Goodfellow 2015 for dense layers;
 * Rochette et al. 2019 for convolutions): two Gram matrices, a block of their
 * rows at a time.
 */
#include "conv.h"
#include "kernel.h"

#include <invbench/math.h>
#include <string.h>

/* Of one group: pixels, weights of an output channel, output channels. */
struct sizes {
    size_t pixels, j, m, dw;
};

static struct sizes sizes_of(const struct ib_conv_pass *p)
{
    struct sizes s = {.pixels = (size_t)p->out.h * (size_t)p->out.w,
                      .j = p->taps,
                      .m = (size_t)p->out.c};
    s.dw = (size_t)p->groups * s.m * s.j;
    return s;
}

static bool by_gram(const struct ib_conv_pass *p)
{
    struct sizes s = sizes_of(p);
    return !p->thin && s.pixels * (s.j + s.m) < s.j * s.m;
}

/* Rows of the two Gram matrices, the lanes that they are made from, and two
 * lists of offsets. */
static size_t gram_scratch(const struct sizes *s)
{
    return 2 * IB_LANES * s->pixels + (2 + s->j + s->m) * IB_LANES +
           (s->pixels + s->m) * sizeof(int32_t) / sizeof(ib_real) + 2;
}

size_t ib_conv_norms_scratch(const struct ib_conv_pass *p)
{
    struct sizes s = sizes_of(p);
    if (by_gram(p))
        return ib_conv_frames(p, 1) + gram_scratch(&s);
    return ib_conv_outer_scratch(p, 1) + s.dw;
}

/* --- by the gradient itself ----------------------------------------------- */

static void norms_by_gradient(const struct ib_conv_pass *p,
                              const struct ib_conv_outer *o, double *norm2)
{
    struct sizes s = sizes_of(p);
    struct ib_conv_outer one = *o;
    one.n = 1;
    one.add = false;
    one.dw = o->scratch + ib_conv_outer_scratch(p, 1);
    for (size_t i = 0; i < o->n; i++) {
        ib_conv_outer(p, &one);
        norm2[i] += ib_dot(s.dw, one.dw, one.dw);
        one.large += ib_conv_in(p);
        one.small += ib_conv_out(p);
    }
}

/* --- by Gram matrices ------------------------------------------------------
 */

/* One side's vectors of all pixels: number k of pixel q stands at x[from[q] +
 * tap[k]]. */
struct vectors {
    const ib_real *x;
    const int32_t *from, *tap;
    size_t n;
};

/* gram: IB_LANES x pixels, filled from column `first` on: inner products of
 * pixels first.. first + lanes with those from first on. */
static void gram_rows(const struct vectors *v, const struct sizes *s,
                      const int32_t *identity, size_t first, ib_real *a,
                      ib_real *gram)
{
    size_t left = s->pixels - first;
    size_t lanes = left < IB_LANES ? left : IB_LANES;
    memset(a, 0, (1 + v->n) * IB_LANES * sizeof *a);
    for (size_t k = 0; k < v->n; k++)
        for (size_t l = 0; l < lanes; l++)
            a[(1 + k) * IB_LANES + l] = v->x[v->from[first + l] + v->tap[k]];
    ib_kernel_wide(&(struct ib_wide){.a = a,
                                     .b = v->x,
                                     .tap = v->tap,
                                     .from = v->from + first,
                                     .to = identity + first,
                                     .taps = v->n,
                                     .columns = left,
                                     .out = gram,
                                     .row = s->pixels,
                                     .lanes = lanes});
}

/* Both matrices are symmetric: columns right of the block count twice. */
static double norm_of_group(const struct vectors *x, const struct vectors *dy,
                            const struct sizes *s, const int32_t *identity,
                            ib_real *memory)
{
    ib_real *gx = memory, *gy = gx + IB_LANES * s->pixels;
    ib_real *a = gy + IB_LANES * s->pixels;
    double norm = 0;
    for (size_t first = 0; first < s->pixels; first += IB_LANES) {
        size_t left = s->pixels - first;
        size_t lanes = left < IB_LANES ? left : IB_LANES;
        gram_rows(x, s, identity, first, a, gx);
        gram_rows(dy, s, identity, first, a, gy);
        for (size_t l = 0; l < lanes; l++) {
            size_t at = l * s->pixels + first;
            norm += ib_dot(lanes, gx + at, gy + at) +
                    2 * ib_dot(left - lanes, gx + at + lanes, gy + at + lanes);
        }
    }
    return norm;
}

static void norms_by_gram(const struct ib_conv_pass *p,
                          const struct ib_conv_outer *o, double *norm2)
{
    struct sizes s = sizes_of(p);
    struct ib_conv_lists l = ib_conv_lists(p, o->shared);
    ib_conv_next(p, &l);
    ib_real *memory = o->scratch + ib_conv_frames(p, 1);
    int32_t *identity = (int32_t *)(memory + 2 * IB_LANES * s.pixels +
                                    (2 + s.j + s.m) * IB_LANES);
    int32_t *planes = identity + s.pixels;
    for (size_t i = 0; i < s.pixels; i++)
        identity[i] = (int32_t)i;
    for (size_t i = 0; i < s.m; i++)
        planes[i] = (int32_t)(i * s.pixels);
    size_t groups = (size_t)p->groups;
    for (size_t i = 0; i < o->n; i++) {
        const ib_real *frame =
            ib_conv_fill(p, 1, o->large + i * ib_conv_in(p), o->scratch);
        for (size_t g = 0; g < groups; g++) {
            struct vectors x = {frame + g * (size_t)p->in.c * p->plane,
                                l.phase.from, l.phase.tap, s.j};
            struct vectors dy = {o->small + (i * groups + g) * s.m * s.pixels,
                                 identity, planes, s.m};
            norm2[i] += norm_of_group(&x, &dy, &s, identity, memory);
        }
    }
}

void ib_conv_norms(const struct ib_conv_pass *p, const struct ib_conv_outer *o,
                   double *norm2)
{
    if (by_gram(p))
        norms_by_gram(p, o, norm2);
    else
        norms_by_gradient(p, o, norm2);
}
