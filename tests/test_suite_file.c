/* Suites from files, changed by --set and cut down by --only. */
#include "suite_fixture.h"

/* --- --set and --only, from a file
 * --------------------------------------------- */

static char suite_path[PATH_MAX + 16];

static int file_setup(void **state)
{
    struct ib_error err = {0};
    char text[sizeof base];

    dir_setup(state);
    memcpy(text, base, sizeof base);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    snprintf(suite_path, sizeof suite_path, "%s/s.json", (char *)*state);
    return ib_file_write(suite_path, text, strlen(text), &err) != IB_OK;
}

static const char *refused_file(const char *set, const char *only)
{
    const char *sets[] = {set, NULL}, *onlys[] = {only, NULL};
    struct ib_suite *s = NULL;
    struct ib_error err = {0};

    assert_int_equal(ib_suite_read(registry, suite_path, sets, onlys, &s, &err),
                     IB_E_USAGE);
    snprintf(reason, sizeof reason, "%s", err.text);
    return reason;
}

static struct ib_suite *read_file(const char *const *set,
                                  const char *const *only)
{
    struct ib_suite *s = NULL;
    struct ib_error err = {0};

    if (ib_suite_read(registry, suite_path, set, only, &s, &err) != IB_OK)
        fail_msg("%s", err.text);
    return s;
}

static void set_reaches_members_by_index_and_id(void **state)
{
    (void)state;
    const char *const set[] = {"seeds=[7]", "defenses.0.stack=[\"top-k\"]",
                               "attacks.mi-face.start=\"mean\"",
                               "budget.rate_limit=2.5", NULL};
    struct ib_suite *s = read_file(set, NULL);
    const cJSON *attack =
        cJSON_GetArrayItem(cJSON_GetObjectItem(s->resolved, "attacks"), 0);

    assert_int_equal(s->n_seeds, 1);
    assert_int_equal(s->seeds[0], 7);
    assert_int_equal(s->defenses[0].stack.n, 1);
    assert_true(s->rate_limit == 2.5);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(attack, "start")), "mean");
    ib_suite_free(s);
}

static void a_set_that_leads_nowhere_is_refused(void **state)
{
    (void)state;
    assert_has(refused_file("seeds", NULL), "not of the form path=json");
    assert_has(refused_file("name=mean", NULL), "texts stand in double quotes");
    assert_has(refused_file("attacks.9.start=1", NULL), "no item \"9\"");
    assert_has(refused_file("attacks.mifc.start=1", NULL), "no item \"mifc\"");
    assert_has(refused_file("name.x=1", NULL), "nothing below a plain value");
    assert_has(refused_file("a..b=1", NULL), "empty or very long name");
    assert_has(refused_file("=1", NULL), "empty or very long name");
}

static void only_keeps_what_it_names(void **state)
{
    (void)state;
    const char *const only[] = {
        "model=m/epochs=5", "defense=r",       "attack=nes", "attack=mi-face",
        "seed=2",           "access=whitebox", NULL};
    struct ib_suite *s = read_file(NULL, only);

    assert_int_equal(s->n_models, 1);
    assert_int_equal(s->n_defenses, 2);
    assert_int_equal(s->n_attacks, 1);
    assert_int_equal(s->attacks[0].access, IB_GRANTS(IB_WHITEBOX));
    assert_string_equal(s->attacks[0].models[0], "m/epochs=5");
    assert_null(s->attacks[0].models[1]);
    assert_int_equal(ib_suite_cells(s), 2);
    ib_suite_free(s);
}

static void an_only_that_names_nothing_is_refused(void **state)
{
    (void)state;
    assert_has(refused_file("seeds=[1]", "model=mpl"), "--only model=mpl names "
                                                       "nothing; there are:");
    assert_has(refused_file("seeds=[1]", "seed=9"), "--only seed=9 names");
    assert_has(refused_file("seeds=[1]", "colour=red"), "coordinate=value");
    assert_has(refused_file("seeds=[1]", "access=labels"),
               "--only leaves no cell");
}

static void a_missing_or_damaged_file_is_an_error(void **state)
{
    (void)state;
    struct ib_suite *s = NULL;
    struct ib_error err = {0};

    assert_int_equal(
        ib_suite_read(registry, "/no/such.json", NULL, NULL, &s, &err),
        IB_E_USAGE);
    assert_int_equal(ib_file_write(suite_path, "{", 1, &err), IB_OK);
    assert_int_equal(ib_suite_read(registry, suite_path, NULL, NULL, &s, &err),
                     IB_E_USAGE);
    assert_has(err.text, "s.json:1:2: not JSON");
    assert_int_equal(ib_file_write(suite_path, "[]", 2, &err), IB_OK);
    assert_int_equal(ib_suite_read(registry, suite_path, NULL, NULL, &s, &err),
                     IB_E_USAGE);
    assert_has(err.text, "the suite: not an object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(set_reaches_members_by_index_and_id,
                                        file_setup, dir_teardown),
        cmocka_unit_test_setup_teardown(a_set_that_leads_nowhere_is_refused,
                                        file_setup, dir_teardown),
        cmocka_unit_test_setup_teardown(only_keeps_what_it_names, file_setup,
                                        dir_teardown),
        cmocka_unit_test_setup_teardown(an_only_that_names_nothing_is_refused,
                                        file_setup, dir_teardown),
        cmocka_unit_test_setup_teardown(a_missing_or_damaged_file_is_an_error,
                                        file_setup, dir_teardown),
    };
    return cmocka_run_group_tests(tests, make_registry, free_registry);
}
