/*
 * Norms, conditioning and invertible convolutions against PyTorch in float64:
 * see tests/golden/make_norms.py.
 */
#include "norm_fixture.h"

#include <invbench/statistics.h>

static const struct golden {
    const char *name, *what;
    size_t n;
    const double *value;
} goldens[] = {
#include "golden/norms.inc"
};

static const struct golden *golden_of(const char *name, const char *what)
{
    for (size_t i = 0; i < IB_COUNT(goldens); i++)
        if (strcmp(goldens[i].name, name) == 0 &&
            strcmp(goldens[i].what, what) == 0)
            return &goldens[i];
    return NULL;
}

/* Fails unless the norm of the difference is 1e-5 of the reference's at most;
 * counts what was compared. */
static size_t agree(const char *name, const char *what, const ib_real *x,
                    size_t n)
{
    const struct golden *g = golden_of(name, what);
    double wrong = 0, norm = 0;
    if (!g)
        fail_msg("%s has no golden %s", name, what);
    assert_int_equal(g->n, n);
    for (size_t i = 0; i < n; i++) {
        wrong += pow((double)x[i] - g->value[i], 2);
        norm += pow(g->value[i], 2);
    }
    if (!(norm > 0 && sqrt(wrong / norm) <= 1e-5))
        fail_msg("%s: %s is off by %g of %g", name, what, sqrt(wrong),
                 sqrt(norm));
    return 1;
}

static size_t compare(struct trial *t)
{
    static const char *const dx[INPUTS] = {"dx0", "dx1", "dx2"};
    const char *name = t->s->name;
    size_t n = agree(name, "y", ib_net_value(t->net, t->y), ROWS * t->k);
    backward(t, IB_WRT_INPUT | IB_WRT_PARAMETERS);
    for (int i = 0; i < t->s->inputs; i++)
        n += agree(name, dx[i], ib_net_gradient(t->net, t->x[i]),
                   ROWS * t->d[i]);
    if (t->p > 0)
        n += agree(name, "dw", ib_net_parameter_gradients(t->net), t->p);
    if (t->s->training && t->state > 0)
        n += agree(name, "state", ib_net_state(t->net), t->state);
    return n;
}

static void outputs_and_gradients_equal_an_independent_engine(void **state)
{
    (void)state;
    static struct trial t;
    size_t compared = 0;
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        set_up(&t, &subjects[i], false);
        forward(&t);
        compared += compare(&t);
        ib_net_free(t.net);
    }
    assert_int_equal(compared, IB_COUNT(goldens) - 3); /* the tests below */
}

/* Two batch norms in inference, both matched, and a loss at the end. */
static void matched_statistics_equal_an_independent_engine(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){4, 3, 3}, "x");
    struct ib_norm plain = {0};
    ib_node first = ib_graph_batchnorm(g, x, plain, "first");
    ib_node mixed = ib_graph_invconv(g, ib_graph_relu(g, first), "mix");
    ib_node y = ib_graph_batchnorm(g, mixed, plain, "second"), bn[3];
    ib_graph_keep_statistics(g);
    assert_int_equal(ib_graph_batchnorms(g, bn, 3), 2);
    assert_true(bn[0] == first && bn[1] == y);
    assert_int_equal(ib_graph_source(g, bn[1]), mixed);
    assert_int_equal(ib_graph_source(g, x), IB_NONE);
    assert_int_equal(ib_net_create(&net, g, ROWS, &err), IB_OK);
    noise(ib_net_parameters(net), 32, 10);
    noise(ib_net_state(net), 16, 20);
    for (size_t i = 0; i < 16; i++)
        ib_net_state(net)[i] =
            (ib_real)(0.5 + fabs((double)ib_net_state(net)[i]));
    noise(ib_net_value(net, x), ROWS * 36, 30);
    const ib_node also[2] = {x, mixed};
    const struct ib_forward f = {
        .n = ROWS, .from = IB_NONE, .to = y, .also = also, .n_also = 2};
    ib_net_forward(net, &f);
    ib_real loss[2];
    for (int pass = 0; pass < 2; pass++) {
        noise(ib_net_gradient(net, y), ROWS * 36, 40);
        loss[0] = (ib_real)ib_net_statistics_loss(net, bn[0], ROWS, 0.7, 0);
        /* in two halves: the second is added */
        loss[1] = (ib_real)ib_net_statistics_loss(net, bn[1], ROWS, 1, 0);
        loss[1] = (ib_real)ib_net_statistics_loss(net, bn[1], ROWS, 2, 1);
        agree("matching", "loss", loss, 2);
        ib_net_backward(net, &f, IB_WRT_INPUT);
        agree("matching", "dx0", ib_net_gradient(net, x), ROWS * 36);
    }
    ib_net_free(net);
}

/* y = W / sigma for the identity as input; W has the ratio 1.09 of its two
 * largest singular values. */
static void power_iteration_finds_the_largest_singular_value(void **state)
{
    (void)state;
    enum { M = 12, J = 20 };
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){J, 1, 1}, "x");
    const struct ib_dense d = {.units = M, .no_bias = true, .spectral = true};
    ib_node y = ib_graph_dense_with(g, x, d, "d");
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    assert_int_equal(ib_net_state_count(net), M + J);
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "spectral");
    ib_net_init(net, &rng);
    noise(ib_net_parameters(net), M * J, 60);
    ib_net_value(net, x)[3] = 1;
    struct ib_forward f = {.n = 1, .from = x, .to = y, .rng = &rng};
    for (int i = 0; i < 200; i++)
        ib_net_forward(net, &f);
    ib_real sigma = ib_net_parameters(net)[3] / ib_net_value(net, y)[0];
    agree("spectral", "sigma", &sigma, 1);
    ib_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_equal_an_independent_engine),
        cmocka_unit_test(matched_statistics_equal_an_independent_engine),
        cmocka_unit_test(power_iteration_finds_the_largest_singular_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
