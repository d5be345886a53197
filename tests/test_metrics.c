#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/metric.h>
#include <invbench/rng.h>

#include "evaluate.h"
#include "stack.h"

extern const struct ib_metric ib_metric_ssim, ib_metric_mse, ib_metric_psnr,
    ib_metric_nearest, ib_metric_nearest_features, ib_metric_identification,
    ib_metric_identification_features, ib_metric_accuracy;

/* Three people of 12 x 12: each has two private images; one public image. */
enum { SIDE = 12, D = SIDE * SIDE, K = 12, PER = 2, N = 3, F = 4 };

struct world {
    uint8_t private_pixels[K * PER * D], public_pixels[D], image[N * D];
    int32_t who[K * PER], stranger, target[N];
    float logits[N * K], feature[N * F], private_feature[K * PER * F],
        public_feature[F];
    struct ib_images train, publics;
    struct ib_evaluator_view view;
    struct ib_metric_env env;
};

static void fill(struct ib_rng *rng, uint8_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (uint8_t)ib_rng_below(rng, 256);
}

static void fill_features(struct ib_rng *rng, struct world *w)
{
    ib_rng_fill_normal(rng, w->feature, N * F, 1);
    ib_rng_fill_normal(rng, w->private_feature, K * PER * F, 1);
    ib_rng_fill_normal(rng, w->public_feature, F, 1);
    for (int i = 0; i < N * K; i++)
        w->logits[i] = (float)ib_rng_normal(rng);
    w->view = (struct ib_evaluator_view){"e",
                                         K,
                                         F,
                                         w->logits,
                                         w->feature,
                                         w->private_feature,
                                         w->public_feature};
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct ib_rng rng = ib_rng_stream(7, "test", -1, "metrics");
    fill(&rng, w->private_pixels, sizeof w->private_pixels);
    fill(&rng, w->public_pixels, sizeof w->public_pixels);
    fill(&rng, w->image, sizeof w->image);
    fill_features(&rng, w);
    for (int i = 0; i < K * PER; i++)
        w->who[i] = i / PER;
    for (int i = 0; i < N; i++)
        w->target[i] = i;
    w->stranger = K;
    const struct ib_shape s = {1, SIDE, SIDE};
    w->train = (struct ib_images){s, K * PER, w->private_pixels, w->who};
    w->publics = (struct ib_images){s, 1, w->public_pixels, &w->stranger};
    w->env = (struct ib_metric_env){s,         K,         N,           w->image,
                                    w->target, &w->train, &w->publics, &w->view,
                                    1,         NULL};
    w->env.scratch = ib_scratch_create((size_t)64 << 20);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    ib_scratch_free(w->env.scratch);
    free(w);
    return 0;
}

static const char *run(const struct ib_metric *m, struct world *w,
                       double *value)
{
    const char *reason = NULL;
    struct ib_error err = {0};
    assert_int_equal(m->score(NULL, &w->env, value, &reason, &err), IB_OK);
    return reason;
}

/* Image i becomes a copy of a private image. */
static void copy_private(struct world *w, int i, int from)
{
    memcpy(w->image + i * D, w->private_pixels + from * D, D);
}

static void a_copy_is_as_good_as_it_gets(void **state)
{
    struct world *w = *state;
    double v[2 * N];
    copy_private(w, 1, 3); /* an image of person 1 */
    assert_null(run(&ib_metric_ssim, w, v));
    assert_true(v[1] == 1 && v[0] < 0.5 && v[N + 1] < 0.9);
    run(&ib_metric_mse, w, v);
    assert_true(v[1] == 0 && v[0] > 0.05);
    run(&ib_metric_psnr, w, v);
    assert_true(v[1] == 99 && v[0] < 20);
}

static void nearest_equals_brute_force(void **state)
{
    struct world *w = *state;
    double v[6 * N];
    assert_null(run(&ib_metric_nearest, w, v));
    for (int i = 0; i < N; i++) {
        double best = INFINITY, own = INFINITY;
        int who = -1;
        for (int j = 0; j < K * PER; j++) {
            double x = sqrt(
                ib_pixel_mse(D, w->image + i * D, w->private_pixels + j * D));
            if (x < best) {
                best = x;
                who = w->who[j];
            }
            if (w->who[j] == i && x < own)
                own = x;
        }
        assert_true(fabs(v[i] - own) < 1e-12);
        assert_true(fabs(v[N + i] - best) < 1e-12);
        assert_true(v[2 * N + i] == (who == i) && v[4 * N + i] == who);
    }
}

static void nearest_tells_whose_image_it_is(void **state)
{
    struct world *w = *state;
    double v[6 * N];
    copy_private(w, 0, 8); /* aimed at person 0, shows person 4 */
    run(&ib_metric_nearest, w, v);
    assert_true(v[N] == 0 && v[2 * N] == 0 && v[4 * N] == 4 && v[0] > 0);
}

/* RMS distance to the private image: exactly grey / 255. */
static double copied_within(struct world *w, int grey)
{
    double v[6 * N];
    for (int i = 0; i < D; i++) {
        int x = w->private_pixels[8 * D + i];
        w->image[i] = (uint8_t)(x > 127 ? x - grey : x + grey);
    }
    run(&ib_metric_nearest, w, v);
    assert_true(v[5 * N + 1] == 0); /* noise of its own */
    return v[5 * N];
}

static void a_copy_is_within_five_grey_levels(void **state)
{
    assert_true(copied_within(*state, 0) == 1);
    assert_true(copied_within(*state, 5) == 1);
    assert_true(copied_within(*state, 6) == 0);
}

static void without_public_data_the_distance_is_null_with_a_reason(void **state)
{
    struct world *w = *state;
    double v[6 * N];
    w->publics.n = 0;
    assert_non_null(strstr(run(&ib_metric_nearest, w, v), "public"));
    assert_true(isnan(v[3 * N]) && !isnan(v[0]));
}

static double feature_distance(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < F; i++)
        sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    return sqrt(sum);
}

static void feature_distances_equal_brute_force(void **state)
{
    struct world *w = *state;
    double v[6 * N];
    assert_null(run(&ib_metric_nearest_features, w, v));
    for (int i = 0; i < N; i++) {
        double best = INFINITY;
        for (int j = 0; j < K * PER; j++)
            best = fmin(best, feature_distance(w->feature + i * F,
                                               w->private_feature + j * F));
        assert_true(fabs(v[N + i] - best) < 1e-12);
        assert_true(fabs(v[3 * N + i] - feature_distance(w->feature + i * F,
                                                         w->public_feature)) <
                    1e-12);
    }
}

static void identification_finds_a_copy(void **state)
{
    struct world *w = *state;
    double v[3 * N];
    copy_private(w, 0, 1);
    copy_private(w, 2, 0); /* aimed at person 2, shows person 0 */
    assert_null(run(&ib_metric_identification, w, v));
    assert_true(v[0] == 1 && v[N] == 1 && v[2 * N] == 1);
    assert_true(v[2] == 0 && v[2 * N + 2] > 1);
}

static void an_image_like_everybody_identifies_nobody(void **state)
{
    struct world *w = *state;
    double v[3 * N];
    for (int j = 1; j < K * PER; j++)
        memcpy(w->private_pixels + j * D, w->private_pixels, D);
    run(&ib_metric_identification, w, v);
    for (int i = 0; i < N; i++)
        assert_true(v[i] == 0 && v[N + i] == 0 && v[2 * N + i] == K);
}

static int brute_rank(const struct world *w, int i)
{
    double best[K];
    int rank = 1;
    for (int k = 0; k < K; k++)
        best[k] = fmin(feature_distance(w->feature + i * F,
                                        w->private_feature + 2 * k * F),
                       feature_distance(w->feature + i * F,
                                        w->private_feature + (2 * k + 1) * F));
    for (int k = 0; k < K; k++)
        rank += k != i && best[k] <= best[i];
    return rank;
}

static void feature_ranks_equal_brute_force(void **state)
{
    struct world *w = *state;
    double v[3 * N];
    assert_null(run(&ib_metric_identification_features, w, v));
    for (int i = 0; i < N; i++) {
        assert_true(v[2 * N + i] == brute_rank(w, i));
        assert_true(v[i] == (brute_rank(w, i) == 1));
        assert_true(v[N + i] == (brute_rank(w, i) <= 5));
    }
}

static void accuracy_counts_ties_against_the_target(void **state)
{
    struct world *w = *state;
    double v[3 * N];
    memset(w->logits, 0, sizeof w->logits);
    w->logits[K + 1] = 2; /* row 1 is sure of its target */
    assert_null(run(&ib_metric_accuracy, w, v));
    assert_true(v[0] == 0 && v[1] == 1);
    assert_true(v[N] == 0 && v[N + 1] == 1);
    assert_true(fabs(v[2 * N] - 1.0 / K) < 1e-12);
    assert_true(fabs(v[2 * N + 1] - exp(2) / (exp(2) + K - 1)) < 1e-12);
}

static void an_evaluator_without_an_answer_is_null(void **state)
{
    struct world *w = *state;
    double v[3 * N];
    const char *reason;
    memset(w->logits, 0, sizeof w->logits);
    w->logits[2] = NAN;
    reason = run(&ib_metric_accuracy, w, v);
    assert_true(isnan(v[0]) && isnan(v[N]) && isnan(v[2 * N]));
    assert_true(v[1] == 0 && reason);
}

static void five_of_under_ten_classes_is_null(void **state)
{
    struct world *w = *state;
    double v[3 * N];
    w->view.classes = w->env.classes = 9;
    w->train.n = 9 * PER;
    assert_non_null(strstr(run(&ib_metric_accuracy, w, v), "10 classes"));
    assert_true(isnan(v[N]) && !isnan(v[0]));
    assert_non_null(strstr(run(&ib_metric_identification, w, v), "10 classes"));
    assert_true(isnan(v[N]) && !isnan(v[2 * N]));
}

static void nobody_without_private_images_is_scored(void **state)
{
    struct world *w = *state;
    const char *reason;
    double v[6 * N];
    w->target[0] = K - 1;
    w->train.n = (K - 1) * PER;
    reason = run(&ib_metric_ssim, w, v);
    assert_true(isnan(v[0]) && !isnan(v[1]) && reason);
    reason = run(&ib_metric_identification, w, v);
    assert_true(isnan(v[0]) && isnan(v[2 * N]) && reason);
    reason = run(&ib_metric_identification_features, w, v);
    assert_true(isnan(v[0]) && reason);
    reason = run(&ib_metric_nearest, w, v);
    assert_true(isnan(v[0]) && !isnan(v[N]) && reason);
}

/* Many rows, and rows that float products cannot tell apart. */
static void nearest_is_exact_where_floats_are_not(void **state)
{
    enum { ROWS = 600, WIDE = 50 };
    static float a[ROWS * WIDE], b[ROWS * WIDE];
    static size_t index[ROWS];
    static double found[ROWS];
    struct world *w = *state;
    struct ib_rng rng = ib_rng_stream(1, "test", -1, "nearest");
    ib_rng_fill_normal(&rng, b, ROWS * WIDE, 1e-4f);
    ib_rng_fill_normal(&rng, a, ROWS * WIDE, 1e-4f);
    for (int i = 0; i < ROWS * WIDE; i++) {
        a[i] += 100;
        b[i] += 100;
    }
    struct ib_nearest q = {.d = WIDE, .index = index, .distance2 = found};
    q.a = (struct ib_rows){.n = ROWS, .floats = a};
    q.b = (struct ib_rows){.n = ROWS, .floats = b};
    assert_int_equal(ib_nearest_find(&q, w->env.scratch, NULL), IB_OK);
    for (size_t i = 0; i < ROWS; i += 37) {
        size_t best = 0;
        for (size_t j = 1; j < ROWS; j++)
            if (ib_rows_distance2(WIDE, &q.a, i, &q.b, j) <
                ib_rows_distance2(WIDE, &q.a, i, &q.b, best))
                best = j;
        assert_int_equal(index[i], best);
    }
}

static void ece_by_hand(void **state)
{
    struct ib_ece e = {0};
    (void)state;
    ib_ece_add(&e, 0.95, true); /* last bin: 3 of 4 right, 0.95 sure */
    ib_ece_add(&e, 0.95, true);
    ib_ece_add(&e, 0.95, true);
    ib_ece_add(&e, 0.95, false);
    ib_ece_add(&e, 0.51, false); /* [7/15, 8/15) */
    ib_ece_add(&e, 0.50, true);
    double want = (fabs(3 - 3.8) + fabs(1 - 1.01)) / 6;
    assert_true(fabs(ib_ece_value(&e) - want) < 1e-12);
}

static void ece_bins_hold_their_edges(void **state)
{
    struct ib_ece e = {0};
    (void)state;
    ib_ece_add(&e, 0, false);
    ib_ece_add(&e, 1, true);
    ib_ece_add(&e, 1.5, true); /* scores may leave [0, 1]: cut */
    assert_int_equal(e.n[0], 1);
    assert_int_equal(e.n[IB_ECE_BINS - 1], 2);
    assert_true(ib_ece_value(&e) == 0);
    assert_true(isnan(ib_ece_value(&(struct ib_ece){0})));
}

static void utility_without_defenses_moves_nothing(void **state)
{
    float scores[3 * 2] = {0.9f, 0.1f, 0.4f, 0.6f, 0, 0};
    const int32_t label[] = {0, 0};
    size_t counts[4] = {0};
    struct ib_utility u = {.correct = counts, .total = counts + 2};
    struct ib_stack none = {0};
    struct ib_utility_rows rows = {2, 0, 2, scores, label, 1};
    (void)state;
    assert_int_equal(ib_utility_add(&u, &none, &rows, NULL), IB_OK);
    assert_true(u.n == 2 && u.hits == 1 && u.distortion == 0);
    assert_true(counts[0] == 1 && counts[2] == 2 && counts[3] == 0);
    assert_true(fabs(ib_ece_value(&u.ece) - (0.1 + 0.6) / 2) < 1e-6);
}

int main(void)
{
#define WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WORLD(a_copy_is_as_good_as_it_gets),
        WORLD(nearest_equals_brute_force),
        WORLD(nearest_tells_whose_image_it_is),
        WORLD(a_copy_is_within_five_grey_levels),
        WORLD(without_public_data_the_distance_is_null_with_a_reason),
        WORLD(feature_distances_equal_brute_force),
        WORLD(identification_finds_a_copy),
        WORLD(an_image_like_everybody_identifies_nobody),
        WORLD(feature_ranks_equal_brute_force),
        WORLD(accuracy_counts_ties_against_the_target),
        WORLD(an_evaluator_without_an_answer_is_null),
        WORLD(five_of_under_ten_classes_is_null),
        WORLD(nobody_without_private_images_is_scored),
        WORLD(nearest_is_exact_where_floats_are_not),
        cmocka_unit_test(ece_by_hand),
        cmocka_unit_test(ece_bins_hold_their_edges),
        cmocka_unit_test(utility_without_defenses_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
