/* Hair behind and before the face, beard, glasses. */
#include <invbench/parts/face_paint.h>

/* Strands run down and outwards from the parting. */
static struct ib_rgb hair_colour(const struct ib_face_scene *s,
                                 const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    bool curly = f->hair_style == IB_HAIR_CURLY;
    float x = p->x - 0.3f * f->part, y = p->y + 0.2f;
    float bend = x / (1.4f + fabsf(y));
    float coarse = curly ? ib_face_noise(f->grain, p->x * 7, p->y * 7)
                         : ib_face_noise(f->grain, bend * 15, p->y * 2.5f);
    float fine = curly ? ib_face_noise(f->grain + 1, p->x * 21, p->y * 21)
                       : ib_face_noise(f->grain + 1, bend * 60, p->y * 4);
    const float *l = s->view->light;
    float form = 0.62f + 0.28f * (p->x * l[0] + (p->y + 0.3f) * l[1]);
    float sheen = p->y + f->crown * 0.68f - 0.12f * p->x * l[0];
    form += (curly ? 0.05f : 0.22f) * ib_bump(sheen * sheen * 14);
    float k = form * (0.45f + 0.80f * coarse + 0.25f * fine);
    k *= 0.7f + 0.6f * s->view->ambient + 0.2f * s->view->diffuse;
    return ib_lit(s, f->hair, k > 0.1f ? k : 0.1f);
}

/* Where hair ends below, away from the forehead. */
static float bottom(const struct ib_face *f)
{
    switch (f->hair_style) {
    case IB_HAIR_LONG:
        return 1.1f + 0.6f * f->length;
    case IB_HAIR_MEDIUM:
        return 0.35f + 0.6f * f->length;
    case IB_HAIR_CURLY:
        return -0.1f + 0.65f * f->length;
    default:
        return -0.2f + 0.3f * f->length;
    }
}

/* How far hair stands out from the head here. */
static float thickness(const struct ib_face_scene *s,
                       const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float top = ib_fade(0.5f - p->y / f->crown);
    float by = f->side + (f->volume - f->side) * top;
    float low = bottom(f);
    by += 0.22f *
          (ib_face_noise(f->grain + 9, p->x * 3.5f + 9, p->y * 3.5f) - 0.3f);
    if (f->hair_style == IB_HAIR_CURLY)
        by += 0.10f +
              0.09f * ib_face_noise(f->grain + 2, p->x * 5 + 9, p->y * 5 + 9);
    if (f->hair_style == IB_HAIR_BALD || f->hair_style == IB_HAIR_RECEDING)
        by *= 0.3f;
    /* Cut hair grows thin towards its end. */
    if (f->hair_style <= IB_HAIR_CURLY)
        by *= ib_fade((low - p->y) / 0.5f);
    return by * s->view->hair;
}

void ib_face_paint_back_hair(const struct ib_face_scene *s,
                             struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    if (f->hair_style < IB_HAIR_CURLY)
        return;
    float by = thickness(s, p) + 0.03f;
    float wave =
        0.05f * f->wave * (ib_face_noise(f->grain + 3, 3, p->y * 5) - 0.5f);
    float d = ib_face_outline(f, p->x, p->y, by);
    if (p->y > 0) { /* falls straight down from the widest place */
        float fall = fabsf(p->x) - f->width - by - wave -
                     0.10f * (f->length - 0.7f) * p->y;
        float end = p->y - bottom(f);
        float straight = fall > end ? fall : end;
        d = straight < d && f->hair_style != IB_HAIR_CURLY ? straight : d;
        if (f->hair_style == IB_HAIR_CURLY && end > d)
            d = end;
    }
    struct ib_rgb c = ib_scaled(hair_colour(s, p), 0.72f);
    ib_paint(p, c, ib_cover(s, d, 0.01f));
}

/* Height of the hairline above this place on the forehead. */
static float line_at(const struct ib_face *f, const struct ib_face_point *p)
{
    float x = p->xt, ax = fabsf(x);
    float arch = 0.55f * x * x;
    switch (f->hair_style) {
    case IB_HAIR_BALD:
        return -2 + 3.2f * ax * ax;
    case IB_HAIR_RECEDING:
        return -f->hairline - 0.10f -
               0.30f * ib_bump((ax - 0.38f) * (ax - 0.38f) * 22) + 0.8f * x * x;
    case IB_HAIR_PARTED:
        return -f->hairline - 0.05f + 0.45f * fabsf(x - f->part) * 1.2f +
               0.25f * x * x;
    case IB_HAIR_FRINGE:
        return f->eye_y - f->brow_y + 0.02f + 0.10f * (0.6f - f->hairline) +
               0.06f * (ib_face_noise(f->grain + 4, x * 16, 0) - 0.5f);
    case IB_HAIR_MEDIUM:
    case IB_HAIR_LONG:
        return -f->hairline - 0.12f +
               0.9f * fabsf(x - 0.7f * f->part) * (0.5f + 0.5f * f->wave) +
               0.4f * x * x;
    default:
        return -f->hairline + f->peak * ib_bump(x * x * 30) + arch;
    }
}

void ib_face_paint_hair(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float by = thickness(s, p);
    float outer = ib_face_outline(f, p->x, p->y, by);
    if (outer > s->px + 0.02f)
        return;
    /* Over the temples hair reaches down to the ears in a narrowing strip. */
    float strip = f->width * (f->hair_style >= IB_HAIR_MEDIUM ? 0.86f : 0.93f);
    float temple = strip - fabsf(p->x) - 0.10f * ib_clamp01(-p->y);
    float low = bottom(f);
    float side = p->y - low > temple ? p->y - low : temple;
    float front = p->yt - line_at(f, p);
    front = front > p->y - 0.3f ? front : p->y - 0.3f;
    float d = front < side ? front : side;
    d = d > outer ? d : outer;
    float soft = 0.02f + 0.03f * ib_face_noise(f->grain + 5, p->x * 30, 1);
    /* A shadow on the skin below the hair's edge. */
    float near = front < side ? front : side;
    if (near > 0 && near < 0.10f && p->skin > 0)
        p->c = ib_scaled(p->c, 1 - 0.22f * (1 - near / 0.10f) * p->skin);
    ib_paint(p, hair_colour(s, p), ib_cover(s, d, soft));
}

/* --- beard --------------------------------------------------------------- */

static float moustache(const struct ib_face_scene *s,
                       const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float top = f->nose_y + 0.05f, low = f->mouth_y - f->lip_upper;
    float mid = 0.5f * (top + low) + 0.22f * p->xt * p->xt;
    float half = 0.42f * (low - top) + 0.015f;
    float ends = fabsf(p->xt) - s->mouth_w * 1.05f;
    float d = fabsf(p->yt - mid) - half;
    return ib_cover(s, d > ends ? d : ends, 0.04f);
}

static float goatee(const struct ib_face_scene *s,
                    const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float y = p->yt - f->mouth_y - 0.5f * (f->chin - f->mouth_y);
    float d = ib_ellipse(p->xt, y, s->mouth_w * 0.85f,
                         0.62f * (f->chin - f->mouth_y) + 0.05f);
    return ib_cover(s, d, 0.05f);
}

static float full_beard(const struct ib_face_scene *s,
                        const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float ax = fabsf(p->xt);
    float line = f->mouth_y - 0.02f - 1.1f * (ax - 0.25f) * (ax - 0.25f);
    line -= ax > 0.5f ? 2.2f * (ax - 0.5f) : 0;
    return ib_cover(s, line - p->yt, 0.08f);
}

void ib_face_paint_beard(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float a = 0;
    if (f->beard == IB_BEARD_NONE || p->yt < 0)
        return;
    if (f->beard != IB_BEARD_GOATEE || f->grain % 2 == 0)
        a = moustache(s, p);
    if (f->beard == IB_BEARD_GOATEE)
        a = fmaxf(a, goatee(s, p));
    if (f->beard == IB_BEARD_FULL || f->beard == IB_BEARD_STUBBLE)
        a = fmaxf(a, full_beard(s, p));
    float hair =
        0.8f + 0.2f * ib_face_noise(f->grain + 6, p->xt * 50, p->yt * 30);
    a *= f->beard == IB_BEARD_STUBBLE ? 0.38f : f->beard_density * hair;
    ib_paint(p, ib_lit(s, ib_scaled(f->hair, 0.85f), 0.2f + 0.7f * p->shade),
             a * p->skin);
}

/* --- glasses ------------------------------------------------------------- */

void ib_face_paint_glasses(const struct ib_face_scene *s,
                           struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    if (f->glasses == IB_GLASSES_NONE || fabsf(p->yt - f->eye_y) > 0.4f ||
        p->head > 0.02f)
        return;
    float g = f->glasses_size, half = f->glasses_thick;
    float x = fabsf(p->xt) - f->eye_x - 0.01f, y = p->yt - f->eye_y - 0.02f;
    float d = sqrtf(x * x + y * y) - g;
    if (f->glasses == IB_GLASSES_SQUARE) {
        float qx = fabsf(x) - g * 0.86f, qy = fabsf(y) - g * 0.56f;
        float ox = qx > 0 ? qx : 0, oy = qy > 0 ? qy : 0;
        float in = qx > qy ? qx : qy;
        d = sqrtf(ox * ox + oy * oy) + (in < 0 ? in : 0) - g * 0.14f;
    }
    float reach = x < 0 ? fabsf(y + 0.03f) : fabsf(y + 0.05f);
    float bar = d > 0 ? reach : 1; /* bridge and temples */
    float frame = fabsf(d) < bar ? fabsf(d) : bar;
    float glare = ib_fade((y - x * s->view->light[0] + 0.10f) * -4);
    ib_paint(p, (struct ib_rgb){0.95f, 0.97f, 1},
             0.16f * glare * ib_cover(s, d, 0));
    ib_paint(p, ib_lit(s, f->frame, 0.9f),
             0.95f * ib_cover(s, frame - half, 0));
}
