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
#include <invbench/images.h>
#include <invbench/rng.h>

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

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

struct person {
    const char *name;
    const char *const *files;
    uint32_t n;
};

struct tree {
    const struct folder_options *o;
    const struct ib_dataset_env *env;
    struct person *person;
    uint32_t n;
    struct ib_shape shape; /* of the data set; c = 0 until it is known */
    uint8_t *pixels;       /* one image of that shape */
};

/* --- what is there ------------------------------------------------------ */

static int is_name(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int is_picture(const struct dirent *e)
{
    const char *dot = strrchr(e->d_name, '.');
    return e->d_name[0] != '.' && dot != NULL &&
           (strcasecmp(dot, ".pgm") == 0 || strcasecmp(dot, ".ppm") == 0 ||
            strcasecmp(dot, ".png") == 0);
}

static enum ib_status join(const char *a, const char *b, char *out,
                           struct ib_error *err)
{
    int n = snprintf(out, IB_PATH_SIZE, "%s/%s", a, b);
    if (n < 0 || n >= IB_PATH_SIZE)
        return ib_error_set(err, IB_E_DATA, "%.100s/%.100s: path too long", a,
                            b);
    return IB_OK;
}

/* Sorted names in the folder `path` (as options give it). */
static enum ib_status names_in(const struct tree *t, const char *path,
                               int (*wanted)(const struct dirent *),
                               const char ***out, uint32_t *n,
                               struct ib_error *err)
{
    char full[IB_PATH_SIZE];
    struct dirent **entry = NULL;
    enum ib_status s = ib_data_path(t->env, path, full, err);
    if (s != IB_OK)
        return s;
    int count = scandir(full, &entry, wanted, versionsort);
    if (count < 0)
        return ib_error_set(err, IB_E_IO, "%s: %s", full, strerror(errno));
    const char **name =
        ib_scratch_take(t->env->scratch, (size_t)count + 1, sizeof *name);
    for (int i = 0; i < count; i++) {
        size_t size = strlen(entry[i]->d_name) + 1;
        char *copy = name ? ib_scratch_take(t->env->scratch, size, 1) : NULL;
        if (copy != NULL)
            name[i] = memcpy(copy, entry[i]->d_name, size);
        else
            s = ib_error_set(err, IB_E_NOMEM, "%s: no memory for %d names",
                             full, count);
        free(entry[i]);
    }
    free(entry);
    *out = name;
    *n = (uint32_t)count;
    return s;
}

static bool is_folder(const struct tree *t, const char *path)
{
    char full[IB_PATH_SIZE];
    struct stat st;
    return ib_data_path(t->env, path, full, NULL) == IB_OK &&
           stat(full, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum ib_status scan(struct tree *t, struct ib_error *err)
{
    const char **name = NULL;
    uint32_t n = 0;
    char path[IB_PATH_SIZE];
    if (t->o->path[0] == '\0')
        return ib_error_set(err, IB_E_USAGE,
                            "option path is empty; it names the folder that "
                            "holds one folder an identity");
    enum ib_status s = names_in(t, t->o->path, is_name, &name, &n, err);
    if (s != IB_OK)
        return s;
    t->person =
        ib_scratch_take(t->env->scratch, (size_t)n + 1, sizeof *t->person);
    if (t->person == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %u names", n);
    for (uint32_t i = 0; i < n && s == IB_OK; i++) {
        struct person p = {.name = name[i]};
        const char **files = NULL;
        s = join(t->o->path, name[i], path, err);
        if (s != IB_OK || !is_folder(t, path))
            continue;
        s = names_in(t, path, is_picture, &files, &p.n, err);
        p.files = files;
        t->person[t->n++] = p;
    }
    return s;
}

static enum ib_status path_of(const struct tree *t, const struct person *p,
                              uint32_t file, char *out, struct ib_error *err)
{
    char folder[IB_PATH_SIZE];
    enum ib_status s = join(t->o->path, p->name, folder, err);
    return s == IB_OK ? join(folder, p->files[file], out, err) : s;
}

static enum ib_status files(const void *o, const struct ib_dataset_env *env,
                            enum ib_status (*file)(void *, const char *,
                                                   struct ib_error *),
                            void *ctx, struct ib_error *err)
{
    struct ib_dataset_env own = *env;
    struct tree t = {.o = o, .env = &own};
    struct ib_scratch *scratch = NULL;
    if (own.scratch == NULL)
        own.scratch = scratch = ib_scratch_create((size_t)1 << 30);
    enum ib_status s = scan(&t, err);
    for (uint32_t i = 0; i < t.n && s == IB_OK; i++)
        for (uint32_t k = 0; k < t.person[i].n && s == IB_OK; k++) {
            char path[IB_PATH_SIZE];
            s = path_of(&t, &t.person[i], k, path, err);
            if (s == IB_OK)
                s = file(ctx, path, err);
        }
    ib_scratch_free(scratch);
    return s;
}

/* --- one picture into the data set's shape ------------------------------- */

static void to_grey(struct ib_picture *p)
{
    size_t n = (size_t)p->shape.h * (size_t)p->shape.w;
    if (p->shape.c == 1)
        return;
    for (size_t i = 0; i < n; i++)
        p->pixels[i] = (uint8_t)((77u * p->pixels[i] + 150u * p->pixels[n + i] +
                                  29u * p->pixels[2 * n + i] + 128u) >>
                                 8);
    p->shape.c = 1;
}

/* Mean of the source over the square that each target pixel covers, along one
 * axis: src has n values `stride` apart. */
static double cover(const uint8_t *src, int n, size_t stride, double from,
                    double to)
{
    double sum = 0;
    for (int i = (int)floor(from); i < n && i < to; i++) {
        double lo = i > from ? i : from, hi = i + 1 < to ? i + 1 : to;
        sum += (hi - lo) * src[(size_t)i * stride];
    }
    return sum / (to - from);
}

static void resample(const struct ib_picture *p, struct ib_shape s,
                     double *line, uint8_t *out)
{
    int h = p->shape.h, w = p->shape.w;
    double sy = (double)h / s.h, sx = (double)w / s.w;
    for (int c = 0; c < s.c; c++) {
        const uint8_t *src = p->pixels + (size_t)c * (size_t)h * (size_t)w;
        for (int y = 0; y < s.h; y++) {
            double top = y * sy, bottom = (y + 1) * sy;
            for (int x = 0; x < s.w; x++)
                line[x] = 0;
            for (int i = (int)floor(top); i < h && i < bottom; i++) {
                double lo = i > top ? i : top;
                double hi = i + 1 < bottom ? i + 1 : bottom;
                for (int x = 0; x < s.w; x++)
                    line[x] += (hi - lo) / sy *
                               cover(src + (size_t)i * (size_t)w, w, 1, x * sx,
                                     (x + 1) * sx);
            }
            for (int x = 0; x < s.w; x++)
                *out++ = (uint8_t)floor(line[x] + 0.5);
        }
    }
}

static enum ib_status set_shape(struct tree *t, struct ib_shape s,
                                struct ib_error *err)
{
    t->shape =
        (struct ib_shape){s.c, t->o->height > 0 ? (int)t->o->height : s.h,
                          t->o->width > 0 ? (int)t->o->width : s.w};
    t->pixels = ib_scratch_take(t->env->scratch, ib_shape_size(t->shape), 1);
    if (t->pixels == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an image");
    return IB_OK;
}

static enum ib_status fit(struct tree *t, const struct ib_picture *p,
                          struct ib_error *err)
{
    struct ib_shape s = t->shape;
    if (ib_shape_equal(p->shape, s)) {
        memcpy(t->pixels, p->pixels, ib_shape_size(s));
        return IB_OK;
    }
    if (p->shape.c != s.c || (t->o->width == 0 && p->shape.w != s.w) ||
        (t->o->height == 0 && p->shape.h != s.h))
        return ib_error_set(err, IB_E_DATA,
                            "%d x %d pixels, %d channels, where the first "
                            "image makes it %d x %d, %d; options width, height "
                            "and grey bring them together",
                            p->shape.w, p->shape.h, p->shape.c, s.w, s.h, s.c);
    size_t mark = ib_scratch_mark(t->env->scratch);
    double *line = ib_scratch_take(t->env->scratch, (size_t)s.w, sizeof *line);
    if (line == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory to resize an image");
    resample(p, s, line, t->pixels);
    ib_scratch_reset(t->env->scratch, mark);
    return IB_OK;
}

static enum ib_status read_one(struct tree *t, const struct person *p,
                               uint32_t file, struct ib_error *err)
{
    char path[IB_PATH_SIZE], full[IB_PATH_SIZE];
    struct ib_picture picture = {0};
    enum ib_status s = path_of(t, p, file, path, err);
    if (s == IB_OK)
        s = ib_data_path(t->env, path, full, err);
    if (s == IB_OK)
        s = ib_picture_read(full, &picture, err);
    if (s != IB_OK)
        return s;
    if (t->o->grey)
        to_grey(&picture);
    if (t->shape.c == 0)
        s = set_shape(t, picture.shape, err);
    if (s == IB_OK)
        s = fit(t, &picture, err);
    if (s != IB_OK)
        ib_error_prefix(err, "%s", full);
    ib_picture_free(&picture);
    return s;
}

/* --- splits ------------------------------------------------------------- */

static enum ib_status check_counts(const struct tree *t, struct ib_error *err)
{
    int64_t need = t->o->train + t->o->holdout;
    if ((int64_t)t->n < t->o->public_identities + 2)
        return ib_error_set(err, IB_E_DATA,
                            "%s: %u folders with identities; %lld public ones "
                            "and at least 2 private ones are needed",
                            t->o->path, t->n,
                            (long long)t->o->public_identities);
    for (uint32_t i = 0; i < t->n; i++)
        if (t->person[i].n == 0)
            return ib_error_set(err, IB_E_DATA,
                                "%s/%s: no PGM, PPM or PNG picture in it",
                                t->o->path, t->person[i].name);
        else if (t->o->public_identities == 0 && t->person[i].n < need)
            return ib_error_set(err, IB_E_DATA,
                                "%s/%s: %u pictures; train and holdout need "
                                "%lld",
                                t->o->path, t->person[i].name, t->person[i].n,
                                (long long)need);
    return IB_OK;
}

static enum ib_status add_private(struct tree *t, const struct person *p,
                                  int identity, uint32_t *order,
                                  struct ib_dataset_builder *out,
                                  struct ib_error *err)
{
    uint32_t train = (uint32_t)t->o->train, holdout = (uint32_t)t->o->holdout;
    if (p->n < train + holdout)
        return ib_error_set(err, IB_E_DATA,
                            "%s/%s: %u pictures; train and holdout need %u",
                            t->o->path, p->name, p->n, train + holdout);
    /* The stream is of the folder's place, whoever else is private. */
    struct ib_rng rng =
        ib_rng_stream(t->env->seed, "folder", p - t->person, "split");
    for (uint32_t i = 0; i < p->n; i++)
        order[i] = i;
    ib_rng_shuffle(&rng, order, p->n);
    enum ib_status s = IB_OK;
    for (uint32_t i = 0; i < train + holdout && s == IB_OK; i++) {
        s = read_one(t, p, order[i], err);
        if (s == IB_OK)
            s = ib_dataset_add(out, i < train ? IB_TRAIN : IB_HOLDOUT, identity,
                               t->pixels, err);
    }
    return s;
}

static enum ib_status add_public(struct tree *t, const struct person *p,
                                 int identity, struct ib_dataset_builder *out,
                                 struct ib_error *err)
{
    enum ib_status s = IB_OK;
    for (uint32_t i = 0; i < p->n && s == IB_OK; i++) {
        s = read_one(t, p, i, err);
        if (s == IB_OK)
            s = ib_dataset_add(out, IB_PUBLIC, identity, t->pixels, err);
    }
    return s;
}

/* is_public[i] = 1 for the identities that the seed draws. */
static void draw_public(const struct tree *t, uint32_t *order,
                        uint8_t *is_public)
{
    struct ib_rng rng = ib_rng_stream(t->env->seed, "folder", -1, "public");
    for (uint32_t i = 0; i < t->n; i++)
        order[i] = i;
    ib_rng_shuffle(&rng, order, t->n);
    for (uint32_t i = 0; i < (uint32_t)t->o->public_identities; i++)
        is_public[order[i]] = 1;
}

static enum ib_status add_all(struct tree *t, uint32_t *order,
                              const uint8_t *is_public,
                              struct ib_dataset_builder *out,
                              struct ib_error *err)
{
    int classes = (int)(t->n - (uint32_t)t->o->public_identities);
    int next[2] = {0, classes};
    enum ib_status s = read_one(t, &t->person[0], 0, err);
    if (s == IB_OK)
        s = ib_dataset_begin(out, t->shape, classes, (int)t->n,
                             "terms of the folder's owner", err);
    for (uint32_t i = 0; i < t->n && s == IB_OK; i++) {
        const struct person *p = &t->person[i];
        int identity = next[is_public[i]]++;
        s = ib_dataset_name(out, identity, p->name, err);
        if (s == IB_OK && is_public[i])
            s = add_public(t, p, identity, out, err);
        else if (s == IB_OK)
            s = add_private(t, p, identity, order, out, err);
    }
    return s;
}

static enum ib_status load(const void *o, const struct ib_dataset_env *env,
                           struct ib_dataset_builder *out, struct ib_error *err)
{
    struct tree t = {.o = o, .env = env};
    uint32_t longest = 0;
    enum ib_status s = scan(&t, err);
    if (s == IB_OK)
        s = check_counts(&t, err);
    if (s != IB_OK)
        return s;
    for (uint32_t i = 0; i < t.n; i++)
        longest = t.person[i].n > longest ? t.person[i].n : longest;
    longest = longest > t.n ? longest : t.n;
    uint32_t *order = ib_scratch_take(env->scratch, longest, sizeof *order);
    uint8_t *is_public = ib_scratch_take(env->scratch, t.n, 1);
    if (order == NULL || is_public == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a split");
    draw_public(&t, order, is_public);
    return add_all(&t, order, is_public, out, err);
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
