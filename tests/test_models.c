/* Every model: its options, its nodes, that it learns, and the special ones. */
#include "cmocka_all.h"
#include "options_io.h"
#include "toy_images.h"

#include <invbench/model.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const struct ib_model ib_model_softmax, ib_model_mlp, ib_model_cnn,
    ib_model_dae, ib_model_lenet, ib_model_vgg, ib_model_resnet;

struct sample {
    const struct ib_model *model;
    const char *options, *family;
};

static const struct sample samples[] = {
    {&ib_model_softmax, "{\"epochs\": 15, \"rate\": 0.005}", "linear"},
    {&ib_model_mlp, "{\"hidden\": [30], \"epochs\": 15, \"rate\": 0.05}",
     "mlp"},
    {&ib_model_mlp,
     "{\"hidden\": [30, 20], \"activation\": \"relu\", \"epochs\": 15,"
     " \"rate\": 0.01, \"dropout\": 0.1}",
     "mlp"},
    {&ib_model_cnn,
     "{\"channels\": [6, 8], \"dense\": 24, \"epochs\": 15, \"batch\": 16}",
     "convolutional"},
    {&ib_model_dae,
     "{\"hidden\": [40, 20], \"rate\": 0.01, \"pretrain_rate\": 0.01,"
     " \"decoder_epochs\": 30}",
     "mlp"},
    {&ib_model_lenet,
     "{\"channels\": [4, 6], \"dense\": [20], \"epochs\": 20, \"batch\": 16,"
     " \"rate\": 0.005}",
     "convolutional"},
    {&ib_model_vgg,
     "{\"channels\": [4, 6], \"dense\": 24, \"epochs\": 15, \"batch\": 16,"
     " \"dropout\": 0, \"shift\": 0}",
     "convolutional"},
    {&ib_model_vgg,
     "{\"channels\": [4], \"convolutions\": 1, \"norm\": false, \"dense\": 24,"
     " \"epochs\": 15, \"batch\": 16, \"dropout\": 0, \"shift\": 0,"
     " \"rate\": 0.02}",
     "convolutional"},
    {&ib_model_resnet,
     "{\"channels\": [4, 8], \"blocks\": 1, \"epochs\": 15, \"batch\": 16,"
     " \"shift\": 0}",
     "residual"},
};

static struct toy train, test;

static int make_data(void **state)
{
    (void)state;
    toy_make(&train, 120, 1);
    toy_make(&test, 80, 2);
    return 0;
}

struct built {
    void *options;
    struct ib_net *net;
    struct ib_model_nodes nodes;
    struct ib_phase phases[IB_PHASES_MAX];
    int n_phases;
};

static void *parse(const struct ib_model *m, const char *json)
{
    struct ib_error err;
    void *options = calloc(1, m->plugin.options_size);
    cJSON *object = cJSON_Parse(json);
    assert_non_null(options);
    assert_non_null(object);
    if (ib_options_parse(m->plugin.options, m->plugin.options_size, object,
                         &(struct ib_place){.path = "test"}, options,
                         &err) != IB_OK)
        fail_msg("%s: %s", m->plugin.name, err.text);
    cJSON_Delete(object);
    return options;
}

static void build(struct built *b, const struct ib_model *m, const char *json)
{
    struct ib_error err;
    struct ib_graph *g = ib_graph_create();
    struct ib_model_task task = {train.images.shape, TOY_CLASSES};
    b->options = parse(m, json);
    assert_int_equal(m->build(b->options, &task, g, &b->nodes, &err), IB_OK);
    b->n_phases =
        m->phases ? m->phases(b->options, &b->nodes, g, b->phases) : 0;
    assert_in_range(b->n_phases, 0, IB_PHASES_MAX);
    assert_int_equal(ib_net_create(&b->net, g, 64, &err), IB_OK);
}

static void fit(struct built *b)
{
    struct ib_error err;
    struct ib_training t = {.net = b->net,
                            .input = b->nodes.input,
                            .logits = b->nodes.logits,
                            .data = &train.images,
                            .classes = TOY_CLASSES,
                            .phases = b->phases,
                            .n_phases = b->n_phases,
                            .seed = 1,
                            .role = "target"};
    memcpy(&t.options, b->options, sizeof t.options);
    if (ib_train(&t, &err) != IB_OK)
        fail_msg("%s", err.text);
}

static void drop(struct built *b)
{
    ib_net_free(b->net);
    free(b->options);
}

static double accuracy(struct built *b)
{
    float z[80 * TOY_CLASSES];
    int right = 0;
    ib_predict(b->net, b->nodes.input, b->nodes.logits, &test.images, z);
    for (size_t i = 0; i < 80; i++) {
        size_t best = 0;
        for (size_t k = 1; k < TOY_CLASSES; k++)
            if (z[i * TOY_CLASSES + k] > z[i * TOY_CLASSES + best])
                best = k;
        right += (int32_t)best == test.identity[i];
    }
    return right / 80.0;
}

static void options_tables_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(samples); i++) {
        struct ib_error err;
        const struct ib_plugin *p = &samples[i].model->plugin;
        if (ib_options_check(p->options, p->options_size, &err) != IB_OK)
            fail_msg("%s: %s", p->name, err.text);
        assert_string_equal(samples[i].model->family, samples[i].family);
    }
}

static void nodes_have_the_shapes_that_others_rely_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(samples); i++) {
        struct built b;
        build(&b, samples[i].model, samples[i].options);
        const struct ib_graph *g = ib_net_graph(b.net);
        struct ib_model_nodes n = b.nodes;
        assert_true(
            ib_shape_equal(ib_graph_shape(g, n.input), train.images.shape));
        assert_int_equal(ib_shape_size(ib_graph_shape(g, n.logits)),
                         TOY_CLASSES);
        assert_in_range(n.features, n.input, n.logits - 1);
        assert_int_equal(n.code == IB_NONE, n.decoded == IB_NONE);
        if (n.decoded != IB_NONE)
            assert_true(ib_shape_equal(ib_graph_shape(g, n.decoded),
                                       train.images.shape));
        drop(&b);
    }
}

static void every_model_learns(void **state)
{
    (void)state;
    for (size_t i = 0; i < IB_COUNT(samples); i++) {
        struct built b;
        build(&b, samples[i].model, samples[i].options);
        fit(&b);
        double a = accuracy(&b);
        if (a < 0.9)
            fail_msg("%s %s: accuracy %.3f", samples[i].model->plugin.name,
                     samples[i].options, a);
        drop(&b);
    }
}

/* RMS between images and what the code of each decodes to. */
static double restoration_error(struct built *b)
{
    enum { D = TOY_SIDE * TOY_SIDE, N = 64 };
    float *x = ib_net_value(b->net, b->nodes.input), image[N * D];
    double sum = 0;
    ib_image_to_float(test.pixels, N * D, image);
    memcpy(x, image, sizeof image);
    struct ib_forward encode = {
        .n = N, .from = b->nodes.input, .to = b->nodes.code};
    struct ib_forward decode = {
        .n = N, .from = b->nodes.code, .to = b->nodes.decoded};
    ib_net_forward(b->net, &encode);
    memset(x, 0, sizeof image);
    ib_net_forward(b->net, &decode);
    const float *y = ib_net_value(b->net, b->nodes.decoded);
    for (size_t i = 0; i < N * D; i++)
        sum += pow((double)y[i] - (double)image[i], 2);
    return sqrt(sum / (N * D));
}

static void the_decoder_of_dae_inverts_the_code(void **state)
{
    (void)state;
    struct built b;
    build(&b, &ib_model_dae, samples[4].options);
    assert_true(restoration_error(&b) > 0.2);
    fit(&b);
    double after = restoration_error(&b);
    if (!(after < 0.17))
        fail_msg("restored to within %.3f", after);
    drop(&b);
}

static void dae_may_skip_pretraining_and_decoder(void **state)
{
    (void)state;
    struct built b;
    build(&b, &ib_model_dae,
          "{\"hidden\": [12], \"pretrain_epochs\": 0, \"decoder_epochs\": 0}");
    assert_int_equal(b.n_phases, 1);
    assert_int_equal(b.phases[0].loss, IB_CROSS_ENTROPY);
    fit(&b);
    drop(&b);
}

static void too_deep_an_autoencoder_is_refused(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_model_nodes nodes;
    struct ib_model_task task = {train.images.shape, TOY_CLASSES};
    struct ib_graph *g = ib_graph_create();
    void *o = parse(&ib_model_dae, "{\"hidden\": "
                                   "[5,5,5,5,5,5,5,5,5,5,5,5,5,5,5]}");
    assert_int_equal(ib_model_dae.build(o, &task, g, &nodes, &err), IB_E_USAGE);
    assert_non_null(strstr(err.text, "15 layers (allowed: 1 to 14)"));
    ib_graph_free(g);
    free(o);
}

static void a_cnn_too_deep_for_its_images_names_the_nodes(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_model_nodes nodes;
    struct ib_model_task task = {train.images.shape, TOY_CLASSES};
    struct ib_graph *g = ib_graph_create();
    void *o = parse(&ib_model_cnn, "{\"channels\": [2, 2, 2, 2, 2]}");
    assert_int_equal(ib_model_cnn.build(o, &task, g, &nodes, &err), IB_OK);
    assert_non_null(ib_graph_error(g));
    assert_non_null(strstr(ib_graph_error(g)->text, "does not fit its input"));
    ib_graph_free(g);
    free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_tables_are_sound),
        cmocka_unit_test(nodes_have_the_shapes_that_others_rely_on),
        cmocka_unit_test(every_model_learns),
        cmocka_unit_test(the_decoder_of_dae_inverts_the_code),
        cmocka_unit_test(dae_may_skip_pretraining_and_decoder),
        cmocka_unit_test(too_deep_an_autoencoder_is_refused),
        cmocka_unit_test(a_cnn_too_deep_for_its_images_names_the_nodes),
    };
    return cmocka_run_group_tests(tests, make_data, NULL);
}
