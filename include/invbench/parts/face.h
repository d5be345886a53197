/*
 * Procedural faces: an identity (geometry and attributes that stay), a view
 * (what changes from picture to picture), and a renderer.
 *
 * Face coordinates: x to the right, y down, the skull's top near y = -1, the
 * chin near y = 1, the cheeks near x = -0.75 and 0.75. A picture shows about
 * 1.6 of them to each side. Colours are RGB in [0, 1].
 */
#ifndef INVBENCH_PARTS_FACE_H
#define INVBENCH_PARTS_FACE_H

#include <invbench/rng.h>

struct ib_rgb {
    float r, g, b;
};

enum ib_hair {
    IB_HAIR_BALD,     /* a rim at most */
    IB_HAIR_RECEDING, /* high corners */
    IB_HAIR_SHORT,
    IB_HAIR_PARTED, /* a slanting line across the forehead */
    IB_HAIR_FRINGE, /* down to the brows */
    IB_HAIR_CURLY,  /* wide, with a lumpy outline */
    IB_HAIR_MEDIUM, /* to the jaw */
    IB_HAIR_LONG,   /* past the shoulders */
    IB_HAIR_STYLES,
};
enum ib_beard {
    IB_BEARD_NONE,
    IB_BEARD_STUBBLE,
    IB_BEARD_MOUSTACHE,
    IB_BEARD_GOATEE,
    IB_BEARD_FULL,
};
enum ib_glasses { IB_GLASSES_NONE, IB_GLASSES_ROUND, IB_GLASSES_SQUARE };

/* An identity. Lengths in face coordinates. */
struct ib_face {
    struct ib_rgb skin, hair, lips, iris, frame;
    float age;                /* 0 young .. 1 old: folds, socket depth */
    float width, crown, chin; /* half width; height above and below y = 0 */
    float jaw, taper;         /* 0 round .. 1 square; narrowing to the chin */
    float neck, ear;          /* half width; size */
    float eye_x, eye_y, eye_w, eye_h, eye_tilt, iris_size, socket, crease;
    float brow_y, brow_w, brow_thick, brow_tilt, brow_arch, brow_dark;
    float nose_y, nose_w, nose_ridge, nose_tip, nose_bend;
    float mouth_y, mouth_w, lip_upper, lip_lower, mouth_curve, bow;
    float cheek, blush, chin_dimple, relief;
    float hairline, peak, volume, side, part, length, wave;
    float beard_density, glasses_size, glasses_thick;
    float mole_x, mole_y, mole_size; /* size 0: none */
    enum ib_hair hair_style;
    enum ib_beard beard;
    enum ib_glasses glasses;
    uint32_t grain; /* of hair and beard texture */
};

/* A picture of somebody: pose, expression, light, background, noise. Drawn
 * without regard to who is shown. */
struct ib_face_view {
    float shift_x, shift_y, roll, zoom, yaw, pitch;
    float smile, open, squint, brow_raise, gaze_x, gaze_y;
    float hair;                       /* how much of it stands out today */
    float light[3], ambient, diffuse; /* light: towards the lamp, norm 1 */
    float exposure; /* of the lamp on everything but the background */
    struct ib_rgb lamp, back[2], cloth;
    float back_x, back_y, spot_x, spot_y, spot; /* gradient, a soft spot */
    float collar, contrast, noise;              /* noise: standard deviation */
};

/* Draw order is part of what is frozen: append only. */
void ib_face_draw(struct ib_rng *rng, struct ib_face *out);
void ib_face_view_draw(struct ib_rng *rng, struct ib_face_view *out);

/* rgb: 3 x size x size in [0, 1], without noise. face NULL: the background
 * and nobody. */
void ib_face_render(const struct ib_face *face, const struct ib_face_view *view,
                    int size, float *rgb);

#endif
