/*
 * Batch normalisation (Ioffe, Szegedy, ICML 2015, algorithms 1 and 2), per
 * channel over rows and pixels. Training: the batch's mean and biased
 * variance. Inference: running ones. State: running mean (C), running
 * variance (C), moved by `rate` towards the batch's, whose variance is
 * unbiased there (PyTorch's convention; a batch of one value a channel has
 * none, and moves the mean alone).
 *
 * M values a channel, xh = (x - mean) / sigma, S1 = sum dy, S2 = sum dy xh:
 *   dgamma = S2, dbeta = S1, dx = gamma / sigma (dy - S1 / M - xh S2 / M).
 */
#include "norm.h"
#include "plane.h"

#include <math.h>

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    const struct ib_op_config *c = &node->config;
    size_t channels = (size_t)in[0].c;
    node->shape = in[0];
    node->weights = node->biases = c->no_affine ? 0 : channels;
    node->state = 2 * channels;
    if (!(c->rate > 0 && c->rate <= 1))
        return "the rate of running statistics must be in (0, 1]";
    return c->epsilon > 0 ? NULL : "epsilon must be positive";
}

static size_t shared(const struct ib_graph_node *node,
                     const struct ib_shape *in)
{
    (void)node;
    return IB_BN_SLOTS * (size_t)in[0].c;
}

static size_t sums(const struct ib_graph_node *node)
{
    return 2 * (size_t)node->shape.c;
}

static void init(const struct ib_graph_node *node, ib_real *w, ib_real *state,
                 struct ib_rng *rng)
{
    (void)rng;
    for (size_t i = 0; i < node->weights; i++) {
        w[i] = 1;
        w[node->weights + i] = 0;
    }
    for (size_t i = 0; i < node->state / 2; i++) {
        state[i] = 0;
        state[node->state / 2 + i] = 1;
    }
}

static size_t channels_of(const struct ib_op_run *r)
{
    return (size_t)r->node->shape.c;
}

static size_t pixels_of(const struct ib_op_run *r)
{
    return (size_t)r->node->shape.h * (size_t)r->node->shape.w;
}

static ib_real *slot(const struct ib_op_run *r, enum ib_batchnorm_slot s)
{
    return ib_batchnorm_slot(r->node, r->shared, s);
}

/* --- forward ------------------------------------------------------------- */

static void set_line(const struct ib_op_run *r, size_t c, double mean,
                     double variance)
{
    bool affine = r->node->weights > 0;
    double inverse = 1 / sqrt(variance + r->node->config.epsilon);
    double scale = affine ? (double)r->w[c] * inverse : inverse;
    double rest = (double)(ib_real)mean - mean;
    slot(r, IB_BN_CENTRE)[c] = (ib_real)mean;
    slot(r, IB_BN_REST)[c] = (ib_real)rest;
    slot(r, IB_BN_INVERSE)[c] = (ib_real)inverse;
    slot(r, IB_BN_SCALE)[c] = (ib_real)scale;
    slot(r, IB_BN_SHIFT)[c] =
        (ib_real)((affine ? (double)r->b[c] : 0) + rest * scale);
}

static void prepare(const struct ib_op_run *r)
{
    size_t n = channels_of(r);
    if (r->training)
        return; /* forward_join will know */
    for (size_t c = 0; c < n; c++) {
        set_line(r, c, (double)r->state[c], (double)r->state[n + c]);
        slot(r, IB_BN_P)[c] = slot(r, IB_BN_Q)[c] = 0;
    }
}

/* Images of one pixel: channels side by side. */
static void feature_sums(const struct ib_op_run *r)
{
    size_t n = channels_of(r);
    double *restrict sum = r->sums, *restrict square = r->sums + n;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *restrict x = r->x[0] + i * n;
        for (size_t c = 0; c < n; c++) {
            double v = (double)x[c];
            sum[c] += v;
            square[c] = __builtin_fma(v, v, square[c]);
        }
    }
}

static void forward_sums(const struct ib_op_run *r)
{
    size_t n = channels_of(r), pixels = pixels_of(r);
    if (pixels == 1) {
        feature_sums(r);
        return;
    }
    struct ib_planes p = {ib_planes_at_once(r->n, pixels), n * pixels, pixels};
    for (size_t i = 0; i < r->n; i += p.count)
        for (size_t c = 0; c < n; c++) {
            double s[2] = {r->sums[c], r->sums[n + c]};
            ib_plane_sums(p, r->x[0] + (i * n + c) * pixels, s);
            r->sums[c] = s[0];
            r->sums[n + c] = s[1];
        }
}

static void move(ib_real *running, double rate, double to)
{
    double from = (double)*running;
    *running = (ib_real)(from + rate * (to - from));
}

static void forward_join(const struct ib_op_run *r)
{
    size_t n = channels_of(r), m = r->n * pixels_of(r);
    double count = (double)m, rate = r->node->config.rate;
    for (size_t c = 0; c < n; c++) {
        double mean = r->sums[c] / count;
        double variance = r->sums[n + c] / count - mean * mean;
        variance = variance < 0 ? 0 : variance; /* NaN stays */
        set_line(r, c, mean, variance);
        move(&r->state[c], rate, mean);
        if (m > 1)
            move(&r->state[n + c], rate, variance * count / (count - 1));
    }
}

static void feature_forward(const struct ib_op_run *r)
{
    size_t n = channels_of(r);
    const ib_real *restrict centre = slot(r, IB_BN_CENTRE);
    const ib_real *restrict scale = slot(r, IB_BN_SCALE);
    const ib_real *restrict shift = slot(r, IB_BN_SHIFT);
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *restrict x = r->x[0] + i * n;
        ib_real *restrict y = r->y + i * n;
        for (size_t c = 0; c < n; c++)
            y[c] = ib_fma(scale[c], x[c] - centre[c], shift[c]);
    }
}

static void forward(const struct ib_op_run *r)
{
    size_t n = channels_of(r), pixels = pixels_of(r), at = 0;
    const ib_real *centre = slot(r, IB_BN_CENTRE);
    const ib_real *scale = slot(r, IB_BN_SCALE);
    const ib_real *shift = slot(r, IB_BN_SHIFT);
    if (pixels == 1) {
        feature_forward(r);
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        for (size_t c = 0; c < n; c++, at += pixels)
            ib_plane_line(pixels, r->x[0] + at,
                          (struct ib_line){centre[c], scale[c], shift[c]},
                          r->y + at);
}

/* --- backward ------------------------------------------------------------ */

static void feature_dots(const struct ib_op_run *r)
{
    size_t n = channels_of(r);
    const ib_real *restrict centre = slot(r, IB_BN_CENTRE);
    double *restrict sum = r->sums, *restrict dot = r->sums + n;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *restrict x = r->x[0] + i * n;
        const ib_real *restrict dy = r->dy + i * n;
        for (size_t c = 0; c < n; c++) {
            double v = (double)dy[c];
            sum[c] += v;
            dot[c] = __builtin_fma(v, (double)x[c] - (double)centre[c], dot[c]);
        }
    }
}

static void backward_sums(const struct ib_op_run *r)
{
    size_t n = channels_of(r), pixels = pixels_of(r);
    const ib_real *centre = slot(r, IB_BN_CENTRE);
    if (pixels == 1) {
        feature_dots(r);
        return;
    }
    struct ib_planes p = {ib_planes_at_once(r->n, pixels), n * pixels, pixels};
    for (size_t i = 0; i < r->n; i += p.count)
        for (size_t c = 0; c < n; c++) {
            size_t at = (i * n + c) * pixels;
            double s[2] = {r->sums[c], r->sums[n + c]};
            ib_plane_dots(p, r->dy + at, r->x[0] + at, centre[c], s);
            r->sums[c] = s[0];
            r->sums[n + c] = s[1];
        }
}

static void take(ib_real *g, ib_real keep, double more)
{
    *g = (ib_real)((keep != 0 ? (double)*g : 0) + more);
}

static void backward_join(const struct ib_op_run *r)
{
    size_t n = channels_of(r);
    double count = (double)(r->n * pixels_of(r));
    for (size_t c = 0; c < n; c++) {
        double inverse = (double)slot(r, IB_BN_INVERSE)[c];
        double scale = (double)slot(r, IB_BN_SCALE)[c];
        double rest = (double)slot(r, IB_BN_REST)[c];
        double s1 = r->sums[c], s2 = (r->sums[n + c] + rest * s1) * inverse;
        double p = r->training ? -scale * inverse * s2 / count : 0;
        slot(r, IB_BN_P)[c] = (ib_real)p;
        slot(r, IB_BN_Q)[c] =
            (ib_real)(r->training ? rest * p - scale * s1 / count : 0);
        if (r->dw) {
            take(&r->dw[c], r->keep, s2);
            take(&r->db[c], r->keep, s1);
        }
    }
}

static void feature_backward(const struct ib_op_run *r)
{
    size_t n = channels_of(r);
    const ib_real *centre = slot(r, IB_BN_CENTRE), *k = slot(r, IB_BN_SCALE);
    const ib_real *p = slot(r, IB_BN_P), *q = slot(r, IB_BN_Q);
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *x = r->x[0] + i * n, *dy = r->dy + i * n;
        ib_real *dx = r->dx[0] + i * n;
        if (r->add[0]) {
            IB_SAME_INDEX
            for (size_t c = 0; c < n; c++)
                dx[c] +=
                    ib_fma(k[c], dy[c], ib_fma(p[c], x[c] - centre[c], q[c]));
        } else {
            IB_SAME_INDEX
            for (size_t c = 0; c < n; c++)
                dx[c] =
                    ib_fma(k[c], dy[c], ib_fma(p[c], x[c] - centre[c], q[c]));
        }
    }
}

static void backward(const struct ib_op_run *r)
{
    size_t n = channels_of(r), pixels = pixels_of(r), at = 0;
    if (!r->dx[0])
        return;
    if (pixels == 1) {
        feature_backward(r);
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        for (size_t c = 0; c < n; c++, at += pixels) {
            const struct ib_slope s = {
                slot(r, IB_BN_SCALE)[c], slot(r, IB_BN_P)[c],
                slot(r, IB_BN_CENTRE)[c], slot(r, IB_BN_Q)[c]};
            ib_plane_slope(pixels, r->dy + at, r->x[0] + at, &s, r->add[0],
                           r->dx[0] + at);
        }
}

const struct ib_op ib_op_batchnorm = {
    .name = "batchnorm",
    .batch = true,
    .in_place = true,
    .no_decay = true,
    .passes = true,
    .shape = shape,
    .shared = shared,
    .sums = sums,
    .init = init,
    .prepare = prepare,
    .forward_sums = forward_sums,
    .forward_join = forward_join,
    .backward_sums = backward_sums,
    .backward_join = backward_join,
    .forward = forward,
    .backward = backward,
};

ib_node ib_graph_batchnorm(struct ib_graph *g, ib_node x, struct ib_norm norm,
                           const char *name)
{
    const struct ib_op_config c = {.no_affine = norm.no_affine,
                                   .epsilon =
                                       norm.epsilon != 0 ? norm.epsilon : 1e-5,
                                   .rate = norm.rate != 0 ? norm.rate : 0.1};
    return ib_graph_add_unary(g, IB_OP_BATCHNORM, x, &c, name);
}
