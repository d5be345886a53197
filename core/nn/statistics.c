/*
 * Batch-norm statistics: see statistics.h. With M values a channel, d mean / dx
 * = 1 / M and d variance / dx = 2 (x - mean) / M.
 */
#include "norm.h"
#include "plane.h"
#include "pool.h"

#include "net.h"

#include <assert.h>
#include <invbench/math.h>
#include <invbench/statistics.h>
#include <math.h>

int ib_graph_batchnorms(const struct ib_graph *g, ib_node *out, int max)
{
    int count = 0;
    for (ib_node i = 0; i < g->n; i++) {
        if (g->node[i].op != IB_OP_BATCHNORM)
            continue;
        if (count < max)
            out[count] = i;
        count++;
    }
    return count;
}

ib_node ib_graph_source(const struct ib_graph *g, ib_node x)
{
    return g->node[x].n_inputs > 0 ? g->node[x].input[0] : IB_NONE;
}

void ib_graph_keep_statistics(struct ib_graph *g)
{
    for (ib_node i = 0; i < g->n; i++)
        if (g->node[i].op == IB_OP_BATCHNORM)
            ib_graph_keep(g, g->node[i].input[0]);
}

void ib_net_running_statistics(struct ib_net *net, ib_node bn,
                               const ib_real **mean, const ib_real **variance)
{
    const struct ib_graph_node *node = &net->graph->node[bn];
    assert(node->op == IB_OP_BATCHNORM);
    *mean = net->state + net->graph->node[node->owner].first_state;
    *variance = *mean + node->shape.c;
}

/* A batch-norm node and n rows of its source. */
struct batch {
    const struct ib_graph_node *node;
    size_t n, channels, pixels;
    const ib_real *x;
    ib_real *dx;
    struct ib_pool *pool;
};

static struct batch batch_of(const struct ib_net *net, ib_node bn, int n)
{
    const struct ib_graph_node *node = &net->graph->node[bn];
    const struct ib_rows *rows = &net->rows[node->input[0]];
    assert(node->op == IB_OP_BATCHNORM && n >= 1 && n <= net->max_batch);
    return (struct batch){.node = node,
                          .n = (size_t)n,
                          .channels = (size_t)node->shape.c,
                          .pixels =
                              (size_t)node->shape.h * (size_t)node->shape.w,
                          .x = rows->value,
                          .dx = rows->gradient,
                          .pool = net->pool};
}

static size_t plane_at(const struct batch *b, size_t row, size_t channel)
{
    return (row * b->channels + channel) * b->pixels;
}

static void take(const struct batch *b, size_t c, double *mean,
                 double *variance)
{
    double s[2] = {0}, count = (double)b->n * (double)b->pixels;
    size_t step = ib_planes_at_once(b->n, b->pixels);
    for (size_t i = 0; i < b->n; i += step)
        ib_plane_sums(
            (struct ib_planes){step, b->channels * b->pixels, b->pixels},
            b->x + plane_at(b, i, c), s);
    *mean = s[0] / count;
    *variance = s[1] / count - *mean * *mean;
    *variance = *variance < 0 ? 0 : *variance; /* NaN stays */
}

struct taking {
    struct batch b;
    double *mean, *variance;
};

static void take_channel(void *ctx, int c, int thread)
{
    const struct taking *t = ctx;
    (void)thread;
    take(&t->b, (size_t)c, &t->mean[c], &t->variance[c]);
}

void ib_net_batch_statistics(struct ib_net *net, ib_node bn, int n,
                             double *mean, double *variance)
{
    struct taking t = {batch_of(net, bn, n), mean, variance};
    ib_pool_run(t.b.pool, t.b.node->shape.c, take_channel, &t);
}

/* --- the loss
 * ----------------------------------------------------------------- */

struct matching {
    struct batch b;
    const ib_real *running_mean, *running_variance;
    ib_real *mean, *mean_off, *variance_off; /* what is off: batch - running */
    double mean_factor, variance_factor;     /* weight / M / norm */
    bool add;
};

static void compare_channel(void *ctx, int channel, int thread)
{
    const struct matching *m = ctx;
    size_t c = (size_t)channel;
    double mean, variance;
    (void)thread;
    take(&m->b, c, &mean, &variance);
    m->mean[c] = (ib_real)mean;
    m->mean_off[c] = (ib_real)(mean - (double)m->running_mean[c]);
    m->variance_off[c] = (ib_real)(variance - (double)m->running_variance[c]);
}

static void spread_channel(void *ctx, int channel, int thread)
{
    const struct matching *m = ctx;
    const struct batch *b = &m->b;
    size_t c = (size_t)channel;
    const struct ib_slope s = {
        .p = (ib_real)(2 * m->variance_factor * (double)m->variance_off[c]),
        .centre = m->mean[c],
        .q = (ib_real)(m->mean_factor * (double)m->mean_off[c])};
    (void)thread;
    for (size_t i = 0; i < b->n; i++) {
        size_t at = plane_at(b, i, c);
        ib_plane_slope(b->pixels, b->x + at, b->x + at, &s, m->add, b->dx + at);
    }
}

static double norm_of(const struct batch *b, const ib_real *x)
{
    return sqrt(ib_dot(b->channels, x, x));
}

double ib_net_statistics_loss(struct ib_net *net, ib_node bn, int n,
                              double weight, ib_real keep)
{
    struct matching m = {.b = batch_of(net, bn, n), .add = keep != 0};
    const struct batch *b = &m.b;
    ib_real *shared = net->rows[bn].shared;
    double each = weight / ((double)b->n * (double)b->pixels);
    ib_net_running_statistics(net, bn, &m.running_mean, &m.running_variance);
    m.mean = ib_batchnorm_slot(b->node, shared, IB_BN_MEAN);
    m.mean_off = ib_batchnorm_slot(b->node, shared, IB_BN_MEAN_OFF);
    m.variance_off = ib_batchnorm_slot(b->node, shared, IB_BN_VARIANCE_OFF);
    ib_pool_run(b->pool, b->node->shape.c, compare_channel, &m);
    double mean = norm_of(b, m.mean_off), variance = norm_of(b, m.variance_off);
    m.mean_factor = mean != 0 ? each / mean : 0;
    m.variance_factor = variance != 0 ? each / variance : 0;
    ib_pool_run(b->pool, b->node->shape.c, spread_channel, &m);
    return mean + variance;
}
