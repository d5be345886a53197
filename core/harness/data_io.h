/* Data sets as artifacts: building, encoding, opening, asserting. */
#ifndef INVBENCH_HARNESS_DATA_IO_H
#define INVBENCH_HARNESS_DATA_IO_H

#include "stage.h"

/* A data set opened from the store; views point into the artifact's map. */
struct ib_open_data {
    struct ib_dataset set;
    struct ib_artifact artifact;
    void *owned;
};
IB_CHECK enum ib_status ib_data_open(const struct ib_stage_env *env,
                                     const char *key, struct ib_open_data *out,
                                     struct ib_error *err);
void ib_data_close(struct ib_open_data *d);
/* SHA-256 of who is shown and of the hashes of all images, split by split. */
void ib_data_manifest(const struct ib_open_data *d, char key[IB_KEY_SIZE]);

/* Runs a dataset plugin into memory (preview, tests, stage data). */
struct ib_dataset_builder;
IB_CHECK enum ib_status ib_dataset_build(const struct ib_use *use,
                                         const struct ib_dataset_env *env,
                                         struct ib_dataset_builder **out,
                                         struct ib_error *err);
/* Shape and classes alone: the loader is stopped before its first image. */
IB_CHECK enum ib_status ib_dataset_task(const struct ib_use *use,
                                        const struct ib_dataset_env *env,
                                        struct ib_model_task *out,
                                        struct ib_error *err);
const struct ib_dataset *ib_dataset_view(const struct ib_dataset_builder *b);
void ib_dataset_builder_free(struct ib_dataset_builder *b);
/* The files that a dataset reads and their SHA-256: {path: hash}, paths as the
 * plugin gives them (relative to data_dir, or absolute); {} for a generator.
 * *out is owned by the caller. */
IB_CHECK enum ib_status ib_dataset_files(const struct ib_use *use,
                                         const struct ib_dataset_env *env,
                                         cJSON **out, struct ib_error *err);

/* Two images are near-duplicates when, each shifted to mean 0 and scaled to
 * norm 1, their distance is below this (a correlation above 0.995). */
#define IB_NEAR_DUPLICATE 0.1
/* Train, holdout, public and aux share no image; public and private share no
 * identity; every class has a training image; no near-duplicates between
 * private and public. Names the first offending pair. */
IB_CHECK enum ib_status ib_dataset_assert(const struct ib_dataset *d,
                                          struct ib_error *err);
/* Indices of one identity's images in a split: count, and up to max of them. */
size_t ib_images_of(const struct ib_images *images, int identity, size_t *index,
                    size_t max);

#endif
