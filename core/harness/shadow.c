#include "shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

static const enum ib_split pooled[] = {IB_TRAIN, IB_HOLDOUT};

size_t ib_shadow_pool(const struct ib_dataset *d)
{
    return d->split[IB_TRAIN].n + d->split[IB_HOLDOUT].n;
}

/* index: of the pool's images of one identity, in order; how many. */
static size_t images_of(const struct ib_dataset *d, int identity,
                        uint32_t *index)
{
    size_t n = 0, first = 0;

    for (size_t s = 0; s < IB_COUNT(pooled); s++) {
        const struct ib_images *x = &d->split[pooled[s]];

        for (size_t i = 0; i < x->n; i++)
            if (x->identity[i] == identity)
                index[n++] = (uint32_t)(first + i);
        first += x->n;
    }
    return n;
}

enum ib_status ib_shadow_half(const struct ib_dataset *d, uint64_t seed, int k,
                              uint8_t *in, struct ib_error *err)
{
    size_t pool = ib_shadow_pool(d);
    uint32_t *index = calloc(pool + 1, sizeof(*index));
    int pair = k / 2, side = k % 2;
    char name[32];

    if (!index)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", pool);
    snprintf(name, sizeof(name), "half-%d", pair);
    memset(in, 0, pool);
    for (int identity = 0; identity < d->classes; identity++) {
        size_t n = images_of(d, identity, index);
        size_t first = (n + (size_t)((identity + pair) % 2)) / 2;
        struct ib_rng rng = ib_rng_stream(seed, "shadow", identity, name);

        ib_rng_shuffle(&rng, index, n);
        for (size_t i = side ? first : 0; i < (side ? n : first); i++)
            in[index[i]] = 1;
    }
    free(index);
    return IB_OK;
}

static void copy(const struct ib_dataset *d, const uint8_t *in, int32_t *label,
                 uint8_t *pixels)
{
    size_t size = ib_shape_size(d->shape), at = 0;

    for (size_t s = 0; s < IB_COUNT(pooled); s++) {
        const struct ib_images *x = &d->split[pooled[s]];

        for (size_t i = 0; i < x->n; i++) {
            if (!*in++)
                continue;
            memcpy(pixels + at * size, x->pixels + i * size, size);
            label[at++] = x->identity[i];
        }
    }
}

enum ib_status ib_shadow_images(const struct ib_dataset *d, uint64_t seed,
                                int k, struct ib_images *out, void **owned,
                                struct ib_error *err)
{
    size_t pool = ib_shadow_pool(d), size = ib_shape_size(d->shape), n = 0;
    uint8_t *in = malloc(pool + 1);
    int32_t *label = NULL;
    enum ib_status s =
        in ? ib_shadow_half(d, seed, k, in, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", pool);

    *owned = NULL;
    for (size_t i = 0; !s && i < pool; i++)
        n += in[i];
    if (!s)
        label = malloc(n * (sizeof(*label) + size) + 1);
    if (!s && !label)
        s = ib_error_set(err, IB_E_NOMEM, "no memory for %zu images", n);
    if (!s) {
        copy(d, in, label, (uint8_t *)(label + n));
        *out = (struct ib_images){d->shape, n, (uint8_t *)(label + n), label};
        *owned = label;
    }
    free(in);
    return s;
}
