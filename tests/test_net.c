/*
 * What graphs, nets and losses promise beyond their ops.
 */
#include "cmocka_all.h"

#include <invbench/losses.h>
#include <invbench/ops.h>

#include <math.h>
#include <string.h>

static void fill(float *x, size_t n, const char *name)
{
    struct ib_rng r = ib_rng_stream(5, "test", 0, name);
    ib_rng_fill_normal(&r, x, n, 1);
}

/* x -> conv -> relu -> maxpool -> dense -> tanh, and a second dense from the
 * pool: enough for branches, aliases and every kind of memory. */
struct small {
    struct ib_net *net;
    ib_node x, pool, left, right, logits;
};

static struct small small_net(int max_batch)
{
    struct small s;
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    s.x = ib_graph_input(g, (struct ib_shape){2, 12, 12}, "x");
    struct ib_conv conv = {.channels = 6, .kernel = 3, .pad = 1};
    ib_node r = ib_graph_relu(g, ib_graph_conv2d(g, s.x, conv, "conv"));
    s.pool = ib_graph_maxpool(g, r, 2, 2);
    ib_node flat = ib_graph_reshape(g, s.pool, (struct ib_shape){216, 1, 1});
    s.left = ib_graph_tanh(g, ib_graph_dense(g, flat, 9, "left"));
    s.logits = ib_graph_dense(g, s.left, 4, "logits");
    s.right = ib_graph_dense(g, s.pool, 5, "right");
    assert_int_equal(ib_net_create(&s.net, g, max_batch, &err), IB_OK);
    struct ib_rng rng = ib_rng_stream(2, "test", 0, "init");
    ib_net_init(s.net, &rng);
    return s;
}

static void run_small(struct small *s, int n, const float *x, float *out,
                      float *dx)
{
    size_t d = 288;
    struct ib_forward f = {.n = n, .from = s->x, .to = s->logits};
    memcpy(ib_net_value(s->net, s->x), x, (size_t)n * d * sizeof *x);
    ib_net_forward(s->net, &f);
    memcpy(out, ib_net_value(s->net, s->logits), (size_t)n * 4 * sizeof *x);
    for (int i = 0; i < 4 * n; i++)
        ib_net_gradient(s->net, s->logits)[i] = i % 4 == 1 ? 1.0f : -0.5f;
    ib_net_backward(s->net, &f, IB_WRT_INPUT);
    memcpy(dx, ib_net_gradient(s->net, s->x), (size_t)n * d * sizeof *x);
}

static bool near(const float *a, const float *b, size_t n)
{
    double wrong = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
        wrong += pow((double)a[i] - (double)b[i], 2);
        norm += pow((double)b[i], 2);
    }
    return norm > 0 && wrong <= 1e-10 * norm;
}

static void a_row_depends_on_neither_batch_size_nor_place(void **state)
{
    (void)state;
    enum { N = 17, D = 288 };
    static float x[N * D], out[N * 4], dx[N * D], one[4], done[D];
    struct small s = small_net(N);
    fill(x, N * D, "rows");
    run_small(&s, N, x, out, dx);
    for (size_t i = 0; i < N; i++) {
        run_small(&s, 1, x + i * D, one, done);
        assert_true(near(one, out + i * 4, 4));
        assert_true(near(done, dx + i * D, D));
    }
    ib_net_free(s.net);
}

static void a_run_begins_and_ends_where_it_is_told(void **state)
{
    (void)state;
    struct small s = small_net(2);
    fill(ib_net_value(s.net, s.x), 2 * 288, "x");
    struct ib_forward all = {.n = 2, .from = s.x, .to = s.logits};
    ib_net_forward(s.net, &all);
    float want[8];
    memcpy(want, ib_net_value(s.net, s.logits), sizeof want);
    assert_true(ib_net_value(s.net, s.right)[0] == 0); /* not an ancestor */
    memset(ib_net_value(s.net, s.x), 0, 2 * 288 * sizeof(float));
    struct ib_forward rest = {.n = 2, .from = s.left, .to = s.logits};
    ib_net_forward(s.net, &rest);
    assert_memory_equal(want, ib_net_value(s.net, s.logits), sizeof want);
    ib_net_free(s.net);
}

/* logits = shared(shared(x)): both uses feed one gradient. */
static void shared_parameters_collect_the_gradients_of_all_uses(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){1, 1, 1}, "x");
    ib_node a = ib_graph_dense(g, x, 1, "a");
    ib_node b = ib_graph_dense_shared(g, a, a, "b");
    assert_int_equal(ib_graph_parameters(g), 2);
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_OK);
    float *w = ib_net_parameters(net), *dw = ib_net_parameter_gradients(net);
    w[0] = 3;
    w[1] = 0.5f;
    ib_net_value(net, x)[0] = 2;
    struct ib_forward f = {.n = 1, .from = x, .to = b};
    for (int pass = 0; pass < 2; pass++) {
        ib_net_forward(net, &f);
        assert_true(ib_net_value(net, b)[0] == 3 * 6.5f + 0.5f);
        ib_net_gradient(net, b)[0] = 1;
        ib_net_backward(net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        assert_true(dw[0] == 6.5f + 3 * 2 && dw[1] == 1 + 3);
    }
    ib_net_free(net);
}

static void cross_entropy_equals_its_definition(void **state)
{
    (void)state;
    float z[6] = {1, -2, 0.5f, 3, 0, 1}, g[6], up[6], junk[6];
    float t[6] = {0.7f, 0.2f, 0.1f, 1.1f, -0.05f, -0.05f};
    double want = 0;
    for (int i = 0; i < 2; i++) {
        double s = 0;
        for (int j = 0; j < 3; j++)
            s += exp((double)z[3 * i + j]);
        for (int j = 0; j < 3; j++)
            want -=
                (double)t[3 * i + j] * log(exp((double)z[3 * i + j]) / s) / 2;
    }
    double loss = ib_loss_cross_entropy(2, 3, z, t, g);
    assert_true(fabs(loss - want) < 1e-6);
    for (int i = 0; i < 6; i++) {
        memcpy(up, z, sizeof up);
        up[i] += 0.015625f;
        double a = ib_loss_cross_entropy(2, 3, up, t, junk);
        up[i] -= 0.03125f;
        double b = ib_loss_cross_entropy(2, 3, up, t, junk);
        assert_true(fabs((a - b) / 0.03125 - (double)g[i]) < 1e-4);
    }
}

static void mean_squared_error_equals_its_definition(void **state)
{
    (void)state;
    float y[4] = {1, 2, 3, 4}, t[4] = {0, 2, 5, 1}, g[4];
    assert_true(fabs(ib_loss_mse(2, 2, y, t, g) - 14.0 / 4) < 1e-12);
    assert_true(g[0] == 0.5f && g[1] == 0 && g[2] == -1 && g[3] == 1.5f);
}

static void a_misfit_names_both_nodes_and_shapes(void **state)
{
    (void)state;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){1, 4, 4}, "photo");
    struct ib_conv conv = {.channels = 8, .kernel = 7};
    ib_node y = ib_graph_conv2d(g, x, conv, "eyes");
    assert_int_equal(y, IB_NONE);
    assert_int_equal(ib_graph_relu(g, y), IB_NONE);
    const char *text = ib_graph_error(g)->text;
    assert_non_null(strstr(text, "'eyes' (conv2d, 8x0x0)"));
    assert_non_null(strstr(text, "'photo' (1x4x4)"));
    struct ib_net *net = NULL;
    struct ib_error err;
    assert_int_equal(ib_net_create(&net, g, 1, &err), IB_E_USAGE);
    assert_null(net);
}

static void impossible_nodes_are_refused(void **state)
{
    (void)state;
    for (int i = 0; i < 9; i++) {
        struct ib_graph *g = ib_graph_create();
        ib_node x = ib_graph_input(g, (struct ib_shape){2, 6, 6}, "x");
        struct ib_conv bad = {.channels = 1 << 30, .kernel = 250, .pad = 249};
        ib_node y =
            i == 0   ? ib_graph_dense(g, x, 0, "y")
            : i == 1 ? ib_graph_conv2d(g, x, bad, "y")
            : i == 2 ? ib_graph_maxpool(g, x, 7, 1)
            : i == 3 ? ib_graph_avgpool(g, x, 2, 0)
            : i == 4 ? ib_graph_dropout(g, x, 1)
            : i == 5 ? ib_graph_reshape(g, x, (struct ib_shape){7, 1, 1})
            : i == 6 ? ib_graph_dense(g, x, 3, "x")
            : i == 7 ? ib_graph_dense_shared(g, x, x, "y")
                     : ib_graph_input(g, (struct ib_shape){0, 1, 1}, "z");
        assert_int_equal(y, IB_NONE);
        assert_non_null(ib_graph_error(g));
        ib_graph_free(g);
    }
    ib_graph_free(NULL);
}

static void a_net_that_cannot_be_addressed_is_refused(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net = NULL;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){1, 20000, 20000}, "x");
    for (int i = 0; i < 8; i++)
        x = ib_graph_relu(g, x);
    assert_null(ib_graph_error(g));
    assert_int_equal(ib_net_create(&net, g, 2000000000, &err), IB_E_NOMEM);
    assert_null(net);
}

static void initial_weights_have_the_stated_bounds(void **state)
{
    (void)state;
    struct small s = small_net(1);
    const float *w = ib_net_parameters(s.net);
    size_t first, count;
    const struct {
        ib_node node;
        size_t weights;
        double bound;
    } want[] = {{s.x + 1, 108, sqrt(6.0 / 18)}, {s.logits, 36, sqrt(6.0 / 13)}};
    for (size_t k = 0; k < 2; k++) {
        ib_net_parameter_range(s.net, want[k].node, &first, &count);
        float top = 0;
        for (size_t i = 0; i < want[k].weights; i++)
            top = fmaxf(top, fabsf(w[first + i]));
        assert_true((double)top <= want[k].bound);
        assert_true((double)top > 0.9 * want[k].bound);
        for (size_t i = want[k].weights; i < count; i++)
            assert_true(w[first + i] == 0);
    }
    ib_net_free(s.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_depends_on_neither_batch_size_nor_place),
        cmocka_unit_test(a_run_begins_and_ends_where_it_is_told),
        cmocka_unit_test(shared_parameters_collect_the_gradients_of_all_uses),
        cmocka_unit_test(cross_entropy_equals_its_definition),
        cmocka_unit_test(mean_squared_error_equals_its_definition),
        cmocka_unit_test(a_misfit_names_both_nodes_and_shapes),
        cmocka_unit_test(impossible_nodes_are_refused),
        cmocka_unit_test(a_net_that_cannot_be_addressed_is_refused),
        cmocka_unit_test(initial_weights_have_the_stated_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
