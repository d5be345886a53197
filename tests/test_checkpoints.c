/* What the oracle keeps of the guesses at each query checkpoint. */
#include "oracle_fixture.h"

/* The guess says how many queries had been made when it was published. */
static void checkpoints_hold_what_stood_within_their_queries(void **state)
{
    struct fixture f;
    uint8_t *pixels;
    size_t bytes, set = FIX_TARGETS * FIX_D;
    cJSON *meta;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    fix_open(&f, &params);
    fix_rows(&f, 4, 1);
    for (int asked = 0; asked < 32; asked += 4) {
        ib_oracle_guess(f.oracle, 1)[0] = (float)asked / 255;
        fix_ask(&f, 4, 1);
    }
    ib_oracle_guess(f.oracle, 1)[0] = 32.0f / 255;
    ib_oracle_guess(f.oracle, 0)[0] = 99.0f / 255;
    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(f.oracle), &meta,
                                          &pixels, &bytes, &f.err),
                     IB_OK);
    assert_int_equal(bytes, 3 * set); /* final, 10, 30 */
    assert_int_equal(pixels[FIX_D], 32);
    assert_int_equal(pixels[set + FIX_D], 8);
    assert_int_equal(pixels[2 * set + FIX_D], 28);
    assert_int_equal(pixels[set], 99); /* ended before: its final image */
    const cJSON *reached = cJSON_GetObjectItem(meta, "reached");
    const cJSON *first = cJSON_GetArrayItem(reached, 0);
    assert_true(cJSON_IsTrue(cJSON_GetArrayItem(first, 1)));
    assert_true(cJSON_IsFalse(cJSON_GetArrayItem(first, 0)));
    cJSON_Delete(meta);
    free(pixels);
    fix_close(&f);
}

static void a_checkpoint_just_reached_holds_the_final_guess(void **state)
{
    struct fixture f;
    uint8_t *pixels;
    size_t bytes;
    cJSON *meta;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.max_queries = 10;
    fix_open(&f, &params);
    fix_rows(&f, 8, 1);
    fix_ask(&f, 8, 0);
    fix_ask(&f, 8, 0); /* two of them granted */
    ib_oracle_guess(f.oracle, 0)[0] = 1;
    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(f.oracle), &meta,
                                          &pixels, &bytes, &f.err),
                     IB_OK);
    assert_int_equal(bytes, 3 * FIX_TARGETS * FIX_D); /* final, 5, 10 */
    assert_int_equal(pixels[2 * FIX_TARGETS * FIX_D], 255);
    cJSON_Delete(meta);
    free(pixels);
    fix_close(&f);
}

static void half_of_the_budget_is_a_checkpoint(void **state)
{
    static const int want[] = {10, 30, 50, 100};
    struct fixture f;
    uint8_t *pixels;
    size_t bytes, set = FIX_TARGETS * FIX_D;
    cJSON *meta;
    (void)state;

    fix_net(&f);
    struct ib_oracle_params params = fix_params(&f, IB_SCORES);
    params.max_queries = 100;
    fix_open(&f, &params);
    fix_rows(&f, 4, 1);
    for (int asked = 0; asked < 100; asked += 4) {
        ib_oracle_guess(f.oracle, 0)[0] = (float)asked / 255;
        fix_ask(&f, 4, 0);
    }
    assert_int_equal(ib_oracle_core_recon(ib_oracle_local_core(f.oracle), &meta,
                                          &pixels, &bytes, &f.err),
                     IB_OK);
    assert_int_equal(bytes, 5 * set);
    const cJSON *list = cJSON_GetObjectItem(meta, "checkpoints");
    for (int i = 0; i < 4; i++)
        assert_int_equal(cJSON_GetArrayItem(list, i)->valueint, want[i]);
    assert_int_equal(pixels[3 * set], 48); /* the ask that passes 50 */
    cJSON_Delete(meta);
    free(pixels);
    fix_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoints_hold_what_stood_within_their_queries),
        cmocka_unit_test(a_checkpoint_just_reached_holds_the_final_guess),
        cmocka_unit_test(half_of_the_budget_is_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
