/* What is ready to be computed, the longest way to the end first. */
#ifndef INVBENCH_HARNESS_RUN_QUEUE_H
#define INVBENCH_HARNESS_RUN_QUEUE_H

#include "timings.h"

struct ib_queue {
    struct ib_plan *plan;
    struct ib_timings *timings;
    int *class;        /* per node: of timings */
    int *first, *next; /* dependants: next[first[n]..first[n + 1]) */
    int *missing;      /* per node: inputs that are not there yet */
    double *path;      /* per node: seconds from its start to the last end */
    uint8_t *state;    /* per node: enum below */
    uint8_t *tries;    /* per node: how often its input had to be remade */
    int *heap;
    size_t n_heap, n_open; /* n_open: wanted and not over */
};
enum { IB_Q_IDLE, IB_Q_READY, IB_Q_RUNNING, IB_Q_OVER, IB_Q_UNWANTED };

/* want: per node, NULL: all. Nodes that are cached count as over. */
IB_CHECK enum ib_status ib_queue_create(struct ib_queue **out,
                                        struct ib_plan *plan,
                                        struct ib_timings *timings,
                                        const bool *want, struct ib_error *err);
void ib_queue_free(struct ib_queue *q);
/* Estimated seconds of work in what is wanted and not over. */
double ib_queue_seconds(const struct ib_queue *q);
/* The next chain: a node, and dependants that wait for nothing else. Returns
 * its length; 0: nothing is ready. They are running from then on. */
int ib_queue_take(struct ib_queue *q, int *chain, int max);
/* A node of a chain whose turn never came: ready again. */
void ib_queue_put_back(struct ib_queue *q, int node);
/* A node is over (outcome and reason are set). Dependants of a failure are
 * blocked by name, those of what does not apply do not apply either; each node
 * that ends so is handed to over(). */
typedef void (*ib_queue_over)(void *ctx, int node);
void ib_queue_finish(struct ib_queue *q, int node, ib_queue_over over,
                     void *ctx);
/* After the last node is over: what hangs on several failures names the first
 * of them among its inputs, whichever came first in time. */
void ib_queue_settle(struct ib_queue *q);
/* When an input went missing (a corrupt artifact was moved away), all inputs
 * are checked, what is not whole is open again, and the node waits for it.
 * False: none is missing, or this was tried too often already. */
bool ib_queue_revive(struct ib_queue *q, int node, struct ib_store *store);

#endif
