/* Building nets with a note of every product: what bench_*.c share. */
#ifndef INVBENCH_HARNESS_BENCH_PARTS_H
#define INVBENCH_HARNESS_BENCH_PARTS_H

#include "bench.h"

struct ib_bench_building {
    struct ib_graph *g;
    struct ib_bench_net *b; /* takes the notes */
    ib_node input;
    double forward, first; /* flops of a row: all products; those that read
                              the input */
};

ib_node ib_bench_conv(struct ib_bench_building *x, ib_node from,
                      struct ib_conv c);
ib_node ib_bench_deconv(struct ib_bench_building *x, ib_node from,
                        struct ib_conv c);
ib_node ib_bench_dense(struct ib_bench_building *x, ib_node from, int units);

/* bench_gan.c: both nets, in b->net (the generator) and b->gan. */
IB_CHECK enum ib_status ib_bench_gan_create(struct ib_bench_net *b,
                                            struct ib_error *err);
void ib_bench_gan_free(struct ib_bench_gan *gan);
struct ib_net *ib_bench_gan_critic(struct ib_bench_gan *gan);
/* The input's rows, IB_BENCH_BATCH of them. */
const float *ib_bench_gan_noise(const struct ib_bench_gan *gan);
/* Begins again: no moments. */
void ib_bench_gan_reset(struct ib_bench_net *b);
/* One step of both nets; returns the sum of their losses. */
double ib_bench_gan_step(struct ib_bench_net *b);

#endif
