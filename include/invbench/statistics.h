/*
 * Batch-norm statistics, for attacks that match them.
 *
 * A batch-norm node remembers the mean and variance, per channel, of what it
 * was trained on. Those of any batch are taken at the node's source: the node
 * it reads. With the graph's sources kept (ib_graph_keep_statistics), a loss
 * on them joins a backward run by naming the source in ib_forward.also.
 */
#ifndef INVBENCH_STATISTICS_H
#define INVBENCH_STATISTICS_H

#include <invbench/graph.h>

/* The batch-norm nodes in order: at most max into out. Returns how many there
 * are. */
int ib_graph_batchnorms(const struct ib_graph *g, ib_node *out, int max);
/* What node x reads first; IB_NONE for an input node. */
ib_node ib_graph_source(const struct ib_graph *g, ib_node x);
/* ib_graph_keep for the source of every batch norm. */
void ib_graph_keep_statistics(struct ib_graph *g);

/* bn: a batch-norm node of C channels. Pointers into the net's state: C. */
void ib_net_running_statistics(struct ib_net *net, ib_node bn,
                               const ib_real **mean, const ib_real **variance);
/* After a forward run of n rows, training or not: mean and biased variance of
 * bn's source over rows and pixels. mean, variance: C. */
void ib_net_batch_statistics(struct ib_net *net, ib_node bn, int n,
                             double *mean, double *variance);
/* ||mean - running mean||_2 + ||variance - running variance||_2 over the
 * channels of bn, mean and variance those of a forward run of n rows (one
 * layer of Yin et al., CVPR 2020, eq. 4). The gradient of its source becomes
 * keep * gradient + weight * d loss / d source; 0 where a norm is 0. */
double ib_net_statistics_loss(struct ib_net *net, ib_node bn, int n,
                              double weight, ib_real keep);

#endif
