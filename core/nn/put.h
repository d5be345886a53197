/*
 * The loops that most backward passes end in: dx = v, or dx += v where the
 * input has other readers. dx may be the very array that v is read from.
 */
#ifndef INVBENCH_NN_PUT_H
#define INVBENCH_NN_PUT_H

#include "node.h"

#include <string.h>

enum { IB_CHUNK = 256 }; /* numbers of a buffer on the stack */

static inline size_t ib_chunk(size_t n, size_t at)
{
    return n - at < IB_CHUNK ? n - at : IB_CHUNK;
}

static inline void ib_put(size_t n, const ib_real *v, ib_real *dx, bool add)
{
    if (!add) {
        if (v != dx)
            memcpy(dx, v, n * sizeof *dx);
        return;
    }
    IB_SAME_INDEX
    for (size_t i = 0; i < n; i++)
        dx[i] += v[i];
}

/* a * v[i] */
static inline void ib_put_scaled(size_t n, ib_real a, const ib_real *v,
                                 ib_real *dx, bool add)
{
    if (add) {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] += a * v[i];
    } else {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] = a * v[i];
    }
}

/* u[i] * v[i] */
static inline void ib_put_product(size_t n, const ib_real *u, const ib_real *v,
                                  ib_real *dx, bool add)
{
    if (add) {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] += u[i] * v[i];
    } else {
        IB_SAME_INDEX
        for (size_t i = 0; i < n; i++)
            dx[i] = u[i] * v[i];
    }
}

/* The same number everywhere. */
static inline void ib_put_one(size_t n, ib_real v, ib_real *dx, bool add)
{
    if (add)
        for (size_t i = 0; i < n; i++)
            dx[i] += v;
    else
        for (size_t i = 0; i < n; i++)
            dx[i] = v;
}

/* Before gradients are scattered into dx[0]. */
static inline void ib_put_nothing(const struct ib_op_run *r)
{
    if (!r->add[0])
        memset(r->dx[0], 0, r->n * ib_shape_size(r->in[0]) * sizeof(ib_real));
}

#endif
