/* Bringing pictures of many kinds to one shape. */
#ifndef INVBENCH_PARTS_RESIZE_H
#define INVBENCH_PARTS_RESIZE_H

#include <invbench/images.h>

/* Rec. 601 luma in place, in fixed point; grey stays as it is. */
void ib_picture_grey(struct ib_picture *p);
/* out: s, with the picture's channels; each value is the mean over the area
 * that it covers, rounded. row: s.w doubles of scratch. */
void ib_picture_resize(const struct ib_picture *p, struct ib_shape s,
                       double *row, uint8_t *out);

#endif
