/* Saved models: parameters and state come back, nothing else does. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "model_io.h"
#include "node.h"

enum { STATE = 5, PARAMETERS = 6 * 3 + 3, ALL = PARAMETERS + STATE };

/* A dense layer that keeps some numbers, as a norm layer does. */
static struct ib_net *make_net(void)
{
    struct ib_error err;
    struct ib_net *net = NULL;
    struct ib_graph *g = ib_graph_create();
    ib_node x = ib_graph_input(g, (struct ib_shape){1, 2, 3}, "x");

    x = ib_graph_dense(g, x, 3, "y");
    g->node[x].state = STATE;
    g->states = STATE;
    assert_int_equal(ib_net_create(&net, g, 2, &err), IB_OK);
    return net;
}

static void parameters_come_first_then_state(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *a = make_net(), *b = make_net();
    float numbers[ALL], again[ALL];

    assert_int_equal(ib_model_numbers(a), ALL);
    for (int i = 0; i < PARAMETERS; i++)
        ib_net_parameters(a)[i] = (float)i;
    for (int i = 0; i < STATE; i++)
        ib_net_state(a)[i] = (float)(100 + i);
    ib_model_save(a, numbers);
    assert_true(numbers[0] == 0 && numbers[PARAMETERS - 1] == PARAMETERS - 1);
    assert_true(numbers[PARAMETERS] == 100 && numbers[ALL - 1] == 104);
    assert_int_equal(ib_model_load(b, numbers, sizeof(numbers), "m", &err),
                     IB_OK);
    ib_model_save(b, again);
    assert_memory_equal(again, numbers, sizeof(numbers));
    ib_net_free(a);
    ib_net_free(b);
}

static void any_other_length_is_refused(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net = make_net();
    float numbers[ALL + 1] = {0};

    for (size_t n = 0; n <= sizeof(numbers); n++) {
        if (n == ALL * sizeof(float))
            continue;
        assert_int_equal(ib_model_load(net, numbers, n, "m", &err), IB_E_DATA);
        assert_non_null(strstr(err.text, "21 parameters and 5 numbers of "
                                         "state"));
    }
    ib_net_free(net);
}

static void what_is_not_finite_is_refused_by_its_place(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_net *net = make_net();
    float numbers[ALL] = {0};

    numbers[4] = NAN;
    assert_int_equal(ib_model_load(net, numbers, sizeof(numbers), "m", &err),
                     IB_E_DATA);
    assert_non_null(strstr(err.text, "parameter 4 is nan"));
    numbers[4] = 0;
    numbers[PARAMETERS + 2] = INFINITY;
    assert_int_equal(ib_model_load(net, numbers, sizeof(numbers), "m", &err),
                     IB_E_DATA);
    assert_non_null(strstr(err.text, "state number 2 is inf"));
    ib_net_free(net);
}

static struct ib_use parse(const struct ib_registry *r, const char *json)
{
    struct ib_error err;
    struct ib_use use = {0};
    cJSON *o = cJSON_Parse(json);

    if (ib_use_parse(r, IB_KIND_MODEL, o, &(struct ib_place){.path = "m"}, &use,
                     &err))
        fail_msg("%s", err.text);
    cJSON_Delete(o);
    return use;
}

static void memory_counts_the_net_and_the_moments(void **state)
{
    (void)state;
    struct ib_error err;
    struct ib_registry *r;
    struct ib_model_size sgd, adam, large;
    const struct ib_model_task task = {{1, 8, 8}, 10};

    assert_int_equal(ib_registry_create(&r, &err), IB_OK);
    struct ib_use use[3] = {
        parse(r, "{\"name\":\"softmax\",\"optimiser\":\"sgd\",\"batch\":1}"),
        parse(r, "{\"name\":\"softmax\",\"optimiser\":\"adam\",\"batch\":1}"),
        parse(r, "{\"name\":\"softmax\",\"optimiser\":\"sgd\",\"batch\":64}"),
    };
    assert_int_equal(ib_model_measure(&use[0], NULL, &task, &sgd, &err), IB_OK);
    assert_int_equal(ib_model_measure(&use[1], NULL, &task, &adam, &err),
                     IB_OK);
    assert_int_equal(ib_model_measure(&use[2], NULL, &task, &large, &err),
                     IB_OK);
    assert_int_equal(sgd.parameters, 650);
    assert_int_equal(sgd.state, 0);
    assert_int_equal(adam.training - sgd.training, 650 * sizeof(float));
    /* values and gradients of input and logits */
    assert_true(large.training - sgd.training >=
                63 * 2 * (64 + 10) * sizeof(float));
    assert_true(sgd.training >= 3 * 650 * sizeof(float));
    for (int i = 0; i < 3; i++)
        ib_use_free(&use[i]);
    ib_registry_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_come_first_then_state),
        cmocka_unit_test(any_other_length_is_refused),
        cmocka_unit_test(what_is_not_finite_is_refused_by_its_place),
        cmocka_unit_test(memory_counts_the_net_and_the_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
