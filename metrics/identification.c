/*
 * Identification by SSIM: does a search through all private images return the
 * person? What an onlooker does who holds the photographs and asks whom a
 * reconstruction shows.
 *
 * The gallery is every private (training) image of every identity; an
 * identity is as similar as its most similar image; ties count against the
 * target, so that an image that resembles all people alike finds nobody.
 * invbench's own; see core/harness for the SSIM.
 */
#include <math.h>

#include <invbench/metric.h>

enum { TOP1, TOP5, RANK, COLUMNS };

/* similarity: of one reconstruction with each private image. best: K. */
static int rank_of(const struct ib_metric_env *env, const double *similarity,
                   int32_t target, double *best)
{
    int rank = 1;
    for (int k = 0; k < env->classes; k++)
        best[k] = -INFINITY;
    for (size_t j = 0; j < env->train->n; j++) {
        int32_t who = env->train->identity[j];
        if (similarity[j] > best[who])
            best[who] = similarity[j];
    }
    if (!(best[target] > -INFINITY))
        return 0;
    for (int k = 0; k < env->classes; k++)
        rank += k != target && best[k] >= best[target];
    return rank;
}

static void fill(const struct ib_metric_env *env, size_t i, int rank,
                 double *value, const char **reason)
{
    size_t n = env->n;
    bool five = rank && env->classes >= 10;
    value[TOP1 * n + i] = rank ? rank == 1 : NAN;
    value[TOP5 * n + i] = five ? rank <= 5 : NAN;
    value[RANK * n + i] = rank ? (double)rank : NAN;
    if (!rank)
        *reason = "the identity has no private image";
    else if (!five)
        *reason = "top-5 says nothing below 10 classes";
}

/* Rows first .. first + count; all: room for count x m similarities. */
static enum ib_status score_rows(const struct ib_metric_env *env, size_t first,
                                 size_t count, double *all,
                                 struct ib_error *err)
{
    size_t d = ib_shape_size(env->shape);
    struct ib_ssim_pairs q = {.shape = env->shape,
                              .n = count,
                              .m = env->train->n,
                              .a = env->image + first * d,
                              .b = env->train->pixels,
                              .out = all};
    return ib_ssim_matrix(&q, env->scratch, err);
}

static enum ib_status score(const void *options,
                            const struct ib_metric_env *env, double *value,
                            const char **reason, struct ib_error *err)
{
    size_t m = env->train->n, rows = ((size_t)1 << 22) / (m + 1) + 1;
    if (rows > env->n)
        rows = env->n;
    double *all = ib_scratch_take(env->scratch, rows * m + 1, sizeof *all);
    double *best =
        ib_scratch_take(env->scratch, (size_t)env->classes, sizeof *best);
    enum ib_status status = IB_OK;
    (void)options;
    if (!all || !best)
        return ib_error_set(err, IB_E_NOMEM, "identification: no memory");
    for (size_t i = 0; !status && i < env->n; i += rows) {
        size_t count = env->n - i < rows ? env->n - i : rows;
        status = score_rows(env, i, count, all, err);
        for (size_t r = 0; !status && r < count; r++)
            fill(env, i + r,
                 rank_of(env, all + r * m, env->target[i + r], best), value,
                 reason);
    }
    return status;
}

static const struct ib_column columns[] = {
    [TOP1] = {.name = "id_top1",
              .min = 0,
              .max = 1,
              .direction = IB_HIGHER_LEAKS,
              .definition = "1 where the private image most similar by SSIM, "
                            "of all identities' training images, shows the "
                            "target; ties count against"},
    [TOP5] = {.name = "id_top5",
              .min = 0,
              .max = 1,
              .direction = IB_HIGHER_LEAKS,
              .definition = "1 where the target is among the five identities "
                            "most similar by SSIM; null below 10 classes"},
    [RANK] = {.name = "id_rank",
              .unit = "rank",
              .min = 1,
              .max = INFINITY,
              .direction = IB_LOWER_LEAKS,
              .definition = "place of the target among all identities by SSIM "
                            "of their most similar private image"},
    {0},
};

const struct ib_metric ib_metric_identification = {
    .plugin =
        {
            .kind = IB_KIND_METRIC,
            .name = "identification",
            .summary = "retrieval over all private images by SSIM",
            .citation = "invbench",
            .license = "MIT",
            .version = "1",
        },
    .columns = columns,
    .score = score,
};
