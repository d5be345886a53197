#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_data.h"
#include "data_io.h"
#include "options_io.h"
#include "report.h"

struct preview {
    const char *out;
    int64_t seed, rows, columns;
    struct ib_dataset_env env;
    struct ib_use use;
};

/* --- options -------------------------------------------------------------- */

/* "key=json" into object; what is no JSON is taken as text. */
enum ib_status ib_data_option(cJSON *object, const char *text,
                              struct ib_error *err)
{
    const char *equals = strchr(text, '=');
    char key[IB_NAME_MAX];
    cJSON *value = NULL;
    if (equals == NULL || equals == text ||
        (size_t)(equals - text) >= sizeof key)
        return ib_error_set(err, IB_E_USAGE,
                            "--set %s: KEY=JSON is wanted, such as size=32",
                            text);
    memcpy(key, text, (size_t)(equals - text));
    key[equals - text] = '\0';
    if (ib_json_parse(equals + 1, strlen(equals + 1), "--set", &value, NULL) !=
        IB_OK)
        value = cJSON_CreateString(equals + 1);
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    if (!cJSON_AddItemToObject(object, key, value)) {
        cJSON_Delete(value);
        return ib_error_set(err, IB_E_NOMEM, "no memory for options");
    }
    return IB_OK;
}

static enum ib_status choose_dataset(const struct ib_command_env *env,
                                     const struct ib_args *args,
                                     struct ib_use *use, struct ib_error *err)
{
    const char *name = ib_args_get(args, "dataset");
    const char *const *set = ib_args_all(args, "set");
    cJSON *object = cJSON_CreateObject();
    enum ib_status s = IB_OK;
    cJSON_AddStringToObject(object, "name", name ? name : "synthfaces");
    for (; *set != NULL && s == IB_OK; set++)
        s = ib_data_option(object, *set, err);
    if (s == IB_OK)
        s = ib_use_parse(env->registry, IB_KIND_DATASET, object,
                         &(struct ib_place){.path = "--dataset"}, use, err);
    cJSON_Delete(object);
    return s;
}

static enum ib_status read_args(const struct ib_command_env *env,
                                const struct ib_args *args, struct preview *p,
                                struct ib_error *err)
{
    const char *data = ib_args_get(args, "data");
    p->out = ib_args_get(args, "out");
    if (p->out == NULL)
        return ib_error_set(err, IB_E_USAGE,
                            "--out FILE.png is needed: where the contact "
                            "sheet goes");
    enum ib_status s =
        ib_args_int(args, "seed", 0, ((int64_t)1 << 53) - 1, &p->seed, err);
    if (s == IB_OK)
        s = ib_args_int(args, "rows", 1, 1000, &p->rows, err);
    if (s == IB_OK)
        s = ib_args_int(args, "columns", 1, 1000, &p->columns, err);
    p->env = (struct ib_dataset_env){
        .seed = (uint64_t)p->seed,
        .data_dir = data != NULL ? data : getenv("INVBENCH_DATA")};
    return s == IB_OK ? choose_dataset(env, args, &p->use, err) : s;
}

/* --- the sheet ------------------------------------------------------------ */

static void place_person(struct ib_sheet *sheet, const struct ib_dataset *d,
                         int row, int identity, int64_t columns)
{
    int column = 0;
    ib_sheet_caption_row(sheet, row, d->names[identity]);
    for (int k = 0; k < IB_SPLITS; k++) {
        const struct ib_images *x = &d->split[k];
        for (size_t i = 0; i < x->n && column < columns; i++)
            if (x->identity[i] == identity)
                ib_sheet_place(sheet, row, column++, d->shape,
                               x->pixels + i * ib_shape_size(d->shape));
    }
}

static enum ib_status draw(const struct preview *p, const struct ib_dataset *d,
                           struct ib_error *err)
{
    struct ib_sheet *sheet = NULL;
    int rows = (int)p->rows < d->identities ? (int)p->rows : d->identities;
    enum ib_status s =
        ib_sheet_create(&sheet, rows, (int)p->columns, d->shape, err);
    if (s != IB_OK)
        return s;
    /* Spread evenly, so that the public ones come last and are there. */
    for (int r = 0; r < rows; r++)
        place_person(sheet, d, r, (int)((int64_t)r * d->identities / rows),
                     p->columns);
    s = ib_sheet_write(sheet, p->out, err);
    ib_sheet_free(sheet);
    return s;
}

static cJSON *describe(const struct preview *p, const struct ib_dataset *d)
{
    const int shape[3] = {d->shape.c, d->shape.h, d->shape.w};
    cJSON *v = cJSON_CreateObject();
    cJSON_AddStringToObject(v, "dataset", p->use.plugin->name);
    cJSON_AddItemToObject(
        v, "options", ib_options_echo(p->use.plugin->options, p->use.options));
    cJSON_AddNumberToObject(v, "seed", (double)p->seed);
    cJSON_AddItemToObject(v, "shape", cJSON_CreateIntArray(shape, 3));
    cJSON_AddNumberToObject(v, "classes", d->classes);
    cJSON_AddNumberToObject(v, "identities", d->identities);
    cJSON *splits = cJSON_AddObjectToObject(v, "splits");
    for (int k = 0; k < IB_SPLITS; k++)
        cJSON_AddNumberToObject(splits, ib_split_names[k],
                                (double)d->split[k].n);
    cJSON_AddStringToObject(v, "license", d->license);
    cJSON_AddStringToObject(v, "file", p->out);
    return v;
}

static enum ib_status say(const struct ib_command_env *env,
                          const struct preview *p, const struct ib_dataset *d,
                          bool json, struct ib_error *err)
{
    enum ib_status s = IB_OK;
    if (json) {
        struct ib_text text = {0};
        cJSON *v = describe(p, d);
        s = ib_json_pretty(v, &text, err);
        if (s == IB_OK)
            env->console->out(ib_text_string(&text), text.size);
        ib_text_free(&text);
        cJSON_Delete(v);
        return s;
    }
    ib_console_out(env->console,
                   "%s: %d private and %d public identities, %d x %d pixels, "
                   "%s\n",
                   p->use.plugin->name, d->classes, d->identities - d->classes,
                   d->shape.w, d->shape.h, d->shape.c == 3 ? "RGB" : "grey");
    for (int k = 0; k < IB_SPLITS; k++)
        if (d->split[k].n > 0)
            ib_console_out(env->console, "  %-8s %zu images\n",
                           ib_split_names[k], d->split[k].n);
    ib_console_out(env->console, "%s\n", p->out);
    return s;
}

static int preview_run(const struct ib_command_env *env,
                       const struct ib_args *args, struct ib_error *err)
{
    struct preview p = {.seed = 1, .rows = 12, .columns = 10};
    struct ib_dataset_builder *b = NULL;
    enum ib_status s = read_args(env, args, &p, err);
    if (s != IB_OK) {
        ib_use_free(&p.use);
        return s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    }
    s = ib_dataset_build(&p.use, &p.env, &b, err);
    if (s == IB_OK)
        s = ib_dataset_assert(ib_dataset_view(b), err);
    if (s == IB_OK)
        s = draw(&p, ib_dataset_view(b), err);
    if (s == IB_OK)
        s = say(env, &p, ib_dataset_view(b), ib_args_has(args, "json"), err);
    ib_dataset_builder_free(b);
    ib_use_free(&p.use);
    return s == IB_OK        ? IB_EXIT_OK
           : s == IB_E_USAGE ? IB_EXIT_USAGE
                             : IB_EXIT_ERROR;
}

/* Flags that the other one of the two knows. */
static enum ib_status no_strangers(const struct ib_args *args,
                                   const char *const *strangers,
                                   struct ib_error *err)
{
    for (; *strangers; strangers++)
        if (ib_args_has(args, *strangers))
            return ib_error_set(err, IB_E_USAGE,
                                "--%s does not go with `data %s`", *strangers,
                                ib_args_at(args, 0));
    return IB_OK;
}

static int data_run(const struct ib_command_env *env,
                    const struct ib_args *args, struct ib_error *err)
{
    static const char *const of_sample[] = {
        "prior",     "evaluator",    "n", "store", "threads",
        "cpu-limit", "memory-limit", NULL};
    static const char *const of_preview[] = {"rows", "columns", NULL};
    bool sample = strcmp(ib_args_at(args, 0), "sample") == 0;

    if (!sample && strcmp(ib_args_at(args, 0), "preview") != 0) {
        ib_error_set(err, IB_E_USAGE,
                     "data %.60s: `preview` and `sample` are what can be done",
                     ib_args_at(args, 0));
        return IB_EXIT_USAGE;
    }
    if (no_strangers(args, sample ? of_preview : of_sample, err))
        return IB_EXIT_USAGE;
    return sample ? ib_data_sample(env, args, err)
                  : preview_run(env, args, err);
}

static const struct ib_flag flags[] = {
    {.name = "dataset",
     .value = "NAME",
     .help = "the data set (default synthfaces); `invbench list datasets`; in "
             "sample also JSON with its options"},
    {.name = "set",
     .value = "KEY=JSON",
     .help = "preview: one of the data set's options: size=32, path=orl; "
             "sample: one of the prior's",
     .repeats = true},
    {.name = "seed",
     .value = "N",
     .help = "draws the splits, and what a prior draws (default 1)"},
    {.name = "data",
     .value = "DIR",
     .help = "the folder of real data (default: INVBENCH_DATA)"},
    {.name = "out", .value = "FILE.png", .help = "the contact sheet"},
    {.name = "rows",
     .value = "N",
     .help = "identities to show, spread over all (default 12)"},
    {.name = "columns",
     .value = "N",
     .help = "images of each to show (default 10)"},
    {.name = "prior",
     .value = "PLUGIN",
     .help = "sample: the prior; `invbench list priors`"},
    {.name = "evaluator",
     .value = "PLUGIN",
     .help = "sample: in whose features samples are compared (default a cnn)"},
    {.name = "n", .value = "N", .help = "sample: pictures shown (default 32)"},
    {.name = "store",
     .value = "DIR",
     .help = "sample: where artifacts are kept (default ~/.cache/invbench)"},
    {.name = "threads", .value = "N", .help = "sample: default: the CPUs"},
    {.name = "cpu-limit",
     .value = "S",
     .help = "sample: CPU seconds a worker may use (default 3600)"},
    {.name = "memory-limit",
     .value = "MIB",
     .help = "sample: memory a worker may use (default 4096)"},
    {0},
};

const struct ib_command ib_cmd_data = {
    .name = "data",
    .synopsis = "preview --out FILE.png [--dataset NAME] [--set KEY=JSON]... | "
                "sample --prior P --out FILE.png",
    .summary =
        "look at a data set, or at what a prior makes of its public part",
    .details =
        "preview: loads or generates the data set, checks that its splits are "
        "disjoint "
        "and that every class has training images, counts what is in each "
        "split, and writes a contact sheet: one row an identity; its training "
        "images first, then the held-out ones.\n"
        "\n"
        "Examples:\n"
        "  invbench data preview --out faces.png\n"
        "  invbench data preview --set rgb=true --set size=96 --out faces.png\n"
        "  invbench data preview --dataset folder --set path=orl --data DIR "
        "--out orl.png\n"
        "\n"
        "sample: fits a prior to the public images, or takes it from the "
        "store, "
        "and writes a contact sheet: samples, each beside the public image "
        "nearest to it. Tells (--json: in full) how far they are from public "
        "images that the prior has not seen, whether modes collapsed, whether "
        "they are copies.\n"
        "\n"
        "  invbench data sample --prior pca --out pca.png\n"
        "  invbench data sample --prior pca --set components=20 --dataset "
        "'{\"name\":\"synthfaces\",\"size\":32}' --json --out pca.png\n"
        "\n"
        "`invbench describe dataset NAME` lists the options of a data set.\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = data_run,
};
