/* Parts of a draw. Every *_vjp overwrites dx with J^T dy; x and y, dx and dy
 * are different arrays unless said otherwise. */
#ifndef INVBENCH_NN_AUGMENT_H
#define INVBENCH_NN_AUGMENT_H

#include <invbench/augment.h>

/* Mirror, shift, crop: each pixel is one of the old image, or 0. */
bool ib_draw_moves(const struct ib_draw *draw);
void ib_draw_move(const struct ib_draw *draw, struct ib_shape s,
                  const ib_real *x, ib_real *y);
void ib_draw_move_vjp(const struct ib_draw *draw, struct ib_shape s,
                      const ib_real *dy, ib_real *dx);

/* Zoom and rotation, in one bilinear pass. */
bool ib_draw_samples(const struct ib_draw *draw, struct ib_shape s);
void ib_draw_sample(const struct ib_draw *draw, struct ib_shape s,
                    const ib_real *x, ib_real *y);
void ib_draw_sample_vjp(const struct ib_draw *draw, struct ib_shape s,
                        const ib_real *dy, ib_real *dx);

/* Brightness, contrast, saturation, in place. gate (D bytes, or NULL): which of
 * the clamps let the gradient of a value pass. */
bool ib_draw_colours(const struct ib_draw *draw);
void ib_draw_colour(const struct ib_draw *draw, struct ib_shape s, ib_real *y,
                    uint8_t *gate);
void ib_draw_colour_vjp(const struct ib_draw *draw, struct ib_shape s,
                        ib_real *g, const uint8_t *gate);

#endif
