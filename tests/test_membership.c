/* Scores of membership and what they are worth, against values worked out by
 * hand; what shadow models learn from. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "membership.h"
#include "shadow.h"

/* --- single answers --------------------------------------------------------
 */

static void answers_are_scored_by_label_and_without(void **state)
{
    const float p[] = {0.5F, 0.25F, 0.25F}, odd[] = {0, 1, -0.1F};

    (void)state;
    assert_float_equal(ib_membership_loss(3, p, 0), log(0.5), 1e-12);
    assert_float_equal(ib_membership_confidence(3, p), 0.5, 0);
    assert_float_equal(ib_membership_logit(3, p, 0), 0, 1e-12);
    assert_float_equal(ib_membership_logit(3, p, 1), log(0.25 / 0.75), 1e-12);
    assert_float_equal(ib_membership_loss(3, odd, 0), log(1e-30), 1e-9);
    assert_float_equal(ib_membership_logit(3, odd, 1), -log(1e-30), 1e-9);
    assert_float_equal(ib_membership_logit(3, odd, 2), log(1e-30), 1e-9);
}

static void assert_near(double a, double b, double room)
{
    if (!(fabs(a - b) <= room))
        fail_msg("%.15g is not %.15g", a, b);
}

/* --- LiRA ------------------------------------------------------------------
 */

static void lira_pools_variances_of_few_shadows(void **state)
{
    /* image 0: in {2, 4}, out {0, 2}; image 1: in {1, 1}, out {-1, 1}.
     * Pooled: in (2 + 0) / 2 = 1, out (2 + 2) / 2 = 2. */
    const double shadow[] = {2, 4, 0, 2, -1, 1, 1, 1};
    const uint8_t in[] = {1, 1, 0, 0, 0, 1, 0, 1};
    const double target[] = {3, 0};
    struct ib_lira q = {2, 4, target, shadow, in, true};
    struct ib_error err = {0};
    double score[2];

    (void)state;
    assert_int_equal(ib_lira_score(&q, score, &err), IB_OK);
    assert_near(score[0], 0.5 * (log(2) + 2), 1e-12);
    assert_near(score[1], -0.5 + 0.5 * log(2), 1e-12);
    q.online = false;
    assert_int_equal(ib_lira_score(&q, score, &err), IB_OK);
    assert_near(score[0], sqrt(2), 1e-12);
    assert_near(score[1], 0, 1e-12);
}

static void lira_fits_each_image_where_shadows_are_many(void **state)
{
    enum { SHADOWS = IB_LIRA_OWN };
    double shadow[2 * SHADOWS], score[2];
    uint8_t in[2 * SHADOWS];
    const double target[] = {2, 2};
    const struct ib_lira q = {2, SHADOWS, target, shadow, in, true};
    struct ib_error err = {0};

    (void)state;
    for (int k = 0; k < SHADOWS; k++) {
        in[k] = in[SHADOWS + k] = (uint8_t)(k % 2);
        shadow[k] = k % 2 + 2 * (k / 2 % 2); /* in {1, 3}, out {0, 2} */
        shadow[SHADOWS + k] = 100 * shadow[k];
    }
    assert_int_equal(ib_lira_score(&q, score, &err), IB_OK);
    assert_near(score[0], 0.5 * 31 / 32, 1e-12);
}

static void lira_wants_shadows_on_both_sides(void **state)
{
    const double shadow[] = {2, 4, 0, 2}, target[] = {3};
    const uint8_t in[] = {1, 1, 1, 1};
    struct ib_lira q = {1, 4, target, shadow, in, true};
    struct ib_error err = {0};
    double score;

    (void)state;
    assert_int_equal(ib_lira_score(&q, &score, &err), IB_E_DENIED);
    assert_non_null(strstr(err.text, "did without"));
}

/* --- ROC --------------------------------------------------------------------
 */

static void judge(const double *score, size_t members, size_t others,
                  struct ib_membership_worth *out)
{
    const struct ib_membership_task t = {members, others, &score, 1, 7};
    struct ib_error err = {0};

    assert_int_equal(ib_membership_judge(&t, out, &err), IB_OK);
}

static void ties_count_half_in_the_area(void **state)
{
    const double score[] = {3, 2, 2, 0, /* others: */ 2, 1, 0};
    struct ib_membership_worth w;

    (void)state;
    judge(score, 4, 3, &w);
    assert_float_equal(w.auc.value, 8.5 / 12, 1e-15);
    assert_true(isnan(w.auc.low));
    assert_non_null(strstr(w.auc.reason, "under 10"));
}

static void rates_take_images_of_one_score_together(void **state)
{
    enum { MEMBERS = 20, OTHERS = 1000 };
    double score[MEMBERS + OTHERS];
    struct ib_membership_worth w, again;

    (void)state;
    for (int i = 0; i < MEMBERS; i++)
        score[i] = i < 5 ? 1e6 : i < 10 ? 989.5 : i < 15 ? 989 : -1;
    for (int i = 0; i < OTHERS; i++)
        score[MEMBERS + i] = i;
    judge(score, MEMBERS, OTHERS, &w);
    assert_float_equal(w.tpr[1].value, 0.5, 0);
    assert_true(w.tpr[1].low > 0.05 && w.tpr[1].low < 0.5);
    assert_true(w.tpr[1].high > 0.5 && w.tpr[1].high <= 1);
    assert_true(isnan(w.tpr[0].value));
    assert_non_null(strstr(w.tpr[0].reason, "10000 non-members"));
    judge(score, MEMBERS, OTHERS, &again);
    assert_float_equal(w.auc.low, again.auc.low, 0);
    assert_float_equal(w.auc.high, again.auc.high, 0);
    judge(score, MEMBERS, OTHERS - 1, &w);
    assert_true(isnan(w.tpr[1].value) && isnan(w.tpr[1].low));
}

static void perfect_separation_leaves_room_for_doubt(void **state)
{
    double score[60];
    struct ib_membership_worth w;

    (void)state;
    for (int i = 0; i < 60; i++)
        score[i] = i < 40;
    judge(score, 40, 20, &w);
    assert_float_equal(w.auc.value, 1, 0);
    assert_float_equal(w.auc.high, 1, 0);
    assert_true(w.auc.low > 0.8 && w.auc.low < 0.9);
}

/* Scores that know nothing: 95 % of the intervals hold 0.5. */
static void intervals_hold_the_truth(void **state)
{
    enum { ROUNDS = 200, MEMBERS = 40, OTHERS = 30 };
    int held = 0;

    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        struct ib_rng rng = ib_rng_stream(3, "test", r, "scores");
        struct ib_membership_worth w;
        double score[MEMBERS + OTHERS];

        for (int i = 0; i < MEMBERS + OTHERS; i++)
            score[i] = ib_rng_normal(&rng);
        judge(score, MEMBERS, OTHERS, &w);
        held += w.auc.low <= 0.5 && w.auc.high >= 0.5;
    }
    assert_true(held >= 180 && held <= 199);
}

/* --- shadows
 * ------------------------------------------------------------------
 */

enum { TRAIN = 14, HOLDOUT = 7 };
static uint8_t pixels[TRAIN + HOLDOUT];
static int32_t identity[TRAIN + HOLDOUT];

static struct ib_dataset pool_make(void)
{
    struct ib_dataset d = {.shape = {1, 1, 1}, .classes = 2};

    for (int i = 0; i < TRAIN + HOLDOUT; i++) {
        pixels[i] = (uint8_t)i;
        identity[i] = i % 2;
    }
    d.split[IB_TRAIN] = (struct ib_images){d.shape, TRAIN, pixels, identity};
    d.split[IB_HOLDOUT] =
        (struct ib_images){d.shape, HOLDOUT, pixels + TRAIN, identity + TRAIN};
    return d;
}

static void a_pair_of_shadows_shares_the_pool(void **state)
{
    struct ib_dataset d = pool_make();
    uint8_t a[TRAIN + HOLDOUT], b[TRAIN + HOLDOUT], c[TRAIN + HOLDOUT];
    struct ib_error err = {0};
    int of[2][2] = {{0}}, differ = 0;

    (void)state;
    assert_int_equal(ib_shadow_half(&d, 1, 4, a, &err), IB_OK);
    assert_int_equal(ib_shadow_half(&d, 1, 5, b, &err), IB_OK);
    assert_int_equal(ib_shadow_half(&d, 1, 6, c, &err), IB_OK);
    for (int i = 0; i < TRAIN + HOLDOUT; i++) {
        assert_int_equal(a[i] + b[i], 1);
        of[b[i]][identity[i]]++;
        differ += a[i] != c[i];
    }
    for (int k = 0; k < 2; k++)
        assert_true(abs(of[0][k] - of[1][k]) <= 1);
    assert_true(differ > 2);
}

static void a_shadow_learns_from_its_half(void **state)
{
    struct ib_dataset d = pool_make();
    uint8_t in[TRAIN + HOLDOUT];
    struct ib_images x;
    struct ib_error err = {0};
    void *owned;
    size_t at = 0;

    (void)state;
    assert_int_equal(ib_shadow_half(&d, 2, 1, in, &err), IB_OK);
    assert_int_equal(ib_shadow_images(&d, 2, 1, &x, &owned, &err), IB_OK);
    for (int i = 0; i < TRAIN + HOLDOUT; i++)
        if (in[i]) {
            assert_int_equal(x.pixels[at], i);
            assert_int_equal(x.identity[at++], i % 2);
        }
    assert_int_equal(at, x.n);
    free(owned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_scored_by_label_and_without),
        cmocka_unit_test(lira_pools_variances_of_few_shadows),
        cmocka_unit_test(lira_fits_each_image_where_shadows_are_many),
        cmocka_unit_test(lira_wants_shadows_on_both_sides),
        cmocka_unit_test(ties_count_half_in_the_area),
        cmocka_unit_test(rates_take_images_of_one_score_together),
        cmocka_unit_test(perfect_separation_leaves_room_for_doubt),
        cmocka_unit_test(intervals_hold_the_truth),
        cmocka_unit_test(a_pair_of_shadows_shares_the_pool),
        cmocka_unit_test(a_shadow_learns_from_its_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
