/*
 * Initial parameters.
 */
#include "node.h"

#include <math.h>
#include <string.h>

static bool feeds_relu(const struct ib_graph *g, ib_node x)
{
    for (int i = x + 1; i < g->n; i++)
        if (g->node[i].op == IB_OP_RELU && g->node[i].input[0] == x)
            return true;
    return false;
}

/* He et al., ICCV 2015, eq. 10 and Glorot, Bengio, AISTATS 2010, eq. 16, as
 * uniform distributions. */
static ib_real init_bound(const struct ib_graph *g, ib_node x)
{
    const struct ib_graph_node *node = &g->node[x];
    double in = (double)node->weights / (double)node->shape.c;
    double taps = node->op == IB_OP_CONV2D
                      ? (double)node->config.kernel * node->config.kernel
                      : 1;
    double out = (double)node->shape.c * taps;
    return (ib_real)sqrt(6.0 / (feeds_relu(g, x) ? in : in + out));
}

void ib_net_init(struct ib_net *net, struct ib_rng *rng)
{
    const struct ib_graph *g = ib_net_graph(net);
    for (ib_node x = 0; x < g->n; x++) {
        const struct ib_graph_node *node = &g->node[x];
        if (node->weights + node->biases == 0 || node->owner != x)
            continue;
        ib_real *w = ib_net_parameters(net) + node->first;
        ib_real a = init_bound(g, x);
        ib_rng_fill_uniform(rng, w, node->weights);
        for (size_t i = 0; i < node->weights; i++)
            w[i] = a * (2.0f * w[i] - 1.0f);
        memset(w + node->weights, 0, node->biases * sizeof *w);
    }
}
