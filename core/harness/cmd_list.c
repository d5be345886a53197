#include <string.h>

#include "cli.h"
#include "cli_parts.h"
#include "registry_parts.h"

static enum ib_status kind_of(const char *word, enum ib_kind *kind,
                              struct ib_error *err)
{
    const char *names[IB_KIND_COUNT + 1] = {0};
    struct ib_text hint = {0};

    for (int i = 0; i < IB_KIND_COUNT; i++) {
        size_t n = strlen(names[i] = ib_kind_names[i]);
        bool plural =
            strncmp(word, names[i], n) == 0 && strcmp(word + n, "s") == 0;
        if (strcmp(word, names[i]) == 0 || plural) {
            *kind = (enum ib_kind)i;
            return IB_OK;
        }
    }
    ib_text_suggest(&hint, word, names);
    ib_error_set(err, IB_E_USAGE, "there is no kind \"%.60s\"%s", word,
                 ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

static void list_text(struct ib_text *out, const struct ib_registry *r,
                      enum ib_kind kind, int width)
{
    int column = 0;

    for (size_t i = 0; i < ib_registry_count(r, kind); i++) {
        int n = (int)strlen(ib_registry_at(r, kind, i)->name);
        column = n > column ? n : column;
    }
    ib_text_add(out, "%ss:%s\n", ib_kind_names[kind],
                ib_registry_count(r, kind) ? "" : " none");
    for (size_t i = 0; i < ib_registry_count(r, kind); i++) {
        const struct ib_plugin *p = ib_registry_at(r, kind, i);
        struct ib_wrap w = {
            .indent = column + 4, .width = width, .at = column + 4};
        ib_text_add(out, "  %-*s  ", column, p->name);
        ib_help_wrap(out, p->summary, strlen(p->summary), w);
    }
}

static cJSON *list_json(const struct ib_registry *r, int first, int last)
{
    cJSON *out = cJSON_CreateObject();

    for (int kind = first; kind <= last; kind++) {
        cJSON *list = cJSON_AddArrayToObject(out, ib_kind_names[kind]);
        for (size_t i = 0; i < ib_registry_count(r, (enum ib_kind)kind); i++) {
            const struct ib_plugin *p =
                ib_registry_at(r, (enum ib_kind)kind, i);
            cJSON *v = ib_plugin_json(p);
            cJSON_AddStringToObject(v, "code", ib_registry_code_hash(r, p));
            cJSON_AddBoolToObject(v, "foreign", ib_registry_is_foreign(r, p));
            cJSON_AddItemToArray(list, v);
        }
    }
    return out;
}

static int list_run(const struct ib_command_env *env,
                    const struct ib_args *args, struct ib_error *err)
{
    const char *word = ib_args_at(args, 0);
    enum ib_kind kind = IB_KIND_ATTACK;
    struct ib_text text = {0};
    enum ib_status s = IB_OK;
    int first = 0, last = IB_KIND_COUNT - 1;

    if (word) {
        if (kind_of(word, &kind, err) != IB_OK)
            return IB_EXIT_USAGE;
        first = last = (int)kind;
    }
    if (ib_args_has(args, "json")) {
        cJSON *v = list_json(env->registry, first, last);
        s = ib_json_pretty(v, &text, err);
        cJSON_Delete(v);
    } else {
        for (int i = first; i <= last; i++)
            list_text(&text, env->registry, (enum ib_kind)i,
                      env->console->width);
        s = ib_text_status(&text, err);
    }
    if (s == IB_OK)
        env->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s == IB_OK ? IB_EXIT_OK : IB_EXIT_ERROR;
}

const struct ib_command ib_cmd_list = {
    .name = "list",
    .synopsis = "[KIND] [--json]",
    .summary = "list the attacks, defenses, models, metrics, datasets and "
               "priors that exist",
    .details =
        "KIND is attack, defense, model, metric, dataset or prior; without it "
        "all kinds are listed. `invbench describe KIND NAME` tells more about "
        "one of them.\n"
        "\n"
        "Examples:\n"
        "  invbench list\n"
        "  invbench list attacks\n"
        "  invbench list defense --plugin ./mine.so\n",
    .flags = (const struct ib_flag[]){{0}},
    .max_args = 1,
    .run = list_run,
};
