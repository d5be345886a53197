/*
 * Nets that double an image's sides level by level (decoders, generators), and
 * nets that halve them (encoders, discriminators), for any size of image.
 *
 * Level 0 is the image; level i has sides of ceil(H / 2^i), ceil(W / 2^i) and
 * min(most, channels 2^i) channels. There are as many levels as leave sides of
 * at least 4. `channels` 0: 16 up to sides of 32, then 512 / side, at least 4,
 * so that each level costs about the same.
 */
#ifndef INVBENCH_PARTS_LADDER_H
#define INVBENCH_PARTS_LADDER_H

#include <invbench/ops.h>
#include <invbench/options.h>

struct ib_ladder {
    struct ib_shape image;
    int levels;
    int channels, most;
};
void ib_ladder_init(struct ib_ladder *l, struct ib_shape image,
                    int64_t channels, int64_t most);
int ib_ladder_width(const struct ib_ladder *l, int level);
struct ib_shape ib_ladder_shape(const struct ib_ladder *l, int level);

/* How sides are doubled: nearest pixels and a 3x3 convolution (Odena, Dumoulin,
 * Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016), or a
 * transposed 4x4 convolution of stride 2 (Radford et al., ICLR 2016). */
enum ib_ladder_upsample { IB_UP_NEAREST, IB_UP_TRANSPOSED };
extern const struct ib_choice ib_ladder_upsample_choices[];

/* Member `ladder` of a prior's options struct, and rows for its table. */
struct ib_ladder_options {
    int64_t channels;
    int upsample;
};
#define IB_LADDER_OPTIONS(owner, d_upsample)                                   \
    {.name = "channels",                                                       \
     .type = IB_INT,                                                           \
     .value = "0",                                                             \
     .min = 0,                                                                 \
     .max = 1024,                                                              \
     .offset = offsetof(struct owner, ladder.channels),                        \
     .help = "channels next to the image, twice as many each time that sides " \
             "are halved, at most 128; 0: 16, above 32 pixels 512 / side"},    \
    {                                                                          \
        .name = "upsample", .type = IB_CHOICE, .value = d_upsample,            \
        .choices = ib_ladder_upsample_choices,                                 \
        .offset = offsetof(struct owner, ladder.upsample),                     \
        .help = "how the generator doubles sides"                              \
    }

struct ib_ladder_up {
    int upsample;    /* enum ib_ladder_upsample */
    ib_node classes; /* one-hot rows that condition the norms; IB_NONE: none */
};
/* From a row x: dense, then [batch norm, relu, double, ...] to the image;
 * values in [0, 1] by a sigmoid. Names begin with `name`. */
ib_node ib_ladder_up(struct ib_graph *g, ib_node x, const struct ib_ladder *l,
                     const struct ib_ladder_up *how, const char *name);
/* From the image to a row: [4x4 convolution of stride 2, leaky relu 0.2] for
 * each level. */
ib_node ib_ladder_down(struct ib_graph *g, ib_node x, const struct ib_ladder *l,
                       bool spectral, const char *name);

#endif
