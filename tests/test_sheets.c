/* Contact sheets of a run: which there are, and what stands on them. */
#include "report_fixture.h"

#include "data_encode.h"
#include "recon_io.h"
#include "report.h"

enum { SIDE = 12, CLASSES = 15, D = SIDE * SIDE };

/* A run of one model, two defenses and one attack, in a store of its own. */
struct world {
    char dir[PATH_MAX], store_dir[PATH_MAX + 64];
    struct ib_store *store;
    struct ib_stage_env env;
    struct ib_suite suite;
    struct ib_suite_item model;
    struct ib_suite_defense defense[2];
    struct ib_suite_attack attack;
    struct ib_plan plan;
    struct ib_plan_node node[4]; /* data, attack, attack, control */
    struct ib_cell cell[2];
    struct ib_control_cell control;
};

static const uint64_t seed = 7;

static void put_data(struct world *w)
{
    static uint8_t pixels[CLASSES * D], public_pixels[2 * D];
    static int32_t identity[CLASSES];
    static const int32_t public_identity[] = {CLASSES, CLASSES};
    static const char *names[CLASSES + 1];
    static char name[CLASSES][24];
    struct ib_shape shape = {1, SIDE, SIDE};
    struct ib_dataset set = {.shape = shape,
                             .classes = CLASSES,
                             .identities = CLASSES + 1,
                             .names = names,
                             .license = "none"};
    cJSON *data = NULL, *meta = cJSON_CreateObject();
    uint8_t *bytes = NULL;
    size_t size = 0;

    for (int k = 0; k < CLASSES; k++) {
        snprintf(name[k], sizeof name[k], "person-%d", k % 100);
        names[k] = name[k];
        identity[k] = k;
        memset(pixels + k * D, 10 * k, D);
    }
    names[CLASSES] = "public";
    set.split[IB_TRAIN] = (struct ib_images){shape, CLASSES, pixels, identity};
    for (int s = IB_TRAIN + 1; s < IB_SPLITS; s++)
        set.split[s].shape = shape;
    memset(public_pixels, 77, D);
    memset(public_pixels + D, 190, D);
    set.split[IB_PUBLIC] =
        (struct ib_images){shape, 2, public_pixels, public_identity};
    assert_int_equal(ib_data_encode(&set, &data, &bytes, &size, NULL), IB_OK);
    cJSON_AddItemToObject(meta, "data", data);
    cJSON_AddItemToObject(meta, "spec", cJSON_CreateObject());
    assert_int_equal(
        ib_store_put(w->store, w->node[0].key, meta, bytes, size, NULL), IB_OK);
    free(bytes);
    cJSON_Delete(meta);
}

static void put_recon(struct world *w, const char *key, int targets)
{
    static uint8_t pixels[CLASSES * D];
    struct ib_text json = {0};
    cJSON *spec = cJSON_CreateObject();

    ib_text_add(&json, "{\"targets\":[");
    for (int k = 0; k < targets; k++)
        ib_text_add(&json, "%s%d", k ? "," : "", k);
    ib_text_add(&json,
                "],\"images\":1,\"shape\":[1,%d,%d],\"checkpoints\":[],"
                "\"reached\":[],\"queries\":{},"
                "\"simulated_seconds\":0}",
                SIDE, SIDE);
    memset(pixels, 200, sizeof pixels);
    assert_int_equal(ib_recon_put(w->store, key, spec,
                                  &(struct ib_recon_parts){
                                      cJSON_Parse(ib_text_string(&json)),
                                      pixels, (size_t)targets * D},
                                  NULL),
                     IB_OK);
    cJSON_Delete(spec);
    ib_text_free(&json);
}

static void plan_all(struct world *w)
{
    w->model.id = "softmax";
    w->defense[0].id = "none";
    w->defense[1].id = "round";
    w->attack.id = "mi-face";
    w->suite = (struct ib_suite){.name = "s",
                                 .n_seeds = 1,
                                 .seeds = &seed,
                                 .n_models = 1,
                                 .n_defenses = 2,
                                 .n_attacks = 1,
                                 .models = &w->model,
                                 .defenses = w->defense,
                                 .attacks = &w->attack};
    for (int i = 0; i < 2; i++)
        w->cell[i] = (struct ib_cell){.defense = i,
                                      .access = IB_SCORES,
                                      .plan = IB_CELL_RUN,
                                      .attack_node = 1 + i};
    w->control = (struct ib_control_cell){.name = "noise", .recon_node = 3};
    w->plan = (struct ib_plan){.suite = &w->suite,
                               .nodes = w->node,
                               .n_nodes = 4,
                               .cells = w->cell,
                               .n_cells = 2,
                               .controls = &w->control,
                               .n_controls = 1};
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    temp_dir_make(w->dir);
    snprintf(w->store_dir, sizeof w->store_dir, "%s/store", w->dir);
    assert_int_equal(ib_store_open(&w->store, w->store_dir, NULL), IB_OK);
    w->env.store = w->store;
    for (int i = 0; i < 4; i++) {
        char text[24];
        snprintf(text, sizeof text, "node %d", i);
        ib_sha256(text, strlen(text), w->node[i].key);
        w->node[i].outcome = IB_DONE;
    }
    put_data(w);
    for (int i = 1; i < 4; i++)
        put_recon(w, w->node[i].key, CLASSES);
    plan_all(w);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;

    ib_store_close(w->store);
    temp_dir_remove(w->dir);
    free(w);
    return 0;
}

static struct ib_text make_index(struct world *w)
{
    struct ib_error err = {0};

    if (ib_report_sheets(&w->plan, &w->env, w->dir, &err) != IB_OK)
        fail_msg("%s", err.text);
    return run_get(w->dir, "images/index.json");
}

static void test_every_attack_and_the_controls_get_a_sheet(void **state)
{
    struct world *w = *state;
    struct ib_text index = make_index(w);

    assert_true(run_has(w->dir, "images/001-softmax-mi-face-scores.png"));
    assert_true(run_has(w->dir, "images/002-softmax-controls.png"));
    cJSON *json = cJSON_Parse(ib_text_string(&index));
    const cJSON *sheets = cJSON_GetObjectItem(json, "sheets");
    assert_int_equal(cJSON_GetArraySize(sheets), 2);
    const cJSON *first = cJSON_GetArrayItem(sheets, 0);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(first, "columns")),
                     2);
    cJSON_Delete(json);
    ib_text_free(&index);
}

static void test_cells_that_failed_have_no_column(void **state)
{
    struct world *w = *state;

    w->node[1].outcome = IB_CRASHED;
    w->cell[1].plan = IB_CELL_BYPASS;
    struct ib_text index = make_index(w);
    assert_null(strstr(ib_text_string(&index), "mi-face"));
    assert_non_null(strstr(ib_text_string(&index), "controls"));
    ib_text_free(&index);
}

static bool has_grey(const struct ib_picture *p, uint8_t grey)
{
    size_t run = 0;

    for (size_t i = 0; i < ib_shape_size(p->shape); i++) {
        run = p->pixels[i] == grey ? run + 1 : 0;
        if (run >= SIDE)
            return true;
    }
    return false;
}

static void test_sheet_shows_private_images_and_reconstructions(void **state)
{
    struct world *w = *state;
    struct ib_text index = make_index(w);
    struct ib_picture picture = {0};
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/images/001-softmax-mi-face-scores.png",
             w->dir);
    assert_int_equal(ib_picture_read(path, &picture, NULL), IB_OK);
    assert_true(has_grey(&picture, 200));                /* reconstruction */
    assert_true(has_grey(&picture, 10 * (CLASSES - 1))); /* last person */
    assert_true(has_grey(&picture, 190)); /* nearest public image */
    assert_false(has_grey(&picture, 77)); /* the other one */
    ib_picture_free(&picture);
    ib_text_free(&index);
}

static void test_rows_are_spread_over_many_identities(void **state)
{
    struct world *w = *state;
    struct ib_text index = make_index(w);
    struct ib_picture picture = {0};
    char path[PATH_MAX + 64];
    int people = 0;

    snprintf(path, sizeof path, "%s/images/002-softmax-controls.png", w->dir);
    assert_int_equal(ib_picture_read(path, &picture, NULL), IB_OK);
    for (int k = 1; k < CLASSES; k++) /* the first is as black as letters */
        people += has_grey(&picture, (uint8_t)(10 * k));
    assert_int_equal(people, 11);
    ib_picture_free(&picture);
    ib_text_free(&index);
}

static void test_missing_artifact_is_named(void **state)
{
    struct world *w = *state;
    struct ib_error err = {0};

    ib_sha256("gone", 4, w->node[2].key);
    assert_int_not_equal(ib_report_sheets(&w->plan, &w->env, w->dir, &err),
                         IB_OK);
    assert_true(err.text[0] != '\0');
}

#define RUN(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_every_attack_and_the_controls_get_a_sheet),
        RUN(test_cells_that_failed_have_no_column),
        RUN(test_sheet_shows_private_images_and_reconstructions),
        RUN(test_rows_are_spread_over_many_identities),
        RUN(test_missing_artifact_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
