/* A run directory whose report is made, and what its page says. */
#ifndef INVBENCH_TESTS_REPORT_RUN_H
#define INVBENCH_TESTS_REPORT_RUN_H

#include "report_fixture.h"

#include "report.h"

struct run {
    char dir[PATH_MAX];
    cJSON *results;
    char *path; /* PATH as it was */
};

static inline int open_run(void **state)
{
    struct run *r = calloc(1, sizeof *r);
    const char *path = getenv("PATH");

    temp_dir_make(r->dir);
    r->results = sample_read();
    r->path = strdup(path ? path : "/usr/bin:/bin");
    *state = r;
    return 0;
}

static inline int close_run(void **state)
{
    struct run *r = *state;

    setenv("PATH", r->path, 1);
    temp_dir_remove(r->dir);
    cJSON_Delete(r->results);
    free(r->path);
    free(r);
    return 0;
}

/* So that what is not about plots does not wait for them. */
static inline void hide_gnuplot(void)
{
    setenv("PATH", "/nonexistent", 1);
}

static inline struct ib_text make_page(struct run *r)
{
    struct ib_error err = {0};

    run_put_json(r->dir, "results.json", r->results);
    if (ib_report_make(r->dir, &err) != IB_OK)
        fail_msg("%s", err.text);
    return run_get(r->dir, "report.html");
}

static inline void assert_says(const struct ib_text *page, const char *words)
{
    if (!strstr(ib_text_string(page), words))
        fail_msg("the page does not say: %s", words);
}

static inline void assert_silent(const struct ib_text *page, const char *words)
{
    if (strstr(ib_text_string(page), words))
        fail_msg("the page says: %s", words);
}

static inline cJSON *summary_of(struct run *r, const char *member)
{
    cJSON *s = cJSON_GetObjectItem(r->results, "summary");

    return cJSON_GetObjectItem(s, member);
}

#define RUN(name) cmocka_unit_test_setup_teardown(name, open_run, close_run)

#endif
