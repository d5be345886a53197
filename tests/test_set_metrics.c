/* Metrics of sets of reconstructions, on points and images made by hand. */
#include "cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <invbench/metric.h>

#include "options_io.h"
#include "toy_images.h"

extern const struct ib_metric ib_metric_frechet, ib_metric_prdc,
    ib_metric_mi_prdc, ib_metric_knowledge_extraction;

enum { F = 2, ROOM = 400 };

/* Points stand for features; K people. */
struct world {
    float real[ROOM * F], fake[ROOM * F];
    int32_t who[ROOM], target[ROOM];
    struct ib_images train, publics;
    struct ib_evaluator_view view;
    struct ib_metric_env env;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    w->train.identity = w->who;
    w->view = (struct ib_evaluator_view){.id = "e",
                                         .classes = 3,
                                         .features = F,
                                         .feature = w->fake,
                                         .private_feature = w->real};
    w->env = (struct ib_metric_env){.shape = {1, 1, 1},
                                    .classes = 3,
                                    .target = w->target,
                                    .train = &w->train,
                                    .publics = &w->publics,
                                    .evaluators = &w->view,
                                    .n_evaluators = 1};
    w->env.scratch = ib_scratch_create((size_t)64 << 20);
    *state = w;
    return 0;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-12))
        fail_msg("%.15g is not %.15g", a, b);
}

static int teardown(void **state)
{
    struct world *w = *state;

    ib_scratch_free(w->env.scratch);
    free(w);
    return 0;
}

static void add(struct world *w, bool real, int32_t class, float x, float y)
{
    size_t i = real ? w->train.n++ : w->env.n++;
    float *to = (real ? w->real : w->fake) + i * F;

    to[0] = x;
    to[1] = y;
    (real ? w->who : w->target)[i] = class;
}

/* json: options; NULL: their defaults. */
static const char *run_with(const struct ib_metric *m, struct world *w,
                            const char *json, double *value)
{
    cJSON *object = json ? cJSON_Parse(json) : NULL;
    struct ib_error err = {0};
    void *options = calloc(1, m->plugin.options_size + 1);
    const char *reason = NULL;

    if (m->plugin.options &&
        ib_options_parse(m->plugin.options, m->plugin.options_size, object,
                         &(struct ib_place){.path = "test"}, options, &err))
        fail_msg("%s", err.text);
    if (m->score(options, &w->env, value, &reason, &err))
        fail_msg("%s", err.text);
    free(options);
    cJSON_Delete(object);
    return reason;
}

static const char *run(const struct ib_metric *m, struct world *w,
                       double *value)
{
    return run_with(m, w, NULL, value);
}

/* --- prdc ------------------------------------------------------------------
 */

/* Seven private points on a line, one apart: their radii (5th neighbour) are
 * 5 4 3 3 3 4 5. 0 lies in the balls of {0, 1, 2}, 0.5 and 1 in those of {0, 1,
 * 2, 3}; the others in none. */
static void prdc_follows_naeem_et_al(void **state)
{
    const float fake[] = {0, 0.5F, 1, 20, 21, 22};
    struct world *w = *state;
    double v[4];

    for (int i = 0; i < 7; i++)
        add(w, true, i % 3, (float)i, 0);
    for (int i = 0; i < 6; i++)
        add(w, false, i % 3, fake[i], 0);
    assert_null(run(&ib_metric_prdc, w, v));
    assert_near(v[0], 3.0 / 6);
    assert_near(v[1], 1);
    assert_near(v[2], 11.0 / (5 * 6));
    assert_near(v[3], 4.0 / 7);
}

static void prdc_of_too_few_is_null(void **state)
{
    struct world *w = *state;
    double v[4];

    for (int i = 0; i < 20; i++)
        add(w, true, 0, (float)i, 0);
    for (int i = 0; i < 5; i++)
        add(w, false, 0, (float)i, 0);
    assert_non_null(run(&ib_metric_prdc, w, v));
    for (int c = 0; c < 4; c++)
        assert_true(isnan(v[c]));
}

static void people_who_are_not_attacked_do_not_count(void **state)
{
    struct world *w = *state;
    double with[4], without[4];

    for (int i = 0; i < 12; i++)
        add(w, true, 0, (float)(i * i), 1);
    for (int i = 0; i < 8; i++)
        add(w, false, 0, (float)(3 * i), 0);
    run(&ib_metric_prdc, w, without);
    for (int i = 0; i < 12; i++)
        add(w, true, 2, (float)(2 * i), 0);
    run(&ib_metric_prdc, w, with);
    assert_memory_equal(with, without, sizeof with);
}

static void private_images_are_taken_evenly(void **state)
{
    struct world *w = *state;
    struct ib_private_rows rows;
    struct ib_error err = {0};

    for (int i = 0; i < 40; i++)
        add(w, true, i % 2, (float)i, 0);
    add(w, false, 1, 0, 0);
    assert_int_equal(ib_private_rows_find(&w->env, 5, &rows, &err), IB_OK);
    assert_int_equal(rows.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(rows.identity[i], 1);
        assert_near((double)rows.feature[i * F], (double)(8 * i + 1));
    }
    assert_int_equal(ib_private_rows_find(&w->env, 500, &rows, &err), IB_OK);
    assert_int_equal(rows.n, 20);
}

/* --- mi-prdc -----------------------------------------------------------------
 */

/* Person 0: five private images and seven reconstructions, worked out by the
 * authors' formulas; person 1: too few reconstructions. */
static void mi_prdc_goes_person_by_person(void **state)
{
    const float real[] = {0, 1, 2, 3, 10};
    const float fake[] = {0.5F, 1.5F, 2.5F, 3.5F, 4.5F, 5.5F, 50};
    struct world *w = *state;
    double v[4 * 9];

    for (int i = 0; i < 5; i++) {
        add(w, true, 0, real[i], 0);
        add(w, true, 1, real[i], 3);
    }
    for (int i = 0; i < 7; i++)
        add(w, false, 0, fake[i], 0);
    add(w, false, 1, 0, 3);
    add(w, false, 1, 1, 3);
    assert_non_null(strstr(run(&ib_metric_mi_prdc, w, v), "k + 1"));
    for (int i = 0; i < 7; i++) {
        assert_near(v[i], 6.0 / 7);
        assert_near(v[9 + i], 0.8);
        assert_near(v[18 + i], 1.4);
        assert_near(v[27 + i], 1);
    }
    for (int c = 0; c < 4; c++)
        assert_true(isnan(v[9 * c + 7]) && isnan(v[9 * c + 8]));
}

/* --- frechet -----------------------------------------------------------------
 */

static void frechet_of_a_shifted_copy_is_the_shift(void **state)
{
    struct world *w = *state;
    struct ib_rng rng = ib_rng_stream(1, "test", -1, "points");
    double v;

    for (int i = 0; i < 200; i++) {
        float x = (float)ib_rng_normal(&rng), y = (float)ib_rng_normal(&rng);

        add(w, true, 0, x, 2 * y);
        add(w, false, 0, x + 3, 2 * y + 4);
    }
    assert_null(run(&ib_metric_frechet, w, &v));
    assert_true(fabs(v - 25) < 1e-4);
    w->env.n = 159;
    assert_non_null(strstr(run(&ib_metric_frechet, w, &v), "160"));
    assert_true(isnan(v));
}

/* --- knowledge extraction
 * ------------------------------------------------------
 */

struct faces {
    struct toy real, fake;
    int32_t target[TOY_MAX];
};

static double student(struct world *w, struct faces *f, int turned)
{
    double v;

    toy_make(&f->real, TOY_MAX, 1);
    toy_make(&f->fake, 40, 2);
    for (int i = 0; i < 40; i++)
        f->target[i] = (f->fake.identity[i] + turned) % TOY_CLASSES;
    w->env.shape = f->real.images.shape;
    w->env.classes = TOY_CLASSES;
    w->env.n = 40;
    w->env.image = f->fake.pixels;
    w->env.target = f->target;
    w->env.train = &f->real.images;
    run_with(&ib_metric_knowledge_extraction, w, "{\"steps\":60,\"shift\":0}",
             &v);
    return v;
}

static void a_student_learns_what_reconstructions_show(void **state)
{
    static struct faces f;
    double right = student(*state, &f, 0);

    assert_true(right > 0.9);
    assert_near(student(*state, &f, 0), right);
    assert_true(student(*state, &f, 1) < 0.1);
}

static void a_student_of_one_person_knows_nothing(void **state)
{
    static struct faces f;
    struct world *w = *state;
    double v;

    student(w, &f, 0);
    memset(f.target, 0, sizeof f.target);
    assert_non_null(run(&ib_metric_knowledge_extraction, w, &v));
    assert_true(isnan(v));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(prdc_follows_naeem_et_al),
        TEST(prdc_of_too_few_is_null),
        TEST(people_who_are_not_attacked_do_not_count),
        TEST(private_images_are_taken_evenly),
        TEST(mi_prdc_goes_person_by_person),
        TEST(frechet_of_a_shifted_copy_is_the_shift),
        TEST(a_student_learns_what_reconstructions_show),
        TEST(a_student_of_one_person_knows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
