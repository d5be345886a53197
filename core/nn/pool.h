/* Threads that share out numbered tasks. What a task computes must not depend
 * on which thread runs it, nor on how many there are. */
#ifndef INVBENCH_NN_POOL_H
#define INVBENCH_NN_POOL_H

#include <invbench/pool.h>

/* task: 0..tasks-1, each once; thread: 0..threads-1, for scratch memory. */
typedef void (*ib_pool_task)(void *ctx, int task, int thread);

/* Runs every task and returns when all are done. The calling thread is thread
 * 0. pool NULL: that one alone. Not to be called from inside a task. */
void ib_pool_run(struct ib_pool *pool, int tasks, ib_pool_task run, void *ctx);

#endif
