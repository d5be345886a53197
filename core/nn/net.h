/* A net's memory, shared by net.c (who lays it out) and run.c (who uses it). */
#ifndef INVBENCH_NN_NET_H
#define INVBENCH_NN_NET_H

#include "node.h"

#include <invbench/pool.h>

/* One a node. */
struct ib_rows {
    ib_real *value, *gradient;
    uint8_t *saved; /* max_batch x saved_row bytes */
    size_t saved_row;
    ib_real *shared;     /* what prepare leaves; NULL: none */
    ib_real *normed;     /* spectral: W / sigma, then its gradient */
    size_t partial;      /* where a part's own gradients of parameters start */
    size_t sums, n_sums; /* the same for sums */
    int block_max;       /* rows that a block of it may have */
    ib_node root;        /* whose value it shows (itself unless alias) */
    ib_node gradient_root; /* the same for the gradient */
    bool lent;             /* its consumer uses its gradient for its own */
};

struct ib_net {
    struct ib_graph *graph;
    int max_batch, parts;
    struct ib_scratch *parameter_memory, *row_memory, *thread_memory;
    ib_real *parameter, *gradient, *state;
    struct ib_rows *rows;
    struct ib_op_run *run; /* one a node: of this run, for all rows */
    uint8_t *mark;         /* one a node: on the path of this run */
    uint8_t *wanted;       /* its gradient is needed */
    uint8_t *written;      /* its gradient holds a first contribution */
    ib_real *partial;      /* parts x partials */
    double *sums;          /* parts x n_sums */
    size_t partials, n_sums;
    size_t scratch; /* numbers a thread needs */
    ib_real *thread_scratch[IB_THREADS_MAX];
    struct ib_pool *pool;
    double *norm2;       /* of this run; NULL: not wanted */
    ib_node first, last; /* whose parameters are trained */
    size_t bytes;
};

static inline const struct ib_op *ib_net_op(const struct ib_net *net, ib_node i)
{
    return ib_ops[net->graph->node[i].op];
}

/* Rows of a block, given what its ops hand on for one row. Blocks of about
 * half of a second-level cache. */
int ib_block_rows(size_t row_bytes);

#endif
