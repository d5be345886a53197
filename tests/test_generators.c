/* Priors that train nets: autoencoder, gan. */
#include "generator_fixture.h"

/* Mean over pixels of the squared difference of the mean sample and the mean
 * image, over the variance of an image's pixels around that. */
static double mean_gap(struct trained *t)
{
    enum { N = 64 };
    static float z[N * 128], x[N * D];
    struct ib_rng rng = ib_rng_stream(9, "test", 0, "samples");
    double gap = 0, variance = 0;

    for (size_t i = 0; i < N; i++)
        assert_int_equal(t->use.prior->start(t->use.state, IB_START_RANDOM,
                                             &rng, z + i * t->use.size,
                                             &t->err),
                         IB_OK);
    t->use.prior->decode(t->use.state, N, z, x);
    for (size_t j = 0; j < D; j++) {
        double a = 0, b = 0, bb = 0;

        for (size_t i = 0; i < N; i++)
            a += (double)x[i * D + j] / N;
        for (size_t i = 0; i < IMAGES; i++) {
            double v = t->toy.pixels[i * D + j] / 255.0;

            b += v / IMAGES;
            bb += v * v / IMAGES;
        }
        gap += (a - b) * (a - b);
        variance += bb - b * b;
    }
    return gap / variance;
}

#define SMALL_AUTOENCODER                                                      \
    "{'latent':4,'channels':8,'steps':60,'batch':32,'rate':0.01}"
#define SMALL_GAN                                                              \
    "{'latent':8,'channels':8,'steps':120,'batch':16,'rate':0.004,"            \
    "'rate_discriminator':0.004,'shift':0}"

/* --- both ---------------------------------------------------------------- */

/* Far nearer than before the training. */
static void check_samples(struct trained *t, const struct ib_prior *prior,
                          const char *options, const char *untrained)
{
    double before, after;

    make(t, prior, untrained);
    before = mean_gap(t);
    close_prior(t);
    make(t, prior, options);
    after = mean_gap(t);
    if (!(after < 0.3 * before))
        fail_msg("the samples' mean is %g away, and was %g", after, before);
}

static void an_autoencoder_samples_what_it_has_seen(void **state)
{
    struct trained *t = *state;

    check_samples(t, &ib_prior_autoencoder, SMALL_AUTOENCODER,
                  "{'latent':4,'channels':8,'steps':1,'batch':32,'rate':1e-9}");
    assert_true(told(t, "reconstruction_rms") < 0.25);
    assert_true(told(t, "divergence") > 0);
}

static void a_gan_samples_what_it_has_seen(void **state)
{
    check_samples(*state, &ib_prior_gan, SMALL_GAN,
                  "{'latent':8,'channels':8,'steps':1,'batch':16,'rate':1e-9}");
}

static double slope_at(struct trained *t, const float *z, size_t k,
                       const float *dx, double step)
{
    enum { MOST = 16 };
    float moved[MOST], x[D];
    double slope = 0;

    for (int side = -1; side <= 1; side += 2) {
        memcpy(moved, z, t->use.size * sizeof(*z));
        moved[k] += (float)(side * step);
        t->use.prior->decode(t->use.state, 1, moved, x);
        for (int j = 0; j < D; j++)
            slope += side * (double)dx[j] * (double)x[j] / (2 * step);
    }
    return slope;
}

/* Rectifiers have kinks: some step is small enough, and large enough for
 * floats. */
static void check_derivative(struct trained *t)
{
    static const double steps[] = {0.01, 0.003, 0.001, 0.0003};
    float z[16], dz[16], dx[D];
    struct ib_rng rng = ib_rng_stream(3, "test", 0, "vjp");

    assert_int_equal(
        t->use.prior->start(t->use.state, IB_START_RANDOM, &rng, z, &t->err),
        IB_OK);
    for (int j = 0; j < D; j++)
        dx[j] = (float)ib_rng_normal(&rng);
    t->use.prior->vjp(t->use.state, 1, z, dx, dz);
    for (size_t k = 0; k < t->use.size; k++) {
        double best = INFINITY;

        for (size_t i = 0; i < IB_COUNT(steps); i++)
            best = fmin(best,
                        fabs(slope_at(t, z, k, dx, steps[i]) - (double)dz[k]));
        if (best > 0.01 * (1 + fabs((double)dz[k])))
            fail_msg("dz[%zu] = %g is %g away", k, (double)dz[k], best);
    }
}

static void derivatives_meet_finite_differences(void **state)
{
    struct trained *t = *state;

    make(t, &ib_prior_autoencoder, SMALL_AUTOENCODER);
    check_derivative(t);
    close_prior(t);
    make(t, &ib_prior_gan, SMALL_GAN);
    check_derivative(t);
}

static void rows_of_a_batch_are_those_of_one(void **state)
{
    enum { N = 70, L = 4 };
    struct trained *t = *state;
    static float z[N * L], x[N * D], one[D], dx[N * D], dz[N * L], done[L];
    struct ib_rng rng = ib_rng_stream(4, "test", 0, "rows");

    make(t, &ib_prior_autoencoder, SMALL_AUTOENCODER);
    ib_rng_fill_normal(&rng, z, (size_t)N * L, 1);
    ib_rng_fill_normal(&rng, dx, (size_t)N * D, 1);
    t->use.prior->decode(t->use.state, N, z, x);
    t->use.prior->vjp(t->use.state, N, z, dx, dz);
    for (int i = 0; i < N; i += 23) {
        t->use.prior->decode(t->use.state, 1, z + i * L, one);
        t->use.prior->vjp(t->use.state, 1, z + i * L, dx + i * D, done);
        for (int j = 0; j < D; j++)
            assert_true(fabsf(one[j] - x[i * D + j]) < 1e-5f);
        for (int j = 0; j < L; j++)
            assert_true(fabsf(done[j] - dz[i * L + j]) <
                        1e-4f * (1 + fabsf(done[j])));
    }
}

static void check_same(struct trained *t, const struct ib_prior *prior,
                       const char *options)
{
    struct ib_prior_fit first;
    struct ib_pool *pool = NULL;

    choose(t, prior, options);
    assert_int_equal(fit(t, 1, NULL), IB_OK);
    first = t->fit;
    assert_int_equal(ib_pool_create(&pool, 3, &t->err), IB_OK);
    assert_int_equal(fit(t, 1, pool), IB_OK);
    ib_pool_free(pool);
    assert_int_equal(t->fit.size, first.size);
    assert_memory_equal(t->fit.data, first.data, first.size);
    assert_int_equal(fit(t, 2, NULL), IB_OK);
    assert_memory_not_equal(t->fit.data, first.data, first.size);
}

static void fits_are_the_same_for_any_threads_and_differ_by_seed(void **state)
{
    check_same(*state, &ib_prior_autoencoder,
               "{'latent':4,'channels':8,'steps':6,'batch':32}");
    check_same(*state, &ib_prior_gan,
               "{'latent':4,'channels':8,'steps':4,'batch':16,'critic':2,"
               "'flip':true,'conditional':true,'upsample':'transposed'}");
}

/* A checkpoint in memory, of one step. */
struct memory {
    struct ib_checkpoint hooks;
    int asked, at; /* due at the at-th step */
    char *bytes;
    size_t size;
};

static bool memory_due(void *ctx)
{
    struct memory *m = ctx;
    return ++m->asked == m->at;
}

static bool memory_load(void *ctx, const struct ib_region *r, int n)
{
    struct memory *m = ctx;
    const char *from = m->bytes;
    size_t size = 0;

    for (int i = 0; i < n; i++)
        size += r[i].size;
    if (!from || size != m->size)
        return false;
    for (int i = 0; i < n; from += r[i].size, i++)
        memcpy(r[i].data, from, r[i].size);
    return true;
}

static void memory_save(void *ctx, const struct ib_region *r, int n)
{
    struct memory *m = ctx;
    char *to;

    assert_null(m->bytes);
    for (int i = 0; i < n; i++)
        m->size += r[i].size;
    to = m->bytes = malloc(m->size);
    for (int i = 0; i < n; to += r[i].size, i++)
        memcpy(to, r[i].data, r[i].size);
}

static enum ib_status fit_with(struct trained *t,
                               const struct ib_checkpoint *checkpoint)
{
    t->fit = (struct ib_prior_fit){.shape = t->toy.images.shape,
                                   .images = &t->toy.images,
                                   .seed = 1,
                                   .scratch = t->scratch,
                                   .checkpoint = checkpoint};
    return t->use.prior->fit(t->options, &t->fit, &t->err);
}

static void check_resumed(struct trained *t, const struct ib_prior *prior,
                          const char *options)
{
    struct memory m = {.hooks = {&m, memory_due, memory_load, memory_save},
                       .at = 3};
    struct ib_prior_fit whole;

    choose(t, prior, options);
    assert_int_equal(fit_with(t, &m.hooks), IB_OK);
    whole = t->fit;
    assert_non_null(m.bytes);
    assert_int_equal(m.asked, 5);
    m.asked = 10; /* from step 3 on, never due again */
    assert_int_equal(fit_with(t, &m.hooks), IB_OK);
    assert_int_equal(m.asked, 12);
    assert_int_equal(t->fit.size, whole.size);
    assert_memory_equal(t->fit.data, whole.data, whole.size);
    for (int i = 0; i < whole.numbers; i++)
        assert_true(t->fit.number[i].value == whole.number[i].value);
    free(m.bytes);
}

static void training_goes_on_from_a_checkpoint_to_the_same_bytes(void **state)
{
    check_resumed(*state, &ib_prior_autoencoder,
                  "{'latent':4,'channels':4,'steps':5,'batch':24,'shift':1}");
    check_resumed(*state, &ib_prior_gan,
                  "{'latent':4,'channels':4,'steps':5,'batch':24,"
                  "'conditional':true}");
}

/* --- what is kept -------------------------------------------------------- */

static void what_was_cut_off_is_refused(void **state)
{
    struct trained *t = *state;
    size_t mark;

    choose(t, &ib_prior_gan, "{'latent':2,'channels':1,'steps':1,'batch':2}");
    assert_int_equal(fit(t, 1, NULL), IB_OK);
    mark = ib_scratch_mark(t->scratch);
    for (size_t n = 0; n < t->fit.size; n += n < 64 ? 1 : 97) {
        char *cut = malloc(n + 1);

        memcpy(cut, t->fit.data, n);
        assert_int_equal(open_kept(t, n ? cut : NULL, n), 0);
        assert_int_equal(t->err.status, IB_E_DATA);
        free(cut);
        ib_scratch_reset(t->scratch, mark);
    }
}

static void what_lies_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint32_t value;
        const char *part;
    } lies[] = {{0, 1, "another kind"},    {12, 1, "another kind"},
                {8, 3, "another net"},     {16, 5, "length"},
                {20, 1u << 31, "length"},  {24, 9999, "length"},
                {32, 0x7f800000, "finite"}};
    struct trained *t = *state;
    char *bytes;

    choose(t, &ib_prior_gan, "{'latent':2,'channels':1,'steps':1,'batch':2}");
    assert_int_equal(fit(t, 1, NULL), IB_OK);
    bytes = malloc(t->fit.size);
    for (size_t i = 0; i < IB_COUNT(lies); i++) {
        memcpy(bytes, t->fit.data, t->fit.size);
        memcpy(bytes + lies[i].at, &lies[i].value, sizeof(uint32_t));
        assert_int_equal(open_kept(t, bytes, t->fit.size), 0);
        assert_int_equal(t->err.status, IB_E_DATA);
        if (!strstr(t->err.text, lies[i].part))
            fail_msg("lie %zu: %s", i, t->err.text);
    }
    free(bytes);
    choose(t, &ib_prior_gan, "{'latent':3,'channels':1}");
    assert_int_equal(open_kept(t, t->fit.data, t->fit.size), 0);
    assert_non_null(strstr(t->err.text, "another net"));
}

static void one_image_is_enough_to_fit(void **state)
{
    struct trained *t = *state;

    t->toy.images.n = 1;
    make(t, &ib_prior_autoencoder,
         "{'latent':2,'channels':1,'steps':2,'batch':4}");
    assert_int_equal(t->use.size, 2);
}

/* --- latents ------------------------------------------------------------- */

static void a_conditional_gan_draws_a_class(void **state)
{
    enum { L = 5, K = TOY_CLASSES };
    struct trained *t = *state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "classes");
    float z[L + K], x[2 * D], both[2 * (L + K)];
    int drawn[K] = {0};

    make(t, &ib_prior_gan,
         "{'latent':5,'channels':8,'steps':30,'batch':16,'conditional':true,"
         "'rate':0.005}");
    assert_int_equal(t->use.size, L + K);
    for (int i = 0; i < 100; i++) {
        float sum = 0;

        assert_int_equal(t->use.prior->start(t->use.state, IB_START_RANDOM,
                                             &rng, z, &t->err),
                         IB_OK);
        for (int k = 0; k < K; k++) {
            assert_true(z[L + k] == 0 || z[L + k] == 1);
            sum += z[L + k];
            drawn[k] += z[L + k] == 1;
        }
        assert_float_equal(sum, 1, 0);
    }
    for (int k = 0; k < K; k++)
        assert_true(drawn[k] > 5);
    /* the class matters */
    memset(both, 0, sizeof(both));
    both[L] = both[L + K + L + 1] = 1;
    t->use.prior->decode(t->use.state, 2, both, x);
    assert_memory_not_equal(x, x + D, sizeof(float) * D);
    check_derivative(t);
}

static void latents_stay_in_their_range(void **state)
{
    struct trained *t = *state;
    float z[4 + TOY_CLASSES] = {9, -9, 0.5f, 3.5f, 2, -1, 0.3f, 1};
    static const float expected[4 + TOY_CLASSES] = {3, -3, 0.5f, 3,
                                                    1, 0,  0.3f, 1};

    make(t, &ib_prior_gan,
         "{'latent':4,'channels':2,'steps':1,'batch':8,'conditional':true}");
    t->use.prior->project(t->use.state, 1, z);
    for (size_t i = 0; i < IB_COUNT(expected); i++)
        assert_float_equal(z[i], expected[i], 0);
}

static void black_is_darker_than_most_samples(void **state)
{
    struct trained *t = *state;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "black");
    float z[8], x[D];
    double black = 0;
    int darker = 0;

    make(t, &ib_prior_gan, SMALL_GAN);
    assert_int_equal(
        t->use.prior->start(t->use.state, IB_START_BLACK, NULL, z, &t->err),
        IB_OK);
    t->use.prior->decode(t->use.state, 1, z, x);
    for (int j = 0; j < D; j++)
        black += (double)x[j];
    for (int i = 0; i < 40; i++) {
        double sum = 0;

        assert_int_equal(t->use.prior->start(t->use.state, IB_START_RANDOM,
                                             &rng, z, &t->err),
                         IB_OK);
        t->use.prior->decode(t->use.state, 1, z, x);
        for (int j = 0; j < D; j++)
            sum += (double)x[j];
        darker += sum < black;
    }
    assert_true(darker < 8);
    assert_int_equal(
        t->use.prior->start(t->use.state, IB_START_MEAN, NULL, z, &t->err),
        IB_OK);
    for (int i = 0; i < 8; i++)
        assert_float_equal(z[i], 0, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_autoencoder_samples_what_it_has_seen),
        T(a_gan_samples_what_it_has_seen),
        T(derivatives_meet_finite_differences),
        T(rows_of_a_batch_are_those_of_one),
        T(fits_are_the_same_for_any_threads_and_differ_by_seed),
        T(training_goes_on_from_a_checkpoint_to_the_same_bytes),
        T(what_was_cut_off_is_refused),
        T(what_lies_is_refused),
        T(one_image_is_enough_to_fit),
        T(a_conditional_gan_draws_a_class),
        T(latents_stay_in_their_range),
        T(black_is_darker_than_most_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
