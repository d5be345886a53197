/* Augmentation: draws, by hand and against PyTorch in float64
 * (tests/golden/make_augment.py), adjoints. */
#include "cmocka_all.h"

#include <invbench/augment.h>
#include <invbench/math.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden/augment.inc"

enum { MAX = 3 * 16 * 16 };

static const struct ib_augment everything = {.flip = true,
                                             .shift = 2,
                                             .crop = 2,
                                             .zoom = 0.5,
                                             .ratio_min = 0.8,
                                             .ratio_max = 1.25,
                                             .rotation = 30,
                                             .brightness = 0.5,
                                             .contrast = 0.5,
                                             .saturation = 0.5,
                                             .cutout = 3,
                                             .noise = 0.1};

static ib_real scratch[4 * MAX];

static void numbers(size_t count, uint32_t seed, double low, double width,
                    ib_real *out)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = (ib_real)(low + width * (double)(seed >> 20) / 4096);
    }
}

static void assert_near(size_t n, const ib_real *a, const double *b)
{
    double off = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        off += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += b[i] * b[i];
    }
    if (!(sqrt(off) <= 2e-6 * sqrt(norm)))
        fail_msg("off by %g of %g", sqrt(off), sqrt(norm));
}

/* --- against PyTorch ----------------------------------------------------- */

static void check(const struct ib_draw *v, struct ib_shape s,
                  const double *value, const double *vjp)
{
    ib_real x[MAX], dy[MAX], y[MAX], dx[MAX];
    size_t d = ib_shape_size(s);
    numbers(d, 1, 0, 1, x);
    numbers(d, 2, -1, 2, dy);
    ib_draw_apply(v, s, x, y, scratch);
    assert_near(d, y, value);
    ib_draw_vjp(v, s, x, dy, dx, scratch);
    assert_near(d, dx, vjp);
}

static void turn(struct ib_draw *v, double degrees)
{
    v->cosine = ib_cos(degrees * 3.141592653589793 / 180);
    v->sine = ib_sin(degrees * 3.141592653589793 / 180);
}

static void images_and_products_equal_pytorch(void **state)
{
    (void)state;
    struct ib_shape s = {3, 7, 9};
    struct ib_draw v = ib_draw_identity(s);
    turn(&v, 20);
    v.top = 1.5;
    v.left = 0.5;
    v.height = 5;
    v.width = 8;
    v.brightness = 1.5;
    v.contrast = 0.75;
    v.saturation = 1.75;
    check(&v, s, gold_turned, gold_turned_vjp);
    s = (struct ib_shape){1, 6, 5};
    v = ib_draw_identity(s);
    v.left = 1.25;
    v.height = 4.5;
    v.width = 3.75;
    v.brightness = 0.75;
    v.contrast = 1.75;
    v.saturation = 3; /* of grey images: nothing */
    check(&v, s, gold_zoomed, gold_zoomed_vjp);
    s = (struct ib_shape){3, 5, 6};
    v = ib_draw_identity(s);
    turn(&v, -70);
    v.mirror = true;
    v.shift_y = 1;
    v.shift_x = -2;
    v.crop_y = -1;
    v.crop_x = 2;
    v.cut_top = 1;
    v.cut_left = 2;
    v.cut_height = 2;
    v.cut_width = 3;
    check(&v, s, gold_all, gold_all_vjp);
}

/* --- by hand ------------------------------------------------------------- */

static void assert_row(struct ib_draw v, struct ib_shape s, const ib_real *want)
{
    const ib_real x[4] = {1, 2, 3, 4};
    ib_real y[4];
    ib_draw_apply(&v, s, x, y, scratch);
    assert_memory_equal(y, want, sizeof y);
}

static void moves_by_hand(void **state)
{
    (void)state;
    for (int tall = 0; tall < 2; tall++) {
        struct ib_shape s = {1, tall ? 4 : 1, tall ? 1 : 4};
        struct ib_draw v = ib_draw_identity(s), w = v;
        int *shift = tall ? &w.shift_y : &w.shift_x;
        int *crop = tall ? &w.crop_y : &w.crop_x;
        assert_row(w, s, (ib_real[]){1, 2, 3, 4});
        *shift = 1;
        assert_row(w, s, (ib_real[]){1, 1, 2, 3});
        *crop = 1;
        assert_row(w, s, (ib_real[]){0, 1, 1, 2});
        *crop = -2;
        assert_row(w, s, (ib_real[]){2, 3, 0, 0});
        *shift = -9;
        *crop = 0;
        assert_row(w, s, (ib_real[]){4, 4, 4, 4});
        *crop = 9;
        assert_row(w, s, (ib_real[]){0, 0, 0, 0});
    }
    struct ib_shape s = {1, 1, 4};
    struct ib_draw v = ib_draw_identity(s);
    v.mirror = true;
    assert_row(v, s, (ib_real[]){4, 3, 2, 1});
    v.shift_x = -1;
    assert_row(v, s, (ib_real[]){3, 2, 1, 1});
}

static void half_a_turn_reverses_and_a_quarter_transposes(void **state)
{
    (void)state;
    struct ib_shape s = {1, 5, 5};
    struct ib_draw v = ib_draw_identity(s);
    ib_real x[25], y[25];
    numbers(25, 3, 0, 1, x);
    turn(&v, 180);
    ib_draw_apply(&v, s, x, y, scratch);
    for (int i = 0; i < 25; i++)
        assert_true(fabs((double)(y[i] - x[24 - i])) < 1e-6);
    turn(&v, 90); /* counter-clockwise: the right column becomes the top row */
    ib_draw_apply(&v, s, x, y, scratch);
    for (int i = 0; i < 5; i++)
        assert_true(fabs((double)(y[i] - x[5 * i + 4])) < 1e-6);
}

static void a_clamped_value_passes_no_gradient(void **state)
{
    (void)state;
    struct ib_shape s = {1, 1, 4};
    struct ib_draw v = ib_draw_identity(s);
    const ib_real x[4] = {0, 0.25f, 0.5f, 0.75f}, dy[4] = {1, 1, 1, 1};
    ib_real y[4], dx[4];
    v.brightness = 2;
    ib_draw_apply(&v, s, x, y, scratch);
    ib_draw_vjp(&v, s, x, dy, dx, scratch);
    assert_memory_equal(y, ((ib_real[]){0, 0.5f, 1, 1}), sizeof y);
    assert_memory_equal(dx, ((ib_real[]){2, 2, 2, 0}), sizeof dx);
}

/* --- draws --------------------------------------------------------------- */

static void nothing_asked_is_the_identity_and_draws_nothing(void **state)
{
    (void)state;
    struct ib_shape s = {3, 5, 4};
    const struct ib_augment none = {0};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "none"), before = rng;
    struct ib_draw v;
    ib_real x[60], y[60];
    ib_augment_draw(&none, s, &rng, 1, &v);
    assert_memory_equal(&rng, &before, sizeof rng);
    numbers(60, 5, -1, 3, x);
    ib_draw_apply(&v, s, x, y, scratch);
    assert_memory_equal(x, y, sizeof x);
}

static void draws_do_not_depend_on_the_batch(void **state)
{
    (void)state;
    struct ib_shape s = {3, 8, 8};
    struct ib_draw whole[10], parts[10];
    memset(whole, 0, sizeof whole);
    memset(parts, 0, sizeof parts);
    struct ib_rng a = ib_rng_stream(1, "test", 0, "draws"), b = a;
    ib_augment_draw(&everything, s, &a, 10, whole);
    ib_augment_draw(&everything, s, &b, 3, parts);
    ib_augment_draw(&everything, s, &b, 7, parts + 3);
    ib_real x[192], y[192], z[192];
    numbers(192, 4, 0, 1, x);
    for (size_t i = 10; i-- > 0;) {
        ib_draw_apply(&whole[i], s, x, y, scratch);
        ib_draw_apply(&parts[i], s, x, z, scratch);
        assert_memory_equal(y, z, sizeof y);
    }
}

static void a_shift_stays_in_its_range(void **state)
{
    (void)state;
    const struct ib_augment a = {.shift = 1, .crop = 2};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "shift");
    int shifted[3] = {0}, cropped[5] = {0};
    for (int i = 0; i < 600; i++) {
        struct ib_draw v;
        ib_augment_draw(&a, (struct ib_shape){1, 8, 8}, &rng, 1, &v);
        assert_in_range(v.shift_x + 1, 0, 2);
        assert_in_range(v.crop_y + 2, 0, 4);
        shifted[v.shift_x + 1]++;
        cropped[v.crop_y + 2]++;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(shifted[i], 140, 260);
    for (int i = 0; i < 5; i++)
        assert_in_range(cropped[i], 75, 165);
}

static void a_flip_mirrors_half_of_the_images(void **state)
{
    (void)state;
    const struct ib_augment a = {.flip = true};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "flip");
    struct ib_draw v[300];
    int mirrored = 0;
    ib_augment_draw(&a, (struct ib_shape){1, 1, 2}, &rng, 300, v);
    for (int i = 0; i < 300; i++)
        mirrored += v[i].mirror;
    assert_in_range(mirrored, 115, 185);
}

static void parts_angles_factors_and_cuts_stay_in_their_ranges(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "ranges");
    double least = 1, most = 0, tilt = 0;
    for (int i = 0; i < 500; i++) {
        struct ib_draw v;
        ib_augment_draw(&everything, (struct ib_shape){3, 12, 8}, &rng, 1, &v);
        double area = v.height * v.width / 96;
        least = fmin(least, area);
        most = fmax(most, area);
        tilt = fmax(tilt, fabs(v.sine));
        assert_true(v.top >= 0 && v.left >= 0);
        assert_true(v.top + v.height <= 12 + 1e-9);
        assert_true(v.left + v.width <= 8 + 1e-9);
        assert_true(v.brightness >= 0.5f && v.brightness <= 1.5f);
        assert_in_range(v.cut_height, 2, 3);
        assert_true(v.cut_top >= 0 && v.cut_top + v.cut_height <= 12);
        assert_true(v.cut_left >= 0 && v.cut_left + v.cut_width <= 8);
    }
    assert_true(least > 0.43 && least < 0.55 && most > 0.93 && most <= 1);
    assert_true(tilt > 0.48 && tilt <= 0.5 + 1e-9);
}

static void noise_has_its_deviation_and_comes_again(void **state)
{
    (void)state;
    struct ib_shape s = {3, 16, 16};
    const struct ib_augment a = {.noise = 0.25};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "noise");
    struct ib_draw v[2];
    ib_real x[MAX] = {0}, y[MAX], z[MAX];
    ib_augment_draw(&a, s, &rng, 2, v);
    ib_draw_apply(&v[0], s, x, y, scratch);
    double deviation = sqrt(ib_dot(MAX, y, y) / MAX);
    assert_true(deviation > 0.23 && deviation < 0.27);
    ib_draw_apply(&v[0], s, x, z, scratch);
    assert_memory_equal(y, z, sizeof y);
    ib_draw_apply(&v[1], s, x, z, scratch);
    assert_memory_not_equal(y, z, sizeof y);
}

/* --- derivatives --------------------------------------------------------- */

/* <A x, y> = <x, A^T y> for what is linear in the image. */
static void products_are_the_adjoint_of_what_is_linear(void **state)
{
    (void)state;
    struct ib_augment a = everything;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "adjoint");
    ib_real x[MAX], ax[MAX], y[MAX], aty[MAX];
    a.brightness = a.contrast = a.saturation = a.noise = 0;
    for (int i = 0; i < 200; i++) {
        struct ib_shape s = {1 + i % 3, 5 + i % 7, 4 + i % 5};
        size_t d = ib_shape_size(s);
        struct ib_draw v;
        a.rotation = i % 2 ? 180 : 0;
        a.zoom = i % 3 ? 0.2 : 0;
        ib_augment_draw(&a, s, &rng, 1, &v);
        numbers(d, (uint32_t)i, -1, 2, x);
        numbers(d, (uint32_t)i + 999, -1, 2, y);
        ib_draw_apply(&v, s, x, ax, scratch);
        ib_draw_vjp(&v, s, x, y, aty, scratch);
        double left = ib_dot(d, ax, y), right = ib_dot(d, x, aty);
        double size = sqrt(ib_dot(d, ax, ax) * ib_dot(d, y, y));
        assert_true(fabs(left - right) <= 1e-6 * size);
    }
}

static double product(const struct ib_draw *v, struct ib_shape s,
                      const ib_real *x, const ib_real *dy)
{
    ib_real y[MAX];
    ib_draw_apply(v, s, x, y, scratch);
    return ib_dot(ib_shape_size(s), y, dy);
}

/* In float the step is long enough to cross a clamp now and then: one pixel in
 * 20 may differ. */
static void products_equal_difference_quotients(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "quotients");
    struct ib_shape s = {3, 6, 5};
    size_t d = ib_shape_size(s);
    ib_real x[MAX], dy[MAX], dx[MAX];
    bool fine = sizeof(ib_real) == sizeof(double);
    double h = fine ? 0x1p-20 : 0x1p-9;
    int wrong = 0, most = fine ? 0 : 90;
    for (uint32_t i = 0; i < 20; i++) {
        struct ib_draw v;
        ib_augment_draw(&everything, s, &rng, 1, &v);
        numbers(d, i, 0, 1, x);
        numbers(d, i + 50, -1, 2, dy);
        ib_draw_vjp(&v, s, x, dy, dx, scratch);
        for (size_t j = 0; j < d; j++) {
            ib_real keep = x[j];
            x[j] = keep + (ib_real)h;
            double up = product(&v, s, x, dy);
            x[j] = keep - (ib_real)h;
            double slope = (up - product(&v, s, x, dy)) / (2 * h);
            x[j] = keep;
            wrong += fabs(slope - (double)dx[j]) > (fine ? 1e-6 : 1e-3);
        }
    }
    assert_in_range(wrong, 0, most);
}

/* --- the ways to call it ------------------------------------------------- */

static void in_place_equals_out_of_place(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "place");
    struct ib_shape s = {3, 9, 7};
    size_t d = ib_shape_size(s), bytes = d * sizeof(ib_real);
    ib_real x[MAX], y[MAX], dx[MAX];
    for (uint32_t i = 0; i < 64; i++) {
        struct ib_augment a = everything;
        struct ib_draw v;
        a.flip = i & 1;
        a.shift = a.crop = i & 1 ? 2 : 0;
        a.zoom = i & 2 ? 0.5 : 0;
        a.rotation = i & 4 ? 20 : 0;
        a.contrast = a.brightness = a.saturation = i & 8 ? 0.3 : 0;
        a.cutout = i & 16 ? 2 : 0;
        ib_augment_draw(&a, s, &rng, 1, &v);
        numbers(d, i, 0, 1, x);
        ib_draw_vjp(&v, s, x, x, dx, scratch);
        memcpy(y, x, bytes);
        ib_draw_vjp(&v, s, x, y, y, scratch);
        assert_memory_equal(y, dx, bytes);
        ib_draw_apply(&v, s, x, y, scratch);
        ib_draw_apply(&v, s, x, x, scratch);
        assert_memory_equal(x, y, bytes);
    }
}

static void images_of_bytes_are_their_values_by_255(void **state)
{
    (void)state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "bytes");
    struct ib_shape s = {3, 9, 7};
    uint8_t pixels[189];
    ib_real x[189], y[189], z[189];
    for (size_t i = 0; i < 189; i++) {
        pixels[i] = (uint8_t)ib_rng_below(&rng, 256);
        x[i] = (ib_real)((float)pixels[i] / 255.0f);
    }
    for (int i = 0; i < 20; i++) {
        struct ib_augment a = everything;
        struct ib_draw v;
        if (i % 2)
            a.shift = a.crop = 0;
        if (i % 3)
            a.zoom = a.rotation = 0;
        ib_augment_draw(&a, s, &rng, 1, &v);
        ib_draw_apply(&v, s, x, y, scratch);
        ib_draw_load(&v, s, pixels, z, scratch);
        assert_memory_equal(y, z, sizeof y);
    }
}

static void scratch_is_as_large_as_stated(void **state)
{
    (void)state;
    struct ib_shape s = {3, 9, 7};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "scratch");
    void *tight = malloc(ib_draw_bytes(s));
    ib_real x[189], y[189];
    struct ib_draw v;
    assert_non_null(tight);
    numbers(189, 1, 0, 1, x);
    for (int i = 0; i < 10; i++) { /* the sanitizer watches */
        ib_augment_draw(&everything, s, &rng, 1, &v);
        ib_draw_apply(&v, s, x, y, tight);
        ib_draw_vjp(&v, s, x, y, y, tight);
        for (size_t j = 0; j < 189; j++)
            assert_true(isfinite(y[j]));
    }
    free(tight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_products_equal_pytorch),
        cmocka_unit_test(moves_by_hand),
        cmocka_unit_test(half_a_turn_reverses_and_a_quarter_transposes),
        cmocka_unit_test(a_clamped_value_passes_no_gradient),
        cmocka_unit_test(nothing_asked_is_the_identity_and_draws_nothing),
        cmocka_unit_test(draws_do_not_depend_on_the_batch),
        cmocka_unit_test(a_shift_stays_in_its_range),
        cmocka_unit_test(a_flip_mirrors_half_of_the_images),
        cmocka_unit_test(parts_angles_factors_and_cuts_stay_in_their_ranges),
        cmocka_unit_test(noise_has_its_deviation_and_comes_again),
        cmocka_unit_test(products_are_the_adjoint_of_what_is_linear),
        cmocka_unit_test(products_equal_difference_quotients),
        cmocka_unit_test(in_place_equals_out_of_place),
        cmocka_unit_test(images_of_bytes_are_their_values_by_255),
        cmocka_unit_test(scratch_is_as_large_as_stated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
