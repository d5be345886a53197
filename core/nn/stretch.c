/*
 * A stretch of a run, block by block: see node.h.
 */
#include "stretch.h"

#include "pool.h"
#include "spectral.h"

#include <string.h>

bool ib_net_runs(const struct ib_net *net, ib_node i, bool backward)
{
    return net->mark[i] && !ib_net_op(net, i)->alias &&
           (!backward || net->wanted[i]);
}

/* --- a block ------------------------------------------------------------- */

static struct ib_op_run rows_of(const struct ib_net *net, ib_node i,
                                size_t from, size_t n)
{
    struct ib_op_run r = net->run[i];
    r.n = n;
    r.first_row = from;
    r.rng = NULL;
    r.pool = NULL;
    r.y = ib_op_row(r.y, from, r.node->shape);
    r.dy += from * ib_shape_size(r.node->shape);
    r.saved = net->rows[i].saved + from * net->rows[i].saved_row;
    for (int k = 0; k < r.node->n_inputs; k++) {
        r.x[k] += from * ib_shape_size(r.in[k]);
        r.dx[k] = ib_op_row(r.dx[k], from, r.in[k]);
    }
    return r;
}

/* This part's own sums of parameter gradients instead of the net's. */
static void to_partial(const struct ib_net *net, struct ib_op_run *r, ib_node i,
                       int part, bool first_block)
{
    if (!r->dw)
        return;
    r->dw = net->partial + (size_t)part * net->partials + net->rows[i].partial;
    r->db = r->dw + r->node->weights;
    r->keep = first_block ? 0 : 1;
}

static void run_op(const struct ib_stretch *s, struct ib_op_run *r,
                   const struct ib_op *op)
{
    double *norm2 = s->net->norm2;
    if (!s->backward) {
        op->forward(r);
        return;
    }
    if (norm2 && r->dw) {
        op->norms(r, norm2 + r->first_row);
        r->dw = r->db = NULL;
    }
    if (r->dw || r->dx[0] || r->dx[1] || r->dx[2] || r->dx[3])
        op->backward(r);
}

static void take_sums(const struct ib_stretch *s, int part, size_t from,
                      size_t n)
{
    const struct ib_net *net = s->net;
    const struct ib_op *op = ib_net_op(net, s->sums);
    struct ib_op_run r = rows_of(net, s->sums, from, n);
    r.sums += (size_t)part * net->n_sums;
    if (s->backward)
        op->backward_sums(&r);
    else
        op->forward_sums(&r);
}

struct block {
    int part, thread;
    size_t from, n;
    bool first;
};

static void run_block(const struct ib_stretch *s, const struct block *b)
{
    struct ib_net *net = s->net;
    for (ib_node k = s->first; k <= s->last; k++) {
        ib_node i = s->backward ? s->last - (k - s->first) : k;
        if (!ib_net_runs(net, i, s->backward))
            continue;
        struct ib_op_run r = rows_of(net, i, b->from, b->n);
        r.scratch = net->thread_scratch[b->thread];
        if (!ib_net_op(net, i)->sums)
            to_partial(net, &r, i, b->part, b->first);
        else
            r.dw = r.db = NULL;
        run_op(s, &r, ib_net_op(net, i));
    }
    if (s->sums != IB_NONE)
        take_sums(s, b->part, b->from, b->n);
}

static void run_part(void *ctx, int part, int thread)
{
    const struct ib_stretch *s = ctx;
    size_t parts = (size_t)s->net->parts, p = (size_t)part;
    size_t begin = p * s->n / parts, end = (p + 1) * s->n / parts;
    for (size_t at = begin; at < end; at += s->block)
        run_block(
            s, &(struct block){.part = part,
                               .thread = thread,
                               .from = at,
                               .n = end - at < s->block ? end - at : s->block,
                               .first = at == begin});
}

/* As many rows as every op of the stretch, and all of them together, allow. */
static size_t block_of(const struct ib_net *net, const struct ib_stretch *s)
{
    size_t bytes = 0;
    int most = net->max_batch;
    for (ib_node i = s->first; i <= s->last; i++) {
        if (!ib_net_runs(net, i, s->backward))
            continue;
        bytes += ib_shape_size(net->graph->node[i].shape) * sizeof(ib_real);
        if (net->rows[i].block_max < most)
            most = net->rows[i].block_max;
    }
    int rows = ib_block_rows(bytes);
    return (size_t)(rows < most ? rows : most);
}

/* --- joining what parts have summed -------------------------------------- */

struct join {
    const struct ib_net *net;
    size_t first; /* in a part's partials */
    ib_real *out;
    ib_real keep;
    size_t count, n; /* numbers; rows of the run */
};

enum { JOIN = 16 * 1024 }; /* numbers of one task */

static bool part_has_rows(const struct ib_net *net, size_t part, size_t n)
{
    size_t parts = (size_t)net->parts;
    return part * n / parts < (part + 1) * n / parts;
}

static void join_slice(void *ctx, int task, int thread)
{
    const struct join *j = ctx;
    const struct ib_net *net = j->net;
    size_t from = (size_t)task * JOIN;
    size_t n = j->count - from < JOIN ? j->count - from : JOIN;
    ib_real *restrict out = j->out + from;
    (void)thread;
    if (j->keep == 0)
        memset(out, 0, n * sizeof *out);
    for (size_t part = 0; part < (size_t)net->parts; part++) {
        const ib_real *restrict own =
            net->partial + part * net->partials + j->first + from;
        if (!part_has_rows(net, part, j->n))
            continue;
        for (size_t i = 0; i < n; i++)
            out[i] += own[i];
    }
}

static void join(struct join j)
{
    ib_pool_run(j.net->pool, (int)((j.count + JOIN - 1) / JOIN), join_slice,
                &j);
}

static void join_partials(const struct ib_stretch *s, ib_node i)
{
    const struct ib_net *net = s->net;
    const struct ib_op_run *r = &net->run[i];
    size_t first = net->rows[i].partial, weights = r->node->weights;
    ib_real *normed = net->rows[i].normed;
    if (!normed) {
        join((struct join){net, first, r->dw, r->keep,
                           weights + r->node->biases, s->n});
        return;
    }
    ib_real *d = normed + weights;
    join((struct join){net, first, d, 0, weights, s->n});
    join((struct join){net, first + weights, r->db, r->keep, r->node->biases,
                       s->n});
    ib_spectral_backward(r->node, net->parameter + r->node->first, r->state, d,
                         r->dw, r->keep);
}

static void join_sums(const struct ib_stretch *s)
{
    struct ib_net *net = s->net;
    double *first = net->run[s->sums].sums;
    for (size_t part = 1; part < (size_t)net->parts; part++) {
        const double *own = first + part * net->n_sums;
        for (size_t i = 0; i < net->rows[s->sums].n_sums; i++)
            first[i] += own[i];
    }
}

static void clear_sums(const struct ib_stretch *s)
{
    struct ib_net *net = s->net;
    for (size_t part = 0; part < (size_t)net->parts; part++)
        memset(net->run[s->sums].sums + part * net->n_sums, 0,
               net->rows[s->sums].n_sums * sizeof(double));
}

void ib_stretch_run(struct ib_stretch *s)
{
    struct ib_net *net = s->net;
    s->block = block_of(net, s);
    if (s->sums != IB_NONE)
        clear_sums(s);
    ib_pool_run(net->pool, net->parts, run_part, s);
    if (s->sums != IB_NONE)
        join_sums(s);
    for (ib_node i = s->last; s->backward && !net->norm2 && i >= s->first; i--)
        if (ib_net_runs(net, i, true) && net->run[i].dw &&
            !ib_net_op(net, i)->sums)
            join_partials(s, i);
}
