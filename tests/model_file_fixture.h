/* A small model file in memory, and ways to spoil it. */
#ifndef TESTS_MODEL_FILE_FIXTURE_H
#define TESTS_MODEL_FILE_FIXTURE_H

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_file.h"
#include "temp_dir.h"

struct file_bytes {
    uint8_t *data; /* malloc: aligned for numbers */
    size_t n;
};

static inline void put_u64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* The hash that belongs to what stands before it. */
static inline void sign(struct file_bytes *f)
{
    struct sha256_ctx ctx;

    if (f->n < IB_MODEL_FILE_HASH)
        return;
    sha256_init(&ctx);
    sha256_update(&ctx, f->n - IB_MODEL_FILE_HASH, f->data);
    sha256_digest(&ctx, IB_MODEL_FILE_HASH,
                  f->data + f->n - IB_MODEL_FILE_HASH);
}

/* A file with this header and as many numbers, all 0, signed. */
static inline struct file_bytes file_of(const char *header, size_t length,
                                        size_t numbers)
{
    size_t at = (IB_MODEL_FILE_FIXED + length + IB_MODEL_FILE_ALIGN - 1) /
                IB_MODEL_FILE_ALIGN * IB_MODEL_FILE_ALIGN;
    struct file_bytes f = {.n = at + numbers * 4 + IB_MODEL_FILE_HASH};

    f.data = calloc(1, f.n);
    if (!f.data)
        abort();
    memcpy(f.data, "\x89IBM\r\n\x1a\n\x01", 9);
    put_u64(f.data + 16, length);
    put_u64(f.data + 24, numbers);
    memcpy(f.data + IB_MODEL_FILE_FIXED, header, length);
    sign(&f);
    return f;
}

static inline struct file_bytes read_bytes(const char *path)
{
    struct ib_text text = {0};
    struct ib_error err;

    if (ib_file_read(path, 1 << 24, &text, &err))
        abort();
    return (struct file_bytes){(uint8_t *)text.data, text.size};
}

/* Writes a model of its own making to a temporary file. json: the plugin;
 * defenses: an array, as in a suite. value: of every parameter; of state, 1
 * more. */
static inline void write_model(const struct ib_registry *r, const char *path,
                               const char *json, const char *defenses,
                               float value)
{
    const struct ib_model_task task = {{1, 2, 3}, 4};
    struct ib_loaded_model m = {0};
    struct ib_stack stack = {0};
    struct ib_error err;
    cJSON *plugin = cJSON_Parse(json), *list = cJSON_Parse(defenses);
    cJSON *spec = cJSON_CreateObject(), *origin = cJSON_CreateObject();

    if (ib_use_parse(r, IB_KIND_MODEL, plugin,
                     &(struct ib_place){.path = "test"}, &m.use, &err) ||
        ib_stack_parse(r, list, "test", &stack, &err) ||
        ib_model_build(&m.use, &stack, &task, 1, &m, &err))
        abort();
    for (size_t i = 0; i < ib_net_parameter_count(m.net); i++)
        ib_net_parameters(m.net)[i] = value;
    for (size_t i = 0; i < ib_net_state_count(m.net); i++)
        ib_net_state(m.net)[i] = value + 1;
    cJSON_AddItemToObject(spec, "plugin", ib_use_spec(r, &m.use));
    cJSON_AddItemToObject(spec, "defenses",
                          ib_stack_spec(r, &stack, IB_STAGE_TRAIN));
    cJSON_AddStringToObject(origin, "key", "none");
    if (ib_model_file_write(path, &m, spec, origin, &err))
        abort();
    cJSON_Delete(plugin);
    cJSON_Delete(list);
    cJSON_Delete(spec);
    cJSON_Delete(origin);
    ib_stack_free(&stack);
    ib_model_close(&m);
}

/* Parses, checks and loads; err tells what came of it. */
static inline enum ib_status try_file(const struct ib_registry *r,
                                      const struct file_bytes *f,
                                      struct ib_error *err)
{
    struct ib_model_file file;
    struct ib_loaded_model m = {0};
    enum ib_status s;

    *err = (struct ib_error){0};
    s = ib_model_file_parse(f->data, f->n, "x.ibm", &file, err);
    if (!s)
        s = ib_model_file_load(&file, r, "x.ibm", 1, &m, err);
    ib_model_close(&m);
    ib_model_file_close(&file);
    return s;
}

#endif
