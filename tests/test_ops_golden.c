/*
 * Every op and whole nets against PyTorch in float64: outputs, gradients of
 * inputs and of parameters, state. tests/golden/make_ops.py says what is
 * compared.
 */
#include "cmocka_all.h"
#include "golden_nets.h"
#include "node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRAINING = 1, POSITIVE = 2 };
enum { KEEP = 16, MANY = 8192 };
static const double BOUND = 1e-5; /* norm of the difference over the norm */

/* --- what PyTorch found -------------------------------------------------- */

struct golden {
    const char *subject, *what;
    size_t n;
    double norm, kept[KEEP]; /* all n, or products with signs */
};

#define GOLDEN(subject, what, n, norm, ...)                                    \
    {subject, what, n, norm, {__VA_ARGS__}},
static const struct golden goldens[] = {
#include "golden/ops.inc"
};

/* --- subjects ------------------------------------------------------------ */

struct subject {
    const char *name;
    int rows, flags;
    ib_node (*build)(struct ib_graph *g, const ib_node *x);
    struct ib_shape shape[IB_OP_INPUTS]; /* 0x0x0: no such input */
};

#define JOIN(a, b) a##b
#define NAME(line) JOIN(build_, line)
#define SUBJECT(name, rows, flags, node, ...)                                  \
    static ib_node NAME(__LINE__)(struct ib_graph * g, const ib_node *x)       \
    {                                                                          \
        return node;                                                           \
    }
#include "golden/ops.def"
#undef SUBJECT
#define SUBJECT(name, rows, flags, node, ...)                                  \
    {name, rows, flags, NAME(__LINE__), {__VA_ARGS__}},
static const struct subject subjects[] = {
#include "golden/ops.def"
};
#undef SUBJECT

/* --- numbers by formula --------------------------------------------------- */

static uint32_t mix(size_t i, uint32_t seed)
{
    uint32_t x = (uint32_t)i * 0x9E3779B9u + seed * 0x85EBCA6Bu;
    x = (x ^ x >> 16) * 0x7FEB352Du;
    x = (x ^ x >> 15) * 0x846CA68Bu;
    return x ^ x >> 16;
}

static void noise(ib_real *x, size_t n, uint32_t seed, ib_real scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] = scale * ((ib_real)(mix(i, seed) >> 20) / 1024 - 2);
}

static void positive(ib_real *x, size_t n, uint32_t seed, ib_real least)
{
    noise(x, n, seed, 1);
    for (size_t i = 0; i < n; i++)
        x[i] = least + (x[i] < 0 ? -x[i] : x[i]);
}

/* 2^-(bits / 2) for a fan-in of so many bits. */
static ib_real weight_scale(size_t fan)
{
    int bits = 0;
    for (; fan > 0; fan /= 2)
        bits++;
    return (ib_real)ldexp(1, -(bits / 2));
}

static void fill_layers(struct ib_net *net)
{
    const struct ib_graph *g = ib_net_graph(net);
    uint32_t layers = 0, states = 0;
    for (int i = 0; i < g->n; i++) {
        const struct ib_graph_node *node = &g->node[i];
        ib_real *w = ib_net_parameters(net) + node->first;
        if (node->owner != i)
            continue;
        if (node->weights > 0) {
            noise(w, node->weights, 100 + layers,
                  weight_scale(node->weights / (size_t)node->shape.c));
            noise(w + node->weights, node->biases, 200 + layers++, 0.25f);
        }
        if (node->state > 0)
            positive(ib_net_state(net) + node->first_state, node->state,
                     300 + states++, 0.5f);
    }
}

/* --- comparing ----------------------------------------------------------- */

static double signed_sum(const ib_real *x, size_t n, uint32_t k)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += mix(i, 1000 + k) >> 31 ? -(double)x[i] : (double)x[i];
    return sum;
}

static double norm_of(const ib_real *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

/* Norm of the difference, known or estimated. */
static double difference(const struct golden *want, const ib_real *x)
{
    double sum = 0;
    size_t kept = want->n < KEEP ? want->n : KEEP;
    for (size_t k = 0; k < kept; k++) {
        double got = want->n <= KEEP ? (double)x[k]
                                     : signed_sum(x, want->n, (uint32_t)k);
        sum += (got - want->kept[k]) * (got - want->kept[k]);
    }
    return sqrt(want->n <= KEEP ? sum : sum / KEEP);
}

static const struct golden *golden_of(const char *subject, const char *what)
{
    for (size_t i = 0; i < IB_COUNT(goldens); i++)
        if (strcmp(goldens[i].subject, subject) == 0 &&
            strcmp(goldens[i].what, what) == 0)
            return &goldens[i];
    fail_msg("%s: no golden %s", subject, what);
    return NULL;
}

static size_t compared;

static void agree(const struct subject *s, const char *what, const ib_real *x,
                  size_t n)
{
    const struct golden *want = golden_of(s->name, what);
    assert_int_equal(want->n, n);
    assert_true(want->norm > 0);
    double e = difference(want, x) / want->norm;
    double norm = fabs(norm_of(x, n) - want->norm) / want->norm;
    if (!(e <= BOUND) || !(norm <= BOUND))
        fail_msg("%s: %s off by %g (norm by %g)", s->name, what, e, norm);
    compared++;
}

/* --- running ------------------------------------------------------------- */

static size_t input_size(const struct subject *s, int k)
{
    return (size_t)s->rows * ib_shape_size(s->shape[k]);
}

static struct ib_graph *graph_of(const struct subject *s, ib_node *y)
{
    ib_node x[IB_OP_INPUTS] = {IB_NONE};
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    for (int k = 0; k < IB_OP_INPUTS && s->shape[k].c > 0; k++)
        x[k] = ib_graph_input(g, s->shape[k], NULL);
    *y = s->build(g, x);
    if (ib_graph_error(g))
        fail_msg("%s: %s", s->name, ib_graph_error(g)->text);
    return g;
}

static void check(const struct subject *s, uint8_t seen[IB_OP_COUNT])
{
    static const char *const what[] = {"x0", "x1", "x2", "x3"};
    struct ib_error err;
    struct ib_net *net;
    ib_node y;
    struct ib_graph *g = graph_of(s, &y);
    for (int i = 0; i < g->n; i++)
        seen[g->node[i].op] = 1;
    assert_int_equal(ib_net_create(&net, g, s->rows, &err), IB_OK);
    fill_layers(net);
    for (int k = 0; k < IB_OP_INPUTS && s->shape[k].c > 0; k++)
        if (s->flags & POSITIVE)
            positive(ib_net_value(net, k), input_size(s, k), (uint32_t)k,
                     0.125f);
        else
            noise(ib_net_value(net, k), input_size(s, k), (uint32_t)k, 1);
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "training");
    struct ib_forward f = {.n = s->rows, .from = IB_NONE, .to = y};
    f.rng = s->flags & TRAINING ? &rng : NULL;
    size_t n = (size_t)s->rows * ib_shape_size(ib_graph_shape(g, y));
    ib_net_forward(net, &f);
    agree(s, "y", ib_net_value(net, y), n);
    noise(ib_net_gradient(net, y), n, 50, 1);
    ib_net_backward(net, &f, IB_WRT_INPUT | IB_WRT_PARAMETERS);
    for (int k = 0; k < IB_OP_INPUTS && s->shape[k].c > 0; k++)
        agree(s, what[k], ib_net_gradient(net, k), input_size(s, k));
    if (ib_net_parameter_count(net) > 0)
        agree(s, "w", ib_net_parameter_gradients(net),
              ib_net_parameter_count(net));
    if (ib_net_state_count(net) > 0)
        agree(s, "s", ib_net_state(net), ib_net_state_count(net));
    ib_net_free(net);
}

static void ops_and_nets_equal_an_independent_engine(void **state)
{
    (void)state;
    uint8_t seen[IB_OP_COUNT] = {0};
    compared = 0;
    for (size_t i = 0; i < IB_COUNT(subjects); i++)
        check(&subjects[i], seen);
    assert_int_equal(compared, IB_COUNT(goldens));
    for (int op = 0; op < IB_OP_COUNT; op++)
        if (!seen[op])
            fail_msg("op %s is in no subject", ib_ops[op]->name);
}

/* The estimate from 16 products finds an error of the allowed size. */
static void a_wrong_result_is_found(void **state)
{
    (void)state;
    static ib_real x[MANY];
    struct golden want = {.n = MANY};
    noise(x, MANY, 7, 1);
    for (uint32_t k = 0; k < KEEP; k++)
        want.kept[k] = signed_sum(x, MANY, k);
    assert_true(difference(&want, x) == 0);
    double norm = norm_of(x, MANY);
    for (size_t i = 0; i < MANY; i += 613) {
        ib_real keep = x[i];
        x[i] += (ib_real)(1e-3 * norm); /* one place */
        double e = difference(&want, x) / norm;
        assert_true(e > 0.99e-3 && e < 1.01e-3);
        x[i] = keep;
    }
    for (size_t i = 0; i < MANY; i++)
        x[i] *= i % 3 == 0 ? 1.001f : 1; /* many places */
    double e = difference(&want, x) / norm;
    assert_true(e > 0.4e-3 && e < 0.8e-3); /* about sqrt(1 / 3) 1e-3 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops_and_nets_equal_an_independent_engine),
        cmocka_unit_test(a_wrong_result_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
