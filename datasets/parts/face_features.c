/* Eyes and brows, nose, mouth. */
#include <invbench/parts/face_paint.h>

/* --- eyes ---------------------------------------------------------------- */

/* Coordinates of one eye: x outwards from its middle, y down, turned so that
 * its corners lie on y = 0. */
struct eye {
    float side, x, y;
    float upper, lower; /* lids at this x */
};

static struct eye eye_at(const struct ib_face_scene *s,
                         const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    struct eye e = {.side = p->xt < 0 ? -1.0f : 1.0f};
    e.x = p->xt * e.side - f->eye_x;
    e.y = p->yt - f->eye_y + f->eye_tilt * e.x;
    float t = e.x / f->eye_w, arch = 1 - t * t;
    arch = arch > 0 ? arch : 0;
    /* The upper lid peaks towards the nose, the lower one away from it. */
    e.upper = -f->eye_h * s->eye_open * arch * (1.05f - 0.25f * t);
    e.lower =
        f->eye_h * (0.42f + 0.20f * s->eye_open) * arch * (0.9f + 0.25f * t);
    return e;
}

static void paint_ball(const struct ib_face_scene *s, struct ib_face_point *p,
                       const struct eye *e, float inside)
{
    const struct ib_face *f = s->face;
    float gx = e->x - s->view->gaze_x * e->side * f->eye_w * 0.45f;
    float gy = e->y + f->eye_h * 0.18f - s->view->gaze_y * f->eye_h * 0.4f;
    float r = sqrtf(gx * gx + gy * gy), size = f->iris_size;
    struct ib_rgb white = {0.93f, 0.91f, 0.89f}, black = {0.03f, 0.03f, 0.03f};
    float lid = ib_fade((e->y - e->upper) / (0.8f * f->eye_h));
    float k = (0.35f + 0.65f * p->shade) * (0.62f + 0.38f * lid);
    ib_paint(p, ib_lit(s, white, k), inside);
    float ring = 0.55f + 0.55f * ib_bump(r * r / (size * size * 1.1f));
    ib_paint(p, ib_lit(s, f->iris, ring * (0.45f + 0.6f * k)),
             inside * ib_cover(s, r - size, 0));
    ib_paint(p, black, inside * ib_cover(s, r - 0.45f * size, 0));
    float hx = gx - e->side * s->view->light[0] * size * 0.6f;
    float hy = gy - s->view->light[1] * size * 0.5f + 0.3f * size;
    ib_paint(p, (struct ib_rgb){1, 1, 1},
             0.85f * inside *
                 ib_cover(s, sqrtf(hx * hx + hy * hy) - 0.24f * size, 0));
}

static void paint_lids(const struct ib_face_scene *s, struct ib_face_point *p,
                       const struct eye *e)
{
    const struct ib_face *f = s->face;
    float t = e->x / (f->eye_w * 1.08f), across = 1 - t * t;
    if (across <= 0)
        return;
    float ends = ib_clamp01(3 * across);
    struct ib_rgb dark = ib_lit(s, ib_scaled(f->skin, 0.22f), 0.6f);
    float lash = fabsf(e->y - e->upper) - 0.012f - 0.008f * (1 + t);
    ib_paint(p, dark, 0.92f * ends * ib_cover(s, lash, 0));
    float under = fabsf(e->y - e->lower) - 0.005f;
    ib_paint(p, dark, 0.45f * ends * ib_cover(s, under, 0.01f));
    float fold = fabsf(e->y - e->upper + 0.045f + 0.03f * across) - 0.006f;
    ib_paint(p, ib_lit(s, ib_scaled(f->skin, 0.55f), p->shade),
             f->crease * ends * ib_cover(s, fold, 0.01f));
    float bag = e->y - e->lower - 0.06f;
    ib_paint(p, ib_lit(s, ib_scaled(f->skin, 0.62f), p->shade),
             0.5f * f->age * across * ib_bump(bag * bag / 0.0016f));
}

static void paint_brow(const struct ib_face_scene *s, struct ib_face_point *p,
                       const struct eye *e)
{
    const struct ib_face *f = s->face;
    float t = (e->x - 0.01f) / f->brow_w;
    if (fabsf(t) > 1.2f)
        return;
    float mid = s->brow_y - f->brow_tilt * e->x -
                f->brow_arch * (1 - (t - 0.2f) * (t - 0.2f));
    float thick = f->brow_thick * (1 - 0.5f * ib_clamp01(t));
    float ends = ib_cover(s, (fabsf(t) - 1) * f->brow_w, 0.03f);
    float hair = 0.75f + 0.25f * ib_face_noise(f->grain, e->x * 60, p->yt * 24);
    struct ib_rgb c = ib_mixed(f->hair, f->skin, 0.35f * (1 - f->brow_dark));
    ib_paint(p, ib_lit(s, ib_scaled(c, 0.8f), 0.25f + 0.6f * p->shade),
             f->brow_dark * hair * ends *
                 ib_cover(s, fabsf(p->yt - mid) - thick, 0.015f) * p->skin);
}

void ib_face_paint_eyes(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    struct eye e = eye_at(s, p);
    if (fabsf(p->yt - f->eye_y) > 0.55f)
        return;
    float d = e.upper - e.y > e.y - e.lower ? e.upper - e.y : e.y - e.lower;
    float inside =
        ib_cover(s, d, 0) * ib_cover(s, fabsf(e.x) - f->eye_w, 0) * p->skin;
    if (inside > 0)
        paint_ball(s, p, &e, inside);
    paint_lids(s, p, &e);
    paint_brow(s, p, &e);
}

/* --- nose ---------------------------------------------------------------- */

static void darken(struct ib_face_point *p, float a)
{
    p->c = ib_scaled(p->c, 1 - a * p->skin);
}

void ib_face_paint_nose(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    const float *l = s->view->light;
    float top = f->eye_y - 0.06f;
    float run = (p->yt - top) / (f->nose_y - top);
    if (run < -0.2f || run > 1.5f || fabsf(p->xt) > 2.2f * f->nose_w + 0.1f)
        return;
    /* The nose stands out: turning moves it more than the skin around it. */
    float out = ib_clamp01(run) * (run < 1.1f ? 1 : 0.6f);
    float x = p->xt - (0.16f * s->view->yaw + f->nose_bend * run) * out;
    float w = f->nose_ridge + (f->nose_w * 0.72f - f->nose_ridge) *
                                  ib_clamp01(run) * ib_clamp01(run);
    float t = x / (w * 1.5f);
    float along = ib_fade((run + 0.1f) * 4) * ib_fade((1.12f - run) * 5);
    /* One flank faces the lamp, the other turns away. */
    float flank = t * ib_bump(t * t) * 3.2f * l[0];
    darken(p, -along * (0.55f * flank + 0.10f * ib_bump(t * t * 6)));
    darken(p,
           along * 0.10f * ib_bump((fabsf(t) - 0.8f) * (fabsf(t) - 0.8f) * 14));
    float y = p->yt - f->nose_y;
    float tip = (x * x + (y + 0.05f) * (y + 0.05f)) / 0.010f;
    darken(p, -0.28f * f->nose_tip * ib_bump(tip));
    float wing = ib_ellipse(fabsf(x) - f->nose_w * 0.80f, y + 0.035f,
                            f->nose_w * 0.34f, 0.075f);
    float outer = fabsf(x) > f->nose_w * 0.75f ? 1 : 0.2f;
    darken(p, 0.28f * outer * ib_bump(wing * wing / 0.0010f));
    float hole = ib_ellipse(fabsf(x) - f->nose_w * 0.42f, y - 0.002f,
                            f->nose_w * 0.27f, 0.024f);
    darken(p, 0.50f * ib_cover(s, hole, 0.02f));
    float under = (x * x) / (f->nose_w * f->nose_w * 1.3f) +
                  (y - 0.05f) * (y - 0.05f) / 0.006f;
    darken(p, (0.16f - 0.16f * l[1]) * ib_bump(under));
}

/* --- mouth --------------------------------------------------------------- */

struct mouth {
    float t;        /* -1 .. 1 from corner to corner */
    float y;        /* below the line between the lips when closed */
    float up, down; /* outer edges of the lips, as distances from y = 0 */
    float gap_up, gap_down;
};

static struct mouth mouth_at(const struct ib_face_scene *s,
                             const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    struct mouth m = {.t = p->xt / s->mouth_w};
    float t2 = m.t * m.t, arch = t2 < 1 ? 1 - t2 : 0;
    float bow = 1 - f->bow * ib_bump(t2 * 18);
    m.y = p->yt - f->mouth_y + s->mouth_bend * (t2 - 0.35f);
    m.gap_up = 0.25f * s->mouth_gap * arch;
    m.gap_down = s->mouth_gap * arch;
    m.up = m.gap_up + f->lip_upper * arch * bow + 0.004f;
    m.down =
        m.gap_down + f->lip_lower * sqrtf(arch) * (0.4f + 0.6f * arch) + 0.004f;
    return m;
}

void ib_face_paint_mouth(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    struct mouth m = mouth_at(s, p);
    if (fabsf(m.t) > 1.15f || fabsf(m.y) > 0.4f)
        return;
    float ends = ib_cover(s, (fabsf(m.t) - 1) * s->mouth_w, 0.02f) * p->skin;
    float lips = ib_cover(s, m.y > 0 ? m.y - m.down : -m.y - m.up, 0.008f);
    float up = m.y < 0 ? 0.82f : 1.04f;
    float gloss = m.y - m.gap_down - 0.45f * f->lip_lower;
    up += 0.16f * ib_bump(gloss * gloss * 900) * ib_bump(m.t * m.t * 2);
    ib_paint(p, ib_lit(s, f->lips, p->shade * up), ends * lips);
    struct ib_rgb inside = {0.16f, 0.05f, 0.05f};
    struct ib_rgb teeth = {0.90f, 0.88f, 0.84f};
    if (s->mouth_gap > 0) {
        float gap =
            ib_cover(s, m.y > 0 ? m.y - m.gap_down : -m.y - m.gap_up, 0);
        float bite = ib_cover(s, m.y - 0.45f * m.gap_down, 0.01f);
        ib_paint(p, ib_lit(s, inside, 0.6f), ends * gap);
        ib_paint(p, ib_lit(s, teeth, 0.35f + 0.5f * p->shade),
                 ends * gap * bite * ib_bump(m.t * m.t * 1.2f));
    } else {
        float line = ib_cover(s, fabsf(m.y) - 0.009f, 0.006f);
        ib_paint(p, ib_lit(s, inside, 0.9f), 0.8f * ends * line);
    }
    float cx = (fabsf(m.t) - 1) * s->mouth_w;
    darken(p, 0.30f * ib_bump((cx * cx + m.y * m.y) / 0.0016f));
}
