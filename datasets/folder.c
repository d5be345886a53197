/*
 * folder: one sub-folder an identity, in it PGM, PPM and PNG pictures.
 *
 * The form of the AT&T (ORL) Database of Faces (Samaria and Harter,
 * "Parameterisation of a stochastic model for human face identification", WACV
 * 1994) and of most face collections since. Identities and pictures stand in
 * natural order (s2 before s10); the seed draws which identities are public
 * and which pictures of a private one are for training and which held out.
 * Private identities come first and are numbered in natural order, then the
 * public ones, all of whose pictures are public. Files whose names end
 * otherwise, and whatever starts with a point, are passed over.
 */
#include <invbench/parts/people.h>
#include <invbench/parts/resize.h>
#include <invbench/rng.h>

#include <string.h>

struct folder_options {
    char path[IB_TEXT_MAX];
    int64_t train, holdout, public_identities, width, height;
    bool grey;
};

#define FIELD(name) .offset = offsetof(struct folder_options, name)
static const struct ib_option options[] = {
    {.name = "path",
     .type = IB_TEXT,
     .value = "",
     FIELD(path),
     .help = "the folder of folders, below the data folder unless absolute"},
    {.name = "train",
     .type = IB_INT,
     .value = "7",
     .min = 1,
     .max = 100000,
     .unit = "images",
     FIELD(train),
     .help = "training images of each private identity"},
    {.name = "holdout",
     .type = IB_INT,
     .value = "3",
     .min = 0,
     .max = 100000,
     .unit = "images",
     FIELD(holdout),
     .help = "held-out images of each private identity"},
    {.name = "public_identities",
     .type = IB_INT,
     .value = "0",
     .min = 0,
     .max = 1000000,
     FIELD(public_identities),
     .help = "identities, drawn by the seed, that are public as a whole"},
    {.name = "width",
     .type = IB_INT,
     .value = "0",
     .min = 0,
     .max = 1024,
     .unit = "pixels",
     FIELD(width),
     .help = "every image is brought to this width; 0 leaves it as found"},
    {.name = "height",
     .type = IB_INT,
     .value = "0",
     .min = 0,
     .max = 1024,
     .unit = "pixels",
     FIELD(height),
     .help = "every image is brought to this height; 0 leaves it as found"},
    {.name = "grey",
     .type = IB_BOOL,
     .value = "false",
     FIELD(grey),
     .help = "colour images are turned to grey (Rec. 601)"},
    {0},
};

struct loader {
    const struct folder_options *o;
    const struct ib_dataset_env *env;
    struct ib_people people;
    struct ib_shape shape; /* of the data set; c = 0 until it is known */
    uint8_t *pixels;       /* one image of that shape */
    double *row;           /* scratch of the resizer */
};

static enum ib_status scan(const struct folder_options *o,
                           const struct ib_dataset_env *env,
                           struct ib_people *out, struct ib_error *err)
{
    if (o->path[0] == '\0')
        return ib_error_set(err, IB_E_USAGE,
                            "option path is empty; it names the folder that "
                            "holds one folder an identity");
    return ib_people_scan(env, o->path, out, err);
}

static enum ib_status files(const void *o, const struct ib_dataset_env *env,
                            ib_file_visit file, void *ctx, struct ib_error *err)
{
    struct ib_people p = {0};
    char path[IB_PATH_SIZE];
    enum ib_status s = scan(o, env, &p, err);
    for (uint32_t i = 0; i < p.n && s == IB_OK; i++)
        for (uint32_t k = 0; k < p.person[i].n && s == IB_OK; k++) {
            s = ib_people_file(&p, i, k, path, err);
            if (s == IB_OK)
                s = file(ctx, path, err);
        }
    return s;
}

/* --- one picture into the data set's shape ------------------------------- */

static enum ib_status set_shape(struct loader *l, struct ib_shape s,
                                struct ib_error *err)
{
    s.w = l->o->width > 0 ? (int)l->o->width : s.w;
    s.h = l->o->height > 0 ? (int)l->o->height : s.h;
    l->shape = s;
    l->pixels = ib_scratch_take(l->env->scratch, ib_shape_size(s), 1);
    l->row = ib_scratch_take(l->env->scratch, (size_t)s.w, sizeof *l->row);
    if (l->pixels == NULL || l->row == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an image");
    return IB_OK;
}

static enum ib_status fit(struct loader *l, const struct ib_picture *p,
                          struct ib_error *err)
{
    struct ib_shape s = l->shape;
    if (ib_shape_equal(p->shape, s)) {
        memcpy(l->pixels, p->pixels, ib_shape_size(s));
        return IB_OK;
    }
    if (p->shape.c != s.c || (l->o->width == 0 && p->shape.w != s.w) ||
        (l->o->height == 0 && p->shape.h != s.h))
        return ib_error_set(err, IB_E_DATA,
                            "%d x %d pixels, %d channels, where the first "
                            "image makes it %d x %d, %d; options width, height "
                            "and grey bring them together",
                            p->shape.w, p->shape.h, p->shape.c, s.w, s.h, s.c);
    ib_picture_resize(p, s, l->row, l->pixels);
    return IB_OK;
}

/* Into l->pixels. */
static enum ib_status read_one(struct loader *l, uint32_t person, uint32_t file,
                               struct ib_error *err)
{
    char path[IB_PATH_SIZE], full[IB_PATH_SIZE];
    struct ib_picture picture = {0};
    enum ib_status s = ib_people_file(&l->people, person, file, path, err);
    if (s == IB_OK)
        s = ib_data_path(l->env, path, full, err);
    if (s == IB_OK)
        s = ib_picture_read(full, &picture, err);
    if (s != IB_OK)
        return s;
    if (l->o->grey)
        ib_picture_grey(&picture);
    if (l->shape.c == 0)
        s = set_shape(l, picture.shape, err);
    if (s == IB_OK)
        s = fit(l, &picture, err);
    if (s != IB_OK)
        ib_error_prefix(err, "%s", full);
    ib_picture_free(&picture);
    return s;
}

/* --- splits ------------------------------------------------------------- */

static enum ib_status check_counts(const struct loader *l, struct ib_error *err)
{
    const struct ib_people *p = &l->people;
    if ((int64_t)p->n < l->o->public_identities + 2)
        return ib_error_set(err, IB_E_DATA,
                            "%s: %u folders with identities; %lld public ones "
                            "and at least 2 private ones are needed",
                            l->o->path, p->n,
                            (long long)l->o->public_identities);
    for (uint32_t i = 0; i < p->n; i++)
        if (p->person[i].n == 0)
            return ib_error_set(err, IB_E_DATA,
                                "%s/%s: no PGM, PPM or PNG picture in it",
                                l->o->path, p->person[i].name);
    return IB_OK;
}

static enum ib_status add_private(struct loader *l, uint32_t person,
                                  int identity, uint32_t *order,
                                  struct ib_dataset_builder *out,
                                  struct ib_error *err)
{
    const struct ib_person *p = &l->people.person[person];
    uint32_t train = (uint32_t)l->o->train, holdout = (uint32_t)l->o->holdout;
    if (p->n < train + holdout)
        return ib_error_set(err, IB_E_DATA,
                            "%s/%s: %u pictures; train and holdout need %u",
                            l->o->path, p->name, p->n, train + holdout);
    /* The stream is of the folder's place, whoever else is private. */
    struct ib_rng rng =
        ib_rng_stream(l->env->seed, "folder", (int64_t)person, "split");
    for (uint32_t i = 0; i < p->n; i++)
        order[i] = i;
    ib_rng_shuffle(&rng, order, p->n);
    enum ib_status s = IB_OK;
    for (uint32_t i = 0; i < train + holdout && s == IB_OK; i++) {
        s = read_one(l, person, order[i], err);
        if (s == IB_OK)
            s = ib_dataset_add(out, i < train ? IB_TRAIN : IB_HOLDOUT, identity,
                               l->pixels, err);
    }
    return s;
}

static enum ib_status add_public(struct loader *l, uint32_t person,
                                 int identity, struct ib_dataset_builder *out,
                                 struct ib_error *err)
{
    enum ib_status s = IB_OK;
    for (uint32_t i = 0; i < l->people.person[person].n && s == IB_OK; i++) {
        s = read_one(l, person, i, err);
        if (s == IB_OK)
            s = ib_dataset_add(out, IB_PUBLIC, identity, l->pixels, err);
    }
    return s;
}

/* is_public[i] = 1 for the identities that the seed draws. */
static void draw_public(const struct loader *l, uint32_t *order,
                        uint8_t *is_public)
{
    struct ib_rng rng = ib_rng_stream(l->env->seed, "folder", -1, "public");
    for (uint32_t i = 0; i < l->people.n; i++)
        order[i] = i;
    ib_rng_shuffle(&rng, order, l->people.n);
    for (uint32_t i = 0; i < (uint32_t)l->o->public_identities; i++)
        is_public[order[i]] = 1;
}

static enum ib_status add_all(struct loader *l, uint32_t *order,
                              const uint8_t *is_public,
                              struct ib_dataset_builder *out,
                              struct ib_error *err)
{
    const struct ib_people *p = &l->people;
    int classes = (int)(p->n - (uint32_t)l->o->public_identities);
    int next[2] = {0, classes};
    enum ib_status s = read_one(l, 0, 0, err);
    if (s == IB_OK)
        s = ib_dataset_begin(out, l->shape, classes, (int)p->n,
                             "terms of the folder's owner", err);
    for (uint32_t i = 0; i < p->n && s == IB_OK; i++) {
        int identity = next[is_public[i]]++;
        s = ib_dataset_name(out, identity, p->person[i].name, err);
        if (s == IB_OK && is_public[i])
            s = add_public(l, i, identity, out, err);
        else if (s == IB_OK)
            s = add_private(l, i, identity, order, out, err);
    }
    return s;
}

static enum ib_status load(const void *o, const struct ib_dataset_env *env,
                           struct ib_dataset_builder *out, struct ib_error *err)
{
    struct loader l = {.o = o, .env = env};
    enum ib_status s = scan(o, env, &l.people, err);
    if (s == IB_OK)
        s = check_counts(&l, err);
    if (s != IB_OK)
        return s;
    uint32_t longest = l.people.n;
    for (uint32_t i = 0; i < l.people.n; i++)
        if (l.people.person[i].n > longest)
            longest = l.people.person[i].n;
    uint32_t *order = ib_scratch_take(env->scratch, longest, sizeof *order);
    uint8_t *is_public = ib_scratch_take(env->scratch, l.people.n, 1);
    if (order == NULL || is_public == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a split");
    draw_public(&l, order, is_public);
    return add_all(&l, order, is_public, out, err);
}

const struct ib_dataset_plugin ib_dataset_folder = {
    .plugin = {.kind = IB_KIND_DATASET,
               .name = "folder",
               .summary = "image folders: one sub-folder an identity, PGM, "
                          "PPM or PNG",
               .citation = "F. Samaria, A. Harter, Parameterisation of a "
                           "stochastic model for human face identification, "
                           "WACV 1994 (the AT&T/ORL faces, of this form)",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct folder_options)},
    .seeded = true,
    .files = files,
    .load = load,
};
