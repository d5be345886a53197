/* The priors: starts, ranges, and their derivatives. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/prior.h>

extern const struct ib_prior ib_prior_pixels;

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
    struct ib_prior_env env = {.shape = {1, 2, 3}, .public_images = &publics};
    struct ib_error err = {0};
    void *opaque = NULL;

    (void)state;
    env.scratch = ib_scratch_create(8);
    assert_int_equal(ib_prior_pixels.open(NULL, &env, &opaque, &err), 0);
    assert_int_equal(err.status, IB_E_NOMEM);
    ib_scratch_free(env.scratch);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
