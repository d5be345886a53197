/*
 * Runs over a net: which nodes, what each op is to read and write, and the
 * stretches that they are cut into (node.h).
 */
#include "spectral.h"
#include "stretch.h"

#include <assert.h>
#include <string.h>

/* --- which nodes --------------------------------------------------------- */

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
    assert(from == IB_NONE || mark[from]);
    for (ib_node i = 0; i <= to; i++)
        if (i == from || g->node[i].op == IB_OP_INPUT)
            mark[i] = 0;
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
    if (wrt & IB_WRT_INPUT && f->from != IB_NONE)
        net->wanted[f->from] = 1;
    for (ib_node i = 0; i <= f->to; i++) {
        if (wrt & IB_WRT_INPUT && f->from == IB_NONE &&
            g->node[i].op == IB_OP_INPUT)
            net->wanted[i] = 1;
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

/* --- what each op reads and writes, for all rows ------------------------- */

static void describe(struct ib_net *net, ib_node i, const struct ib_forward *f)
{
    const struct ib_graph *g = net->graph;
    const struct ib_graph_node *node = &g->node[i];
    const struct ib_rows *rows = &net->rows[i];
    struct ib_op_run *r = &net->run[i];
    *r = (struct ib_op_run){.node = node,
                            .n = (size_t)f->n,
                            .keep = 1,
                            .y = rows->value,
                            .dy = rows->gradient,
                            .saved = rows->saved,
                            .shared = rows->shared,
                            .state =
                                net->state + g->node[node->owner].first_state,
                            .sums = net->sums + rows->sums,
                            .w = net->parameter + node->first,
                            .training = f->rng != NULL,
                            .rng = f->rng,
                            .pool = net->pool};
    r->b = r->w + node->weights;
    if (rows->normed)
        r->w = rows->normed;
    for (int k = 0; k < node->n_inputs; k++) {
        r->in[k] = g->node[node->input[k]].shape;
        r->x[k] = net->rows[node->input[k]].value;
    }
}

/* The gradients that the node is to write; called from the last node down. */
static void describe_backward(struct ib_net *net, ib_node i, ib_node to,
                              int wrt)
{
    const struct ib_graph_node *node = &net->graph->node[i];
    struct ib_op_run *r = &net->run[i];
    if (trains(net, i, wrt)) {
        r->dw = net->gradient + node->first;
        r->db = r->dw + node->weights;
        bool fresh = wrt & IB_WRT_OVERWRITE && writes_first(net, i, to);
        r->keep = fresh ? 0 : 1;
    }
    for (int k = 0; k < node->n_inputs; k++) {
        const struct ib_rows *in = &net->rows[node->input[k]];
        if (!net->wanted[node->input[k]])
            continue;
        r->dx[k] = in->gradient;
        bool own = in->gradient_root == net->rows[i].gradient_root;
        r->add[k] = !own && net->written[in->root];
        net->written[in->root] = 1;
    }
}

/* --- forward ------------------------------------------------------------- */

static void prepare(struct ib_net *net, ib_node i)
{
    const struct ib_op *op = ib_net_op(net, i);
    const struct ib_op_run *r = &net->run[i];
    if (net->rows[i].normed)
        ib_spectral_normalise(r->node, net->parameter + r->node->first,
                              r->state, r->training && r->node->owner == i,
                              net->rows[i].normed);
    if (op->prepare)
        op->prepare(r);
}

/* Whether the node needs its sums before it can be run. */
static bool sums_forward(const struct ib_net *net, ib_node i)
{
    return net->run[i].training && ib_net_op(net, i)->forward_sums;
}

static void forward_stretch(struct ib_net *net, const struct ib_forward *f,
                            ib_node first, ib_node end)
{
    struct ib_stretch s = {.net = net,
                           .first = first,
                           .last = end - 1,
                           .sums = IB_NONE,
                           .n = (size_t)f->n};
    bool sums =
        end <= f->to && ib_net_runs(net, end, false) && sums_forward(net, end);
    if (sums)
        s.sums = end;
    if (first < end || sums)
        ib_stretch_run(&s);
    if (sums)
        ib_net_op(net, end)->forward_join(&net->run[end]);
}

void ib_net_forward(struct ib_net *net, const struct ib_forward *f)
{
    assert(f->n >= 1 && f->n <= net->max_batch);
    ib_net_path(net, f->from, f->to, net->mark);
    for (ib_node i = 0; i <= f->to; i++)
        if (ib_net_runs(net, i, false)) {
            describe(net, i, f);
            prepare(net, i);
        }
    ib_node first = 0; /* of the stretch that is being gathered */
    for (ib_node i = 0; i <= f->to; i++) {
        if (!ib_net_runs(net, i, false))
            continue;
        bool whole = ib_net_op(net, i)->whole;
        if (!whole && !sums_forward(net, i))
            continue;
        forward_stretch(net, f, first, i);
        if (whole)
            ib_net_op(net, i)->forward(&net->run[i]);
        first = whole ? i + 1 : i;
    }
    forward_stretch(net, f, first, f->to + 1);
}

/* --- backward ------------------------------------------------------------ */

static bool sums_backward(const struct ib_net *net, ib_node i)
{
    const struct ib_op_run *r = &net->run[i];
    return ib_net_op(net, i)->backward_sums && (r->training || r->dw);
}

/* Nodes begin..last, downwards, then the sums of the node below. */
static void backward_stretch(struct ib_net *net, const struct ib_forward *f,
                             ib_node begin, ib_node last, ib_node below)
{
    struct ib_stretch s = {.net = net,
                           .first = begin,
                           .last = last,
                           .sums = below,
                           .backward = true,
                           .n = (size_t)f->n};
    if (begin <= last || below != IB_NONE)
        ib_stretch_run(&s);
    if (below != IB_NONE)
        ib_net_op(net, below)->backward_join(&net->run[below]);
}

static void whole_backward(struct ib_net *net, ib_node i)
{
    struct ib_op_run r = net->run[i];
    const struct ib_op *op = ib_net_op(net, i);
    ib_real *normed = net->rows[i].normed;
    ib_real *dw = r.dw, keep = r.keep;
    if (net->norm2 && r.dw) {
        op->norms(&r, net->norm2);
        r.dw = r.db = NULL;
    }
    if (normed && r.dw) {
        r.dw = normed + r.node->weights;
        memset(r.dw, 0, r.node->weights * sizeof *r.dw);
    }
    op->backward(&r);
    if (normed && r.dw)
        ib_spectral_backward(r.node, net->parameter + r.node->first, r.state,
                             r.dw, dw, keep);
}

static void begin_backward(struct ib_net *net, const struct ib_forward *f,
                           int wrt)
{
    ib_net_path(net, f->from, f->to, net->mark);
    mark_wanted(net, f, wrt);
    memset(net->written, 0, (size_t)net->graph->n);
    net->written[net->rows[f->to].root] = 1;
    for (int i = 0; i < f->n_also; i++) {
        const struct ib_rows *rows = &net->rows[f->also[i]];
        assert(rows->gradient_root == rows->root &&
               !net->rows[rows->root].lent);
        net->written[rows->root] = 1;
    }
    for (ib_node i = f->to; i >= 0; i--)
        if (ib_net_runs(net, i, true)) {
            describe(net, i, f);
            describe_backward(net, i, f->to, wrt);
            if (ib_net_op(net, i)->prepare_backward)
                ib_net_op(net, i)->prepare_backward(&net->run[i]);
        }
}

void ib_net_backward(struct ib_net *net, const struct ib_forward *f, int wrt)
{
    assert(f->n >= 1 && f->n <= net->max_batch);
    begin_backward(net, f, wrt);
    ib_node last = f->to; /* of the stretch that is being gathered */
    for (ib_node i = f->to; i >= 0; i--) {
        if (!ib_net_runs(net, i, true))
            continue;
        bool whole = ib_net_op(net, i)->whole;
        if (!whole && !sums_backward(net, i))
            continue;
        backward_stretch(net, f, i + 1, last, whole ? IB_NONE : i);
        if (whole)
            whole_backward(net, i);
        last = whole ? i - 1 : i;
    }
    backward_stretch(net, f, 0, last, IB_NONE);
}

/* --- each row's own gradient ---------------------------------------------- */

static enum ib_status can_norm(const struct ib_net *net, ib_node to,
                               struct ib_error *err)
{
    for (ib_node i = 0; i <= to; i++) {
        const struct ib_graph_node *node = &net->graph->node[i];
        const struct ib_op *op = ib_net_op(net, i);
        if (!net->mark[i])
            continue;
        if (op->batch)
            return ib_error_set(err, IB_E_USAGE,
                                "rows have no gradients of their own: layer "
                                "'%s' (%s) mixes the rows of a batch",
                                node->name, op->name);
        if (trains(net, i, IB_WRT_PARAMETERS) &&
            (!op->norms || node->config.spectral || node->owner != i))
            return ib_error_set(err, IB_E_USAGE,
                                "no per-row gradient norms for layer '%s' "
                                "(%s%s)",
                                node->name, op->name,
                                node->config.spectral ? ", spectral norm"
                                : node->owner != i    ? ", shared weights"
                                                      : "");
    }
    return IB_OK;
}

enum ib_status ib_net_row_norms(struct ib_net *net, const struct ib_forward *f,
                                double *norm2, struct ib_error *err)
{
    ib_net_path(net, f->from, f->to, net->mark);
    enum ib_status s = can_norm(net, f->to, err);
    if (s != IB_OK)
        return s;
    memset(norm2, 0, (size_t)f->n * sizeof *norm2);
    net->norm2 = norm2;
    ib_net_backward(net, f, IB_WRT_PARAMETERS);
    net->norm2 = NULL;
    return IB_OK;
}
