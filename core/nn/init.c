/*
 * Initial parameters and state.
 */
#include "net.h"
#include "spectral.h"

#include <math.h>
#include <string.h>

enum role { FEEDS_RELU = 1, MODULATES = 2 };

/* What becomes of each node's values. Through norms, dropout and the like, a
 * layer feeds what reads those. */
static void mark_roles(const struct ib_graph *g, uint8_t *role)
{
    memset(role, 0, (size_t)g->n);
    for (ib_node i = g->n - 1; i >= 0; i--) {
        const struct ib_graph_node *node = &g->node[i];
        const struct ib_op *op = ib_ops[node->op];
        bool feeds = op->rectifies || (op->passes && role[i] & FEEDS_RELU);
        for (int k = 0; k < node->n_inputs; k++) {
            if (feeds)
                role[node->input[k]] |= FEEDS_RELU;
            if (node->op == IB_OP_FILM && k > 0)
                role[node->input[k]] |= MODULATES;
        }
    }
}

/* How many values make one of the node's, and of how many values one of its
 * input is a part. A transposed convolution spreads each of its inputs over
 * stride x stride times more values than it adds up. */
static void fans_of(const struct ib_graph_node *node, double *in, double *out)
{
    const struct ib_op_config *c = &node->config;
    bool down = node->op == IB_OP_CONV2D, up = node->op == IB_OP_DECONV2D;
    double taps = down || up ? (double)c->kernel * c->kernel : 1;
    double groups = (down || up) && c->groups > 1 ? c->groups : 1;
    double stride = up && c->stride > 1 ? c->stride : 1;
    *in = (double)node->weights / (double)node->shape.c / (stride * stride);
    *out = (double)node->shape.c * taps / groups;
}

/* He et al., ICCV 2015, eq. 10 and Glorot, Bengio, AISTATS 2010, eq. 16, as
 * uniform distributions. */
static ib_real init_bound(const struct ib_graph_node *node, uint8_t role)
{
    double in, out;
    fans_of(node, &in, &out);
    if (role & MODULATES)
        return 0; /* FiLM begins as the identity */
    return (ib_real)sqrt(6.0 / (role & FEEDS_RELU ? in : in + out));
}

static void init_layer(const struct ib_graph_node *node, uint8_t role,
                       ib_real *w, struct ib_rng *rng)
{
    ib_real a = init_bound(node, role);
    ib_rng_fill_uniform(rng, w, node->weights);
    for (size_t i = 0; i < node->weights; i++)
        w[i] = a * (2.0f * w[i] - 1.0f);
    memset(w + node->weights, 0, node->biases * sizeof *w);
}

void ib_net_init(struct ib_net *net, struct ib_rng *rng)
{
    const struct ib_graph *g = ib_net_graph(net);
    mark_roles(g, net->mark); /* between runs it is free */
    for (ib_node x = 0; x < g->n; x++) {
        const struct ib_graph_node *node = &g->node[x];
        ib_real *w = ib_net_parameters(net) + node->first;
        ib_real *state = ib_net_state(net) + node->first_state;
        if (node->weights + node->biases + node->state == 0 || node->owner != x)
            continue;
        if (ib_ops[node->op]->init)
            ib_ops[node->op]->init(node, w, state, rng);
        else
            init_layer(node, net->mark[x], w, rng);
        if (node->config.spectral)
            ib_spectral_init(node, state, rng);
    }
}
