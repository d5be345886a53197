/* Files and data sets for the tests of what reads them. */
#ifndef INVBENCH_TESTS_DATA_FIXTURE_H
#define INVBENCH_TESTS_DATA_FIXTURE_H

#include "harness_fixture.h"

#include <sys/stat.h>

#include "data_io.h"
#include "options_io.h"

extern const struct ib_dataset_plugin ib_dataset_folder;
extern const struct ib_dataset_plugin ib_dataset_idx;
extern const struct ib_dataset_plugin ib_dataset_synthfaces;

static inline const char *path_in(const char *dir, const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static inline void put_file(const char *dir, const char *name, const void *data,
                            size_t n)
{
    FILE *f = fopen(path_in(dir, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline void put_folder(const char *dir, const char *name)
{
    assert_int_equal(mkdir(path_in(dir, name), 0700), 0);
}

/* A raw PGM of w x h whose pixels follow from `seed`. */
static inline void put_pgm(const char *dir, const char *name, int w, int h,
                           uint32_t seed)
{
    char data[4096];
    int n = snprintf(data, sizeof data, "P5\n%d %d\n255\n", w, h);
    assert_true(n + w * h < (int)sizeof data);
    for (int i = 0; i < w * h; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[n + i] = (char)(seed >> 24);
    }
    put_file(dir, name, data, (size_t)(n + w * h));
}

/* An IDX file of unsigned bytes; data NULL: header alone. */
static inline void put_idx(const char *dir, const char *name, int dims,
                           const uint32_t *size, const uint8_t *data)
{
    uint8_t out[16384] = {0, 0, 8, (uint8_t)dims};
    size_t n = 4, total = 1;
    for (int i = 0; i < dims; i++, n += 4) {
        for (int k = 0; k < 4; k++)
            out[n + (size_t)k] = (uint8_t)(size[i] >> (24 - 8 * k));
        total *= size[i];
    }
    if (data != NULL) {
        assert_true(n + total <= sizeof out);
        memcpy(out + n, data, total);
        n += total;
    }
    put_file(dir, name, out, n);
}

/* Options from JSON with single quotes. *options is to be freed. */
static inline struct ib_use use_of(const struct ib_dataset_plugin *plugin,
                                   const char *json)
{
    struct ib_error err = {0};
    struct ib_use use = {.plugin = &plugin->plugin};
    cJSON *object = json_of(json);
    use.options = calloc(1, plugin->plugin.options_size);
    assert_non_null(use.options);
    if (ib_options_parse(plugin->plugin.options, plugin->plugin.options_size,
                         object, &(struct ib_place){.path = "test"},
                         use.options, &err) != IB_OK)
        fail_msg("%s", err.text);
    cJSON_Delete(object);
    return use;
}

static inline enum ib_status
build(const struct ib_dataset_plugin *plugin, const char *json, const char *dir,
      uint64_t seed, struct ib_dataset_builder **out, struct ib_error *err)
{
    struct ib_dataset_env env = {.seed = seed, .data_dir = dir};
    struct ib_use use = use_of(plugin, json);
    enum ib_status s = ib_dataset_build(&use, &env, out, err);
    free(use.options);
    return s;
}

static inline struct ib_dataset_builder *
must_build(const struct ib_dataset_plugin *plugin, const char *json,
           const char *dir, uint64_t seed)
{
    struct ib_dataset_builder *b = NULL;
    struct ib_error err = {0};
    if (build(plugin, json, dir, seed, &b, &err) != IB_OK)
        fail_msg("%s", err.text);
    return b;
}

static inline void refuses(const struct ib_dataset_plugin *plugin,
                           const char *json, const char *dir,
                           enum ib_status status, const char *part)
{
    struct ib_dataset_builder *b = NULL;
    struct ib_error err = {0};
    assert_int_equal(build(plugin, json, dir, 1, &b, &err), status);
    assert_null(b);
    assert_has(err.text, part);
}

#endif
