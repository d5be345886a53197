/*
 * 2-D convolution (cross-correlation, zero padding): for each image and each
 * band of output rows, the patches are laid out as columns (J x P, J = C * k *
 * k values of a patch, P output pixels of the band) and multiplied by the
 * weights (M x J, M output channels). A band is as high as keeps its columns
 * in about half of a second-level cache: the product then reads them from
 * there.
 */
#include "node.h"

#include <invbench/math.h>
#include <limits.h>
#include <string.h>

enum { COLUMN_FLOATS = 48 * 1024 };

/* Sizes of one layer: C x H x W in, M x OH x OW out. */
struct dims {
    int c, h, w, m, oh, ow, k, stride, pad;
    int j;    /* c * k * k */
    int band; /* output rows of one product */
};

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    struct ib_op_config *o = &node->config;
    size_t taps;
    node->shape = (struct ib_shape){o->channels, 0, 0};
    if (o->channels < 1 || o->kernel < 1 || o->stride < 1 || o->pad < 0)
        return "channels, kernel and stride must be positive";
    if (o->kernel > 255 || o->stride > 255 || o->pad >= o->kernel)
        return "kernel and stride go to 255, pad stays below the kernel";
    int h = in[0].h + 2 * o->pad - o->kernel;
    int w = in[0].w + 2 * o->pad - o->kernel;
    node->shape.h = h < 0 ? 0 : h / o->stride + 1;
    node->shape.w = w < 0 ? 0 : w / o->stride + 1;
    if (h < 0 || w < 0)
        return "the kernel is larger than the padded input";
    if (!ib_size_mul((size_t)in[0].c, (size_t)(o->kernel * o->kernel), &taps) ||
        taps > INT_MAX / 4 ||
        !ib_size_mul(taps, (size_t)o->channels, &node->weights))
        return "too many weights";
    node->biases = (size_t)o->channels;
    return NULL;
}

static struct dims dims_of(const struct ib_graph_node *node, struct ib_shape in)
{
    const struct ib_op_config *o = &node->config;
    struct dims d = {.c = in.c,
                     .h = in.h,
                     .w = in.w,
                     .m = node->shape.c,
                     .oh = node->shape.h,
                     .ow = node->shape.w,
                     .k = o->kernel,
                     .stride = o->stride,
                     .pad = o->pad};
    d.j = d.c * d.k * d.k;
    size_t row = (size_t)d.j * (size_t)d.ow;
    size_t band = row < COLUMN_FLOATS ? COLUMN_FLOATS / row : 1;
    size_t bands = ((size_t)d.oh + band - 1) / band;
    d.band = (int)(((size_t)d.oh + bands - 1) / bands); /* of even height */
    return d;
}

static size_t scratch(const struct ib_graph_node *node,
                      const struct ib_shape *in, size_t n)
{
    struct dims d = dims_of(node, in[0]);
    (void)n;
    return (size_t)d.j * (size_t)d.band * (size_t)d.ow;
}

/* The output columns [first, last) whose tap kx falls inside the image. */
static void inside(const struct dims *d, int kx, int *first, int *last)
{
    int shift = kx - d->pad;
    int from = shift < 0 ? (-shift + d->stride - 1) / d->stride : 0;
    int to = d->w - 1 - shift < 0 ? 0 : (d->w - 1 - shift) / d->stride + 1;
    *first = from < d->ow ? from : d->ow;
    *last = to < *first ? *first : to < d->ow ? to : d->ow;
}

/* One row of columns: a tap (channel x, ky, kx) at all pixels of the band. */
static void gather_tap(ib_real *col, const ib_real *x, const struct dims *d,
                       int y0, int rows, const int tap[2])
{
    int first, last;
    inside(d, tap[1], &first, &last);
    size_t ow = (size_t)d->ow;
    for (int r = 0; r < rows; r++, col += ow) {
        int iy = (y0 + r) * d->stride + tap[0] - d->pad;
        if (iy < 0 || iy >= d->h || first == last) {
            memset(col, 0, ow * sizeof *col);
            continue;
        }
        const ib_real *src =
            x + (ptrdiff_t)iy * d->w + first * d->stride + tap[1] - d->pad;
        memset(col, 0, (size_t)first * sizeof *col);
        if (d->stride == 1)
            memcpy(col + first, src, (size_t)(last - first) * sizeof *col);
        else
            for (int i = first; i < last; i++)
                col[i] = src[(i - first) * d->stride];
        memset(col + last, 0, (size_t)(d->ow - last) * sizeof *col);
    }
}

static void scatter_tap(const ib_real *col, ib_real *dx, const struct dims *d,
                        int y0, int rows, const int tap[2])
{
    int first, last;
    inside(d, tap[1], &first, &last);
    for (int r = 0; r < rows; r++, col += d->ow) {
        int iy = (y0 + r) * d->stride + tap[0] - d->pad;
        if (iy < 0 || iy >= d->h || first == last)
            continue;
        ib_real *dst =
            dx + (ptrdiff_t)iy * d->w + first * d->stride + tap[1] - d->pad;
        if (d->stride == 1)
            for (int i = 0; i < last - first; i++)
                dst[i] += col[first + i];
        else
            for (int i = first; i < last; i++)
                dst[(i - first) * d->stride] += col[i];
    }
}

/* col: J x (rows * OW). */
static void gather(ib_real *col, const ib_real *x, const struct dims *d, int y0,
                   int rows)
{
    size_t p = (size_t)rows * (size_t)d->ow;
    for (int c = 0; c < d->c; c++, x += (ptrdiff_t)d->h * d->w)
        for (int ky = 0; ky < d->k; ky++)
            for (int kx = 0; kx < d->k; kx++, col += p)
                gather_tap(col, x, d, y0, rows, (const int[2]){ky, kx});
}

static void scatter(const ib_real *col, ib_real *dx, const struct dims *d,
                    int y0, int rows)
{
    size_t p = (size_t)rows * (size_t)d->ow;
    for (int c = 0; c < d->c; c++, dx += (ptrdiff_t)d->h * d->w)
        for (int ky = 0; ky < d->k; ky++)
            for (int kx = 0; kx < d->k; kx++, col += p)
                scatter_tap(col, dx, d, y0, rows, (const int[2]){ky, kx});
}

static void forward(const struct ib_op_run *r)
{
    struct dims d = dims_of(r->node, r->in[0]);
    int area = d.oh * d.ow;
    for (size_t i = 0; i < r->n; i++) {
        const ib_real *x = r->x[0] + i * ib_shape_size(r->in[0]);
        ib_real *y = ib_op_row(r->y, i, r->node->shape);
        for (int y0 = 0; y0 < d.oh; y0 += d.band) {
            int rows = d.oh - y0 < d.band ? d.oh - y0 : d.band;
            int p = rows * d.ow, at = y0 * d.ow;
            gather(r->scratch, x, &d, y0, rows);
            for (int m = 0; m < d.m; m++)
                for (int q = 0; q < p; q++)
                    y[(ptrdiff_t)m * area + at + q] = r->b[m];
            ib_sgemm(y + at, r->w, r->scratch,
                     &(struct ib_gemm){.m = d.m,
                                       .n = p,
                                       .k = d.j,
                                       .alpha = 1,
                                       .beta = 1,
                                       .lda = d.j,
                                       .ldb = p,
                                       .ldc = area});
        }
    }
}

static void weight_gradient(const struct ib_op_run *r, const struct dims *d,
                            size_t i)
{
    int area = d->oh * d->ow;
    const ib_real *x = r->x[0] + i * ib_shape_size(r->in[0]);
    const ib_real *dy = r->dy + i * ib_shape_size(r->node->shape);
    for (int y0 = 0; y0 < d->oh; y0 += d->band) {
        int rows = d->oh - y0 < d->band ? d->oh - y0 : d->band;
        int p = rows * d->ow;
        bool begin = i == 0 && y0 == 0;
        gather(r->scratch, x, d, y0, rows);
        ib_sgemm(r->dw, dy + (ptrdiff_t)y0 * d->ow, r->scratch,
                 &(struct ib_gemm){.tb = true,
                                   .m = d->m,
                                   .n = d->j,
                                   .k = p,
                                   .alpha = 1,
                                   .beta = begin ? r->keep : 1,
                                   .lda = area,
                                   .ldb = p,
                                   .ldc = d->j});
    }
}

static void input_gradient(const struct ib_op_run *r, const struct dims *d,
                           size_t i)
{
    int area = d->oh * d->ow;
    ib_real *dx = ib_op_row(r->dx[0], i, r->in[0]);
    const ib_real *dy = r->dy + i * ib_shape_size(r->node->shape);
    if (!r->add[0])
        memset(dx, 0, ib_shape_size(r->in[0]) * sizeof *dx);
    for (int y0 = 0; y0 < d->oh; y0 += d->band) {
        int rows = d->oh - y0 < d->band ? d->oh - y0 : d->band;
        int p = rows * d->ow;
        ib_sgemm(r->scratch, r->w, dy + (ptrdiff_t)y0 * d->ow,
                 &(struct ib_gemm){.ta = true,
                                   .m = d->j,
                                   .n = p,
                                   .k = d->m,
                                   .alpha = 1,
                                   .lda = d->j,
                                   .ldb = area,
                                   .ldc = p});
        scatter(r->scratch, dx, d, y0, rows);
    }
}

static void bias_gradient(const struct ib_op_run *r, const struct dims *d)
{
    size_t area = (size_t)d->oh * (size_t)d->ow;
    for (size_t m = 0; m < (size_t)d->m; m++) {
        double s = r->keep != 0 ? (double)r->db[m] : 0;
        for (size_t i = 0; i < r->n; i++)
            s += ib_sum(area, r->dy + (i * (size_t)d->m + m) * area);
        r->db[m] = (ib_real)s;
    }
}

static void backward(const struct ib_op_run *r)
{
    struct dims d = dims_of(r->node, r->in[0]);
    for (size_t i = 0; i < r->n; i++) {
        if (r->dw)
            weight_gradient(r, &d, i);
        if (r->dx[0])
            input_gradient(r, &d, i);
    }
    if (r->db)
        bias_gradient(r, &d);
}

const struct ib_op ib_op_conv2d = {
    .name = "conv2d",
    .shape = shape,
    .scratch = scratch,
    .forward = forward,
    .backward = backward,
};

ib_node ib_graph_conv2d(struct ib_graph *g, ib_node x, struct ib_conv conv,
                        const char *name)
{
    const struct ib_op_config c = {.channels = conv.channels,
                                   .kernel = conv.kernel,
                                   .stride = conv.stride ? conv.stride : 1,
                                   .pad = conv.pad};
    return ib_graph_add_unary(g, IB_OP_CONV2D, x, &c, name);
}
