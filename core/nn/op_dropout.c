/*
 * Inverted dropout (Srivastava et al., JMLR 15, 2014): identity outside
 * training.
 */
#include "put.h"

static const char *shape(struct ib_graph_node *node, const struct ib_shape *in)
{
    node->shape = in[0];
    double rate = node->config.rate;
    return rate >= 0 && rate < 1 ? NULL : "the rate must be in [0, 1)";
}

/* The factor that each value was multiplied by. */
static size_t saved(const struct ib_graph_node *node)
{
    return ib_shape_size(node->shape) * sizeof(ib_real);
}

/* For all rows at once: what is drawn does not depend on how rows are cut. */
static void draw(const struct ib_op_run *r)
{
    size_t n = r->n * ib_shape_size(r->node->shape);
    ib_real rate = (ib_real)r->node->config.rate, scale = 1 / (1 - rate);
    ib_real *factor = r->saved;
    if (!r->training)
        return;
    ib_rng_fill_uniform(r->rng, factor, n);
    for (size_t i = 0; i < n; i++)
        factor[i] = factor[i] < rate ? 0 : scale;
}

static void forward(const struct ib_op_run *r)
{
    size_t n = r->n * ib_shape_size(r->node->shape);
    if (r->training)
        ib_put_product(n, r->x[0], r->saved, r->y, false);
    else
        ib_put(n, r->x[0], r->y, false);
}

static void backward(const struct ib_op_run *r)
{
    size_t n = r->n * ib_shape_size(r->node->shape);
    if (!r->dx[0])
        return;
    if (r->training)
        ib_put_product(n, r->dy, r->saved, r->dx[0], r->add[0]);
    else
        ib_put(n, r->dy, r->dx[0], r->add[0]);
}

const struct ib_op ib_op_dropout = {
    .name = "dropout",
    .in_place = true,
    .passes = true,
    .shape = shape,
    .saved = saved,
    .prepare = draw,
    .forward = forward,
    .backward = backward,
};

ib_node ib_graph_dropout(struct ib_graph *g, ib_node x, double rate)
{
    const struct ib_op_config c = {.rate = rate};
    return ib_graph_add_unary(g, IB_OP_DROPOUT, x, &c, NULL);
}
