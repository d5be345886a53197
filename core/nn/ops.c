/*
 * The table of ops, and the ops that compute nothing.
 */
#include "node.h"

static const char *input_shape(struct ib_graph_node *node,
                               const struct ib_shape *in)
{
    (void)in;
    node->shape = node->config.shape;
    return NULL;
}

static const char *reshape_shape(struct ib_graph_node *node,
                                 const struct ib_shape *in)
{
    struct ib_shape s = node->config.shape;
    node->shape = s;
    if (s.c < 1 || s.h < 1 || s.w < 1)
        return "every side must be at least 1";
    if (ib_shape_size(s) != ib_shape_size(in[0]))
        return "the number of values differs";
    return NULL;
}

const struct ib_op ib_op_input = {
    .name = "input",
    .shape = input_shape,
};

const struct ib_op ib_op_reshape = {
    .name = "reshape",
    .alias = true,
    .passes = true,
    .shape = reshape_shape,
};

#define IB_OP(id, name) [IB_OP_##id] = &ib_op_##name,
const struct ib_op *const ib_ops[IB_OP_COUNT] = {
#include "ops.def"
};
#undef IB_OP

ib_node ib_graph_input(struct ib_graph *g, struct ib_shape s, const char *name)
{
    struct ib_graph_node node = {.op = IB_OP_INPUT, .config.shape = s};
    return ib_graph_add(g, &node, name);
}

ib_node ib_graph_reshape(struct ib_graph *g, ib_node x, struct ib_shape s)
{
    const struct ib_op_config c = {.shape = s};
    return ib_graph_add_unary(g, IB_OP_RESHAPE, x, &c, NULL);
}
