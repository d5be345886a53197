/* Passes through a target that holds and decodes a code. */
#include <invbench/parts/code.h>

#include <string.h>

static size_t node_size(const struct ib_code *c, ib_node x)
{
    return ib_shape_size(ib_graph_shape(ib_net_graph(c->net), x));
}

enum ib_status ib_code_open(struct ib_code *c, struct ib_oracle *o,
                            struct ib_error *err)
{
    c->net = ib_oracle_net(o, &c->nodes);
    if (!c->net || c->nodes->code == IB_NONE || c->nodes->decoded == IB_NONE)
        return ib_error_set(err, IB_E_DENIED,
                            "the search in a code needs whitebox, and a "
                            "target that decodes a code of its own");
    c->size = node_size(c, c->nodes->code);
    c->image = node_size(c, c->nodes->input);
    return IB_OK;
}

static const float *pass(struct ib_code *c, size_t n, const float *rows,
                         const ib_node way[2])
{
    struct ib_forward f = {.n = (int)n, .from = way[0], .to = way[1]};

    memcpy(ib_net_value(c->net, f.from), rows,
           n * node_size(c, f.from) * sizeof(*rows));
    ib_net_forward(c->net, &f);
    return ib_net_value(c->net, f.to);
}

const float *ib_code_encode(struct ib_code *c, size_t n, const float *x)
{
    return pass(c, n, x, (ib_node[2]){c->nodes->input, c->nodes->code});
}

const float *ib_code_decode(struct ib_code *c, size_t n, const float *z)
{
    return pass(c, n, z, (ib_node[2]){c->nodes->code, c->nodes->decoded});
}

const float *ib_code_logits(struct ib_code *c, size_t n, const float *z)
{
    return pass(c, n, z, (ib_node[2]){c->nodes->code, c->nodes->logits});
}

void ib_code_vjp(struct ib_code *c, size_t n, const float *cotangent,
                 float *gradient)
{
    ib_node from = c->nodes->code, to = c->nodes->logits;
    struct ib_forward f = {.n = (int)n, .from = from, .to = to};

    memcpy(ib_net_gradient(c->net, to), cotangent,
           n * node_size(c, to) * sizeof(*cotangent));
    ib_net_backward(c->net, &f, IB_WRT_INPUT);
    memcpy(gradient, ib_net_gradient(c->net, from),
           n * c->size * sizeof(*gradient));
}
