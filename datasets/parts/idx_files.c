/*
 * Splits from IDX files: see the header.
 */
#include <invbench/parts/idx_files.h>
#include <invbench/rng.h>

#include <stdio.h>

/* One split's files. */
struct part {
    const char *images, *labels;
    int64_t limit;
    enum ib_split split;
    int offset; /* label of identity `first` */
    int first;  /* identity */
    bool transpose;
    struct ib_idx x, y;
    int classes; /* highest label - offset + 1 */
};

static enum ib_status read_one(const struct ib_dataset_env *env,
                               const char *path, int dims, struct ib_idx *out,
                               struct ib_error *err)
{
    char full[IB_PATH_SIZE];
    enum ib_status s = ib_data_path(env, path, full, err);
    if (s == IB_OK)
        s = ib_idx_read(full, out, err);
    if (s == IB_OK && out->dims != dims)
        s = ib_error_set(err, IB_E_DATA,
                         "%s: %d IDX dimensions where %s have %d", full,
                         out->dims, dims == 3 ? "images" : "labels", dims);
    return s;
}

static enum ib_status read_part(const struct ib_dataset_env *env,
                                struct part *p, struct ib_error *err)
{
    enum ib_status s = read_one(env, p->images, 3, &p->x, err);
    if (s == IB_OK)
        s = read_one(env, p->labels, 1, &p->y, err);
    if (s != IB_OK)
        return s;
    if (p->x.size[0] != p->y.size[0])
        return ib_error_set(err, IB_E_DATA,
                            "%s holds %zu images, %s holds %zu labels",
                            p->images, p->x.size[0], p->labels, p->y.size[0]);
    if (p->transpose) {
        size_t h = p->x.size[1];
        p->x.size[1] = p->x.size[2];
        p->x.size[2] = h;
    }
    for (size_t i = 0; i < p->y.size[0]; i++) {
        int label = p->y.data[i] - p->offset;
        if (label < 0)
            return ib_error_set(err, IB_E_DATA,
                                "%s: label %zu is %d; the lowest that is "
                                "allowed is %d",
                                p->labels, i, p->y.data[i], p->offset);
        p->classes = label + 1 > p->classes ? label + 1 : p->classes;
    }
    return IB_OK;
}

/* keep[i] = 1 for `limit` images of each class. */
static enum ib_status choose(const struct part *p, int64_t draw,
                             struct ib_scratch *scratch, uint8_t *keep,
                             struct ib_error *err)
{
    size_t n = p->y.size[0];
    uint32_t *order = ib_scratch_take(scratch, n, sizeof *order);
    if (order == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu labels", n);
    for (int k = 0; k < p->classes; k++) {
        struct ib_rng rng =
            ib_rng_stream((uint64_t)draw, "idx", k, ib_split_names[p->split]);
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (p->y.data[i] - p->offset == k)
                order[m++] = (uint32_t)i;
        ib_rng_shuffle(&rng, order, m);
        for (size_t i = 0; i < m && (p->limit == 0 || i < (size_t)p->limit);
             i++)
            keep[order[i]] = 1;
    }
    return IB_OK;
}

static void transpose(const uint8_t *in, size_t h, size_t w, uint8_t *out)
{
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++)
            out[y * w + x] = in[x * h + y];
}

static enum ib_status add_part(const struct ib_dataset_env *env,
                               const struct part *p, int64_t draw,
                               struct ib_dataset_builder *out,
                               struct ib_error *err)
{
    size_t n = p->x.size[0], h = p->x.size[1], w = p->x.size[2];
    uint8_t *keep = ib_scratch_take(env->scratch, n, 1);
    uint8_t *turned = ib_scratch_take(env->scratch, h * w, 1);
    if (keep == NULL || turned == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu labels", n);
    enum ib_status s = choose(p, draw, env->scratch, keep, err);
    for (size_t i = 0; i < n && s == IB_OK; i++) {
        const uint8_t *image = p->x.data + i * h * w;
        if (!keep[i])
            continue;
        if (p->transpose) {
            transpose(image, h, w, turned);
            image = turned;
        }
        s = ib_dataset_add(out, p->split, p->first + p->y.data[i] - p->offset,
                           image, err);
    }
    return s;
}

static enum ib_status check_part(const struct part *p, const struct part *train,
                                 struct ib_error *err)
{
    if (p->x.size[1] != train->x.size[1] || p->x.size[2] != train->x.size[2])
        return ib_error_set(err, IB_E_DATA,
                            "%s: images of %zu x %zu where %s has %zu x %zu",
                            p->images, p->x.size[2], p->x.size[1],
                            train->images, train->x.size[2], train->x.size[1]);
    if (p->split == IB_HOLDOUT && p->classes > train->classes)
        return ib_error_set(err, IB_E_DATA,
                            "%s: label %d; the training labels end at %d",
                            p->labels, p->classes - 1, train->classes - 1);
    return IB_OK;
}

static enum ib_status name_identities(const struct part *publics, int classes,
                                      struct ib_dataset_builder *out,
                                      struct ib_error *err)
{
    enum ib_status s = IB_OK;
    for (int k = 0; k < publics->classes && s == IB_OK; k++) {
        char name[32];
        snprintf(name, sizeof name, "public %d", k + publics->offset);
        s = ib_dataset_name(out, classes + k, name, err);
    }
    return s;
}

static enum ib_status begin(const struct part *part, int n,
                            struct ib_dataset_builder *out,
                            struct ib_error *err)
{
    const struct part *train = &part[0];
    struct part none = {0};
    const struct part *publics =
        part[n - 1].split == IB_PUBLIC ? &part[n - 1] : &none;
    size_t h = train->x.size[1], w = train->x.size[2];
    struct ib_shape shape = {1, (int)(h & 0x7fffffff), (int)(w & 0x7fffffff)};
    enum ib_status s = IB_OK;
    for (int i = 1; i < n && s == IB_OK; i++)
        s = check_part(&part[i], train, err);
    if (s == IB_OK)
        s = ib_dataset_begin(out, shape, train->classes,
                             train->classes + publics->classes,
                             "terms of the files' owners", err);
    return s == IB_OK ? name_identities(publics, train->classes, out, err) : s;
}

static int list_parts(const struct ib_idx_options *o, struct part part[3])
{
    int n = 0;
    part[n++] = (struct part){.images = o->train_images,
                              .labels = o->train_labels,
                              .limit = o->train_limit,
                              .split = IB_TRAIN};
    if (o->holdout_images[0] != '\0')
        part[n++] = (struct part){.images = o->holdout_images,
                                  .labels = o->holdout_labels,
                                  .limit = o->holdout_limit,
                                  .split = IB_HOLDOUT};
    if (o->public_images[0] != '\0')
        part[n++] = (struct part){.images = o->public_images,
                                  .labels = o->public_labels,
                                  .limit = o->public_limit,
                                  .split = IB_PUBLIC,
                                  .offset = (int)o->public_label_offset,
                                  .transpose = o->transpose_public};
    return n;
}

static enum ib_status check_names(const struct part *p, struct ib_error *err)
{
    if (p->images[0] == '\0' || p->labels[0] == '\0')
        return ib_error_set(err, IB_E_USAGE,
                            "option %s_%s is empty; it names an IDX file",
                            ib_split_names[p->split],
                            p->images[0] == '\0' ? "images" : "labels");
    return IB_OK;
}

enum ib_status ib_idx_dataset_files(const void *o,
                                    const struct ib_dataset_env *env,
                                    ib_file_visit file, void *ctx,
                                    struct ib_error *err)
{
    struct part part[3];
    int n = list_parts(o, part);
    enum ib_status s = IB_OK;
    (void)env;
    for (int i = 0; i < n && s == IB_OK; i++) {
        s = check_names(&part[i], err);
        if (s == IB_OK)
            s = file(ctx, part[i].images, err);
        if (s == IB_OK)
            s = file(ctx, part[i].labels, err);
    }
    return s;
}

enum ib_status ib_idx_dataset_load(const void *options_,
                                   const struct ib_dataset_env *env,
                                   struct ib_dataset_builder *out,
                                   struct ib_error *err)
{
    const struct ib_idx_options *o = options_;
    struct part part[3];
    int n = list_parts(o, part);
    enum ib_status s = IB_OK;
    for (int i = 0; i < n && s == IB_OK; i++) {
        s = check_names(&part[i], err);
        if (s == IB_OK)
            s = read_part(env, &part[i], err);
    }
    if (s == IB_OK)
        s = begin(part, n, out, err);
    for (int i = 0; i < n && s == IB_OK; i++) {
        part[i].first = part[i].split == IB_PUBLIC ? part[0].classes : 0;
        s = add_part(env, &part[i], o->draw, out, err);
    }
    for (int i = 0; i < n; i++) {
        ib_idx_free(&part[i].x);
        ib_idx_free(&part[i].y);
    }
    return s;
}
