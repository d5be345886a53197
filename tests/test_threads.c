/*
 * What a net computes is the same to the last bit on any number of threads.
 */
#include "cmocka_all.h"

#include <invbench/ops.h>
#include <invbench/pool.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A net that is run, and all that its runs leave behind. */
struct subject {
    const char *name;
    int rows;
    ib_node (*build)(struct ib_graph *g, ib_node x);
};

/* Layers of a classifier; several blocks of rows in each part. */
static ib_node build_classifier(struct ib_graph *g, ib_node x)
{
    struct ib_conv wide = {.channels = 24, .kernel = 3, .pad = 1};
    struct ib_norm plain = {0};
    ib_node y = ib_graph_conv2d(g, x, wide, NULL);
    y = ib_graph_relu(g, ib_graph_batchnorm(g, y, plain, NULL));
    y = ib_graph_maxpool(g, y, 2, 2);
    y = ib_graph_relu(g, ib_graph_conv2d(g, y, wide, NULL));
    y = ib_graph_avgpool(g, y, 2, 2);
    y = ib_graph_dense(g, y, 48, NULL);
    y = ib_graph_sigmoid(g, ib_graph_batchnorm(g, y, plain, NULL));
    y = ib_graph_dropout(g, y, 0.3);
    return ib_graph_softmax(g, ib_graph_dense(g, y, 10, NULL));
}

/* Every op with a normalisation, a condition or an inverse. */
static ib_node build_conditioned(struct ib_graph *g, ib_node x)
{
    struct ib_norm plain = {0}, three = {.groups = 3};
    struct ib_dense spectral = {.units = 12, .spectral = true};
    ib_node classes = ib_graph_softmax(g, ib_graph_dense(g, x, 5, NULL));
    ib_node y = ib_graph_invconv(g, x, "mix");
    y = ib_graph_tanh(g, ib_graph_groupnorm(g, y, three, NULL));
    y = ib_graph_conditional_batchnorm(g, y, classes, plain, NULL);
    y = ib_graph_invconv_inverse(g, ib_graph_tanh(g, y),
                                 ib_graph_invconv(g, x, "other"), NULL);
    y = ib_graph_instancenorm(g, y, plain, NULL);
    y = ib_graph_tanh(g, ib_graph_dense_with(g, y, spectral, NULL));
    ib_node score = ib_graph_projection(g, y, classes, true, NULL);
    return ib_graph_inner(
        g, score,
        ib_graph_invconv_logdet(g, ib_graph_invconv(g, x, NULL), NULL), NULL);
}

static const struct subject subjects[] = {
    {"classifier", 37, build_classifier},
    {"classifier, fewer rows than parts", 5, build_classifier},
    {"conditioned", 37, build_conditioned},
};

enum { MANY = 2000000, STEPS = 2 };

struct left {
    size_t n;
    ib_real number[MANY];
};

static void keep(struct left *l, const ib_real *x, size_t n)
{
    assert_true(l->n + n <= MANY);
    memcpy(l->number + l->n, x, n * sizeof *x);
    l->n += n;
}

static bool all_finite(const struct left *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (!isfinite(l->number[i]))
            return false;
    return true;
}

static void run(const struct subject *s, int threads, struct left *l)
{
    struct ib_error err;
    struct ib_net *net;
    struct ib_pool *pool;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){6, 32, 32}, "x");
    ib_node y = s->build(g, x);
    if (ib_graph_error(g))
        fail_msg("%s", ib_graph_error(g)->text);
    size_t k = ib_shape_size(ib_graph_shape(g, y));
    size_t d = ib_shape_size(ib_graph_shape(g, x)), rows = (size_t)s->rows;
    assert_int_equal(ib_net_create(&net, g, 40, &err), IB_OK);
    assert_int_equal(ib_pool_create(&pool, threads, &err), IB_OK);
    assert_int_equal(ib_net_use_pool(net, pool, &err), IB_OK);
    struct ib_rng rng = ib_rng_stream(4, "test", 0, "threads");
    ib_net_init(net, &rng);
    ib_real *w = ib_net_parameters(net), *dw = ib_net_parameter_gradients(net);
    size_t p = ib_net_parameter_count(net);
    l->n = 0;
    for (int step = 0; step <= STEPS; step++) { /* the last: inference */
        struct ib_forward f = {.n = s->rows,
                               .from = IB_NONE,
                               .to = y,
                               .rng = step < STEPS ? &rng : NULL};
        ib_rng_fill_normal(&rng, ib_net_value(net, x), rows * d, 1);
        ib_net_forward(net, &f);
        keep(l, ib_net_value(net, y), rows * k);
        ib_rng_fill_normal(&rng, ib_net_gradient(net, y), rows * k, 1);
        ib_net_backward(net, &f,
                        IB_WRT_INPUT | IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        keep(l, dw, p);
        keep(l, ib_net_gradient(net, x), rows * d);
        for (size_t i = 0; i < p; i++)
            w[i] -= (ib_real)0.01 * dw[i];
    }
    keep(l, ib_net_state(net), ib_net_state_count(net));
    ib_net_free(net);
    ib_pool_free(pool);
}

static void results_are_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    struct left *one = malloc(sizeof *one), *many = malloc(sizeof *many);
    assert_true(one && many);
    for (size_t i = 0; i < IB_COUNT(subjects); i++) {
        run(&subjects[i], 1, one);
        assert_true(all_finite(one));
        for (int threads = 2; threads <= 8; threads *= 2) {
            run(&subjects[i], threads, many);
            assert_int_equal(one->n, many->n);
            if (memcmp(one->number, many->number, one->n * sizeof(ib_real)))
                fail_msg("%s: %d threads", subjects[i].name, threads);
        }
    }
    free(one);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_the_same_bits_on_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
