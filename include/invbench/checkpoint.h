/*
 * Checkpoints: a long computation names the memory that is its whole state, and
 * goes on from there bit for bit after an interruption. When a checkpoint is
 * due is the harness's business (it knows a clock); whether there are any makes
 * no difference to a result.
 */
#ifndef INVBENCH_CHECKPOINT_H
#define INVBENCH_CHECKPOINT_H

#include <invbench/base.h>

/* Plain memory: no pointers in it. */
struct ib_region {
    void *data;
    size_t size;
};

struct ib_checkpoint {
    void *ctx;
    /* Time to save? Cheap: may be asked at every step. */
    bool (*due)(void *ctx);
    /* Brings the regions back; false, and they are untouched, where there is
     * nothing whole of just these sizes. */
    bool (*load)(void *ctx, const struct ib_region *r, int n);
    void (*save)(void *ctx, const struct ib_region *r, int n);
};

#endif
