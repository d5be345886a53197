/*
 * A data set as bytes. For every split that has images, in order, each part
 * padded with zeros to a multiple of 64:
 *   identity  int32 [n]
 *   sha256    32 bytes [n], of the image's pixels: the split's manifest
 *   pixels    uint8 [n][C][H][W]
 * meta "data": {"shape": [C,H,W], "classes", "identities", "license",
 * "names": [...], "splits": {"train": n, ...}}
 */
#ifndef INVBENCH_HARNESS_DATA_ENCODE_H
#define INVBENCH_HARNESS_DATA_ENCODE_H

#include "data_io.h"

/* *bytes: malloc'd; *meta: the "data" object. Both are the caller's. */
IB_CHECK enum ib_status ib_data_encode(const struct ib_dataset *d, cJSON **meta,
                                       uint8_t **bytes, size_t *size,
                                       struct ib_error *err);
/* Checks every size against the artifact; out->artifact is moved in. */
IB_CHECK enum ib_status ib_data_decode(struct ib_artifact *artifact,
                                       struct ib_open_data *out,
                                       struct ib_error *err);

#endif
