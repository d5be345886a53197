/* JSON and files for tests of the harness. */
#ifndef INVBENCH_TESTS_HARNESS_FIXTURE_H
#define INVBENCH_TESTS_HARNESS_FIXTURE_H

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "temp_dir.h"

/* Single quotes stand for double ones. */
static inline cJSON *json_of(const char *text)
{
    struct ib_error err = {0};
    char *copy = strdup(text);
    cJSON *v = NULL;

    assert_non_null(copy);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    if (ib_json_parse(copy, strlen(copy), "test", &v, &err) != IB_OK)
        fail_msg("%s", err.text);
    free(copy);
    return v;
}

static inline void assert_json(const cJSON *v, const char *expected)
{
    struct ib_text text = {0};
    struct ib_error err = {0};

    assert_int_equal(ib_json_canonical(v, &text, &err), IB_OK);
    assert_string_equal(ib_text_string(&text), expected);
    ib_text_free(&text);
}

static inline void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static inline void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in: %s", part, text);
}

/* For tests that need a directory: *state is its path. */
static inline int dir_setup(void **state)
{
    *state = malloc(PATH_MAX);
    assert_non_null(*state);
    temp_dir_make(*state);
    return 0;
}

static inline int dir_teardown(void **state)
{
    temp_dir_remove(*state);
    free(*state);
    return 0;
}

#endif
