/* What a descriptor and a module's block must have before anybody uses them. */
#include <string.h>

#include "options_io.h"
#include "registry_parts.h"

/* ib_plugin comes first in every descriptor. */
static const char *missing_hook(const struct ib_plugin *p)
{
    const struct ib_attack *attack = (const void *)p;
    const struct ib_defense *defense = (const void *)p;
    const struct ib_model *model = (const void *)p;
    const struct ib_metric *metric = (const void *)p;
    const struct ib_dataset_plugin *dataset = (const void *)p;
    const struct ib_prior *prior = (const void *)p;

    switch (p->kind) {
    case IB_KIND_ATTACK:
        return attack->run ? NULL : "run()";
    case IB_KIND_DEFENSE:
        if (defense->stage == IB_STAGE_TRAIN)
            return defense->rewrite || defense->phases || defense->batch ||
                           defense->loss || defense->rows || defense->step
                       ? NULL
                       : "batch() (or another one of stage train; a "
                         "defense of the answers is of IB_STAGE_RESPOND)";
        return defense->respond ? NULL : "respond()";
    case IB_KIND_MODEL:
        return model->build ? NULL : "build()";
    case IB_KIND_METRIC:
        return metric->score ? NULL : "score()";
    case IB_KIND_DATASET:
        return dataset->load ? NULL : "load()";
    default:
        return prior->fitted && !prior->fit ? "fit()"
               : !prior->open               ? "open()"
               : !prior->start              ? "start()"
               : !prior->decode             ? "decode()"
               : !prior->vjp                ? "vjp()"
               : !prior->project            ? "project()"
                                            : NULL;
    }
}

static const char *wrong_kind_field(const struct ib_plugin *p)
{
    const struct ib_attack *attack = (const void *)p;
    const struct ib_defense *defense = (const void *)p;
    const struct ib_model *model = (const void *)p;
    const struct ib_metric *metric = (const void *)p;
    const struct ib_prior *prior = (const void *)p;

    switch (p->kind) {
    case IB_KIND_ATTACK:
        return attack->levels && attack->levels < IB_GRANTS(IB_LEVELS)
                   ? NULL
                   : "levels: no access level, or an unknown one";
    case IB_KIND_DEFENSE:
        return (unsigned)defense->stage < IB_STAGE_COUNT
                   ? NULL
                   : "stage: neither train nor respond";
    case IB_KIND_MODEL:
        return model->family && *model->family ? NULL : "family is missing";
    case IB_KIND_METRIC:
        return metric->columns && metric->columns[0].name
                   ? NULL
                   : "columns: there are none";
    case IB_KIND_PRIOR:
        return prior->fit && !prior->fitted
                   ? "fitted is false, yet there is a fit()"
                   : NULL;
    default:
        return NULL;
    }
}

static bool is_plugin_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && name[n] == '\0' && n < IB_NAME_MAX;
}

static const char *missing_text(const struct ib_plugin *p)
{
    const char *const texts[] = {p->name, p->summary, p->citation, p->license,
                                 p->version};
    static const char *const names[] = {"name", "summary", "citation",
                                        "license", "version"};

    for (size_t i = 0; i < IB_COUNT(texts); i++)
        if (!texts[i] || !*texts[i])
            return names[i];
    return NULL;
}

enum ib_status ib_plugin_check(const struct ib_plugin *p, bool hooks,
                               struct ib_error *err)
{
    const char *wrong = missing_text(p);

    if ((unsigned)p->kind >= IB_KIND_COUNT)
        return ib_error_set(err, IB_E_USAGE, "a plugin of unknown kind %u",
                            (unsigned)p->kind);
    if (wrong)
        return ib_error_set(err, IB_E_USAGE,
                            "%s \"%.60s\": the text \"%s\" is "
                            "missing",
                            ib_kind_names[p->kind], p->name ? p->name : "",
                            wrong);
    if (!is_plugin_name(p->name))
        return ib_error_set(err, IB_E_USAGE,
                            "%s \"%.60s\": a name has lower-case letters, "
                            "digits and '-' only, and less than %d bytes",
                            ib_kind_names[p->kind], p->name, IB_NAME_MAX);
    wrong = wrong_kind_field(p);
    if (wrong)
        return ib_error_set(err, IB_E_USAGE, "%s \"%s\": %s",
                            ib_kind_names[p->kind], p->name, wrong);
    wrong = hooks ? missing_hook(p) : NULL;
    if (wrong)
        return ib_error_set(err, IB_E_USAGE,
                            "%s \"%s\": the required hook %s is NULL",
                            ib_kind_names[p->kind], p->name, wrong);
    if (ib_options_check(p->options, p->options_size, err) != IB_OK)
        return ib_error_prefix(err, "%s \"%s\"", ib_kind_names[p->kind],
                               p->name);
    return IB_OK;
}

struct magic_field {
    const char *name;
    uint32_t module, program;
};

static enum ib_status check_sizes(const struct ib_module_magic *m,
                                  struct ib_error *err)
{
    static const struct ib_module_magic own = IB_MODULE_MAGIC;
    const struct magic_field fields[] = {
        {"struct ib_option", m->option_size, own.option_size},
        {"struct ib_plugin", m->plugin_size, own.plugin_size},
        {"struct ib_attack", m->attack_size, own.attack_size},
        {"struct ib_defense", m->defense_size, own.defense_size},
        {"struct ib_model", m->model_size, own.model_size},
        {"struct ib_metric", m->metric_size, own.metric_size},
        {"struct ib_dataset_plugin", m->dataset_size, own.dataset_size},
        {"struct ib_prior", m->prior_size, own.prior_size},
    };

    for (size_t i = 0; i < IB_COUNT(fields); i++)
        if (fields[i].module != fields[i].program)
            return ib_error_set(err, IB_E_USAGE,
                                "the module's %s has %u bytes, the program's "
                                "has %u; rebuild the module with this "
                                "program's headers",
                                fields[i].name, fields[i].module,
                                fields[i].program);
    return IB_OK;
}

enum ib_status ib_module_check(const struct ib_module_magic *m,
                               struct ib_error *err)
{
    if (m->size != sizeof *m)
        return ib_error_set(err, IB_E_USAGE,
                            "the module's size-and-version block has %u bytes, "
                            "the program's has %zu; fill it with "
                            "IB_MODULE_MAGIC and rebuild the module with this "
                            "program's headers",
                            m->size, sizeof *m);
    if (m->abi_major != IB_ABI_MAJOR || m->abi_minor > IB_ABI_MINOR)
        return ib_error_set(
            err, IB_E_USAGE,
            "the module's ABI version is %u.%u, the program's "
            "is %d.%d; %s",
            m->abi_major, m->abi_minor, IB_ABI_MAJOR, IB_ABI_MINOR,
            m->abi_major > IB_ABI_MAJOR || m->abi_major == IB_ABI_MAJOR
                ? "use a newer invbench"
                : "rebuild the module with this program's "
                  "headers");
    if (!memchr(m->build, '\0', sizeof m->build) ||
        strcmp(m->build, IB_ABI_BUILD) != 0)
        return ib_error_set(err, IB_E_USAGE,
                            "the module was built for \"%.31s\", the program "
                            "for \"%s\"; rebuild the module for this machine",
                            m->build, IB_ABI_BUILD);
    return check_sizes(m, err);
}
