/*
 * Principal components of the public images (Turk, Pentland, "Eigenfaces for
 * Recognition", Journal of Cognitive Neuroscience 3(1), 1991): x = mean + sum_k
 * z_k s_k v_k, clamped to [0, 1], where s_k is the standard deviation of the
 * public images along v_k. z is kept within 3 standard deviations.
 *
 * Deviations: of more than 256 public images 256 are taken, evenly spaced. The
 * eigenvectors come from the images' Gram matrix by cyclic Jacobi rotations.
 */
#include <invbench/prior.h>

#include <math.h>
#include <string.h>

#include <invbench/math.h>
#include <invbench/parts/pca.h>

enum { IMAGES_MAX = 256, ROWS = 64 };
#define Z_MAX 3.0f

struct options {
    int64_t components;
};

static const struct ib_option table[] = {
    {.name = "components",
     .type = IB_INT,
     .value = "50",
     .min = 1,
     .max = IMAGES_MAX - 1,
     .offset = offsetof(struct options, components),
     .help = "principal components; fewer where the images span fewer"},
    {0},
};

struct state {
    size_t d, k;
    float *mean;  /* D */
    float *basis; /* k x D: s_k v_k */
    float *black; /* k: z of the black image */
    float *work;  /* ROWS x D */
};

static void pca_project(const void *opaque, size_t n, float *z)
{
    const struct state *s = opaque;

    for (size_t i = 0; i < n * s->k; i++)
        z[i] = fminf(fmaxf(z[i], -Z_MAX), Z_MAX);
}

static bool take(struct state *s, size_t n, float **x, struct ib_scratch *from)
{
    s->mean = ib_scratch_take(from, s->d, sizeof(float));
    s->basis = ib_scratch_take(from, s->k, s->d * sizeof(float));
    s->black = ib_scratch_take(from, s->k, sizeof(float));
    s->work = ib_scratch_take(from, ROWS, s->d * sizeof(float));
    *x = ib_scratch_take(from, n, s->d * sizeof(float));
    return s->mean && s->basis && s->black && s->work && *x;
}

/* The z whose image is nearest to black. */
static void find_black(struct state *s)
{
    for (size_t k = 0; k < s->k; k++) {
        const float *v = s->basis + k * s->d;
        double square = ib_dot(s->d, v, v);

        if (square > 0)
            s->black[k] = (float)(-ib_dot(s->d, v, s->mean) / square);
    }
    pca_project(s, 1, s->black);
}

static enum ib_status fit(struct state *s, const struct ib_images *images,
                          struct ib_scratch *scratch, struct ib_error *err)
{
    size_t n = images->n < IMAGES_MAX ? images->n : IMAGES_MAX;
    struct ib_pca pca = {.n = n, .d = s->d};
    enum ib_status status;

    if (s->k >= n)
        s->k = n - 1;
    if (!take(s, n, &pca.x, scratch))
        return ib_error_set(err, IB_E_NOMEM, "no memory for the prior pca");
    for (size_t i = 0; i < n; i++)
        ib_image_to_float(images->pixels + i * images->n / n * s->d, s->d,
                          pca.x + i * s->d);
    pca.k = s->k;
    pca.mean = s->mean;
    pca.basis = s->basis;
    status = ib_pca_fit(&pca, scratch, err);
    s->k = pca.k;
    if (status == IB_OK)
        find_black(s);
    return status;
}

static size_t pca_open(const void *opaque, const struct ib_prior_env *env,
                       void **out, struct ib_error *err)
{
    const struct options *o = opaque;
    const struct ib_images *images = env->public_images;
    struct state *s = ib_scratch_take(env->scratch, 1, sizeof(*s));

    if (!s) {
        ib_error_set(err, IB_E_NOMEM, "no memory for the prior pca");
        return 0;
    }
    if (!images || images->n < 2) {
        ib_error_set(err, IB_E_DENIED,
                     "the prior pca needs at least 2 public images; the data "
                     "set has %zu",
                     images ? images->n : 0);
        return 0;
    }
    s->d = ib_shape_size(env->shape);
    s->k = (size_t)o->components;
    if (fit(s, images, env->scratch, err) != IB_OK)
        return 0;
    *out = s;
    return s->k;
}

static enum ib_status pca_start(const void *opaque, enum ib_start start,
                                struct ib_rng *rng, float *z,
                                struct ib_error *err)
{
    const struct state *s = opaque;

    (void)err;
    memset(z, 0, s->k * sizeof(*z));
    if (start == IB_START_BLACK)
        memcpy(z, s->black, s->k * sizeof(*z));
    if (start == IB_START_RANDOM)
        ib_rng_fill_normal(rng, z, s->k, 1);
    pca_project(s, 1, z);
    return IB_OK;
}

/* x = mean + z B, not clamped. */
static void linear(const struct state *s, size_t n, const float *z, float *x)
{
    struct ib_gemm g = {.m = (int)n,
                        .n = (int)s->d,
                        .k = (int)s->k,
                        .alpha = 1,
                        .beta = 1,
                        .lda = (int)s->k,
                        .ldb = (int)s->d,
                        .ldc = (int)s->d};

    for (size_t i = 0; i < n; i++)
        memcpy(x + i * s->d, s->mean, s->d * sizeof(*x));
    ib_sgemm(x, z, s->basis, &g);
}

static void pca_decode(const void *opaque, size_t n, const float *z, float *x)
{
    const struct state *s = opaque;

    linear(s, n, z, x);
    for (size_t i = 0; i < n * s->d; i++) {
        float v = x[i] > 0 ? x[i] : 0;

        x[i] = v < 1 ? v : 1;
    }
}

/* A pixel that is clamped has no derivative. */
static void vjp_rows(const struct state *s, size_t n, const float *z,
                     const float *dx, float *dz)
{
    struct ib_gemm g = {.tb = true,
                        .m = (int)n,
                        .n = (int)s->k,
                        .k = (int)s->d,
                        .alpha = 1,
                        .lda = (int)s->d,
                        .ldb = (int)s->d,
                        .ldc = (int)s->k};

    linear(s, n, z, s->work);
    for (size_t i = 0; i < n * s->d; i++)
        s->work[i] = s->work[i] >= 0 && s->work[i] <= 1 ? dx[i] : 0;
    ib_sgemm(dz, s->work, s->basis, &g);
}

static void pca_vjp(const void *opaque, size_t n, const float *z,
                    const float *dx, float *dz)
{
    const struct state *s = opaque;

    for (size_t i = 0; i < n; i += ROWS)
        vjp_rows(s, n - i < ROWS ? n - i : ROWS, z + i * s->k, dx + i * s->d,
                 dz + i * s->k);
}

const struct ib_prior ib_prior_pca = {
    .plugin =
        {
            .kind = IB_KIND_PRIOR,
            .name = "pca",
            .summary = "combinations of the public images' principal "
                       "components",
            .citation = "Turk, Pentland: Eigenfaces for Recognition. Journal "
                        "of Cognitive Neuroscience 3(1), 1991",
            .license = "MIT",
            .version = "1",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .open = pca_open,
    .start = pca_start,
    .decode = pca_decode,
    .vjp = pca_vjp,
    .project = pca_project,
};
