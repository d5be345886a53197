/* The sample results in a run directory of the test's own. */
#ifndef INVBENCH_TESTS_REPORT_FIXTURE_H
#define INVBENCH_TESTS_REPORT_FIXTURE_H

#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "json.h"
#include "temp_dir.h"

#define SAMPLE "tests/fixtures/results.json"

static inline cJSON *sample_read(void)
{
    cJSON *results = NULL;
    struct ib_error err = {0};

    if (ib_json_read(SAMPLE, &results, &err) != IB_OK)
        fail_msg("%s", err.text);
    return results;
}

static inline void run_put(const char *dir, const char *name, const void *data,
                           size_t n)
{
    char path[PATH_MAX + 512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void run_put_json(const char *dir, const char *name,
                                const cJSON *v)
{
    struct ib_text t = {0};

    assert_int_equal(ib_json_pretty(v, &t, NULL), IB_OK);
    run_put(dir, name, ib_text_string(&t), t.size);
    ib_text_free(&t);
}

/* A file of the run; freed by the caller. */
static inline struct ib_text run_get(const char *dir, const char *name)
{
    char path[PATH_MAX + 64];
    struct ib_text t = {0};
    struct ib_error err = {0};

    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (ib_file_read(path, 64 << 20, &t, &err) != IB_OK)
        fail_msg("%s", err.text);
    return t;
}

static inline bool run_has(const char *dir, const char *name)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static inline void run_folder(const char *dir, const char *name)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

/* The results with every string that equals from turned into to. */
static inline void json_rename(cJSON *v, const char *from, const char *to)
{
    for (cJSON *c = v->child; c; c = c->next)
        json_rename(c, from, to);
    if (cJSON_IsString(v) && strcmp(v->valuestring, from) == 0)
        cJSON_SetValuestring(v, to);
}

/* Every number below v becomes null. */
static inline void json_empty(cJSON *v)
{
    for (cJSON *c = v->child, *next; c; c = next) {
        next = c->next;
        json_empty(c);
        if (!cJSON_IsNumber(c))
            continue;
        if (c->string) {
            char *key = strdup(c->string);
            cJSON_ReplaceItemInObjectCaseSensitive(v, key, cJSON_CreateNull());
            free(key);
        } else {
            cJSON_ReplaceItemViaPointer(v, c, cJSON_CreateNull());
        }
    }
}

#endif
