/*
 * What shadow models learn from. The pool is all images of the private
 * identities: the train split, then holdout. Shadow models come in pairs; the
 * two of a pair share the pool between them, identity by identity, by a draw
 * of the seed's. So every image is learnt by half of them, and a model's
 * images do not depend on how many there are.
 */
#ifndef INVBENCH_HARNESS_SHADOW_H
#define INVBENCH_HARNESS_SHADOW_H

#include "data_io.h"

size_t ib_shadow_pool(const struct ib_dataset *d);
/* in[i], for each image of the pool: does shadow model k learn from it? Of an
 * odd number of images the pair's two take turns, by identity. */
IB_CHECK enum ib_status ib_shadow_half(const struct ib_dataset *d,
                                       uint64_t seed, int k, uint8_t *in,
                                       struct ib_error *err);
/* Those images; *owned is free()'s. */
IB_CHECK enum ib_status ib_shadow_images(const struct ib_dataset *d,
                                         uint64_t seed, int k,
                                         struct ib_images *out, void **owned,
                                         struct ib_error *err);

#endif
