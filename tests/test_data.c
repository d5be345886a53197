#include "data_fixture.h"

#include <math.h>

#include "data_encode.h"

/* People s1, s2, ... with pictures 1.pgm, 2.pgm, ... */
static void put_people(const char *dir, const char *folder, int people,
                       int pictures)
{
    put_folder(dir, folder);
    for (int i = 1; i <= people; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/s%d", folder, i);
        put_folder(dir, name);
        for (int k = 1; k <= pictures; k++) {
            snprintf(name, sizeof name, "%s/s%d/%d.pgm", folder, i, k);
            put_pgm(dir, name, 8, 6, (uint32_t)(100 * i + k));
        }
    }
}

/* --- folder --------------------------------------------------------------- */

static void folder_splits_by_the_seed(void **state)
{
    put_people(*state, "faces", 12, 5);
    const char *o = "{'path':'faces','train':3,'holdout':2,"
                    "'public_identities':4}";
    struct ib_dataset_builder *a = must_build(&ib_dataset_folder, o, *state, 1);
    struct ib_dataset_builder *b = must_build(&ib_dataset_folder, o, *state, 2);
    const struct ib_dataset *x = ib_dataset_view(a), *y = ib_dataset_view(b);
    assert_int_equal(x->classes, 8);
    assert_int_equal(x->identities, 12);
    assert_int_equal(x->split[IB_TRAIN].n, 24);
    assert_int_equal(x->split[IB_HOLDOUT].n, 16);
    assert_int_equal(x->split[IB_PUBLIC].n, 20);
    assert_memory_not_equal(x->split[IB_TRAIN].pixels,
                            y->split[IB_TRAIN].pixels, 24 * 48);
    assert_int_equal(ib_dataset_assert(x, NULL), IB_OK);
    ib_dataset_builder_free(a);
    ib_dataset_builder_free(b);
}

static void folder_keeps_natural_order(void **state)
{
    const char *o = "{'path':'faces','train':3,'holdout':2}";
    struct ib_dataset_builder *b = must_build(&ib_dataset_folder, o, *state, 1);
    const struct ib_dataset *d = ib_dataset_view(b);
    assert_string_equal(d->names[1], "s2");
    assert_string_equal(d->names[9], "s10");
    ib_dataset_builder_free(b);
}

static void folder_gives_the_same_bytes_again(void **state)
{
    const char *o = "{'path':'faces','train':3,'holdout':2}";
    struct ib_dataset_builder *a = must_build(&ib_dataset_folder, o, *state, 5);
    struct ib_dataset_builder *b = must_build(&ib_dataset_folder, o, *state, 5);
    assert_memory_equal(ib_dataset_view(a)->split[IB_TRAIN].pixels,
                        ib_dataset_view(b)->split[IB_TRAIN].pixels, 36 * 48);
    ib_dataset_builder_free(a);
    ib_dataset_builder_free(b);
}

static void folder_lists_its_files_below_the_data_folder(void **state)
{
    struct ib_use use = use_of(&ib_dataset_folder, "{'path':'faces'}");
    struct ib_dataset_env env = {.data_dir = *state};
    struct ib_error err = {0};
    cJSON *files = NULL;
    assert_int_equal(ib_dataset_files(&use, &env, &files, &err), IB_OK);
    assert_int_equal(cJSON_GetArraySize(files), 60);
    const cJSON *one =
        cJSON_GetObjectItemCaseSensitive(files, "faces/s10/5.pgm");
    assert_int_equal(strlen(one->valuestring), 64);
    cJSON_Delete(files);
    free(use.options);
}

static void folder_refuses_what_cannot_be_split(void **state)
{
    const struct ib_dataset_plugin *p = &ib_dataset_folder;
    refuses(p, "{'path':'none'}", *state, IB_E_IO, "/none");
    refuses(p, "{}", *state, IB_E_USAGE, "path");
    refuses(p, "{'path':'faces'}", NULL, IB_E_USAGE, "--data");
    refuses(p, "{'path':'faces','train':4,'holdout':2}", *state, IB_E_DATA,
            "faces/s1: 5 pictures; train and holdout need 6");
    refuses(p, "{'path':'faces','train':3,'holdout':2,'public_identities':11}",
            *state, IB_E_DATA, "at least 2 private");
    put_people(*state, "lone", 1, 5);
    refuses(p, "{'path':'lone','train':3,'holdout':2}", *state, IB_E_DATA,
            "1 folders");
    put_people(*state, "empty", 3, 5);
    put_folder(*state, "empty/s4");
    refuses(p, "{'path':'empty','train':3,'holdout':2}", *state, IB_E_DATA,
            "empty/s4: no PGM");
}

static void folder_refuses_images_of_different_sizes(void **state)
{
    put_people(*state, "mixed", 3, 5);
    put_pgm(*state, "mixed/s2/3.pgm", 9, 6, 77);
    refuses(&ib_dataset_folder, "{'path':'mixed','train':3,'holdout':2}",
            *state, IB_E_DATA, "mixed/s2/3.pgm: 9 x 6 pixels");
    struct ib_dataset_builder *b = must_build(
        &ib_dataset_folder,
        "{'path':'mixed','train':3,'holdout':2,'width':8,'height':6}", *state,
        1);
    assert_true(
        ib_shape_equal(ib_dataset_view(b)->shape, (struct ib_shape){1, 6, 8}));
    ib_dataset_builder_free(b);
}

static void folder_resizes_by_area(void **state)
{
    put_folder(*state, "tiny");
    for (int i = 1; i <= 2; i++) {
        char name[32];
        char body[] = "P5 4 2 255\n\0\4\10\14\20\24\30\34";
        body[18] = (char)(i * 3);
        snprintf(name, sizeof name, "tiny/p%d", i);
        put_folder(*state, name);
        snprintf(name, sizeof name, "tiny/p%d/a.pgm", i);
        put_file(*state, name, body, 19);
    }
    struct ib_dataset_builder *b =
        must_build(&ib_dataset_folder,
                   "{'path':'tiny','train':1,'holdout':0,'width':2,'height':1}",
                   *state, 1);
    /* (0 + 4 + 16 + 20) / 4 and (8 + 12 + 24 + 3) / 4 */
    assert_int_equal(ib_dataset_view(b)->split[IB_TRAIN].pixels[0], 10);
    assert_int_equal(ib_dataset_view(b)->split[IB_TRAIN].pixels[1], 12);
    ib_dataset_builder_free(b);
}

static void folder_turns_colour_to_grey(void **state)
{
    put_folder(*state, "colour");
    for (int i = 1; i <= 2; i++) {
        char name[32], body[] = "P6 1 1 255\n\377\0\0";
        body[13] = (char)i;
        snprintf(name, sizeof name, "colour/p%d", i);
        put_folder(*state, name);
        snprintf(name, sizeof name, "colour/p%d/a.ppm", i);
        put_file(*state, name, body, 14);
    }
    struct ib_dataset_builder *b = must_build(
        &ib_dataset_folder,
        "{'path':'colour','train':1,'holdout':0,'grey':true}", *state, 1);
    assert_int_equal(ib_dataset_view(b)->shape.c, 1);
    assert_int_equal(ib_dataset_view(b)->split[IB_TRAIN].pixels[0], 77);
    ib_dataset_builder_free(b);
}

/* --- idx ------------------------------------------------------------------ */

static void put_digits(const char *dir)
{
    uint8_t pixels[12 * 6], labels[12];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i * 31 + i);
    for (size_t i = 0; i < sizeof labels; i++)
        labels[i] = (uint8_t)(i % 3);
    put_idx(dir, "x", 3, (uint32_t[]){12, 2, 3}, pixels);
    put_idx(dir, "y", 1, (uint32_t[]){12}, labels);
    for (size_t i = 0; i < sizeof labels; i++)
        labels[i] = (uint8_t)(i % 2 + 1);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i * 57 + 3 * i);
    put_idx(dir, "px", 3, (uint32_t[]){12, 3, 2}, pixels);
    put_idx(dir, "py", 1, (uint32_t[]){12}, labels);
}

static void idx_reads_private_and_public_files(void **state)
{
    put_digits(*state);
    struct ib_dataset_builder *b = must_build(
        &ib_dataset_idx,
        "{'train_images':'x','train_labels':'y','public_images':'px',"
        "'public_labels':'py','transpose_public':true,"
        "'public_label_offset':1}",
        *state, 1);
    const struct ib_dataset *d = ib_dataset_view(b);
    const struct ib_images *p = &d->split[IB_PUBLIC];
    assert_int_equal(d->classes, 3);
    assert_int_equal(d->identities, 5);
    assert_int_equal(d->split[IB_TRAIN].n, 12);
    assert_int_equal(p->identity[0], 3);
    assert_int_equal(p->identity[1], 4);
    assert_string_equal(d->names[4], "public 2");
    /* stored as 3 x 2: the second of the first row was stored third */
    assert_int_equal(p->pixels[1], (uint8_t)(2 * 2 * 57 + 6));
    ib_dataset_builder_free(b);
}

static void idx_limits_take_so_many_of_each_class(void **state)
{
    const char *o = "{'train_images':'x','train_labels':'y',"
                    "'train_limit':2,'draw':%d}";
    char text[256];
    snprintf(text, sizeof text, o, 0);
    struct ib_dataset_builder *a = must_build(&ib_dataset_idx, text, *state, 1);
    struct ib_dataset_builder *b = must_build(&ib_dataset_idx, text, *state, 9);
    const struct ib_images *x = &ib_dataset_view(a)->split[IB_TRAIN];
    size_t index[4];
    assert_int_equal(x->n, 6);
    for (int k = 0; k < 3; k++)
        assert_int_equal(ib_images_of(x, k, index, 4), 2);
    assert_memory_equal(x->pixels, ib_dataset_view(b)->split[IB_TRAIN].pixels,
                        36);
    ib_dataset_builder_free(a);
    ib_dataset_builder_free(b);
}

static void idx_refuses_files_that_do_not_fit(void **state)
{
    const struct ib_dataset_plugin *p = &ib_dataset_idx;
    uint8_t many[6] = {0, 1, 2, 3, 4, 5};
    put_idx(*state, "y6", 1, (uint32_t[]){6}, many);
    put_idx(*state, "x6", 3, (uint32_t[]){6, 1, 1}, many);
    refuses(p, "{}", *state, IB_E_USAGE, "train_images is empty");
    refuses(p, "{'train_images':'x','train_labels':'y6'}", *state, IB_E_DATA,
            "x holds 12 images, y6 holds 6 labels");
    refuses(p, "{'train_images':'y','train_labels':'x'}", *state, IB_E_DATA,
            "1 IDX dimensions");
    refuses(p,
            "{'train_images':'x','train_labels':'y','holdout_images':'x6',"
            "'holdout_labels':'y6'}",
            *state, IB_E_DATA, "1 x 1");
    refuses(p,
            "{'train_images':'x','train_labels':'y','public_images':'px',"
            "'public_labels':'py','transpose_public':true,"
            "'public_label_offset':2}",
            *state, IB_E_DATA, "label 0 is 1; the lowest");
}

static void idx_refuses_labels_out_of_range(void **state)
{
    uint8_t labels[12] = {0, 1, 2, 3};
    put_idx(*state, "y4", 1, (uint32_t[]){12}, labels);
    refuses(&ib_dataset_idx,
            "{'train_images':'x','train_labels':'y','holdout_images':'x',"
            "'holdout_labels':'y4'}",
            *state, IB_E_DATA, "label 3; the training labels end at 2");
    memset(labels, 0, sizeof labels);
    put_idx(*state, "y0", 1, (uint32_t[]){12}, labels);
    refuses(&ib_dataset_idx, "{'train_images':'x','train_labels':'y0'}", *state,
            IB_E_DATA, "1 private identities");
}

/* --- what holds between splits ---------------------------------------------
 */

enum { SIDE = 6, PIXELS = SIDE * SIDE };

struct toy {
    uint8_t pixels[3][4 * PIXELS];
    int32_t identity[3][4];
    struct ib_dataset set;
};

/* Two classes and one public identity; 4 images a split, all different. */
static void make_toy(struct toy *t)
{
    static const char *const names[] = {"ann", "bob", "pub"};
    static const int32_t identity[3][4] = {
        {0, 0, 1, 1}, {0, 0, 1, 1}, {2, 2, 2, 2}};
    struct ib_shape shape = {1, SIDE, SIDE};
    uint32_t seed = 1;
    memcpy(t->identity, identity, sizeof identity);
    t->set =
        (struct ib_dataset){shape, 2, 3, {{{0, 0, 0}, 0, 0, 0}}, names, "none"};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < 4 * PIXELS; i++) {
            seed = seed * 1664525u + 1013904223u;
            t->pixels[k][i] = (uint8_t)(seed >> 24);
        }
        t->set.split[k] =
            (struct ib_images){shape, 4, t->pixels[k], t->identity[k]};
    }
}

static void disjoint_splits_pass(void **state)
{
    struct toy t;
    struct ib_error err = {0};
    (void)state;
    make_toy(&t);
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_OK);
}

static void a_repeated_image_is_named(void **state)
{
    struct toy t;
    struct ib_error err = {0};
    (void)state;
    make_toy(&t);
    memcpy(t.pixels[1] + 3 * PIXELS, t.pixels[0] + PIXELS, PIXELS);
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_E_DATA);
    assert_has(err.text, "image 1 of split train (ann) and image 3 of split "
                         "holdout (bob) are the same");
}

static void a_public_copy_with_other_contrast_is_found(void **state)
{
    struct toy t;
    struct ib_error err = {0};
    (void)state;
    make_toy(&t);
    for (int i = 0; i < PIXELS; i++)
        t.pixels[2][2 * PIXELS + i] =
            (uint8_t)(20 + t.pixels[0][3 * PIXELS + i] * 3 / 4);
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_E_DATA);
    assert_has(err.text, "image 3 of split train (bob) and image 2 of split "
                         "public (pub) are nearly the same");
}

static void a_public_image_that_is_only_alike_passes(void **state)
{
    struct toy t;
    struct ib_error err = {0};
    (void)state;
    make_toy(&t);
    memcpy(t.pixels[2], t.pixels[0], PIXELS);
    for (int i = 0; i < PIXELS; i += 3)
        t.pixels[2][i] = (uint8_t)(t.pixels[2][i] ^ 0x20);
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_OK);
}

/* Against the plain double loop, at many distances around the threshold. */
static void the_filter_agrees_with_the_plain_comparison(void **state)
{
    struct ib_error err = {0};
    int found = 0;
    (void)state;
    for (int by = 0; by < 60; by++) {
        struct toy t;
        double sum[2] = {0}, square[2] = {0}, dot = 0;
        make_toy(&t);
        for (int i = 0; i < PIXELS; i++) {
            int v = t.pixels[0][i] + (i % 2 ? by : -by) / 4;
            t.pixels[2][i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            double x = t.pixels[0][i], y = t.pixels[2][i];
            sum[0] += x, sum[1] += y, dot += x * y;
            square[0] += x * x, square[1] += y * y;
        }
        double c = (dot - sum[0] * sum[1] / PIXELS) /
                   sqrt((square[0] - sum[0] * sum[0] / PIXELS) *
                        (square[1] - sum[1] * sum[1] / PIXELS));
        bool near = 2 - 2 * c < IB_NEAR_DUPLICATE * IB_NEAR_DUPLICATE;
        assert_int_equal(ib_dataset_assert(&t.set, &err) != IB_OK, near);
        found += near;
    }
    assert_in_range(found, 5, 55);
}

static void identities_across_the_line_are_refused(void **state)
{
    struct toy t;
    struct ib_error err = {0};
    (void)state;
    make_toy(&t);
    t.identity[2][1] = 1;
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_E_DATA);
    assert_has(err.text, "image 1 of split public is of identity 1");
    make_toy(&t);
    t.identity[1][0] = 2;
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_E_DATA);
    make_toy(&t);
    t.identity[0][2] = t.identity[0][3] = 0;
    assert_int_equal(ib_dataset_assert(&t.set, &err), IB_E_DATA);
    assert_has(err.text, "identity 1 (bob) of ");
}

/* --- the artifact ----------------------------------------------------------
 */

struct shelf {
    struct ib_store *store;
    struct ib_stage_env env;
    char key[IB_KEY_SIZE];
};

static struct shelf put_toy(const char *dir, const struct toy *t, size_t cut)
{
    struct shelf s = {0};
    struct ib_error err = {0};
    cJSON *data = NULL, *meta = cJSON_CreateObject();
    uint8_t *bytes = NULL;
    size_t size = 0;
    memset(s.key, 'a', IB_KEY_SIZE - 1);
    assert_int_equal(ib_store_open(&s.store, path_in(dir, "store"), &err),
                     IB_OK);
    assert_int_equal(ib_data_encode(&t->set, &data, &bytes, &size, &err),
                     IB_OK);
    cJSON_AddItemToObject(meta, "data", data);
    if (ib_store_has(s.store, s.key))
        assert_int_equal(ib_store_remove(s.store, s.key, &err), IB_OK);
    assert_int_equal(
        ib_store_put(s.store, s.key, meta, bytes, size - cut, &err), IB_OK);
    cJSON_Delete(meta);
    free(bytes);
    s.env.store = s.store;
    return s;
}

static void a_data_set_comes_back_from_the_store(void **state)
{
    struct toy t;
    make_toy(&t);
    struct shelf s = put_toy(*state, &t, 0);
    struct ib_open_data d = {0};
    struct ib_error err = {0};
    assert_int_equal(ib_data_open(&s.env, s.key, &d, &err), IB_OK);
    assert_int_equal(d.set.classes, 2);
    assert_string_equal(d.set.names[2], "pub");
    for (int k = 0; k < 3; k++) {
        assert_int_equal(d.set.split[k].n, 4);
        assert_memory_equal(d.set.split[k].pixels, t.pixels[k], 4 * PIXELS);
        assert_memory_equal(d.set.split[k].identity, t.identity[k], 16);
    }
    assert_int_equal(d.set.split[IB_AUX].n, 0);
    ib_data_close(&d);
    ib_store_close(s.store);
}

static void an_artifact_that_is_too_short_is_refused(void **state)
{
    struct toy t;
    make_toy(&t);
    struct shelf s = put_toy(*state, &t, 64);
    struct ib_open_data d = {0};
    struct ib_error err = {0};
    assert_int_equal(ib_data_open(&s.env, s.key, &d, &err), IB_E_DATA);
    assert_has(err.text, "data set aaaa");
    ib_store_close(s.store);
}

static void bytes_and_floats_round_trip(void **state)
{
    uint8_t in[256], out[256];
    float x[256];
    (void)state;
    for (int i = 0; i < 256; i++)
        in[i] = (uint8_t)i;
    ib_image_to_float(in, 256, x);
    ib_image_to_bytes(x, 256, out);
    assert_memory_equal(in, out, 256);
    const float odd[] = {-1, 2, NAN, 0.5f / 255, 1.5f / 255, INFINITY};
    ib_image_to_bytes(odd, 6, out);
    assert_memory_equal(out, "\0\377\0\0\2\377", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_splits_by_the_seed),
        cmocka_unit_test(folder_keeps_natural_order),
        cmocka_unit_test(folder_gives_the_same_bytes_again),
        cmocka_unit_test(folder_lists_its_files_below_the_data_folder),
        cmocka_unit_test(folder_refuses_what_cannot_be_split),
        cmocka_unit_test(folder_refuses_images_of_different_sizes),
        cmocka_unit_test(folder_resizes_by_area),
        cmocka_unit_test(folder_turns_colour_to_grey),
        cmocka_unit_test(idx_reads_private_and_public_files),
        cmocka_unit_test(idx_limits_take_so_many_of_each_class),
        cmocka_unit_test(idx_refuses_files_that_do_not_fit),
        cmocka_unit_test(idx_refuses_labels_out_of_range),
        cmocka_unit_test(disjoint_splits_pass),
        cmocka_unit_test(a_repeated_image_is_named),
        cmocka_unit_test(a_public_copy_with_other_contrast_is_found),
        cmocka_unit_test(a_public_image_that_is_only_alike_passes),
        cmocka_unit_test(the_filter_agrees_with_the_plain_comparison),
        cmocka_unit_test(identities_across_the_line_are_refused),
        cmocka_unit_test(a_data_set_comes_back_from_the_store),
        cmocka_unit_test(an_artifact_that_is_too_short_is_refused),
        cmocka_unit_test(bytes_and_floats_round_trip),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
