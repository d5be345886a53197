/* A stretch: nodes of a run that are computed together. Inside the engine. */
#ifndef INVBENCH_NN_STRETCH_H
#define INVBENCH_NN_STRETCH_H

#include "net.h"

/* Nodes first..last (none if first > last), all row-wise, run block by block;
 * forward upwards, backward downwards. net->run describes each for all rows. */
struct ib_stretch {
    struct ib_net *net;
    ib_node first, last;
    ib_node sums; /* whose sums are taken after each block; IB_NONE: none */
    bool backward;
    size_t n, block; /* rows in all; rows of a block (filled in) */
};

/* Runs it, joins what the parts summed (parameter gradients; the sums of
 * `sums`, into net->run[sums].sums). */
void ib_stretch_run(struct ib_stretch *s);
/* Whether node i is computed at all in this run. */
bool ib_net_runs(const struct ib_net *net, ib_node i, bool backward);

#endif
