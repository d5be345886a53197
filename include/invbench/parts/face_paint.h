/*
 * Inside of the face renderer: one point of the picture, and the layers that
 * are painted on it from back to front. Coverage comes from signed distances
 * (negative inside) and the width of a pixel, so edges are smooth at any size.
 */
#ifndef INVBENCH_PARTS_FACE_PAINT_H
#define INVBENCH_PARTS_FACE_PAINT_H

#include <invbench/parts/face.h>

#include <math.h>

struct ib_face_scene {
    const struct ib_face *face;
    const struct ib_face_view *view;
    float cos_roll, sin_roll, scale; /* picture to face coordinates */
    float px;                        /* width of a pixel */
    struct ib_rgb light;             /* lamp on a surface that faces it */
    /* Where things are with this expression. */
    float mouth_w, mouth_bend, mouth_gap, eye_open, brow_y;
};

struct ib_face_point {
    float u, v;   /* picture: -1..1 */
    float x, y;   /* face coordinates */
    float xt, yt; /* on the skin: where the yaw and pitch have moved it */
    float head;   /* signed distance to the head's outline */
    float z;      /* depth of the head's surface, 0 at the outline .. 1 */
    float shade;  /* light on the skin here */
    float skin;   /* coverage of the head */
    struct ib_rgb c;
};

static inline float ib_clamp01(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Coverage of a pixel at distance d from an edge; soft widens the edge. */
static inline float ib_cover(const struct ib_face_scene *s, float d, float soft)
{
    return ib_clamp01(0.5f - d / (s->px + soft));
}

/* Like ib_cover with slow ends: for shadows and hair. */
static inline float ib_fade(float x)
{
    x = ib_clamp01(x);
    return x * x * (3 - 2 * x);
}

/* 1 at t = 0, 0 from |t| = 1 on; t2 is t squared. */
static inline float ib_bump(float t2)
{
    return t2 >= 1 ? 0 : (1 - t2) * (1 - t2);
}

static inline struct ib_rgb ib_scaled(struct ib_rgb c, float k)
{
    return (struct ib_rgb){c.r * k, c.g * k, c.b * k};
}

static inline struct ib_rgb ib_mixed(struct ib_rgb a, struct ib_rgb b, float t)
{
    return (struct ib_rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t,
                           a.b + (b.b - a.b) * t};
}

/* A surface of colour c under the lamp, at brightness k. */
static inline struct ib_rgb ib_lit(const struct ib_face_scene *s,
                                   struct ib_rgb c, float k)
{
    return (struct ib_rgb){c.r * s->light.r * k, c.g * s->light.g * k,
                           c.b * s->light.b * k};
}

static inline void ib_paint(struct ib_face_point *p, struct ib_rgb c, float a)
{
    p->c = ib_mixed(p->c, c, a);
}

/* Signed distance, near enough, to an ellipse with half axes a and b. */
static inline float ib_ellipse(float x, float y, float a, float b)
{
    float fx = x / a, fy = y / b;
    return (sqrtf(fx * fx + fy * fy) - 1) * (a < b ? a : b);
}

/* Smooth noise in 0..1 on a unit grid. */
float ib_face_noise(uint32_t seed, float x, float y);
/* Signed distance to the head widened by `by`. */
float ib_face_outline(const struct ib_face *f, float x, float y, float by);

/* Layers, back to front. */
void ib_face_paint_back_hair(const struct ib_face_scene *s,
                             struct ib_face_point *p);
void ib_face_paint_beard(const struct ib_face_scene *s,
                         struct ib_face_point *p);
void ib_face_paint_mouth(const struct ib_face_scene *s,
                         struct ib_face_point *p);
void ib_face_paint_nose(const struct ib_face_scene *s, struct ib_face_point *p);
void ib_face_paint_eyes(const struct ib_face_scene *s, struct ib_face_point *p);
void ib_face_paint_hair(const struct ib_face_scene *s, struct ib_face_point *p);
void ib_face_paint_glasses(const struct ib_face_scene *s,
                           struct ib_face_point *p);

#endif
