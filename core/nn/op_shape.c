/*
 * Parts of rows: concatenation and slice of channels, crop.
 */
#include "put.h"

/* --- concat -------------------------------------------------------------- */

static const char *concat_shape(struct ib_graph_node *node,
                                const struct ib_shape *in)
{
    node->shape = in[0];
    for (int k = 1; k < node->n_inputs; k++) {
        node->misfit = k;
        if (in[k].h != in[0].h || in[k].w != in[0].w)
            return "images of different height or width have no channels in "
                   "common";
        if (__builtin_add_overflow(node->shape.c, in[k].c, &node->shape.c))
            return "too many channels";
    }
    return NULL;
}

static void concat_forward(const struct ib_op_run *r)
{
    ib_real *y = r->y;
    for (size_t i = 0; i < r->n; i++)
        for (int k = 0; k < r->node->n_inputs; k++) {
            size_t d = ib_shape_size(r->in[k]);
            memcpy(y, r->x[k] + i * d, d * sizeof *y);
            y += d;
        }
}

static void concat_backward(const struct ib_op_run *r)
{
    const ib_real *dy = r->dy;
    for (size_t i = 0; i < r->n; i++)
        for (int k = 0; k < r->node->n_inputs; k++) {
            size_t d = ib_shape_size(r->in[k]);
            if (r->dx[k])
                ib_put(d, dy, r->dx[k] + i * d, r->add[k]);
            dy += d;
        }
}

/* --- slice --------------------------------------------------------------- */

static const char *slice_shape(struct ib_graph_node *node,
                               const struct ib_shape *in)
{
    int first = node->config.first, count = node->config.count;
    node->shape = (struct ib_shape){count, in[0].h, in[0].w};
    if (first < 0 || count < 1 || first > in[0].c - count)
        return "the input has no such channels";
    return NULL;
}

static size_t slice_start(const struct ib_op_run *r)
{
    struct ib_shape before = r->node->shape;
    before.c = r->node->config.first;
    return ib_shape_size(before);
}

static void slice_forward(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->in[0]), k = ib_shape_size(r->node->shape);
    const ib_real *x = r->x[0] + slice_start(r);
    for (size_t i = 0; i < r->n; i++)
        memcpy(r->y + i * k, x + i * d, k * sizeof *x);
}

static void slice_backward(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->in[0]), k = ib_shape_size(r->node->shape);
    size_t start = slice_start(r);
    if (!r->dx[0])
        return;
    ib_put_nothing(r);
    for (size_t i = 0; i < r->n; i++)
        ib_put(k, r->dy + i * k, r->dx[0] + i * d + start, r->add[0]);
}

/* --- crop ---------------------------------------------------------------- */

static const char *crop_shape(struct ib_graph_node *node,
                              const struct ib_shape *in)
{
    const struct ib_op_config *c = &node->config;
    node->shape = (struct ib_shape){in[0].c, c->h, c->w};
    if (c->h < 1 || c->w < 1)
        return "every side must be at least 1";
    if (c->top < 0 || c->left < 0 || c->top > in[0].h - c->h ||
        c->left > in[0].w - c->w)
        return "the crop reaches beyond the image";
    return NULL;
}

static size_t crop_start(const struct ib_op_run *r)
{
    const struct ib_op_config *c = &r->node->config;
    return (size_t)c->top * (size_t)r->in[0].w + (size_t)c->left;
}

static void crop_forward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    size_t planes = r->n * (size_t)in.c, w = (size_t)out.w;
    size_t plane = (size_t)in.h * (size_t)in.w;
    const ib_real *x = r->x[0] + crop_start(r);
    ib_real *y = r->y;
    for (size_t p = 0; p < planes; p++, x += plane)
        for (size_t i = 0; i < (size_t)out.h; i++, y += w)
            memcpy(y, x + i * (size_t)in.w, w * sizeof *y);
}

static void crop_backward(const struct ib_op_run *r)
{
    struct ib_shape in = r->in[0], out = r->node->shape;
    size_t planes = r->n * (size_t)in.c, w = (size_t)out.w;
    size_t plane = (size_t)in.h * (size_t)in.w;
    const ib_real *dy = r->dy;
    if (!r->dx[0])
        return;
    ib_put_nothing(r);
    ib_real *dx = r->dx[0] + crop_start(r);
    for (size_t p = 0; p < planes; p++, dx += plane)
        for (size_t i = 0; i < (size_t)out.h; i++, dy += w)
            ib_put(w, dy, dx + i * (size_t)in.w, r->add[0]);
}

/* ------------------------------------------------------------------------- */

const struct ib_op ib_op_concat = {
    .name = "concat",
    .passes = true,
    .shape = concat_shape,
    .forward = concat_forward,
    .backward = concat_backward,
};

const struct ib_op ib_op_slice = {
    .name = "slice",
    .passes = true,
    .shape = slice_shape,
    .forward = slice_forward,
    .backward = slice_backward,
};

const struct ib_op ib_op_crop = {
    .name = "crop",
    .passes = true,
    .shape = crop_shape,
    .forward = crop_forward,
    .backward = crop_backward,
};

ib_node ib_graph_flatten(struct ib_graph *g, ib_node x)
{
    size_t d = ib_shape_size(ib_graph_shape(g, x));
    return ib_graph_reshape(g, x, (struct ib_shape){(int)d, 1, 1});
}

ib_node ib_graph_concat(struct ib_graph *g, const ib_node *x, int n)
{
    struct ib_graph_node node = {.op = IB_OP_CONCAT, .n_inputs = n};
    if (n < 1 || n > IB_OP_INPUTS)
        return ib_graph_fail(g, IB_E_INTERNAL,
                             "1 to 4 nodes can be concatenated at a time");
    memcpy(node.input, x, (size_t)n * sizeof *x);
    return ib_graph_add(g, &node, NULL);
}

ib_node ib_graph_slice(struct ib_graph *g, ib_node x, int first, int count)
{
    const struct ib_op_config c = {.first = first, .count = count};
    return ib_graph_add_unary(g, IB_OP_SLICE, x, &c, NULL);
}

ib_node ib_graph_crop(struct ib_graph *g, ib_node x, int top, int left, int h,
                      int w)
{
    const struct ib_op_config c = {.top = top, .left = left, .h = h, .w = w};
    return ib_graph_add_unary(g, IB_OP_CROP, x, &c, NULL);
}
