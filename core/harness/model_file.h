/*
 * A model in a file of its own: docs/model-file.md has the format.
 *
 * 0    magic, 8 bytes: 0x89 "IBM" CR LF 0x1A LF
 * 8    version, u32; 12: 0, u32; 16: bytes of the header, u64;
 * 24   how many numbers, u64
 * 32   header, JSON; then zeros up to a multiple of 64
 *      numbers, float32: parameters, then state, each in node order
 *      SHA-256 of all bytes before it, 32 bytes; the end of the file
 * All little-endian.
 */
#ifndef INVBENCH_HARNESS_MODEL_FILE_H
#define INVBENCH_HARNESS_MODEL_FILE_H

#include "model_io.h"

enum {
    IB_MODEL_FILE_VERSION = 1,
    IB_MODEL_FILE_FIXED = 32, /* bytes before the header */
    IB_MODEL_FILE_ALIGN = 64,
    IB_MODEL_FILE_HASH = 32,
    IB_MODEL_FILE_HEADER_MAX = 16 << 20,
};

struct ib_model_file {
    cJSON *header; /* every member checked: model_file_header.c */
    struct ib_model_task task;
    size_t parameters, state;
    const float *numbers; /* parameters, then state */
    size_t bytes;
    char hash[IB_KEY_SIZE];
    void *owned; /* NULL: numbers lie in the caller's bytes */
};

/* spec: what the model was trained by, for "plugin" and "defenses"; origin:
 * what is known of its making, an object. Both are copied. */
IB_CHECK enum ib_status ib_model_file_write(const char *path,
                                            const struct ib_loaded_model *m,
                                            const cJSON *spec,
                                            const cJSON *origin,
                                            struct ib_error *err);
/* Checks everything that can be checked without the plugin. bytes: 4-byte
 * aligned; they must outlive *out. name: for messages. */
IB_CHECK enum ib_status ib_model_file_parse(const void *bytes, size_t n,
                                            const char *name,
                                            struct ib_model_file *out,
                                            struct ib_error *err);
IB_CHECK enum ib_status ib_model_file_read(const char *path,
                                           struct ib_model_file *out,
                                           struct ib_error *err);
void ib_model_file_close(struct ib_model_file *f);

/* The plugin, and the defenses of stage train, that the file names. */
struct ib_model_recipe {
    struct ib_use use;
    struct ib_stack stack;
    bool same_code; /* the very code that trained it */
};
/* Whether this program has them and makes the same net of them. The recipe is
 * the caller's, also on failure. name: for messages. */
IB_CHECK enum ib_status ib_model_file_check(const struct ib_model_file *f,
                                            const struct ib_registry *r,
                                            const char *name,
                                            struct ib_model_recipe *out,
                                            struct ib_error *err);
void ib_model_recipe_free(struct ib_model_recipe *x);
/* Checks, builds and loads it. */
IB_CHECK enum ib_status ib_model_file_load(const struct ib_model_file *f,
                                           const struct ib_registry *r,
                                           const char *name, int max_batch,
                                           struct ib_loaded_model *out,
                                           struct ib_error *err);

/* model_file_header.c: the header of a model, and the way back into *out
 * (header, task, parameters, state; name for messages). NULL: no memory. */
cJSON *ib_model_header_make(const struct ib_loaded_model *m, const cJSON *spec,
                            const cJSON *origin);
IB_CHECK enum ib_status ib_model_header_check(const cJSON *header,
                                              const char *name,
                                              struct ib_model_file *out,
                                              struct ib_error *err);
/* The table of nodes against what the plugin builds. */
IB_CHECK enum ib_status ib_model_header_match(const cJSON *header,
                                              const struct ib_graph *g,
                                              const char *name,
                                              struct ib_error *err);

#endif
