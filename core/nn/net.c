/*
 * A net: the memory that a graph needs.
 *
 * Arenas, sized before anything is taken: parameters with their gradients and
 * the state; rows (values, gradients, what ops keep) with the parts' sums; and
 * each thread's scratch. An op marked alias shows its input's rows. An op
 * marked in_place that is its input's only consumer uses the same memory for
 * its gradient.
 */
#include "net.h"

#include "blas.h"
#include "spectral.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 512 * 1024,
    PARTS = 8,
    PARTIAL_BYTES = 64 * 1024 * 1024, /* of all parts together, if possible */
};

static const struct ib_op *op_of(const struct ib_graph_node *node)
{
    return ib_ops[node->op];
}

int ib_block_rows(size_t row_bytes)
{
    size_t rows = BLOCK_BYTES / (row_bytes ? row_bytes : 1);
    return rows < 1 ? 1 : rows > 4096 ? 4096 : (int)rows;
}

/* --- how much ------------------------------------------------------------ */

/* All that a graph needs, in bytes; partials and sums as numbers of one part;
 * scratch as numbers of one thread. */
struct sizes {
    size_t parameters, rows, partials, sums, scratch;
    int parts;
};

/* What the arena spends on count items of a size: see ib_scratch_take. */
static bool account(size_t *total, size_t count, size_t size)
{
    size_t bytes;
    return ib_size_mul(count, size, &bytes) && ib_size_add(bytes, 64, &bytes) &&
           ib_size_add(*total, bytes, total);
}

static void shapes_of(const struct ib_graph *g, const struct ib_graph_node *n,
                      struct ib_shape in[IB_OP_INPUTS])
{
    memset(in, 0, IB_OP_INPUTS * sizeof *in);
    for (int k = 0; k < n->n_inputs; k++)
        in[k] = g->node[n->input[k]].shape;
}

static int block_max(const struct ib_graph_node *n, int max_batch)
{
    if (op_of(n)->whole)
        return max_batch;
    size_t d = ib_shape_size(n->shape) * sizeof(ib_real);
    int rows = ib_block_rows(d);
    return rows < max_batch ? rows : max_batch;
}

static bool node_sizes(const struct ib_graph *g, int i, int max_batch,
                       struct sizes *s)
{
    const struct ib_graph_node *node = &g->node[i];
    const struct ib_op *op = op_of(node);
    struct ib_shape in[IB_OP_INPUTS];
    size_t batch = (size_t)max_batch, d = ib_shape_size(node->shape), row;
    if (op->alias)
        return true;
    shapes_of(g, node, in);
    size_t kept = op->saved ? op->saved(node) : 0;
    size_t shared = op->shared ? op->shared(node, in) : 0;
    if (!ib_size_mul(batch, d, &row) ||
        !account(&s->rows, row, 2 * sizeof(ib_real)) ||
        !account(&s->rows, 64, 1) || !account(&s->rows, batch, kept) ||
        !account(&s->rows, shared, sizeof(ib_real)))
        return false;
    if (node->config.spectral &&
        !account(&s->rows, node->weights, 2 * sizeof(ib_real)))
        return false;
    if (!op->whole)
        s->partials += node->weights + node->biases;
    s->sums += op->sums ? op->sums(node) : 0;
    if (op->scratch) {
        size_t n = (size_t)block_max(node, max_batch);
        size_t scratch = op->scratch(node, in, n);
        s->scratch = scratch > s->scratch ? scratch : s->scratch;
    }
    return true;
}

static int count_parts(size_t partials)
{
    int parts = PARTS;
    while (parts > 2 &&
           (size_t)parts * partials > PARTIAL_BYTES / sizeof(ib_real))
        parts /= 2;
    return parts;
}

static bool measure(const struct ib_graph *g, int max_batch, struct sizes *s)
{
    size_t nodes = (size_t)g->n;
    *s = (struct sizes){0};
    if (!account(&s->rows, nodes, sizeof(struct ib_rows)) ||
        !account(&s->rows, nodes, sizeof(struct ib_op_run)) ||
        !account(&s->rows, 3 * nodes, 1) || !account(&s->rows, 3, 64))
        return false;
    for (int i = 0; i < g->n; i++)
        if (!node_sizes(g, i, max_batch, s))
            return false;
    s->parts = count_parts(s->partials);
    size_t parts = (size_t)s->parts;
    return account(&s->rows, parts * (s->partials + 16), sizeof(ib_real)) &&
           account(&s->rows, parts * (s->sums + 8), sizeof(double)) &&
           account(&s->parameters, g->parameters, 2 * sizeof(ib_real)) &&
           account(&s->parameters, g->states, sizeof(ib_real)) &&
           account(&s->parameters, 64, 1);
}

size_t ib_graph_bytes(const struct ib_graph *g, int max_batch)
{
    struct sizes s;
    size_t total = 0;
    if (!measure(g, max_batch, &s) || !account(&total, s.rows, 1) ||
        !account(&total, s.parameters, 1) ||
        !account(&total, s.scratch, sizeof(ib_real)))
        return 0;
    return total;
}

/* --- laying it out ------------------------------------------------------- */

/* How many nodes read the value of root, itself or through an alias. */
static int uses_of(const struct ib_net *net, ib_node root, ib_node reader)
{
    const struct ib_graph *g = net->graph;
    int uses = 0;
    for (ib_node j = 0; j < g->n; j++)
        for (int k = 0; k < g->node[j].n_inputs; k++) {
            ib_node from = g->node[j].input[k];
            ib_node of = from < reader ? net->rows[from].root : from;
            uses += of == root && !op_of(&g->node[j])->alias;
        }
    return uses;
}

/* An alias of root that is added after node i may have readers of its own. */
static bool later_alias(const struct ib_net *net, ib_node root, ib_node i)
{
    const struct ib_graph *g = net->graph;
    for (ib_node j = i + 1; j < g->n; j++)
        if (op_of(&g->node[j])->alias && g->node[j].input[0] <= i &&
            net->rows[g->node[j].input[0]].root == root)
            return true;
    return false;
}

static bool kept(const struct ib_net *net, ib_node root, ib_node before)
{
    for (ib_node j = 0; j < before; j++)
        if (net->graph->node[j].kept && net->rows[j].root == root)
            return true;
    return false;
}

/* Whether node i may write its input's gradient over its own. */
static bool shares_gradient(const struct ib_net *net, ib_node i)
{
    const struct ib_graph_node *node = &net->graph->node[i];
    if (!op_of(node)->in_place || node->n_inputs < 1 || node->kept)
        return false;
    ib_node root = net->rows[node->input[0]].root;
    return uses_of(net, root, i) == 1 && !later_alias(net, root, i) &&
           !kept(net, root, i);
}

static bool take_gradient(struct ib_net *net, int i, size_t n)
{
    struct ib_rows *r = &net->rows[i];
    if (shares_gradient(net, i)) {
        struct ib_rows *in = &net->rows[net->graph->node[i].input[0]];
        in = &net->rows[in->root];
        in->lent = true;
        r->gradient = in->gradient;
        r->gradient_root = in->gradient_root;
        return true;
    }
    r->gradient = ib_scratch_take(net->row_memory, n, sizeof(ib_real));
    r->gradient_root = i;
    return r->gradient != NULL;
}

static bool take_node(struct ib_net *net, int i)
{
    const struct ib_graph *g = net->graph;
    const struct ib_graph_node *node = &g->node[i];
    const struct ib_op *op = op_of(node);
    struct ib_scratch *s = net->row_memory;
    struct ib_rows *r = &net->rows[i];
    struct ib_shape in[IB_OP_INPUTS];
    size_t batch = (size_t)net->max_batch;
    size_t n = batch * ib_shape_size(node->shape);
    if (op->alias) {
        *r = net->rows[node->input[0]];
        return true;
    }
    shapes_of(g, node, in);
    r->root = i;
    r->block_max = block_max(node, net->max_batch);
    r->value = ib_scratch_take(s, n, sizeof(ib_real));
    r->saved_row = op->saved ? op->saved(node) : 0;
    r->saved = ib_scratch_take(s, batch, r->saved_row);
    r->partial = net->partials;
    r->sums = net->n_sums;
    r->n_sums = op->sums ? op->sums(node) : 0;
    net->n_sums += r->n_sums;
    if (!op->whole)
        net->partials += node->weights + node->biases;
    size_t shared = op->shared ? op->shared(node, in) : 0;
    if (shared)
        r->shared = ib_scratch_take(s, shared, sizeof(ib_real));
    if (node->config.spectral)
        r->normed = ib_scratch_take(s, 2 * node->weights, sizeof(ib_real));
    return r->value && r->saved && take_gradient(net, i, n) &&
           (!shared || r->shared) && (!node->config.spectral || r->normed);
}

static bool take_rows(struct ib_net *net)
{
    struct ib_scratch *s = net->row_memory;
    size_t nodes = (size_t)net->graph->n, parts = (size_t)net->parts;
    net->rows = ib_scratch_take(s, nodes, sizeof *net->rows);
    net->run = ib_scratch_take(s, nodes, sizeof *net->run);
    net->mark = ib_scratch_take(s, nodes, 1);
    net->wanted = ib_scratch_take(s, nodes, 1);
    net->written = ib_scratch_take(s, nodes, 1);
    if (!net->rows || !net->run || !net->mark || !net->wanted || !net->written)
        return false;
    for (int i = 0; i < net->graph->n; i++)
        if (!take_node(net, i))
            return false;
    /* Parts do not share cache lines. */
    net->partials = (net->partials + 15) / 16 * 16;
    net->n_sums = (net->n_sums + 7) / 8 * 8;
    net->partial = ib_scratch_take(s, parts * net->partials, sizeof(ib_real));
    net->sums = ib_scratch_take(s, parts * net->n_sums, sizeof(double));
    return net->partial && net->sums;
}

static bool take_parameters(struct ib_net *net)
{
    struct ib_scratch *s = net->parameter_memory;
    size_t count = net->graph->parameters;
    net->parameter = ib_scratch_take(s, count, sizeof(ib_real));
    net->gradient = ib_scratch_take(s, count, sizeof(ib_real));
    net->state = ib_scratch_take(s, net->graph->states, sizeof(ib_real));
    return net->parameter && net->gradient && net->state;
}

static enum ib_status allocate(struct ib_net *net, struct ib_error *err)
{
    struct sizes s;
    if (!measure(net->graph, net->max_batch, &s))
        return ib_error_set(err, IB_E_NOMEM,
                            "a net for %d rows needs more memory than can be "
                            "addressed",
                            net->max_batch);
    net->parts = s.parts;
    net->scratch = s.scratch;
    net->parameter_memory = ib_scratch_create(s.parameters);
    net->row_memory = ib_scratch_create(s.rows);
    net->bytes = ib_graph_bytes(net->graph, net->max_batch);
    if (!net->parameter_memory || !net->row_memory || !take_rows(net) ||
        !take_parameters(net))
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for a net of %zu bytes (%d rows)",
                            net->bytes, net->max_batch);
    return ib_net_use_pool(net, NULL, err);
}

enum ib_status ib_net_use_pool(struct ib_net *net, struct ib_pool *pool,
                               struct ib_error *err)
{
    size_t threads = (size_t)ib_pool_threads(pool);
    size_t each = (net->scratch * sizeof(ib_real) + 127) / 64 * 64;
    struct ib_scratch *memory = ib_scratch_create(threads * each);
    if (!memory)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for the scratch of %zu threads",
                            threads);
    for (size_t i = 0; i < threads; i++)
        net->thread_scratch[i] = ib_scratch_take(memory, each, 1);
    ib_scratch_free(net->thread_memory);
    net->thread_memory = memory;
    net->pool = pool;
    return IB_OK;
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
    ib_graph_free(net->graph);
    ib_scratch_free(net->parameter_memory);
    ib_scratch_free(net->row_memory);
    ib_scratch_free(net->thread_memory);
    free(net);
}

/* --- looking in ---------------------------------------------------------- */

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

ib_real *ib_net_parameters(struct ib_net *net)
{
    return net->parameter;
}

ib_real *ib_net_parameter_gradients(struct ib_net *net)
{
    return net->gradient;
}

size_t ib_net_state_count(const struct ib_net *net)
{
    return net->graph->states;
}

ib_real *ib_net_state(struct ib_net *net)
{
    return net->state;
}

void ib_net_parameter_range(const struct ib_net *net, ib_node x, size_t *first,
                            size_t *count)
{
    const struct ib_graph_node *node = &net->graph->node[x];
    *count = node->weights + node->biases;
    *first = *count ? node->first : 0;
}

ib_real *ib_net_value(struct ib_net *net, ib_node x)
{
    return net->rows[x].value;
}

ib_real *ib_net_gradient(struct ib_net *net, ib_node x)
{
    return net->rows[x].gradient;
}

void ib_net_zero_gradients(struct ib_net *net)
{
    memset(net->gradient, 0, net->graph->parameters * sizeof(ib_real));
}

void ib_net_train_range(struct ib_net *net, ib_node first, ib_node last)
{
    net->first = first;
    net->last = last;
}
