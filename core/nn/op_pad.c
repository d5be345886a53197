/*
 * Padding of images: with a constant, with the outermost pixels, mirrored.
 */
#include "put.h"

static bool in_range(const struct ib_op_config *c, int most_h, int most_w)
{
    return c->top >= 0 && c->top <= most_h && c->h >= 0 && c->h <= most_h &&
           c->left >= 0 && c->left <= most_w && c->w >= 0 && c->w <= most_w;
}

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    enum { MOST = 65535 };
    const struct ib_op_config *c = &node->config;
    node->shape = in[0];
    if (!in_range(c, MOST, MOST))
        return "what is added to a side is 0 to 65535 pixels";
    if (c->mode == IB_BORDER_REFLECT && !in_range(c, in[0].h - 1, in[0].w - 1))
        return "a mirrored border is narrower than the image";
    if (__builtin_add_overflow(in[0].h, c->top + c->h, &node->shape.h) ||
        __builtin_add_overflow(in[0].w, c->left + c->w, &node->shape.w))
        return "a row of it has too many values";
    return NULL;
}

/* The pixel of n that stands at place i, which may be outside; -1: none. */
static int source(int i, int n, int border)
{
    if (i >= 0 && i < n)
        return i;
    if (border == IB_BORDER_REFLECT)
        return i < 0 ? -i : 2 * (n - 1) - i;
    if (border == IB_BORDER_EDGE)
        return i < 0 ? 0 : n - 1;
    return -1;
}

static void pad_line(const struct ib_op_run *r, const ib_real *x, ib_real *y)
{
    const struct ib_op_config *c = &r->node->config;
    int w = r->in[0].w, left = c->left;
    ib_real value = (ib_real)c->shift;
    for (int i = 0; i < left; i++) {
        int from = source(i - left, w, c->mode);
        y[i] = from < 0 ? value : x[from];
    }
    memcpy(y + left, x, (size_t)w * sizeof *y);
    for (int i = w; i < w + c->w; i++) {
        int from = source(i, w, c->mode);
        y[left + i] = from < 0 ? value : x[from];
    }
}

static void forward(const struct ib_op_run *r)
{
    const struct ib_op_config *c = &r->node->config;
    struct ib_shape in = r->in[0], out = r->node->shape;
    size_t planes = r->n * (size_t)in.c;
    const ib_real *x = r->x[0];
    ib_real *y = r->y;
    for (size_t p = 0; p < planes; p++, x += (ptrdiff_t)in.h * in.w)
        for (int i = 0; i < out.h; i++, y += out.w) {
            int from = source(i - c->top, in.h, c->mode);
            if (from < 0)
                ib_put_one((size_t)out.w, (ib_real)c->shift, y, false);
            else
                pad_line(r, x + (ptrdiff_t)from * in.w, y);
        }
}

static void line_gradient(const struct ib_op_run *r, const ib_real *dy,
                          ib_real *dx)
{
    const struct ib_op_config *c = &r->node->config;
    int w = r->in[0].w, left = c->left;
    ib_put((size_t)w, dy + left, dx, true);
    if (c->mode == IB_BORDER_VALUE)
        return;
    for (int i = 0; i < left; i++)
        dx[source(i - left, w, c->mode)] += dy[i];
    for (int i = w; i < w + c->w; i++)
        dx[source(i, w, c->mode)] += dy[left + i];
}

static void backward(const struct ib_op_run *r)
{
    const struct ib_op_config *c = &r->node->config;
    struct ib_shape in = r->in[0], out = r->node->shape;
    size_t planes = r->n * (size_t)in.c;
    const ib_real *dy = r->dy;
    ib_real *dx = r->dx[0];
    if (!dx)
        return;
    ib_put_nothing(r);
    for (size_t p = 0; p < planes; p++, dx += (ptrdiff_t)in.h * in.w)
        for (int i = 0; i < out.h; i++, dy += out.w) {
            int from = source(i - c->top, in.h, c->mode);
            if (from >= 0)
                line_gradient(r, dy, dx + (ptrdiff_t)from * in.w);
        }
}

const struct ib_op ib_op_pad = {
    .name = "pad",
    .passes = true,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};

ib_node ib_graph_pad(struct ib_graph *g, ib_node x, struct ib_pad pad)
{
    const struct ib_op_config c = {.top = pad.top,
                                   .left = pad.left,
                                   .h = pad.bottom,
                                   .w = pad.right,
                                   .mode = (int)pad.border,
                                   .shift = pad.value};
    return ib_graph_add_unary(g, IB_OP_PAD, x, &c, NULL);
}
