/* What priors that train nets share: ladders, batches, learners. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/parts/batches.h>
#include <invbench/parts/critic.h>
#include <invbench/parts/ladder.h>
#include <invbench/parts/learner.h>

#include "toy_images.h"

enum { D = TOY_SIDE * TOY_SIDE, IMAGES = 64 };

struct shared {
    struct toy toy;
    struct ib_scratch *scratch;
    struct ib_error err;
};

static int setup(void **state)
{
    struct shared *t = calloc(1, sizeof(*t));

    toy_make(&t->toy, IMAGES, 1);
    t->scratch = ib_scratch_create(4 << 20);
    *state = t;
    return t->scratch ? 0 : 1;
}

static int teardown(void **state)
{
    struct shared *t = *state;

    ib_scratch_free(t->scratch);
    free(t);
    return 0;
}

static void ladders_fit_any_size(void **state)
{
    static const struct ib_shape shapes[] = {
        {1, 28, 28}, {3, 32, 32}, {1, 64, 64}, {1, 112, 92},
        {1, 4, 4},   {1, 9, 33},  {1, 1, 1}};

    (void)state;
    for (size_t i = 0; i < 2 * IB_COUNT(shapes); i++) {
        struct ib_shape s = shapes[i / 2];
        const struct ib_ladder_up how = {.upsample = (int)(i % 2),
                                         .classes = IB_NONE};
        struct ib_graph *g = ib_graph_create();
        struct ib_ladder l;
        ib_node x;

        ib_ladder_init(&l, s, 4, 16);
        x = ib_graph_input(g, (struct ib_shape){5, 1, 1}, "z");
        x = ib_ladder_up(g, x, &l, &how, "up");
        assert_int_not_equal(x, IB_NONE);
        assert_true(ib_shape_equal(ib_graph_shape(g, x), s));
        x = ib_ladder_down(g, x, &l, true, "down");
        if (ib_graph_error(g))
            fail_msg("%s", ib_graph_error(g)->text);
        ib_graph_free(g);
    }
}

static void ladders_have_as_many_levels_as_leave_four_pixels(void **state)
{
    struct ib_ladder l;

    (void)state;
    ib_ladder_init(&l, (struct ib_shape){1, 28, 28}, 16, 48);
    assert_int_equal(l.levels, 3);
    assert_int_equal(ib_ladder_shape(&l, 2).h, 7);
    assert_int_equal(ib_ladder_shape(&l, 3).h, 4);
    assert_int_equal(ib_ladder_width(&l, 0), 16);
    assert_int_equal(ib_ladder_width(&l, 2), 48);
    ib_ladder_init(&l, (struct ib_shape){1, 64, 64}, 16, 128);
    assert_int_equal(l.levels, 4);
    ib_ladder_init(&l, (struct ib_shape){1, 112, 92}, 16, 128);
    assert_int_equal(ib_ladder_shape(&l, l.levels).h, 7);
    assert_int_equal(ib_ladder_shape(&l, l.levels).w, 6);
}

static void epochs_show_every_image_once(void **state)
{
    struct shared *t = *state;
    struct ib_batches b = {.images = &t->toy.images};
    static ib_real rows[IMAGES * (D + 1)];
    uint32_t place[IMAGES], other[IMAGES];
    int seen[IMAGES] = {0};

    assert_true(ib_batches_init(&b, 1, t->scratch));
    for (int i = 0; i < IMAGES; i += 16)
        ib_batches_load(&b, 16, D + 1, rows + i * (D + 1), place + i);
    for (int i = 0; i < IMAGES; i++) {
        seen[place[i]]++;
        for (int j = 0; j < D; j++)
            assert_float_equal(
                rows[i * (D + 1) + j],
                (float)t->toy.pixels[place[i] * D + (size_t)j] / 255, 0);
    }
    for (int i = 0; i < IMAGES; i++)
        assert_int_equal(seen[i], 1);
    ib_batches_load(&b, IMAGES, D + 1, rows, other);
    assert_memory_not_equal(place, other, sizeof(place));
}

/* <A x, y> = <x, A^T y> for every shift. */
static void shifts_are_undone_for_gradients(void **state)
{
    const struct ib_batches_options o = {.shift = 3, .flip = true};
    enum { SIZE = 2 * 5 * 4 };
    const struct ib_shape s = {2, 5, 4};
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "shift");
    ib_real x[SIZE], y[SIZE], ax[SIZE], aty[SIZE];

    (void)state;
    for (int i = 0; i < 50; i++) {
        struct ib_shift a = ib_shift_draw(&rng, &o);
        double left = 0, right = 0;

        assert_true(abs(a.dy) <= 3 && abs(a.dx) <= 3);
        ib_rng_fill_normal(&rng, x, SIZE, 1);
        ib_rng_fill_normal(&rng, y, SIZE, 1);
        ib_shift_row(a, s, x, ax);
        ib_shift_back(a, s, y, aty);
        for (int j = 0; j < SIZE; j++) {
            left += (double)ax[j] * (double)y[j];
            right += (double)x[j] * (double)aty[j];
        }
        assert_true(fabs(left - right) < 1e-4);
    }
}

static void a_shift_moves_right_and_down_and_repeats_edges(void **state)
{
    const struct ib_shape s = {1, 2, 3};
    const ib_real x[6] = {1, 2, 3, 4, 5, 6};
    const ib_real moved[6] = {1, 1, 2, 1, 1, 2};
    const ib_real mirrored[6] = {3, 2, 1, 6, 5, 4};
    ib_real out[6];

    (void)state;
    ib_shift_row((struct ib_shift){.dy = 1, .dx = 1}, s, x, out);
    assert_memory_equal(out, moved, sizeof(out));
    ib_shift_row((struct ib_shift){.flip = true}, s, x, out);
    assert_memory_equal(out, mirrored, sizeof(out));
}

static void labels_are_ascending_and_few(void **state)
{
    static int32_t identity[IB_LABELS_MAX + 1];
    struct shared *t = *state;
    struct ib_images images = {.n = 5, .identity = identity};
    struct ib_labels l;

    memcpy(identity, (int32_t[]){9, 4, 9, 100, 4}, 5 * sizeof(int32_t));
    assert_int_equal(ib_labels_find(&l, &images, t->scratch, &t->err), IB_OK);
    assert_int_equal(l.n, 3);
    assert_int_equal(ib_labels_at(&l, 4), 0);
    assert_int_equal(ib_labels_at(&l, 9), 1);
    assert_int_equal(ib_labels_at(&l, 100), 2);
    for (int i = 0; i <= IB_LABELS_MAX; i++)
        identity[i] = i;
    images.n = IB_LABELS_MAX + 1;
    assert_int_equal(ib_labels_find(&l, &images, t->scratch, &t->err),
                     IB_E_USAGE);
}

static void what_is_not_finite_stops_with_step_layer_and_hint(void **state)
{
    struct shared *t = *state;
    struct ib_graph *g = ib_graph_create();
    struct ib_learner l = {0};
    const struct ib_learner *const all[] = {&l};
    const struct ib_prior_fit fit = {.scratch = t->scratch};
    struct ib_learner_setup from = {.graph = g, .rows = 1, .stream = "x"};
    ib_node x = ib_graph_input(g, (struct ib_shape){3, 1, 1}, "in");

    x = ib_graph_dense(g, x, 2, "first");
    ib_graph_dense(g, x, 2, "second");
    assert_int_equal(ib_learner_open(&l, &from, &fit, &t->err), IB_OK);
    assert_int_equal(ib_learner_check(all, 1, 6, 0.5, &t->err), IB_OK);
    ib_net_parameters(l.net)[9] = NAN; /* after 3 x 2 + 2 of the first */
    assert_int_equal(ib_learner_check(all, 1, 6, NAN, &t->err), IB_E_NUMERIC);
    assert_non_null(strstr(t->err.text, "step 7"));
    assert_non_null(strstr(t->err.text, "'second'"));
    assert_non_null(strstr(t->err.text, "smaller rate"));
    ib_learner_close(&l);
}

static void a_critic_scores_an_image_by_its_class(void **state)
{
    enum { K = 3, ROW = D + K };
    struct shared *t = *state;
    struct ib_critic critic = {.image = t->toy.images.shape,
                               .channels = 8,
                               .most = 32,
                               .features = 16,
                               .classes = K};
    struct ib_net *net;
    struct ib_rng rng = ib_rng_stream(1, "test", 0, "critic");
    ib_node input, score;
    ib_real *x;

    assert_int_equal(ib_net_create(&net,
                                   ib_critic_build(&critic, &input, &score), 2,
                                   &t->err),
                     IB_OK);
    ib_net_init(net, &rng);
    for (int i = 0; i < 20; i++) { /* power iterations */
        x = ib_net_value(net, input);
        for (int j = 0; j < 2 * ROW; j++)
            x[j] = (ib_real)ib_rng_uniform(&rng);
        ib_net_forward(net,
                       &(struct ib_forward){
                           .n = 2, .from = input, .to = score, .rng = &rng});
    }
    memcpy(x + ROW, x, ROW * sizeof(*x));
    memcpy(x + D, (ib_real[]){1, 0, 0}, K * sizeof(*x));
    memcpy(x + ROW + D, (ib_real[]){0, 1, 0}, K * sizeof(*x));
    ib_net_forward(net,
                   &(struct ib_forward){.n = 2, .from = input, .to = score});
    assert_true(ib_net_value(net, score)[0] != ib_net_value(net, score)[1]);
    ib_net_free(net);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(ladders_fit_any_size),
        T(ladders_have_as_many_levels_as_leave_four_pixels),
        T(epochs_show_every_image_once),
        T(shifts_are_undone_for_gradients),
        T(a_shift_moves_right_and_down_and_repeats_edges),
        T(labels_are_ascending_and_few),
        T(what_is_not_finite_stops_with_step_layer_and_hint),
        T(a_critic_scores_an_image_by_its_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
