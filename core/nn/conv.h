/*
 * The linear map behind conv2d and its transpose. It ties a large image (C x H
 * x W) to a small one (M x OH x OW) by the weights W[M][C / groups][k][k]:
 *
 *   down:  small[m][oy][ox] = sum W[m][c][ky][kx]
 *                             large[c][oy * stride + ky - pad][.. x ..]
 *   up:    its transpose, from small to large
 *   outer: d loss / dW, given one side's value and the other side's gradient
 *
 * conv2d goes forward by down and back by up; deconv2d the other way round.
 *
 * A pass (down or up) copies images into frames with a margin of zeros, so that
 * every product finds its number at spot + tap, two lists of offsets that the
 * kernels walk (kernel.h). Going up with a stride s, the pixels fall into s * s
 * phases that see different taps: each has lists of its own, is computed apart,
 * and the phases are woven into the image. Where that is cheaper (few outputs,
 * or images smaller than the kernel), a pass spreads: it multiplies every pixel
 * of its input with every tap of every output channel, and then adds the
 * products to where they belong.
 */
#ifndef INVBENCH_NN_CONV_H
#define INVBENCH_NN_CONV_H

#include <invbench/base.h>

struct ib_conv_map {
    struct ib_shape large, small;
    int groups, kernel, stride, pad;
};

/* Down or up. Channels are those of one group. */
struct ib_conv_pass {
    struct ib_conv_map map;
    bool up;
    bool thin;   /* by ib_thin (outer: ib_dot); else by ib_wide */
    bool folded; /* `out` has a channel for every tap of every channel */
    bool spread; /* folded, and those are still to be added */
    bool direct; /* no margins: the frames are the images themselves */
    struct ib_shape in, out; /* what the kernels read and write */
    int groups;
    int kernel;      /* its side, as the kernels see it */
    int read, write; /* steps from pixel to pixel: in a frame, in the output */
    int h, w;        /* of a frame */
    int top, left;   /* margins of a frame before the image */
    size_t plane, frame; /* numbers: one channel's frame, one image's frames */
    size_t taps, spots;  /* of all phases together; spots: of one image */
    size_t images;       /* how many at once */
    size_t packed;       /* numbers of packed weights */
};

struct ib_conv_pass ib_conv_down(const struct ib_conv_map *map);
struct ib_conv_pass ib_conv_up(const struct ib_conv_map *map);
/* For the gradient of the weights: down, walked over in the other order. */
struct ib_conv_pass ib_conv_outer_pass(const struct ib_conv_map *map);

/* Numbers that a pass leaves in the node's shared memory: its lists, its
 * weights in the kernels' order, its biases. */
size_t ib_conv_shared(const struct ib_conv_pass *p);
/* Fills them. b: one a channel of the output; NULL: zeros. w NULL: the lists
 * alone. */
void ib_conv_prepare(const struct ib_conv_pass *p, const ib_real *w,
                     const ib_real *b, ib_real *shared);

struct ib_conv_run {
    ib_real *shared;  /* as prepared; read alone */
    size_t n;         /* images */
    const ib_real *x; /* n x large (up: small) */
    ib_real *y;       /* n x small (up: large) */
    bool add;         /* to y, instead of overwriting it */
    ib_real *scratch; /* ib_conv_scratch(pass, n) numbers */
};
size_t ib_conv_scratch(const struct ib_conv_pass *p, size_t n);
void ib_conv_run(const struct ib_conv_pass *p, const struct ib_conv_run *r);

/* The gradient of the weights, from n large and n small images (one side's
 * value, the other side's gradient). */
struct ib_conv_outer {
    ib_real *shared; /* of ib_conv_outer_pass */
    size_t n;
    const ib_real *large, *small;
    ib_real *dw;
    bool add;         /* to dw, instead of overwriting it */
    ib_real *scratch; /* ib_conv_outer_scratch(pass, n) numbers */
};
size_t ib_conv_outer_scratch(const struct ib_conv_pass *p, size_t n);
void ib_conv_outer(const struct ib_conv_pass *p, const struct ib_conv_outer *o);

/* norm2[i] += the squared norm of image i's own dw (o->dw, o->add: unused). */
size_t ib_conv_norms_scratch(const struct ib_conv_pass *p);
void ib_conv_norms(const struct ib_conv_pass *p, const struct ib_conv_outer *o,
                   double *norm2);

/* --- among conv_*.c ------------------------------------------------------- */

/* The pixels of one axis that see the same taps. */
struct ib_conv_axis {
    int taps;        /* how many */
    int first, step; /* which of the kernel's: first, first + step, .. */
    int move;        /* from one to the next in the frame */
    int count;       /* pixels */
    int to, from;    /* the first one's place: in the output, in the frame */
};

struct ib_conv_phase {
    struct ib_conv_axis y, x;
    size_t taps;  /* of one sum: channels x y.taps x x.taps */
    size_t spots; /* of one image */
    /* Into the shared memory; see kernel.h. */
    int32_t *tap, *from, *to, *length;
    size_t offset;    /* of its outputs: numbers of one image before them */
    ib_real *weights; /* groups x blocks of lanes x (1 + taps) x lanes */
};

/* Numbers of one image of a pass's input and of its result. */
size_t ib_conv_in(const struct ib_conv_pass *p);
size_t ib_conv_out(const struct ib_conv_pass *p);
/* Fills in which taps and pixels the phase has: all but the pointers. */
void ib_conv_phase(const struct ib_conv_pass *p, int index,
                   struct ib_conv_phase *f);
/* Whether the kernels write to memory of its own, for all images at once. */
bool ib_conv_apart(const struct ib_conv_pass *p);
/* Lanes of the block of output channels that starts at m, of one group; lanes
 * that all its blocks have in the packed weights. */
size_t ib_conv_lanes(const struct ib_conv_pass *p, size_t m);
size_t ib_conv_packed_lanes(const struct ib_conv_pass *p);

static inline size_t ib_conv_area(const struct ib_conv_phase *f)
{
    return (size_t)f->y.count * (size_t)f->x.count;
}

struct ib_conv_lists {
    struct ib_conv_phase phase;
    int32_t *identity; /* 0, 1, .. taps - 1 */
    ib_real *bias;     /* one a channel of the pass's result */
    int index;
};
/* Walks over the phases: true while there is a next one, then in l->phase. */
struct ib_conv_lists ib_conv_lists(const struct ib_conv_pass *p,
                                   ib_real *shared);
bool ib_conv_next(const struct ib_conv_pass *p, struct ib_conv_lists *l);

/* Numbers of the frames of n images; the frames themselves, in scratch or, for
 * direct passes, x. */
size_t ib_conv_frames(const struct ib_conv_pass *p, size_t n);
const ib_real *ib_conv_fill(const struct ib_conv_pass *p, size_t n,
                            const ib_real *x, ib_real *scratch);

#endif
