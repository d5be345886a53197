/* The trainer: what it learns, repeats, lets hooks change, and refuses. */
#include "cmocka_all.h"
#include "toy_images.h"

#include <invbench/pool.h>
#include <invbench/trainer.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct toy toy;

static int make_data(void **state)
{
    (void)state;
    toy_make(&toy, 120, 1);
    return 0;
}

/* x -> dense -> sigmoid -> dropout -> dense, and a decoder from the sigmoid. */
struct setting {
    struct ib_net *net;
    ib_node x, hidden, logits, decoded;
    struct ib_training t;
};

static void set_up(struct setting *s, double dropout)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    assert_non_null(g);
    s->x = ib_graph_input(g, toy.images.shape, "x");
    s->hidden = ib_graph_sigmoid(g, ib_graph_dense(g, s->x, 24, "hidden"));
    ib_node d = ib_graph_dropout(g, s->hidden, dropout);
    s->logits = ib_graph_dense(g, d, TOY_CLASSES, "logits");
    s->decoded = ib_graph_sigmoid(g, ib_graph_dense(g, s->hidden, 144, "back"));
    assert_int_equal(ib_net_create(&s->net, g, 32, &err), IB_OK);
    s->t = (struct ib_training){
        .net = s->net,
        .input = s->x,
        .logits = s->logits,
        .data = &toy.images,
        .classes = TOY_CLASSES,
        .options = {.epochs = 12, .batch = 32, .rate = 0.1, .momentum = 0.9},
        .seed = 3,
        .role = "target",
    };
}

static double accuracy(struct setting *s)
{
    float z[120 * TOY_CLASSES];
    int right = 0;
    ib_predict(s->net, s->x, s->logits, &toy.images, z);
    for (size_t i = 0; i < 120; i++) {
        size_t best = 0;
        for (size_t k = 1; k < TOY_CLASSES; k++)
            if (z[i * TOY_CLASSES + k] > z[i * TOY_CLASSES + best])
                best = k;
        right += (int32_t)best == toy.identity[i];
    }
    return right / 120.0;
}

static float *copy_parameters(struct setting *s)
{
    size_t n = ib_net_parameter_count(s->net) * sizeof(float);
    float *p = malloc(n);
    assert_non_null(p);
    return memcpy(p, ib_net_parameters(s->net), n);
}

static bool same_parameters(struct setting *s, const float *p, ib_node x)
{
    size_t first, count;
    ib_net_parameter_range(s->net, x, &first, &count);
    return memcmp(ib_net_parameters(s->net) + first, p + first,
                  count * sizeof *p) == 0;
}

/* Each with another schedule. */
static void every_optimiser_learns(void **state)
{
    (void)state;
    for (int o = IB_SGD; o <= IB_ADAMW; o++) {
        struct setting s;
        struct ib_error err;
        double loss = -1;
        set_up(&s, 0);
        s.t.options.optimiser = o;
        s.t.options.schedule = IB_ONE_CYCLE - o;
        s.t.options.milestones = (struct ib_ints){1, {80}};
        s.t.options.gamma = 0.1;
        s.t.options.warmup = 0.1;
        s.t.options.rate = o >= IB_ADAM ? 0.01 : 0.1;
        s.t.loss = &loss;
        assert_int_equal(ib_train(&s.t, &err), IB_OK);
        assert_true(accuracy(&s) > 0.95);
        assert_true(loss > 0 && loss < 0.5);
        ib_net_free(s.net);
    }
}

/* How far the four steps of an epoch lead from the initial parameters. */
static double way_of(double rate, double clip)
{
    struct setting s, start;
    struct ib_error err;
    double way = 0;
    set_up(&s, 0);
    set_up(&start, 0);
    s.t.options = (struct ib_train_options){
        .epochs = 1, .batch = 32, .rate = rate, .clip = clip};
    start.t.options = s.t.options;
    start.t.options.rate = 1e-9;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    assert_int_equal(ib_train(&start.t, &err), IB_OK);
    const float *a = ib_net_parameters(s.net),
                *b = ib_net_parameters(start.net);
    for (size_t i = 0; i < ib_net_parameter_count(s.net); i++)
        way += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
    ib_net_free(s.net);
    ib_net_free(start.net);
    return sqrt(way);
}

static void a_clipped_gradient_makes_short_steps(void **state)
{
    (void)state;
    double free = way_of(0.1, 0), clipped = way_of(0.1, 0.01);
    assert_true(clipped > 0.002 && clipped <= 4 * 0.1 * 0.01 * 1.001);
    assert_true(free > 4 * clipped);
    assert_true(way_of(0.1, 1e6) == free);
}

static const struct ib_augment everything = {.flip = true,
                                             .shift = 2,
                                             .crop = 1,
                                             .zoom = 0.8,
                                             .rotation = 10,
                                             .brightness = 0.2,
                                             .contrast = 0.2,
                                             .cutout = 3,
                                             .noise = 0.05};

static void trainings_give_the_same_bytes_on_any_threads(void **state)
{
    (void)state;
    struct setting a, b;
    struct ib_error err;
    struct ib_pool *pool = NULL;
    set_up(&a, 0.3);
    set_up(&b, 0.3);
    a.t.options.augment = b.t.options.augment = everything;
    assert_int_equal(ib_pool_create(&pool, 3, &err), IB_OK);
    assert_int_equal(ib_net_use_pool(b.net, pool, &err), IB_OK);
    assert_int_equal(ib_train(&a.t, &err), IB_OK);
    assert_int_equal(ib_train(&b.t, &err), IB_OK);
    size_t n = ib_net_parameter_count(a.net) * sizeof(float);
    assert_memory_equal(ib_net_parameters(a.net), ib_net_parameters(b.net), n);
    b.t.seed = 4;
    assert_int_equal(ib_train(&b.t, &err), IB_OK);
    assert_memory_not_equal(ib_net_parameters(a.net), ib_net_parameters(b.net),
                            n);
    ib_net_free(a.net);
    ib_net_free(b.net);
    ib_pool_free(pool);
}

static void a_phase_moves_its_own_parameters_only(void **state)
{
    (void)state;
    struct setting s;
    struct ib_error err;
    set_up(&s, 0);
    struct ib_phase p[2] = {
        {"labels", IB_NONE, s.logits, IB_NONE, IB_NONE, IB_CROSS_ENTROPY, 1,
         0.1, 0},
        {"back", IB_NONE, s.decoded, s.logits + 1, s.decoded, IB_RECONSTRUCTION,
         3, 1, 0},
    };
    double loss[2];
    s.t.loss = loss;
    s.t.phases = p;
    s.t.n_phases = 1;
    s.t.options.weight_decay = 0.01;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    float *before = copy_parameters(&s);
    s.t.n_phases = 2;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    assert_true(same_parameters(&s, before, s.x + 1));
    assert_true(same_parameters(&s, before, s.logits));
    assert_false(same_parameters(&s, before, s.decoded - 1));
    assert_true(loss[1] > 0 && loss[1] < 0.05);
    free(before);
    ib_net_free(s.net);
}

static void an_inner_phase_restores_a_masked_layer(void **state)
{
    (void)state;
    struct setting s;
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    s.x = ib_graph_input(g, toy.images.shape, "x");
    s.hidden = ib_graph_sigmoid(g, ib_graph_dense(g, s.x, 24, "hidden"));
    ib_node z = ib_graph_dense(g, s.hidden, 16, "inner");
    s.decoded = ib_graph_sigmoid(
        g, ib_graph_dense(g, ib_graph_sigmoid(g, z), 24, "back"));
    assert_int_equal(ib_net_create(&s.net, g, 32, &err), IB_OK);
    struct ib_phase p = {"inner", s.hidden, s.decoded,
                         IB_NONE, IB_NONE,  IB_RECONSTRUCTION,
                         1,       5,        0.2};
    double first, later;
    s.t = (struct ib_training){.net = s.net,
                               .input = s.x,
                               .logits = z,
                               .data = &toy.images,
                               .classes = TOY_CLASSES,
                               .options = {.batch = 32, .momentum = 0.9},
                               .phases = &p,
                               .n_phases = 1,
                               .seed = 1,
                               .role = "target",
                               .loss = &first};
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    p.epochs = 30;
    s.t.loss = &later;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    assert_true(later > 0 && later < 0.7 * first);
    ib_net_free(s.net);
}

static void flatten_targets(const void *options, struct ib_train_batch *b)
{
    int *calls = *(int *const *)options;
    ++*calls;
    assert_int_equal(b->classes, TOY_CLASSES);
    assert_in_range(b->n, 1, 32);
    assert_in_range(b->at.epoch, 0, b->at.epochs - 1);
    for (size_t i = 0; i < b->n; i++)
        assert_true(b->target[i * TOY_CLASSES + (size_t)b->label[i]] == 1);
    for (size_t i = 0; i < b->n * TOY_CLASSES; i++)
        b->target[i] = 1.0f / TOY_CLASSES;
}

static void a_hook_sees_each_batch_and_changes_the_target(void **state)
{
    (void)state;
    struct setting s;
    struct ib_error err;
    int calls = 0, *counter = &calls;
    struct ib_train_hook hook = {.options = &counter, .batch = flatten_targets};
    set_up(&s, 0);
    s.t.hooks = &hook;
    s.t.n_hooks = 1;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    assert_int_equal(calls, 12 * 4);
    float z[120 * TOY_CLASSES];
    ib_predict(s.net, s.x, s.logits, &toy.images, z);
    for (size_t i = 0; i < 120 * TOY_CLASSES; i++)
        assert_true(fabsf(z[i] - z[0]) < 2);
    ib_net_free(s.net);
}

static void divergence_names_phase_epoch_step_and_layer(void **state)
{
    (void)state;
    struct setting s;
    struct ib_error err;
    set_up(&s, 0);
    s.t.options.rate = 1e30;
    s.t.options.weight_decay = 10;
    assert_int_equal(ib_train(&s.t, &err), IB_E_NUMERIC);
    assert_non_null(strstr(err.text, "phase 'supervised', epoch 1, step "));
    assert_true(strstr(err.text, "layer 'hidden'") ||
                strstr(err.text, "layer 'logits'"));
    ib_net_free(s.net);
}

/* Labels that cannot be learnt from the images, only by heart. */
static void make_noise(struct toy *noise)
{
    struct ib_rng rng = ib_rng_stream(4, "test", -1, "labels");
    toy_make(noise, 120, 1);
    for (size_t i = 0; i < 120; i++)
        noise->identity[i] = (int32_t)ib_rng_below(&rng, TOY_CLASSES);
}

static void count_batches(const void *options, struct ib_train_batch *b)
{
    ++**(int *const *)options;
    (void)b;
}

struct stopping {
    int batches;
    double loss; /* over all images, at the end */
};

static struct stopping train_on_noise(double validation, int64_t patience)
{
    static struct toy noise;
    enum { NUMBERS = 120 * TOY_CLASSES };
    static float z[NUMBERS], target[NUMBERS], dz[NUMBERS];
    struct stopping result = {0};
    struct setting s;
    struct ib_error err;
    int *counter = &result.batches;
    struct ib_train_hook hook = {.options = &counter, .batch = count_batches};
    make_noise(&noise);
    set_up(&s, 0);
    s.t.data = &noise.images;
    s.t.hooks = &hook;
    s.t.n_hooks = 1;
    s.t.options.epochs = 150;
    s.t.options.optimiser = IB_ADAM;
    s.t.options.rate = 0.01;
    s.t.options.validation = validation;
    s.t.options.patience = patience;
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    ib_predict(s.net, s.x, s.logits, &noise.images, z);
    memset(target, 0, sizeof target);
    for (size_t i = 0; i < 120; i++)
        target[i * TOY_CLASSES + (size_t)noise.identity[i]] = 1;
    result.loss = ib_loss_cross_entropy(120, TOY_CLASSES, z, target, dz);
    ib_net_free(s.net);
    return result;
}

static void training_stops_when_the_images_set_aside_get_worse(void **state)
{
    (void)state;
    struct stopping all = train_on_noise(0, 3);
    struct stopping kept = train_on_noise(0.25, 0);
    struct stopping stopped = train_on_noise(0.25, 5);
    assert_int_equal(all.batches, 150 * 4);
    assert_int_equal(kept.batches, 150 * 3);
    assert_true(stopped.batches < 100 * 3);
    /* learnt by heart; and the epoch before that began */
    assert_true(all.loss < 0.8 * kept.loss);
    assert_true(kept.loss > 1);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct setting s;
    struct ib_error err;
    set_up(&s, 0);
    s.t.classes = 3; /* a label is out of range, the logits are too many */
    assert_int_equal(ib_train(&s.t, &err), IB_E_DATA);
    assert_non_null(strstr(err.text, "label 3 (allowed: 0 to 2)"));
    s.t.classes = 5;
    assert_int_equal(ib_train(&s.t, &err), IB_E_USAGE);
    s.t.classes = 4;
    s.t.options.batch = 64;
    assert_int_equal(ib_train(&s.t, &err), IB_E_INTERNAL);
    struct ib_images none = toy.images;
    none.n = 0;
    s.t.data = &none;
    assert_int_equal(ib_train(&s.t, &err), IB_E_DATA);
    ib_net_free(s.net);
}

static void prediction_does_not_depend_on_the_batch(void **state)
{
    (void)state;
    struct setting s;
    struct ib_error err;
    float all[120 * TOY_CLASSES], one[TOY_CLASSES];
    set_up(&s, 0.5);
    assert_int_equal(ib_train(&s.t, &err), IB_OK);
    ib_predict(s.net, s.x, s.logits, &toy.images, all);
    for (size_t i = 0; i < 120; i += 13) {
        struct ib_images single = toy.images;
        single.n = 1;
        single.pixels += i * TOY_SIDE * TOY_SIDE;
        ib_predict(s.net, s.x, s.logits, &single, one);
        for (size_t k = 0; k < TOY_CLASSES; k++)
            assert_true(fabsf(one[k] - all[i * TOY_CLASSES + k]) < 1e-4f);
    }
    ib_net_free(s.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_optimiser_learns),
        cmocka_unit_test(a_clipped_gradient_makes_short_steps),
        cmocka_unit_test(trainings_give_the_same_bytes_on_any_threads),
        cmocka_unit_test(a_phase_moves_its_own_parameters_only),
        cmocka_unit_test(an_inner_phase_restores_a_masked_layer),
        cmocka_unit_test(a_hook_sees_each_batch_and_changes_the_target),
        cmocka_unit_test(divergence_names_phase_epoch_step_and_layer),
        cmocka_unit_test(training_stops_when_the_images_set_aside_get_worse),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(prediction_does_not_depend_on_the_batch),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
