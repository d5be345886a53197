/*
 * RUN/images: contact sheets of private images beside what attacks made of
 * them, one a model, attack and access level (first seed), one of controls a
 * model; samples of priors that learn; and images/index.json, which tells the
 * report what stands where.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data_io.h"
#include "recon_io.h"
#include "report.h"
#include "sample.h"

enum { ROWS_MAX = 12, COLUMNS_MAX = 24, SAMPLES = 32 };

struct column {
    const char *caption;
    int node; /* of the reconstructions */
};

struct plate {                                  /* one sheet in the making */
    const char *kind, *model, *attack, *access; /* of a prior: its name for
                                                   the model's */
    uint64_t seed;
    struct column column[COLUMNS_MAX];
    int columns;
};

struct album { /* what all sheets of a run share */
    const struct ib_plan *plan;
    const struct ib_stage_env *env;
    const char *dir;
    const struct ib_open_data *data;
    cJSON *list;
    int sheets;
};

static bool has_result(const struct ib_plan *p, int node)
{
    return node >= 0 && (p->nodes[node].outcome == IB_DONE ||
                         p->nodes[node].outcome == IB_CACHED);
}

/* The image of the identity (-1: of anybody) nearest to x in pixels, or
 * SIZE_MAX. */
static size_t nearest_of(const struct ib_images *images, int identity,
                         const uint8_t *x)
{
    size_t d = ib_shape_size(images->shape), best = SIZE_MAX;
    uint64_t least = UINT64_MAX;

    for (size_t i = 0; i < images->n; i++) {
        if (identity >= 0 && images->identity[i] != identity)
            continue;
        const uint8_t *y = images->pixels + i * d;
        uint64_t sum = 0;
        for (size_t j = 0; j < d; j++) {
            int64_t e = (int64_t)x[j] - y[j];
            sum += (uint64_t)(e * e);
        }
        if (sum < least) {
            least = sum;
            best = i;
        }
    }
    return best;
}

/* An empty cell where there is no picture. */
static void place(struct ib_sheet *sheet, const struct album *a, int row,
                  int column, const uint8_t *pixels)
{
    if (pixels)
        ib_sheet_place(sheet, row, column, a->data->set.shape, pixels);
}

/* Up to ROWS_MAX targets, spread evenly. */
static int spread(int targets, int slot[ROWS_MAX])
{
    int rows = targets < ROWS_MAX ? targets : ROWS_MAX;

    for (int i = 0; i < rows; i++)
        slot[i] = rows > 1 ? i * (targets - 1) / (rows - 1) : 0;
    return rows;
}

static int slot_of(const struct ib_recon *r, int32_t class)
{
    for (int i = 0; i < r->targets; i++)
        if (r->target[i] == class)
            return i;
    return -1;
}

static const uint8_t *recon_at(const struct ib_recon *r, int slot)
{
    if (slot < 0)
        return NULL;
    return r->pixels +
           (size_t)slot * (size_t)r->images * ib_shape_size(r->shape);
}

static const uint8_t *image_at(const struct album *a, enum ib_split split,
                               size_t i)
{
    const struct ib_images *x = &a->data->set.split[split];

    return i < x->n ? x->pixels + i * ib_shape_size(x->shape) : NULL;
}

/* Columns of real images: private ones, and the nearest public one. */
static int real_columns(const struct album *a)
{
    return a->data->set.split[IB_PUBLIC].n > 0 ? 3 : 2;
}

/* Row captions and the columns of real images, after the first column's
 * reconstructions. */
static void place_private(const struct album *a, struct ib_sheet *sheet,
                          const struct ib_recon *r, const int *slot, int rows)
{
    const struct ib_dataset *set = &a->data->set;

    ib_sheet_caption_column(sheet, 0, "private");
    ib_sheet_caption_column(sheet, 1, "nearest");
    if (real_columns(a) > 2)
        ib_sheet_caption_column(sheet, 2, "public");
    for (int i = 0; i < rows; i++) {
        int class = r->target[slot[i]];
        size_t first = SIZE_MAX;
        if (ib_images_of(&set->split[IB_TRAIN], class, &first, 1) > 0)
            place(sheet, a, i, 0, image_at(a, IB_TRAIN, first));
        size_t near =
            nearest_of(&set->split[IB_TRAIN], class, recon_at(r, slot[i]));
        place(sheet, a, i, 1, image_at(a, IB_TRAIN, near));
        if (real_columns(a) > 2)
            place(sheet, a, i, 2,
                  image_at(a, IB_PUBLIC,
                           nearest_of(&set->split[IB_PUBLIC], -1,
                                      recon_at(r, slot[i]))));
        if (class >= 0 && class < set->identities)
            ib_sheet_caption_row(sheet, i, set->names[class]);
    }
}

static void place_column(const struct album *a, struct ib_sheet *sheet,
                         int column, const struct ib_recon *r,
                         const int32_t *class, int rows)
{
    for (int i = 0; i < rows; i++)
        place(sheet, a, i, column, recon_at(r, slot_of(r, class[i])));
}

static enum ib_status open_recon(const struct album *a, int node,
                                 struct ib_recon *r, struct ib_error *err)
{
    enum ib_status s =
        ib_recon_open(a->env->store, a->plan->nodes[node].key, r, err);

    if (s == IB_OK && !ib_shape_equal(r->shape, a->data->set.shape)) {
        ib_recon_close(r);
        s = ib_error_set(err, IB_E_DATA,
                         "reconstructions of %s are not of the data's shape",
                         a->plan->nodes[node].label);
    }
    return s;
}

static enum ib_status fill(const struct album *a, const struct plate *p,
                           struct ib_sheet *sheet, const int *slot, int rows,
                           struct ib_error *err)
{
    int32_t class[ROWS_MAX] = {0};

    for (int c = 0; c < p->columns; c++) {
        struct ib_recon r = {0};
        enum ib_status s = open_recon(a, p->column[c].node, &r, err);
        if (s != IB_OK)
            return s;
        if (c == 0) {
            place_private(a, sheet, &r, slot, rows);
            for (int i = 0; i < rows; i++)
                class[i] = r.target[slot[i]];
        }
        ib_sheet_caption_column(sheet, c + real_columns(a),
                                p->column[c].caption);
        place_column(a, sheet, c + real_columns(a), &r, class, rows);
        ib_recon_close(&r);
    }
    return IB_OK;
}

static void file_name(const struct album *a, const struct plate *p,
                      char out[200])
{
    snprintf(out, 190, "%03d-%.50s-%.60s%s%.16s", a->sheets, p->model,
             p->attack ? p->attack : "controls", p->access ? "-" : "",
             p->access ? p->access : "");
    for (char *c = out; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_."
                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                    *c))
            *c = '-';
    strcat(out, ".png");
}

static enum ib_status list_sheet(const struct album *a, const struct plate *p,
                                 const char *file, struct ib_error *err)
{
    cJSON *o = cJSON_CreateObject(), *columns;

    if (!o)
        return ib_error_set(err, IB_E_NOMEM, "contact sheets: no memory");
    cJSON_AddItemToArray(a->list, o);
    cJSON_AddStringToObject(o, "file", file);
    cJSON_AddStringToObject(o, "kind", p->kind);
    cJSON_AddStringToObject(o, strcmp(p->kind, "prior") ? "model" : "prior",
                            p->model);
    if (p->attack)
        cJSON_AddStringToObject(o, "attack", p->attack);
    if (p->access)
        cJSON_AddStringToObject(o, "access", p->access);
    cJSON_AddNumberToObject(o, "seed", (double)p->seed);
    columns = cJSON_AddArrayToObject(o, "columns");
    for (int i = 0; i < p->columns; i++)
        cJSON_AddItemToArray(columns, cJSON_CreateString(p->column[i].caption));
    return IB_OK;
}

static enum ib_status draw(struct album *a, const struct plate *p,
                           const int *slot, int rows, struct ib_error *err)
{
    struct ib_sheet *sheet = NULL;
    char file[200], path[4096];
    enum ib_status s = ib_sheet_create(
        &sheet, rows, p->columns + real_columns(a), a->data->set.shape, err);

    if (s == IB_OK)
        s = fill(a, p, sheet, slot, rows, err);
    if (s == IB_OK) {
        a->sheets++;
        file_name(a, p, file);
        snprintf(path, sizeof path, "%s/images/%s", a->dir, file);
        s = ib_sheet_write(sheet, path, err);
    }
    if (s == IB_OK)
        s = list_sheet(a, p, file, err);
    ib_sheet_free(sheet);
    return s;
}

static enum ib_status make(struct album *a, const struct plate *p,
                           struct ib_error *err)
{
    struct ib_recon first = {0};
    int slot[ROWS_MAX];

    if (p->columns == 0)
        return IB_OK;
    enum ib_status s = open_recon(a, p->column[0].node, &first, err);
    if (s != IB_OK)
        return s;
    int rows = spread(first.targets, slot);
    ib_recon_close(&first);
    return rows > 0 ? draw(a, p, slot, rows, err) : IB_OK;
}

static enum ib_status attack_sheet(struct album *a, int model, int attack,
                                   enum ib_level access, struct ib_error *err)
{
    const struct ib_suite *suite = a->plan->suite;
    struct plate p = {.kind = "attack",
                      .model = suite->models[model].id,
                      .attack = suite->attacks[attack].id,
                      .access = ib_level_names[access],
                      .seed = suite->seeds[0]};

    for (size_t i = 0; i < a->plan->n_cells; i++) {
        const struct ib_cell *c = &a->plan->cells[i];
        if (c->seed == 0 && c->model == model && c->attack == attack &&
            c->access == access && c->plan == IB_CELL_RUN &&
            has_result(a->plan, c->attack_node) && p.columns < COLUMNS_MAX)
            p.column[p.columns++] =
                (struct column){suite->defenses[c->defense].id, c->attack_node};
    }
    return make(a, &p, err);
}

static enum ib_status control_sheet(struct album *a, int model,
                                    struct ib_error *err)
{
    const struct ib_suite *suite = a->plan->suite;
    struct plate p = {.kind = "control",
                      .model = suite->models[model].id,
                      .seed = suite->seeds[0]};

    for (size_t i = 0; i < a->plan->n_controls; i++) {
        const struct ib_control_cell *c = &a->plan->controls[i];
        if (c->seed == 0 && c->model == model && !c->reason &&
            has_result(a->plan, c->recon_node) && p.columns < COLUMNS_MAX)
            p.column[p.columns++] = (struct column){c->name, c->recon_node};
    }
    return make(a, &p, err);
}

/* Samples of one prior that learns; of the first seed. */
static enum ib_status prior_sheet(struct album *a,
                                  const struct ib_prior_cell *c,
                                  struct ib_error *err)
{
    const struct ib_suite *suite = a->plan->suite;
    const struct ib_suite_attack *attack = &suite->attacks[c->attack];
    const char *name = attack->prior.plugin->name;
    struct plate p = {.kind = "prior",
                      .model = name,
                      .attack = attack->id,
                      .seed = suite->seeds[0]};
    char file[200], path[4096], title[160];
    enum ib_status s;

    if (c->seed != 0 || !has_result(a->plan, c->sample_node))
        return IB_OK;
    a->sheets++;
    file_name(a, &p, file);
    snprintf(path, sizeof path, "%s/images/%s", a->dir, file);
    snprintf(title, sizeof title, "%.60s on %.60s, seed %llu", name,
             suite->dataset.plugin->name, (unsigned long long)p.seed);
    s = ib_sample_sheet(
        a->env,
        &(struct ib_sample_sheet){
            .sample_key = a->plan->nodes[c->sample_node].key,
            .data_key = a->plan->nodes[a->plan->data_node[0]].key,
            .n = SAMPLES,
            .title = title},
        path, err);
    return s == IB_OK ? list_sheet(a, &p, file, err) : s;
}

static enum ib_status all_sheets(struct album *a, struct ib_error *err)
{
    const struct ib_suite *suite = a->plan->suite;
    enum ib_status s = IB_OK;

    for (int m = 0; m < suite->n_models && s == IB_OK; m++) {
        for (int k = 0; k < suite->n_attacks && s == IB_OK; k++)
            for (int l = 0; l < IB_LEVELS && s == IB_OK; l++)
                s = attack_sheet(a, m, k, (enum ib_level)l, err);
        if (s == IB_OK)
            s = control_sheet(a, m, err);
    }
    for (size_t i = 0; i < a->plan->n_priors && s == IB_OK; i++)
        s = prior_sheet(a, &a->plan->priors[i], err);
    return s;
}

static enum ib_status write_index(const struct album *a, cJSON *index,
                                  struct ib_error *err)
{
    struct ib_text t = {0};
    char path[4096];

    snprintf(path, sizeof path, "%s/images/index.json", a->dir);
    enum ib_status s = ib_json_pretty(index, &t, err);
    if (s == IB_OK)
        s = ib_file_write(path, ib_text_string(&t), t.size, err);
    ib_text_free(&t);
    return s;
}

enum ib_status ib_report_sheets(const struct ib_plan *plan,
                                const struct ib_stage_env *env, const char *dir,
                                struct ib_error *err)
{
    struct ib_open_data data = {0};
    struct album a = {.plan = plan, .env = env, .dir = dir, .data = &data};
    char path[4096];
    cJSON *index = NULL;
    enum ib_status s;

    if (plan->suite->n_seeds < 1 || !has_result(plan, plan->data_node[0]))
        return IB_OK;
    snprintf(path, sizeof path, "%s/images", dir);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    index = cJSON_CreateObject();
    cJSON_AddStringToObject(index, "schema", "invbench.images/1");
    a.list = cJSON_AddArrayToObject(index, "sheets");
    if (!a.list) {
        s = ib_error_set(err, IB_E_NOMEM, "contact sheets: no memory");
        goto done;
    }
    s = ib_data_open(env, plan->nodes[plan->data_node[0]].key, &data, err);
    if (s == IB_OK)
        s = all_sheets(&a, err);
    if (s == IB_OK)
        s = write_index(&a, index, err);
done:
    ib_data_close(&data);
    cJSON_Delete(index);
    return s;
}
