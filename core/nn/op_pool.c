/*
 * Max and average pooling over windows that lie wholly inside the image.
 */
#include "kernel.h"
#include "node.h"

#include <string.h>

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    int size = node->config.kernel, stride = node->config.stride;
    node->shape = (struct ib_shape){in[0].c, 0, 0};
    if (size < 1 || size > 15 || stride < 1 || stride > 255)
        return "window sizes are 1 to 15, strides 1 to 255";
    if (size > in[0].h || size > in[0].w)
        return "the window is larger than the input";
    node->shape.h = (in[0].h - size) / stride + 1;
    node->shape.w = (in[0].w - size) / stride + 1;
    return NULL;
}

/* One byte for each output: which of the window's places was the maximum. */
static size_t saved(const struct ib_graph_node *node)
{
    return ib_shape_size(node->shape);
}

/* The first of equal maxima wins; NaN is passed on. */
static ib_real window_max(const ib_real *x, int w, int size, uint8_t *place)
{
    ib_real top = x[0];
    *place = 0;
    for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++) {
            ib_real v = x[(ptrdiff_t)ky * w + kx];
            bool over = v > top || (v != v && top == top);
            top = over ? v : top;
            *place = over ? (uint8_t)(ky * size + kx) : *place;
        }
    return top;
}

static void max_forward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    int size = r->node->config.kernel, stride = r->node->config.stride;
    size_t planes = r->n * (size_t)in.c;
    const ib_real *x = r->x[0];
    ib_real *y = r->y;
    uint8_t *place = r->saved;
    for (size_t p = 0; p < planes; p++, x += (ptrdiff_t)in.h * in.w)
        for (int oy = 0; oy < out.h; oy++, y += out.w, place += out.w) {
            const ib_real *row = x + (ptrdiff_t)oy * stride * in.w;
            if (size == 2 && stride == 2) {
                ib_kernel_max2((size_t)out.w, row, row + in.w, y, place);
                continue;
            }
            for (int ox = 0; ox < out.w; ox++)
                y[ox] = window_max(row + (ptrdiff_t)ox * stride, in.w, size,
                                   &place[ox]);
        }
}

static void clear_unless_added(const struct ib_op_run *r)
{
    if (!r->add[0])
        memset(r->dx[0], 0, r->n * ib_shape_size(r->in[0]) * sizeof(ib_real));
}

/* A plane of windows of 2 x 2: every number of dx is written once. */
static void plane_back_2(const struct ib_op_run *r, const ib_real *dy,
                         const uint8_t *place, ib_real *dx)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    size_t n = (size_t)out.w, w = (size_t)in.w, h = 2 * (size_t)out.h;
    for (size_t y = 0; y < h; y += 2, dy += n, place += n) {
        ib_real *top = dx + y * w, *below = top + w;
        ib_kernel_max2_back(
            n, &(struct ib_max2_back){dy, place, top, below, r->add[0]});
        if (w % 2 && !r->add[0])
            top[w - 1] = below[w - 1] = 0;
    }
    if (in.h % 2 && !r->add[0])
        memset(dx + h * w, 0, w * sizeof *dx);
}

static void max_backward_2(const struct ib_op_run *r)
{
    size_t planes = r->n * (size_t)r->in[0].c;
    size_t in = (size_t)r->in[0].h * (size_t)r->in[0].w;
    size_t out = (size_t)r->node->shape.h * (size_t)r->node->shape.w;
    const uint8_t *place = r->saved;
    for (size_t p = 0; p < planes; p++)
        plane_back_2(r, r->dy + p * out, place + p * out, r->dx[0] + p * in);
}

static void max_backward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    int size = r->node->config.kernel, stride = r->node->config.stride;
    size_t planes = r->n * (size_t)in.c;
    const ib_real *dy = r->dy;
    ib_real *dx = r->dx[0];
    const uint8_t *place = r->saved;
    if (!dx)
        return;
    if (size == 2 && stride == 2) {
        max_backward_2(r);
        return;
    }
    clear_unless_added(r);
    for (size_t p = 0; p < planes; p++, dx += (ptrdiff_t)in.h * in.w)
        for (int oy = 0; oy < out.h; oy++)
            for (int ox = 0; ox < out.w; ox++) {
                int ky = *place / size, kx = *place % size;
                dx[((ptrdiff_t)oy * stride + ky) * in.w + ox * stride + kx] +=
                    *dy++;
                place++;
            }
}

static ib_real window_sum(const ib_real *x, int w, int size)
{
    ib_real s = 0;
    for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
            s += x[(ptrdiff_t)ky * w + kx];
    return s;
}

static void average_forward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    int size = r->node->config.kernel, stride = r->node->config.stride;
    ib_real share = 1.0f / (ib_real)(size * size);
    size_t planes = r->n * (size_t)in.c;
    const ib_real *x = r->x[0];
    ib_real *y = r->y;
    for (size_t p = 0; p < planes; p++, x += (ptrdiff_t)in.h * in.w)
        for (int oy = 0; oy < out.h; oy++)
            for (int ox = 0; ox < out.w; ox++)
                *y++ = share * window_sum(x + (ptrdiff_t)oy * stride * in.w +
                                              (ptrdiff_t)ox * stride,
                                          in.w, size);
}

static void window_add(ib_real *dx, int w, int size, ib_real v)
{
    for (int ky = 0; ky < size; ky++)
        for (int kx = 0; kx < size; kx++)
            dx[(ptrdiff_t)ky * w + kx] += v;
}

static void average_backward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    int size = r->node->config.kernel, stride = r->node->config.stride;
    ib_real share = 1.0f / (ib_real)(size * size);
    size_t planes = r->n * (size_t)in.c;
    const ib_real *dy = r->dy;
    ib_real *dx = r->dx[0];
    if (!dx)
        return;
    clear_unless_added(r);
    for (size_t p = 0; p < planes; p++, dx += (ptrdiff_t)in.h * in.w)
        for (int oy = 0; oy < out.h; oy++)
            for (int ox = 0; ox < out.w; ox++)
                window_add(dx + (ptrdiff_t)oy * stride * in.w +
                               (ptrdiff_t)ox * stride,
                           in.w, size, share * *dy++);
}

const struct ib_op ib_op_maxpool = {
    .name = "maxpool",
    .passes = true,
    .shape = shape,
    .saved = saved,
    .forward = max_forward,
    .backward = max_backward,
};

const struct ib_op ib_op_avgpool = {
    .name = "avgpool",
    .shape = shape,
    .forward = average_forward,
    .backward = average_backward,
};

ib_node ib_graph_maxpool(struct ib_graph *g, ib_node x, int size, int stride)
{
    const struct ib_op_config c = {.kernel = size, .stride = stride};
    return ib_graph_add_unary(g, IB_OP_MAXPOOL, x, &c, NULL);
}

ib_node ib_graph_avgpool(struct ib_graph *g, ib_node x, int size, int stride)
{
    const struct ib_op_config c = {.kernel = size, .stride = stride};
    return ib_graph_add_unary(g, IB_OP_AVGPOOL, x, &c, NULL);
}
