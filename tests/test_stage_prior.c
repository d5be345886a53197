/* Priors that learn: fitted once, in the sandbox, from public images alone. */
#include "attack_fixture.h"

#include <invbench/rng.h>

#include "data_io.h"
#include "prior_process.h"

static struct lab lab;

static int open_lab(void **state)
{
    (void)state;
    lab_open(&lab, "tests/plugins/learner.c");
    return 0;
}

static int close_lab(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static enum ib_status fit(const char *prior, char key[IB_KEY_SIZE])
{
    cJSON *spec = json_of("{'kind':'prior','seed':1}");
    enum ib_status s;

    cJSON_AddStringToObject(spec, "data", lab.data);
    cJSON_AddItemToObject(spec, "plugin", lab_use(&lab, IB_KIND_PRIOR, prior));
    assert_int_equal(ib_json_key(spec, key, &lab.err), IB_OK);
    lab.err = (struct ib_error){0};
    s = ib_stage_prior(&lab.env, spec, key, &lab.err);
    cJSON_Delete(spec);
    return s;
}

static enum ib_status act(const char *name)
{
    char prior[80], key[IB_KEY_SIZE];

    snprintf(prior, sizeof(prior), "{'name':'learner','act':'%s'}", name);
    enum ib_status s = fit(prior, key);
    assert_int_equal(ib_store_has(lab.env.store, key), s == IB_OK);
    return s;
}

static double number(const struct ib_artifact *a, const char *name)
{
    const cJSON *v =
        cJSON_GetObjectItem(cJSON_GetObjectItem(a->meta, "numbers"), name);

    assert_true(cJSON_IsNumber(v));
    return v->valuedouble;
}

static void a_fit_is_kept_with_its_numbers(void **state)
{
    char key[IB_KEY_SIZE];
    struct ib_artifact a;

    (void)state;
    assert_int_equal(fit("{'name':'pca','components':2}", key), IB_OK);
    assert_int_equal(ib_store_get(lab.env.store, key, &a, &lab.err), IB_OK);
    assert_int_equal(a.size, 16 + 3 * LAB_SIZE * LAB_SIZE * sizeof(float));
    assert_float_equal(number(&a, "components"), 2, 0);
    assert_int_equal(cJSON_GetObjectItem(a.meta, "images")->valueint, 4);
    assert_int_equal(cJSON_GetObjectItem(a.meta, "held_out")->valueint, 0);
    ib_artifact_free(&a);
}

static void a_prior_from_outside_learns_in_the_sandbox(void **state)
{
    char key[IB_KEY_SIZE], trace[PATH_MAX + 32];
    struct ib_artifact a;

    (void)state;
    if (fit("{'name':'learner'}", key))
        fail_msg("%s", lab.err.text);
    assert_int_equal(ib_store_get(lab.env.store, key, &a, &lab.err), IB_OK);
    assert_float_equal(number(&a, "images"), 4, 0);
    assert_float_equal(number(&a, "opened"), 0, 0);
    ib_artifact_free(&a);
    snprintf(trace, sizeof(trace), "%s.trace", lab.plugin);
    assert_int_not_equal(access(trace, F_OK), 0);
}

static void fits_that_end_badly_say_how(void **state)
{
    (void)state;
    assert_int_equal(act("segv"), IB_E_INTERNAL);
    assert_has(lab.err.text, "crashed: "); /* ASan ends it by itself */
    assert_has(lab.err.text, "the prior");
    assert_int_equal(act("exit"), IB_E_INTERNAL);
    assert_has(lab.err.text, "exit status 0");
    assert_int_equal(act("fail"), IB_E_NUMERIC);
    assert_has(lab.err.text, "prior learner: step 7: no sense");
}

static void results_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_int_equal(act("nothing"), IB_E_INTERNAL);
    assert_has(lab.err.text, "0 bytes");
    assert_int_equal(act("too-much"), IB_E_INTERNAL);
    assert_has(lab.err.text, "allowed");
    assert_int_equal(act("nan-number"), IB_E_NUMERIC);
    assert_has(lab.err.text, "loss is not a finite number");
    assert_int_equal(act("many-numbers"), IB_E_INTERNAL);
    assert_has(lab.err.text, "17 numbers");
    assert_int_equal(act("bad-name"), IB_E_INTERNAL);
    assert_has(lab.err.text, "A name");
    assert_int_equal(act("twice"), IB_E_INTERNAL);
    assert_has(lab.err.text, "images");
}

static void a_prior_that_hides_its_fit_is_refused(void **state)
{
    char path[PATH_MAX + 32];
    struct ib_error err = {0};
    struct ib_registry *r = NULL;

    (void)state;
    snprintf(path, sizeof(path), "%s/hides.so", lab.dir);
    lab_compile_with("tests/plugins/learner.c", path, "-DNOT_FITTED");
    assert_int_equal(ib_registry_create(&r, &err), IB_OK);
    assert_int_equal(
        ib_registry_set_program(r, getenv("INVBENCH_PROGRAM"), &err), IB_OK);
    assert_int_not_equal(ib_registry_load(r, path, IB_LOAD_DESCRIPTOR, &err),
                         IB_OK);
    assert_has(err.text, "fitted is false");
    ib_registry_free(r);
}

/* --- drawing ------------------------------------------------------------- */

static enum ib_status draw(const char *prior, const void *fitted, size_t size,
                           struct ib_prior_result *out)
{
    struct ib_open_data data;
    cJSON *use = lab_use(&lab, IB_KIND_PRIOR, prior);
    enum ib_status s;

    assert_int_equal(ib_data_open(&lab.env, lab.data, &data, &lab.err), IB_OK);
    lab.err = (struct ib_error){0};
    s = ib_prior_run(
        &(struct ib_prior_job){.env = &lab.env,
                               .prior = use,
                               .images = &data.set.split[IB_PUBLIC],
                               .seed = 1,
                               .fitted = fitted,
                               .fitted_size = size,
                               .samples = 70},
        out, &lab.err);
    ib_data_close(&data);
    cJSON_Delete(use);
    return s;
}

static void samples_are_the_same_each_time(void **state)
{
    struct ib_prior_result a, b;

    (void)state;
    assert_int_equal(draw("{'name':'pixels'}", NULL, 0, &a), IB_OK);
    assert_int_equal(draw("{'name':'pixels'}", NULL, 0, &b), IB_OK);
    assert_int_equal(a.size, 70 * LAB_SIZE * LAB_SIZE);
    assert_memory_equal(a.data, b.data, a.size);
    assert_memory_not_equal(a.data, (const char *)a.data + LAB_SIZE * LAB_SIZE,
                            LAB_SIZE * LAB_SIZE);
    ib_prior_result_free(&a);
    ib_prior_result_free(&b);
}

static void draws_that_end_badly_say_how(void **state)
{
    static float mean[LAB_SIZE * LAB_SIZE];
    struct ib_prior_result r;

    (void)state;
    assert_int_equal(draw("{'name':'learner'}", mean, sizeof(mean), &r), IB_OK);
    ib_prior_result_free(&r);
    assert_int_equal(draw("{'name':'learner'}", mean, 100, &r), IB_E_DATA);
    assert_has(lab.err.text, "100 bytes are no mean");
    assert_int_equal(
        draw("{'name':'learner','act':'no-latent'}", mean, sizeof(mean), &r),
        IB_E_INTERNAL);
    assert_has(lab.err.text, "no latent");
    assert_int_equal(
        draw("{'name':'learner','act':'nan-pixel'}", mean, sizeof(mean), &r),
        IB_E_NUMERIC);
    assert_has(lab.err.text, "pixel 5 of sample 0");
    assert_int_equal(
        draw("{'name':'learner','act':'segv-decode'}", mean, sizeof(mean), &r),
        IB_E_INTERNAL);
    assert_has(lab.err.text, "crashed: ");
}

/* --- what is held out ---------------------------------------------------- */

static void a_fifth_is_held_out_or_what_frechet_needs(void **state)
{
    (void)state;
    assert_int_equal(ib_prior_held_out(0), 0);
    assert_int_equal(ib_prior_held_out(4), 0);
    assert_int_equal(ib_prior_held_out(100), 20);
    assert_int_equal(ib_prior_held_out(479), 95);
    assert_int_equal(ib_prior_held_out(480), 160);
    assert_int_equal(ib_prior_held_out(799), 160);
    assert_int_equal(ib_prior_held_out(1000), 200);
}

static void parts_are_disjoint_whole_and_drawn_by_the_seed(void **state)
{
    enum { N = 50 };
    uint8_t x[N];
    int32_t identity[N];
    const struct ib_images images = {
        .shape = {1, 1, 1}, .n = N, .pixels = x, .identity = identity};
    struct ib_public_parts a, b;
    int times[N] = {0};

    (void)state;
    for (int i = 0; i < N; i++) {
        x[i] = (uint8_t)i;
        identity[i] = 100 + i;
    }
    assert_int_equal(ib_public_split(&images, 1, &a, &lab.err), IB_OK);
    assert_int_equal(ib_public_split(&images, 2, &b, &lab.err), IB_OK);
    assert_int_equal(a.seen.n, 40);
    assert_int_equal(a.held.n, 10);
    assert_memory_not_equal(a.held.pixels, b.held.pixels, 10);
    for (size_t i = 0; i < N; i++) {
        const struct ib_images *p = i < 40 ? &a.seen : &a.held;
        size_t at = i < 40 ? i : i - 40;

        assert_int_equal(p->identity[at], 100 + p->pixels[at]);
        if (p == &a.seen)
            assert_int_equal(a.seen_index[at], p->pixels[at]);
        times[p->pixels[at]]++;
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(times[i], 1);
    ib_public_parts_free(&a);
    ib_public_parts_free(&b);
}

/* --- in an attack -------------------------------------------------------- */

static void an_attack_gets_what_its_prior_learnt(void **state)
{
    char key[IB_KEY_SIZE];
    struct ib_recon r;

    (void)state;
    assert_int_equal(fit("{'name':'pca','components':2}", key), IB_OK);
    if (lab_attack_with(&lab, "{'name':'mi-face-blackbox','start':'random'}",
                        "{'name':'pca','components':2}", key,
                        "{'level':'scores','max_queries':20}"))
        fail_msg("%s", lab.err.text);
    lab_recon(&lab, &r);
    assert_true(lab_count(&r, "forward", 0) > 0);
    ib_recon_close(&r);
    assert_int_equal(lab_attack_with(&lab, "{'name':'mi-face-blackbox'}",
                                     "{'name':'pca','components':2}", NULL,
                                     "{'level':'scores','max_queries':20}"),
                     IB_E_DATA);
    assert_has(lab.err.text, "too short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fit_is_kept_with_its_numbers),
        cmocka_unit_test(a_prior_from_outside_learns_in_the_sandbox),
        cmocka_unit_test(fits_that_end_badly_say_how),
        cmocka_unit_test(results_that_cannot_be_are_refused),
        cmocka_unit_test(a_prior_that_hides_its_fit_is_refused),
        cmocka_unit_test(samples_are_the_same_each_time),
        cmocka_unit_test(draws_that_end_badly_say_how),
        cmocka_unit_test(a_fifth_is_held_out_or_what_frechet_needs),
        cmocka_unit_test(parts_are_disjoint_whole_and_drawn_by_the_seed),
        cmocka_unit_test(an_attack_gets_what_its_prior_learnt),
    };

    return cmocka_run_group_tests(tests, open_lab, close_lab);
}
