/* A suite of one cell, from options or cut out of another suite. */
#include "run_cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ib_status ib_cell_plugin(const char *text, const char *flag,
                              const char *id, cJSON **out, struct ib_error *err)
{
    enum ib_status s = IB_OK;

    *out = NULL;
    if (*text == '{')
        s = ib_json_parse(text, strlen(text), flag, out, err);
    else if ((*out = cJSON_CreateObject()))
        cJSON_AddStringToObject(*out, "name", text);
    if (!s && !*out)
        s = ib_error_set(err, IB_E_NOMEM, "no memory");
    if (!s && id && !cJSON_HasObjectItem(*out, "id"))
        cJSON_AddStringToObject(*out, "id", id);
    return s;
}

/* Adds the plugin of a flag, or its default, to a list (or as a member). */
static enum ib_status add_plugin(cJSON *suite, const char *name,
                                 const char *text, const char *id, bool list,
                                 struct ib_error *err)
{
    cJSON *plugin = NULL, *array;
    enum ib_status s = ib_cell_plugin(text, name, id, &plugin, err);

    if (s) {
        cJSON_Delete(plugin);
        return s;
    }
    if (!list) {
        cJSON_AddItemToObject(suite, name, plugin);
        return IB_OK;
    }
    array = cJSON_GetObjectItemCaseSensitive(suite, name);
    if (!array)
        array = cJSON_AddArrayToObject(suite, name);
    cJSON_AddItemToArray(array, plugin);
    return IB_OK;
}

static const char *get(const struct ib_args *args, const char *flag,
                       const char *otherwise)
{
    const char *v = ib_args_get(args, flag);

    return v ? v : otherwise;
}

static enum ib_status add_stack(cJSON *suite, const struct ib_args *args,
                                struct ib_error *err)
{
    const char *const *texts = ib_args_all(args, "defense");
    cJSON *list = cJSON_AddArrayToObject(suite, "defenses");
    cJSON *item = cJSON_CreateObject(), *stack;

    cJSON_AddItemToArray(list, item);
    cJSON_AddStringToObject(item, "id", *texts ? "stack" : "none");
    stack = cJSON_AddArrayToObject(item, "stack");
    for (; *texts; texts++) {
        cJSON *plugin = NULL;
        enum ib_status s =
            ib_cell_plugin(*texts, "--defense", NULL, &plugin, err);

        if (s)
            return s;
        cJSON_AddItemToArray(stack, plugin);
    }
    return IB_OK;
}

/* The level at which most published results of the attack stand: scores when
 * it can use them, else the lowest that it can use. */
static enum ib_status add_access(cJSON *suite, const struct ib_args *args,
                                 const struct ib_registry *r,
                                 struct ib_error *err)
{
    const cJSON *attack = cJSON_GetArrayItem(
        cJSON_GetObjectItemCaseSensitive(suite, "attacks"), 0);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(attack, "name");
    const char *level = ib_args_get(args, "access");
    const struct ib_plugin *p = NULL;
    enum ib_status s;

    if (!level) {
        s = ib_registry_find(r, IB_KIND_ATTACK,
                             cJSON_IsString(name) ? name->valuestring : "",
                             "--attack", &p, err);
        if (s)
            return s;
        unsigned levels = ((const struct ib_attack *)p)->levels;

        level = levels & IB_GRANTS(IB_SCORES)
                    ? ib_level_names[IB_SCORES]
                    : ib_level_names[levels ? __builtin_ctz(levels) : 0];
    }
    cJSON_AddItemToObject(suite, "access", cJSON_CreateStringArray(&level, 1));
    return IB_OK;
}

static enum ib_status add_numbers(cJSON *suite, const struct ib_args *args,
                                  struct ib_error *err)
{
    int64_t seed = 1, queries = 10000;
    double first;
    enum ib_status s =
        ib_args_int(args, "seed", 0, (int64_t)1 << 52, &seed, err);

    if (!s)
        s = ib_args_int(args, "max-queries", 0, (int64_t)1 << 52, &queries,
                        err);
    first = (double)seed;
    cJSON_AddItemToObject(suite, "seeds", cJSON_CreateDoubleArray(&first, 1));
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(suite, "budget"),
                            "max_queries", (double)queries);
    return s;
}

static enum ib_status suite_from_options(struct ib_session *s,
                                         const struct ib_args *args,
                                         struct ib_error *err)
{
    static const char *const judges[] = {"softmax", "mlp", "cnn"};
    static const char *const metrics[] = {
        "ssim", "psnr", "mse", "nearest", "identification", "accuracy"};
    cJSON *o = cJSON_CreateObject();
    enum ib_status status;

    cJSON_AddStringToObject(o, "schema", "invbench.suite/1");
    cJSON_AddStringToObject(o, "name", "cell");
    status = add_plugin(o, "dataset", get(args, "dataset", "synthfaces"), NULL,
                        false, err);
    if (!status)
        status = add_plugin(o, "models", get(args, "model", "softmax"), NULL,
                            true, err);
    if (!status)
        status = add_plugin(o, "attacks", get(args, "attack", "mi-face"), NULL,
                            true, err);
    for (size_t i = 0; i < IB_COUNT(judges) && !status; i++) {
        char id[32];

        snprintf(id, sizeof(id), "judge-%s", judges[i]);
        status = add_plugin(o, "evaluators", judges[i], id, true, err);
    }
    if (!status)
        status = add_stack(o, args, err);
    if (!status)
        status = add_access(o, args, s->command->registry, err);
    if (!status)
        status = add_numbers(o, args, err);
    cJSON_AddItemToObject(o, "metrics",
                          cJSON_CreateStringArray(metrics, IB_COUNT(metrics)));
    if (status) {
        cJSON_Delete(o);
        return status;
    }
    return ib_suite_parse(s->command->registry, o, "options", &s->suite, err);
}

/* --- a suite's cell ------------------------------------------------------ */

static enum ib_status no_such_cell(const struct ib_plan *p, const char *name,
                                   struct ib_error *err)
{
    char(*names)[160] = calloc(p->n_cells + 1, sizeof(*names));
    const char **list = calloc(p->n_cells + 1, sizeof(*list));
    const char *near = NULL;
    enum ib_status s;

    for (size_t i = 0; names && list && i < p->n_cells; i++) {
        ib_cell_name(p, &p->cells[i], names[i], sizeof(names[i]));
        list[i] = names[i];
    }
    if (names && list)
        near = ib_text_nearest(name, list);
    if (!near && names && p->n_cells)
        near = names[0];
    s = ib_error_set(err, IB_E_USAGE,
                     "--cell: the suite has no cell \"%.120s\"; one that it "
                     "has is %s",
                     name, near ? near : "?");
    free(list);
    free(names);
    return s;
}

static enum ib_status read_one(struct ib_session *s, const struct ib_cell *c,
                               const char *path, struct ib_error *err)
{
    const struct ib_suite *all = s->suite;
    struct ib_text texts[5] = {{0}};
    const char *only[6] = {0};
    struct ib_suite *one = NULL;
    enum ib_status status = IB_OK;

    ib_text_add(&texts[0], "model=%s", all->models[c->model].id);
    ib_text_add(&texts[1], "defense=%s", all->defenses[c->defense].id);
    ib_text_add(&texts[2], "attack=%s", all->attacks[c->attack].id);
    ib_text_add(&texts[3], "access=%s", ib_level_names[c->access]);
    ib_text_add(&texts[4], "seed=%llu",
                (unsigned long long)all->seeds[c->seed]);
    for (int i = 0; i < 5; i++) {
        only[i] = ib_text_string(&texts[i]);
        if (!status)
            status = ib_text_status(&texts[i], err);
    }
    if (!status)
        status = ib_suite_read(s->command->registry, path,
                               (const char *const[]){NULL}, only, &one, err);
    for (int i = 0; i < 5; i++)
        ib_text_free(&texts[i]);
    if (status)
        return status;
    ib_plan_free(s->plan);
    s->plan = NULL;
    ib_suite_free(s->suite);
    s->suite = one;
    return IB_OK;
}

static enum ib_status suite_from_suite(struct ib_session *s, const char *path,
                                       const char *name, struct ib_error *err)
{
    const char *const none[] = {NULL};
    enum ib_status status;

    if (!path || !name)
        return ib_error_set(err, IB_E_USAGE,
                            "--suite SUITE.json and --cell NAME go together");
    status =
        ib_suite_read(s->command->registry, path, none, none, &s->suite, err);
    if (!status)
        status = ib_plan_make(s->suite, &s->env, &s->plan, err);
    if (status)
        return status;
    for (size_t i = 0; i < s->plan->n_cells; i++) {
        char there[160];

        ib_cell_name(s->plan, &s->plan->cells[i], there, sizeof(there));
        if (strcmp(there, name) == 0)
            return read_one(s, &s->plan->cells[i], path, err);
    }
    return no_such_cell(s->plan, name, err);
}

/* The suite says all that these would say. */
static enum ib_status no_options(const struct ib_args *args,
                                 struct ib_error *err)
{
    static const char *const own[] = {"dataset",    "model", "attack",
                                      "defense",    "seed",  "access",
                                      "max-queries"};

    for (size_t i = 0; i < IB_COUNT(own); i++)
        if (ib_args_has(args, own[i]))
            return ib_error_set(err, IB_E_USAGE,
                                "--%s does not go with --suite, which says "
                                "it already",
                                own[i]);
    return IB_OK;
}

/* --- what commands call -------------------------------------------------- */

enum ib_status ib_cell_open(struct ib_session *s,
                            const struct ib_command_env *command,
                            const struct ib_args *args, struct ib_error *err)
{
    const char *path = ib_args_get(args, "suite");
    const char *cell = ib_args_get(args, "cell");
    enum ib_status status = ib_session_open(s, command, args, err);

    if (!status && (path || cell))
        status = no_options(args, err);
    if (!status)
        status = path || cell ? suite_from_suite(s, path, cell, err)
                              : suite_from_options(s, args, err);
    if (!status)
        status = ib_plan_make(s->suite, &s->env, &s->plan, err);
    if (!status && s->plan->n_cells != 1)
        status = ib_error_set(err, IB_E_USAGE, "that makes %zu cells, not one",
                              s->plan->n_cells);
    return status;
}

enum ib_status ib_cell_runs(const struct ib_session *s, struct ib_error *err)
{
    const struct ib_cell *c = &s->plan->cells[0];

    return c->plan == IB_CELL_SKIP
               ? ib_error_set(err, IB_E_USAGE, "%s", c->reason)
               : IB_OK;
}

enum ib_status ib_cell_run(struct ib_session *s, int node, int *code,
                           ib_session_make make, void *ctx,
                           struct ib_error *err)
{
    bool *want = NULL, stopped = false;
    enum ib_status status;

    *code = IB_EXIT_OK;
    if (node >= 0) {
        want = calloc(s->plan->n_nodes, sizeof(*want));
        if (!want)
            return ib_error_set(err, IB_E_NOMEM, "no memory");
        want[node] = true;
    }
    s->options.want = want;
    status = ib_session_run(s, &stopped, make, ctx, err);
    s->options.want = NULL;
    free(want);
    if (!status && stopped)
        *code = ib_session_interrupted(s);
    return status;
}

int ib_cell_exit(enum ib_status s, int code)
{
    if (s == IB_E_USAGE)
        return IB_EXIT_USAGE;
    return s ? IB_EXIT_ERROR : code;
}
