/*
 * Batches of images for priors that train: shuffled epoch after epoch, without
 * end; and random shifts and mirror images that can also be undone for
 * gradients, so that real and generated rows get the same ones.
 */
#ifndef INVBENCH_PARTS_BATCHES_H
#define INVBENCH_PARTS_BATCHES_H

#include <invbench/checkpoint.h>
#include <invbench/images.h>
#include <invbench/rng.h>

/* Member `images` of a prior's options struct, and rows for its table. */
struct ib_batches_options {
    int64_t batch, shift;
    bool flip;
};
#define IB_BATCHES_OPTIONS(owner, d_batch, d_shift)                            \
    {.name = "batch",                                                          \
     .type = IB_INT,                                                           \
     .value = d_batch,                                                         \
     .min = 2,                                                                 \
     .max = 4096,                                                              \
     .unit = "images",                                                         \
     .offset = offsetof(struct owner, images.batch),                           \
     .help = "rows of a step"},                                                \
        {.name = "shift",                                                      \
         .type = IB_INT,                                                       \
         .value = d_shift,                                                     \
         .min = 0,                                                             \
         .max = 64,                                                            \
         .unit = "pixels",                                                     \
         .offset = offsetof(struct owner, images.shift),                       \
         .help = "augmentation: random shift, edges repeated"},                \
    {                                                                          \
        .name = "flip", .type = IB_BOOL, .value = "false",                     \
        .offset = offsetof(struct owner, images.flip),                         \
        .help = "augmentation: random mirror image"                            \
    }

struct ib_batches {
    const struct ib_images *images; /* at least one */
    struct ib_batches_options options;
    struct ib_rng order_rng, shift_rng;
    uint32_t *order; /* images->n */
    size_t at;       /* in order */
    ib_real *row;    /* of an image */
};
/* images and options are filled in. false: no memory. */
IB_CHECK bool ib_batches_init(struct ib_batches *b, uint64_t seed,
                              struct ib_scratch *scratch);
/* The next n images, x / 255, augmented, to rows `stride` numbers apart; place
 * (n): where they stand in the set. */
void ib_batches_load(struct ib_batches *b, size_t n, size_t stride, ib_real *to,
                     uint32_t *place);
/* For checkpoints: all that moves. Returns how many regions (at most 4). */
int ib_batches_regions(struct ib_batches *b, struct ib_region *r);

/* Identities as classes 0..n-1, in ascending order. */
struct ib_labels {
    size_t n;
    int32_t *identity;
};
enum { IB_LABELS_MAX = 4096 };
IB_CHECK enum ib_status ib_labels_find(struct ib_labels *l,
                                       const struct ib_images *images,
                                       struct ib_scratch *scratch,
                                       struct ib_error *err);
/* The class of an identity that is there. */
size_t ib_labels_at(const struct ib_labels *l, int32_t identity);

/* One row's augmentation: out(y, x) = in(y - dy, x - dx), edges repeated, and
 * then mirrored where flip says so. */
struct ib_shift {
    int dy, dx;
    bool flip;
};
struct ib_shift ib_shift_draw(struct ib_rng *rng,
                              const struct ib_batches_options *o);
void ib_shift_row(struct ib_shift a, struct ib_shape s, const ib_real *in,
                  ib_real *out);
/* d loss / d in from d loss / d out; din is overwritten. */
void ib_shift_back(struct ib_shift a, struct ib_shape s, const ib_real *dout,
                   ib_real *din);

#endif
