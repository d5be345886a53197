#include "data_fixture.h"

#include "stage.h"

struct bench {
    char *dir;
    struct ib_registry *registry;
    struct ib_stage_env env;
    char key[IB_KEY_SIZE];
    cJSON *spec;
    struct ib_error err;
};

static void put_people(const char *dir)
{
    put_folder(dir, "faces");
    for (int i = 0; i < 12; i++) {
        char name[64];
        snprintf(name, sizeof name, "faces/p%d", i / 4);
        if (i % 4 == 0)
            put_folder(dir, name);
        snprintf(name, sizeof name, "faces/p%d/%d.pgm", i / 4, i);
        put_pgm(dir, name, 7, 5, (uint32_t)(i + 1));
    }
}

static void open_bench(struct bench *b, char *dir, const char *use)
{
    struct ib_use u = {0};
    struct ib_dataset_env env = {.seed = 1, .data_dir = dir};
    cJSON *object = json_of(use), *files = NULL;
    *b = (struct bench){.dir = dir, .env = {.data_dir = dir}};
    assert_int_equal(ib_registry_create(&b->registry, &b->err), IB_OK);
    assert_int_equal(
        ib_store_open(&b->env.store, path_in(dir, "store"), &b->err), IB_OK);
    b->env.registry = b->registry;
    assert_int_equal(ib_use_parse(b->registry, IB_KIND_DATASET, object,
                                  &(struct ib_place){.path = "test"}, &u,
                                  &b->err),
                     IB_OK);
    assert_int_equal(ib_dataset_files(&u, &env, &files, &b->err), IB_OK);
    b->spec = json_of("{'kind':'data','seed':1}");
    cJSON_AddItemToObject(b->spec, "plugin", ib_use_spec(b->registry, &u));
    cJSON_AddItemToObject(b->spec, "files", files);
    assert_int_equal(ib_json_key(b->spec, b->key, &b->err), IB_OK);
    ib_use_free(&u);
    cJSON_Delete(object);
}

static void close_bench(struct bench *b)
{
    cJSON_Delete(b->spec);
    ib_store_close(b->env.store);
    ib_registry_free(b->registry);
}

static const char folder[] =
    "{'name':'folder','path':'faces','train':3,'holdout':1}";

static void a_folder_becomes_an_artifact(void **state)
{
    struct bench b;
    struct ib_open_data d = {0};
    put_people(*state);
    open_bench(&b, *state, folder);
    if (ib_stage_data(&b.env, b.spec, b.key, &b.err) != IB_OK)
        fail_msg("%s", b.err.text);
    assert_int_equal(ib_data_open(&b.env, b.key, &d, &b.err), IB_OK);
    assert_int_equal(d.set.classes, 3);
    assert_int_equal(d.set.split[IB_TRAIN].n, 9);
    assert_int_equal(d.set.split[IB_HOLDOUT].n, 3);
    assert_string_equal(d.set.names[2], "p2");
    ib_data_close(&d);
    close_bench(&b);
}

static void a_file_changed_since_the_plan_is_refused(void **state)
{
    struct bench b;
    open_bench(&b, *state, folder);
    put_pgm(*state, "faces/p1/5.pgm", 7, 5, 4711);
    assert_int_equal(ib_stage_data(&b.env, b.spec, b.key, &b.err), IB_E_DATA);
    assert_has(b.err.text, "dataset folder: faces/p1/5.pgm");
    assert_has(b.err.text, "not the one that was planned");
    close_bench(&b);
}

static void a_file_gone_since_the_plan_is_refused(void **state)
{
    struct bench b;
    put_pgm(*state, "faces/p2/99.pgm", 7, 5, 99);
    open_bench(&b, *state, folder);
    assert_int_equal(remove(path_in(*state, "faces/p2/99.pgm")), 0);
    assert_int_equal(ib_stage_data(&b.env, b.spec, b.key, &b.err), IB_E_DATA);
    assert_has(b.err.text, "the plan was made with 13");
    close_bench(&b);
}

static void a_picture_in_two_splits_is_refused(void **state)
{
    struct bench b;
    for (int i = 4; i < 8; i++) {
        char name[64];
        snprintf(name, sizeof name, "faces/p1/%d.pgm", i);
        put_pgm(*state, name, 7, 5, 1);
    }
    open_bench(&b, *state, folder);
    assert_int_equal(ib_stage_data(&b.env, b.spec, b.key, &b.err), IB_E_DATA);
    assert_has(b.err.text, "are the same");
    assert_false(ib_store_has(b.env.store, b.key));
    close_bench(&b);
}

static void a_generator_needs_no_files(void **state)
{
    struct bench b;
    struct ib_open_data d = {0};
    open_bench(&b, *state,
               "{'name':'synthfaces','size':32,'identities':3,'train':2,"
               "'holdout':1,'public_identities':2,'public_images':2}");
    b.env.data_dir = NULL;
    if (ib_stage_data(&b.env, b.spec, b.key, &b.err) != IB_OK)
        fail_msg("%s", b.err.text);
    assert_int_equal(ib_data_open(&b.env, b.key, &d, &b.err), IB_OK);
    assert_int_equal(d.set.split[IB_PUBLIC].n, 4);
    assert_int_equal(d.set.split[IB_PUBLIC].identity[0], 3);
    ib_data_close(&d);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_becomes_an_artifact),
        cmocka_unit_test(a_file_changed_since_the_plan_is_refused),
        cmocka_unit_test(a_file_gone_since_the_plan_is_refused),
        cmocka_unit_test(a_picture_in_two_splits_is_refused),
        cmocka_unit_test(a_generator_needs_no_files),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
