/*
 * Augmentation: draws, and the order in which a draw's parts are applied.
 */
#include "augment.h"

#include <invbench/math.h>
#include <math.h>
#include <string.h>

struct ib_draw ib_draw_identity(struct ib_shape s)
{
    return (struct ib_draw){.height = s.h,
                            .width = s.w,
                            .cosine = 1,
                            .brightness = 1,
                            .contrast = 1,
                            .saturation = 1};
}

/* --- draws --------------------------------------------------------------- */

static double between(struct ib_rng *rng, double low, double high)
{
    return low + (high - low) * ib_rng_uniform(rng);
}

static int draw_offset(struct ib_rng *rng, int64_t most)
{
    return (int)ib_rng_below(rng, (uint32_t)(2 * most + 1)) - (int)most;
}

static double or_one(double x)
{
    return x > 0 ? x : 1;
}

static void draw_part(const struct ib_augment *a, struct ib_rng *rng,
                      struct ib_draw *draw)
{
    double area = between(rng, a->zoom, or_one(a->zoom_max));
    double ratio = ib_exp(between(rng, ib_log(or_one(a->ratio_min)),
                                  ib_log(or_one(a->ratio_max))));
    double h = draw->height * fmin(1, sqrt(area / ratio));
    double w = draw->width * fmin(1, sqrt(area * ratio));
    draw->top = between(rng, 0, draw->height - h);
    draw->left = between(rng, 0, draw->width - w);
    draw->height = h;
    draw->width = w;
}

static void draw_angle(const struct ib_augment *a, struct ib_rng *rng,
                       struct ib_draw *draw)
{
    double degrees = between(rng, -a->rotation, a->rotation);
    double angle = degrees * (3.141592653589793 / 180);
    draw->cosine = ib_cos(angle);
    draw->sine = ib_sin(angle);
}

static ib_real draw_factor(struct ib_rng *rng, double most)
{
    return (ib_real)fmax(0, between(rng, 1 - most, 1 + most));
}

/* The square's part along one side of n pixels. */
static void draw_cut(struct ib_rng *rng, int n, int64_t side, int *first,
                     int *count)
{
    int64_t from = (int64_t)ib_rng_below(rng, (uint32_t)n) - side / 2;
    int64_t to = from + side < n ? from + side : n;
    *first = from > 0 ? (int)from : 0;
    *count = (int)to - *first;
}

static void draw_places(const struct ib_augment *a, struct ib_rng *rng,
                        struct ib_draw *draw)
{
    if (a->shift > 0) {
        draw->shift_y = draw_offset(rng, a->shift);
        draw->shift_x = draw_offset(rng, a->shift);
    }
    if (a->flip)
        draw->mirror = ib_rng_below(rng, 2) == 1;
    if (a->crop > 0) {
        draw->crop_y = draw_offset(rng, a->crop);
        draw->crop_x = draw_offset(rng, a->crop);
    }
    if (a->zoom > 0)
        draw_part(a, rng, draw);
    if (a->rotation > 0)
        draw_angle(a, rng, draw);
}

static void draw_values(const struct ib_augment *a, struct ib_shape s,
                        struct ib_rng *rng, struct ib_draw *draw)
{
    if (a->brightness > 0)
        draw->brightness = draw_factor(rng, a->brightness);
    if (a->contrast > 0)
        draw->contrast = draw_factor(rng, a->contrast);
    if (a->saturation > 0)
        draw->saturation = draw_factor(rng, a->saturation);
    if (a->cutout > 0) {
        draw_cut(rng, s.h, a->cutout, &draw->cut_top, &draw->cut_height);
        draw_cut(rng, s.w, a->cutout, &draw->cut_left, &draw->cut_width);
    }
    if (a->noise > 0) {
        draw->noise = (ib_real)a->noise;
        draw->rng = ib_rng_stream(ib_rng_u64(rng), "augment", -1, "noise");
    }
}

void ib_augment_draw(const struct ib_augment *a, struct ib_shape s,
                     struct ib_rng *rng, size_t n, struct ib_draw *draw)
{
    for (size_t i = 0; i < n; i++) {
        draw[i] = ib_draw_identity(s);
        draw_places(a, rng, &draw[i]);
        draw_values(a, s, rng, &draw[i]);
    }
}

/* --- a row --------------------------------------------------------------- */

struct scratch {
    ib_real *a, *b; /* D each */
    uint8_t *gate;  /* D */
};

size_t ib_draw_bytes(struct ib_shape s)
{
    return ib_shape_size(s) * (2 * sizeof(ib_real) + 1);
}

static struct scratch split(void *memory, struct ib_shape s)
{
    size_t d = ib_shape_size(s);
    ib_real *a = memory;
    return (struct scratch){a, a + d, (uint8_t *)(a + 2 * d)};
}

/* x and y may be the same array; a is another one. */
static void change_places(const struct ib_draw *draw, struct ib_shape s,
                          const ib_real *x, ib_real *y, ib_real *a)
{
    bool moves = ib_draw_moves(draw), samples = ib_draw_samples(draw, s);
    size_t bytes = ib_shape_size(s) * sizeof *x;
    if (moves && samples) {
        ib_draw_move(draw, s, x, a);
        ib_draw_sample(draw, s, a, y);
        return;
    }
    if (x == y && (moves || samples))
        x = memcpy(a, x, bytes);
    if (moves)
        ib_draw_move(draw, s, x, y);
    else if (samples)
        ib_draw_sample(draw, s, x, y);
    else if (x != y)
        memcpy(y, x, bytes);
}

static void change_places_vjp(const struct ib_draw *draw, struct ib_shape s,
                              const ib_real *dy, ib_real *dx, ib_real *a)
{
    bool moves = ib_draw_moves(draw), samples = ib_draw_samples(draw, s);
    if (moves && samples) {
        ib_draw_sample_vjp(draw, s, dy, a);
        ib_draw_move_vjp(draw, s, a, dx);
    } else if (moves)
        ib_draw_move_vjp(draw, s, dy, dx);
    else if (samples)
        ib_draw_sample_vjp(draw, s, dy, dx);
    else
        memcpy(dx, dy, ib_shape_size(s) * sizeof *dx);
}

static void cut(const struct ib_draw *draw, struct ib_shape s, ib_real *y)
{
    for (int c = 0; c < s.c; c++)
        for (int i = 0; i < draw->cut_height; i++) {
            size_t row = (size_t)c * (size_t)s.h + (size_t)(draw->cut_top + i);
            memset(y + row * (size_t)s.w + draw->cut_left, 0,
                   (size_t)draw->cut_width * sizeof *y);
        }
}

static void add_noise(const struct ib_draw *draw, size_t d, ib_real *y)
{
    enum { CHUNK = 512 };
    ib_real z[CHUNK];
    struct ib_rng rng = draw->rng;
    for (size_t i = 0; i < d; i += CHUNK) {
        size_t m = d - i < CHUNK ? d - i : CHUNK;
        ib_rng_fill_normal(&rng, z, m, draw->noise);
        for (size_t j = 0; j < m; j++)
            y[i + j] += z[j];
    }
}

static void change_values(const struct ib_draw *draw, struct ib_shape s,
                          ib_real *y)
{
    if (ib_draw_colours(draw))
        ib_draw_colour(draw, s, y, NULL);
    if (draw->cut_height > 0 && draw->cut_width > 0)
        cut(draw, s, y);
    if (draw->noise > 0)
        add_noise(draw, ib_shape_size(s), y);
}

void ib_draw_apply(const struct ib_draw *draw, struct ib_shape s,
                   const ib_real *x, ib_real *y, void *scratch)
{
    change_places(draw, s, x, y, split(scratch, s).a);
    change_values(draw, s, y);
}

void ib_draw_load(const struct ib_draw *draw, struct ib_shape s,
                  const uint8_t *pixels, ib_real *y, void *scratch)
{
    struct scratch m = split(scratch, s);
    bool stays = !ib_draw_moves(draw) && !ib_draw_samples(draw, s);
    ib_real *x = stays ? y : m.b;
    for (size_t i = 0; i < ib_shape_size(s); i++)
        x[i] = (ib_real)((float)pixels[i] / 255.0f);
    change_places(draw, s, x, y, m.a);
    change_values(draw, s, y);
}

void ib_draw_vjp(const struct ib_draw *draw, struct ib_shape s,
                 const ib_real *x, const ib_real *dy, ib_real *dx,
                 void *scratch)
{
    struct scratch m = split(scratch, s);
    size_t d = ib_shape_size(s);
    if (ib_draw_colours(draw)) {
        change_places(draw, s, x, m.b, m.a);
        memset(m.gate, 0, d);
        ib_draw_colour(draw, s, m.b, m.gate);
    }
    memcpy(m.b, dy, d * sizeof *dy);
    if (draw->cut_height > 0 && draw->cut_width > 0)
        cut(draw, s, m.b);
    if (ib_draw_colours(draw))
        ib_draw_colour_vjp(draw, s, m.b, m.gate);
    change_places_vjp(draw, s, m.b, dx, m.a);
}
