/*
 * The discriminator of a GAN whose layers are divided by their spectral norms
 * (Miyato, Kataoka, Koyama, Yoshida, ICLR 2018), with a projection for classes
 * (Miyato, Koyama, ICLR 2018): D(x, y) = w phi(x) + <e_y, phi(x)>.
 */
#ifndef INVBENCH_PARTS_CRITIC_H
#define INVBENCH_PARTS_CRITIC_H

#include <invbench/ops.h>

struct ib_critic {
    struct ib_shape image;
    int64_t channels, most; /* as in ladder.h */
    int features;           /* numbers of phi */
    int classes;            /* 0: none */
};
/* input: a row of the image in [0, 1], then the class weights; score: one
 * number. NULL: no memory. */
struct ib_graph *ib_critic_build(const struct ib_critic *c, ib_node *input,
                                 ib_node *score);
/* A row's first `size` numbers, and the `classes` after them as a node of their
 * own: *condition, IB_NONE where there are none. */
ib_node ib_critic_split(struct ib_graph *g, ib_node input, int size,
                        int classes, ib_node *condition);

#endif
