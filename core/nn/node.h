/*
 * Inside the engine: nodes of a graph, and the table of ops.
 *
 * A new op is a row of ib_ops (ops.c), an enumerator here, a builder in
 * graph.h, and a file or a place in one with its shape rule, forward and
 * backward pass next to each other.
 */
#ifndef INVBENCH_NN_NODE_H
#define INVBENCH_NN_NODE_H

#include <invbench/graph.h>

enum ib_op_id {
    IB_OP_INPUT,
    IB_OP_DENSE,
    IB_OP_CONV2D,
    IB_OP_MAXPOOL,
    IB_OP_AVGPOOL,
    IB_OP_RELU,
    IB_OP_SIGMOID,
    IB_OP_TANH,
    IB_OP_SOFTMAX,
    IB_OP_DROPOUT,
    IB_OP_AFFINE,
    IB_OP_RESHAPE,
    IB_OP_COUNT,
};

enum { IB_OP_INPUTS = 4 };

/* What the builder was told; each op reads its own members. */
struct ib_op_config {
    int channels, kernel, stride, pad; /* dense: channels = units */
    double scale, shift;               /* affine */
    double rate;                       /* dropout */
    struct ib_shape shape;             /* input, reshape */
};

struct ib_graph_node {
    enum ib_op_id op;
    char name[IB_NAME_MAX];
    struct ib_op_config config;
    int n_inputs;
    ib_node input[IB_OP_INPUTS];
    struct ib_shape shape;
    size_t weights, biases; /* how many parameters it uses */
    ib_node owner;          /* whose they are; itself unless shared */
    size_t first;           /* where they start */
};

struct ib_graph {
    struct ib_graph_node *node;
    int n, capacity;
    size_t parameters;
    struct ib_error error; /* IB_OK: none */
};

/* One op on n rows. Arrays are n x size of their node. */
struct ib_op_run {
    const struct ib_graph_node *node;
    size_t n;
    struct ib_shape in[IB_OP_INPUTS];
    const float *x[IB_OP_INPUTS];
    float *y;
    const float *dy;
    float *dx[IB_OP_INPUTS]; /* NULL: not wanted */
    bool add[IB_OP_INPUTS];  /* dx is added to, not overwritten */
    const float *w, *b;
    float *dw, *db; /* NULL: not wanted */
    float keep;     /* 1: dw, db are added to; 0: overwritten */
    void *saved;    /* what forward leaves for backward */
    float *scratch;
    struct ib_rng *dropout;
};

struct ib_op {
    const char *name;
    bool alias; /* the value is the input's: nothing is computed */
    /* Fills node->shape, weights, biases (the shape also when it is not
     * possible, for the message). NULL, or why the node cannot be. */
    const char *(*shape)(struct ib_graph_node *node, const struct ib_shape *in);
    /* Optional: bytes that forward keeps per row. */
    size_t (*saved)(const struct ib_graph_node *node);
    /* Optional: floats of scratch for one run. */
    size_t (*scratch)(const struct ib_graph_node *node, struct ib_shape in);
    void (*forward)(const struct ib_op_run *r);
    void (*backward)(const struct ib_op_run *r);
};

/* Indexed by enum ib_op_id. */
extern const struct ib_op *const ib_ops[IB_OP_COUNT];

extern const struct ib_op ib_op_dense, ib_op_conv2d, ib_op_maxpool,
    ib_op_avgpool, ib_op_relu, ib_op_sigmoid, ib_op_tanh, ib_op_softmax,
    ib_op_dropout, ib_op_affine;

/* Gradients of parameters are computed for nodes first..last alone until this
 * is called again; IB_NONE, IB_NONE: for all. */
void ib_net_train_range(struct ib_net *net, ib_node first, ib_node last);
/* Nodes that ib_net_forward computes for f: mark[i] != 0. */
void ib_net_path(const struct ib_net *net, ib_node from, ib_node to,
                 uint8_t *mark);

/* Row `row` of an array of rows of shape s; NULL stays NULL. */
static inline float *ib_op_row(float *p, size_t row, struct ib_shape s)
{
    return p ? p + row * ib_shape_size(s) : NULL;
}

#endif
