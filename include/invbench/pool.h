/*
 * Threads for the numeric engine: give one to ib_net_use_pool.
 */
#ifndef INVBENCH_POOL_H
#define INVBENCH_POOL_H

#include <invbench/base.h>

enum { IB_THREADS_MAX = 64 };

struct ib_pool;
/* threads: 1..IB_THREADS_MAX, the calling one included. */
IB_CHECK enum ib_status ib_pool_create(struct ib_pool **out, int threads,
                                       struct ib_error *err);
void ib_pool_free(struct ib_pool *pool);
int ib_pool_threads(const struct ib_pool *pool); /* NULL: 1 */

#endif
