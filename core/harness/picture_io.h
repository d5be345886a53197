/* The two decoders behind ib_picture_read. */
#ifndef INVBENCH_HARNESS_PICTURE_IO_H
#define INVBENCH_HARNESS_PICTURE_IO_H

#include <invbench/images.h>

enum { IB_PICTURE_SIDE_MAX = 8192, IB_PICTURE_PIXELS_MAX = 1 << 24 };

/* Checks the shape against the limits, then takes memory for the pixels. */
IB_CHECK enum ib_status ib_picture_alloc(struct ib_picture *p, int c,
                                         uint64_t w, uint64_t h,
                                         struct ib_error *err);
IB_CHECK enum ib_status ib_picture_decode_pnm(const uint8_t *data, size_t n,
                                              struct ib_picture *out,
                                              struct ib_error *err);
IB_CHECK enum ib_status ib_picture_decode_png(const uint8_t *data, size_t n,
                                              struct ib_picture *out,
                                              struct ib_error *err);

#endif
