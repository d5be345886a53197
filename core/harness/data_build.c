#include "data_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES_MAX = 1 << 20, PIXELS_MAX = 1 << 26 };
/* A worker's address space is limited; loaders keep little in scratch. */
static const size_t scratch_limit = (size_t)1 << 29;

struct part { /* one split while it grows */
    uint8_t *pixels;
    int32_t *identity;
    size_t n, capacity;
};

struct ib_dataset_builder {
    struct part part[IB_SPLITS];
    struct ib_dataset set;
    char **names;
    char *license;
    bool task_alone; /* begin is as far as it goes */
};

enum ib_status ib_dataset_begin(struct ib_dataset_builder *b,
                                struct ib_shape shape, int classes,
                                int identities, const char *license,
                                struct ib_error *err)
{
    if (b->names != NULL)
        return ib_error_set(err, IB_E_INTERNAL,
                            "the data set was begun a second time");
    size_t d = 0;
    if (shape.c < 1 || shape.h < 1 || shape.w < 1 ||
        !ib_size_mul((size_t)shape.c, (size_t)shape.h, &d) ||
        !ib_size_mul(d, (size_t)shape.w, &d) || d > PIXELS_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "images of %d x %d x %d; 1 to %d values are "
                            "allowed",
                            shape.c, shape.h, shape.w, PIXELS_MAX);
    if (classes < 2 || classes > CLASSES_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "the data set has %d private identities; 2 to %d "
                            "are allowed",
                            classes, CLASSES_MAX);
    if (identities < classes || identities > CLASSES_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "%d identities in all for %d private ones",
                            identities, classes);
    b->names = calloc((size_t)identities, sizeof *b->names);
    b->license = strdup(license != NULL ? license : "");
    if (b->names == NULL || b->license == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a data set");
    b->set = (struct ib_dataset){.shape = shape,
                                 .classes = classes,
                                 .identities = identities,
                                 .license = b->license};
    return b->task_alone ? ib_error_set(err, IB_E_DENIED, "enough is known")
                         : IB_OK;
}

enum ib_status ib_dataset_name(struct ib_dataset_builder *b, int identity,
                               const char *name, struct ib_error *err)
{
    if (b->names == NULL || identity < 0 || identity >= b->set.identities)
        return ib_error_set(err, IB_E_INTERNAL,
                            "identity %d named; the data set has %d", identity,
                            b->set.identities);
    char *copy = strdup(name);
    if (copy == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a name");
    free(b->names[identity]);
    b->names[identity] = copy;
    return IB_OK;
}

static enum ib_status grow(struct part *p, size_t d, struct ib_error *err)
{
    size_t capacity = p->capacity == 0 ? 64 : 2 * p->capacity, bytes = 0;
    uint8_t *pixels = NULL;
    int32_t *identity = NULL;
    if (ib_size_mul(capacity, d, &bytes))
        pixels = realloc(p->pixels, bytes);
    if (pixels != NULL) {
        p->pixels = pixels;
        identity = realloc(p->identity, capacity * sizeof *identity);
    }
    if (identity == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu images",
                            capacity);
    p->identity = identity;
    p->capacity = capacity;
    return IB_OK;
}

static bool allowed(const struct ib_dataset *set, enum ib_split split,
                    int identity)
{
    int first = split == IB_PUBLIC ? set->classes : 0;
    int end = split == IB_TRAIN || split == IB_HOLDOUT ? set->classes
                                                       : set->identities;
    return identity >= first && identity < end;
}

enum ib_status ib_dataset_add(struct ib_dataset_builder *b, enum ib_split split,
                              int identity, const uint8_t *pixels,
                              struct ib_error *err)
{
    if (b->names == NULL || (unsigned)split >= IB_SPLITS)
        return ib_error_set(err, IB_E_INTERNAL,
                            "an image was added before the data set was begun "
                            "or to split %d",
                            (int)split);
    if (!allowed(&b->set, split, identity))
        return ib_error_set(err, IB_E_DATA,
                            "an image of identity %d in split %s; %d of %d "
                            "identities are private",
                            identity, ib_split_names[split], b->set.classes,
                            b->set.identities);
    struct part *p = &b->part[split];
    size_t d = ib_shape_size(b->set.shape);
    if (p->n == p->capacity) {
        enum ib_status s = grow(p, d, err);
        if (s != IB_OK)
            return s;
    }
    memcpy(p->pixels + p->n * d, pixels, d);
    p->identity[p->n++] = identity;
    return IB_OK;
}

static enum ib_status finish(struct ib_dataset_builder *b, struct ib_error *err)
{
    if (b->names == NULL || b->part[IB_TRAIN].n == 0)
        return ib_error_set(err, IB_E_DATA, "the data set has no images");
    for (int i = 0; i < b->set.identities; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        if (b->names[i] == NULL && (b->names[i] = strdup(number)) == NULL)
            return ib_error_set(err, IB_E_NOMEM, "no memory for a name");
    }
    b->set.names = (const char *const *)b->names;
    for (int i = 0; i < IB_SPLITS; i++)
        b->set.split[i] = (struct ib_images){.shape = b->set.shape,
                                             .n = b->part[i].n,
                                             .pixels = b->part[i].pixels,
                                             .identity = b->part[i].identity};
    return IB_OK;
}

static const struct ib_dataset_plugin *plugin_of(const struct ib_use *use)
{
    return (const struct ib_dataset_plugin *)(const void *)use->plugin;
}

static enum ib_status load(const struct ib_use *use,
                           const struct ib_dataset_env *env,
                           struct ib_dataset_builder *b, struct ib_error *err)
{
    struct ib_dataset_env own = *env;
    struct ib_scratch *scratch = NULL;
    enum ib_status s = IB_OK;
    if (own.scratch == NULL)
        own.scratch = scratch = ib_scratch_create(scratch_limit);
    if (own.scratch == NULL)
        s = ib_error_set(err, IB_E_NOMEM, "no memory for a data set");
    else
        s = plugin_of(use)->load(use->options, &own, b, err);
    ib_scratch_free(scratch);
    return s;
}

enum ib_status ib_dataset_task(const struct ib_use *use,
                               const struct ib_dataset_env *env,
                               struct ib_model_task *out, struct ib_error *err)
{
    struct ib_dataset_builder *b = calloc(1, sizeof *b);
    if (b == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a data set");
    b->task_alone = true;
    struct ib_error why = {0};
    enum ib_status s = load(use, env, b, &why);
    if (b->names != NULL && b->set.classes > 0) {
        *out = (struct ib_model_task){b->set.shape, b->set.classes};
        s = IB_OK;
    } else {
        s = ib_error_set(err, s ? s : IB_E_DATA, "%s",
                         s ? why.text : "the data set has no images");
    }
    ib_dataset_builder_free(b);
    return s;
}

enum ib_status ib_dataset_build(const struct ib_use *use,
                                const struct ib_dataset_env *env,
                                struct ib_dataset_builder **out,
                                struct ib_error *err)
{
    struct ib_dataset_builder *b = calloc(1, sizeof *b);
    enum ib_status s = IB_OK;
    if (b == NULL)
        s = ib_error_set(err, IB_E_NOMEM, "no memory for a data set");
    if (s == IB_OK)
        s = load(use, env, b, err);
    if (s == IB_OK)
        s = finish(b, err);
    if (s != IB_OK) {
        ib_dataset_builder_free(b);
        return s;
    }
    *out = b;
    return IB_OK;
}

const struct ib_dataset *ib_dataset_view(const struct ib_dataset_builder *b)
{
    return &b->set;
}

void ib_dataset_builder_free(struct ib_dataset_builder *b)
{
    if (b == NULL)
        return;
    for (int i = 0; i < IB_SPLITS; i++) {
        free(b->part[i].pixels);
        free(b->part[i].identity);
    }
    for (int i = 0; b->names != NULL && i < b->set.identities; i++)
        free(b->names[i]);
    free(b->names);
    free(b->license);
    free(b);
}

size_t ib_images_of(const struct ib_images *images, int identity, size_t *index,
                    size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < images->n; i++) {
        if (images->identity[i] != identity)
            continue;
        if (count < max)
            index[count] = i;
        count++;
    }
    return count;
}

/* --- the files of a data set ------------------------------------------- */

struct file_list {
    const struct ib_dataset_env *env;
    cJSON *object;
};

static enum ib_status hash_file(void *ctx, const char *path,
                                struct ib_error *err)
{
    struct file_list *list = ctx;
    char full[IB_PATH_SIZE], hash[IB_KEY_SIZE];
    if (cJSON_GetObjectItemCaseSensitive(list->object, path) != NULL)
        return IB_OK;
    enum ib_status s = ib_data_path(list->env, path, full, err);
    if (s == IB_OK)
        s = ib_sha256_file(full, hash, err);
    if (s != IB_OK)
        return s;
    if (cJSON_AddStringToObject(list->object, path, hash) == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a list of files");
    return IB_OK;
}

enum ib_status ib_dataset_files(const struct ib_use *use,
                                const struct ib_dataset_env *env, cJSON **out,
                                struct ib_error *err)
{
    struct ib_dataset_env own = *env;
    struct file_list list = {&own, cJSON_CreateObject()};
    struct ib_scratch *scratch = NULL;
    enum ib_status s = IB_OK;
    if (own.scratch == NULL)
        own.scratch = scratch = ib_scratch_create(scratch_limit);
    if (list.object == NULL || own.scratch == NULL)
        s = ib_error_set(err, IB_E_NOMEM, "no memory for a list of files");
    else if (plugin_of(use)->files != NULL)
        s = plugin_of(use)->files(use->options, &own, hash_file, &list, err);
    ib_scratch_free(scratch);
    if (s != IB_OK) {
        cJSON_Delete(list.object);
        return s;
    }
    *out = list.object;
    return IB_OK;
}
