/*
 * Batch norm: its statistics, and what attacks do with them.
 */
#include "norm_twins.h"

#include <invbench/statistics.h>

/* --- batch norm -------------------------------------------------------------
 */

static void running_statistics_follow_the_batches(void **state)
{
    (void)state;
    set_up(&t, subject_of("batchnorm_training"), false);
    enum { C = 4, PIXELS = 9, M = ROWS * PIXELS };
    double mean[C], variance[C];
    for (int c = 0; c < C; c++) {
        mean[c] = 0;
        variance[c] = 1;
    }
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "init");
    ib_net_init(t.net, &rng);
    for (uint32_t step = 0; step < 3; step++) {
        ib_real *x = ib_net_value(t.net, t.x[0]);
        noise(x, ROWS * t.d[0], 50 + step);
        forward(&t);
        for (size_t c = 0; c < C; c++) {
            double s = 0, q = 0;
            for (size_t i = 0; i < ROWS * t.d[0]; i++)
                s += i / PIXELS % C == c ? (double)x[i] : 0;
            for (size_t i = 0; i < ROWS * t.d[0]; i++)
                q += i / PIXELS % C == c ? pow((double)x[i] - s / M, 2) : 0;
            mean[c] = 0.9 * mean[c] + 0.1 * s / M;
            variance[c] = 0.9 * variance[c] + 0.1 * q / (M - 1);
        }
    }
    for (int c = 0; c < C; c++) {
        const ib_real *running = ib_net_state(t.net);
        assert_true(fabs((double)running[c] - mean[c]) < 1e-6);
        assert_true(fabs((double)running[C + c] - variance[c]) < 1e-6);
    }
    ib_net_free(t.net);
}

static void a_single_value_moves_the_mean_alone(void **state)
{
    (void)state;
    set_up(&t, subject_of("batchnorm_features_training"), false);
    ib_real before[10];
    memcpy(before, ib_net_state(t.net), sizeof before);
    struct ib_forward f = run_of(&t);
    f.n = 1;
    ib_net_forward(t.net, &f);
    const ib_real *now = ib_net_state(t.net);
    const ib_real *y = ib_net_value(t.net, t.y);
    assert_true(now[0] != before[0]);
    assert_memory_equal(now + 5, before + 5, 5 * sizeof *now);
    assert_memory_equal(y, ib_net_parameters(t.net) + 5, 5 * sizeof *y);
    ib_net_free(t.net);
}

/* Mean 10000, deviation 1: what a sum of squares in float would lose. */
static void a_far_mean_costs_no_accuracy(void **state)
{
    static const char *const names[] = {"batchnorm_training",
                                        "batchnorm_features_training",
                                        "groupnorm", "instancenorm"};
    (void)state;
    for (size_t i = 0; i < IB_COUNT(names); i++) {
        set_up(&t, subject_of(names[i]), false);
        ib_real *x = ib_net_value(t.net, t.x[0]);
        for (size_t j = 0; j < ROWS * t.d[0]; j++)
            x[j] += 10000;
        set_point();
        forward(&t);
        run_twin(false);
        for (size_t j = 0; j < ROWS * t.k; j++)
            assert_true(fabs((double)ib_net_value(t.net, t.y)[j] - p.y[j]) <
                        2e-6 * (1 + fabs(p.y[j])));
        backward(&t, IB_WRT_INPUT | IB_WRT_PARAMETERS);
        compare(false, "input", ib_net_gradient(t.net, t.x[0]), p.x[0],
                ROWS * t.d[0]);
        compare(false, "parameters", ib_net_parameter_gradients(t.net), p.w,
                t.p);
        ib_net_free(t.net);
    }
}

/* Planes that are summed one by one. */
static void large_planes_equal_the_naive_twin(void **state)
{
    static const struct subject wide[] = {
        {"large, training", 1, {{2, 11, 12}}, {0}, true, add_batchnorm},
        {"large", 1, {{2, 11, 12}}, {0}, false, add_batchnorm},
    };
    (void)state;
    for (size_t i = 0; i < IB_COUNT(wide); i++) {
        double mean[2], variance[2];
        set_up(&t, &wide[i], false);
        set_point();
        forward(&t);
        run_twin(false);
        for (size_t j = 0; j < ROWS * t.k; j++)
            assert_true(fabs((double)ib_net_value(t.net, t.y)[j] - p.y[j]) <
                        tolerance * (1 + fabs(p.y[j])));
        backward(&t, IB_WRT_INPUT | IB_WRT_PARAMETERS);
        compare(false, "input", ib_net_gradient(t.net, t.x[0]), p.x[0],
                ROWS * t.d[0]);
        compare(false, "parameters", ib_net_parameter_gradients(t.net), p.w,
                t.p);
        ib_net_batch_statistics(t.net, t.y, ROWS, mean, variance);
        double xh = (p.x[0][0] - mean[0]) / sqrt(variance[0] + 1e-5);
        assert_true(i > 0 ||
                    fabs(xh * p.w[0] + p.w[2] - p.y[0]) < tolerance * 10);
        ib_net_free(t.net);
    }
}

static void a_value_that_is_not_finite_is_seen(void **state)
{
    (void)state;
    set_up(&t, subject_of("batchnorm_training"), false);
    ib_net_value(t.net, t.x[0])[0] = (ib_real)NAN;
    forward(&t);
    assert_true(isnan(ib_net_value(t.net, t.y)[8]));    /* its channel */
    assert_true(isfinite(ib_net_value(t.net, t.y)[9])); /* the next one */
    assert_true(isnan(ib_net_value(t.net, t.y)[36]));   /* the next row */
    ib_net_free(t.net);
}

/* --- statistics for attacks --------------------------------------------------
 */

static void batch_statistics_are_those_of_the_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        double mean[5], variance[5], x[MANY];
        const ib_real *running_mean, *running_variance;
        set_up(&t, &subjects[i], false);
        int c = t.s->in[0].c, n = ROWS - 1;
        size_t q = pixels(t.s), m = (size_t)n * q;
        forward(&t);
        ib_net_batch_statistics(t.net, t.y, n, mean, variance);
        to_double(ib_net_value(t.net, t.x[0]), (size_t)n * t.d[0], x);
        for (int k = 0; k < c; k++) {
            double sum = 0, square = 0;
            for (size_t j = 0; j < (size_t)n * t.d[0]; j++)
                sum += channel(t.s, j) == k ? x[j] / (double)m : 0;
            for (size_t j = 0; j < (size_t)n * t.d[0]; j++)
                square +=
                    channel(t.s, j) == k ? pow(x[j] - sum, 2) / (double)m : 0;
            assert_true(fabs(mean[k] - sum) < 1e-12);
            assert_true(fabs(variance[k] - square) < 1e-12);
        }
        ib_net_running_statistics(t.net, t.y, &running_mean, &running_variance);
        assert_ptr_equal(running_mean, ib_net_state(t.net));
        assert_ptr_equal(running_variance, ib_net_state(t.net) + c);
        ib_net_free(t.net);
    }
}

/* A batch whose statistics are the running ones has nothing to gain. */
static void matched_statistics_cost_nothing(void **state)
{
    (void)state;
    double mean[4], variance[4];
    set_up(&t, subject_of("batchnorm"), false);
    forward(&t);
    ib_real *running = ib_net_state(t.net);
    ib_real *x = ib_net_value(t.net, t.x[0]);
    for (size_t i = 0; i < ROWS * t.d[0]; i++)
        x[i] = i < t.d[0] ? 1 : -1;
    ib_net_batch_statistics(t.net, t.y, 2, mean, variance);
    for (int c = 0; c < 4; c++) {
        running[c] = (ib_real)mean[c];
        running[4 + c] = (ib_real)variance[c];
    }
    double loss = ib_net_statistics_loss(t.net, t.y, 2, 1, 0);
    assert_true(loss == 0);
    for (size_t i = 0; i < 2 * t.d[0]; i++)
        assert_true(ib_net_gradient(t.net, t.x[0])[i] == 0);
    ib_net_free(t.net);
}

/* --- first weights
 * -------------------------------------------------------------- */

static double largest(struct ib_net *net, ib_node x)
{
    size_t first, count;
    double top = 0;
    ib_net_parameter_range(net, x, &first, &count);
    for (size_t i = 0; i < count; i++)
        top = fmax(top, fabs((double)ib_net_parameters(net)[first + i]));
    return top;
}

static void a_layer_feeds_a_relu_through_its_norm(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    struct ib_norm plain = {0};
    ib_node x = ib_graph_input(g, (struct ib_shape){10, 10, 1}, "x");
    ib_node classes = ib_graph_input(g, (struct ib_shape){3, 1, 1}, "class");
    ib_node a = ib_graph_dense(g, x, 50, "a");
    ib_node norm = ib_graph_batchnorm(g, a, plain, "norm");
    ib_node b = ib_graph_dense(g, ib_graph_relu(g, norm), 150, "b");
    (void)ib_graph_tanh(g, ib_graph_batchnorm(g, b, plain, NULL));
    ib_node c = ib_graph_dense(g, x, 50, "c");
    ib_node first_c = c,
            cbn = ib_graph_conditional_batchnorm(g, c, classes, plain, "cbn");
    (void)ib_graph_relu(g, cbn);
    for (int i = 0; i < 64; i++) /* paths by the billion */
        c = ib_graph_plus(g, c, c);
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    struct ib_rng rng = ib_rng_stream(2, "test", 0, "init");
    ib_net_init(net, &rng);
    double he = sqrt(6.0 / 100), glorot = sqrt(6.0 / (50 + 150));
    assert_in_range((int)(1000 * largest(net, a) / he), 980, 1000);
    assert_in_range((int)(1000 * largest(net, b) / glorot), 980, 1000);
    assert_in_range((int)(1000 * largest(net, first_c) / he), 980, 1000);
    assert_true(largest(net, norm) == 1);
    assert_true(largest(net, cbn - 1) == 0 && largest(net, cbn - 2) == 0);
    assert_true(ib_net_state(net)[0] == 0 && ib_net_state(net)[50] == 1);
    ib_net_free(net);
}

/* The deviation of what a layer makes of normal values is about that of what
 * comes in, twice as large in square where half of it will be cut off. */
static void first_weights_keep_the_scale_of_values(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct ib_error err;
        struct ib_net *net;
        struct ib_graph *g = ib_graph_create();
        struct ib_conv c = {.channels = 16, .kernel = 3};
        struct ib_deconv d = {.channels = 16, .kernel = 4, .stride = 2};
        ib_node x = ib_graph_input(g, (struct ib_shape){16, 16, 16}, "x");
        c.groups = i == 1 ? 4 : 1;
        d.groups = i == 3 ? 4 : 1;
        ib_node y = i < 2 ? ib_graph_conv2d(g, x, c, "y")
                          : ib_graph_deconv2d(g, x, d, "y");
        (void)ib_graph_leaky_relu(g, y, 0.2);
        assert_int_equal(ib_net_create(&net, g, 8, &err), IB_OK);
        struct ib_rng rng = ib_rng_stream(2, "test", 0, "scale");
        ib_net_init(net, &rng);
        ib_rng_fill_normal(&rng, ib_net_value(net, x), 8 * 16 * 256, 1);
        ib_net_forward(net, &(struct ib_forward){.n = 8, .from = x, .to = y});
        size_t n = 8 * ib_shape_size(ib_graph_shape(g, y));
        double square = 0;
        for (size_t k = 0; k < n; k++)
            square += pow((double)ib_net_value(net, y)[k], 2);
        if (!(square / (double)n > 1.5 && square / (double)n < 2.5))
            fail_msg("%d: variance %g", i, square / (double)n);
        ib_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_statistics_follow_the_batches),
        cmocka_unit_test(a_single_value_moves_the_mean_alone),
        cmocka_unit_test(a_far_mean_costs_no_accuracy),
        cmocka_unit_test(large_planes_equal_the_naive_twin),
        cmocka_unit_test(a_value_that_is_not_finite_is_seen),
        cmocka_unit_test(batch_statistics_are_those_of_the_source),
        cmocka_unit_test(matched_statistics_cost_nothing),
        cmocka_unit_test(a_layer_feeds_a_relu_through_its_norm),
        cmocka_unit_test(first_weights_keep_the_scale_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
