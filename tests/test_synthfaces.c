#include "data_fixture.h"

#include <invbench/parts/face.h>

#include <math.h>

#define SMALL                                                                  \
    "'identities':6,'train':3,'holdout':2,'public_identities':4,"              \
    "'public_images':3"

static struct ib_dataset_builder *faces(const char *options, uint64_t seed)
{
    return must_build(&ib_dataset_synthfaces, options, NULL, seed);
}

static void hash_split(const struct ib_dataset *d, enum ib_split split,
                       char key[IB_KEY_SIZE])
{
    ib_sha256(d->split[split].pixels,
              d->split[split].n * ib_shape_size(d->shape), key);
}

/* Version 1 is frozen: another picture needs another version. */
static void pictures_are_those_of_version_1(void **state)
{
    static const struct {
        const char *options, *train, *publics;
    } golden[] = {
        {"{" SMALL "}",
         "c2d356e206d9d8284a176e89cad8c958c512f306e49321377861c52767d919e2",
         "878d285d3bffb3ac2c9b91f7fad7531b6695f37dbe47c72c419054de2502b61c"},
        {"{'size':32,'rgb':true," SMALL "}",
         "78be51112c5b7306a2f0306c8ab028bd9039327b2c43764a7c66137838f1347a",
         "06a5cd269d2ad387239a76093e88f1f859744cab16444125c44151b3af72c83a"},
        {"{'size':128," SMALL "}",
         "203595c1745a2a95892498c053cd6710e2e83a0f0be54f0fda73d407cf1902f2",
         "e5a7a1ef65902b07de3c12068fd4a1e121e13006dd78eb08450b20da0bc3f8af"},
    };
    (void)state;
    for (size_t i = 0; i < IB_COUNT(golden); i++) {
        struct ib_dataset_builder *b = faces(golden[i].options, 1);
        char key[IB_KEY_SIZE];
        hash_split(ib_dataset_view(b), IB_TRAIN, key);
        assert_string_equal(key, golden[i].train);
        hash_split(ib_dataset_view(b), IB_PUBLIC, key);
        assert_string_equal(key, golden[i].publics);
        ib_dataset_builder_free(b);
    }
    assert_string_equal(ib_dataset_synthfaces.plugin.version, "1");
}

static void splits_have_the_sizes_asked_for(void **state)
{
    struct ib_dataset_builder *b = faces("{" SMALL "}", 3);
    const struct ib_dataset *d = ib_dataset_view(b);
    struct ib_error err = {0};
    size_t index[8];
    (void)state;
    assert_int_equal(d->classes, 6);
    assert_int_equal(d->identities, 10);
    assert_int_equal(d->split[IB_TRAIN].n, 18);
    assert_int_equal(d->split[IB_HOLDOUT].n, 12);
    assert_int_equal(d->split[IB_PUBLIC].n, 12);
    for (int k = 0; k < 6; k++)
        assert_int_equal(ib_images_of(&d->split[IB_TRAIN], k, index, 8), 3);
    assert_string_equal(d->names[5], "face 6");
    assert_string_equal(d->names[6], "public 1");
    assert_int_equal(ib_dataset_assert(d, &err), IB_OK);
    ib_dataset_builder_free(b);
}

static void another_seed_shows_other_people(void **state)
{
    char a[IB_KEY_SIZE], b[IB_KEY_SIZE];
    struct ib_dataset_builder *x = faces("{" SMALL "}", 1);
    struct ib_dataset_builder *y = faces("{" SMALL "}", 2);
    (void)state;
    hash_split(ib_dataset_view(x), IB_TRAIN, a);
    hash_split(ib_dataset_view(y), IB_TRAIN, b);
    assert_string_not_equal(a, b);
    ib_dataset_builder_free(x);
    ib_dataset_builder_free(y);
}

static void pictures_do_not_depend_on_how_many_are_asked_for(void **state)
{
    struct ib_dataset_builder *x = faces("{'size':32," SMALL "}", 1);
    struct ib_dataset_builder *y =
        faces("{'size':32,'identities':9,'train':5,'holdout':2,"
              "'public_identities':4,'public_images':3}",
              1);
    const struct ib_dataset *a = ib_dataset_view(x), *b = ib_dataset_view(y);
    (void)state;
    /* the second person's first picture; all public ones */
    assert_memory_equal(a->split[IB_TRAIN].pixels + 3 * 1024,
                        b->split[IB_TRAIN].pixels + 5 * 1024, 1024);
    assert_memory_equal(a->split[IB_PUBLIC].pixels, b->split[IB_PUBLIC].pixels,
                        12 * 1024);
    ib_dataset_builder_free(x);
    ib_dataset_builder_free(y);
}

/* --- the renderer ----------------------------------------------------------
 */

enum { SIDE = 48, PLANE = SIDE * SIDE };

static void draw(int person, int picture, struct ib_face *f,
                 struct ib_face_view *v)
{
    struct ib_rng a = ib_rng_stream(7, "test", person, "face");
    struct ib_rng b = ib_rng_stream(7, "test", picture, "view");
    ib_face_draw(&a, f);
    ib_face_view_draw(&b, v);
}

static double distance(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < 3 * PLANE; i++)
        sum += (double)(a[i] - b[i]) * (double)(a[i] - b[i]);
    return sqrt(sum / (3 * PLANE));
}

static void values_stay_in_range_at_every_size(void **state)
{
    static float rgb[3 * 128 * 128];
    struct ib_face f;
    struct ib_face_view v;
    (void)state;
    for (int i = 0; i < 40; i++) {
        int size = 32 + i * 96 / 39;
        draw(i, i, &f, &v);
        ib_face_render(&f, &v, size, rgb);
        for (int k = 0; k < 3 * size * size; k++)
            assert_true(rgb[k] >= 0 && rgb[k] <= 1);
    }
}

static void people_differ_in_the_same_picture(void **state)
{
    static float rgb[12][3 * PLANE];
    struct ib_face f;
    struct ib_face_view v;
    (void)state;
    for (int i = 0; i < 12; i++) {
        draw(i, 0, &f, &v);
        ib_face_render(&f, &v, SIDE, rgb[i]);
        for (int k = 0; k < i; k++)
            assert_true(distance(rgb[i], rgb[k]) > 0.03);
    }
}

static void a_picture_at_twice_the_size_shows_the_same(void **state)
{
    static float small[3 * PLANE], large[12 * PLANE], mean[3 * PLANE];
    struct ib_face f;
    struct ib_face_view v;
    (void)state;
    draw(3, 4, &f, &v);
    ib_face_render(&f, &v, SIDE, small);
    ib_face_render(&f, &v, 2 * SIDE, large);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const float *p = large + c * 4 * PLANE + 4 * y * SIDE + 2 * x;
                mean[c * PLANE + y * SIDE + x] =
                    (p[0] + p[1] + p[2 * SIDE] + p[2 * SIDE + 1]) / 4;
            }
    assert_true(distance(small, mean) < 0.03);
}

/* Where two people in one view give the same value, it is the background:
 * nothing that is drawn there may know who is shown. */
static void the_background_does_not_know_who_is_shown(void **state)
{
    static float who[3 * PLANE], nobody[3 * PLANE];
    struct ib_face f;
    struct ib_face_view v;
    (void)state;
    for (int i = 0; i < 30; i++) {
        draw(i, i, &f, &v);
        ib_face_render(&f, &v, SIDE, who);
        ib_face_render(NULL, &v, SIDE, nobody);
        for (int c = 0; c < 3; c++) {
            assert_true(who[c * PLANE] == nobody[c * PLANE]);
            assert_true(who[c * PLANE + SIDE - 1] ==
                        nobody[c * PLANE + SIDE - 1]);
        }
        assert_true(distance(who, nobody) > 0.03);
    }
}

static void a_view_is_drawn_alike_for_everybody(void **state)
{
    struct ib_face f, g;
    struct ib_face_view v, w;
    (void)state;
    draw(1, 5, &f, &v);
    draw(2, 5, &g, &w);
    assert_memory_equal(&v, &w, sizeof v);
    assert_memory_not_equal(&f, &g, sizeof f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_those_of_version_1),
        cmocka_unit_test(splits_have_the_sizes_asked_for),
        cmocka_unit_test(another_seed_shows_other_people),
        cmocka_unit_test(pictures_do_not_depend_on_how_many_are_asked_for),
        cmocka_unit_test(values_stay_in_range_at_every_size),
        cmocka_unit_test(people_differ_in_the_same_picture),
        cmocka_unit_test(a_picture_at_twice_the_size_shows_the_same),
        cmocka_unit_test(the_background_does_not_know_who_is_shown),
        cmocka_unit_test(a_view_is_drawn_alike_for_everybody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
