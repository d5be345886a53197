/* MI-Face with gradients, on targets where all can be computed by hand. */
#include "toy_target.h"

#include <math.h>

extern const struct ib_attack ib_attack_mi_face;

static const struct toy_setup small = {
    .shape = {1, 4, 5},
    .classes = 6,
    .targets = 6,
    .level = IB_GRADIENTS,
    .seed = 3,
    .scale = 0.5f,
};

static void attack(struct toy *t, const char *json)
{
    struct ib_error err = {0};

    assert_int_equal(toy_attack(t, &ib_attack_mi_face, json, &err), IB_OK);
}

static double cost_of_guess(struct toy *t, int classes, int slot)
{
    return 1 - toy_confidence(t, classes, ib_oracle_guess(t->oracle, slot),
                              t->target[slot]);
}

/* One step of the algorithm in double: x - lambda dc/dx, into the box, where
 * dc/dx = -p_t (W_t - sum_k p_k W_k). */
static void reference_step(const struct toy *t, int classes, int target,
                           double lambda, float *x)
{
    double p[16];

    for (int k = 0; k < classes; k++)
        p[k] = toy_confidence(t, classes, x, k);
    for (size_t j = 0; j < t->d; j++) {
        double mean = 0, w = (double)t->weights[(size_t)target * t->d + j];

        for (int k = 0; k < classes; k++)
            mean += p[k] * (double)t->weights[(size_t)k * t->d + j];
        x[j] = (float)fmin(
            1, fmax(0, (double)x[j] + lambda * p[target] * (w - mean)));
    }
}

static void steps_follow_the_gradient_computed_by_hand(void **state)
{
    struct toy t;
    float x[20] = {0};

    (void)state;
    toy_open(&t, &small);
    attack(&t, "{\"alpha\":3,\"lambda\":0.5}");
    for (int i = 0; i < 3; i++)
        reference_step(&t, 6, 2, 0.5, x);
    for (int j = 0; j < 20; j++)
        assert_true(fabsf(ib_oracle_guess(t.oracle, 2)[j] - x[j]) < 1e-5f);
    assert_true(x[0] + x[1] + x[2] + x[3] > 0);
    toy_close(&t);
}

static void stops_at_the_first_cost_at_most_gamma(void **state)
{
    struct toy t;
    float x[20] = {0};
    int steps = 0;

    (void)state;
    toy_open(&t, &small);
    attack(&t, "{\"gamma\":0.3,\"lambda\":0.5}");
    do {
        reference_step(&t, 6, 4, 0.5, x);
        steps++;
    } while (toy_confidence(&t, 6, x, 4) < 0.7 && steps < 5000);
    assert_in_range(steps, 3, 4999);
    assert_int_equal(toy_queries(&t, "forward", 4), steps + 1);
    assert_true(fabs(cost_of_guess(&t, 6, 4) -
                     (1 - toy_confidence(&t, 6, x, 4))) < 1e-5);
    toy_close(&t);
}

/* A peer's inverted rule returns after one step where the first confidence is
 * below 1 %, that is from about a hundred classes on. */
static void a_thousand_classes_take_more_than_one_step(void **state)
{
    struct toy_setup s = small;
    struct toy t;

    (void)state;
    s.shape = (struct ib_shape){1, 8, 8};
    s.classes = 1000;
    s.targets = 2;
    toy_open(&t, &s);
    assert_true(cost_of_guess(&t, 1000, 0) > 0.99);
    attack(&t, "{\"lambda\":5,\"gamma\":0.5}");
    for (int slot = 0; slot < 2; slot++) {
        assert_true(toy_queries(&t, "forward", slot) > 5);
        assert_true(cost_of_guess(&t, 1000, slot) <= 0.5 + 1e-5);
    }
    toy_close(&t);
}

/* gamma .99 read as a cost would end at once; the default is a confidence. */
static void default_gamma_is_a_confidence_of_99_percent(void **state)
{
    struct toy_setup s = small;
    struct toy t;

    (void)state;
    s.shape = (struct ib_shape){1, 16, 16};
    toy_open(&t, &s);
    attack(&t, "{}");
    for (int slot = 0; slot < s.targets; slot++) {
        assert_true(cost_of_guess(&t, 6, slot) <= 0.01 + 1e-5);
        assert_true(toy_queries(&t, "forward", slot) > 2);
    }
    toy_close(&t);
}

/* A step so long that the cost oscillates: the last point is not the best. */
static void returns_the_best_point_of_an_oscillation(void **state)
{
    struct toy t;
    float x[20] = {0};
    double best = 1, last = 0;

    (void)state;
    toy_open(&t, &small);
    attack(&t, "{\"alpha\":12,\"lambda\":33,\"gamma\":0,\"beta\":0,"
               "\"objective\":\"negative-log\"}");
    for (int i = 0; i <= 12; i++) {
        double p = toy_confidence(&t, 6, x, 0), g[20] = {0};

        last = 1 - p;
        best = fmin(best, last);
        for (int k = 0; k < 6; k++)
            for (int j = 0; j < 20; j++)
                g[j] += ((k == 0) - toy_confidence(&t, 6, x, k)) *
                        (double)t.weights[k * 20 + j];
        for (int j = 0; j < 20; j++)
            x[j] = (float)fmin(1, fmax(0, (double)x[j] + 33 * g[j]));
    }
    assert_true(best < last - 0.3);
    assert_true(fabs(cost_of_guess(&t, 6, 0) - best) < 1e-4);
    toy_close(&t);
}

static void batch_of_64_equals_batches_of_one(void **state)
{
    struct toy_setup s = small, single = small;
    struct toy together, alone;

    (void)state;
    s.shape = single.shape = (struct ib_shape){1, 8, 8};
    s.classes = s.targets = single.classes = single.targets = 70;
    single.batch = 1;
    toy_open(&together, &s);
    toy_open(&alone, &single);
    attack(&together, "{\"start\":\"random\",\"alpha\":40,\"lambda\":1}");
    attack(&alone, "{\"start\":\"random\",\"alpha\":40,\"lambda\":1}");
    for (int slot = 0; slot < 70; slot++) {
        const float *a = ib_oracle_guess(together.oracle, slot);
        const float *b = ib_oracle_guess(alone.oracle, slot);

        assert_int_equal(toy_queries(&together, "forward", slot),
                         toy_queries(&alone, "forward", slot));
        for (int j = 0; j < 64; j++)
            assert_true(fabsf(a[j] - b[j]) < 1e-4f);
    }
    toy_close(&together);
    toy_close(&alone);
}

static void budget_ends_the_descent_and_keeps_the_best(void **state)
{
    struct toy_setup s = small;
    struct toy t;

    (void)state;
    s.max_queries = 9;
    toy_open(&t, &s);
    attack(&t, "{\"gamma\":0}");
    for (int slot = 0; slot < s.targets; slot++) {
        uint64_t spent = toy_queries(&t, "forward", slot) +
                         toy_queries(&t, "gradient", slot);

        assert_int_equal(spent, 9);
        assert_int_equal(toy_queries(&t, "denied", slot), 1);
        assert_true(cost_of_guess(&t, 6, slot) <
                    1 - toy_confidence(&t, 6, (float[20]){0}, slot));
    }
    toy_close(&t);
}

static void rows_that_stopped_are_not_asked_again(void **state)
{
    struct toy t;
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    toy_open(&t, &small);
    attack(&t, "{\"gamma\":0.3,\"lambda\":0.5}");
    for (int slot = 0; slot < 6; slot++) {
        uint64_t n = toy_queries(&t, "forward", slot);

        least = n < least ? n : least;
        most = n > most ? n : most;
        assert_true(cost_of_guess(&t, 6, slot) <= 0.3 + 1e-5);
    }
    assert_true(most > least);
    toy_close(&t);
}

static void guesses_stay_in_the_box(void **state)
{
    struct toy t;

    (void)state;
    toy_open(&t, &small);
    attack(&t, "{\"lambda\":1000,\"objective\":\"margin\",\"alpha\":5}");
    for (int slot = 0; slot < 6; slot++)
        for (int j = 0; j < 20; j++) {
            float v = ib_oracle_guess(t.oracle, slot)[j];

            assert_true(v >= 0 && v <= 1);
        }
    toy_close(&t);
}

/* --- the code of an autoencoder ----------------------------------------- */

/* x (16) -> code (5, sigmoid) -> logits (3); code -> decoded (16, sigmoid). */
static void code_target(struct toy *t, enum ib_level level)
{
    struct ib_graph *g = ib_graph_create();
    struct ib_rng rng = ib_rng_stream(5, "toy", -1, "weights");
    struct ib_model_nodes n;
    struct ib_error err = {0};
    struct ib_oracle_params p = {.classes = 3, .level = level, .targets = 3};
    struct ib_prior_env prior = {.shape = {1, 4, 4}};
    void *opened = NULL;

    n.input = ib_graph_input(g, prior.shape, "input");
    n.code = ib_graph_sigmoid(g, ib_graph_dense(g, n.input, 5, "encoder"));
    n.features = n.code;
    n.logits = ib_graph_dense(g, n.code, 3, "logits");
    n.decoded = ib_graph_reshape(
        g, ib_graph_sigmoid(g, ib_graph_dense(g, n.code, 16, "decoder")),
        prior.shape);
    *t = (struct toy){.d = 16};
    assert_int_equal(ib_net_create(&t->net, g, 8, &err), IB_OK);
    ib_rng_fill_normal(&rng, ib_net_parameters(t->net),
                       ib_net_parameter_count(t->net), 2);
    t->target = calloc(3, sizeof(*t->target));
    for (int i = 0; i < 3; i++)
        t->target[i] = i;
    p.net = t->net;
    p.nodes = n;
    p.target = t->target;
    assert_int_equal(ib_oracle_open_local(&t->oracle, &p, &err), IB_OK);
    prior.scratch = ib_scratch_create(1 << 22);
    t->env = (struct ib_attack_env){.oracle = t->oracle,
                                    .targets = 3,
                                    .target = t->target,
                                    .scratch = prior.scratch};
    t->env.prior.size = ib_prior_pixels.open(NULL, &prior, &opened, &err);
    t->env.prior.prior = &ib_prior_pixels;
    t->env.prior.state = opened;
}

static double code_confidence(struct toy *t, int slot)
{
    const struct ib_model_nodes *nodes;
    struct ib_net *net = ib_oracle_net(t->oracle, &nodes);
    struct ib_forward f = {.n = 1, .from = nodes->input, .to = nodes->logits};
    const float *z;

    memcpy(ib_net_value(net, f.from), ib_oracle_guess(t->oracle, slot),
           16 * sizeof(float));
    ib_net_forward(net, &f);
    z = ib_net_value(net, f.to);
    return 1 / (exp((double)(z[0] - z[slot])) + exp((double)(z[1] - z[slot])) +
                exp((double)(z[2] - z[slot])));
}

static void
code_space_publishes_what_the_decoder_makes_of_a_better_code(void **state)
{
    struct toy t;
    struct ib_error err = {0};

    (void)state;
    code_target(&t, IB_WHITEBOX);
    assert_int_equal(
        toy_attack(&t, &ib_attack_mi_face,
                   "{\"space\":\"code\",\"lambda\":1,\"alpha\":200}", &err),
        IB_OK);
    for (int slot = 0; slot < 3; slot++) {
        assert_true(toy_queries(&t, "forward", slot) > 1);
        assert_true(toy_queries(&t, "gradient", slot) > 0);
        assert_true(code_confidence(&t, slot) > 0);
        for (int j = 0; j < 16; j++) {
            float v = ib_oracle_guess(t.oracle, slot)[j];

            assert_true(v > 0 && v < 1);
        }
    }
    toy_close(&t);
}

/* With PROCESS every point but the start is the code of an image. */
static void process_changes_what_is_found(void **state)
{
    struct toy plain, processed;
    struct ib_error err = {0};
    double difference = 0;

    (void)state;
    code_target(&plain, IB_WHITEBOX);
    code_target(&processed, IB_WHITEBOX);
    assert_int_equal(toy_attack(&plain, &ib_attack_mi_face,
                                "{\"space\":\"code\",\"alpha\":20}", &err),
                     IB_OK);
    assert_int_equal(
        toy_attack(&processed, &ib_attack_mi_face,
                   "{\"space\":\"code\",\"alpha\":20,\"process\":true,"
                   "\"denoise\":0.3}",
                   &err),
        IB_OK);
    for (int slot = 0; slot < 3; slot++)
        for (int j = 0; j < 16; j++)
            difference +=
                fabs((double)(ib_oracle_guess(plain.oracle, slot)[j] -
                              ib_oracle_guess(processed.oracle, slot)[j]));
    assert_true(difference > 1e-3);
    toy_close(&plain);
    toy_close(&processed);
}

static void code_space_is_denied_without_a_net(void **state)
{
    struct toy t;
    struct ib_error err = {0};

    (void)state;
    code_target(&t, IB_GRADIENTS);
    assert_int_equal(
        toy_attack(&t, &ib_attack_mi_face, "{\"space\":\"code\"}", &err),
        IB_E_DENIED);
    toy_close(&t);
}

static void cells_that_cannot_run_have_a_reason(void **state)
{
    struct ib_attack_task task = {.level = IB_GRADIENTS, .has_code = true};
    const struct ib_attack *a = &ib_attack_mi_face;

    (void)state;
    assert_null(toy_applicable(a, "{}", &task));
    assert_non_null(
        strstr(toy_applicable(a, "{\"start\":\"mean\"}", &task), "public"));
    assert_non_null(
        strstr(toy_applicable(a, "{\"space\":\"code\"}", &task), "whitebox"));
    assert_non_null(
        strstr(toy_applicable(a, "{\"process\":true}", &task), "space code"));
    task.level = IB_WHITEBOX;
    assert_null(
        toy_applicable(a, "{\"space\":\"code\",\"process\":true}", &task));
    task.has_code = false;
    assert_non_null(
        strstr(toy_applicable(a, "{\"space\":\"code\"}", &task), "decodes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_the_gradient_computed_by_hand),
        cmocka_unit_test(stops_at_the_first_cost_at_most_gamma),
        cmocka_unit_test(a_thousand_classes_take_more_than_one_step),
        cmocka_unit_test(default_gamma_is_a_confidence_of_99_percent),
        cmocka_unit_test(returns_the_best_point_of_an_oscillation),
        cmocka_unit_test(batch_of_64_equals_batches_of_one),
        cmocka_unit_test(budget_ends_the_descent_and_keeps_the_best),
        cmocka_unit_test(rows_that_stopped_are_not_asked_again),
        cmocka_unit_test(guesses_stay_in_the_box),
        cmocka_unit_test(
            code_space_publishes_what_the_decoder_makes_of_a_better_code),
        cmocka_unit_test(process_changes_what_is_found),
        cmocka_unit_test(code_space_is_denied_without_a_net),
        cmocka_unit_test(cells_that_cannot_run_have_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
