/* The parts that attacks share: descent, the cost of a class, PROCESS. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/math.h>
#include <invbench/parts/descent.h>
#include <invbench/parts/process.h>

/* --- descent: a row follows a scripted sequence of costs ---------------- */

enum { STEPS_MAX = 64, SLOTS = 4 };

/* z counts steps: the gradient is -1 and lambda 1, so z = i after step i. */
struct script {
    const double *cost[SLOTS];
    size_t length[SLOTS];
    size_t last[SLOTS]; /* the step that evaluate() ends; 0: none */
    int asked[SLOTS];
    float published[SLOTS];
    int publications[SLOTS];
    bool gradient_wanted;
};

static enum ib_status script_evaluate(void *ctx,
                                      const struct ib_descent_ask *ask,
                                      struct ib_error *err)
{
    struct script *s = ctx;

    (void)err;
    s->gradient_wanted = ask->gradient != NULL;
    for (size_t i = 0; i < ask->n; i++) {
        int32_t slot = ask->slot[i];
        size_t step = (size_t)ask->z[i], last = s->length[slot] - 1;

        s->asked[slot]++;
        ask->cost[i] = s->cost[slot][step < last ? step : last];
        if (s->last[slot] > 0 && step == s->last[slot])
            ask->last[i] = true;
        if (ask->gradient)
            ask->gradient[i] = -1;
    }
    return IB_OK;
}

static void script_publish(void *ctx, int32_t slot, const float *z)
{
    struct script *s = ctx;

    s->published[slot] = *z;
    s->publications[slot]++;
}

struct fixture {
    struct script script;
    struct ib_descent descent;
    struct ib_descent_row row[SLOTS];
    float z[SLOTS];
    struct ib_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->descent = (struct ib_descent){
        .d = 1,
        .alpha = 50,
        .beta = 3,
        .gamma = 0.01,
        .lambda = 1,
        .ctx = &f->script,
        .evaluate = script_evaluate,
        .publish = script_publish,
        .scratch = ib_scratch_create(1 << 20),
    };
    for (int i = 0; i < SLOTS; i++)
        f->row[i].slot = i;
    *state = f;
    return f->descent.scratch ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    ib_scratch_free(f->descent.scratch);
    free(f);
    return 0;
}

#define SCRIPT(f, slot, ...)                                                   \
    static const double script_##slot[] = {__VA_ARGS__};                       \
    (f)->script.cost[slot] = script_##slot;                                    \
    (f)->script.length[slot] = IB_COUNT(script_##slot)

static void run(struct fixture *f, size_t n)
{
    assert_int_equal(ib_descent_run(&f->descent, n, f->row, f->z, &f->err),
                     IB_OK);
}

static void stops_when_the_cost_is_at_most_gamma(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, .5, .2, .01, .001);
    run(f, 1);
    assert_int_equal(f->row[0].stop, IB_STOP_GAMMA);
    assert_int_equal(f->row[0].steps, 3);
    assert_int_equal(f->script.asked[0], 4);
    assert_float_equal(f->script.published[0], 3, 0);
}

/* A peer goes on while the rule holds and stops when it does not. */
static void goes_on_while_the_cost_is_high_and_falling(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .999, .998, .997, .996, .995, .994, .993, .992, .991, .99);
    f->descent.alpha = 9;
    run(f, 1);
    assert_int_equal(f->row[0].stop, IB_STOP_STEPS);
    assert_int_equal(f->row[0].steps, 9);
}

static void stops_when_no_better_than_the_worst_of_the_window(void **state)
{
    struct fixture *f = *state;

    /* Windows of 3 before steps 5, 6: {.5 .6 .7}, {.6 .7 .65}. */
    SCRIPT(f, 0, .9, .8, .5, .6, .7, .65, .7);
    run(f, 1);
    assert_int_equal(f->row[0].stop, IB_STOP_WINDOW);
    assert_int_equal(f->row[0].steps, 6);
    assert_float_equal(f->script.published[0], 2, 0);
}

static void window_rule_waits_for_a_full_window(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .5, .9, .95, .4, .001);
    run(f, 1);
    assert_int_equal(f->row[0].stop, IB_STOP_GAMMA);
    assert_int_equal(f->row[0].steps, 4);
}

static void window_of_zero_is_no_rule(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .5);
    f->descent.beta = 0;
    run(f, 1);
    assert_int_equal(f->row[0].stop, IB_STOP_STEPS);
    assert_int_equal(f->row[0].steps, 50);
}

static void publishes_the_best_point_not_the_last(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, .3, .4, .35, .38, .39);
    f->descent.alpha = 5;
    f->descent.beta = 0;
    run(f, 1);
    assert_float_equal(f->script.published[0], 1, 0);
    assert_float_equal(f->row[0].cost, .3, 0);
    assert_int_equal(f->row[0].best_step, 1);
    assert_float_equal(f->z[0], 5, 0);
}

/* A peer never updates its best cost, so that any later point replaces it. */
static void equal_costs_keep_the_first_point_unless_late(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, .3, .3, .3);
    f->descent.alpha = 3;
    run(f, 1);
    assert_int_equal(f->row[0].best_step, 1);
    f->descent.late = true;
    f->z[0] = 0;
    run(f, 1);
    assert_int_equal(f->row[0].best_step, 3);
}

/* A peer indexes one window by the batch and wakes rows that stopped. */
static void each_row_has_its_own_window_and_stays_stopped(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, .005);
    SCRIPT(f, 1, .9, .8, .5, .6, .7, .65, .7);
    SCRIPT(f, 2, .9, .8, .7, .6, .5, .4, .3, .2, .1, .01);
    SCRIPT(f, 3, .5);
    run(f, 4);
    assert_int_equal(f->script.asked[0], 2);
    assert_int_equal(f->script.asked[1], 7);
    assert_int_equal(f->script.asked[2], 10);
    assert_int_equal(f->script.asked[3], 4);
    assert_int_equal(f->row[3].stop, IB_STOP_WINDOW);
    assert_float_equal(f->script.published[1], 2, 0);
    assert_float_equal(f->script.published[2], 9, 0);
}

static void infinite_cost_ends_the_row_and_keeps_the_best(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, .5, INFINITY);
    run(f, 1);
    assert_int_equal(f->row[0].stop, IB_STOP_ENDED);
    assert_float_equal(f->row[0].cost, .5, 0);
    assert_float_equal(f->script.published[0], 1, 0);
}

static void last_point_of_an_ended_row_is_published(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, .8, .7, .6, .5, .4);
    SCRIPT(f, 1, .9, .5, .8, .7, .6, .55, .52);
    f->descent.alpha = 5;
    f->script.last[0] = 2;
    f->script.last[1] = 4;
    run(f, 2);
    assert_int_equal(f->script.asked[0], 3);
    assert_int_equal(f->row[0].stop, IB_STOP_ENDED);
    assert_float_equal(f->row[0].cost, .7, 0);
    assert_float_equal(f->script.published[0], 2, 0);
    assert_int_equal(f->script.asked[1], 5);
    assert_float_equal(f->script.published[1], 1, 0);
}

static void start_is_published_before_the_first_question(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, INFINITY);
    f->script.published[0] = -1;
    run(f, 1);
    assert_float_equal(f->script.published[0], 0, 0);
    assert_int_equal(f->script.publications[0], 1);
}

static void cost_that_is_not_a_number_is_an_error(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9, NAN);
    f->row[0].slot = 0;
    assert_int_equal(ib_descent_run(&f->descent, 1, f->row, f->z, &f->err),
                     IB_E_NUMERIC);
    assert_non_null(strstr(f->err.text, "slot 0"));
}

static void no_gradient_is_asked_for_after_the_last_step(void **state)
{
    struct fixture *f = *state;

    SCRIPT(f, 0, .9);
    f->descent.alpha = 2;
    run(f, 1);
    assert_int_equal(f->script.asked[0], 3);
    assert_false(f->script.gradient_wanted);
}

/* --- the cost of a class ------------------------------------------------ */

static const float logits[4] = {0.3f, -1.2f, 2.1f, 0.7f};

static double reference_cost(const double z[4], int t)
{
    double sum = 0;

    for (int j = 0; j < 4; j++)
        sum += exp(z[j]);
    return 1 - exp(z[t]) / sum;
}

static void confidence_gradient_meets_finite_differences(void **state)
{
    float dz[4];
    double cost = ib_class_cost(IB_CONFIDENCE, 4, logits, 1, dz);

    (void)state;
    for (int j = 0; j < 4; j++) {
        double up[4], down[4], h = 1e-5, slope;

        for (int i = 0; i < 4; i++)
            up[i] = down[i] = (double)logits[i];
        up[j] += h;
        down[j] -= h;
        slope = (reference_cost(up, 1) - reference_cost(down, 1)) / (2 * h);
        assert_true(fabs(slope) > 1e-3);
        assert_true(fabs((double)dz[j] - slope) < 1e-7);
    }
    assert_true(fabs(cost - reference_cost((double[]){0.3f, -1.2f, 2.1f, 0.7f},
                                           1)) < 1e-12);
}

static void negative_log_gradient_is_softmax_minus_one_hot(void **state)
{
    float p[4], dz[4];

    (void)state;
    ib_softmax_rows(1, 4, logits, p);
    ib_class_cost(IB_NEGATIVE_LOG, 4, logits, 2, dz);
    for (int j = 0; j < 4; j++)
        assert_true(fabsf(dz[j] - (p[j] - (j == 2))) < 1e-6f);
}

static void margin_gradient_names_the_class_and_its_best_rival(void **state)
{
    static const float expected[4] = {0, 0, -1, 1};
    float dz[4];

    (void)state;
    ib_class_cost(IB_MARGIN, 4, logits, 2, dz);
    assert_memory_equal(dz, expected, sizeof(dz));
}

static void cost_does_not_cancel_near_zero_or_overflow(void **state)
{
    static const float sure[3] = {60, 0, 0}, huge[3] = {-3e38f, 3e38f, 0};

    (void)state;
    assert_true(
        fabs(ib_class_cost(IB_CONFIDENCE, 3, sure, 0, NULL) / (2 * exp(-60)) -
             1) < 1e-12);
    assert_float_equal(ib_class_cost(IB_CONFIDENCE, 3, huge, 0, NULL), 1, 0);
}

/* --- PROCESS ------------------------------------------------------------ */

enum { H = 9, W = 7, PIXELS = 2 * H * W };
static const struct ib_shape shape = {2, H, W};
static const struct ib_nlmeans nlmeans = {.patch = 1, .search = 2, .h = 0.2};

static double at(const float *x, int r, int c)
{
    r = r < 0 ? 0 : r >= H ? H - 1 : r;
    c = c < 0 ? 0 : c >= W ? W - 1 : c;
    return (double)x[r * W + c];
}

static double patch_weight(const float *x, const int a[2], const int b[2])
{
    double sum = 0;

    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++) {
            double e = at(x, a[0] + i, a[1] + j) - at(x, b[0] + i, b[1] + j);

            sum += e * e;
        }
    return exp(-sum / 9 / (nlmeans.h * nlmeans.h));
}

/* The definition, pixel by pixel. */
static double naive_nlmeans(const float *x, int r, int c)
{
    double sum = 0, norm = 0;

    for (int i = r - 2; i <= r + 2; i++)
        for (int j = c - 2; j <= c + 2; j++) {
            double w;

            if (i < 0 || j < 0 || i >= H || j >= W)
                continue;
            w = patch_weight(x, (int[]){r, c}, (int[]){i, j});
            sum += w * at(x, i, j);
            norm += w;
        }
    return sum / norm;
}

static void nlmeans_meets_its_definition(void **state)
{
    float x[PIXELS], y[PIXELS];
    size_t work = ib_nlmeans_work(shape, &nlmeans);
    float *memory = calloc(work, sizeof(float));
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "nlmeans");

    (void)state;
    ib_rng_fill_uniform(&rng, x, PIXELS);
    ib_nlmeans_apply(y, x, shape, &nlmeans, memory);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < H * W; i++)
            assert_true(fabs((double)y[k * H * W + i] -
                             naive_nlmeans(x + k * H * W, i / W, i % W)) <
                        1e-5);
    free(memory);
}

static void nlmeans_removes_noise_and_keeps_an_edge(void **state)
{
    float x[PIXELS], y[PIXELS], *memory;
    double before = 0, after = 0;
    struct ib_nlmeans p = {.patch = 1, .search = 3, .h = 0.1};
    struct ib_rng rng = ib_rng_stream(2, "test", 0, "edge");

    (void)state;
    ib_rng_fill_normal(&rng, x, PIXELS, 0.05f);
    memory = calloc(ib_nlmeans_work(shape, &p), sizeof(float));
    for (int i = 0; i < PIXELS; i++)
        x[i] += i % W < 3 ? 0.2f : 0.8f;
    ib_nlmeans_apply(y, x, shape, &p, memory);
    for (int i = 0; i < PIXELS; i++) {
        double clean = i % W < 3 ? 0.2 : 0.8;

        before += ((double)x[i] - clean) * ((double)x[i] - clean);
        after += ((double)y[i] - clean) * ((double)y[i] - clean);
    }
    assert_true(after < before / 4);
    free(memory);
}

static void sharpening_leaves_flat_images_and_widens_edges(void **state)
{
    float x[PIXELS], y[PIXELS];

    (void)state;
    for (int i = 0; i < PIXELS; i++)
        x[i] = 0.5f;
    ib_sharpen(y, x, shape, 1);
    for (int i = 0; i < PIXELS; i++)
        assert_true(fabsf(y[i] - 0.5f) < 1e-6f);
    for (int i = 0; i < PIXELS; i++)
        x[i] = i % W < 3 ? 0.3f : 0.6f;
    ib_sharpen(y, x, shape, 1);
    assert_true(fabsf(y[2] - 0.2f) < 1e-6f);
    assert_true(fabsf(y[3] - 0.7f) < 1e-6f);
    ib_sharpen(y, x, shape, 9);
    assert_float_equal(y[2], 0, 0);
    assert_float_equal(y[3], 1, 0);
}

#define DESCENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESCENT(stops_when_the_cost_is_at_most_gamma),
        DESCENT(goes_on_while_the_cost_is_high_and_falling),
        DESCENT(stops_when_no_better_than_the_worst_of_the_window),
        DESCENT(window_rule_waits_for_a_full_window),
        DESCENT(window_of_zero_is_no_rule),
        DESCENT(publishes_the_best_point_not_the_last),
        DESCENT(equal_costs_keep_the_first_point_unless_late),
        DESCENT(each_row_has_its_own_window_and_stays_stopped),
        DESCENT(infinite_cost_ends_the_row_and_keeps_the_best),
        DESCENT(last_point_of_an_ended_row_is_published),
        DESCENT(start_is_published_before_the_first_question),
        DESCENT(cost_that_is_not_a_number_is_an_error),
        DESCENT(no_gradient_is_asked_for_after_the_last_step),
        cmocka_unit_test(confidence_gradient_meets_finite_differences),
        cmocka_unit_test(negative_log_gradient_is_softmax_minus_one_hot),
        cmocka_unit_test(margin_gradient_names_the_class_and_its_best_rival),
        cmocka_unit_test(cost_does_not_cancel_near_zero_or_overflow),
        cmocka_unit_test(nlmeans_meets_its_definition),
        cmocka_unit_test(nlmeans_removes_noise_and_keeps_an_edge),
        cmocka_unit_test(sharpening_leaves_flat_images_and_widens_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
