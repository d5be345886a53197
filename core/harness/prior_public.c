/* Which public images a prior sees, and which are held out. */
#include <stdlib.h>
#include <string.h>

#include <invbench/rng.h>

#include "prior_process.h"

enum { PART = 5, FRECHET_LEAST = 160, PART_MOST = 3 };

size_t ib_prior_held_out(size_t n)
{
    if (n / PART < FRECHET_LEAST && n / PART_MOST >= FRECHET_LEAST)
        return FRECHET_LEAST;
    return n / PART;
}

static bool take(struct ib_public_parts *p, size_t n, size_t d)
{
    size_t pixels, bytes;

    if (!ib_size_mul(n, d, &pixels) ||
        !ib_size_mul(n, sizeof(int32_t) + sizeof(uint32_t), &bytes) ||
        !ib_size_add(bytes, pixels, &bytes))
        return false;
    p->owned = malloc(bytes + 1);
    return p->owned != NULL;
}

static void add(struct ib_images *to, const struct ib_images *from, size_t i,
                size_t d)
{
    memcpy((uint8_t *)(uintptr_t)to->pixels + to->n * d, from->pixels + i * d,
           d);
    ((int32_t *)(uintptr_t)to->identity)[to->n++] = from->identity[i];
}

enum ib_status ib_public_split(const struct ib_images *images, uint64_t seed,
                               struct ib_public_parts *out,
                               struct ib_error *err)
{
    size_t n = images->n, d = ib_shape_size(images->shape);
    size_t held = ib_prior_held_out(n), seen = n - held;
    struct ib_rng rng = ib_rng_stream(seed, "prior", -1, "held-out");
    uint32_t *order = calloc(n + 1, sizeof(*order));
    bool *is_held = calloc(n + 1, sizeof(*is_held));

    *out = (struct ib_public_parts){0};
    if (!order || !is_held || !take(out, n, d)) {
        free(order);
        free(is_held);
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu public images",
                            n);
    }
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    ib_rng_shuffle(&rng, order, n);
    for (size_t i = 0; i < held; i++)
        is_held[order[i]] = true;
    const int32_t *identity = out->owned;
    uint32_t *index = (uint32_t *)(void *)((int32_t *)out->owned + n);
    const uint8_t *pixels = (const uint8_t *)(index + n);
    out->seen_index = index;
    out->seen = (struct ib_images){images->shape, 0, pixels, identity};
    out->held = (struct ib_images){images->shape, 0, pixels + seen * d,
                                   identity + seen};
    for (size_t i = 0; i < n; i++) {
        if (!is_held[i])
            index[out->seen.n] = (uint32_t)i;
        add(is_held[i] ? &out->held : &out->seen, images, i, d);
    }
    free(order);
    free(is_held);
    return IB_OK;
}

void ib_public_parts_free(struct ib_public_parts *p)
{
    free(p->owned);
    *p = (struct ib_public_parts){0};
}
