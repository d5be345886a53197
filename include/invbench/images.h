/*
 * Images, data sets, and the dataset plugin kind.
 */
#ifndef INVBENCH_IMAGES_H
#define INVBENCH_IMAGES_H

#include <invbench/plugin.h>

/* A read-only set of 8-bit images, usually a view into a mapped file. */
struct ib_images {
    struct ib_shape shape;
    size_t n;
    const uint8_t *pixels;   /* n x C x H x W */
    const int32_t *identity; /* n; identities are numbered over all splits:
                                0..classes-1 private, then public ones */
};

enum ib_split {
    IB_TRAIN,   /* private: what the target is trained on */
    IB_HOLDOUT, /* other images of the same identities */
    IB_PUBLIC,  /* disjoint identities: what the attacker owns */
    IB_AUX,     /* for attacks that know something of the victim */
    IB_SPLITS,
};
extern const char *const ib_split_names[IB_SPLITS];

struct ib_dataset {
    struct ib_shape shape;
    int classes;                       /* private identities */
    int identities;                    /* private and public ones together */
    struct ib_images split[IB_SPLITS]; /* n = 0 where a split is absent */
    const char *const *names;          /* identities; "s1", "7", ... */
    const char *license;               /* terms of the data, for the report */
};

/* row: D floats in [0, 1] from 8 bits (x / 255). */
void ib_image_to_float(const uint8_t *pixels, size_t d, ib_real *row);
/* Clamps to [0, 1], rounds half to even of x * 255. NaN becomes 0: callers
 * that must not see NaN check before. */
void ib_image_to_bytes(const float *row, size_t d, uint8_t *pixels);

/* --- the dataset kind -------------------------------------------------- */

struct ib_dataset_builder;

struct ib_dataset_env {
    uint64_t seed;        /* draws the split (and the images of synthfaces) */
    const char *data_dir; /* --data DIR or INVBENCH_DATA; NULL if not given */
    struct ib_scratch *scratch;
};

/* Called with a path as ib_data_path takes it. */
typedef enum ib_status (*ib_file_visit)(void *ctx, const char *path,
                                        struct ib_error *err);

struct ib_dataset_plugin {
    struct ib_plugin plugin;
    bool seeded; /* the seed changes images or splits; else it is not keyed */
    /* Optional: calls file() for each file that load() will read, so that
     * their hashes enter the artifact's key. path: as ib_data_path takes it,
     * so that a key does not depend on where the data lie. */
    enum ib_status (*files)(const void *options,
                            const struct ib_dataset_env *env,
                            ib_file_visit file, void *ctx,
                            struct ib_error *err);
    /* Required: adds every image once. */
    enum ib_status (*load)(const void *options,
                           const struct ib_dataset_env *env,
                           struct ib_dataset_builder *out,
                           struct ib_error *err);
};

enum { IB_PATH_SIZE = 4096 };
/* The file that a path option means: below data_dir unless it is absolute. */
IB_CHECK enum ib_status ib_data_path(const struct ib_dataset_env *env,
                                     const char *path, char out[IB_PATH_SIZE],
                                     struct ib_error *err);

/* Call once, before the first image. */
IB_CHECK enum ib_status ib_dataset_begin(struct ib_dataset_builder *b,
                                         struct ib_shape shape, int classes,
                                         int identities, const char *license,
                                         struct ib_error *err);
/* Optional; the default name is the number. The text is copied. */
IB_CHECK enum ib_status ib_dataset_name(struct ib_dataset_builder *b,
                                        int identity, const char *name,
                                        struct ib_error *err);
/* Copies one image of the shape given at begin. */
IB_CHECK enum ib_status ib_dataset_add(struct ib_dataset_builder *b,
                                       enum ib_split split, int identity,
                                       const uint8_t *pixels,
                                       struct ib_error *err);

/* --- readers that loaders share --------------------------------------- */

/* One decoded picture; pixels are owned by it. */
struct ib_picture {
    struct ib_shape shape; /* c = 1 or 3 */
    uint8_t *pixels;       /* planar */
};
/* PGM (P2, P5), PPM (P3, P6), PNG by content, not by name. 16-bit samples are
 * scaled to 8 (x * 255 / maxval, rounded), alpha is refused. At most 8192
 * pixels a side, 2^24 in all. */
IB_CHECK enum ib_status
ib_picture_read(const char *path, struct ib_picture *out, struct ib_error *err);
void ib_picture_free(struct ib_picture *p);

/* An IDX file, plain or gzip: unsigned bytes, 1 to 3 dimensions, at most 4 GiB.
 * Memory grows with the data that is there, not with what the header claims. */
struct ib_idx {
    int dims;
    size_t size[3];
    uint8_t *data;
};
IB_CHECK enum ib_status ib_idx_read(const char *path, struct ib_idx *out,
                                    struct ib_error *err);
void ib_idx_free(struct ib_idx *x);

#endif
