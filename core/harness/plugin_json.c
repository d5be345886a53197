/* Descriptors as JSON: for `describe --json` and for the probe's answer. */
#include <math.h>
#include <string.h>

#include "options_io.h"
#include "plugin_json.h"
#include "registry_parts.h"

const char *const ib_stage_names[IB_STAGE_COUNT] = {
    [IB_STAGE_TRAIN] = "train", [IB_STAGE_RESPOND] = "respond"};
const char *const ib_direction_names[3] = {
    [IB_HIGHER_LEAKS] = "higher leaks more",
    [IB_LOWER_LEAKS] = "lower leaks more",
    [IB_NEUTRAL] = "neutral"};

static void add_text(cJSON *out, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(out, name, text);
}

static void add_range(cJSON *out, double min, double max)
{
    cJSON_AddItemToObject(out, "min", ib_json_number(min));
    cJSON_AddItemToObject(out, "max", ib_json_number(max));
}

static cJSON *choices_json(const struct ib_choice *choices)
{
    cJSON *out = cJSON_CreateArray();

    for (; out && choices->name; choices++) {
        cJSON *c = cJSON_CreateObject();
        add_text(c, "name", choices->name);
        add_text(c, "help", choices->help);
        cJSON_AddItemToArray(out, c);
    }
    return out;
}

static cJSON *option_json(const struct ib_option *o)
{
    cJSON *out = cJSON_CreateObject();

    add_text(out, "name", o->name);
    add_text(out, "type", ib_options_type(o));
    cJSON_AddNumberToObject(out, "offset", (double)o->offset);
    add_text(out, "default", o->value ? o->value : "");
    if (o->type == IB_INT || o->type == IB_REAL || o->type == IB_INTS)
        add_range(out, o->min, o->max);
    if (o->type == IB_CHOICE)
        cJSON_AddItemToObject(out, "choices", choices_json(o->choices));
    add_text(out, "unit", o->unit);
    add_text(out, "help", o->help);
    return out;
}

static cJSON *levels_json(unsigned levels)
{
    cJSON *out = cJSON_CreateArray();

    for (int i = 0; i < IB_LEVELS; i++)
        if (levels & IB_GRANTS(i))
            cJSON_AddItemToArray(out, cJSON_CreateString(ib_level_names[i]));
    return out;
}

static cJSON *columns_json(const struct ib_column *c)
{
    cJSON *out = cJSON_CreateArray();

    for (; out && c->name; c++) {
        cJSON *v = cJSON_CreateObject();
        add_text(v, "name", c->name);
        add_text(v, "unit", c->unit);
        add_range(v, c->min, c->max);
        add_text(v, "direction", ib_direction_names[c->direction]);
        add_text(v, "definition", c->definition);
        cJSON_AddItemToArray(out, v);
    }
    return out;
}

static void add_kind(cJSON *out, const struct ib_plugin *p)
{
    const struct ib_attack *attack = (const void *)p;
    const struct ib_defense *defense = (const void *)p;
    const struct ib_model *model = (const void *)p;
    const struct ib_metric *metric = (const void *)p;
    const struct ib_dataset_plugin *dataset = (const void *)p;
    const struct ib_prior *prior = (const void *)p;

    switch (p->kind) {
    case IB_KIND_ATTACK:
        cJSON_AddItemToObject(out, "levels", levels_json(attack->levels));
        break;
    case IB_KIND_DEFENSE:
        add_text(out, "stage", ib_stage_names[defense->stage]);
        cJSON_AddBoolToObject(out, "stochastic", defense->stochastic);
        add_text(out, "adaptive", defense->adaptive);
        break;
    case IB_KIND_MODEL:
        add_text(out, "family", model->family);
        break;
    case IB_KIND_METRIC:
        cJSON_AddBoolToObject(out, "per_evaluator", metric->per_evaluator);
        cJSON_AddItemToObject(out, "columns", columns_json(metric->columns));
        break;
    case IB_KIND_DATASET:
        cJSON_AddBoolToObject(out, "seeded", dataset->seeded);
        break;
    case IB_KIND_PRIOR:
        cJSON_AddBoolToObject(out, "fitted", prior->fitted);
        break;
    default:
        break;
    }
}

cJSON *ib_plugin_json(const struct ib_plugin *p)
{
    cJSON *out = cJSON_CreateObject(), *options = cJSON_CreateArray();

    add_text(out, "kind", ib_kind_names[p->kind]);
    add_text(out, "name", p->name);
    add_text(out, "summary", p->summary);
    add_text(out, "citation", p->citation);
    add_text(out, "license", p->license);
    add_text(out, "version", p->version);
    add_kind(out, p);
    cJSON_AddNumberToObject(out, "options_size", (double)p->options_size);
    for (const struct ib_option *o = p->options; o && o->name; o++)
        cJSON_AddItemToArray(options, option_json(o));
    if (!cJSON_AddItemToObject(out, "options", options))
        cJSON_Delete(options);
    return out;
}

cJSON *ib_module_json(const struct ib_module *m, const char *code)
{
    cJSON *out = cJSON_CreateObject(), *list = cJSON_CreateArray();

    add_text(out, "name", m->name);
    add_text(out, "version", m->version);
    add_text(out, "license", m->license);
    add_text(out, "summary", m->summary);
    add_text(out, "code", code);
    for (size_t i = 0; m->plugins[i]; i++)
        cJSON_AddItemToArray(list, ib_plugin_json(m->plugins[i]));
    if (!cJSON_AddItemToObject(out, "plugins", list))
        cJSON_Delete(list);
    return out;
}
