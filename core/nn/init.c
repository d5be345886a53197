/*
 * Initial parameters and state.
 */
#include "spectral.h"

#include <math.h>
#include <string.h>

/* Through norms, dropout and the like, a layer feeds what reads those. */
static bool feeds_relu(const struct ib_graph *g, ib_node x)
{
    for (ib_node i = x + 1; i < g->n; i++)
        for (int k = 0; k < g->node[i].n_inputs; k++) {
            const struct ib_op *op = ib_ops[g->node[i].op];
            if (g->node[i].input[k] == x &&
                (op->rectifies || (op->passes && feeds_relu(g, i))))
                return true;
        }
    return false;
}

/* Layers that give FiLM its scale and shift begin at 0: it begins as the
 * identity. */
static bool modulates(const struct ib_graph *g, ib_node x)
{
    for (ib_node i = x + 1; i < g->n; i++)
        if (g->node[i].op == IB_OP_FILM &&
            (g->node[i].input[1] == x || g->node[i].input[2] == x))
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
    if (modulates(g, x))
        return 0;
    return (ib_real)sqrt(6.0 / (feeds_relu(g, x) ? in : in + out));
}

static void init_layer(const struct ib_graph *g, ib_node x, ib_real *w,
                       struct ib_rng *rng)
{
    const struct ib_graph_node *node = &g->node[x];
    ib_real a = init_bound(g, x);
    ib_rng_fill_uniform(rng, w, node->weights);
    for (size_t i = 0; i < node->weights; i++)
        w[i] = a * (2.0f * w[i] - 1.0f);
    memset(w + node->weights, 0, node->biases * sizeof *w);
}

void ib_net_init(struct ib_net *net, struct ib_rng *rng)
{
    const struct ib_graph *g = ib_net_graph(net);
    for (ib_node x = 0; x < g->n; x++) {
        const struct ib_graph_node *node = &g->node[x];
        ib_real *w = ib_net_parameters(net) + node->first;
        ib_real *state = ib_net_state(net) + node->first_state;
        if (node->weights + node->biases + node->state == 0 || node->owner != x)
            continue;
        if (ib_ops[node->op]->init)
            ib_ops[node->op]->init(node, w, state, rng);
        else
            init_layer(g, x, w, rng);
        if (node->config.spectral)
            ib_spectral_init(node, state, rng);
    }
}
