/* invbench attack: one attack; what it brought home as .npy and as a sheet. */
#include <stdio.h>

#include "data_io.h"
#include "recon_io.h"
#include "report.h"
#include "run_cell.h"

enum { ROWS_MAX = 12 };

struct attacking {
    struct ib_session session;
    const char *prefix; /* of the files it writes */
    bool json;
    int code;
};

static double total(const cJSON *queries, const char *kind)
{
    const cJSON *item;
    double sum = 0;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(queries, kind))
    {
        sum += item->valuedouble;
    }
    return sum;
}

/* A private image of each person beside what was found. */
static enum ib_status write_sheet(const struct ib_recon *r,
                                  const struct ib_dataset *set,
                                  const char *path, struct ib_error *err)
{
    const struct ib_images *train = &set->split[IB_TRAIN];
    size_t d = ib_shape_size(r->shape), index;
    int rows = r->targets < ROWS_MAX ? r->targets : ROWS_MAX;
    struct ib_sheet *sheet = NULL;
    enum ib_status s = ib_sheet_create(&sheet, rows, 2, r->shape, err);

    if (s)
        return s;
    ib_sheet_caption_column(sheet, 0, "private");
    ib_sheet_caption_column(sheet, 1, "found");
    for (int i = 0; i < rows; i++) {
        int slot = i * r->targets / rows;

        ib_sheet_caption_row(sheet, i, set->names[r->target[slot]]);
        if (ib_images_of(train, r->target[slot], &index, 1))
            ib_sheet_place(sheet, i, 0, r->shape, train->pixels + index * d);
        ib_sheet_place(sheet, i, 1, r->shape,
                       r->pixels + (size_t)slot * (size_t)r->images * d);
    }
    s = ib_sheet_write(sheet, path, err);
    ib_sheet_free(sheet);
    return s;
}

static enum ib_status tell_json(const struct ib_console *console,
                                const struct ib_recon *r, const char *npy,
                                const char *png, struct ib_error *err)
{
    cJSON *o = cJSON_CreateObject();
    struct ib_text text = {0};
    enum ib_status s;

    cJSON_AddStringToObject(o, "reconstructions", npy);
    cJSON_AddStringToObject(o, "sheet", png);
    cJSON_AddItemToObject(o, "result", cJSON_Duplicate(r->meta, true));
    s = ib_json_pretty(o, &text, err);
    if (!s)
        ib_console_out(console, "%s\n", ib_text_string(&text));
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

static enum ib_status write_files(const struct attacking *a,
                                  const struct ib_recon *r,
                                  struct ib_error *err)
{
    const struct ib_console *console = a->session.command->console;
    const struct ib_plan *p = a->session.plan;
    const size_t size[] = {(size_t)r->targets, (size_t)r->images,
                           (size_t)r->shape.c, (size_t)r->shape.h,
                           (size_t)r->shape.w};
    const cJSON *queries = cJSON_GetObjectItemCaseSensitive(r->meta, "queries");
    struct ib_open_data data;
    char npy[PATH_MAX], png[PATH_MAX];
    enum ib_status s;

    if (snprintf(npy, sizeof(npy), "%s.npy", a->prefix) >= PATH_MAX ||
        snprintf(png, sizeof(png), "%s.png", a->prefix) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "--out: too long a name");
    s = ib_npy_write(npy, 5, size, r->pixels, err);
    if (!s)
        s = ib_data_open(&a->session.env, p->nodes[p->data_node[0]].key, &data,
                         err);
    if (s)
        return s;
    s = write_sheet(r, &data.set, png, err);
    ib_data_close(&data);
    if (!s && a->json)
        s = tell_json(console, r, npy, png, err);
    else if (!s)
        ib_console_out(console,
                       "%d people, %.0f score, %.0f label and %.0f gradient "
                       "queries\nreconstructions: %s\nsheet: %s\n",
                       r->targets, total(queries, "forward"),
                       total(queries, "label"), total(queries, "gradient"), npy,
                       png);
    return s;
}

static enum ib_status make(void *ctx, struct ib_error *err)
{
    struct attacking *a = ctx;
    const struct ib_plan *p = a->session.plan;
    const struct ib_plan_node *node = &p->nodes[p->cells[0].attack_node];
    struct ib_recon recon;
    enum ib_status s;

    if (ib_session_lacks(&a->session, node, &a->code))
        return IB_OK;
    s = ib_recon_open(a->session.store, node->key, &recon, err);
    if (s)
        return s;
    s = write_files(a, &recon, err);
    ib_recon_close(&recon);
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    const char *out = ib_args_get(args, "out");
    struct attacking a = {.prefix = out ? out : "attack",
                          .json = ib_args_has(args, "json")};
    int code = IB_EXIT_OK;
    enum ib_status s = ib_cell_open(&a.session, env, args, err);

    if (!s)
        s = ib_cell_runs(&a.session, err);
    if (!s)
        s = ib_cell_run(&a.session, a.session.plan->cells[0].attack_node, &code,
                        make, &a, err);
    ib_session_close(&a.session);
    return ib_cell_exit(s, code ? code : a.code);
}

static const struct ib_flag flags[] = {
    IB_CELL_FLAGS,
    IB_CELL_FLAGS_ATTACK,
    {"out", "PREFIX", "write PREFIX.npy and PREFIX.png (default attack)",
     false},
    IB_SESSION_FLAGS,
    IB_RUN_FLAGS,
    {0},
};

const struct ib_command ib_cmd_attack = {
    .name = "attack",
    .synopsis = "[--attack A] [--model M] [--out PREFIX] | --suite S --cell C",
    .summary = "run one attack and show what it finds",
    .details =
        "Trains what is to be attacked (or takes it from the store), lets the "
        "attack ask it\nthrough the oracle, and writes the reconstructions as "
        "a .npy array (people, images,\nchannels, rows, columns; 8 bits) and "
        "as a sheet of private and found images.\n\n"
        "  invbench attack --attack mi-face --model softmax\n"
        "  invbench attack --suite suites/quick.json --cell "
        "softmax/none/mi-face/gradients/s1\n",
    .flags = flags,
    .run = run,
};
