/*
 * Reconstructions as artifacts (stages attack and control).
 *
 * data: uint8, [1 + checkpoints][targets][images][D]: first the final images,
 * then those that stood published when each query checkpoint was passed.
 * meta "recon": {
 *   "targets": [class, ...], "images": R, "shape": [c, h, w],
 *   "checkpoints": [10, 30, 100, ...],   // and half of max_queries;
 *                 // ascending; only those that some slot reached; [] for
 *                 // controls
 *   "reached": [per checkpoint: [per slot: bool]],  // where false, the slot
 *                 ended before; its images there are its final ones
 *   "queries": {"forward": [per slot], "label": [...], "gradient": [...],
 *               "repeated": [...], "denied": [...], "shared": n},
 *   "simulated_seconds": x               // latency and rate limit
 * }
 */
#ifndef INVBENCH_HARNESS_RECON_IO_H
#define INVBENCH_HARNESS_RECON_IO_H

#include "stage.h"

struct ib_recon {
    struct ib_shape shape;
    int targets, images, checkpoints;
    const int32_t *target;      /* targets */
    const uint64_t *checkpoint; /* checkpoints */
    const uint8_t *pixels;      /* as above */
    const cJSON *meta;          /* "recon" */
    struct ib_artifact artifact;
    void *owned;
};
IB_CHECK enum ib_status ib_recon_open(struct ib_store *store, const char *key,
                                      struct ib_recon *out,
                                      struct ib_error *err);
void ib_recon_close(struct ib_recon *r);
struct ib_recon_parts {
    cJSON *recon; /* consumed by ib_recon_put, also when it fails */
    const uint8_t *pixels;
    size_t bytes;
};
IB_CHECK enum ib_status ib_recon_put(struct ib_store *store, const char *key,
                                     const cJSON *spec,
                                     const struct ib_recon_parts *parts,
                                     struct ib_error *err);
/* NPY 1.0, uint8, C order. */
IB_CHECK enum ib_status ib_npy_write(const char *path, int dims,
                                     const size_t *size, const uint8_t *data,
                                     struct ib_error *err);
enum { IB_NPY_DIMS = 8 };
struct ib_npy {
    int dims;
    size_t size[IB_NPY_DIMS], bytes;
    const uint8_t *data; /* into file */
    struct ib_text file;
};
IB_CHECK enum ib_status ib_npy_read(const char *path, struct ib_npy *out,
                                    struct ib_error *err);
void ib_npy_free(struct ib_npy *a);

#endif
