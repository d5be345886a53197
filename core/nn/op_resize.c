/*
 * Images of another size: nearest upsampling by a whole factor, and bilinear
 * resizing.
 */
#include "put.h"

/* --- nearest ------------------------------------------------------------- */

static const char *upsample_shape(struct ib_graph_node *node,
                                  const struct ib_shape *in)
{
    int f = node->config.kernel;
    node->shape = in[0];
    if (f < 1 || f > 255)
        return "factors are 1 to 255";
    if (__builtin_mul_overflow(in[0].h, f, &node->shape.h) ||
        __builtin_mul_overflow(in[0].w, f, &node->shape.w))
        return "a row of it has too many values";
    return NULL;
}

static inline void spread(size_t w, size_t f, const ib_real *restrict x,
                          ib_real *restrict y)
{
    for (size_t i = 0; i < w; i++)
        for (size_t j = 0; j < f; j++)
            y[f * i + j] = x[i];
}

/* dx += what one line of dy holds for it. */
static inline void gather(size_t w, size_t f, const ib_real *restrict dy,
                          ib_real *restrict dx)
{
    for (size_t i = 0; i < w; i++) {
        ib_real sum = dy[f * i];
        for (size_t j = 1; j < f; j++)
            sum += dy[f * i + j];
        dx[i] += sum;
    }
}

/* With the common factors known to the compiler. */
#define BY_FACTOR(name, call)                                                  \
    static void name(size_t w, size_t f, const ib_real *from, ib_real *to)     \
    {                                                                          \
        if (f == 2)                                                            \
            call(w, 2, from, to);                                              \
        else if (f == 3)                                                       \
            call(w, 3, from, to);                                              \
        else if (f == 4)                                                       \
            call(w, 4, from, to);                                              \
        else                                                                   \
            call(w, f, from, to);                                              \
    }

BY_FACTOR(spread_line, spread)
BY_FACTOR(gather_line, gather)

static void upsample_forward(const struct ib_op_run *r)
{
    size_t f = (size_t)r->node->config.kernel, w = (size_t)r->in[0].w;
    size_t lines = r->n * (size_t)r->in[0].c * (size_t)r->in[0].h;
    ib_real *y = r->y;
    for (size_t i = 0; i < lines; i++) {
        const ib_real *first = y;
        spread_line(w, f, r->x[0] + i * w, y);
        y += w * f;
        for (size_t k = 1; k < f; k++, y += w * f)
            memcpy(y, first, w * f * sizeof *y);
    }
}

static void upsample_backward(const struct ib_op_run *r)
{
    size_t f = (size_t)r->node->config.kernel, w = (size_t)r->in[0].w;
    size_t lines = r->n * (size_t)r->in[0].c * (size_t)r->in[0].h;
    const ib_real *dy = r->dy;
    if (!r->dx[0])
        return;
    ib_put_nothing(r);
    for (size_t i = 0; i < lines; i++)
        for (size_t k = 0; k < f; k++, dy += w * f)
            gather_line(w, f, dy, r->dx[0] + i * w);
}

/* --- bilinear ------------------------------------------------------------ */

static const char *resize_shape(struct ib_graph_node *node,
                                const struct ib_shape *in)
{
    node->shape = (struct ib_shape){in[0].c, node->config.h, node->config.w};
    return NULL;
}

/* For each row, then each column of the output: where its first source line is
 * (the second is the next one), and the share of the second, which is 0 at the
 * far edge. Lies in `shared`, shares first. */
struct taps {
    ib_real *share;
    int32_t *first;
};

static size_t resize_shared(const struct ib_graph_node *node,
                            const struct ib_shape *in)
{
    (void)in;
    return 2 * ((size_t)node->shape.h + (size_t)node->shape.w);
}

static struct taps rows_of(const struct ib_op_run *r)
{
    size_t n = (size_t)r->node->shape.h + (size_t)r->node->shape.w;
    void *first = r->shared + n; /* an ib_real is at least as wide */
    return (struct taps){r->shared, first};
}

static struct taps columns_of(const struct ib_op_run *r)
{
    struct taps t = rows_of(r);
    t.share += r->node->shape.h;
    t.first += r->node->shape.h;
    return t;
}

/* Output place i of `out` lies at (i + 1/2) in / out - 1/2 of the input. */
static void fill_taps(int in, int out, struct taps t)
{
    double step = (double)in / out;
    for (int i = 0; i < out; i++) {
        double at = (i + 0.5) * step - 0.5;
        at = at < 0 ? 0 : at > in - 1 ? in - 1 : at;
        t.first[i] = (int)at;
        t.share[i] = (ib_real)(at - (int)at);
    }
}

static void resize_prepare(const struct ib_op_run *r)
{
    fill_taps(r->in[0].h, r->node->shape.h, rows_of(r));
    fill_taps(r->in[0].w, r->node->shape.w, columns_of(r));
}

/* One line of the input, blended of two; one number more, so that the last
 * column has a next one. */
static size_t resize_scratch(const struct ib_graph_node *node,
                             const struct ib_shape *in, size_t n)
{
    (void)node;
    (void)n;
    return (size_t)in[0].w + 1;
}

static ptrdiff_t to_next(struct ib_shape in, int line)
{
    return line + 1 < in.h ? in.w : 0;
}

static void blend(size_t w, const ib_real *x, const ib_real *below,
                  ib_real share, ib_real *restrict t)
{
    for (size_t i = 0; i < w; i++)
        t[i] = x[i] + share * (below[i] - x[i]);
    t[w] = t[w - 1];
}

static void resize_forward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    struct taps row = rows_of(r), column = columns_of(r);
    size_t planes = r->n * (size_t)in.c, w = (size_t)in.w;
    const ib_real *x = r->x[0];
    ib_real *restrict y = r->y;
    ib_real *restrict t = r->scratch;
    for (size_t p = 0; p < planes; p++, x += (ptrdiff_t)in.h * in.w)
        for (int i = 0; i < out.h; i++, y += out.w) {
            const ib_real *line = x + (ptrdiff_t)row.first[i] * in.w;
            blend(w, line, line + to_next(in, row.first[i]), row.share[i], t);
            for (int j = 0; j < out.w; j++) {
                ib_real a = t[column.first[j]], b = t[column.first[j] + 1];
                y[j] = a + column.share[j] * (b - a);
            }
        }
}

/* The transpose of that: one line of dy into two lines of dx. */
static void unblend(size_t w, const ib_real *restrict t, ib_real share,
                    ib_real *dx, ib_real *below)
{
    for (size_t i = 0; i < w; i++) {
        ib_real v = share * t[i];
        dx[i] += t[i] - v;
        below[i] += v;
    }
}

static void resize_backward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    struct taps row = rows_of(r), column = columns_of(r);
    size_t planes = r->n * (size_t)in.c, w = (size_t)in.w;
    const ib_real *restrict dy = r->dy;
    ib_real *dx = r->dx[0], *restrict t = r->scratch;
    if (!dx)
        return;
    ib_put_nothing(r);
    for (size_t p = 0; p < planes; p++, dx += (ptrdiff_t)in.h * in.w)
        for (int i = 0; i < out.h; i++, dy += out.w) {
            memset(t, 0, (w + 1) * sizeof *t);
            for (int j = 0; j < out.w; j++) {
                ib_real v = column.share[j] * dy[j];
                t[column.first[j]] += dy[j] - v;
                t[column.first[j] + 1] += v;
            }
            ib_real *line = dx + (ptrdiff_t)row.first[i] * in.w;
            unblend(w, t, row.share[i], line, line + to_next(in, row.first[i]));
        }
}

/* ------------------------------------------------------------------------- */

const struct ib_op ib_op_upsample = {
    .name = "upsample",
    .passes = true,
    .shape = upsample_shape,
    .forward = upsample_forward,
    .backward = upsample_backward,
};

const struct ib_op ib_op_resize = {
    .name = "resize",
    .passes = true,
    .shape = resize_shape,
    .shared = resize_shared,
    .scratch = resize_scratch,
    .prepare = resize_prepare,
    .forward = resize_forward,
    .backward = resize_backward,
};

ib_node ib_graph_upsample(struct ib_graph *g, ib_node x, int factor)
{
    const struct ib_op_config c = {.kernel = factor};
    return ib_graph_add_unary(g, IB_OP_UPSAMPLE, x, &c, NULL);
}

ib_node ib_graph_resize(struct ib_graph *g, ib_node x, int h, int w)
{
    const struct ib_op_config c = {.h = h, .w = w};
    return ib_graph_add_unary(g, IB_OP_RESIZE, x, &c, NULL);
}
