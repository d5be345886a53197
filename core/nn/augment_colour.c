/*
 * The parts of a draw that change colours, each clamped to [0, 1].
 */
#include "augment.h"

#include <invbench/math.h>

enum { BRIGHTNESS = 1, CONTRAST = 2, SATURATION = 4 };

/* What a channel counts in a pixel's grey value (ITU-R BT.601; of other than 3
 * channels, their mean). */
static ib_real grey_share(struct ib_shape s, int channel)
{
    static const ib_real share[] = {0.2989f, 0.587f, 0.114f};
    return s.c == 3 ? share[channel] : 1 / (ib_real)s.c;
}

static size_t plane_of(struct ib_shape s)
{
    return (size_t)s.h * (size_t)s.w;
}

static bool saturates(const struct ib_draw *draw, struct ib_shape s)
{
    return draw->saturation != 1 && s.c == 3;
}

/* gate |= bit where the clamp lets the gradient pass. */
static void clamp(size_t d, ib_real *y, uint8_t *gate, int bit)
{
    for (size_t i = 0; gate && i < d; i++)
        gate[i] |= (uint8_t)(y[i] >= 0 && y[i] <= 1 ? bit : 0);
    for (size_t i = 0; i < d; i++) {
        ib_real low = y[i] < 0 ? 0 : y[i];
        y[i] = low > 1 ? 1 : low;
    }
}

static void mask(size_t d, ib_real *g, const uint8_t *gate, int bit)
{
    for (size_t i = 0; i < d; i++)
        g[i] = gate[i] & bit ? g[i] : 0;
}

static ib_real grey_mean(struct ib_shape s, const ib_real *y)
{
    double mean = 0;
    size_t plane = plane_of(s);
    for (int c = 0; c < s.c; c++)
        mean += (double)grey_share(s, c) * ib_sum(plane, y + (size_t)c * plane);
    return (ib_real)(mean / (double)plane);
}

/* grey + f (y - grey) of each pixel; in the gradient, g_c <- f g_c + (1 - f)
 * share_c sum(g). */
static void saturate(struct ib_shape s, ib_real f, ib_real *y)
{
    size_t n = plane_of(s);
    ib_real a = grey_share(s, 0), b = grey_share(s, 1), c = grey_share(s, 2);
    for (size_t i = 0; i < n; i++) {
        ib_real grey = a * y[i] + b * y[i + n] + c * y[i + 2 * n];
        grey *= 1 - f;
        y[i] = f * y[i] + grey;
        y[i + n] = f * y[i + n] + grey;
        y[i + 2 * n] = f * y[i + 2 * n] + grey;
    }
}

static void saturate_vjp(struct ib_shape s, ib_real f, ib_real *g)
{
    size_t n = plane_of(s);
    ib_real a = grey_share(s, 0), b = grey_share(s, 1), c = grey_share(s, 2);
    for (size_t i = 0; i < n; i++) {
        ib_real sum = (1 - f) * (g[i] + g[i + n] + g[i + 2 * n]);
        g[i] = f * g[i] + a * sum;
        g[i + n] = f * g[i + n] + b * sum;
        g[i + 2 * n] = f * g[i + 2 * n] + c * sum;
    }
}

/* y <- f y + add. */
static void scale_all(size_t d, ib_real f, ib_real add, ib_real *y)
{
    for (size_t i = 0; i < d; i++)
        y[i] = f * y[i] + add;
}

bool ib_draw_colours(const struct ib_draw *draw)
{
    return draw->brightness != 1 || draw->contrast != 1 ||
           draw->saturation != 1;
}

void ib_draw_colour(const struct ib_draw *draw, struct ib_shape s, ib_real *y,
                    uint8_t *gate)
{
    size_t d = ib_shape_size(s);
    if (draw->brightness != 1) {
        scale_all(d, draw->brightness, 0, y);
        clamp(d, y, gate, BRIGHTNESS);
    }
    if (draw->contrast != 1) {
        ib_real rest = (1 - draw->contrast) * grey_mean(s, y);
        scale_all(d, draw->contrast, rest, y);
        clamp(d, y, gate, CONTRAST);
    }
    if (saturates(draw, s)) {
        saturate(s, draw->saturation, y);
        clamp(d, y, gate, SATURATION);
    }
}

void ib_draw_colour_vjp(const struct ib_draw *draw, struct ib_shape s,
                        ib_real *g, const uint8_t *gate)
{
    size_t d = ib_shape_size(s), plane = plane_of(s);
    if (saturates(draw, s)) {
        mask(d, g, gate, SATURATION);
        saturate_vjp(s, draw->saturation, g);
    }
    if (draw->contrast != 1) {
        mask(d, g, gate, CONTRAST);
        double all =
            (1 - (double)draw->contrast) * ib_sum(d, g) / (double)plane;
        for (int c = 0; c < s.c; c++)
            scale_all(plane, draw->contrast,
                      (ib_real)(all * (double)grey_share(s, c)),
                      g + (size_t)c * plane);
    }
    if (draw->brightness != 1) {
        mask(d, g, gate, BRIGHTNESS);
        scale_all(d, draw->brightness, 0, g);
    }
}
