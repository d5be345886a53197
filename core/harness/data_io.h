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
                                     const char *key,
                                     struct ib_open_data *out,
                                     struct ib_error *err);
void ib_data_close(struct ib_open_data *d);

/* Runs a dataset plugin into memory (preview, tests, stage data). */
struct ib_dataset_builder;
IB_CHECK enum ib_status ib_dataset_build(const struct ib_use *use,
                                         const struct ib_dataset_env *env,
                                         struct ib_dataset_builder **out,
                                         struct ib_error *err);
const struct ib_dataset *ib_dataset_view(const struct ib_dataset_builder *b);
void ib_dataset_builder_free(struct ib_dataset_builder *b);
/* Train, holdout, public and aux share no image; public and private share no
 * identity; no near-duplicates (normalised RMS distance under a stated
 * threshold) between private and public. Names the first offending pair. */
IB_CHECK enum ib_status ib_dataset_assert(const struct ib_dataset *d,
                                          struct ib_error *err);
/* Indices of one identity's images in a split: count, and up to max of them. */
size_t ib_images_of(const struct ib_images *images, int identity,
                    size_t *index, size_t max);

#endif
