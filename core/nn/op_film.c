/*
 * Conditioning: feature-wise linear modulation, embeddings, inner products of
 * rows, and what is composed of them.
 */
#include "plane.h"

#include "node.h"

#include <invbench/math.h>
#include <stdio.h>
#include <string.h>

/* --- FiLM ----------------------------------------------------------------- */

/* Perez et al., AAAI 2018; gamma is the distance from 1, so that what is
 * initially 0 changes nothing: y = (1 + gamma) x + beta. Inputs: x (C x H x W),
 * gamma (C), beta (C). */
static const char *film_shape(struct ib_graph_node *node,
                              const struct ib_shape *in)
{
    node->shape = in[0];
    for (int i = 1; i < 3; i++)
        if (ib_shape_size(in[i]) != (size_t)in[0].c)
            return "scale and shift must have one value a channel";
    return NULL;
}

static size_t pixels_of(const struct ib_op_run *r)
{
    return (size_t)r->node->shape.h * (size_t)r->node->shape.w;
}

static void film_forward(const struct ib_op_run *r)
{
    size_t pixels = pixels_of(r), planes = r->n * (size_t)r->node->shape.c;
    for (size_t i = 0; i < planes; i++)
        ib_plane_line(pixels, r->x[0] + i * pixels,
                      (struct ib_line){0, 1 + r->x[1][i], r->x[2][i]},
                      r->y + i * pixels);
}

static void give(const struct ib_op_run *r, int input, size_t i, double g)
{
    ib_real *dx = r->dx[input];
    if (dx)
        dx[i] = (ib_real)((r->add[input] ? (double)dx[i] : 0) + g);
}

static void film_backward(const struct ib_op_run *r)
{
    size_t pixels = pixels_of(r), planes = r->n * (size_t)r->node->shape.c;
    for (size_t i = 0; i < planes; i++) {
        const ib_real *x = r->x[0] + i * pixels, *dy = r->dy + i * pixels;
        double s[2] = {0};
        if (r->dx[1] || r->dx[2])
            ib_plane_dots((struct ib_planes){1, 0, pixels}, dy, x, 0, s);
        if (r->dx[0])
            ib_plane_slope(pixels, dy, x,
                           &(struct ib_slope){.k = 1 + r->x[1][i]}, r->add[0],
                           r->dx[0] + i * pixels);
        give(r, 1, i, s[1]);
        give(r, 2, i, s[0]);
    }
}

/* --- inner product ---------------------------------------------------------
 */

static const char *inner_shape(struct ib_graph_node *node,
                               const struct ib_shape *in)
{
    node->shape = (struct ib_shape){1, 1, 1};
    if (ib_shape_size(in[0]) != ib_shape_size(in[1]))
        return "the two rows differ in length";
    return NULL;
}

static void inner_forward(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->in[0]);
    for (size_t i = 0; i < r->n; i++)
        r->y[i] = (ib_real)ib_dot(d, r->x[0] + i * d, r->x[1] + i * d);
}

static void inner_backward(const struct ib_op_run *r)
{
    size_t d = ib_shape_size(r->in[0]);
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < r->n && r->dx[k]; i++) {
            ib_real *dx = r->dx[k] + i * d;
            if (!r->add[k])
                memset(dx, 0, d * sizeof *dx);
            ib_axpy(d, r->dy[i], r->x[1 - k] + i * d, dx);
        }
}

const struct ib_op ib_op_film = {
    .name = "film",
    .in_place = true,
    .passes = true,
    .shape = film_shape,
    .forward = film_forward,
    .backward = film_backward,
};

const struct ib_op ib_op_inner = {
    .name = "inner",
    .shape = inner_shape,
    .forward = inner_forward,
    .backward = inner_backward,
};

/* --- builders ---------------------------------------------------------------
 */

/* Whether node b has `size` values a row; says which two do not fit. */
static bool fits(struct ib_graph *g, enum ib_op_id op, const ib_node x[2],
                 size_t size, const char *name)
{
    struct ib_graph_node node = {.op = op, .n_inputs = 1, .input = {x[1]}};
    if (ib_graph_error(g) || x[0] < 0 || x[1] < 0 || x[0] >= g->n ||
        x[1] >= g->n || ib_shape_size(g->node[x[1]].shape) == size)
        return true; /* or for ib_graph_add to find */
    snprintf(node.name, sizeof node.name, "%s", name ? name : ib_ops[op]->name);
    node.shape = g->node[x[0]].shape;
    char reason[IB_TEXT_MAX];
    snprintf(reason, sizeof reason, "%zu values a row are needed beside '%s'",
             size, g->node[x[0]].name);
    (void)ib_graph_misfit(g, &node, reason);
    return false;
}

ib_node ib_graph_film(struct ib_graph *g, ib_node x, ib_node scale,
                      ib_node shift, const char *name)
{
    struct ib_graph_node node = {
        .op = IB_OP_FILM, .n_inputs = 3, .input = {x, scale, shift}};
    size_t c = (size_t)ib_graph_shape(g, x).c;
    if (!fits(g, IB_OP_FILM, (ib_node[]){x, scale}, c, name) ||
        !fits(g, IB_OP_FILM, (ib_node[]){x, shift}, c, name))
        return IB_NONE;
    return ib_graph_add(g, &node, name);
}

ib_node ib_graph_inner(struct ib_graph *g, ib_node a, ib_node b,
                       const char *name)
{
    struct ib_graph_node node = {
        .op = IB_OP_INNER, .n_inputs = 2, .input = {a, b}};
    size_t d = ib_shape_size(ib_graph_shape(g, a));
    if (!fits(g, IB_OP_INNER, (ib_node[]){a, b}, d, name))
        return IB_NONE;
    return ib_graph_add(g, &node, name);
}

ib_node ib_graph_embedding(struct ib_graph *g, ib_node classes, int units,
                           const char *name)
{
    const struct ib_dense d = {.units = units, .no_bias = true};
    return ib_graph_dense_with(g, classes, d, name);
}

/* NAME-PART, or what says why not (ib_graph_add refuses names too long). */
static const char *part_name(const char *name, const char *part,
                             char text[IB_NAME_MAX + 16])
{
    snprintf(text, IB_NAME_MAX + 16, "%s-%s", name, part);
    return name ? text : NULL;
}

ib_node ib_graph_conditional_batchnorm(struct ib_graph *g, ib_node x,
                                       ib_node classes, struct ib_norm norm,
                                       const char *name)
{
    char text[IB_NAME_MAX + 16];
    int c = ib_graph_shape(g, x).c;
    norm.no_affine = true;
    ib_node y =
        ib_graph_batchnorm(g, x, norm, part_name(name, "statistics", text));
    ib_node scale =
        ib_graph_embedding(g, classes, c, part_name(name, "scale", text));
    ib_node shift =
        ib_graph_embedding(g, classes, c, part_name(name, "shift", text));
    return ib_graph_film(g, y, scale, shift, name);
}

ib_node ib_graph_projection(struct ib_graph *g, ib_node x, ib_node classes,
                            bool spectral, const char *name)
{
    char text[IB_NAME_MAX + 16];
    const struct ib_dense d = {.units =
                                   (int)ib_shape_size(ib_graph_shape(g, x)),
                               .no_bias = true,
                               .spectral = spectral};
    ib_node e =
        ib_graph_dense_with(g, classes, d, part_name(name, "embedding", text));
    return ib_graph_inner(g, x, e, name);
}
