/*
 * What batch norm keeps in its shared memory: arrays of one number a channel,
 * one after the other.
 */
#ifndef INVBENCH_NN_NORM_H
#define INVBENCH_NN_NORM_H

#include "node.h"

enum ib_batchnorm_slot {
    IB_BN_CENTRE,  /* the mean, rounded: y = scale (x - centre) + shift */
    IB_BN_SCALE,   /* gamma / sigma */
    IB_BN_SHIFT,   /* beta + scale * rest */
    IB_BN_REST,    /* centre - mean */
    IB_BN_INVERSE, /* 1 / sigma, sigma^2 = variance + epsilon */
    IB_BN_P,       /* dx = scale dy + p (x - centre) + q */
    IB_BN_Q,
    IB_BN_MEAN, /* statistics.c: of the batch */
    IB_BN_MEAN_OFF,
    IB_BN_VARIANCE_OFF,
    IB_BN_SLOTS,
};

static inline ib_real *ib_batchnorm_slot(const struct ib_graph_node *node,
                                         ib_real *shared,
                                         enum ib_batchnorm_slot slot)
{
    return shared + (size_t)slot * (size_t)node->shape.c;
}

#endif
