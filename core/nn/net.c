/*
 * A net: the memory that a graph needs, and the runs over it.
 *
 * Two arenas, sized before anything is taken: parameters with their gradients,
 * and activations (values, gradients, what ops keep, scratch). An op marked
 * alias shares its input's rows: `root` names the node whose rows they are.
 */
#include "blas.h"
#include "node.h"

#include <assert.h>
#include <invbench/math.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct rows {
    float *value, *gradient;
    void *saved;
    ib_node root;
};

struct ib_net {
    struct ib_graph *graph;
    int max_batch;
    struct ib_scratch *parameter_memory, *row_memory;
    float *parameter, *gradient;
    struct rows *rows; /* one a node */
    uint8_t *mark;     /* one a node: on the path of this run */
    uint8_t *wanted;   /* its gradient is needed */
    uint8_t *written;  /* its gradient holds a first contribution */
    float *scratch;
    ib_node first, last; /* whose parameters are trained */
    size_t bytes;
};

static const struct ib_op *op_of(const struct ib_graph_node *node)
{
    return ib_ops[node->op];
}

/* What the arena spends on count items of a size: see ib_scratch_take. */
static bool account(size_t *total, size_t count, size_t size)
{
    size_t bytes;
    return ib_size_mul(count, size, &bytes) && ib_size_add(bytes, 64, &bytes) &&
           ib_size_add(*total, bytes, total);
}

static bool row_bytes(const struct ib_graph *g, size_t batch, size_t *total,
                      size_t *scratch)
{
    size_t nodes = (size_t)g->n;
    if (!account(total, nodes, sizeof(struct rows)) ||
        !account(total, 3 * nodes, 1))
        return false;
    for (int i = 0; i < g->n; i++) {
        const struct ib_graph_node *node = &g->node[i];
        const struct ib_op *op = op_of(node);
        size_t d = ib_shape_size(node->shape), row;
        if (op->alias)
            continue;
        size_t kept = op->saved ? op->saved(node) : 0;
        if (!ib_size_mul(batch, d, &row) ||
            !account(total, row, 2 * sizeof(float)) || !account(total, 64, 1) ||
            !account(total, batch, kept))
            return false;
        if (op->scratch) {
            size_t s = op->scratch(node, g->node[node->input[0]].shape);
            *scratch = s > *scratch ? s : *scratch;
        }
    }
    return account(total, *scratch, sizeof(float)) && account(total, 3, 64);
}

static bool take_rows(struct ib_net *net)
{
    const struct ib_graph *g = net->graph;
    struct ib_scratch *s = net->row_memory;
    size_t nodes = (size_t)g->n, batch = (size_t)net->max_batch;
    net->rows = ib_scratch_take(s, nodes, sizeof *net->rows);
    net->mark = ib_scratch_take(s, nodes, 1);
    net->wanted = ib_scratch_take(s, nodes, 1);
    net->written = ib_scratch_take(s, nodes, 1);
    if (!net->rows || !net->mark || !net->wanted || !net->written)
        return false;
    for (int i = 0; i < g->n; i++) {
        const struct ib_graph_node *node = &g->node[i];
        const struct ib_op *op = op_of(node);
        struct rows *r = &net->rows[i];
        if (op->alias) {
            *r = net->rows[node->input[0]];
            continue;
        }
        size_t n = batch * ib_shape_size(node->shape);
        r->root = i;
        r->value = ib_scratch_take(s, n, sizeof(float));
        r->gradient = ib_scratch_take(s, n, sizeof(float));
        if (op->saved)
            r->saved = ib_scratch_take(s, batch, op->saved(node));
        if (!r->value || !r->gradient || (op->saved && !r->saved))
            return false;
    }
    return true;
}

static enum ib_status allocate(struct ib_net *net, struct ib_error *err)
{
    size_t rows = 0, parameters = 0, scratch = 0, count;
    count = ib_graph_parameters(net->graph);
    if (!row_bytes(net->graph, (size_t)net->max_batch, &rows, &scratch) ||
        !account(&parameters, count, 2 * sizeof(float)) ||
        !account(&parameters, 64, 1))
        return ib_error_set(err, IB_E_NOMEM,
                            "a net for %d rows needs more memory than can be "
                            "addressed",
                            net->max_batch);
    net->parameter_memory = ib_scratch_create(parameters);
    net->row_memory = ib_scratch_create(rows);
    if (!net->parameter_memory || !net->row_memory || !take_rows(net))
        goto no_memory;
    net->parameter =
        ib_scratch_take(net->parameter_memory, count, sizeof(float));
    net->gradient =
        ib_scratch_take(net->parameter_memory, count, sizeof(float));
    net->scratch = ib_scratch_take(net->row_memory, scratch, sizeof(float));
    if (!net->parameter || !net->gradient || !net->scratch)
        goto no_memory;
    net->bytes = rows + parameters;
    return IB_OK;
no_memory:
    return ib_error_set(err, IB_E_NOMEM,
                        "no memory for a net of %zu bytes (%d rows)",
                        rows + parameters, net->max_batch);
}

enum ib_status ib_net_create(struct ib_net **out, struct ib_graph *g,
                             int max_batch, struct ib_error *err)
{
    assert(max_batch >= 1);
    enum ib_status status = IB_E_NOMEM;
    struct ib_net *net = NULL;
    const struct ib_error *wrong = ib_graph_error(g);
    if (wrong) {
        status = ib_error_set(err, wrong->status, "%s", wrong->text);
        goto fail;
    }
    net = calloc(1, sizeof *net);
    if (!net) {
        ib_error_set(err, status, "no memory for a net");
        goto fail;
    }
    net->graph = g;
    net->max_batch = max_batch;
    net->first = net->last = IB_NONE;
    status = allocate(net, err);
    if (status != IB_OK)
        goto fail;
    ib_blas_single_threaded();
    *out = net;
    return IB_OK;
fail:
    if (net)
        ib_net_free(net);
    else
        ib_graph_free(g);
    return status;
}

void ib_net_free(struct ib_net *net)
{
    if (!net)
        return;
    ib_scratch_free(net->row_memory);
    ib_scratch_free(net->parameter_memory);
    ib_graph_free(net->graph);
    free(net);
}

const struct ib_graph *ib_net_graph(const struct ib_net *net)
{
    return net->graph;
}

int ib_net_max_batch(const struct ib_net *net)
{
    return net->max_batch;
}

size_t ib_net_bytes(const struct ib_net *net)
{
    return net->bytes;
}

size_t ib_net_parameter_count(const struct ib_net *net)
{
    return net->graph->parameters;
}

float *ib_net_parameters(struct ib_net *net)
{
    return net->parameter;
}

float *ib_net_parameter_gradients(struct ib_net *net)
{
    return net->gradient;
}

void ib_net_parameter_range(const struct ib_net *net, ib_node x, size_t *first,
                            size_t *count)
{
    const struct ib_graph_node *node = &net->graph->node[x];
    *count = node->weights + node->biases;
    *first = *count ? node->first : 0;
}

float *ib_net_value(struct ib_net *net, ib_node x)
{
    return net->rows[x].value;
}

float *ib_net_gradient(struct ib_net *net, ib_node x)
{
    return net->rows[x].gradient;
}

void ib_net_zero_gradients(struct ib_net *net)
{
    memset(net->gradient, 0, net->graph->parameters * sizeof(float));
}

void ib_net_train_range(struct ib_net *net, ib_node first, ib_node last)
{
    net->first = first;
    net->last = last;
}

/* --- runs -------------------------------------------------------------- */

void ib_net_path(const struct ib_net *net, ib_node from, ib_node to,
                 uint8_t *mark)
{
    const struct ib_graph *g = net->graph;
    memset(mark, 0, (size_t)g->n);
    mark[to] = 1;
    for (ib_node i = to; i >= 0; i--) {
        if (!mark[i] || i == from)
            continue;
        for (int k = 0; k < g->node[i].n_inputs; k++)
            mark[g->node[i].input[k]] = 1;
    }
    assert(mark[from]);
    for (ib_node i = 0; i <= to; i++)
        if (i == from || g->node[i].op == IB_OP_INPUT)
            mark[i] = 0;
}

static struct ib_op_run run_of(const struct ib_net *net, ib_node i,
                               const struct ib_forward *f)
{
    const struct ib_graph *g = net->graph;
    const struct ib_graph_node *node = &g->node[i];
    struct ib_op_run r = {.node = node,
                          .n = (size_t)f->n,
                          .keep = 1,
                          .y = net->rows[i].value,
                          .scratch = net->scratch,
                          .dy = net->rows[i].gradient,
                          .saved = net->rows[i].saved,
                          .w = net->parameter + node->first,
                          .dropout = f->dropout};
    r.b = r.w + node->weights;
    for (int k = 0; k < node->n_inputs; k++) {
        r.in[k] = g->node[node->input[k]].shape;
        r.x[k] = net->rows[node->input[k]].value;
    }
    return r;
}

void ib_net_forward(struct ib_net *net, const struct ib_forward *f)
{
    assert(f->n >= 1 && f->n <= net->max_batch);
    ib_net_path(net, f->from, f->to, net->mark);
    for (ib_node i = 0; i <= f->to; i++) {
        const struct ib_op *op = op_of(&net->graph->node[i]);
        if (!net->mark[i] || op->alias)
            continue;
        struct ib_op_run r = run_of(net, i, f);
        op->forward(&r);
    }
}

static bool trains(const struct ib_net *net, ib_node i, int wrt)
{
    const struct ib_graph_node *node = &net->graph->node[i];
    return wrt & IB_WRT_PARAMETERS && node->weights + node->biases > 0 &&
           (net->first == IB_NONE || (i >= net->first && i <= net->last));
}

/* A gradient is wanted where the source's is, where parameters are trained,
 * and at everything behind those. */
static void mark_wanted(struct ib_net *net, const struct ib_forward *f, int wrt)
{
    const struct ib_graph *g = net->graph;
    memset(net->wanted, 0, (size_t)g->n);
    net->wanted[f->from] = wrt & IB_WRT_INPUT ? 1 : 0;
    for (ib_node i = 0; i <= f->to; i++) {
        if (!net->mark[i])
            continue;
        net->wanted[i] = trains(net, i, wrt);
        for (int k = 0; k < g->node[i].n_inputs; k++)
            net->wanted[i] |= net->wanted[g->node[i].input[k]];
    }
}

/* With IB_WRT_OVERWRITE the first of several uses of shared parameters
 * overwrites, the others add: true for that one (the last node, as the run
 * goes backwards). */
static bool writes_first(const struct ib_net *net, ib_node i, ib_node to)
{
    const struct ib_graph *g = net->graph;
    for (ib_node j = i + 1; j <= to; j++)
        if (net->mark[j] && g->node[j].owner == g->node[i].owner &&
            trains(net, j, IB_WRT_PARAMETERS))
            return false;
    return true;
}

static void run_backward(struct ib_net *net, ib_node i,
                         const struct ib_forward *f, int wrt)
{
    const struct ib_graph_node *node = &net->graph->node[i];
    struct ib_op_run r = run_of(net, i, f);
    if (trains(net, i, wrt)) {
        r.dw = net->gradient + node->first;
        r.db = r.dw + node->weights;
        bool fresh = wrt & IB_WRT_OVERWRITE && writes_first(net, i, f->to);
        r.keep = fresh ? 0 : 1;
    }
    for (int k = 0; k < node->n_inputs; k++) {
        const struct rows *in = &net->rows[node->input[k]];
        if (!net->wanted[node->input[k]])
            continue;
        r.dx[k] = in->gradient;
        r.add[k] = net->written[in->root];
        net->written[in->root] = 1;
    }
    op_of(node)->backward(&r);
}

void ib_net_backward(struct ib_net *net, const struct ib_forward *f, int wrt)
{
    assert(f->n >= 1 && f->n <= net->max_batch);
    ib_net_path(net, f->from, f->to, net->mark);
    mark_wanted(net, f, wrt);
    memset(net->written, 0, (size_t)net->graph->n);
    net->written[net->rows[f->to].root] = 1;
    for (ib_node i = f->to; i >= 0; i--)
        if (net->mark[i] && net->wanted[i] &&
            !op_of(&net->graph->node[i])->alias)
            run_backward(net, i, f, wrt);
}
