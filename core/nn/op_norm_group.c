/*
 * Group normalisation (Wu, He, ECCV 2018), per row over the channels of a
 * group and their pixels, biased variance; scale and shift per channel. With
 * a group for each channel it is instance normalisation (Ulyanov et al.,
 * 2016), with one group layer normalisation over a whole row.
 *
 * M values a group, xh = (x - mean) / sigma, g = gamma dy:
 *   dx = 1 / sigma (g - sum g / M - xh (sum g xh) / M).
 */
#include "plane.h"

#include "node.h"

#include <math.h>
#include <string.h>

/* What forward keeps for each group of a row: centre = mean + rest. */
struct group {
    double inverse, rest; /* 1 / sigma */
    ib_real centre;
};

static size_t group_count(const struct ib_graph_node *node)
{
    return (size_t)node->config.groups;
}

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    int groups = node->config.groups;
    node->shape = in[0];
    node->weights = node->biases = node->config.no_affine ? 0 : (size_t)in[0].c;
    if (groups < 1 || in[0].c % groups != 0)
        return "the number of channels is no multiple of the groups";
    if (ib_shape_size(in[0]) == (size_t)groups)
        return "a group of one value has no variance";
    return node->config.epsilon > 0 ? NULL : "epsilon must be positive";
}

static size_t saved(const struct ib_graph_node *node)
{
    return group_count(node) * sizeof(struct group);
}

static void init(const struct ib_graph_node *node, ib_real *w, ib_real *state,
                 struct ib_rng *rng)
{
    (void)state;
    (void)rng;
    for (size_t i = 0; i < node->weights; i++) {
        w[i] = 1;
        w[node->weights + i] = 0;
    }
}

/* One group of one row: channels first..end, `at` in the arrays of rows. */
struct place {
    const struct ib_op_run *r;
    struct group *group;
    size_t first, end, pixels, at;
};

/* Calls f for every group of row i. */
static void each_group(const struct ib_op_run *r, size_t i,
                       void (*f)(const struct place *p, void *ctx), void *ctx)
{
    size_t groups = group_count(r->node), c = (size_t)r->node->shape.c;
    size_t pixels = (size_t)r->node->shape.h * (size_t)r->node->shape.w;
    struct group *group = r->saved;
    for (size_t g = 0; g < groups; g++) {
        size_t first = g * (c / groups);
        f(&(struct place){r, &group[i * groups + g], first, first + c / groups,
                          pixels, (i * c + first) * pixels},
          ctx);
    }
}

static double gamma_of(const struct ib_op_run *r, size_t c)
{
    return r->node->weights ? (double)r->w[c] : 1;
}

static void forward_group(const struct place *p, void *ctx)
{
    const struct ib_op_run *r = p->r;
    struct group *group = p->group;
    double s[2] = {0}, count = (double)((p->end - p->first) * p->pixels);
    size_t at = p->at;
    (void)ctx;
    ib_plane_sums((struct ib_planes){1, 0, (p->end - p->first) * p->pixels},
                  r->x[0] + at, s);
    double mean = s[0] / count, variance = s[1] / count - mean * mean;
    variance = variance < 0 ? 0 : variance; /* NaN stays */
    group->inverse = 1 / sqrt(variance + r->node->config.epsilon);
    group->centre = (ib_real)mean;
    group->rest = (double)group->centre - mean;
    for (size_t c = p->first; c < p->end; c++, at += p->pixels) {
        double scale = gamma_of(r, c) * group->inverse;
        double shift = r->node->weights ? (double)r->b[c] : 0;
        ib_plane_line(p->pixels, r->x[0] + at,
                      (struct ib_line){group->centre, (ib_real)scale,
                                       (ib_real)(shift + group->rest * scale)},
                      r->y + at);
    }
}

static void forward(const struct ib_op_run *r)
{
    for (size_t i = 0; i < r->n; i++)
        each_group(r, i, forward_group, NULL);
}

/* s[0] = sum dy, s[1] = sum dy xh of channel c. */
static void channel_dots(const struct place *p, size_t c, double s[2])
{
    size_t at = p->at + (c - p->first) * p->pixels;
    s[0] = s[1] = 0;
    ib_plane_dots((struct ib_planes){1, 0, p->pixels}, p->r->dy + at,
                  p->r->x[0] + at, p->group->centre, s);
    s[1] = (s[1] + p->group->rest * s[0]) * p->group->inverse;
}

static void backward_group(const struct place *p, void *ctx)
{
    const struct ib_op_run *r = p->r;
    double t1 = 0, t2 = 0, count = (double)((p->end - p->first) * p->pixels);
    double inverse = p->group->inverse;
    size_t at = p->at;
    (void)ctx;
    for (size_t c = p->first; c < p->end; c++) {
        double s[2];
        channel_dots(p, c, s);
        t1 += gamma_of(r, c) * s[0];
        t2 += gamma_of(r, c) * s[1];
        if (r->dw) {
            r->dw[c] += (ib_real)s[1];
            r->db[c] += (ib_real)s[0];
        }
    }
    double slope = -inverse * inverse * t2 / count;
    struct ib_slope s = {
        .p = (ib_real)slope,
        .centre = p->group->centre,
        .q = (ib_real)(p->group->rest * slope - inverse * t1 / count)};
    for (size_t c = p->first; c < p->end && r->dx[0]; c++, at += p->pixels) {
        s.k = (ib_real)(gamma_of(r, c) * inverse);
        ib_plane_slope(p->pixels, r->dy + at, r->x[0] + at, &s, r->add[0],
                       r->dx[0] + at);
    }
}

static void backward(const struct ib_op_run *r)
{
    if (r->dw && r->keep == 0) {
        memset(r->dw, 0, r->node->weights * sizeof *r->dw);
        memset(r->db, 0, r->node->biases * sizeof *r->db);
    }
    for (size_t i = 0; i < r->n; i++)
        each_group(r, i, backward_group, NULL);
}

static void norm_group(const struct place *p, void *ctx)
{
    double *norm2 = ctx;
    for (size_t c = p->first; c < p->end; c++) {
        double s[2];
        channel_dots(p, c, s);
        *norm2 += s[0] * s[0] + s[1] * s[1];
    }
}

static void norms(const struct ib_op_run *r, double *norm2)
{
    for (size_t i = 0; i < r->n; i++)
        each_group(r, i, norm_group, &norm2[i]);
}

const struct ib_op ib_op_groupnorm = {
    .name = "groupnorm",
    .in_place = true,
    .no_decay = true,
    .passes = true,
    .shape = shape,
    .saved = saved,
    .init = init,
    .forward = forward,
    .backward = backward,
    .norms = norms,
};

ib_node ib_graph_groupnorm(struct ib_graph *g, ib_node x, struct ib_norm norm,
                           const char *name)
{
    const struct ib_op_config c = {.groups = norm.groups != 0 ? norm.groups : 1,
                                   .no_affine = norm.no_affine,
                                   .epsilon =
                                       norm.epsilon != 0 ? norm.epsilon : 1e-5};
    return ib_graph_add_unary(g, IB_OP_GROUPNORM, x, &c, name);
}

ib_node ib_graph_instancenorm(struct ib_graph *g, ib_node x,
                              struct ib_norm norm, const char *name)
{
    norm.groups = ib_graph_shape(g, x).c;
    return ib_graph_groupnorm(g, x, norm, name);
}
