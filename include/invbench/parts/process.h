/*
 * The paper's PROCESS for autoencoders (Fredrikson et al. 2015, Algorithm 2):
 * non-local means, then sharpening, between decoding and encoding. The paper
 * states no parameters; the defaults are invbench's.
 *
 * Images are planar, every channel by itself, values in [0, 1].
 */
#ifndef INVBENCH_PARTS_PROCESS_H
#define INVBENCH_PARTS_PROCESS_H

#include <invbench/base.h>

/* Buades, Coll, Morel, "A non-local algorithm for image denoising", CVPR 2005.
 * Patches are compared by their mean squared difference (edge pixels are
 * repeated); the search window ends at the image's edge; a pixel's weight for
 * itself is 1. */
struct ib_nlmeans {
    int patch;  /* radius of a patch, >= 0: 1 stands for 3 x 3 */
    int search; /* radius of the search window, >= 0 */
    double h;   /* filtering strength, > 0, in units of the values */
};

/* Floats of work memory that ib_nlmeans_apply() needs; 0: too large. */
size_t ib_nlmeans_work(struct ib_shape s, const struct ib_nlmeans *p);
/* y may not be x. */
void ib_nlmeans_apply(float *y, const float *x, struct ib_shape s,
                      const struct ib_nlmeans *p, float *work);

/* Unsharp mask: y = x + amount * (x - mean of 3 x 3), clamped to [0, 1]; edge
 * pixels are repeated; y may not be x. */
void ib_sharpen(float *y, const float *x, struct ib_shape s, double amount);

#endif
