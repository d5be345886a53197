/* The benchmark: flops by hand, figures that are there, JSON of one shape. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "bench_show.h"
#include "json_put.h"

static void medians_take_the_middle(void **state)
{
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 100};

    assert_true(ib_bench_median(odd, 3) == 3);
    assert_true(ib_bench_median(even, 4) == 3.5);
}

static void flops_of_layers_by_hand(void **state)
{
    (void)state;
    const struct ib_bench_layer conv = {.op = IB_BENCH_CONV,
                                        .in = {3, 8, 8},
                                        .out = {5, 4, 4},
                                        .conv = {5, 3, 2, 1}};
    const struct ib_bench_layer dense = {
        .op = IB_BENCH_DENSE, .in = {7, 1, 1}, .out = {11, 1, 1}};

    assert_true(ib_bench_layer_flops(&conv) == 2 * 3 * 3 * 3 * 5 * 4 * 4);
    assert_true(ib_bench_layer_flops(&dense) == 2 * 7 * 11);
    assert_true(ib_bench_layer_bytes(&conv, 10) ==
                4 * (10 * (3 * 64 + 5 * 16) + 3 * 3 * 3 * 5));
    assert_true(ib_bench_layer_bytes(&dense, 10) ==
                4 * (10 * (7 + 11) + 7 * 11));
}

static void flops_of_nets_by_hand(void **state)
{
    (void)state;
    const double first = 2.0 * 9 * 32 * 32 * 32;
    const double second = 2.0 * 9 * 32 * 64 * 16 * 16;
    const double dense = 2.0 * (64 * 8 * 8 * 128 + 128 * 40);
    struct ib_error err;
    struct ib_bench_net *b;

    assert_int_equal(ib_bench_net_create(&b, "cnn32", NULL, &err), IB_OK);
    assert_int_equal(b->n_layers, 4);
    assert_true(b->forward == first + second + dense);
    assert_true(b->train_flops == 64 * (2 * first + 3 * (second + dense)));
    assert_true(b->gradient_flops == 40 * 2 * (first + second + dense));
    ib_bench_net_free(b);
}

/* Generator: 4x4 kernels from 100x1x1 to 3x64x64; critic: the way back. */
static void flops_of_a_gan_step_by_hand(void **state)
{
    (void)state;
    const double inner =
        2.0 * 16 * (256 * 128 * 16 + 128 * 64 * 64 + 64 * 32 * 256);
    const double noise = 2.0 * 16 * 100 * 256, image = 2.0 * 16 * 32 * 3 * 1024;
    const double g = noise + inner + image, d = inner + image + 2.0 * 16 * 256;
    struct ib_error err;
    struct ib_bench_net *b;

    assert_int_equal(ib_bench_net_create(&b, "dcgan", NULL, &err), IB_OK);
    assert_true(b->forward == g && b->first == noise);
    assert_true(b->gradient_flops == 40 * 2 * g);
    assert_true(b->train_flops ==
                64 * (3 * g - noise + 2 * (3 * d - image) + 2 * d));
    ib_bench_net_free(b);
}

static void alike_layers_are_counted(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_bench_net *b;
    int all = 0;

    assert_int_equal(ib_bench_net_create(&b, "resnet", NULL, &err), IB_OK);
    for (int i = 0; i < b->n_layers; i++)
        all += b->layer[i].count;
    assert_int_equal(all, 1 + 8 * 2 + 3 + 1);
    assert_int_equal(b->layer[1].count, 4); /* 16 to 16 channels */
    ib_bench_net_free(b);
}

static void every_net_can_be_built(void **state)
{
    (void)state;
    for (const char *const *name = ib_bench_nets; *name; name++) {
        struct ib_error err;
        struct ib_bench_net *b;

        if (ib_bench_net_create(&b, *name, NULL, &err))
            fail_msg("%s: %s", *name, err.text);
        assert_in_range(b->n_layers, 1, IB_BENCH_LAYERS - 1);
        assert_true(b->first > 0 && b->forward >= b->first);
        ib_bench_net_free(b);
    }
}

static void an_unknown_net_is_named(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_bench_net *b;

    assert_int_equal(ib_bench_net_create(&b, "cnn23", NULL, &err), IB_E_USAGE);
    assert_non_null(strstr(err.text, "\"cnn23\" (did you mean \"cnn32\"?)"));
    assert_null(b);
}

static const char *const one[] = {"softmax", NULL};

static void a_run_gives_every_figure(void **state)
{
    (void)state;
    const struct ib_bench_options options = {
        .threads = 1, .rounds = 2, .quick = true, .nets = one};
    const struct ib_console console = {.width = 80};
    struct ib_bench_run run;
    struct ib_text text = {0};
    struct ib_error err;

    if (ib_bench_run(&run, &options, &err))
        fail_msg("%s", err.text);
    assert_int_equal(run.rounds, 2);
    assert_true(run.peak.median > 1e8 && run.bandwidth.median > 1e8);
    assert_true(run.peak.n[0] <= run.peak.n[1]);
    for (int i = 0; i < IB_BENCH_WHATS; i++)
        assert_true(run.of[0].row[i].seconds.median > 0 &&
                    run.of[0].row[i].share.median > 0);
    const struct ib_bench_layer_row *l = &run.of[0].layer[0];
    assert_true(l->wide && l->target == 0.75);
    assert_true(ib_bench_reached(l) == l->peak[IB_BENCH_PASSES].median);
    for (int i = 0; i < IB_BENCH_PASSES; i++)
        assert_true(l->seconds[i].median > 0 && l->peak[i].median > 0 &&
                    l->roof[i].median >= l->peak[i].median * 0.999);

    assert_int_equal(ib_bench_show(&run, "numerics", &console, &text, &err),
                     IB_OK);
    assert_non_null(strstr(ib_text_string(&text), "dense 10304 > 40"));
    ib_text_free(&text);
    cJSON *o = ib_bench_json(&run, "numerics");
    const cJSON *row = cJSON_GetArrayItem(ib_at(o, "rows"), 1);
    const cJSON *layer = cJSON_GetArrayItem(ib_at(o, "layers"), 0);
    assert_string_equal(ib_at_text(o, "schema"), "invbench.bench/1");
    assert_string_equal(ib_at_text(row, "what"), "input gradient");
    assert_true(ib_at_number(row, "flops") == 40 * 4.0 * 10304 * 40);
    assert_true(ib_at_number(ib_at(ib_at(layer, "all"), "share_of_sgemm"),
                             "median") > 0);
    cJSON_Delete(o);
    ib_bench_run_free(&run);
}

static void a_stop_ends_it_without_figures(void **state)
{
    (void)state;
    const int stop = 1;
    const struct ib_bench_options options = {
        .threads = 1, .rounds = 2, .quick = true, .nets = one, .stop = &stop};
    struct ib_bench_run run;
    struct ib_error err;

    assert_int_equal(ib_bench_run(&run, &options, &err), IB_OK);
    assert_int_equal(run.rounds, 0);
    ib_bench_run_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_take_the_middle),
        cmocka_unit_test(flops_of_layers_by_hand),
        cmocka_unit_test(flops_of_nets_by_hand),
        cmocka_unit_test(flops_of_a_gan_step_by_hand),
        cmocka_unit_test(alike_layers_are_counted),
        cmocka_unit_test(every_net_can_be_built),
        cmocka_unit_test(an_unknown_net_is_named),
        cmocka_unit_test(a_run_gives_every_figure),
        cmocka_unit_test(a_stop_ends_it_without_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
