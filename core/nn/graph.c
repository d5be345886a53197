/*
 * The builder: adds nodes, checks shapes, keeps the first error.
 */
#include "node.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ib_graph *ib_graph_create(void)
{
    return calloc(1, sizeof(struct ib_graph));
}

void ib_graph_free(struct ib_graph *g)
{
    if (!g)
        return;
    free(g->node);
    free(g);
}

const struct ib_error *ib_graph_error(const struct ib_graph *g)
{
    return g->error.status == IB_OK ? NULL : &g->error;
}

struct ib_shape ib_graph_shape(const struct ib_graph *g, ib_node x)
{
    if (x < 0 || x >= g->n)
        return (struct ib_shape){0};
    return g->node[x].shape;
}

size_t ib_graph_parameters(const struct ib_graph *g)
{
    return g->parameters;
}

static ib_node fail(struct ib_graph *g, enum ib_status s, const char *text)
{
    if (g->error.status == IB_OK)
        ib_error_set(&g->error, s, "%s", text);
    return IB_NONE;
}

static bool grow(struct ib_graph *g)
{
    if (g->n < g->capacity)
        return true;
    int capacity = g->capacity ? 2 * g->capacity : 16;
    void *p = realloc(g->node, (size_t)capacity * sizeof *g->node);
    if (!p)
        return false;
    g->node = p;
    g->capacity = capacity;
    return true;
}

static bool name_taken(const struct ib_graph *g, const char *name)
{
    for (int i = 0; i < g->n; i++)
        if (strcmp(g->node[i].name, name) == 0)
            return true;
    return false;
}

/* A name that nobody asked for gives way to those that exist. */
static void name_node(const struct ib_graph *g, struct ib_graph_node *node,
                      const char *name)
{
    if (name) {
        snprintf(node->name, sizeof node->name, "%s", name);
        return;
    }
    int number = g->n;
    do
        snprintf(node->name, sizeof node->name, "%s%d", ib_ops[node->op]->name,
                 number++);
    while (name_taken(g, node->name));
}

/* Sizes of a row and of all parameters must fit the int of the matrix
 * library and size_t. */
static const char *check_size(const struct ib_graph_node *node)
{
    struct ib_shape s = node->shape;
    size_t size;
    if (s.c < 1 || s.h < 1 || s.w < 1)
        return "every side must be at least 1";
    if (!ib_size_mul((size_t)s.c, (size_t)s.h, &size) ||
        !ib_size_mul(size, (size_t)s.w, &size) || size > INT_MAX / 4)
        return "a row of it has too many values";
    return NULL;
}

static void misfit(struct ib_graph *g, const struct ib_graph_node *node,
                   const char *reason)
{
    struct ib_shape s = node->shape;
    const char *op = ib_ops[node->op]->name;
    if (node->n_inputs == 0) {
        ib_error_set(&g->error, IB_E_USAGE, "node '%s' (%s) of %dx%dx%d: %s",
                     node->name, op, s.c, s.h, s.w, reason);
        return;
    }
    const struct ib_graph_node *from = &g->node[node->input[0]];
    struct ib_shape f = from->shape;
    ib_error_set(&g->error, IB_E_USAGE,
                 "node '%s' (%s, %dx%dx%d) does not fit its input '%s' "
                 "(%dx%dx%d): %s",
                 node->name, op, s.c, s.h, s.w, from->name, f.c, f.h, f.w,
                 reason);
}

/* Everything but op, config and inputs is filled in here. */
static ib_node add(struct ib_graph *g, struct ib_graph_node *node,
                   const char *name)
{
    if (g->error.status != IB_OK)
        return IB_NONE;
    struct ib_shape in[IB_OP_INPUTS] = {{0}};
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->input[i] < 0 || node->input[i] >= g->n)
            return fail(g, IB_E_INTERNAL, "a node's input is not in the graph");
        in[i] = g->node[node->input[i]].shape;
    }
    if (name && (strlen(name) >= IB_NAME_MAX || name_taken(g, name)))
        return fail(g, IB_E_INTERNAL, "a node's name is too long or taken");
    if (!grow(g))
        return fail(g, IB_E_NOMEM, "no memory for a graph's nodes");
    name_node(g, node, name);
    const char *reason = ib_ops[node->op]->shape(node, in);
    if (!reason)
        reason = check_size(node);
    size_t total = 0;
    if (!reason &&
        (!ib_size_add(g->parameters, node->weights, &total) ||
         !ib_size_add(total, node->biases, &total) || total > SIZE_MAX / 64))
        reason = "too many parameters";
    if (reason) {
        misfit(g, node, reason);
        return IB_NONE;
    }
    node->owner = g->n;
    node->first = g->parameters;
    g->parameters = total;
    g->node[g->n] = *node;
    return g->n++;
}

static ib_node add_unary(struct ib_graph *g, enum ib_op_id op, ib_node x,
                         const struct ib_op_config *config, const char *name)
{
    struct ib_graph_node node = {.op = op, .n_inputs = 1, .input = {x}};
    if (config)
        node.config = *config;
    return add(g, &node, name);
}

ib_node ib_graph_input(struct ib_graph *g, struct ib_shape s, const char *name)
{
    struct ib_graph_node node = {.op = IB_OP_INPUT, .config.shape = s};
    return add(g, &node, name);
}

ib_node ib_graph_dense(struct ib_graph *g, ib_node x, int units,
                       const char *name)
{
    const struct ib_op_config c = {.channels = units};
    return add_unary(g, IB_OP_DENSE, x, &c, name);
}

ib_node ib_graph_dense_shared(struct ib_graph *g, ib_node x, ib_node of,
                              const char *name)
{
    if (g->error.status != IB_OK)
        return IB_NONE;
    if (of < 0 || of >= g->n || g->node[of].op != IB_OP_DENSE)
        return fail(g, IB_E_INTERNAL, "parameters are shared with no dense");
    size_t before = g->parameters;
    ib_node y = ib_graph_dense(g, x, g->node[of].config.channels, name);
    if (y == IB_NONE)
        return y;
    struct ib_graph_node *node = &g->node[y];
    if (node->weights != g->node[of].weights) {
        misfit(g, node, "the shared weights are of another length");
        return IB_NONE;
    }
    g->parameters = before;
    node->owner = g->node[of].owner;
    node->first = g->node[of].first;
    return y;
}

ib_node ib_graph_conv2d(struct ib_graph *g, ib_node x, struct ib_conv conv,
                        const char *name)
{
    const struct ib_op_config c = {.channels = conv.channels,
                                   .kernel = conv.kernel,
                                   .stride = conv.stride ? conv.stride : 1,
                                   .pad = conv.pad};
    return add_unary(g, IB_OP_CONV2D, x, &c, name);
}

ib_node ib_graph_maxpool(struct ib_graph *g, ib_node x, int size, int stride)
{
    const struct ib_op_config c = {.kernel = size, .stride = stride};
    return add_unary(g, IB_OP_MAXPOOL, x, &c, NULL);
}

ib_node ib_graph_avgpool(struct ib_graph *g, ib_node x, int size, int stride)
{
    const struct ib_op_config c = {.kernel = size, .stride = stride};
    return add_unary(g, IB_OP_AVGPOOL, x, &c, NULL);
}

ib_node ib_graph_relu(struct ib_graph *g, ib_node x)
{
    return add_unary(g, IB_OP_RELU, x, NULL, NULL);
}

ib_node ib_graph_sigmoid(struct ib_graph *g, ib_node x)
{
    return add_unary(g, IB_OP_SIGMOID, x, NULL, NULL);
}

ib_node ib_graph_tanh(struct ib_graph *g, ib_node x)
{
    return add_unary(g, IB_OP_TANH, x, NULL, NULL);
}

ib_node ib_graph_softmax(struct ib_graph *g, ib_node x)
{
    return add_unary(g, IB_OP_SOFTMAX, x, NULL, NULL);
}

ib_node ib_graph_dropout(struct ib_graph *g, ib_node x, double rate)
{
    const struct ib_op_config c = {.rate = rate};
    return add_unary(g, IB_OP_DROPOUT, x, &c, NULL);
}

ib_node ib_graph_affine(struct ib_graph *g, ib_node x, double scale,
                        double shift)
{
    const struct ib_op_config c = {.scale = scale, .shift = shift};
    return add_unary(g, IB_OP_AFFINE, x, &c, NULL);
}

ib_node ib_graph_reshape(struct ib_graph *g, ib_node x, struct ib_shape s)
{
    const struct ib_op_config c = {.shape = s};
    return add_unary(g, IB_OP_RESHAPE, x, &c, NULL);
}
