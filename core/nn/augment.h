/* From 8-bit images to the rows of a batch. */
#ifndef INVBENCH_NN_AUGMENT_H
#define INVBENCH_NN_AUGMENT_H

#include <invbench/images.h>
#include <invbench/rng.h>

struct ib_augment {
    int64_t shift; /* up to so many pixels in each direction */
    bool flip;
};

/* row: D floats in [0, 1]; scratch: D bytes. Draws from rng only what the
 * augmentation needs. */
void ib_augment_row(const struct ib_augment *a, struct ib_shape s,
                    const uint8_t *pixels, struct ib_rng *rng, uint8_t *scratch,
                    ib_real *row);

#endif
