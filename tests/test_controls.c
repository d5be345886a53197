/* The controls: rows that must score at a known level. */
#include "harness_fixture.h"

#include <invbench/math.h>

#include "data_encode.h"
#include "recon_io.h"
#include "stage.h"

/* Pixel 0 of every image tells which it is. Class 1 has one held-out image
 * less than class 0 and class 2. */
enum { D = 16, CLASSES = 3, PEOPLE = 5 };
static const int32_t train_identity[] = {0, 0, 1, 1, 2, 2};
static const int32_t holdout_identity[] = {0, 1, 2, 0, 1, 2, 0, 2};
static const int32_t public_identity[] = {3, 3, 4, 4, 4};

struct world {
    char dir[PATH_MAX];
    struct ib_stage_env env;
    struct ib_registry *registry;
    uint8_t pixels[3][8 * D];
    struct ib_error err;
    struct ib_recon recon;
};

static void fill(struct world *w, struct ib_dataset *set, enum ib_split split,
                 const int32_t *identity, size_t n)
{
    uint8_t *x = w->pixels[split];
    struct ib_rng rng = ib_rng_stream(1, "test", split, "pixels");

    for (size_t i = 0; i < n * D; i++)
        x[i] = (uint8_t)ib_rng_below(&rng, 256);
    for (size_t i = 0; i < n; i++)
        x[i * D] = (uint8_t)(50 * (size_t)split + i);
    set->split[split] = (struct ib_images){
        .shape = set->shape, .n = n, .pixels = x, .identity = identity};
}

static void put_data(struct world *w, const char *key, bool with_public,
                     bool with_holdout)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct ib_dataset set = {.shape = {1, 4, 4},
                             .classes = CLASSES,
                             .identities = PEOPLE,
                             .names = names,
                             .license = "none"};
    cJSON *meta = cJSON_CreateObject(), *data = NULL;
    uint8_t *bytes = NULL;
    size_t size;

    for (int s = 0; s < IB_SPLITS; s++)
        set.split[s].shape = set.shape;
    fill(w, &set, IB_TRAIN, train_identity, 6);
    if (with_holdout)
        fill(w, &set, IB_HOLDOUT, holdout_identity, 8);
    if (with_public)
        fill(w, &set, IB_PUBLIC, public_identity, 5);
    assert_int_equal(ib_data_encode(&set, &data, &bytes, &size, &w->err),
                     IB_OK);
    cJSON_AddItemToObject(meta, "data", data);
    cJSON_AddItemToObject(meta, "spec", json_of("{'kind':'data'}"));
    assert_int_equal(
        ib_store_put(w->env.store, key, meta, bytes, size, &w->err), IB_OK);
    cJSON_Delete(meta);
    free(bytes);
}

static const char *const key_of_data =
    "1111111111111111111111111111111111111111111111111111111111111111";
static const char *const key_of_model =
    "2222222222222222222222222222222222222222222222222222222222222222";
static const char *const key_of_control =
    "3333333333333333333333333333333333333333333333333333333333333333";

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct ib_store *store = NULL;

    assert_non_null(w);
    temp_dir_make(w->dir);
    if (ib_store_open(&store, w->dir, &w->err) != IB_OK ||
        ib_registry_create(&w->registry, &w->err) != IB_OK)
        fail_msg("%s", w->err.text);
    w->env = (struct ib_stage_env){
        .store = store, .registry = w->registry, .memory_limit = 1u << 28};
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    ib_recon_close(&w->recon);
    ib_store_close(w->env.store);
    ib_registry_free(w->registry);
    temp_dir_remove(w->dir);
    free(w);
    return 0;
}

static enum ib_status control(struct world *w, const char *name, double seed,
                              const char *targets)
{
    cJSON *spec = cJSON_CreateObject();
    enum ib_status s;

    cJSON_AddStringToObject(spec, "kind", "control");
    cJSON_AddStringToObject(spec, "name", name);
    cJSON_AddNumberToObject(spec, "seed", seed);
    cJSON_AddStringToObject(spec, "data", key_of_data);
    cJSON_AddStringToObject(spec, "model", key_of_model);
    cJSON_AddItemToObject(spec, "targets", json_of(targets));
    s = ib_stage_control(&w->env, spec, key_of_control, &w->err);
    cJSON_Delete(spec);
    ib_recon_close(&w->recon);
    if (s == IB_OK && ib_recon_open(w->env.store, key_of_control, &w->recon,
                                    &w->err) != IB_OK)
        fail_msg("%s", w->err.text);
    return s;
}

static double shared(const struct world *w)
{
    return cJSON_GetObjectItem(cJSON_GetObjectItem(w->recon.meta, "queries"),
                               "shared")
        ->valuedouble;
}

static void public_mean_is_the_mean_for_every_target(void **state)
{
    struct world *w = *state;

    put_data(w, key_of_data, true, true);
    assert_int_equal(control(w, "public-mean", 1, "[2,0]"), IB_OK);
    assert_int_equal(w->recon.targets, 2);
    assert_int_equal(w->recon.target[0], 2);
    for (int j = 0; j < D; j++) {
        double sum = 0;

        for (int i = 0; i < 5; i++)
            sum += w->pixels[IB_PUBLIC][i * D + j];
        assert_int_equal(abs((int)(sum / 5 + 0.5) - w->recon.pixels[j]) <= 1,
                         1);
        assert_int_equal(w->recon.pixels[D + j], w->recon.pixels[j]);
    }
    assert_float_equal(shared(w), 0, 0);
}

/* A softmax regression whose weights see two pixels only. */
static void put_model(struct world *w)
{
    cJSON *use = json_of("{'name':'softmax'}"), *meta = cJSON_CreateObject();
    cJSON *spec = json_of("{'kind':'model'}");
    float weights[CLASSES * D + CLASSES] = {0};
    struct ib_use parsed = {0};

    weights[0] = 3;
    weights[D + 0] = -3;
    weights[2 * D + 5] = 3;
    assert_int_equal(ib_use_parse(w->registry, IB_KIND_MODEL, use,
                                  &(struct ib_place){.path = "m"}, &parsed,
                                  &w->err),
                     IB_OK);
    cJSON_AddItemToObject(spec, "plugin", ib_use_spec(w->registry, &parsed));
    cJSON_AddItemToObject(meta, "spec", spec);
    cJSON_AddItemToObject(meta, "shape", json_of("[1,4,4]"));
    cJSON_AddNumberToObject(meta, "classes", CLASSES);
    cJSON_AddNumberToObject(meta, "parameters", CLASSES * D + CLASSES);
    assert_int_equal(ib_store_put(w->env.store, key_of_model, meta, weights,
                                  sizeof(weights), &w->err),
                     IB_OK);
    ib_use_free(&parsed);
    cJSON_Delete(meta);
    cJSON_Delete(use);
}

/* Softmax of (3 a, -3 a, 3 b) for every public image, in double. */
static int best_public(const struct world *w, int class)
{
    double best = -1;
    int arg = 0;

    for (int i = 0; i < 5; i++) {
        double a = w->pixels[IB_PUBLIC][i * D] / 255.0;
        double b = w->pixels[IB_PUBLIC][i * D + 5] / 255.0;
        double z[3] = {3 * a, -3 * a, 3 * b};
        double p =
            ib_exp(z[class]) / (ib_exp(z[0]) + ib_exp(z[1]) + ib_exp(z[2]));

        if (p > best) {
            best = p;
            arg = i;
        }
    }
    return arg;
}

static void public_best_has_the_highest_score_of_its_class(void **state)
{
    struct world *w = *state;

    put_data(w, key_of_data, true, true);
    put_model(w);
    if (control(w, "public-best", 1, "[]") != IB_OK)
        fail_msg("%s", w->err.text);
    assert_int_equal(w->recon.targets, CLASSES);
    for (int class = 0; class < CLASSES; class ++)
        assert_int_equal(w->recon.pixels[class * D],
                         50 * IB_PUBLIC + best_public(w, class));
    assert_int_not_equal(best_public(w, 0), best_public(w, 2));
    assert_float_equal(shared(w), 5, 0);
}

static void noise_differs_by_class_and_seed_and_not_by_place(void **state)
{
    struct world *w = *state;
    uint8_t first[D];

    put_data(w, key_of_data, true, true);
    assert_int_equal(control(w, "noise", 1, "[0,1,2]"), IB_OK);
    memcpy(first, w->recon.pixels + D, D);
    assert_memory_not_equal(first, w->recon.pixels, D);
    assert_int_equal(control(w, "noise", 1, "[1]"), IB_OK);
    assert_memory_equal(first, w->recon.pixels, D);
    assert_int_equal(control(w, "noise", 2, "[1]"), IB_OK);
    assert_memory_not_equal(first, w->recon.pixels, D);
}

/* Class 0 wants pixel 0 white, class 1 black, class 2 pixel 5 white; nothing
 * else has a gradient, and stays the noise that it was. */
static void optimised_noise_shows_what_the_target_sees(void **state)
{
    struct world *w = *state;
    uint8_t noise[CLASSES * D];
    const uint8_t *x;

    put_data(w, key_of_data, true, true);
    assert_int_not_equal(control(w, "optimised-noise", 1, "[]"), IB_OK);
    put_model(w);
    assert_int_equal(control(w, "noise", 1, "[]"), IB_OK);
    memcpy(noise, w->recon.pixels, sizeof(noise));
    if (control(w, "optimised-noise", 1, "[]") != IB_OK)
        fail_msg("%s", w->err.text);
    x = w->recon.pixels;
    assert_int_equal(x[0], 255);
    assert_in_range(x[D], 0, 5);
    assert_int_equal(x[2 * D + 5], 255);
    for (int i = 0; i < CLASSES * D; i++)
        if (i % D != 0 && i % D != 5)
            assert_int_equal(x[i], noise[i]);
    for (int class = 0; class < CLASSES; class ++)
        assert_float_equal(
            cJSON_GetArrayItem(
                cJSON_GetObjectItem(
                    cJSON_GetObjectItem(w->recon.meta, "queries"), "gradient"),
                class)
                ->valuedouble,
            50, 0);
}

static void holdout_gives_the_fewest_of_real_images_each(void **state)
{
    static const int expected[CLASSES][2] = {{50, 53}, {51, 54}, {52, 55}};
    struct world *w = *state;

    put_data(w, key_of_data, true, true);
    assert_int_equal(control(w, "holdout", 1, "[]"), IB_OK);
    assert_int_equal(w->recon.images, 2);
    for (int class = 0; class < CLASSES; class ++)
        for (int i = 0; i < 2; i++)
            assert_int_equal(w->recon.pixels[(class * 2 + i) * D],
                             expected[class][i]);
    assert_float_equal(shared(w), 0, 0);
}

static void other_is_a_real_image_of_somebody_else(void **state)
{
    struct world *w = *state;
    int seen[CLASSES][CLASSES] = {{0}};

    put_data(w, key_of_data, true, true);
    for (int seed = 0; seed < 40; seed++) {
        assert_int_equal(control(w, "other", seed, "[0,1,2]"), IB_OK);
        for (int class = 0; class < CLASSES; class ++) {
            int i = w->recon.pixels[class * D] - 50 * IB_HOLDOUT;

            assert_in_range(i, 0, 7);
            seen[class][holdout_identity[i]]++;
        }
    }
    for (int class = 0; class < CLASSES; class ++)
        for (int k = 0; k < CLASSES; k++)
            assert_int_equal(seen[class][k] > 5, k != class);
}

static void missing_splits_are_denied_by_name(void **state)
{
    struct world *w = *state;

    put_data(w, key_of_data, false, false);
    assert_int_equal(control(w, "public-mean", 1, "[0]"), IB_E_DENIED);
    assert_has(w->err.text, "public");
    assert_int_equal(control(w, "public-best", 1, "[0]"), IB_E_DENIED);
    assert_int_equal(control(w, "holdout", 1, "[0]"), IB_E_DENIED);
    assert_has(w->err.text, "holdout");
    assert_int_equal(control(w, "other", 1, "[0]"), IB_E_DENIED);
    assert_int_equal(control(w, "noise", 1, "[0]"), IB_OK);
}

static void bad_specs_are_refused(void **state)
{
    struct world *w = *state;

    put_data(w, key_of_data, true, true);
    assert_int_equal(control(w, "best", 1, "[0]"), IB_E_INTERNAL);
    assert_has(w->err.text, "best");
    assert_int_equal(control(w, "noise", 1, "[3]"), IB_E_INTERNAL);
    assert_has(w->err.text, "0..2");
    assert_int_equal(control(w, "noise", 1, "['a']"), IB_E_INTERNAL);
    assert_int_equal(control(w, "noise", -1, "[0]"), IB_E_INTERNAL);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(public_mean_is_the_mean_for_every_target),
        WORLD(public_best_has_the_highest_score_of_its_class),
        WORLD(noise_differs_by_class_and_seed_and_not_by_place),
        WORLD(optimised_noise_shows_what_the_target_sees),
        WORLD(holdout_gives_the_fewest_of_real_images_each),
        WORLD(other_is_a_real_image_of_somebody_else),
        WORLD(missing_splits_are_denied_by_name),
        WORLD(bad_specs_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
