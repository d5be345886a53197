/*
 * Total variation of images.
 */
#include <invbench/losses.h>
#include <invbench/math.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 64 };

#ifdef IB_DOUBLE
#define ROOT sqrt
#else
#define ROOT sqrtf
#endif

/* The differences of up to BLOCK pixels of one row; then, in their place, the
 * slopes by them. */
struct differences {
    ib_real x[BLOCK], y[BLOCK], value[BLOCK];
};

static ib_real sign(ib_real v)
{
    return (ib_real)((v > 0) - (v < 0));
}

static void absolute(size_t m, struct differences *d)
{
    for (size_t j = 0; j < m; j++) {
        ib_real a = d->x[j], b = d->y[j];
        d->x[j] = sign(a);
        d->y[j] = sign(b);
        d->value[j] = d->x[j] * a + d->y[j] * b;
    }
}

static void square(size_t m, struct differences *d)
{
    for (size_t j = 0; j < m; j++) {
        d->value[j] = d->x[j] * d->x[j] + d->y[j] * d->y[j];
        d->x[j] *= 2;
        d->y[j] *= 2;
    }
}

/* sqrt(s + e^2) - e = s / (sqrt(s + e^2) + e), which does not cancel. */
static void smooth(size_t m, ib_real epsilon, struct differences *d)
{
    for (size_t j = 0; j < m; j++) {
        ib_real s = d->x[j] * d->x[j] + d->y[j] * d->y[j];
        ib_real root = ROOT(s + epsilon * epsilon);
        d->value[j] = s / (root + epsilon);
        d->x[j] /= root;
        d->y[j] /= root;
    }
}

/* m pixels from x on; wide, high: how many of them have a right neighbour, a
 * lower one (0 or all). */
struct stripe {
    const ib_real *x;
    ib_real *gradient; /* of these pixels; NULL: not wanted */
    size_t w, m, wide, high;
};

static void take(const struct stripe *s, struct differences *d)
{
    for (size_t j = 0; j < s->m; j++)
        d->x[j] = d->y[j] = 0;
    for (size_t j = 0; j < s->wide; j++)
        d->x[j] = s->x[j + 1] - s->x[j];
    for (size_t j = 0; j < s->high; j++)
        d->y[j] = s->x[j + s->w] - s->x[j];
}

static void give(const struct stripe *s, const struct differences *d,
                 ib_real share)
{
    for (size_t j = 0; j < s->m; j++)
        s->gradient[j] -= share * (d->x[j] + d->y[j]);
    for (size_t j = 0; j < s->wide; j++)
        s->gradient[j + 1] += share * d->x[j];
    for (size_t j = 0; j < s->high; j++)
        s->gradient[j + s->w] += share * d->y[j];
}

struct variation {
    enum ib_variation form;
    ib_real epsilon, share;
    size_t h, w;
};

static double of_stripe(const struct variation *v, const struct stripe *s)
{
    struct differences d;
    take(s, &d);
    if (v->form == IB_VARIATION_L1)
        absolute(s->m, &d);
    else if (v->form == IB_VARIATION_L2)
        square(s->m, &d);
    else
        smooth(s->m, v->epsilon, &d);
    if (s->gradient)
        give(s, &d, v->share);
    return ib_sum(s->m, d.value);
}

static double of_plane(const struct variation *v, const ib_real *x,
                       ib_real *gradient)
{
    double sum = 0;
    for (size_t y = 0; y < v->h; y++)
        for (size_t from = 0; from < v->w; from += BLOCK) {
            size_t at = y * v->w + from, left = v->w - from;
            size_t m = left < BLOCK ? left : BLOCK;
            struct stripe s = {.x = x + at,
                               .gradient = gradient ? gradient + at : NULL,
                               .w = v->w,
                               .m = m,
                               .wide = left > BLOCK ? m : m - 1,
                               .high = y + 1 < v->h ? m : 0};
            sum += of_stripe(v, &s);
        }
    return sum;
}

double ib_loss_total_variation(size_t n, struct ib_shape s,
                               enum ib_variation form, double epsilon,
                               const ib_real *x, ib_real *gradient)
{
    struct variation v = {.form = form,
                          .epsilon = (ib_real)epsilon,
                          .share = (ib_real)(1.0 / (double)n),
                          .h = (size_t)s.h,
                          .w = (size_t)s.w};
    size_t planes = n * (size_t)s.c, size = v.h * v.w;
    double loss = 0;
    if (gradient)
        memset(gradient, 0, planes * size * sizeof *gradient);
    for (size_t i = 0; i < planes; i++)
        loss +=
            of_plane(&v, x + i * size, gradient ? gradient + i * size : NULL);
    return loss / (double)n;
}
