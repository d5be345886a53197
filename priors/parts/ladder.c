/* Nets that double or halve an image's sides. */
#include <invbench/parts/ladder.h>

#include <stdio.h>

enum { LEAST_SIDE = 4, LEVELS_MAX = 16 };

/* Of width_for: the most and least channels, and channels times side. */
enum { WIDEST = 16, NARROWEST = 4, SPAN = 512 };

const struct ib_choice ib_ladder_upsample_choices[] = {
    {"nearest", "nearest pixels, then a 3x3 convolution"},
    {"transposed", "a transposed 4x4 convolution of stride 2"},
    {0},
};

static int halved(int side, int times)
{
    for (; times > 0; times--)
        side = (side + 1) / 2;
    return side;
}

static int width_for(int side)
{
    int width = SPAN / side;

    if (width > WIDEST)
        return WIDEST;
    return width < NARROWEST ? NARROWEST : width;
}

void ib_ladder_init(struct ib_ladder *l, struct ib_shape image,
                    int64_t channels, int64_t most)
{
    int side = image.h < image.w ? image.h : image.w;

    if (channels == 0)
        channels = width_for(side);
    *l = (struct ib_ladder){
        .image = image, .channels = (int)channels, .most = (int)most};
    while (l->levels < LEVELS_MAX && halved(side, l->levels + 1) >= LEAST_SIDE)
        l->levels++;
}

int ib_ladder_width(const struct ib_ladder *l, int level)
{
    int64_t width = (int64_t)l->channels << level;

    return width < l->most ? (int)width : l->most;
}

struct ib_shape ib_ladder_shape(const struct ib_ladder *l, int level)
{
    if (level == 0)
        return l->image;
    return (struct ib_shape){ib_ladder_width(l, level),
                             halved(l->image.h, level),
                             halved(l->image.w, level)};
}

/* --- up ------------------------------------------------------------------ */

struct rung {
    struct ib_graph *g;
    const struct ib_ladder *l;
    const struct ib_ladder_up *how;
    const char *name;
    int level;
};

static const char *named(const struct rung *r, const char *what,
                         char out[IB_NAME_MAX])
{
    snprintf(out, IB_NAME_MAX, "%s-%s-%d", r->name, what, r->level);
    return out;
}

static ib_node norm(const struct rung *r, ib_node x)
{
    const struct ib_norm plain = {.groups = 0};
    char name[IB_NAME_MAX];

    named(r, "norm", name);
    x = r->how->classes == IB_NONE ? ib_graph_batchnorm(r->g, x, plain, name)
                                   : ib_graph_conditional_batchnorm(
                                         r->g, x, r->how->classes, plain, name);
    return ib_graph_relu(r->g, x);
}

/* To level r->level from the one above, whose sides it doubles; what is too
 * much at the right and below is cut off. */
static ib_node twice(const struct rung *r, ib_node x)
{
    struct ib_shape want = ib_ladder_shape(r->l, r->level), have;
    char name[IB_NAME_MAX];
    struct ib_conv conv = {.channels = want.c, .kernel = 3, .pad = 1};
    struct ib_deconv deconv = {
        .channels = want.c, .kernel = 4, .stride = 2, .pad = 1};

    named(r, "layer", name);
    if (r->how->upsample == IB_UP_TRANSPOSED) {
        x = ib_graph_deconv2d(r->g, x, deconv, name);
    } else {
        x = ib_graph_upsample(r->g, x, 2);
        x = ib_graph_conv2d(r->g, x, conv, name);
    }
    if (x == IB_NONE)
        return x;
    have = ib_graph_shape(r->g, x);
    if (have.h != want.h || have.w != want.w)
        x = ib_graph_crop(r->g, x, 0, 0, want.h, want.w);
    return x;
}

ib_node ib_ladder_up(struct ib_graph *g, ib_node x, const struct ib_ladder *l,
                     const struct ib_ladder_up *how, const char *name)
{
    struct rung r = {g, l, how, name, l->levels};
    struct ib_shape top = ib_ladder_shape(l, l->levels);
    char dense[IB_NAME_MAX];

    named(&r, "dense", dense);
    x = ib_graph_dense(g, x, (int)ib_shape_size(top), dense);
    x = ib_graph_reshape(g, x, top);
    for (; r.level > 0 && x != IB_NONE;) {
        x = norm(&r, x);
        r.level--;
        x = twice(&r, x);
    }
    return ib_graph_sigmoid(g, x);
}

/* --- down ---------------------------------------------------------------- */

ib_node ib_ladder_down(struct ib_graph *g, ib_node x, const struct ib_ladder *l,
                       bool spectral, const char *name)
{
    struct rung r = {g, l, NULL, name, 1};

    for (; r.level <= l->levels; r.level++) {
        struct ib_shape want = ib_ladder_shape(l, r.level);
        struct ib_conv conv = {.channels = want.c,
                               .kernel = 4,
                               .stride = 2,
                               .pad = 1,
                               .spectral = spectral};
        char layer[IB_NAME_MAX];

        x = ib_graph_conv2d(g, x, conv, named(&r, "layer", layer));
        x = ib_graph_leaky_relu(g, x, 0.2);
    }
    return ib_graph_flatten(g, x);
}
