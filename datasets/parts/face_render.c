/* The picture as a whole: pose, background, body, the skin and its light. */
#include <invbench/parts/face_paint.h>

#include <invbench/math.h>

#include <string.h>

static const float head_scale = 0.74f; /* face unit in half pictures */

static float corner(uint32_t seed, int x, int y)
{
    uint32_t h = seed ^ (uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return (float)(h >> 16 & 0xffff) / 65535.0f;
}

float ib_face_noise(uint32_t seed, float x, float y)
{
    float fx = floorf(x), fy = floorf(y);
    int ix = (int)fx, iy = (int)fy;
    float tx = ib_fade(x - fx), ty = ib_fade(y - fy);
    float a = corner(seed, ix, iy), b = corner(seed, ix + 1, iy);
    float c = corner(seed, ix, iy + 1), d = corner(seed, ix + 1, iy + 1);
    float top = a + (b - a) * tx, bottom = c + (d - c) * tx;
    return top + (bottom - top) * ty;
}

float ib_face_outline(const struct ib_face *f, float x, float y, float by)
{
    float h = (y < 0 ? f->crown : f->chin) + by, w = f->width + by;
    float fy = y / h;
    if (y > 0)
        w *= 1 - f->taper * (fy < 1.2f ? fy * fy : 1.44f);
    float fx = x / w;
    float x2 = fx * fx, y2 = fy * fy;
    float round = sqrtf(x2 + y2);
    float square = sqrtf(sqrtf(x2 * x2 + y2 * y2));
    float share = y > 0 ? 0.25f + 0.6f * f->jaw : 0.25f;
    return (round + (square - round) * share - 1) * (w < h ? w : h);
}

/* --- behind the head ---------------------------------------------------- */

static void paint_background(const struct ib_face_scene *s,
                             struct ib_face_point *p)
{
    const struct ib_face_view *v = s->view;
    float t = ib_clamp01(0.5f + 0.5f * (p->u * v->back_x + p->v * v->back_y));
    float dx = p->u - v->spot_x, dy = p->v - v->spot_y;
    float spot = 1 + v->spot / (1 + 2 * (dx * dx + dy * dy));
    p->c = ib_scaled(ib_mixed(v->back[0], v->back[1], t), spot);
}

static void paint_body(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face_view *v = s->view;
    /* The body stands straight however the head is turned. */
    float x = (p->u - 0.6f * v->shift_x) / head_scale;
    float y = (p->v - v->shift_y) / head_scale;
    float ax = fabsf(x);
    float slope = 1.18f + 0.24f * ax * ax;
    float dip = (0.16f + 0.22f * v->collar) * ib_bump(x * x / 0.42f);
    float cloth = ib_cover(s, slope + dip - y, 0);
    float side = 0.75f + 0.25f * v->light[0] * x;
    float fold =
        1 - 0.25f * ib_bump((y - slope - dip) * (y - slope - dip) * 80);
    ib_paint(p, ib_lit(s, v->cloth, side * fold), cloth);
}

static void paint_neck(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float x = p->x - 0.15f * s->view->yaw;
    float flare = p->y > 0.9f ? (p->y - 0.9f) * (p->y - 0.9f) * 0.7f : 0;
    float d = fabsf(x) - f->neck - flare;
    float a = ib_cover(s, d, 0) * ib_cover(s, 0.3f - p->y, 0) *
              ib_cover(s, p->y - 1.5f, 0.2f);
    float under = ib_fade((p->y - f->chin + 0.05f) / 0.45f);
    float t = ib_clamp01(x * x / (f->neck * f->neck));
    float round = 1 - 0.35f * t;
    float side = 1 + 0.25f * s->view->light[0] * (x < 0 ? -t : t);
    ib_paint(p, ib_lit(s, f->skin, (0.50f + 0.30f * under) * round * side), a);
}

static void paint_ears(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float side = p->x < 0 ? -1.0f : 1.0f;
    /* The ear that turns away hides behind the head. */
    float x = p->x * side - f->width * 0.97f + 0.22f * s->view->yaw * side;
    float y = p->y - 0.06f + 0.3f * s->view->pitch;
    float d = ib_ellipse(x - 0.12f * y * -1, y, f->ear * 0.55f, f->ear * 1.15f);
    float inner = ib_bump((x * x * 9 + y * y * 2) / (f->ear * f->ear));
    float shade = 0.78f + 0.22f * s->view->light[0] * side;
    ib_paint(p, ib_lit(s, f->skin, shade * (1 - 0.35f * inner)),
             ib_cover(s, d, 0));
}

/* --- skin --------------------------------------------------------------- */

/* Light on the head's surface: an ellipsoid with eye sockets, cheeks, folds. */
static float shade_of(const struct ib_face_scene *s,
                      const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    const float *l = s->view->light;
    float nx = p->x / f->width * 0.92f, ny = p->y / f->crown * 0.75f;
    float nz = 0.25f + 0.9f * p->z;
    float k = (nx * l[0] + ny * l[1] + nz * l[2]) /
              sqrtf(nx * nx + ny * ny + nz * nz);
    k = k > 0 ? k : 0;
    float base = s->view->ambient + s->view->diffuse * k;
    return base * (0.80f + 0.20f * p->z);
}

static float relief(const struct ib_face_scene *s,
                    const struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    float ax = fabsf(p->xt), y = p->yt, k = 1;
    float ex = (ax - f->eye_x + 0.02f) / 0.26f, ey = (y - f->eye_y) / 0.17f;
    k -= (0.26f * f->socket + 0.08f * f->age) * ib_bump(ex * ex + ey * ey);
    float cx = (ax - 0.42f) / 0.22f, cy = (y - 0.22f) / 0.16f;
    k += 0.10f * f->cheek * ib_bump(cx * cx + cy * cy);
    float hx = (ax - 0.52f) / 0.20f, hy = (y - 0.52f) / 0.24f;
    k -= 0.16f * f->cheek * ib_bump(hx * hx + hy * hy);
    /* From the wings of the nose to the corners of the mouth. */
    float run = (y - f->nose_y + 0.03f) / (f->mouth_y - f->nose_y + 0.05f);
    float fold =
        ax - f->nose_w - 0.05f - (s->mouth_w - f->nose_w + 0.03f) * run;
    float deep = 0.02f + 0.17f * f->age + 0.09f * s->view->smile;
    if (run > 0 && run < 1 && deep > 0)
        k -= deep * ib_bump(fold * fold / 0.0022f) * (1 - 0.4f * run);
    float lx = p->xt / 0.20f, ly = (y - f->mouth_y - 0.17f) / 0.06f;
    k -= 0.14f * ib_bump(lx * lx + ly * ly);
    float dx = p->xt / 0.05f, dy = (y - f->chin + 0.14f) / 0.09f;
    k -= (f->chin_dimple > 0.6f ? 0.20f : 0) * ib_bump(dx * dx + dy * dy);
    /* Bone and flesh of this person: nearly the same on both sides. */
    float sx = sqrtf(p->xt * p->xt + 0.004f);
    float bone = ib_face_noise(f->grain + 7, sx * 4.4f, y * 3.6f) +
                 0.35f * ib_face_noise(f->grain + 8, p->xt * 5, y * 5) - 0.675f;
    return k + f->relief * bone;
}

/* Lines across the forehead of the old. */
static float forehead(const struct ib_face *f, const struct ib_face_point *p)
{
    float top = f->eye_y - f->brow_y - 0.10f, k = 0;
    for (int i = 0; i < 2; i++) {
        float d = p->yt - top + 0.12f * (float)i + 0.10f * p->xt * p->xt;
        k += ib_bump(d * d / 0.0009f) * ib_bump(p->xt * p->xt / 0.20f);
    }
    return f->age > 0.55f ? 0.45f * (f->age - 0.55f) * k : 0;
}

static void paint_skin(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face *f = s->face;
    struct ib_rgb c = f->skin;
    float bx = (fabsf(p->xt) - 0.40f) / 0.24f, by = (p->yt - 0.28f) / 0.18f;
    c = ib_mixed(c, f->lips, f->blush * ib_bump(bx * bx + by * by));
    float mx = p->xt - f->mole_x, my = p->yt - f->mole_y;
    p->shade = shade_of(s, p);
    float k = p->shade * (relief(s, p) - forehead(f, p));
    ib_paint(p, ib_lit(s, c, k), p->skin);
    if (f->mole_size > 0)
        ib_paint(p, ib_lit(s, f->skin, 0.35f * p->shade),
                 0.9f * p->skin *
                     ib_cover(s, sqrtf(mx * mx + my * my) - f->mole_size, 0));
}

/* --- all together ------------------------------------------------------- */

/* Picture to face coordinates, and to the place on the turned head. */
static void locate(const struct ib_face_scene *s, struct ib_face_point *p)
{
    const struct ib_face_view *v = s->view;
    float du = (p->u - v->shift_x) * s->scale;
    float dv = (p->v + 0.02f - v->shift_y) * s->scale;
    p->x = du * s->cos_roll + dv * s->sin_roll;
    p->y = dv * s->cos_roll - du * s->sin_roll;
    if (s->face == NULL)
        return;
    p->head = ib_face_outline(s->face, p->x, p->y, 0);
    float r = 1 + p->head / s->face->width;
    p->z = r < 1 ? sqrtf(1 - r * r) : 0;
    p->skin = ib_cover(s, p->head, 0);
    p->xt = p->x - v->yaw * 0.62f * p->z;
    p->yt = p->y - v->pitch * 0.55f * p->z;
}

static void paint_point(const struct ib_face_scene *s, struct ib_face_point *p)
{
    paint_background(s, p);
    if (s->face == NULL) {
        paint_body(s, p);
        return;
    }
    ib_face_paint_back_hair(s, p);
    paint_neck(s, p);
    paint_body(s, p);
    paint_ears(s, p);
    if (p->skin > 0) {
        paint_skin(s, p);
        ib_face_paint_beard(s, p);
        ib_face_paint_nose(s, p);
        ib_face_paint_mouth(s, p);
        ib_face_paint_eyes(s, p);
    }
    ib_face_paint_hair(s, p);
    ib_face_paint_glasses(s, p);
}

static struct ib_face_scene set_scene(const struct ib_face *f,
                                      const struct ib_face_view *v, int size)
{
    struct ib_face_scene s = {.face = f, .view = v};
    s.cos_roll = (float)ib_cos((double)v->roll);
    s.sin_roll = (float)ib_sin((double)v->roll);
    s.scale = 1 / (head_scale * v->zoom);
    s.px = 2.0f / (float)size * s.scale;
    s.light = ib_scaled(v->lamp, 1.2f * v->exposure);
    if (f == NULL)
        return s;
    s.mouth_w = f->mouth_w * (1 + 0.14f * v->smile - 0.12f * v->open);
    s.mouth_bend = f->mouth_curve + 0.075f * v->smile;
    s.mouth_gap = 0.15f * v->open;
    s.eye_open = 1 - 0.55f * (v->squint > 0 ? v->squint : 0.4f * v->squint);
    s.brow_y = f->eye_y - f->brow_y - v->brow_raise;
    return s;
}

void ib_face_render(const struct ib_face *face, const struct ib_face_view *view,
                    int size, float *rgb)
{
    struct ib_face_scene s = set_scene(face, view, size);
    size_t plane = (size_t)size * (size_t)size;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            struct ib_face_point p = {
                .u = (2.0f * (float)x + 1) / (float)size - 1,
                .v = (2.0f * (float)y + 1) / (float)size - 1};
            locate(&s, &p);
            paint_point(&s, &p);
            const float k[3] = {p.c.r, p.c.g, p.c.b};
            float *out = rgb + (size_t)y * (size_t)size + (size_t)x;
            for (size_t c = 0; c < 3; c++)
                out[c * plane] =
                    ib_clamp01(0.5f + (k[c] - 0.5f) * view->contrast);
        }
}
