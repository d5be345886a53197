/* Each defense against its formula, and against the defects that other tools'
 * versions of it have had. */
#include "oracle_fixture.h"

#include <stdio.h>

#include "stack_fixture.h"

/* One answer through one defense given as JSON. */
static int defend(const char *defense, int k, float *p)
{
    struct stacked s;
    char text[256];
    int label;

    snprintf(text, sizeof(text), "[%s]", defense);
    stacked_open(&s, text);
    label = stacked_answer(&s, k, p, 0);
    stacked_close(&s);
    return label;
}

static void rounding_goes_to_the_nearest_multiple_half_to_even(void **state)
{
    float p[5] = {0.125f, 0.375f, 0.13f, 0.37f, 0.0f};
    const float want[5] = {0.0f, 0.5f, 0.25f, 0.25f, 0.0f};
    (void)state;

    defend("{\"name\":\"round\",\"step\":0.25}", 5, p);
    for (int i = 0; i < 5; i++)
        assert_float_equal(p[i], want[i], 1e-7);
}

static void rounding_to_thousandths_is_not_renormalised(void **state)
{
    float p[3] = {0.33333f, 0.33333f, 0.33334f};
    (void)state;

    defend("{\"name\":\"round\",\"step\":0.001}", 3, p);
    assert_float_equal(p[0] + p[1] + p[2], 0.999, 1e-6);
}

static void rounding_may_leave_nothing_and_keeps_the_label(void **state)
{
    float p[4] = {0.2f, 0.2f, 0.35f, 0.25f};
    (void)state;

    assert_int_equal(defend("{\"name\":\"round\",\"step\":1}", 4, p), 2);
    for (int i = 0; i < 4; i++)
        assert_float_equal(p[i], 0, 0);
}

static void top_k_keeps_exactly_k_with_ties_to_the_lower_index(void **state)
{
    float p[5] = {0.1f, 0.25f, 0.25f, 0.25f, 0.15f};
    const float want[5] = {0, 0.25f, 0.25f, 0, 0};
    (void)state;

    defend("{\"name\":\"top-k\",\"k\":2}", 5, p);
    assert_memory_equal(p, want, sizeof(p));
}

static void top_k_renormalises_only_when_asked(void **state)
{
    float p[3] = {0.5f, 0.3f, 0.2f};
    (void)state;

    defend("{\"name\":\"top-k\",\"k\":2,\"renormalise\":true}", 3, p);
    assert_float_equal(p[0], 0.625, 1e-6);
    assert_float_equal(p[1], 0.375, 1e-6);
    assert_float_equal(p[2], 0, 0);
}

static void top_k_of_more_than_all_keeps_all(void **state)
{
    float p[3] = {0.5f, 0.3f, 0.2f};
    const float want[3] = {0.5f, 0.3f, 0.2f};
    (void)state;

    defend("{\"name\":\"top-k\",\"k\":9}", 3, p);
    assert_memory_equal(p, want, sizeof(p));
}

static void top_k_survives_scores_that_are_no_numbers(void **state)
{
    float p[4] = {NAN, 0.3f, NAN, 0.2f};
    (void)state;

    defend("{\"name\":\"top-k\",\"k\":3}", 4, p);
    assert_float_equal(p[1], 0.3f, 0);
}

static void label_only_lets_one_hot_vectors_out(void **state)
{
    float p[3] = {0.2f, 0.5f, 0.3f};
    const float want[3] = {0, 1, 0};
    (void)state;

    assert_int_equal(defend("{\"name\":\"label-only\"}", 3, p), 1);
    assert_memory_equal(p, want, sizeof(p));
}

/* Through the oracle, in one batch: a known postprocessor wrote every row's
 * label into every row, and another's noise depended on the other rows. */
static void ask_batched(const struct ib_stack *stack, size_t step, float *out)
{
    struct fixture f;
    const int32_t slot[FIX_ROWS] = {0};
    float rows[FIX_ROWS * FIX_D];
    const float *scores;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.stack = stack;
    fix_open(&f, &params);
    fix_rows(&f, FIX_ROWS, 3);
    memcpy(rows, ib_oracle_input(f.oracle), sizeof(rows));
    for (size_t i = 0; i < FIX_ROWS; i += step) {
        memcpy(ib_oracle_input(f.oracle), rows + i * FIX_D,
               step * FIX_D * sizeof(*rows));
        assert_int_equal(
            ib_oracle_scores(f.oracle, step, slot, &scores, &f.err), IB_OK);
        memcpy(out + i * FIX_K, scores, step * FIX_K * sizeof(*out));
    }
    fix_close(&f);
}

static void no_defense_depends_on_the_batch(void **state)
{
    const char *const all[] = {
        "[{\"name\":\"round\"}]",
        "[{\"name\":\"top-k\",\"k\":2}]",
        "[{\"name\":\"label-only\"}]",
        "[{\"name\":\"temperature\"}]",
        "[{\"name\":\"noise\"}]",
        "[{\"name\":\"noise\",\"distribution\":\"laplace\"}]",
    };
    float together[FIX_ROWS * FIX_K], apart[FIX_ROWS * FIX_K];
    (void)state;

    for (size_t i = 0; i < IB_COUNT(all); i++) {
        struct stacked s;
        stacked_open(&s, all[i]);
        ask_batched(&s.stack, FIX_ROWS, together);
        ask_batched(&s.stack, 1, apart);
        stacked_close(&s);
        for (int j = 0; j < FIX_ROWS * FIX_K; j++)
            assert_true(fabs(together[j] - apart[j]) < 1e-5);
    }
}

static void labels_of_a_batch_do_not_mix(void **state)
{
    struct stacked s;
    float out[FIX_ROWS * FIX_K];
    int seen[FIX_K] = {0}, kinds = 0;
    (void)state;

    stacked_open(&s, "[{\"name\":\"label-only\"}]");
    ask_batched(&s.stack, FIX_ROWS, out);
    stacked_close(&s);
    for (int i = 0; i < FIX_ROWS; i++) {
        float sum = 0;
        for (int k = 0; k < FIX_K; k++) {
            sum += out[i * FIX_K + k];
            seen[k] |= out[i * FIX_K + k] == 1;
        }
        assert_float_equal(sum, 1, 0);
    }
    for (int k = 0; k < FIX_K; k++)
        kinds += seen[k];
    assert_true(kinds > 1);
}

static void noisy_answers_stay_probabilities(void **state)
{
    struct stacked s;
    (void)state;

    stacked_open(&s, "[{\"name\":\"noise\",\"scale\":2}]");
    for (uint64_t i = 0; i < 200; i++) {
        float p[3] = {0.2f, 0.5f, 0.3f};
        int label = stacked_answer(&s, 3, p, i);
        assert_float_equal(p[0] + p[1] + p[2], 1, 1e-5);
        for (int k = 0; k < 3; k++) {
            assert_true(p[k] >= 0);
            assert_true(p[k] <= p[label]);
        }
    }
    stacked_close(&s);
}

/* Mean and spread of 4000 draws, within five standard errors. */
static void noise_moments(const char *distribution, double spread)
{
    struct stacked s;
    char text[160];
    double sum = 0, squares = 0, n = 4000;

    snprintf(text, sizeof(text),
             "[{\"name\":\"noise\",\"distribution\":\"%s\",\"scale\":0.1,"
             "\"clip\":false,\"renormalise\":false}]",
             distribution);
    stacked_open(&s, text);
    for (uint64_t i = 0; i < 4000; i++) {
        float p[1] = {0.5f};
        stacked_answer(&s, 1, p, i);
        sum += p[0] - 0.5;
        squares += (p[0] - 0.5) * (p[0] - 0.5);
    }
    stacked_close(&s);
    assert_true(fabs(sum / n) < 5 * spread / sqrt(n));
    assert_true(fabs(squares / n / (spread * spread) - 1) < 0.2);
}

static void noise_has_the_spread_it_was_asked_for(void **state)
{
    (void)state;
    noise_moments("gaussian", 0.1);
    noise_moments("laplace", 0.1 * sqrt(2));
}

static void temperature_is_softmax_of_divided_logits(void **state)
{
    const double z[4] = {1.5, -2, 0.25, 3};
    double sum = 0, want = 0;
    float p[4];
    (void)state;

    for (int i = 0; i < 4; i++) {
        sum += exp(z[i]);
        want += exp(z[i] / 3);
    }
    for (int i = 0; i < 4; i++)
        p[i] = (float)(exp(z[i]) / sum);
    defend("{\"name\":\"temperature\",\"t\":3}", 4, p);
    for (int i = 0; i < 4; i++)
        assert_true(fabs(p[i] - exp(z[i] / 3) / want) < 1e-6);
}

static void temperature_of_zeros_makes_no_nan(void **state)
{
    float p[3] = {0, 0, 0}, q[3] = {0, 1, 0};
    (void)state;

    defend("{\"name\":\"temperature\",\"t\":3}", 3, p);
    assert_float_equal(p[0], 0, 0);
    defend("{\"name\":\"temperature\",\"t\":3}", 3, q);
    assert_float_equal(q[1], 1, 0);
    assert_float_equal(q[0], 0, 0);
}

/* Targets of one row of class 1 among 4 in an epoch of 20. */
static void smooth(const char *options, int64_t epoch, float target[4])
{
    struct stacked s;
    char text[200];
    const int32_t label = 1;
    struct ib_train_hook hook[IB_STACK_MAX];
    struct ib_train_batch batch = {.n = 1,
                                   .classes = 4,
                                   .label = &label,
                                   .target = target,
                                   .at = {.epoch = epoch, .epochs = 20}};

    for (int k = 0; k < 4; k++)
        target[k] = k == label;
    snprintf(text, sizeof(text), "[{\"name\":\"label-smoothing\"%s}]", options);
    stacked_open(&s, text);
    assert_int_equal(ib_stack_hooks(&s.stack, hook), 1);
    hook[0].batch(hook[0].options, &batch);
    stacked_close(&s);
}

static void smoothing_spreads_alpha_over_all_classes(void **state)
{
    float t[4];
    (void)state;

    smooth(",\"alpha\":0.2,\"start\":0,\"ramp\":0", 0, t);
    assert_float_equal(t[1], 0.85, 1e-6);
    assert_float_equal(t[0], 0.05, 1e-6);
    assert_float_equal(t[0] + t[1] + t[2] + t[3], 1, 1e-6);
}

static void negative_smoothing_pushes_targets_below_zero(void **state)
{
    float t[4];
    (void)state;

    smooth("", 19, t);
    assert_true(fabs(t[1] - 1.0375) < 1e-6);
    assert_float_equal(t[0], -0.0125, 1e-6);
}

static void smoothing_waits_then_ramps_up_to_alpha(void **state)
{
    const int64_t epoch[5] = {9, 10, 12, 14, 15};
    const double share[5] = {0, 0.2, 0.6, 1, 1};
    float t[4];
    (void)state;

    for (int i = 0; i < 5; i++) {
        smooth("", epoch[i], t);
        assert_true(fabs(t[0] + 0.0125 * share[i]) < 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_goes_to_the_nearest_multiple_half_to_even),
        cmocka_unit_test(rounding_to_thousandths_is_not_renormalised),
        cmocka_unit_test(rounding_may_leave_nothing_and_keeps_the_label),
        cmocka_unit_test(top_k_keeps_exactly_k_with_ties_to_the_lower_index),
        cmocka_unit_test(top_k_renormalises_only_when_asked),
        cmocka_unit_test(top_k_of_more_than_all_keeps_all),
        cmocka_unit_test(top_k_survives_scores_that_are_no_numbers),
        cmocka_unit_test(label_only_lets_one_hot_vectors_out),
        cmocka_unit_test(no_defense_depends_on_the_batch),
        cmocka_unit_test(labels_of_a_batch_do_not_mix),
        cmocka_unit_test(noisy_answers_stay_probabilities),
        cmocka_unit_test(noise_has_the_spread_it_was_asked_for),
        cmocka_unit_test(temperature_is_softmax_of_divided_logits),
        cmocka_unit_test(temperature_of_zeros_makes_no_nan),
        cmocka_unit_test(smoothing_spreads_alpha_over_all_classes),
        cmocka_unit_test(negative_smoothing_pushes_targets_below_zero),
        cmocka_unit_test(smoothing_waits_then_ramps_up_to_alpha),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
