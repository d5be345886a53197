/* Who is shown, and how: the random draws. */
#include <invbench/parts/face.h>

#include <invbench/math.h>

#include <math.h>

static float between(struct ib_rng *rng, double low, double high)
{
    return (float)(low + (high - low) * ib_rng_uniform(rng));
}

/* Bell-shaped on [low, high]: the mean of three uniform draws. */
static float around(struct ib_rng *rng, double low, double high)
{
    double u = ib_rng_uniform(rng) + ib_rng_uniform(rng) + ib_rng_uniform(rng);
    return (float)(low + (high - low) * u / 3);
}

static bool chance(struct ib_rng *rng, double p)
{
    return ib_rng_uniform(rng) < p;
}

static struct ib_rgb mix(struct ib_rgb a, struct ib_rgb b, float t)
{
    return (struct ib_rgb){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t,
                           a.b + (b.b - a.b) * t};
}

/* A colour on the line through n anchors, t in [0, 1]. */
static struct ib_rgb along(const struct ib_rgb *anchor, int n, float t)
{
    float x = t * (float)(n - 1);
    int i = (int)x < n - 2 ? (int)x : n - 2;
    return mix(anchor[i], anchor[i + 1], x - (float)i);
}

static struct ib_rgb jitter(struct ib_rng *rng, struct ib_rgb c, double by)
{
    float k = between(rng, 1 - by, 1 + by);
    float r = c.r * k * between(rng, 1 - by / 3, 1 + by / 3);
    float g = c.g * k, b = c.b * k * between(rng, 1 - by / 2, 1 + by / 2);
    return (struct ib_rgb){r < 1 ? r : 1, g < 1 ? g : 1, b < 1 ? b : 1};
}

static void draw_colours(struct ib_rng *rng, struct ib_face *f)
{
    static const struct ib_rgb skins[] = {
        {0.95f, 0.80f, 0.71f}, {0.90f, 0.73f, 0.60f}, {0.84f, 0.64f, 0.49f},
        {0.68f, 0.47f, 0.34f}, {0.48f, 0.31f, 0.22f}, {0.32f, 0.20f, 0.14f}};
    static const struct ib_rgb hairs[] = {
        {0.07f, 0.06f, 0.06f}, {0.14f, 0.10f, 0.08f}, {0.25f, 0.16f, 0.10f},
        {0.40f, 0.26f, 0.15f}, {0.56f, 0.40f, 0.24f}, {0.82f, 0.66f, 0.42f}};
    static const struct ib_rgb red = {0.58f, 0.25f, 0.11f};
    static const struct ib_rgb grey = {0.66f, 0.66f, 0.65f};
    static const struct ib_rgb irises[] = {{0.16f, 0.10f, 0.06f},
                                           {0.32f, 0.20f, 0.10f},
                                           {0.38f, 0.38f, 0.18f},
                                           {0.35f, 0.50f, 0.55f},
                                           {0.30f, 0.48f, 0.68f}};
    static const struct ib_rgb frames[] = {{0.05f, 0.05f, 0.06f},
                                           {0.35f, 0.20f, 0.12f},
                                           {0.55f, 0.55f, 0.58f},
                                           {0.50f, 0.10f, 0.12f}};
    float tone = around(rng, 0, 1);
    float light = tone < 0.5f ? 1 : 1.6f - 1.2f * tone; /* lighter hair */
    f->skin = jitter(rng, along(skins, 6, tone), 0.06);
    f->hair = along(hairs, 6, around(rng, 0, light > 0 ? light : 0));
    if (chance(rng, 0.10) && tone < 0.45f)
        f->hair = red;
    float greyed = f->age > 0.5f ? between(rng, 0, 2.2 * f->age - 1.0) : 0;
    f->hair = mix(f->hair, grey, greyed < 1 ? greyed : 1);
    f->hair = jitter(rng, f->hair, 0.12);
    f->iris = along(irises, 5,
                    tone < 0.5f ? between(rng, 0, 1) : between(rng, 0, 0.3));
    struct ib_rgb rose = {0.72f, 0.28f, 0.28f};
    f->lips = mix(f->skin, rose, between(rng, 0.25, 0.75));
    f->lips = mix(f->lips, (struct ib_rgb){0, 0, 0}, 0.12f * tone);
    f->frame = along(frames, 4, between(rng, 0, 1));
}

static void draw_shape(struct ib_rng *rng, double soft, struct ib_face *f)
{
    f->width = between(rng, 0.60, 0.86);
    f->crown = between(rng, 0.90, 1.08);
    f->chin = between(rng, 0.84, 1.14) - 0.04f * (float)soft;
    f->jaw = between(rng, 0, 1 - 0.5 * soft);
    f->taper = between(rng, 0.05, 0.38);
    f->neck = between(rng, 0.40, 0.56) - 0.07f * (float)soft;
    f->ear = between(rng, 0.12, 0.26);
    f->cheek = between(rng, 0, 1);
    f->blush = between(rng, 0, 0.22);
    f->chin_dimple = between(rng, 0, 1);
    f->relief = between(rng, 0.42, 0.78);
}

static void draw_eyes(struct ib_rng *rng, double soft, struct ib_face *f)
{
    f->eye_x = between(rng, 0.25, 0.41);
    f->eye_y = between(rng, -0.17, 0.10);
    f->eye_w = between(rng, 0.125, 0.215);
    f->eye_h = between(rng, 0.050, 0.115);
    f->eye_tilt = between(rng, -0.28, 0.34);
    f->iris_size = between(rng, 0.065, 0.095);
    f->socket = between(rng, 0.05, 0.45);
    f->crease = between(rng, 0, 0.7);
    f->brow_y = between(rng, 0.14, 0.30);
    f->brow_w = between(rng, 0.17, 0.29);
    f->brow_thick = between(rng, 0.018, 0.066) - 0.012f * (float)soft;
    f->brow_tilt = between(rng, -0.34, 0.30);
    f->brow_arch = between(rng, -0.02, 0.11);
    f->brow_dark = between(rng, 0.45, 1.0);
}

static void draw_nose_and_mouth(struct ib_rng *rng, double soft,
                                struct ib_face *f)
{
    f->nose_y = between(rng, 0.22, 0.46);
    f->nose_w = between(rng, 0.09, 0.24);
    f->nose_ridge = between(rng, 0.035, 0.115);
    f->nose_tip = between(rng, 0.1, 1);
    f->nose_bend = between(rng, -0.03, 0.03);
    f->mouth_y = f->nose_y + between(rng, 0.17, 0.33);
    f->mouth_w = between(rng, 0.20, 0.40);
    f->lip_upper = between(rng, 0.012, 0.075) + 0.012f * (float)soft;
    f->lip_lower = between(rng, 0.025, 0.100) + 0.012f * (float)soft;
    f->mouth_curve = between(rng, -0.06, 0.07);
    f->bow = between(rng, 0, 0.5);
}

static void draw_hair(struct ib_rng *rng, double soft, struct ib_face *f)
{
    static const double men[] = {0.14, 0.16, 0.28, 0.16, 0.10, 0.10, 0.04};
    static const double women[] = {0.01, 0.02, 0.10, 0.12, 0.16, 0.13, 0.20};
    double u = ib_rng_uniform(rng);
    int style = 0;
    for (; style < IB_HAIR_STYLES - 1; style++) {
        double p = men[style] + (women[style] - men[style]) * soft;
        if (u < p)
            break;
        u -= p;
    }
    f->hair_style = (enum ib_hair)style;
    f->hairline = around(rng, 0.44, 0.78);
    f->peak = around(rng, -0.10, 0.14);
    f->volume = between(rng, 0.03, 0.20);
    f->side = between(rng, 0.02, 0.16);
    f->part = (chance(rng, 0.5) ? 1.0f : -1.0f) * between(rng, 0.10, 0.40);
    f->length = between(rng, 0.55, 1.0);
    f->wave = between(rng, 0, 1);
}

static void draw_extras(struct ib_rng *rng, double soft, struct ib_face *f)
{
    double u = ib_rng_uniform(rng) + (soft > 0.5 ? 1 : 0);
    f->beard = u < 0.20   ? IB_BEARD_STUBBLE
               : u < 0.31 ? IB_BEARD_MOUSTACHE
               : u < 0.42 ? IB_BEARD_GOATEE
               : u < 0.60 ? IB_BEARD_FULL
                          : IB_BEARD_NONE;
    f->beard_density = between(rng, 0.55, 0.95);
    u = ib_rng_uniform(rng);
    f->glasses = u < 0.13   ? IB_GLASSES_ROUND
                 : u < 0.26 ? IB_GLASSES_SQUARE
                            : IB_GLASSES_NONE;
    f->glasses_size = between(rng, 0.19, 0.27);
    f->glasses_thick = between(rng, 0.012, 0.034);
    f->mole_x = between(rng, -0.5, 0.5);
    f->mole_y = between(rng, 0.15, 0.75);
    f->mole_size = chance(rng, 0.25) ? between(rng, 0.018, 0.032) : 0;
    f->grain = ib_rng_u32(rng);
}

void ib_face_draw(struct ib_rng *rng, struct ib_face *out)
{
    /* One latent number makes traits go together as they do in people. */
    double soft = ib_rng_uniform(rng);
    *out = (struct ib_face){.age = between(rng, 0, 1)};
    draw_colours(rng, out);
    draw_shape(rng, soft, out);
    draw_eyes(rng, soft, out);
    draw_nose_and_mouth(rng, soft, out);
    draw_hair(rng, soft, out);
    draw_extras(rng, soft, out);
}

static struct ib_rgb any_colour(struct ib_rng *rng, double low, double high)
{
    float grey = between(rng, low, high), by = between(rng, 0, 0.35);
    struct ib_rgb c = {between(rng, low, high), between(rng, low, high),
                       between(rng, low, high)};
    return mix((struct ib_rgb){grey, grey, grey}, c, by * 2);
}

static void draw_light(struct ib_rng *rng, struct ib_face_view *v)
{
    double x = around(rng, -1.5, 1.5), y = around(rng, -1.3, 0.5), z = 0.9;
    double n = 1 / sqrt(x * x + y * y + z * z);
    v->light[0] = (float)(x * n);
    v->light[1] = (float)(y * n);
    v->light[2] = (float)(z * n);
    v->ambient = between(rng, 0.36, 0.60);
    v->diffuse = between(rng, 0.40, 0.75);
    v->exposure = between(rng, 0.68, 1.18);
    float warm = around(rng, -0.10, 0.10);
    v->lamp = (struct ib_rgb){1 + warm, 1, 1 - warm};
}

void ib_face_view_draw(struct ib_rng *rng, struct ib_face_view *out)
{
    struct ib_face_view v = {0};
    v.shift_x = around(rng, -0.15, 0.15);
    v.shift_y = around(rng, -0.12, 0.12);
    v.roll = around(rng, -0.25, 0.25);
    v.zoom = around(rng, 0.88, 1.12);
    v.yaw = around(rng, -0.44, 0.44);
    v.pitch = around(rng, -0.26, 0.26);
    v.smile = around(rng, -0.5, 1.3);
    v.open = chance(rng, 0.3) ? between(rng, 0.1, 1) : 0;
    v.squint = around(rng, -0.15, 0.55);
    v.brow_raise = around(rng, -0.05, 0.06);
    v.hair = around(rng, 0.5, 1.6);
    v.gaze_x = around(rng, -0.7, 0.7);
    v.gaze_y = around(rng, -0.4, 0.4);
    draw_light(rng, &v);
    v.back[0] = any_colour(rng, 0.05, 0.95);
    v.back[1] = mix(v.back[0], any_colour(rng, 0.05, 0.95), 0.5f);
    v.cloth = any_colour(rng, 0.05, 0.9);
    v.back_x = between(rng, -0.7, 0.7);
    v.back_y = between(rng, -0.7, 0.7);
    v.spot_x = between(rng, -1, 1);
    v.spot_y = between(rng, -1, 1);
    v.spot = between(rng, -0.25, 0.25);
    v.collar = between(rng, 0, 1);
    v.contrast = between(rng, 0.80, 1.15);
    v.noise = between(rng, 0.005, 0.04);
    *out = v;
}
