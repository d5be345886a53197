/*
 * synthfaces: procedural faces, the embedded default.
 *
 * invbench's own; nobody's privacy, nothing to download. An identity is a draw
 * of some fifty numbers (geometry, colours, hair, beard, glasses; see
 * invbench/parts/face.h), a picture a draw of pose, expression, light,
 * background, clothes and noise that does not know who is shown. The seed
 * draws both. Public identities come from the same law and do not depend on
 * how many private ones there are. Grey is Rec. 601 luma of the same picture.
 */
#include <invbench/images.h>
#include <invbench/math.h>
#include <invbench/parts/face.h>

#include <math.h>
#include <stdio.h>

struct synth_options {
    int64_t size, identities, train, holdout, public_identities, public_images;
    bool rgb;
};

#define FIELD(name) .offset = offsetof(struct synth_options, name)
static const struct ib_option options[] = {
    {.name = "size",
     .type = IB_INT,
     .value = "64",
     .min = 32,
     .max = 128,
     .unit = "pixels",
     FIELD(size),
     .help = "width and height"},
    {.name = "rgb",
     .type = IB_BOOL,
     .value = "false",
     FIELD(rgb),
     .help = "colour pictures"},
    {.name = "identities",
     .type = IB_INT,
     .value = "50",
     .min = 2,
     .max = 100000,
     FIELD(identities),
     .help = "private identities"},
    {.name = "train",
     .type = IB_INT,
     .value = "20",
     .min = 1,
     .max = 10000,
     .unit = "images",
     FIELD(train),
     .help = "training images of each private identity"},
    {.name = "holdout",
     .type = IB_INT,
     .value = "10",
     .min = 0,
     .max = 10000,
     .unit = "images",
     FIELD(holdout),
     .help = "held-out images of each private identity"},
    {.name = "public_identities",
     .type = IB_INT,
     .value = "25",
     .min = 0,
     .max = 100000,
     FIELD(public_identities),
     .help = "identities of the public split"},
    {.name = "public_images",
     .type = IB_INT,
     .value = "20",
     .min = 1,
     .max = 10000,
     .unit = "images",
     FIELD(public_images),
     .help = "images of each public identity"},
    {0},
};

struct maker {
    const struct synth_options *o;
    const struct ib_dataset_env *env;
    struct ib_dataset_builder *out;
    struct ib_shape shape;
    size_t plane;
    float *rgb, *noise;
    uint8_t *pixels;
};

static void to_grey(float *rgb, size_t plane)
{
    for (size_t i = 0; i < plane; i++)
        rgb[i] = 0.299f * rgb[i] + 0.587f * rgb[plane + i] +
                 0.114f * rgb[2 * plane + i];
}

static void make_image(struct maker *m, const struct ib_face *face,
                       struct ib_rng *rng)
{
    struct ib_face_view view;
    size_t d = ib_shape_size(m->shape);
    ib_face_view_draw(rng, &view);
    ib_face_render(face, &view, (int)m->o->size, m->rgb);
    if (!m->o->rgb)
        to_grey(m->rgb, m->plane);
    ib_rng_fill_normal(rng, m->noise, d, view.noise);
    for (size_t i = 0; i < d; i++)
        m->rgb[i] += m->noise[i];
    ib_image_to_bytes(m->rgb, d, m->pixels);
}

/* number: of the person among the private or the public ones. */
static enum ib_status add_person(struct maker *m, bool is_public,
                                 int64_t number, struct ib_error *err)
{
    const char *group = is_public ? "public" : "private";
    int identity = (int)(number + (is_public ? m->o->identities : 0));
    int64_t first = is_public ? m->o->public_images : m->o->train;
    int64_t images = first + (is_public ? 0 : m->o->holdout);
    struct ib_face face;
    char name[64];
    struct ib_rng rng =
        ib_rng_stream(m->env->seed, "synthfaces", number, group);
    ib_face_draw(&rng, &face);
    snprintf(name, sizeof name, "%s %lld", is_public ? "public" : "face",
             (long long)number + 1);
    enum ib_status s = ib_dataset_name(m->out, identity, name, err);
    for (int64_t i = 0; i < images && s == IB_OK; i++) {
        bool held = i >= first;
        snprintf(name, sizeof name, "%s %s %lld", group,
                 held ? "holdout" : "train", (long long)(held ? i - first : i));
        rng = ib_rng_stream(m->env->seed, "synthfaces", number, name);
        make_image(m, &face, &rng);
        s = ib_dataset_add(m->out,
                           is_public ? IB_PUBLIC
                           : held    ? IB_HOLDOUT
                                     : IB_TRAIN,
                           identity, m->pixels, err);
    }
    return s;
}

static enum ib_status load(const void *o, const struct ib_dataset_env *env,
                           struct ib_dataset_builder *out, struct ib_error *err)
{
    struct maker m = {.o = o, .env = env, .out = out};
    int size = (int)m.o->size;
    m.shape = (struct ib_shape){m.o->rgb ? 3 : 1, size, size};
    m.plane = (size_t)size * (size_t)size;
    m.rgb = ib_scratch_take(env->scratch, 3 * m.plane, sizeof *m.rgb);
    m.noise = ib_scratch_take(env->scratch, 3 * m.plane, sizeof *m.noise);
    m.pixels = ib_scratch_take(env->scratch, 3 * m.plane, 1);
    if (m.rgb == NULL || m.noise == NULL || m.pixels == NULL)
        return ib_error_set(err, IB_E_NOMEM, "no memory for an image");
    enum ib_status s =
        ib_dataset_begin(out, m.shape, (int)m.o->identities,
                         (int)(m.o->identities + m.o->public_identities),
                         "generated; free of rights", err);
    for (int64_t i = 0; i < m.o->identities && s == IB_OK; i++)
        s = add_person(&m, false, i, err);
    for (int64_t i = 0; i < m.o->public_identities && s == IB_OK; i++)
        s = add_person(&m, true, i, err);
    return s;
}

const struct ib_dataset_plugin ib_dataset_synthfaces = {
    .plugin = {.kind = IB_KIND_DATASET,
               .name = "synthfaces",
               .summary = "procedural faces, grey or RGB, of any number of "
                          "people",
               .citation = "invbench",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct synth_options)},
    .seeded = true,
    .load = load,
};
