/* The oracle's engine, behind a plain call: answers, counting, budgets,
 * the clock, and what it refuses. */
#include "oracle_fixture.h"

static void scores_are_the_models_probabilities(void **state)
{
    struct fixture f;
    const int32_t slot[3] = {0, 2, IB_SHARED};
    const float *scores;
    double p[FIX_K];
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    fix_rows(&f, 3, 1);
    assert_int_equal(ib_oracle_scores(f.oracle, 3, slot, &scores, &f.err),
                     IB_OK);
    for (int i = 0; i < 3; i++) {
        fix_expected(&f, ib_oracle_input(f.oracle) + i * FIX_D, p);
        for (int k = 0; k < FIX_K; k++)
            assert_true(fabs(scores[i * FIX_K + k] - p[k]) < 1e-6);
    }
    fix_close(&f);
}

static void labels_are_one_hot_row_by_row(void **state)
{
    struct fixture f;
    const int32_t slot[FIX_ROWS] = {0};
    const float *scores;
    double p[FIX_K];
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_LABELS);
    fix_open(&f, &params);
    fix_rows(&f, FIX_ROWS, 3);
    assert_int_equal(
        ib_oracle_scores(f.oracle, FIX_ROWS, slot, &scores, &f.err), IB_OK);
    for (int i = 0; i < FIX_ROWS; i++) {
        int best = 0;
        fix_expected(&f, ib_oracle_input(f.oracle) + i * FIX_D, p);
        for (int k = 1; k < FIX_K; k++)
            best = p[k] > p[best] ? k : best;
        for (int k = 0; k < FIX_K; k++)
            assert_float_equal(scores[i * FIX_K + k], k == best, 0);
    }
    assert_float_equal(fix_count(&f, "label", 0), FIX_ROWS, 0);
    assert_float_equal(fix_count(&f, "forward", 0), 0, 0);
    fix_close(&f);
}

static void vjp_is_the_jacobian_of_the_rows_asked(void **state)
{
    struct fixture f;
    const int32_t slot[2] = {0, 1};
    const float cotangent[2 * FIX_K] = {1, 0, -2, 0, 0, 3, 0, 0.5f};
    const float *logits, *g;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_GRADIENTS);
    fix_open(&f, &params);
    fix_rows(&f, 2, 1);
    assert_int_equal(ib_oracle_logits(f.oracle, 2, slot, &logits, &f.err),
                     IB_OK);
    assert_int_equal(ib_oracle_vjp(f.oracle, 2, cotangent, &g, &f.err), IB_OK);
    for (int i = 0; i < 2; i++)
        for (int d = 0; d < FIX_D; d++) {
            double want = 0;
            for (int k = 0; k < FIX_K; k++)
                want +=
                    (double)cotangent[i * FIX_K + k] * f.weight[k * FIX_D + d];
            assert_true(fabs(g[i * FIX_D + d] - want) < 1e-5);
        }
    assert_float_equal(fix_count(&f, "forward", 1), 1, 0);
    assert_float_equal(fix_count(&f, "gradient", 1), 1, 0);
    fix_close(&f);
}

static void a_level_grants_nothing_above_itself(void **state)
{
    struct fixture f;
    const int32_t slot[1] = {0};
    const float cotangent[FIX_K] = {1}, *out;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    fix_rows(&f, 1, 1);
    assert_int_equal(ib_oracle_logits(f.oracle, 1, slot, &out, &f.err),
                     IB_E_DENIED);
    assert_non_null(strstr(f.err.text, "the oracle grants scores"));
    assert_int_equal(ib_oracle_vjp(f.oracle, 1, cotangent, &out, &f.err),
                     IB_E_DENIED);
    assert_int_equal(ib_oracle_count(f.oracle, 0, 1, 1, &f.err), IB_E_DENIED);
    assert_null(ib_oracle_net(f.oracle, NULL));
    fix_close(&f);
}

static void a_product_needs_the_logits_of_its_rows(void **state)
{
    struct fixture f;
    const int32_t slot[2] = {0, 0};
    const float cotangent[2 * FIX_K] = {1}, *out;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_GRADIENTS);
    fix_open(&f, &params);
    fix_rows(&f, 2, 1);
    assert_int_equal(ib_oracle_vjp(f.oracle, 2, cotangent, &out, &f.err),
                     IB_E_USAGE);
    assert_int_equal(ib_oracle_logits(f.oracle, 2, slot, &out, &f.err), IB_OK);
    assert_int_equal(ib_oracle_vjp(f.oracle, 1, cotangent, &out, &f.err),
                     IB_E_USAGE);
    assert_int_equal(ib_oracle_scores(f.oracle, 2, slot, &out, &f.err), IB_OK);
    assert_int_equal(ib_oracle_vjp(f.oracle, 2, cotangent, &out, &f.err),
                     IB_E_USAGE);
    fix_close(&f);
}

static void rows_beyond_the_budget_are_denied_as_zeros(void **state)
{
    struct fixture f;
    const int32_t slot[4] = {0, 1, 0, 0};
    const float *scores;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.max_queries = 2;
    fix_open(&f, &params);
    fix_rows(&f, 4, 1);
    assert_int_equal(ib_oracle_scores(f.oracle, 4, slot, &scores, &f.err),
                     IB_OK);
    assert_int_equal(ib_oracle_denied(f.oracle)[2], 0);
    assert_int_equal(ib_oracle_denied(f.oracle)[3], 1);
    for (int k = 0; k < FIX_K; k++)
        assert_float_equal(scores[3 * FIX_K + k], 0, 0);
    assert_true(scores[2 * FIX_K] > 0);
    assert_int_equal(ib_oracle_left(f.oracle, 0), 0);
    assert_int_equal(ib_oracle_left(f.oracle, 1), 1);
    assert_float_equal(fix_count(&f, "denied", 0), 1, 0);
    assert_float_equal(fix_count(&f, "forward", 0), 2, 0);
    fix_close(&f);
}

static void a_granted_row_after_a_denied_one_gets_its_own_answer(void **state)
{
    struct fixture f;
    const int32_t slot[3] = {0, 0, 1};
    const float *scores;
    double p[FIX_K];
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.max_queries = 1;
    fix_open(&f, &params);
    fix_rows(&f, 3, 1);
    fix_expected(&f, ib_oracle_input(f.oracle) + 2 * FIX_D, p);
    assert_int_equal(ib_oracle_scores(f.oracle, 3, slot, &scores, &f.err),
                     IB_OK);
    for (int k = 0; k < FIX_K; k++)
        assert_true(fabs(scores[2 * FIX_K + k] - p[k]) < 1e-6);
    fix_close(&f);
}

static void gradients_are_paid_from_the_same_budget(void **state)
{
    struct fixture f;
    const int32_t slot[2] = {0, 1};
    const float cotangent[2 * FIX_K] = {1, 0, 0, 0, 1, 0, 0, 0};
    const float *out;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_GRADIENTS);
    params.max_queries = 3;
    fix_open(&f, &params);
    fix_rows(&f, 2, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ib_oracle_logits(f.oracle, 2, slot, &out, &f.err),
                         IB_OK);
        assert_int_equal(ib_oracle_vjp(f.oracle, 2, cotangent, &out, &f.err),
                         IB_OK);
        assert_int_equal(ib_oracle_denied(f.oracle)[0], i);
    }
    for (int d = 0; d < 2 * FIX_D; d++)
        assert_float_equal(out[d], 0, 0);
    assert_float_equal(fix_count(&f, "gradient", 0), 1, 0);
    assert_float_equal(fix_count(&f, "forward", 0), 2, 0);
    fix_close(&f);
}

static void shared_questions_are_paid_by_all(void **state)
{
    struct fixture f;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.max_queries = 3;
    fix_open(&f, &params);
    fix_rows(&f, 4, 1);
    fix_ask(&f, 4, IB_SHARED);
    assert_int_equal(ib_oracle_left(f.oracle, 1), 1); /* ceil(4 / 3) = 2 */
    assert_int_equal(ib_oracle_left(f.oracle, IB_SHARED), 5);
    fix_ask(&f, 1, 0);
    assert_int_equal(ib_oracle_left(f.oracle, IB_SHARED), 2);
    fix_ask(&f, 3, IB_SHARED);
    assert_int_equal(ib_oracle_denied(f.oracle)[2], 1);
    assert_float_equal(fix_count(&f, "shared", 0), 6, 0);
    assert_float_equal(fix_count(&f, "shared_denied", 0), 1, 0);
    fix_close(&f);
}

static void the_same_bytes_again_are_counted_as_repeated(void **state)
{
    struct fixture f;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    for (int i = 0; i < 600; i++) { /* more than the first table holds */
        for (int d = 0; d < FIX_D; d++)
            ib_oracle_input(f.oracle)[d] = (float)(i % 500) / 512;
        fix_ask(&f, 1, 1);
    }
    fix_ask(&f, 1, 0); /* another slot has not seen it */
    assert_float_equal(fix_count(&f, "repeated", 1), 100, 0);
    assert_float_equal(fix_count(&f, "forward", 1), 600, 0);
    assert_float_equal(fix_count(&f, "repeated", 0), 0, 0);
    fix_close(&f);
}

static void a_nan_in_a_guess_names_class_and_place(void **state)
{
    struct fixture f;
    uint8_t *pixels;
    size_t bytes;
    cJSON *meta;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    ib_oracle_guess(f.oracle, 1)[4] = NAN;
    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(f.oracle), &meta,
                                          &pixels, &bytes, &f.err),
                     IB_E_NUMERIC);
    assert_non_null(strstr(f.err.text, "class 2 (slot 1, image 0)"));
    assert_non_null(strstr(f.err.text, "row 1, column 1"));
    assert_null(meta);
    assert_null(pixels);
    fix_close(&f);
}

static void a_bad_ask_is_refused_whole_and_costs_nothing(void **state)
{
    struct fixture f;
    int32_t slot[FIX_ROWS + 1] = {0};
    const float *out;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    fix_rows(&f, 2, 1);
    slot[1] = FIX_TARGETS;
    assert_int_equal(ib_oracle_scores(f.oracle, 2, slot, &out, &f.err),
                     IB_E_USAGE);
    slot[1] = -2;
    assert_int_equal(ib_oracle_scores(f.oracle, 2, slot, &out, &f.err),
                     IB_E_USAGE);
    slot[1] = 0;
    assert_int_equal(
        ib_oracle_scores(f.oracle, FIX_ROWS + 1, slot, &out, &f.err),
        IB_E_USAGE);
    ib_oracle_input(f.oracle)[FIX_D + 2] = INFINITY;
    assert_int_equal(ib_oracle_scores(f.oracle, 2, slot, &out, &f.err),
                     IB_E_NUMERIC);
    assert_non_null(strstr(f.err.text, "row 1: number 2"));
    assert_float_equal(fix_count(&f, "forward", 0), 0, 0);
    assert_null(ib_oracle_guess(f.oracle, FIX_TARGETS));
    assert_null(ib_oracle_guess(f.oracle, -1));
    fix_close(&f);
}

/* The client's checks do not stand between a hostile attack and the core. */
static void the_core_trusts_nothing_in_the_buffer(void **state)
{
    struct fixture f;
    struct ib_error err = {0};
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    struct ib_oracle_control *control = f.oracle->buffer.control;
    struct ib_oracle_core *core = ib_oracle_local_core(f.oracle);
    const uint32_t asks[] = {
        IB_ASK_SCORES, IB_ASK_LOGITS, IB_ASK_VJP, IB_ASK_COUNT, 0, 77};
    for (size_t i = 0; i < IB_COUNT(asks); i++) {
        *control = (struct ib_oracle_control){.ask = asks[i],
                                              .n = 0xffffffffu,
                                              .slot = 1 << 30,
                                              .forward = UINT64_MAX};
        assert_false(ib_oracle_core_serve(core, &err));
        assert_int_not_equal(control->status, IB_OK);
    }
    memset(control, 0xff, sizeof(*control));
    control->ask = IB_ASK_DONE;
    assert_true(ib_oracle_core_serve(core, &err));
    assert_int_equal(err.status, IB_E_INTERNAL);
    fix_close(&f);
}

static void whitebox_counts_what_it_is_told_up_to_the_budget(void **state)
{
    struct fixture f;
    const struct ib_model_nodes *nodes;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_WHITEBOX);
    params.max_queries = 100;
    fix_open(&f, &params);
    assert_ptr_equal(ib_oracle_net(f.oracle, &nodes), f.net);
    assert_int_equal(nodes->logits, f.nodes.logits);
    assert_int_equal(ib_oracle_count(f.oracle, 0, 60, 40, &f.err), IB_OK);
    assert_int_equal(ib_oracle_count(f.oracle, 0, 1, 0, &f.err), IB_E_BUDGET);
    assert_int_equal(
        ib_oracle_count(f.oracle, 1, UINT64_MAX, UINT64_MAX, &f.err),
        IB_E_BUDGET);
    assert_int_equal(ib_oracle_count(f.oracle, 9, 1, 0, &f.err), IB_E_USAGE);
    assert_float_equal(fix_count(&f, "gradient", 0), 40, 0);
    fix_close(&f);
}

static void the_clock_takes_the_slower_of_latency_and_rate(void **state)
{
    struct fixture f;
    uint8_t *pixels;
    size_t bytes;
    cJSON *meta;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.latency = 0.5;
    params.rate_limit = 4;
    fix_open(&f, &params);
    fix_rows(&f, 8, 1);
    fix_ask(&f, 1, 0); /* 0.25 s by rate: 0.5 */
    fix_ask(&f, 8, 0); /* 2 s by rate */
    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(f.oracle), &meta,
                                          &pixels, &bytes, &f.err),
                     IB_OK);
    assert_float_equal(
        cJSON_GetObjectItem(meta, "simulated_seconds")->valuedouble, 2.5, 0);
    cJSON_Delete(meta);
    free(pixels);
    fix_close(&f);
}

static void targets_that_the_model_does_not_know_are_refused(void **state)
{
    struct fixture f;
    const int32_t target[FIX_TARGETS] = {0, 1, FIX_K};
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.target = target;
    assert_int_equal(ib_oracle_open_local(&f.oracle, &params, &f.err),
                     IB_E_USAGE);
    assert_non_null(strstr(f.err.text, "class 4"));
    params.targets = 0;
    assert_int_equal(ib_oracle_open_local(&f.oracle, &params, &f.err),
                     IB_E_USAGE);
    ib_net_free(f.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_the_models_probabilities),
        cmocka_unit_test(labels_are_one_hot_row_by_row),
        cmocka_unit_test(vjp_is_the_jacobian_of_the_rows_asked),
        cmocka_unit_test(a_level_grants_nothing_above_itself),
        cmocka_unit_test(a_product_needs_the_logits_of_its_rows),
        cmocka_unit_test(rows_beyond_the_budget_are_denied_as_zeros),
        cmocka_unit_test(a_granted_row_after_a_denied_one_gets_its_own_answer),
        cmocka_unit_test(gradients_are_paid_from_the_same_budget),
        cmocka_unit_test(shared_questions_are_paid_by_all),
        cmocka_unit_test(the_same_bytes_again_are_counted_as_repeated),
        cmocka_unit_test(a_nan_in_a_guess_names_class_and_place),
        cmocka_unit_test(a_bad_ask_is_refused_whole_and_costs_nothing),
        cmocka_unit_test(the_core_trusts_nothing_in_the_buffer),
        cmocka_unit_test(whitebox_counts_what_it_is_told_up_to_the_budget),
        cmocka_unit_test(the_clock_takes_the_slower_of_latency_and_rate),
        cmocka_unit_test(targets_that_the_model_does_not_know_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
