/*
 * Augmentation: a random shift in which the edge pixels are repeated, and a
 * random mirror image.
 */
#include "augment.h"

struct move {
    int dy, dx;
    bool mirror;
};

static int clamp(int v, int n)
{
    return v < 0 ? 0 : v >= n ? n - 1 : v;
}

static void move_plane(const struct move *m, int h, int w, const uint8_t *from,
                       uint8_t *to)
{
    for (int y = 0; y < h; y++) {
        const uint8_t *row = from + (ptrdiff_t)clamp(y - m->dy, h) * w;
        for (int x = 0; x < w; x++) {
            int sx = clamp(x - m->dx, w);
            *to++ = row[m->mirror ? w - 1 - sx : sx];
        }
    }
}

static int draw_shift(struct ib_rng *rng, int64_t shift)
{
    return (int)ib_rng_below(rng, (uint32_t)(2 * shift + 1)) - (int)shift;
}

void ib_augment_row(const struct ib_augment *a, struct ib_shape s,
                    const uint8_t *pixels, struct ib_rng *rng, uint8_t *scratch,
                    ib_real *row)
{
    struct move m = {0};
    size_t plane = (size_t)s.h * (size_t)s.w;
    if (a->shift > 0) {
        m.dy = draw_shift(rng, a->shift);
        m.dx = draw_shift(rng, a->shift);
    }
    if (a->flip)
        m.mirror = ib_rng_below(rng, 2) == 1;
    if (m.dy || m.dx || m.mirror) {
        for (size_t c = 0; c < (size_t)s.c; c++)
            move_plane(&m, s.h, s.w, pixels + c * plane, scratch + c * plane);
        pixels = scratch;
    }
    ib_image_to_float(pixels, ib_shape_size(s), row);
}
