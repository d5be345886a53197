/*
 * Norms, conditioning and invertible convolutions against naive twins in
 * double: forward directly, backward against finite differences of the twin.
 */
#include "norm_twins.h"

static void forward_equals_the_naive_twin(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        set_up(&t, &subjects[i], false);
        set_point();
        forward(&t);
        run_twin(false);
        const ib_real *y = ib_net_value(t.net, t.y);
        for (size_t j = 0; j < rows * t.k; j++)
            if (!(fabs((double)y[j] - p.y[j]) < tolerance * (1 + fabs(p.y[j]))))
                fail_msg("%s: value %zu: %.9g, not %.9g", t.s->name, j,
                         (double)y[j], p.y[j]);
        ib_net_free(t.net);
    }
}

static void compare_gradients(bool twice)
{
    static const char *const input[INPUTS] = {"input 0", "input 1", "input 2"};
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        set_up(&t, &subjects[i], twice);
        set_point();
        forward(&t);
        backward(&t, IB_WRT_INPUT | IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        for (int k = 0; k < t.s->inputs; k++)
            compare(twice, input[k], ib_net_gradient(t.net, t.x[k]), p.x[k],
                    rows * t.d[k]);
        compare(twice, "parameters", ib_net_parameter_gradients(t.net), p.w,
                t.p);
        ib_net_free(t.net);
    }
}

static void gradients_equal_finite_differences(void **state)
{
    (void)state;
    compare_gradients(false);
    compare_gradients(true);
    rows = MORE_ROWS;
    compare_gradients(false);
    rows = ROWS;
}

static void parameter_gradients_add_up_or_overwrite(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        ib_real once[MANY], both[MANY];
        set_up(&t, &subjects[i], false);
        ib_real *g = ib_net_parameter_gradients(t.net);
        forward(&t);
        backward(&t, IB_WRT_PARAMETERS);
        memcpy(once, g, t.p * sizeof *g);
        backward(&t, IB_WRT_PARAMETERS);
        for (size_t j = 0; j < t.p; j++)
            both[j] = 2 * once[j];
        assert_true(t.p == 0 || near(g, both, t.p));
        backward(&t, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        assert_memory_equal(g, once, t.p * sizeof *g);
        ib_net_free(t.net);
    }
}

static void rows_depend_on_no_other_without_batch_statistics(void **state)
{
    (void)state;
    rows = MORE_ROWS;
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        ib_real y[MANY], dx[MANY];
        set_up(&t, &subjects[i], false);
        struct ib_forward f = {.n = 1, .from = IB_NONE, .to = t.y};
        struct ib_forward all = {.n = (int)rows, .from = IB_NONE, .to = t.y};
        ib_net_forward(t.net, &all);
        memcpy(y, ib_net_value(t.net, t.y), rows * t.k * sizeof *y);
        memcpy(ib_net_gradient(t.net, t.y), t.dy, rows * t.k * sizeof *y);
        ib_net_backward(t.net, &all, IB_WRT_INPUT);
        memcpy(dx, ib_net_gradient(t.net, t.x[0]), rows * t.d[0] * sizeof *dx);
        for (size_t row = 0; row < rows && t.s->inputs > 0; row++) {
            for (int k = 0; k < t.s->inputs; k++)
                memmove(ib_net_value(t.net, t.x[k]),
                        ib_net_value(t.net, t.x[k]) + row * t.d[k],
                        t.d[k] * sizeof *y);
            ib_net_forward(t.net, &f);
            assert_true(near(ib_net_value(t.net, t.y), y + row * t.k, t.k));
            memcpy(ib_net_gradient(t.net, t.y), t.dy + row * t.k,
                   t.k * sizeof *y);
            ib_net_backward(t.net, &f, IB_WRT_INPUT);
            assert_true(near(ib_net_gradient(t.net, t.x[0]), dx + row * t.d[0],
                             t.d[0]));
        }
        ib_net_free(t.net);
    }
    rows = ROWS;
}

/* y = (1 + x) x + x and z = <x, x> */
static void inputs_may_be_one_node(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){2, 1, 1}, "x");
    ib_node y = ib_graph_film(g, x, x, x, "y");
    ib_node z = ib_graph_inner(g, x, x, "z");
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    ib_net_value(net, x)[0] = 3;
    ib_net_value(net, x)[1] = -2;
    const ib_real *value = ib_net_value(net, y), *dx = ib_net_gradient(net, x);
    struct ib_forward f = {.n = 1, .from = x, .to = y};
    ib_net_forward(net, &f);
    assert_true(value[0] == 15 && value[1] == 0);
    ib_net_gradient(net, y)[0] = 1;
    ib_net_gradient(net, y)[1] = 10;
    ib_net_backward(net, &f, IB_WRT_INPUT);
    assert_true(dx[0] == 8 && dx[1] == -20);
    f.to = z;
    ib_net_forward(net, &f);
    assert_true(ib_net_value(net, z)[0] == 13);
    ib_net_gradient(net, z)[0] = 0.5;
    ib_net_backward(net, &f, IB_WRT_INPUT);
    assert_true(dx[0] == 3 && dx[1] == -2);
    ib_net_free(net);
}

/* --- norms of rows' gradients
 * -------------------------------------------------- */

static void row_norms_are_those_of_single_rows(void **state)
{
    static const char *const names[] = {"groupnorm", "layernorm", "embedding"};
    (void)state;
    for (size_t i = 0; i < IB_COUNT(names); i++) {
        double norm2[ROWS];
        struct ib_error err;
        set_up(&t, subject_of(names[i]), false);
        struct ib_forward f = run_of(&t);
        ib_net_forward(t.net, &f);
        memcpy(ib_net_gradient(t.net, t.y), t.dy, rows * t.k * sizeof *t.dy);
        assert_int_equal(ib_net_row_norms(t.net, &f, norm2, &err), IB_OK);
        for (size_t row = 0; row < rows; row++) {
            double want = 0;
            ib_real *dy = ib_net_gradient(t.net, t.y);
            memset(dy, 0, rows * t.k * sizeof *dy);
            memcpy(dy + row * t.k, t.dy + row * t.k, t.k * sizeof *dy);
            ib_net_backward(t.net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
            for (size_t j = 0; j < t.p; j++)
                want += pow((double)ib_net_parameter_gradients(t.net)[j], 2);
            assert_true(fabs(norm2[row] - want) < 1e-5 * want);
        }
        ib_net_free(t.net);
    }
}

static void batch_norm_has_no_row_norms(void **state)
{
    (void)state;
    struct ib_error err;
    double norm2[MORE_ROWS];
    set_up(&t, subject_of("batchnorm_training"), false);
    struct ib_forward f = run_of(&t);
    ib_net_forward(t.net, &f);
    assert_int_equal(ib_net_row_norms(t.net, &f, norm2, &err), IB_E_USAGE);
    assert_non_null(strstr(err.text, "batchnorm"));
    ib_net_free(t.net);
}

/* --- spectral norm
 * -------------------------------------------------------------- */

/* A training run moves u and v; its gradient takes them as they are then. */
static void a_spectral_gradient_holds_the_singular_vectors(void **state)
{
    (void)state;
    struct subject s = *subject_of("spectral");
    ib_real before[11];
    s.training = true;
    set_up(&t, &s, false);
    memcpy(before, ib_net_state(t.net), sizeof before);
    forward(&t);
    set_point();
    assert_memory_not_equal(before, ib_net_state(t.net), sizeof before);
    backward(&t, IB_WRT_INPUT | IB_WRT_PARAMETERS);
    compare(false, "input", ib_net_gradient(t.net, t.x[0]), p.x[0],
            rows * t.d[0]);
    compare(false, "parameters", ib_net_parameter_gradients(t.net), p.w, t.p);
    ib_net_free(t.net);
}

/* Both uses of one layer divide by the same number. */
static void shared_spectral_layers_have_one_state(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    const struct ib_dense d = {.units = 6, .no_bias = true, .spectral = true};
    ib_node x = ib_graph_input(g, (struct ib_shape){6, 1, 1}, "x");
    ib_node a = ib_graph_dense_with(g, x, d, "a");
    ib_node b = ib_graph_dense_shared(g, x, a, "b");
    ib_node y = ib_graph_inner(g, a, b, "y");
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    assert_int_equal(ib_net_parameter_count(net), 36);
    assert_int_equal(ib_net_state_count(net), 12);
    struct ib_rng rng = ib_rng_stream(2, "test", 0, "init");
    ib_net_init(net, &rng);
    noise(ib_net_value(net, x), 6, 1);
    for (int i = 0; i < 3; i++)
        ib_net_forward(
            net, &(struct ib_forward){.n = 1, .from = x, .to = y, .rng = &rng});
    assert_memory_equal(ib_net_value(net, a), ib_net_value(net, b),
                        6 * sizeof(ib_real));
    assert_true(ib_net_value(net, y)[0] > 0);
    ib_net_free(net);
}

/* --- what a model is
 * ------------------------------------------------------------- */

static void parameters_and_state_are_all_that_a_net_keeps(void **state)
{
    (void)state;
    static struct trial other;
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        set_up(&t, &subjects[i], false);
        set_up(&other, &subjects[i], false);
        struct ib_forward f = {.n = (int)rows, .from = IB_NONE, .to = t.y};
        struct ib_forward train = f;
        train.rng = &t.rng;
        for (int step = 0; step < 3; step++)
            ib_net_forward(t.net, &train);
        ib_net_forward(t.net, &f);
        memcpy(ib_net_state(other.net), ib_net_state(t.net),
               t.state * sizeof(ib_real));
        ib_net_forward(other.net, &f);
        assert_memory_equal(ib_net_value(t.net, t.y),
                            ib_net_value(other.net, t.y),
                            rows * t.k * sizeof(ib_real));
        ib_net_free(t.net);
        ib_net_free(other.net);
    }
}

/* --- what cannot be
 * --------------------------------------------------------------- */

static void impossible_nodes_are_refused(void **state)
{
    (void)state;
    static const char *const want[] = {
        "no multiple of the groups",
        "a group of one value has no variance",
        "epsilon must be positive",
        "(0, 1]",
        "does not fit its input 'five' (5x1x1): 4 values a row are needed "
        "beside 'x'",
        "'inner' (inner, 4x3x3) does not fit its input 'five' (5x1x1): 36 "
        "values",
        "no invertible convolution",
        "another size",
        "too long or taken",
    };
    for (int i = 0; i < (int)IB_COUNT(want); i++) {
        struct ib_graph *g = ib_graph_create();
        ib_node x = ib_graph_input(g, (struct ib_shape){4, 3, 3}, "x");
        ib_node f = ib_graph_input(g, (struct ib_shape){5, 1, 1}, "five");
        ib_node m = ib_graph_invconv(g, f, "mix");
        struct ib_norm three = {.groups = 3}, bad = {.epsilon = -1};
        ib_node y =
            i == 0   ? ib_graph_groupnorm(g, x, three, NULL)
            : i == 1 ? ib_graph_instancenorm(g, f, three, NULL)
            : i == 2 ? ib_graph_batchnorm(g, x, bad, NULL)
            : i == 3
                ? ib_graph_batchnorm(g, x, (struct ib_norm){.rate = 2}, NULL)
            : i == 4 ? ib_graph_film(g, x, f, f, "warp")
            : i == 5 ? ib_graph_inner(g, x, f, NULL)
            : i == 6 ? ib_graph_invconv_logdet(g, x, NULL)
            : i == 7 ? ib_graph_invconv_inverse(g, x, m, NULL)
                     : ib_graph_conditional_batchnorm(
                           g, x, f, (struct ib_norm){0},
                           "a name of sixty characters, which leaves no room "
                           "for a part");
        assert_int_equal(y, IB_NONE);
        assert_non_null(ib_graph_error(g));
        if (!strstr(ib_graph_error(g)->text, want[i]))
            fail_msg("%d: %s", i, ib_graph_error(g)->text);
        ib_graph_free(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_equals_the_naive_twin),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(parameter_gradients_add_up_or_overwrite),
        cmocka_unit_test(rows_depend_on_no_other_without_batch_statistics),
        cmocka_unit_test(inputs_may_be_one_node),
        cmocka_unit_test(row_norms_are_those_of_single_rows),
        cmocka_unit_test(batch_norm_has_no_row_norms),
        cmocka_unit_test(a_spectral_gradient_holds_the_singular_vectors),
        cmocka_unit_test(shared_spectral_layers_have_one_state),
        cmocka_unit_test(parameters_and_state_are_all_that_a_net_keeps),
        cmocka_unit_test(impossible_nodes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
