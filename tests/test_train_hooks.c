/* Where a defense may stand in a training: each place, with a made-up one. */
#include "cmocka_all.h"
#include "stack.h"
#include "toy_images.h"

#include <invbench/defense.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 24, HIDDEN = 10 };

static struct toy toy;

static int make_data(void **state)
{
    (void)state;
    toy_make(&toy, N, 1);
    return 0;
}

/* One step of plain gradient descent over all N images: the gradient is the
 * change of the parameters. */
struct one_step {
    struct ib_net *net;
    ib_node x, hidden, logits;
    struct ib_training t;
};

static void open_step(struct one_step *s, const struct ib_train_hook *hook)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    s->x = ib_graph_input(g, toy.images.shape, "x");
    s->hidden = ib_graph_keep(
        g, ib_graph_relu(g, ib_graph_dense(g, s->x, HIDDEN, "hidden")));
    s->logits = ib_graph_dense(g, s->hidden, TOY_CLASSES, "logits");
    assert_int_equal(ib_net_create(&s->net, g, N, &err), IB_OK);
    s->t = (struct ib_training){
        .net = s->net,
        .input = s->x,
        .logits = s->logits,
        .data = &toy.images,
        .classes = TOY_CLASSES,
        .options = {.epochs = 1, .batch = N, .rate = 0x1p-10},
        .hooks = hook,
        .n_hooks = hook ? 1 : 0,
        .seed = 3,
        .role = "target"};
}

/* The gradient that the one step took. */
static void gradient_of(const struct ib_train_hook *hook, float *gradient)
{
    struct one_step s;
    struct ib_error err;
    open_step(&s, hook);
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    memcpy(gradient, ib_net_parameter_gradients(s.net),
           ib_net_parameter_count(s.net) * sizeof(float));
    ib_net_free(s.net);
}

enum { PARAMETERS = 145 * HIDDEN + (HIDDEN + 1) * TOY_CLASSES };

/* --- rows: clipping ------------------------------------------------------- */

struct clipping {
    double most;
    double norm[N];
    int calls;
};

static void clip_rows(const void *options, struct ib_train_rows *r)
{
    struct clipping *c = *(struct clipping *const *)options;
    c->calls++;
    for (size_t i = 0; i < r->n; i++) {
        assert_true(r->weight[i] == 1);
        c->norm[i] = r->norm[i];
        r->weight[i] = r->norm[i] > c->most ? c->most / r->norm[i] : 1;
    }
}

/* Each image's own gradient by a run of its own; clipped; their mean. */
static void clip_one_by_one(double most, double *mean, double *norms)
{
    struct one_step s;
    struct ib_error err;
    open_step(&s, NULL);
    s.t.options.rate = 1e-9;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    struct ib_rng init = ib_rng_stream(3, "target", -1, "init");
    ib_net_init(s.net, &init);
    memset(mean, 0, PARAMETERS * sizeof *mean);
    for (size_t i = 0; i < N; i++) {
        struct ib_forward f = {.n = 1, .from = s.x, .to = s.logits};
        float target[TOY_CLASSES] = {0};
        target[toy.identity[i]] = 1;
        ib_image_to_float(toy.images.pixels + i * 144, 144,
                          ib_net_value(s.net, s.x));
        ib_net_forward(s.net, &f);
        (void)ib_loss_cross_entropy(1, TOY_CLASSES,
                                    ib_net_value(s.net, s.logits), target,
                                    ib_net_gradient(s.net, s.logits));
        ib_net_backward(s.net, &f, IB_WRT_PARAMETERS | IB_WRT_OVERWRITE);
        const float *g = ib_net_parameter_gradients(s.net);
        double norm = sqrt(ib_dot(PARAMETERS, g, g));
        norms[i] = norm;
        for (size_t j = 0; j < PARAMETERS; j++)
            mean[j] +=
                (double)g[j] * (norm > most ? most / norm : 1) / (double)N;
    }
    ib_net_free(s.net);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void rows_are_clipped_as_if_each_had_been_run_alone(void **state)
{
    (void)state;
    static double mean[PARAMETERS], norms[N];
    static float got[PARAMETERS];
    clip_one_by_one(1e9, mean, norms);
    qsort(norms, N, sizeof *norms, ascending);
    struct clipping c = {.most = norms[N / 2]}, *options = &c;
    struct ib_train_hook hook = {.options = &options, .rows = clip_rows};
    clip_one_by_one(c.most, mean, norms);
    gradient_of(&hook, got);
    assert_int_equal(c.calls, 1);
    double wrong = 0, size = 0;
    for (size_t j = 0; j < PARAMETERS; j++) {
        wrong += pow((double)got[j] - mean[j], 2);
        size += pow(mean[j], 2);
    }
    assert_true(size > 0 && wrong <= 1e-12 * size);
    qsort(norms, N, sizeof *norms, ascending);
    qsort(c.norm, N, sizeof *c.norm, ascending);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(c.norm[i] - norms[i]) <= 1e-5 * norms[i]);
}

/* --- loss at an inner layer ----------------------------------------------- */

struct penalty {
    ib_node x;
    double weight;
};

/* weight / (2 n) * sum of squares of x. */
static double penalise(const void *options, struct ib_train_loss *l)
{
    const struct penalty *p = options;
    size_t n = l->batch->n * HIDDEN;
    const float *x = ib_net_value(l->batch->net, p->x);
    float *dx = ib_train_gradient(l, p->x);
    assert_ptr_equal(dx, ib_train_gradient(l, p->x));
    for (size_t i = 0; i < n; i++) {
        assert_true(dx[i] == 0);
        dx[i] += (float)(p->weight / (double)l->batch->n) * x[i];
    }
    return p->weight / 2 * ib_dot(n, x, x) / (double)l->batch->n;
}

static void a_loss_at_an_inner_layer_reaches_the_layers_behind_it(void **state)
{
    (void)state;
    static float plain[PARAMETERS], with[PARAMETERS];
    struct one_step s;
    open_step(&s, NULL);
    struct penalty p = {s.hidden, 3};
    ib_net_free(s.net);
    struct ib_train_hook hook = {.options = &p, .loss = penalise};
    gradient_of(NULL, plain);
    gradient_of(&hook, with);
    size_t behind = 145 * HIDDEN;
    assert_memory_equal(plain + behind, with + behind,
                        (PARAMETERS - behind) * sizeof(float));
    /* d penalty / d bias of `hidden` is the mean of relu's output, times 3. */
    struct ib_error err;
    open_step(&s, NULL);
    struct ib_rng init = ib_rng_stream(3, "target", -1, "init");
    ib_net_init(s.net, &init);
    float features[N * HIDDEN];
    ib_predict(s.net, s.x, s.hidden, &toy.images, features);
    for (size_t k = 0; k < HIDDEN; k++) {
        double want = 0;
        for (size_t i = 0; i < N; i++)
            want += 3 * (double)features[i * HIDDEN + k] / N;
        size_t at = 144 * HIDDEN + k;
        assert_true(fabs((double)with[at] - (double)plain[at] - want) < 1e-5);
    }
    ib_net_free(s.net);
    (void)err;
}

static void rows_and_an_inner_loss_exclude_each_other(void **state)
{
    (void)state;
    struct one_step s;
    struct ib_error err;
    struct clipping c = {.most = 1}, *options = &c;
    open_step(&s, NULL);
    struct penalty p = {s.hidden, 3};
    struct ib_train_hook both[] = {{.options = &p, .loss = penalise},
                                   {.options = &options, .rows = clip_rows}};
    s.t.hooks = both;
    s.t.n_hooks = 2;
    assert_int_equal(ib_train(&s.t, &err), IB_E_USAGE);
    assert_non_null(strstr(err.text, "inner layer"));
    ib_net_free(s.net);
}

/* --- step ------------------------------------------------------------------
 */

static void add_noise(const void *options, struct ib_train_step *s)
{
    (void)options;
    assert_int_equal(s->parameters, PARAMETERS);
    assert_int_equal(s->n, N);
    for (size_t i = 0; i < s->parameters; i++)
        s->gradient[i] = (float)ib_rng_normal(s->rng);
}

static void a_step_hook_changes_what_the_optimiser_sees(void **state)
{
    (void)state;
    static float got[PARAMETERS];
    struct ib_train_hook hook = {.step = add_noise};
    struct ib_rng rng = ib_rng_stream(3, "target", 0, "hook");
    gradient_of(&hook, got);
    for (size_t i = 0; i < PARAMETERS; i++)
        assert_true(got[i] == (float)ib_rng_normal(&rng));
}

/* --- rewrite and phases, through a stack -----------------------------------
 */

/* A bottleneck of two numbers between the features and new logits. */
static enum ib_status bottleneck(const void *options,
                                 const struct ib_model_task *task,
                                 struct ib_graph *g,
                                 struct ib_model_nodes *nodes,
                                 struct ib_error *err)
{
    (void)options;
    (void)err;
    nodes->code = ib_graph_dense(g, nodes->features, 2, "bottleneck");
    nodes->logits = ib_graph_dense(g, nodes->code, task->classes, "narrow");
    return IB_OK;
}

/* The logits alone first, then everything. */
static int two_phases(const void *options, const struct ib_model_nodes *nodes,
                      const struct ib_graph *g, struct ib_phase *phases, int n)
{
    (void)options;
    (void)g;
    assert_int_equal(n, 1);
    phases[1] = phases[0];
    phases[0].name = "head";
    phases[0].first = phases[0].last = nodes->logits;
    return 2;
}

static const struct ib_defense narrow = {
    .plugin = {.kind = IB_KIND_DEFENSE, .name = "narrow"},
    .stage = IB_STAGE_TRAIN,
    .rewrite = bottleneck,
    .phases = two_phases,
};

static void a_stack_rewrites_the_model_and_its_phases(void **state)
{
    (void)state;
    struct ib_stack stack = {.use = {{.plugin = &narrow.plugin}}, .n = 1};
    struct ib_graph *g = ib_graph_create();
    struct ib_model_task task = {toy.images.shape, TOY_CLASSES};
    struct ib_model_nodes nodes = {.code = IB_NONE, .decoded = IB_NONE};
    struct ib_phase phases[IB_PHASES_MAX];
    struct ib_net *net;
    struct ib_error err;
    double loss[2];
    nodes.input = ib_graph_input(g, task.shape, "x");
    nodes.features = ib_graph_dense(g, nodes.input, HIDDEN, "features");
    nodes.logits = ib_graph_dense(g, nodes.features, TOY_CLASSES, "wide");
    assert_int_equal(narrow.rewrite(NULL, &task, g, &nodes, &err), IB_OK);
    assert_int_equal(ib_net_create(&net, g, N, &err), IB_OK);
    struct ib_training t = {.net = net,
                            .input = nodes.input,
                            .logits = nodes.logits,
                            .data = &toy.images,
                            .classes = TOY_CLASSES,
                            .options = {.epochs = 3, .batch = 8, .rate = 0.1},
                            .phases = phases,
                            .seed = 1,
                            .role = "target",
                            .loss = loss};
    t.n_phases = ib_stack_phases(&stack, &nodes, &t, phases, 0);
    assert_int_equal(t.n_phases, 2);
    assert_int_equal(ib_train(&t, &err), IB_OK);
    assert_true(loss[1] < loss[0]);
    ib_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_clipped_as_if_each_had_been_run_alone),
        cmocka_unit_test(a_loss_at_an_inner_layer_reaches_the_layers_behind_it),
        cmocka_unit_test(rows_and_an_inner_loss_exclude_each_other),
        cmocka_unit_test(a_step_hook_changes_what_the_optimiser_sees),
        cmocka_unit_test(a_stack_rewrites_the_model_and_its_phases),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
