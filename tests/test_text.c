#include "harness_fixture.h"
#include "text.h"

static void text_grows_and_keeps_what_was_added(void **state)
{
    (void)state;
    struct ib_text t = {0};

    for (int i = 0; i < 1000; i++)
        ib_text_add(&t, "%d,", i);
    assert_int_equal(t.size, 10 * 2 + 90 * 3 + 900 * 4);
    assert_memory_equal(ib_text_string(&t), "0,1,2,3,", 8);
    assert_string_equal(t.data + t.size - 4, "999,");
    ib_text_free(&t);
}

static void an_empty_text_is_an_empty_string(void **state)
{
    (void)state;
    struct ib_text t = {0};

    assert_string_equal(ib_text_string(&t), "");
    ib_text_put(&t, "a\0b", 3);
    assert_int_equal(t.size, 3);
    ib_text_clear(&t);
    assert_string_equal(ib_text_string(&t), "");
    ib_text_free(&t);
}

static void an_impossible_size_sticks_as_no_memory(void **state)
{
    (void)state;
    struct ib_text t = {0};
    struct ib_error err = {0};

    ib_text_add(&t, "kept");
    ib_text_put(&t, "x", SIZE_MAX - 2);
    ib_text_add(&t, "lost");
    assert_int_equal(ib_text_status(&t, &err), IB_E_NOMEM);
    assert_string_equal(ib_text_string(&t), "kept");
    ib_text_free(&t);
}

static void nearest_finds_slips_of_the_keyboard(void **state)
{
    (void)state;
    const char *const list[] = {"attacks", "models", "seeds", "access", NULL};

    assert_string_equal(ib_text_nearest("atacks", list), "attacks");
    assert_string_equal(ib_text_nearest("acecss", list), "access");
    assert_string_equal(ib_text_nearest("model", list), "models");
    assert_string_equal(ib_text_nearest("seesd", list), "seeds");
}

static void nearest_is_silent_when_nothing_is_near(void **state)
{
    (void)state;
    const char *const list[] = {"attacks", "k", NULL};
    char huge[500];

    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(ib_text_nearest("zebra", list));
    assert_null(ib_text_nearest("x", list));
    assert_null(ib_text_nearest(huge, list));
    assert_null(ib_text_nearest("attacks", list + 2));
}

static void suggest_names_the_nearest_and_all(void **state)
{
    (void)state;
    const char *const list[] = {"mean", "black", NULL};
    struct ib_text t = {0};

    ib_text_suggest(&t, "meen", list);
    assert_string_equal(ib_text_string(&t),
                        " (did you mean \"mean\"?); there are: mean, black");
    ib_text_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_keeps_what_was_added),
        cmocka_unit_test(an_empty_text_is_an_empty_string),
        cmocka_unit_test(an_impossible_size_sticks_as_no_memory),
        cmocka_unit_test(nearest_finds_slips_of_the_keyboard),
        cmocka_unit_test(nearest_is_silent_when_nothing_is_near),
        cmocka_unit_test(suggest_names_the_nearest_and_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
