/*
 * In the double build: gradients of every op to each input and to its
 * parameters against central differences of the engine's own forward pass,
 * in inference and in training, alone and among other nodes.
 */
#include "cmocka_all.h"
#include "node.h"

#include <invbench/ops.h>

#include <math.h>
#include <string.h>

enum { ROWS = 3, MANY = 2048 };
enum { POSITIVE = 1, INFERENCE = 2 };

struct item {
    enum ib_op_id op;
    int flags;
    const char *text;
    ib_node (*build)(struct ib_graph *g, const ib_node *x);
    struct ib_shape shape[IB_OP_INPUTS]; /* 0x0x0: no such input */
};

/* --- what rows of the table need beyond a builder ------------------------- */

static ib_node with_logdet(struct ib_graph *g, ib_node conv)
{
    return ib_graph_plus(g, conv, ib_graph_invconv_logdet(g, conv, NULL));
}

/* --- the table ----------------------------------------------------------- */

#define JOIN(a, b) a##b
#define NAME(line) JOIN(build_, line)
#define GRADIENT(op, flags, node, ...)                                         \
    static ib_node NAME(__LINE__)(struct ib_graph * g, const ib_node *x)       \
    {                                                                          \
        return node;                                                           \
    }
#include "gradients.def"
#undef GRADIENT
#define GRADIENT(op, flags, node, ...)                                         \
    {IB_OP_##op, flags, #node, NAME(__LINE__), {__VA_ARGS__}},
static const struct item items[] = {
#include "gradients.def"
};
#undef GRADIENT

/* Where the op stands: its inputs are the graph's; are computed, so that
 * gradients share memory; or have other readers, so that gradients add up. */
enum place { ALONE, BEHIND, BESIDE };

struct probe {
    const struct item *item;
    struct ib_net *net;
    int n_inputs;
    ib_node y;
    bool training;
    size_t size, parameters, states; /* numbers */
    double state[MANY], dy[MANY], want[MANY];
};

static void fill(double *x, size_t n, const char *name, bool positive)
{
    struct ib_rng r = ib_rng_stream(3, "test", 0, name);
    assert_true(n <= MANY);
    ib_rng_fill_normal(&r, x, n, 1);
    for (size_t i = 0; i < n && positive; i++)
        x[i] = fabs(x[i]) + 0.1;
}

static size_t input_size(const struct probe *p, int k)
{
    return ROWS * ib_shape_size(p->item->shape[k]);
}

/* --- building ------------------------------------------------------------ */

static ib_node with_readers(struct ib_graph *g, int n, const ib_node *x,
                            ib_node y)
{
    y = ib_graph_flatten(g, y);
    for (int k = 0; k < n; k++) {
        ib_node other = ib_graph_affine(g, x[k], 0.5 + k, 0.25);
        y = ib_graph_concat(g, (ib_node[]){y, ib_graph_flatten(g, other)}, 2);
    }
    return y;
}

static struct ib_graph *graph_of(struct probe *p, enum place place)
{
    struct ib_graph *g = ib_graph_create();
    ib_node x[IB_OP_INPUTS], in[IB_OP_INPUTS];
    const struct item *item = p->item;
    assert_non_null(g);
    for (p->n_inputs = 0; p->n_inputs < IB_OP_INPUTS; p->n_inputs++) {
        int k = p->n_inputs;
        if (item->shape[k].c == 0)
            break;
        x[k] = in[k] = ib_graph_input(g, item->shape[k], NULL);
    }
    for (int k = 0; k < p->n_inputs && place == BEHIND; k++)
        in[k] = ib_graph_affine(g, x[k], 1.25, 0.1);
    p->y = item->build(g, in);
    if (place == BESIDE)
        p->y = with_readers(g, p->n_inputs, x, p->y);
    return g;
}

static bool has_op(const struct ib_graph *g, enum ib_op_id op)
{
    for (int i = 0; i < g->n; i++)
        if (g->node[i].op == op)
            return true;
    return false;
}

static void run(struct probe *p, struct ib_forward *f, struct ib_rng *rng)
{
    *rng = ib_rng_stream(4, "test", 0, "run");
    *f = (struct ib_forward){.n = ROWS,
                             .from = IB_NONE,
                             .to = p->y,
                             .rng = p->training ? rng : NULL};
    if (p->states > 0)
        memcpy(ib_net_state(p->net), p->state, p->states * sizeof *p->state);
    ib_net_forward(p->net, f);
}

/* State as after some training: running statistics have moved, singular
 * vectors have found their direction. */
static void settle(struct probe *p)
{
    struct ib_forward f;
    struct ib_rng rng;
    bool training = p->training;
    p->training = true;
    for (int i = 0; i < 20 && p->states > 0; i++) {
        memcpy(p->state, ib_net_state(p->net), p->states * sizeof *p->state);
        run(p, &f, &rng);
    }
    if (p->states > 0)
        memcpy(p->state, ib_net_state(p->net), p->states * sizeof *p->state);
    p->training = training;
}

static void open_probe(struct probe *p, enum place place)
{
    static const char *const names[] = {"x0", "x1", "x2", "x3"};
    static double noise[MANY];
    struct ib_error err;
    struct ib_graph *g = graph_of(p, place);
    if (ib_graph_error(g))
        fail_msg("%s: %s", p->item->text, ib_graph_error(g)->text);
    if (!has_op(g, p->item->op))
        fail_msg("%s: no node of op %s", p->item->text,
                 ib_ops[p->item->op]->name);
    assert_int_equal(ib_net_create(&p->net, g, ROWS, &err), IB_OK);
    p->size = ROWS * ib_shape_size(ib_graph_shape(g, p->y));
    p->parameters = ib_net_parameter_count(p->net);
    p->states = ib_net_state_count(p->net);
    assert_true(p->states <= MANY);
    struct ib_rng rng = ib_rng_stream(5, "test", 0, "init");
    ib_net_init(p->net, &rng);
    fill(noise, p->parameters, "parameters", false);
    for (size_t i = 0; i < p->parameters; i++)
        ib_net_parameters(p->net)[i] += 0.3 * noise[i];
    for (int k = 0; k < p->n_inputs; k++)
        fill(ib_net_value(p->net, k), input_size(p, k), names[k],
             p->item->flags & POSITIVE);
    fill(p->dy, p->size, "dy", false);
    settle(p);
}

/* --- differentiating ----------------------------------------------------- */

static double loss(struct probe *p)
{
    struct ib_forward f;
    struct ib_rng rng;
    double sum = 0;
    run(p, &f, &rng);
    for (size_t i = 0; i < p->size; i++)
        sum += p->dy[i] * ib_net_value(p->net, p->y)[i];
    return sum;
}

static void backward(struct probe *p)
{
    struct ib_forward f;
    struct ib_rng rng;
    run(p, &f, &rng);
    memcpy(ib_net_gradient(p->net, p->y), p->dy, p->size * sizeof *p->dy);
    ib_net_zero_gradients(p->net);
    ib_net_backward(p->net, &f,
                    IB_WRT_INPUT | IB_WRT_PARAMETERS |
                        (p->training ? IB_WRT_OVERWRITE : 0));
}

/* What the n numbers at x change, beside the gradient g. */
static void compare(struct probe *p, double *x, const double *g, size_t n,
                    const char *what)
{
    const double h = 1e-5;
    double wrong = 0, norm = 0;
    assert_true(n <= MANY);
    memcpy(p->want, g, n * sizeof *g);
    for (size_t i = 0; i < n; i++) {
        double keep = x[i];
        x[i] = keep + h;
        double up = loss(p);
        x[i] = keep - h;
        double slope = (up - loss(p)) / (2 * h);
        x[i] = keep;
        wrong += (p->want[i] - slope) * (p->want[i] - slope);
        norm += slope * slope;
    }
    if (!(norm > 1e-6) || !(sqrt(wrong / norm) <= 1e-6))
        fail_msg("%s, %s: gradient to %s off by %g (norm %g)", p->item->text,
                 p->training ? "training" : "inference", what,
                 sqrt(wrong / norm), sqrt(norm));
}

static void check_item(const struct item *item, enum place place, bool training)
{
    static const char *const what[] = {"x[0]", "x[1]", "x[2]", "x[3]"};
    static struct probe p;
    p = (struct probe){.item = item, .training = training};
    open_probe(&p, place);
    backward(&p);
    for (int k = 0; k < p.n_inputs; k++)
        compare(&p, ib_net_value(p.net, k), ib_net_gradient(p.net, k),
                input_size(&p, k), what[k]);
    if (p.parameters > 0)
        compare(&p, ib_net_parameters(p.net), ib_net_parameter_gradients(p.net),
                p.parameters, "parameters");
    ib_net_free(p.net);
}

static void check_all(enum place place)
{
    for (size_t i = 0; i < IB_COUNT(items); i++) {
        check_item(&items[i], place, false);
        if (!(items[i].flags & INFERENCE))
            check_item(&items[i], place, true);
    }
}

static void every_op_has_a_case(void **state)
{
    (void)state;
    for (int op = 0; op < IB_OP_COUNT; op++) {
        size_t i = 0;
        while (i < IB_COUNT(items) && items[i].op != (enum ib_op_id)op)
            i++;
        if (i == IB_COUNT(items))
            fail_msg("op %s has no row in gradients.def", ib_ops[op]->name);
    }
}

static void gradients_equal_finite_differences(void **state)
{
    (void)state;
    check_all(ALONE);
}

static void so_they_do_behind_other_nodes(void **state)
{
    (void)state;
    check_all(BEHIND);
}

static void so_they_do_where_inputs_have_other_readers(void **state)
{
    (void)state;
    check_all(BESIDE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_a_case),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(so_they_do_behind_other_nodes),
        cmocka_unit_test(so_they_do_where_inputs_have_other_readers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
