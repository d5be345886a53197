/* The priors: starts, ranges, and their derivatives. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/prior.h>

#include <invbench/math.h>

extern const struct ib_prior ib_prior_pixels, ib_prior_pca;

static const uint8_t pixels[2 * 6] = {0, 51, 102, 153, 204, 255,
                                      0, 0,  102, 255, 204, 0};
static const int32_t identities[2] = {3, 4};
static const struct ib_images publics = {
    .shape = {1, 2, 3}, .n = 2, .pixels = pixels, .identity = identities};

struct opened {
    struct ib_scratch *scratch;
    struct ib_prior_use use;
    struct ib_rng rng;
    struct ib_error err;
};

static void open_prior(struct opened *o, const struct ib_prior *prior,
                       const struct ib_images *images)
{
    struct ib_prior_env env = {.shape = {1, 2, 3}, .public_images = images};
    void *opaque = NULL;

    *o = (struct opened){.scratch = ib_scratch_create(1 << 20)};
    env.scratch = o->scratch;
    o->rng = ib_rng_stream(1, "test", 0, "prior");
    o->use.prior = prior;
    o->use.size = prior->open(NULL, &env, &opaque, &o->err);
    o->use.state = opaque;
    assert_int_not_equal(o->use.size, 0);
}

static enum ib_status start(struct opened *o, enum ib_start how, float *z)
{
    return o->use.prior->start(o->use.state, how, &o->rng, z, &o->err);
}

static void pixels_are_their_own_latent(void **state)
{
    struct opened o;
    float z[6] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f}, x[6], dz[6];

    (void)state;
    open_prior(&o, &ib_prior_pixels, NULL);
    assert_int_equal(o.use.size, 6);
    o.use.prior->decode(o.use.state, 1, z, x);
    assert_memory_equal(x, z, sizeof(x));
    o.use.prior->vjp(o.use.state, 1, z, x, dz);
    assert_memory_equal(dz, x, sizeof(dz));
    ib_scratch_free(o.scratch);
}

static void pixels_start_black(void **state)
{
    struct opened o;
    float z[6] = {1, 1, 1, 1, 1, 1};

    (void)state;
    open_prior(&o, &ib_prior_pixels, &publics);
    assert_int_equal(start(&o, IB_START_BLACK, z), IB_OK);
    for (int j = 0; j < 6; j++)
        assert_float_equal(z[j], 0, 0);
    ib_scratch_free(o.scratch);
}

static void pixels_start_at_the_mean_of_public_images(void **state)
{
    static const float mean[6] = {0, .1f, .4f, .8f, .8f, .5f};
    struct opened o;
    float z[6];

    (void)state;
    open_prior(&o, &ib_prior_pixels, &publics);
    assert_int_equal(start(&o, IB_START_MEAN, z), IB_OK);
    for (int j = 0; j < 6; j++)
        assert_true(fabsf(z[j] - mean[j]) < 1e-6f);
    ib_scratch_free(o.scratch);
}

static void mean_without_public_images_is_denied(void **state)
{
    struct ib_images none = {.shape = {1, 2, 3}};
    struct opened o;
    float z[6];

    (void)state;
    open_prior(&o, &ib_prior_pixels, &none);
    assert_int_equal(start(&o, IB_START_MEAN, z), IB_E_DENIED);
    assert_non_null(strstr(o.err.text, "public"));
    ib_scratch_free(o.scratch);
}

static void random_starts_are_uniform_and_differ_by_stream(void **state)
{
    enum { DRAWS = 2000 };
    struct opened o;
    double sum = 0, square = 0;
    float z[6], first[6] = {0};

    (void)state;
    open_prior(&o, &ib_prior_pixels, NULL);
    for (int i = 0; i < DRAWS; i++) {
        assert_int_equal(start(&o, IB_START_RANDOM, z), IB_OK);
        for (int j = 0; j < 6; j++) {
            assert_true(z[j] >= 0 && z[j] < 1);
            sum += (double)z[j];
            square += (double)z[j] * (double)z[j];
        }
        if (i == 0)
            memcpy(first, z, sizeof(z));
    }
    assert_true(fabs(sum / (6 * DRAWS) - 0.5) < 0.015);
    assert_true(fabs(square / (6 * DRAWS) - 1.0 / 3) < 0.015);
    assert_memory_not_equal(first, z, sizeof(z));
    ib_scratch_free(o.scratch);
}

static void projection_clamps_to_the_box(void **state)
{
    static const float expected[12] = {0, 0, .5f, 1, 1, 0, 1, 0, 0, 0, 0, 1};
    float z[12] = {-1, 0, .5f, 1, 2, -0.0f, 1e30f, -1e30f, 0, 0, 0, 1};
    struct opened o;

    (void)state;
    open_prior(&o, &ib_prior_pixels, NULL);
    o.use.prior->project(o.use.state, 2, z);
    for (int j = 0; j < 12; j++)
        assert_float_equal(z[j], expected[j], 0);
    ib_scratch_free(o.scratch);
}

static void no_memory_is_said(void **state)
{
    struct ib_images large = {.shape = {1, 2048, 2048}, .n = 1};
    struct ib_prior_env env = {.shape = large.shape, .public_images = &large};
    struct ib_error err = {0};
    void *opaque = NULL;

    (void)state;
    env.scratch = ib_scratch_create(1 << 20);
    assert_int_equal(ib_prior_pixels.open(NULL, &env, &opaque, &err), 0);
    assert_int_equal(err.status, IB_E_NOMEM);
    ib_scratch_free(env.scratch);
}

/* --- principal components ----------------------------------------------- */

enum { P_N = 40, P_D = 12 };

/* Images on a plane of two directions, the first with 4 times the deviation of
 * the second, and a little of a third. */
static struct ib_images plane_images(uint8_t *x)
{
    struct ib_rng rng = ib_rng_stream(4, "test", 0, "plane");

    for (int i = 0; i < P_N; i++) {
        double a = 40 * ib_rng_normal(&rng), b = 10 * ib_rng_normal(&rng);

        for (int j = 0; j < P_D; j++) {
            double v = 128 + a * (j < 6 ? 0.4 : 0) + b * (j < 6 ? 0 : 0.4);

            x[i * P_D + j] = (uint8_t)(v + ib_rng_uniform(&rng));
        }
    }
    return (struct ib_images){.shape = {1, 3, 4}, .n = P_N, .pixels = x};
}

static enum ib_status fit_pca(struct opened *o, const struct ib_images *images,
                              int64_t components, struct ib_prior_fit *fit)
{
    *o = (struct opened){.scratch = ib_scratch_create(1 << 22)};
    *fit = (struct ib_prior_fit){
        .shape = {1, 3, 4}, .images = images, .seed = 1, .scratch = o->scratch};
    return ib_prior_pca.fit(&components, fit, &o->err);
}

static void open_fitted(struct opened *o, const void *data, size_t size)
{
    const struct ib_prior_env env = {.shape = {1, 3, 4},
                                     .scratch = o->scratch,
                                     .fitted = data,
                                     .fitted_size = size};
    void *opaque = NULL;

    o->err = (struct ib_error){0};
    o->rng = ib_rng_stream(1, "test", 0, "prior");
    o->use.prior = &ib_prior_pca;
    o->use.size = ib_prior_pca.open(NULL, &env, &opaque, &o->err);
    o->use.state = opaque;
}

static void open_pca(struct opened *o, const struct ib_images *images,
                     int64_t components)
{
    struct ib_prior_fit fit;

    assert_int_equal(fit_pca(o, images, components, &fit), IB_OK);
    open_fitted(o, fit.data, fit.size);
}

static void pca_meets_the_covariance_of_its_images(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct opened o;
    float z[P_D] = {0}, y[P_D], mean[P_D];
    double covariance[P_D][P_D] = {{0}}, found[P_D][P_D] = {{0}};

    (void)state;
    open_pca(&o, &images, P_D);
    assert_int_equal(o.use.size, P_D);
    o.use.prior->decode(o.use.state, 1, z, mean);
    for (int i = 0; i < P_N; i++)
        for (int j = 0; j < P_D; j++)
            for (int k = 0; k < P_D; k++)
                covariance[j][k] +=
                    ((double)x[i * P_D + j] / 255 - (double)mean[j]) *
                    ((double)x[i * P_D + k] / 255 - (double)mean[k]) / P_N;
    for (int c = 0; c < P_D; c++) {
        memset(z, 0, sizeof(z));
        z[c] = 1;
        o.use.prior->decode(o.use.state, 1, z, y);
        for (int j = 0; j < P_D; j++)
            for (int k = 0; k < P_D; k++)
                found[j][k] +=
                    (double)(y[j] - mean[j]) * (double)(y[k] - mean[k]);
    }
    for (int j = 0; j < P_D; j++)
        for (int k = 0; k < P_D; k++)
            assert_true(fabs(found[j][k] - covariance[j][k]) < 1e-6);
    ib_scratch_free(o.scratch);
}

static void pca_orders_components_by_deviation(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct opened o;
    float z[2 * 2] = {1, 0, 0, 1}, y[2 * P_D], mean[P_D];
    double length[2] = {0};

    (void)state;
    open_pca(&o, &images, 2);
    assert_int_equal(o.use.size, 2);
    o.use.prior->decode(o.use.state, 2, z, y);
    o.use.prior->decode(o.use.state, 1, (float[2]){0, 0}, mean);
    for (int c = 0; c < 2; c++)
        for (int j = 0; j < P_D; j++)
            length[c] += pow((double)(y[c * P_D + j] - mean[j]), 2);
    assert_true(sqrt(length[0]) > 2.5 * sqrt(length[1]));
    assert_true(fabsf(y[0] - mean[0]) > 10 * fabsf(y[8] - mean[8]));
    ib_scratch_free(o.scratch);
}

static void pca_derivative_meets_finite_differences(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct opened o;
    float z[2] = {0.5f, -0.3f}, up[P_D], down[P_D], dx[P_D], dz[2];

    (void)state;
    open_pca(&o, &images, 2);
    for (int j = 0; j < P_D; j++)
        dx[j] = 0.1f * (float)(j + 1);
    o.use.prior->vjp(o.use.state, 1, z, dx, dz);
    for (int c = 0; c < 2; c++) {
        float a[2] = {z[0], z[1]}, b[2] = {z[0], z[1]};
        double slope = 0;

        a[c] += 0.01f;
        b[c] -= 0.01f;
        o.use.prior->decode(o.use.state, 1, a, up);
        o.use.prior->decode(o.use.state, 1, b, down);
        for (int j = 0; j < P_D; j++)
            slope += (double)dx[j] * (double)(up[j] - down[j]) / 0.02;
        assert_true(fabs(slope) > 1e-3);
        assert_true(fabs(slope - (double)dz[c]) < 1e-4);
    }
    ib_scratch_free(o.scratch);
}

static void pca_stays_in_the_box_and_in_three_deviations(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct opened o;
    float z[2] = {1e9f, -1e9f}, y[P_D];

    (void)state;
    for (int i = 0; i < P_N; i++)
        x[i * P_D] = i % 2 ? 255 : 0;
    open_pca(&o, &images, 2);
    o.use.prior->project(o.use.state, 1, z);
    assert_float_equal(z[0], 3, 0);
    assert_float_equal(z[1], -3, 0);
    o.use.prior->decode(o.use.state, 1, z, y);
    for (int j = 0; j < P_D; j++)
        assert_true(y[j] >= 0 && y[j] <= 1);
    assert_int_equal(start(&o, IB_START_BLACK, z), IB_OK);
    assert_int_equal(start(&o, IB_START_MEAN, z), IB_OK);
    assert_float_equal(z[0], 0, 0);
    ib_scratch_free(o.scratch);
}

static void pca_of_equal_images_is_their_image(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = {.shape = {1, 3, 4}, .n = P_N, .pixels = x};
    struct opened o;
    float z[1] = {2}, y[P_D];

    (void)state;
    memset(x, 51, sizeof(x));
    open_pca(&o, &images, 5);
    assert_int_equal(o.use.size, 1);
    o.use.prior->decode(o.use.state, 1, z, y);
    for (int j = 0; j < P_D; j++)
        assert_true(fabsf(y[j] - 0.2f) < 1e-6f);
    ib_scratch_free(o.scratch);
}

static void pca_of_one_image_is_denied(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct ib_prior_fit fit;
    struct opened o;

    (void)state;
    images.n = 1;
    assert_int_equal(fit_pca(&o, &images, 5, &fit), IB_E_DENIED);
    assert_non_null(strstr(o.err.text, "public"));
    ib_scratch_free(o.scratch);
}

static void pca_fits_are_the_same_bytes(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct ib_prior_fit a, b;
    struct opened o, p;

    (void)state;
    assert_int_equal(fit_pca(&o, &images, 5, &a), IB_OK);
    assert_int_equal(fit_pca(&p, &images, 5, &b), IB_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    ib_scratch_free(o.scratch);
    ib_scratch_free(p.scratch);
}

static void pca_cut_off_anywhere_is_refused(void **state)
{
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct ib_prior_fit fit;
    struct opened o;
    size_t mark;

    (void)state;
    assert_int_equal(fit_pca(&o, &images, 3, &fit), IB_OK);
    mark = ib_scratch_mark(o.scratch);
    for (size_t n = 0; n < fit.size; n++) {
        char *cut = malloc(n + 1); /* so that ASan sees a read beyond */

        memcpy(cut, fit.data, n);
        open_fitted(&o, n ? cut : NULL, n);
        free(cut);
        assert_int_equal(o.use.size, 0);
        assert_int_equal(o.err.status, IB_E_DATA);
        ib_scratch_reset(o.scratch, mark);
    }
    ib_scratch_free(o.scratch);
}

static void pca_that_lies_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *part;
    } lies[] = {{0, 7, "another kind"},
                {8, 11, "another shape"},
                {8, 1 << 30, "shape"},
                {12, 0, "shape"},
                {12, 0xffffffff, "shape"},
                {12, 2, "length"},
                {12, 200, "length"},
                {16, 0x7fc00000, "finite"},
                {16 + 4 * 40, 0x7f800000, "finite"}};
    uint8_t x[P_N * P_D];
    struct ib_images images = plane_images(x);
    struct ib_prior_fit fit;
    struct opened o;
    char *bytes;

    (void)state;
    assert_int_equal(fit_pca(&o, &images, 3, &fit), IB_OK);
    bytes = malloc(fit.size);
    for (size_t i = 0; i < IB_COUNT(lies); i++) {
        memcpy(bytes, fit.data, fit.size);
        memcpy(bytes + lies[i].at, &lies[i].value, sizeof(uint32_t));
        open_fitted(&o, bytes, fit.size);
        assert_int_equal(o.use.size, 0);
        assert_int_equal(o.err.status, IB_E_DATA);
        if (!strstr(o.err.text, lies[i].part))
            fail_msg("lie %zu: %s", i, o.err.text);
    }
    free(bytes);
    ib_scratch_free(o.scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_their_own_latent),
        cmocka_unit_test(pixels_start_black),
        cmocka_unit_test(pixels_start_at_the_mean_of_public_images),
        cmocka_unit_test(mean_without_public_images_is_denied),
        cmocka_unit_test(random_starts_are_uniform_and_differ_by_stream),
        cmocka_unit_test(projection_clamps_to_the_box),
        cmocka_unit_test(no_memory_is_said),
        cmocka_unit_test(pca_meets_the_covariance_of_its_images),
        cmocka_unit_test(pca_orders_components_by_deviation),
        cmocka_unit_test(pca_derivative_meets_finite_differences),
        cmocka_unit_test(pca_stays_in_the_box_and_in_three_deviations),
        cmocka_unit_test(pca_of_equal_images_is_their_image),
        cmocka_unit_test(pca_of_one_image_is_denied),
        cmocka_unit_test(pca_fits_are_the_same_bytes),
        cmocka_unit_test(pca_cut_off_anywhere_is_refused),
        cmocka_unit_test(pca_that_lies_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
