/*
 * Augmentation: random changes of images, and their derivative by the image for
 * the very same draw, so that attacks can optimise through them.
 *
 * Take all draws of a batch first, from one stream: they follow the order of
 * rows, however these are cut into batches. A draw then changes its row without
 * a look at others: rows may go in any order and on several threads.
 */
#ifndef INVBENCH_AUGMENT_H
#define INVBENCH_AUGMENT_H

#include <invbench/options.h>
#include <invbench/rng.h>

/* What may happen to an image, in this order; all 0: nothing. */
struct ib_augment {
    bool flip;     /* a mirror image, one time in two */
    int64_t shift; /* by up to so many pixels in each direction; edges repeat */
    int64_t crop;  /* so many pixels of zeros on each side, then a part of the
                      old size (He et al., CVPR 2016, section 4.2) */
    /* A part with this share of the area is stretched over the whole
     * (bilinear): at least zoom, at most zoom_max (0 stands for 1); its aspect
     * ratio is the image's times ratio_min..ratio_max (0 stands for 1),
     * log-uniform (Szegedy et al., CVPR 2015, section 6). */
    double zoom, zoom_max, ratio_min, ratio_max;
    double rotation; /* by up to so many degrees each way about the centre
                        (bilinear, 0 outside) */
    /* Each times a factor in 1 - b .. 1 + b, 0 at least, and clamped to [0, 1]:
     * the image; its distance from its mean grey value; from each pixel's own
     * grey value (of 3 channels alone). As in torchvision. */
    double brightness, contrast, saturation;
    int64_t cutout; /* side of a square of zeros around a random pixel (DeVries,
                       Taylor, 2017) */
    double noise;   /* standard deviation of normal noise */
};

/* One draw. Fields may be set by hand, from ib_draw_identity. */
struct ib_draw {
    bool mirror;
    int shift_y, shift_x;            /* down, right */
    int crop_y, crop_x;              /* the same; what comes in is 0 */
    double top, left, height, width; /* the part that is seen, in pixels */
    double cosine, sine;             /* of the angle, counter-clockwise */
    ib_real brightness, contrast, saturation;     /* factors */
    int cut_top, cut_left, cut_height, cut_width; /* inside the image */
    ib_real noise;
    struct ib_rng rng; /* of the noise: not moved by applying the draw */
};

struct ib_draw ib_draw_identity(struct ib_shape s);
/* draw: n. Draws only what `a` asks for. */
void ib_augment_draw(const struct ib_augment *a, struct ib_shape s,
                     struct ib_rng *rng, size_t n, struct ib_draw *draw);

/* Bytes of `scratch` below: of one row at a time, aligned as ib_real. */
size_t ib_draw_bytes(struct ib_shape s);
/* One row; x and y may be the same array. */
void ib_draw_apply(const struct ib_draw *draw, struct ib_shape s,
                   const ib_real *x, ib_real *y, void *scratch);
/* The same from 8 bits (x / 255). */
void ib_draw_load(const struct ib_draw *draw, struct ib_shape s,
                  const uint8_t *pixels, ib_real *y, void *scratch);
/* dx = J^T dy at the row x; dx and dy may be the same array. Where a value was
 * clamped no gradient passes. */
void ib_draw_vjp(const struct ib_draw *draw, struct ib_shape s,
                 const ib_real *x, const ib_real *dy, ib_real *dx,
                 void *scratch);

/* Rows for a table over `struct tag`; member: its struct ib_augment; d_shift:
 * the default shift. */
#define IB_AUGMENT_OPTIONS(tag, member, d_shift)                               \
    {.name = "flip",                                                           \
     .type = IB_BOOL,                                                          \
     .value = "false",                                                         \
     .offset = offsetof(struct tag, member.flip),                              \
     .help = "augmentation: mirror image, one time in two"},                   \
        {.name = "shift",                                                      \
         .type = IB_INT,                                                       \
         .value = d_shift,                                                     \
         .min = 0,                                                             \
         .max = 64,                                                            \
         .unit = "pixels",                                                     \
         .offset = offsetof(struct tag, member.shift),                         \
         .help = "augmentation: random shift, edges repeated"},                \
        {.name = "crop",                                                       \
         .type = IB_INT,                                                       \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 64,                                                            \
         .unit = "pixels",                                                     \
         .offset = offsetof(struct tag, member.crop),                          \
         .help = "augmentation: zeros around, then a random crop"},            \
        {.name = "zoom",                                                       \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 1,                                                             \
         .offset = offsetof(struct tag, member.zoom),                          \
         .help = "augmentation: a part of at least this share of the area "    \
                 "becomes the whole; 0: off"},                                 \
        {.name = "rotation",                                                   \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 180,                                                           \
         .unit = "degrees",                                                    \
         .offset = offsetof(struct tag, member.rotation),                      \
         .help = "augmentation: random rotation, either way"},                 \
        {.name = "brightness",                                                 \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 1,                                                             \
         .offset = offsetof(struct tag, member.brightness),                    \
         .help = "augmentation: factor of the image, 1 by up to this"},        \
        {.name = "contrast",                                                   \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 1,                                                             \
         .offset = offsetof(struct tag, member.contrast),                      \
         .help = "augmentation: factor about the mean, 1 by up to this"},      \
        {.name = "saturation",                                                 \
         .type = IB_REAL,                                                      \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 1,                                                             \
         .offset = offsetof(struct tag, member.saturation),                    \
         .help = "augmentation: factor about grey, 1 by up to this"},          \
        {.name = "cutout",                                                     \
         .type = IB_INT,                                                       \
         .value = "0",                                                         \
         .min = 0,                                                             \
         .max = 1024,                                                          \
         .unit = "pixels",                                                     \
         .offset = offsetof(struct tag, member.cutout),                        \
         .help = "augmentation: side of a random square of zeros"},            \
    {                                                                          \
        .name = "noise", .type = IB_REAL, .value = "0", .min = 0, .max = 1,    \
        .offset = offsetof(struct tag, member.noise),                          \
        .help = "augmentation: standard deviation of normal noise"             \
    }

#endif
