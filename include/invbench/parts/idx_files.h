/*
 * Data sets of IDX files, the form of MNIST and its family: what idx and the
 * plugins of single families share. The identity of a private image is its
 * label; that of a public one is its label, less an offset, after the private
 * ones. The splits are the files'; limits take so many images of each class,
 * chosen by the option `draw` and not by the run's seed, so that all seeds
 * share one artifact.
 */
#ifndef INVBENCH_PARTS_IDX_FILES_H
#define INVBENCH_PARTS_IDX_FILES_H

#include <invbench/images.h>

struct ib_idx_options {
    char train_images[IB_TEXT_MAX], train_labels[IB_TEXT_MAX];
    char holdout_images[IB_TEXT_MAX], holdout_labels[IB_TEXT_MAX];
    char public_images[IB_TEXT_MAX], public_labels[IB_TEXT_MAX];
    bool transpose_public;
    int64_t public_label_offset, train_limit, holdout_limit, public_limit;
    int64_t draw;
};

#define IB_IDX_FIELD(name) .offset = offsetof(struct ib_idx_options, name)
#define IB_IDX_FILE(name_, file, text)                                         \
    {                                                                          \
        .name = #name_, .type = IB_TEXT, .value = file, IB_IDX_FIELD(name_),   \
        .help = text                                                           \
    }
#define IB_IDX_LIMIT(name_, text)                                              \
    {                                                                          \
        .name = #name_, .type = IB_INT, .value = "0", .min = 0, .max = 1e9,    \
        .unit = "images", IB_IDX_FIELD(name_), .help = text                    \
    }

/* Rows of an options table. f: the default file of train images, train labels,
 * holdout images, holdout labels, public images, public labels, as six
 * arguments; turned, lowest: of the public files. */
#define IB_IDX_OPTIONS(f0, f1, f2, f3, f4, f5, turned, lowest)                 \
    IB_IDX_FILE(train_images, f0,                                              \
                "private images, below the data folder "                       \
                "unless absolute"),                                            \
        IB_IDX_FILE(train_labels, f1, "their labels, from 0"),                 \
        IB_IDX_FILE(holdout_images, f2, "held-out images; empty for none"),    \
        IB_IDX_FILE(holdout_labels, f3, "their labels"),                       \
        IB_IDX_FILE(public_images, f4, "public images; empty for none"),       \
        IB_IDX_FILE(public_labels, f5, "their labels"),                        \
        {.name = "transpose_public",                                           \
         .type = IB_BOOL,                                                      \
         .value = turned,                                                      \
         IB_IDX_FIELD(transpose_public),                                       \
         .help = "public images are stored column by column (EMNIST)"},        \
        {.name = "public_label_offset",                                        \
         .type = IB_INT,                                                       \
         .value = lowest,                                                      \
         .min = 0,                                                             \
         .max = 255,                                                           \
         IB_IDX_FIELD(public_label_offset),                                    \
         .help = "lowest label of the public images (1 for EMNIST letters)"},  \
        IB_IDX_LIMIT(train_limit, "training images of each class; 0 takes "    \
                                  "all"),                                      \
        IB_IDX_LIMIT(holdout_limit, "held-out images of each class; 0 takes "  \
                                    "all"),                                    \
        IB_IDX_LIMIT(public_limit, "public images of each class; 0 takes "     \
                                   "all"),                                     \
    {                                                                          \
        .name = "draw", .type = IB_INT, .value = "0", .min = 0,                \
        .max = 4294967295.0, IB_IDX_FIELD(draw),                               \
        .help = "which images the limits take: the number of a random draw"    \
    }

/* The hooks of the dataset kind, over struct ib_idx_options. */
enum ib_status ib_idx_dataset_files(const void *options,
                                    const struct ib_dataset_env *env,
                                    ib_file_visit file, void *ctx,
                                    struct ib_error *err);
enum ib_status ib_idx_dataset_load(const void *options,
                                   const struct ib_dataset_env *env,
                                   struct ib_dataset_builder *out,
                                   struct ib_error *err);

#endif
