/*
 * What every plugin has in common, and what a module (the in-tree list or a
 * .so given with --plugin) exports.
 *
 * A module's one exported symbol is ib_module_entry(). Its descriptor starts
 * with a size-and-version block that the harness checks field by field before
 * it believes anything else; fill it with IB_MODULE_MAGIC.
 */
#ifndef INVBENCH_PLUGIN_H
#define INVBENCH_PLUGIN_H

#include <invbench/base.h>
#include <invbench/options.h>

#define IB_ABI_MAJOR 1 /* changed when an old module cannot work any more */
#define IB_ABI_MINOR 0 /* changed when something was appended */
#define IB_ABI_BUILD "f32;little-endian;lp64"

enum ib_kind {
    IB_KIND_ATTACK,
    IB_KIND_DEFENSE,
    IB_KIND_MODEL,
    IB_KIND_METRIC,
    IB_KIND_DATASET,
    IB_KIND_PRIOR,
    IB_KIND_COUNT,
};

/* First member of every descriptor. All texts are required. */
struct ib_plugin {
    enum ib_kind kind;
    const char *name;     /* unique within its kind; lower case and '-' */
    const char *summary;  /* one line */
    const char *citation; /* authors, title, venue, year; or "invbench" */
    const char *license;  /* SPDX identifier */
    const char *version;  /* of this plugin; part of every key */
    const struct ib_option *options; /* NULL: none */
    size_t options_size;             /* sizeof the options struct */
};

struct ib_module_magic {
    uint32_t size; /* of this block */
    uint16_t abi_major, abi_minor;
    uint32_t option_size, plugin_size, attack_size, defense_size, model_size,
        metric_size, dataset_size, prior_size;
    char build[32];
};

struct ib_module {
    struct ib_module_magic magic;
    const char *name, *version, *license, *summary;
    const char *code_hash; /* changes whenever results may; "" = use the
                              SHA-256 of the .so file */
    const struct ib_plugin *const *plugins; /* NULL-terminated */
};

/* Use after including the headers of all kinds (invbench/invbench.h). */
#define IB_MODULE_MAGIC                                                        \
    {                                                                          \
        .size = sizeof(struct ib_module_magic), .abi_major = IB_ABI_MAJOR,     \
        .abi_minor = IB_ABI_MINOR, .option_size = sizeof(struct ib_option),    \
        .plugin_size = sizeof(struct ib_plugin),                               \
        .attack_size = sizeof(struct ib_attack),                               \
        .defense_size = sizeof(struct ib_defense),                             \
        .model_size = sizeof(struct ib_model),                                 \
        .metric_size = sizeof(struct ib_metric),                               \
        .dataset_size = sizeof(struct ib_dataset_plugin),                      \
        .prior_size = sizeof(struct ib_prior), .build = IB_ABI_BUILD           \
    }

const struct ib_module *ib_module_entry(void);

/* What a plugin may say while it runs. Never part of a result. */
struct ib_reporter;
void ib_report(struct ib_reporter *r, const char *format, ...) IB_PRINTF(2, 3);
/* Share of the work that is done, 0..1. */
void ib_report_progress(struct ib_reporter *r, double share);

#endif
