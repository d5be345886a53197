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
    const float *mean;  /* D */
    const float *basis; /* k x D: s_k v_k */
    float *black;       /* k: z of the black image */
    float *work;        /* ROWS x D */
};

static void pca_project(const void *opaque, size_t n, float *z)
{
    const struct state *s = opaque;

    for (size_t i = 0; i < n * s->k; i++)
        z[i] = fminf(fmaxf(z[i], -Z_MAX), Z_MAX);
}

/* --- fit ----------------------------------------------------------------- */

/* What is kept: header, mean (D), basis (k x D). */
struct header {
    char magic[8];
    uint32_t d, k;
};
static const char magic[8] = "IBPCA1\n";

/* Numbers after the header. */
static size_t numbers(size_t d, size_t k)
{
    return (1 + k) * d;
}

static enum ib_status find_components(struct ib_pca *pca, char *kept,
                                      const struct ib_prior_fit *fit,
                                      struct ib_error *err)
{
    const struct ib_images *images = fit->images;
    struct header head = {.d = (uint32_t)pca->d};
    enum ib_status s;

    for (size_t i = 0; i < pca->n; i++)
        ib_image_to_float(images->pixels + i * images->n / pca->n * pca->d,
                          pca->d, pca->x + i * pca->d);
    pca->mean = (float *)(void *)(kept + sizeof(head));
    pca->basis = pca->mean + pca->d;
    s = ib_pca_fit(pca, fit->scratch, err);
    head.k = (uint32_t)pca->k;
    memcpy(head.magic, magic, sizeof(magic));
    memcpy(kept, &head, sizeof(head));
    return s;
}

static enum ib_status pca_fit(const void *opaque, struct ib_prior_fit *fit,
                              struct ib_error *err)
{
    const struct options *o = opaque;
    size_t n = fit->images->n < IMAGES_MAX ? fit->images->n : IMAGES_MAX;
    struct ib_pca pca = {.n = n, .d = ib_shape_size(fit->shape)};
    char *kept;
    enum ib_status s;

    if (n < 2)
        return ib_error_set(err, IB_E_DENIED,
                            "the prior pca needs at least 2 public images; "
                            "there is %zu",
                            n);
    pca.k = (size_t)o->components < n ? (size_t)o->components : n - 1;
    pca.x = ib_scratch_take(fit->scratch, n, pca.d * sizeof(float));
    kept = ib_scratch_take(fit->scratch, 1,
                           sizeof(struct header) +
                               numbers(pca.d, pca.k) * sizeof(float));
    if (!pca.x || !kept)
        return ib_error_set(err, IB_E_NOMEM, "no memory for the prior pca");
    s = find_components(&pca, kept, fit, err);
    fit->data = kept;
    fit->size = sizeof(struct header) + numbers(pca.d, pca.k) * sizeof(float);
    fit->number[0] = (struct ib_prior_number){"components", (double)pca.k};
    fit->numbers = 1;
    return s;
}

/* --- use ----------------------------------------------------------------- */

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

/* NULL, or what is wrong with the kept bytes. */
static const char *read_kept(struct state *s, const struct ib_prior_env *env)
{
    struct header head;
    size_t n;

    if (env->fitted_size < sizeof(head))
        return "they are too short";
    memcpy(&head, env->fitted, sizeof(head));
    if (memcmp(head.magic, magic, sizeof(magic)) != 0)
        return "they are of another kind";
    if (head.d != s->d || head.k < 1 || head.k >= IMAGES_MAX)
        return "they are of another shape";
    s->k = head.k;
    n = numbers(s->d, s->k);
    if (env->fitted_size != sizeof(head) + n * sizeof(float))
        return "their length is not what they say";
    s->mean =
        (const float *)(const void *)((const char *)env->fitted + sizeof(head));
    s->basis = s->mean + s->d;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(s->mean[i]))
            return "not all of their numbers are finite";
    return NULL;
}

static size_t pca_open(const void *options, const struct ib_prior_env *env,
                       void **out, struct ib_error *err)
{
    struct state *s = ib_scratch_take(env->scratch, 1, sizeof(*s));
    const char *wrong;

    (void)options;
    if (!s)
        goto no_memory;
    s->d = ib_shape_size(env->shape);
    wrong = read_kept(s, env);
    if (wrong) {
        ib_error_set(err, IB_E_DATA, "the %zu bytes kept for the prior pca: %s",
                     env->fitted_size, wrong);
        return 0;
    }
    s->black = ib_scratch_take(env->scratch, s->k, sizeof(float));
    s->work = ib_scratch_take(env->scratch, ROWS, s->d * sizeof(float));
    if (!s->black || !s->work)
        goto no_memory;
    find_black(s);
    *out = s;
    return s->k;

no_memory:
    ib_error_set(err, IB_E_NOMEM, "no memory for the prior pca");
    return 0;
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
            .version = "2",
            .options = table,
            .options_size = sizeof(struct options),
        },
    .fitted = true,
    .fit = pca_fit,
    .open = pca_open,
    .start = pca_start,
    .decode = pca_decode,
    .vjp = pca_vjp,
    .project = pca_project,
};
