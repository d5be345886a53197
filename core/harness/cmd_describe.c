#include <math.h>
#include <string.h>

#include "cli.h"
#include "cli_parts.h"
#include "options_io.h"
#include "plugin_json.h"
#include "registry_parts.h"

#define MODEL_FILE "model-file" /* what `describe` knows beside the kinds */

static void field(struct ib_text *out, const char *name, const char *text,
                  int width)
{
    ib_text_add(out, "  %-10s ", name);
    ib_help_wrap(out, text, strlen(text),
                 (struct ib_wrap){.indent = 13, .width = width, .at = 13});
}

static void describe_levels(struct ib_text *out, const struct ib_attack *a)
{
    ib_text_add(out, "  %-10s", "access");
    for (int i = 0; i < IB_LEVELS; i++)
        if (a->levels & IB_GRANTS(i))
            ib_text_add(out, " %s", ib_level_names[i]);
    ib_text_add(out, "\n");
}

static void describe_columns(struct ib_text *out, const struct ib_metric *m,
                             int width)
{
    ib_text_add(out, "\nColumns%s%s:\n",
                m->of_set ? ", of all reconstructions together" : "",
                m->per_evaluator ? " (one of each for every evaluator)" : "");
    for (const struct ib_column *c = m->columns; c->name; c++) {
        const char *text = c->definition ? c->definition : "";
        ib_text_add(out, "  %s  ", c->name);
        if (isfinite(c->min) && isfinite(c->max))
            ib_text_add(out, "[%g..%g%s%s; ", c->min, c->max,
                        c->unit ? " " : "", c->unit ? c->unit : "");
        else
            ib_text_add(out, "[%s%s", c->unit ? c->unit : "",
                        c->unit ? "; " : "");
        ib_text_add(out, "%s]\n      ", ib_direction_names[c->direction]);
        ib_help_wrap(out, text, strlen(text),
                     (struct ib_wrap){.indent = 6, .width = width, .at = 6});
    }
}

static void describe_kind(struct ib_text *out, const struct ib_plugin *p,
                          int width)
{
    const struct ib_defense *d = (const void *)p;
    const struct ib_model *m = (const void *)p;
    const struct ib_dataset_plugin *set = (const void *)p;
    const struct ib_prior *prior = (const void *)p;

    if (p->kind == IB_KIND_ATTACK)
        describe_levels(out, (const void *)p);
    if (p->kind == IB_KIND_DEFENSE) {
        field(out, "stage", ib_stage_names[d->stage], width);
        field(out, "draws", d->stochastic ? "random numbers" : "nothing",
              width);
        if (d->adaptive)
            field(out, "adaptive", d->adaptive, width);
    }
    if (p->kind == IB_KIND_MODEL)
        field(out, "family", m->family, width);
    if (p->kind == IB_KIND_DATASET)
        field(out, "seeded",
              set->seeded ? "yes: the suite's seed draws it"
                          : "no: the same for every seed",
              width);
    if (p->kind == IB_KIND_PRIOR)
        field(out, "learns",
              prior->fitted ? "once, from the public images" : "nothing",
              width);
}

static void describe_option(struct ib_text *out, const struct ib_option *o,
                            int width)
{
    const char *value = o->value && *o->value ? o->value : "(empty)";

    ib_text_add(out, "  %s = %s   [%s", o->name, value, ib_options_type(o));
    if (o->type != IB_BOOL && o->type != IB_TEXT) {
        ib_text_add(out, ", ");
        ib_options_range(o, out);
    }
    ib_text_add(out, "%s%s]\n      ", o->unit ? " " : "",
                o->unit ? o->unit : "");
    ib_help_wrap(out, o->help, strlen(o->help),
                 (struct ib_wrap){.indent = 6, .width = width, .at = 6});
    for (const struct ib_choice *c = o->choices; c && c->name; c++) {
        if (!c->help)
            continue;
        ib_text_add(out, "      %s: ", c->name);
        ib_help_wrap(out, c->help, strlen(c->help),
                     (struct ib_wrap){.indent = 10,
                                      .width = width,
                                      .at = 8 + (int)strlen(c->name)});
    }
}

void ib_describe_text(struct ib_text *out, const struct ib_plugin *p, int width)
{
    width = width < 50 ? 50 : width > 100 ? 100 : width;
    ib_text_add(out, "%s %s: ", ib_kind_names[p->kind], p->name);
    ib_help_wrap(out, p->summary, strlen(p->summary),
                 (struct ib_wrap){.indent = 4,
                                  .width = width,
                                  .at = (int)strlen(p->name) + 10});
    ib_text_add(out, "\n");
    field(out, "source", p->citation, width);
    field(out, "version", p->version, width);
    field(out, "licence", p->license, width);
    describe_kind(out, p, width);
    if (p->kind == IB_KIND_METRIC && ((const struct ib_metric *)p)->on_request)
        field(out, "costly", "runs only where a suite names it", width);
    if (p->kind == IB_KIND_METRIC)
        describe_columns(out, (const void *)p, width);
    if (!p->options || !p->options->name) {
        ib_text_add(out, "\nIt has no options.\n");
        return;
    }
    ib_text_add(out, "\nOptions, with their defaults:\n");
    for (const struct ib_option *o = p->options; o->name; o++)
        describe_option(out, o, width);
}

static enum ib_status no_kind(const char *kind, struct ib_error *err)
{
    const char *names[IB_KIND_COUNT + 2] = {[IB_KIND_COUNT] = MODEL_FILE};
    struct ib_text hint = {0};

    for (int i = 0; i < IB_KIND_COUNT; i++)
        names[i] = ib_kind_names[i];
    ib_text_suggest(&hint, kind, names);
    ib_error_set(err, IB_E_USAGE, "there is no kind \"%.60s\"%s", kind,
                 ib_text_string(&hint));
    ib_text_free(&hint);
    return IB_E_USAGE;
}

/* NAME alone: when only one kind has it. */
static enum ib_status find_name(const struct ib_registry *r, const char *name,
                                const struct ib_plugin **out,
                                struct ib_error *err)
{
    const char *names[IB_KIND_COUNT * 16 + 1] = {0}, *near;
    size_t n = 0;

    for (int k = 0; k < IB_KIND_COUNT; k++)
        for (size_t i = 0; i < ib_registry_count(r, (enum ib_kind)k); i++) {
            const struct ib_plugin *p = ib_registry_at(r, (enum ib_kind)k, i);
            if (n < IB_COUNT(names) - 1)
                names[n++] = p->name;
            if (strcmp(p->name, name) != 0)
                continue;
            if (*out)
                return ib_error_set(err, IB_E_USAGE,
                                    "\"%s\" is the name of a %s and of a %s; "
                                    "say which: invbench describe %s %s",
                                    name, ib_kind_names[(*out)->kind],
                                    ib_kind_names[k], ib_kind_names[k], name);
            *out = p;
        }
    if (*out)
        return IB_OK;
    near = ib_text_nearest(name, names);
    return ib_error_set(err, IB_E_USAGE,
                        "no plugin is called \"%.60s\"%s%s%s; `invbench list` "
                        "names them all",
                        name, near ? " (did you mean \"" : "", near ? near : "",
                        near ? "\"?)" : "");
}

static enum ib_status find_plugin(const struct ib_registry *r, const char *kind,
                                  const char *name,
                                  const struct ib_plugin **out,
                                  struct ib_error *err)
{
    if (!kind)
        return find_name(r, name, out, err);
    for (int k = 0; k < IB_KIND_COUNT; k++)
        if (strcmp(kind, ib_kind_names[k]) == 0)
            return ib_registry_find(r, (enum ib_kind)k, name, "describe", out,
                                    err);
    return no_kind(kind, err);
}

static int describe_run(const struct ib_command_env *env,
                        const struct ib_args *args, struct ib_error *err)
{
    bool two = ib_args_count(args) == 2;
    const struct ib_plugin *p = NULL;
    struct ib_text text = {0};

    if (two && strcmp(ib_args_at(args, 0), MODEL_FILE) == 0)
        return ib_describe_model_file(env, ib_args_at(args, 1),
                                      ib_args_has(args, "json"), err);
    enum ib_status s =
        find_plugin(env->registry, two ? ib_args_at(args, 0) : NULL,
                    ib_args_at(args, two), &p, err);

    if (s != IB_OK)
        return IB_EXIT_USAGE;
    if (ib_args_has(args, "json")) {
        cJSON *v = ib_plugin_json(p);
        s = ib_json_pretty(v, &text, err);
        cJSON_Delete(v);
    } else {
        ib_describe_text(&text, p, env->console->width);
        s = ib_text_status(&text, err);
    }
    if (s == IB_OK)
        env->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    return s == IB_OK ? IB_EXIT_OK : IB_EXIT_ERROR;
}

const struct ib_command ib_cmd_describe = {
    .name = "describe",
    .synopsis = "[KIND] NAME [--json] | model-file FILE",
    .summary = "tell what one plugin does, where it comes from, and every "
               "option that it takes; or what a model file holds",
    .details =
        "Each option stands with its default, its type, what is allowed, and "
        "its unit. In a suite an option is a member beside \"name\":\n"
        "\n"
        "  {\"name\": \"round\", \"step\": 0.05}\n"
        "\n"
        "Examples:\n"
        "  invbench describe attack mi-face\n"
        "  invbench describe round --json\n"
        "  invbench describe model-file mnist.ibm\n"
        "\n"
        "A model file (`invbench train --out`) is checked whole: sizes, hash, "
        "table of nodes, and whether this program builds the same net.\n",
    .flags = (const struct ib_flag[]){{0}},
    .min_args = 1,
    .max_args = 2,
    .run = describe_run,
};
