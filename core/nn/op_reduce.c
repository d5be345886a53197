/*
 * Sum, mean, max and log-sum-exp over all of a row, over each channel's plane,
 * or over the channels of each pixel. Sums are taken in double.
 */
#include "put.h"

#include <invbench/math.h>
#include <math.h>

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    node->shape = (struct ib_shape){1, 1, 1};
    if (node->config.mode == IB_OVER_PLANE)
        node->shape.c = in[0].c;
    else if (node->config.mode == IB_OVER_CHANNELS)
        node->shape = (struct ib_shape){1, in[0].h, in[0].w};
    return NULL;
}

/* The input as sets of values, each reduced to one. Packed: set after set,
 * `count` consecutive values each. Otherwise a row is `count` lines of `width`
 * values and a set is a column of it. */
struct sets {
    size_t n, count, width;
    bool packed;
};

static struct sets sets_of(const struct ib_op_run *r)
{
    struct ib_shape s = r->in[0];
    size_t plane = (size_t)s.h * (size_t)s.w, c = (size_t)s.c;
    if (r->node->config.mode == IB_OVER_ROW)
        return (struct sets){r->n, c * plane, 1, true};
    if (r->node->config.mode == IB_OVER_PLANE)
        return (struct sets){r->n * c, plane, 1, true};
    return (struct sets){r->n, c, plane, false};
}

/* --- sum, mean ----------------------------------------------------------- */

static void column_sums(size_t count, size_t width, double scale,
                        const ib_real *x, ib_real *y)
{
    double sum[IB_CHUNK];
    for (size_t at = 0; at < width; at += IB_CHUNK) {
        size_t m = ib_chunk(width, at);
        memset(sum, 0, m * sizeof *sum);
        for (size_t k = 0; k < count; k++)
            for (size_t i = 0; i < m; i++)
                sum[i] += (double)x[k * width + at + i];
        for (size_t i = 0; i < m; i++)
            y[at + i] = (ib_real)(sum[i] * scale);
    }
}

static void sums(const struct ib_op_run *r, bool mean)
{
    struct sets s = sets_of(r);
    double scale = mean ? 1 / (double)s.count : 1;
    size_t d = s.count * s.width;
    for (size_t i = 0; i < s.n; i++)
        if (s.packed)
            r->y[i] = (ib_real)(ib_sum(s.count, r->x[0] + i * d) * scale);
        else
            column_sums(s.count, s.width, scale, r->x[0] + i * d,
                        r->y + i * s.width);
}

static void sums_backward(const struct ib_op_run *r, bool mean)
{
    struct sets s = sets_of(r);
    ib_real scale = mean ? 1 / (ib_real)s.count : 1;
    ib_real *dx = r->dx[0];
    if (!dx)
        return;
    for (size_t i = 0; i < s.n; i++)
        if (s.packed) {
            ib_put_one(s.count, r->dy[i] * scale, dx, r->add[0]);
            dx += s.count;
        } else {
            for (size_t k = 0; k < s.count; k++, dx += s.width)
                ib_put_scaled(s.width, scale, r->dy + i * s.width, dx,
                              r->add[0]);
        }
}

static void sum_forward(const struct ib_op_run *r)
{
    sums(r, false);
}

static void sum_backward(const struct ib_op_run *r)
{
    sums_backward(r, false);
}

static void mean_forward(const struct ib_op_run *r)
{
    sums(r, true);
}

static void mean_backward(const struct ib_op_run *r)
{
    sums_backward(r, true);
}

/* --- max ----------------------------------------------------------------- */

/* v takes the place of top: it is larger, or the first NaN. */
static inline bool over(ib_real v, ib_real top)
{
    return v > top || (v != v && top == top);
}

static void column_max(size_t count, size_t width, const ib_real *restrict x,
                       ib_real *restrict y, uint32_t *restrict place)
{
    memcpy(y, x, width * sizeof *y);
    memset(place, 0, width * sizeof *place);
    for (size_t k = 1; k < count; k++)
        for (size_t i = 0; i < width; i++) {
            ib_real v = x[k * width + i];
            uint32_t was = place[i];
            bool higher = over(v, y[i]);
            y[i] = higher ? v : y[i];
            place[i] = higher ? (uint32_t)k : was;
        }
}

static size_t first_of(ib_real v, const ib_real *x)
{
    size_t i = 0;
    while (!(x[i] == v || (v != v && x[i] != x[i])))
        i++;
    return i;
}

/* Where in its set the maximum stood. */
static size_t max_saved(const struct ib_graph_node *node)
{
    return ib_shape_size(node->shape) * sizeof(uint32_t);
}

static void max_forward(const struct ib_op_run *r)
{
    struct sets s = sets_of(r);
    uint32_t *place = r->saved;
    for (size_t i = 0; i < s.n; i++) {
        const ib_real *x = r->x[0] + i * s.count * s.width;
        if (s.packed) {
            size_t at = first_of(ib_max(s.count, x), x);
            place[i] = (uint32_t)at;
            r->y[i] = x[at];
        } else {
            column_max(s.count, s.width, x, r->y + i * s.width,
                       place + i * s.width);
        }
    }
}

static void max_backward(const struct ib_op_run *r)
{
    struct sets s = sets_of(r);
    const uint32_t *place = r->saved;
    if (!r->dx[0])
        return;
    ib_put_nothing(r);
    for (size_t i = 0; i < s.n; i++) {
        ib_real *dx = r->dx[0] + i * s.count * s.width;
        for (size_t j = 0; j < s.width; j++)
            dx[place[i * s.width + j] * s.width + j] += r->dy[i * s.width + j];
    }
}

/* --- log-sum-exp --------------------------------------------------------- */

/* What is taken off before exp: where all is minus infinity, or something is
 * infinite, the result comes out by itself. */
static ib_real offset(ib_real top)
{
    return isinf(top) ? 0 : top;
}

static ib_real packed_lse(size_t n, const ib_real *x)
{
    ib_real top = offset(ib_max(n, x)), e[IB_CHUNK];
    double sum = 0;
    for (size_t at = 0; at < n; at += IB_CHUNK) {
        size_t m = ib_chunk(n, at);
        for (size_t i = 0; i < m; i++)
            e[i] = x[at + i] - top;
        ib_vexp(m, e, e);
        sum += ib_sum(m, e);
    }
    return top + (ib_real)ib_log(sum);
}

/* Columns at .. at + m of count lines. */
static void column_lse(size_t count, size_t width, const ib_real *x, size_t m,
                       ib_real *y)
{
    ib_real e[IB_CHUNK];
    double sum[IB_CHUNK] = {0};
    memcpy(y, x, m * sizeof *y);
    for (size_t k = 1; k < count; k++)
        for (size_t i = 0; i < m; i++) {
            ib_real v = x[k * width + i];
            y[i] = over(v, y[i]) ? v : y[i];
        }
    for (size_t i = 0; i < m; i++)
        y[i] = offset(y[i]);
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < m; i++)
            e[i] = x[k * width + i] - y[i];
        ib_vexp(m, e, e);
        for (size_t i = 0; i < m; i++)
            sum[i] += (double)e[i];
    }
    for (size_t i = 0; i < m; i++)
        y[i] += (ib_real)ib_log(sum[i]);
}

static void lse_forward(const struct ib_op_run *r)
{
    struct sets s = sets_of(r);
    for (size_t i = 0; i < s.n; i++) {
        const ib_real *x = r->x[0] + i * s.count * s.width;
        if (s.packed)
            r->y[i] = packed_lse(s.count, x);
        for (size_t at = 0; !s.packed && at < s.width; at += IB_CHUNK)
            column_lse(s.count, s.width, x + at, ib_chunk(s.width, at),
                       r->y + i * s.width + at);
    }
}

/* dx = dy exp(x - y), for n values of x beside one y or beside n. */
static void share(size_t n, const ib_real *x, const ib_real *y,
                  const ib_real *dy, bool one, ib_real *v)
{
    size_t step = one ? 0 : 1;
    for (size_t i = 0; i < n; i++)
        v[i] = x[i] - offset(y[i * step]);
    ib_vexp(n, v, v);
    for (size_t i = 0; i < n; i++)
        v[i] *= dy[i * step];
}

static void lse_backward(const struct ib_op_run *r)
{
    struct sets s = sets_of(r);
    size_t lines = s.packed ? s.n : s.n * s.count;
    size_t d = s.packed ? s.count : s.width;
    ib_real v[IB_CHUNK];
    if (!r->dx[0])
        return;
    for (size_t i = 0; i < lines; i++)
        for (size_t at = 0; at < d; at += IB_CHUNK) {
            size_t m = ib_chunk(d, at), o = i;
            if (!s.packed)
                o = i / s.count * s.width + at;
            share(m, r->x[0] + i * d + at, r->y + o, r->dy + o, s.packed, v);
            ib_put(m, v, r->dx[0] + i * d + at, r->add[0]);
        }
}

/* ------------------------------------------------------------------------- */

const struct ib_op ib_op_sum = {
    .name = "sum",
    .shape = shape,
    .forward = sum_forward,
    .backward = sum_backward,
};

const struct ib_op ib_op_mean = {
    .name = "mean",
    .shape = shape,
    .forward = mean_forward,
    .backward = mean_backward,
};

const struct ib_op ib_op_max = {
    .name = "max",
    .shape = shape,
    .saved = max_saved,
    .forward = max_forward,
    .backward = max_backward,
};

const struct ib_op ib_op_log_sum_exp = {
    .name = "log_sum_exp",
    .shape = shape,
    .forward = lse_forward,
    .backward = lse_backward,
};

#define BUILDER(name, id)                                                      \
    ib_node ib_graph_##name(struct ib_graph *g, ib_node x, enum ib_over where) \
    {                                                                          \
        const struct ib_op_config c = {.mode = (int)where};                    \
        return ib_graph_add_unary(g, IB_OP_##id, x, &c, NULL);                 \
    }

BUILDER(sum, SUM)
BUILDER(mean, MEAN)
BUILDER(max, MAX)
BUILDER(log_sum_exp, LOG_SUM_EXP)

ib_node ib_graph_global_avgpool(struct ib_graph *g, ib_node x)
{
    return ib_graph_mean(g, x, IB_OVER_PLANE);
}

ib_node ib_graph_global_maxpool(struct ib_graph *g, ib_node x)
{
    return ib_graph_max(g, x, IB_OVER_PLANE);
}
