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

static const struct ib_op op_input = {
    .name = "input",
    .shape = input_shape,
};

static const struct ib_op op_reshape = {
    .name = "reshape",
    .alias = true,
    .shape = reshape_shape,
};

const struct ib_op *const ib_ops[IB_OP_COUNT] = {
    [IB_OP_INPUT] = &op_input,        [IB_OP_DENSE] = &ib_op_dense,
    [IB_OP_CONV2D] = &ib_op_conv2d,   [IB_OP_MAXPOOL] = &ib_op_maxpool,
    [IB_OP_AVGPOOL] = &ib_op_avgpool, [IB_OP_RELU] = &ib_op_relu,
    [IB_OP_SIGMOID] = &ib_op_sigmoid, [IB_OP_TANH] = &ib_op_tanh,
    [IB_OP_SOFTMAX] = &ib_op_softmax, [IB_OP_DROPOUT] = &ib_op_dropout,
    [IB_OP_AFFINE] = &ib_op_affine,   [IB_OP_RESHAPE] = &op_reshape,
};
