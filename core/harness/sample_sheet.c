/* Contact sheets of samples: each beside its nearest public image. */
#include <math.h>
#include <string.h>

#include "data_io.h"
#include "json_put.h"
#include "report.h"
#include "sample.h"

enum { PAIRS = 4 }; /* in a row */

struct sheet {
    const struct ib_sample_sheet *s;
    struct ib_artifact sample;
    struct ib_open_data data;
    const cJSON *meta; /* "sample" */
    int n;
};

static enum ib_status open_sheet(struct sheet *t,
                                 const struct ib_stage_env *env,
                                 struct ib_error *err)
{
    enum ib_status s =
        ib_store_get(env->store, t->s->sample_key, &t->sample, err);
    double n;

    if (!s)
        s = ib_data_open(env, t->s->data_key, &t->data, err);
    if (s)
        return s;
    t->meta = ib_at(t->sample.meta, "sample");
    n = ib_at_number(t->meta, "n");
    if (!(n >= 1) ||
        t->sample.size != (size_t)n * ib_shape_size(t->data.set.shape) ||
        cJSON_GetArraySize(ib_at(t->meta, "nearest")) != (int)n)
        return ib_error_set(err, IB_E_DATA,
                            "artifact %s holds no samples of this data",
                            t->s->sample_key);
    t->n = t->s->n < (int)n ? t->s->n : (int)n;
    return IB_OK;
}

static void add_number(struct ib_text *out, const char *name, double x,
                       double real)
{
    if (isfinite(x))
        ib_text_add(out, " %s %.3g", name, x);
    else
        ib_text_add(out, " %s n/a", name);
    if (isfinite(real))
        ib_text_add(out, " (real images %.3g)", real);
    ib_text_add(out, ".");
}

static void write_legend(const struct sheet *t, struct ib_text *out)
{
    static const char *const names[][3] = {
        {"Frechet distance to held-out images", "frechet", "frechet_real"},
        {"Precision", "precision", "precision_real"},
        {"Recall", "recall", "recall_real"},
        {"Density", "density", "density_real"},
        {"Coverage", "coverage", "coverage_real"},
    };
    const cJSON *scores = ib_at(t->meta, "scores");
    const char *verdict = ib_at_text(t->meta, "verdict");

    ib_text_add(out,
                "%s: %d of %.0f samples, each beside the public image that is "
                "nearest in pixels, of the %.0f that it learnt from.",
                t->s->title, t->n, ib_at_number(t->meta, "n"),
                ib_at_number(t->meta, "seen"));
    for (size_t i = 0; i < IB_COUNT(names); i++)
        add_number(out, names[i][0], ib_at_number(scores, names[i][1]),
                   ib_at_number(scores, names[i][2]));
    ib_text_add(out, " %s", verdict ? verdict : "");
}

static void place_pair(const struct sheet *t, struct ib_sheet *sheet, int i)
{
    const struct ib_images *publics = &t->data.set.split[IB_PUBLIC];
    size_t d = ib_shape_size(publics->shape);
    const cJSON *nearest = cJSON_GetArrayItem(ib_at(t->meta, "nearest"), i);
    double at = cJSON_IsNumber(nearest) ? nearest->valuedouble : -1;
    int row = i / PAIRS, column = i % PAIRS * 2;

    ib_sheet_place(sheet, row, column, publics->shape,
                   (const uint8_t *)t->sample.data + (size_t)i * d);
    if (at >= 0 && at < (double)publics->n)
        ib_sheet_place(sheet, row, column + 1, publics->shape,
                       publics->pixels + (size_t)at * d);
}

static enum ib_status draw(const struct sheet *t, const char *path,
                           struct ib_error *err)
{
    int rows = (t->n + PAIRS - 1) / PAIRS;
    int pairs = t->n < PAIRS ? t->n : PAIRS;
    struct ib_text legend = {0};
    struct ib_sheet *sheet = NULL;
    enum ib_status s =
        ib_sheet_create(&sheet, rows, 2 * pairs, t->data.set.shape, err);

    if (s)
        return s;
    for (int i = 0; i < pairs; i++) {
        ib_sheet_caption_column(sheet, 2 * i, "sample");
        ib_sheet_caption_column(sheet, 2 * i + 1, "nearest");
    }
    for (int i = 0; i < t->n; i++)
        place_pair(t, sheet, i);
    write_legend(t, &legend);
    ib_sheet_legend(sheet, ib_text_string(&legend));
    s = ib_sheet_write(sheet, path, err);
    ib_text_free(&legend);
    ib_sheet_free(sheet);
    return s;
}

enum ib_status ib_sample_sheet(const struct ib_stage_env *env,
                               const struct ib_sample_sheet *s,
                               const char *path, struct ib_error *err)
{
    struct sheet t = {.s = s};
    enum ib_status status = open_sheet(&t, env, err);

    if (!status)
        status = draw(&t, path, err);
    if (t.data.owned)
        ib_data_close(&t.data);
    ib_artifact_free(&t.sample);
    return status;
}
