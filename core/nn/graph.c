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

int ib_graph_count(const struct ib_graph *g)
{
    return g->n;
}

struct ib_node_info ib_graph_info(const struct ib_graph *g, ib_node x)
{
    const struct ib_graph_node *node = &g->node[x];
    return (struct ib_node_info){.name = node->name,
                                 .op = ib_ops[node->op]->name,
                                 .n_inputs = node->n_inputs,
                                 .input = node->input,
                                 .shape = node->shape,
                                 .owner = node->owner,
                                 .first = node->first,
                                 .weights = node->weights,
                                 .biases = node->biases,
                                 .first_state = node->first_state,
                                 .state = node->state};
}

ib_node ib_graph_fail(struct ib_graph *g, enum ib_status s, const char *text)
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

ib_node ib_graph_misfit(struct ib_graph *g, const struct ib_graph_node *node,
                        const char *reason)
{
    struct ib_shape s = node->shape;
    const char *op = ib_ops[node->op]->name;
    if (node->n_inputs == 0) {
        ib_error_set(&g->error, IB_E_USAGE, "node '%s' (%s) of %dx%dx%d: %s",
                     node->name, op, s.c, s.h, s.w, reason);
        return IB_NONE;
    }
    const struct ib_graph_node *from = &g->node[node->input[node->misfit]];
    struct ib_shape f = from->shape;
    char beside[IB_TEXT_MAX] = "";
    if (node->misfit > 0) {
        const struct ib_graph_node *one = &g->node[node->input[0]];
        snprintf(beside, sizeof beside, " beside '%s' (%dx%dx%d)", one->name,
                 one->shape.c, one->shape.h, one->shape.w);
    }
    ib_error_set(&g->error, IB_E_USAGE,
                 "node '%s' (%s, %dx%dx%d) does not fit its input '%s' "
                 "(%dx%dx%d)%s: %s",
                 node->name, op, s.c, s.h, s.w, from->name, f.c, f.h, f.w,
                 beside, reason);
    return IB_NONE;
}

ib_node ib_graph_add(struct ib_graph *g, struct ib_graph_node *node,
                     const char *name)
{
    if (g->error.status != IB_OK)
        return IB_NONE;
    struct ib_shape in[IB_OP_INPUTS] = {{0}};
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->input[i] < 0 || node->input[i] >= g->n)
            return ib_graph_fail(g, IB_E_INTERNAL,
                                 "a node's input is not in the graph");
        in[i] = g->node[node->input[i]].shape;
    }
    if (name && (strlen(name) >= IB_NAME_MAX || name_taken(g, name)))
        return ib_graph_fail(g, IB_E_INTERNAL,
                             "a node's name is too long or taken");
    if (!grow(g))
        return ib_graph_fail(g, IB_E_NOMEM, "no memory for a graph's nodes");
    name_node(g, node, name);
    const char *reason = ib_ops[node->op]->shape(node, in);
    if (!reason)
        reason = check_size(node);
    size_t total = 0;
    if (!reason &&
        (!ib_size_add(g->parameters, node->weights, &total) ||
         !ib_size_add(total, node->biases, &total) || total > SIZE_MAX / 64))
        reason = "too many parameters";
    if (reason)
        return ib_graph_misfit(g, node, reason);
    node->owner = g->n;
    node->first = g->parameters;
    g->parameters = total;
    node->first_state = g->states;
    g->states += node->state;
    g->node[g->n] = *node;
    return g->n++;
}

ib_node ib_graph_add_unary(struct ib_graph *g, enum ib_op_id op, ib_node x,
                           const struct ib_op_config *config, const char *name)
{
    struct ib_graph_node node = {.op = op, .n_inputs = 1, .input = {x}};
    if (config)
        node.config = *config;
    return ib_graph_add(g, &node, name);
}

ib_node ib_graph_keep(struct ib_graph *g, ib_node x)
{
    if (x >= 0 && x < g->n)
        g->node[x].kept = true;
    return x;
}

void ib_graph_share(struct ib_graph *g, ib_node x, ib_node of)
{
    struct ib_graph_node *node = &g->node[x];
    g->parameters -= node->weights + node->biases;
    node->owner = g->node[of].owner;
    node->first = g->node[of].first;
    g->states -= node->state;
    node->state = 0;
}
