/* A tiny data set: each class is a pattern of its own plus noise. */
#ifndef INVBENCH_TESTS_TOY_IMAGES_H
#define INVBENCH_TESTS_TOY_IMAGES_H

#include <invbench/images.h>
#include <invbench/rng.h>

enum { TOY_SIDE = 12, TOY_CLASSES = 4, TOY_MAX = 200 };

struct toy {
    uint8_t pixels[TOY_MAX * TOY_SIDE * TOY_SIDE];
    int32_t identity[TOY_MAX];
    struct ib_images images;
};

static inline void toy_make(struct toy *t, size_t n, uint64_t seed)
{
    enum { D = TOY_SIDE * TOY_SIDE };
    struct ib_rng noise = ib_rng_stream(seed, "toy", -1, "noise");
    for (size_t i = 0; i < n; i++) {
        t->identity[i] = (int32_t)(i % TOY_CLASSES);
        struct ib_rng face = ib_rng_stream(1, "toy", t->identity[i], "pattern");
        for (size_t j = 0; j < D; j++)
            t->pixels[i * D + j] =
                (uint8_t)(ib_rng_below(&face, 150) + ib_rng_below(&noise, 105));
    }
    t->images = (struct ib_images){.shape = {1, TOY_SIDE, TOY_SIDE},
                                   .n = n,
                                   .pixels = t->pixels,
                                   .identity = t->identity};
}

#endif
