/*
 * The invertible convolution, its inverse and its log-determinant.
 */
#include "norm_fixture.h"
#include "toy_images.h"

#include <invbench/trainer.h>

/* --- invertible convolution
 * --------------------------------------------------- */

/* x -> W x -> W^-1 W x, and the log-determinant. */
struct flow {
    struct ib_net *net;
    ib_node x, y, back, logdet;
};

static struct flow flow_net(int channels)
{
    struct flow f;
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    f.x = ib_graph_input(g, (struct ib_shape){channels, 2, 3}, "x");
    f.y = ib_graph_invconv(g, f.x, "mix");
    f.back = ib_graph_invconv_inverse(g, f.y, f.y, "unmix");
    f.logdet = ib_graph_invconv_logdet(g, f.y, "volume");
    assert_int_equal(ib_graph_parameters(g), channels * channels);
    assert_int_equal(ib_net_create(&f.net, g, 2, &err), IB_OK);
    struct ib_rng rng = ib_rng_stream(3, "test", 0, "flow");
    ib_net_init(f.net, &rng);
    noise(ib_net_value(f.net, f.x), (size_t)channels * 12, 1);
    return f;
}

static void run_flow(struct flow *f)
{
    ib_net_forward(
        f->net, &(struct ib_forward){.n = 2, .from = IB_NONE, .to = f->back});
    ib_net_forward(
        f->net, &(struct ib_forward){.n = 2, .from = IB_NONE, .to = f->logdet});
}

static void an_invertible_convolution_begins_as_a_rotation(void **state)
{
    enum { C = 12 };
    (void)state;
    struct flow f = flow_net(C);
    const ib_real *w = ib_net_parameters(f.net);
    for (size_t i = 0; i < C; i++)
        for (size_t j = 0; j < C; j++) {
            double dot = 0;
            for (size_t k = 0; k < C; k++)
                dot += (double)w[i * C + k] * (double)w[j * C + k];
            assert_true(fabs(dot - (i == j)) < 1e-6);
        }
    run_flow(&f);
    assert_true(fabs((double)ib_net_value(f.net, f.logdet)[1]) < 1e-5);
    ib_net_free(f.net);
}

static void the_inverse_undoes_the_convolution(void **state)
{
    enum { C = 12 };
    (void)state;
    struct flow f = flow_net(C);
    noise(ib_net_parameters(f.net), C * C, 2);
    run_flow(&f);
    const ib_real *x = ib_net_value(f.net, f.x);
    const ib_real *back = ib_net_value(f.net, f.back);
    for (size_t i = 0; i < C * 12; i++)
        assert_true(fabs((double)(back[i] - x[i])) < 1e-3);
    assert_true(near(back, x, C * 12));
    ib_net_free(f.net);
}

/* A permutation has no first pivot where it stands. */
static void rows_are_exchanged_where_that_is_needed(void **state)
{
    enum { C = 5 };
    (void)state;
    struct flow f = flow_net(C);
    ib_real *w = ib_net_parameters(f.net);
    memset(w, 0, C * C * sizeof *w);
    for (int i = 0; i < C; i++)
        w[i * C + (i + 2) % C] = 2;
    run_flow(&f);
    assert_memory_equal(ib_net_value(f.net, f.back), ib_net_value(f.net, f.x),
                        C * 12 * sizeof *w);
    double want = 6 * C * log(2);
    assert_true(fabs((double)ib_net_value(f.net, f.logdet)[0] - want) < 1e-5);
    ib_net_free(f.net);
}

static void a_singular_matrix_gives_no_numbers(void **state)
{
    (void)state;
    struct flow f = flow_net(4);
    ib_real *w = ib_net_parameters(f.net);
    memcpy(w + 4, w, 4 * sizeof *w); /* two equal rows */
    run_flow(&f);
    for (size_t i = 0; i < 24; i++) {
        assert_true(isfinite(ib_net_value(f.net, f.y)[i]));
        assert_true(isnan(ib_net_value(f.net, f.back)[i]));
    }
    assert_true(isnan(ib_net_value(f.net, f.logdet)[0]));
    memset(w, 0, 16 * sizeof *w);
    run_flow(&f);
    assert_true(isnan(ib_net_value(f.net, f.back)[0]));
    w[0] = (ib_real)INFINITY;
    run_flow(&f);
    assert_true(isnan(ib_net_value(f.net, f.back)[0]));
    ib_net_free(f.net);
}

/* A defense's hook that breaks W before the first step. */
static void flatten(const void *options, struct ib_train_batch *b)
{
    size_t first, count;
    ib_net_parameter_range(b->net, *(const ib_node *)options, &first, &count);
    for (size_t i = 0; i < count; i++)
        ib_net_parameters(b->net)[first + i] = 1;
}

static void training_stops_at_the_layer_that_has_no_inverse(void **state)
{
    (void)state;
    static struct toy toy;
    struct ib_error err = {0};
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    toy_make(&toy, 16, 1);
    ib_node x = ib_graph_input(g, toy.images.shape, "x");
    ib_node planes = ib_graph_reshape(g, x, (struct ib_shape){4, 6, 6});
    ib_node mix = ib_graph_invconv(g, planes, "mix");
    ib_node unmix = ib_graph_invconv_inverse(g, mix, mix, "unmix");
    ib_node logits = ib_graph_dense(g, unmix, TOY_CLASSES, "logits");
    assert_int_equal(ib_net_create(&net, g, 8, &err), IB_OK);
    struct ib_train_hook hook = {.options = &mix, .batch = flatten};
    struct ib_training t = {
        .net = net,
        .input = x,
        .logits = logits,
        .data = &toy.images,
        .classes = TOY_CLASSES,
        .options = {.epochs = 1, .batch = 8, .rate = 0.01},
        .seed = 3,
        .role = "target",
    };
    assert_int_equal(ib_train(&t, &err), IB_OK);
    t.hooks = &hook;
    t.n_hooks = 1;
    assert_int_equal(ib_train(&t, &err), IB_E_NUMERIC);
    assert_non_null(strstr(err.text, "step 1"));
    assert_non_null(strstr(err.text, "'unmix'"));
    ib_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invertible_convolution_begins_as_a_rotation),
        cmocka_unit_test(the_inverse_undoes_the_convolution),
        cmocka_unit_test(rows_are_exchanged_where_that_is_needed),
        cmocka_unit_test(a_singular_matrix_gives_no_numbers),
        cmocka_unit_test(training_stops_at_the_layer_that_has_no_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
