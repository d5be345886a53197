/* What the files behind suite.h share. */
#ifndef INVBENCH_HARNESS_SUITE_PARTS_H
#define INVBENCH_HARNESS_SUITE_PARTS_H

#include "suite.h"

enum {
    IB_SUITE_PATH_MAX = 512,
    IB_SUITE_ID_MAX = 100,
    IB_SUITE_SEEDS_MAX = 64,
    IB_SUITE_LIST_MAX = 10000, /* entries of one list after sweeps */
};

/* A suite under construction: its lists may still be written. */
struct ib_suite_draft {
    struct ib_suite s; /* first: what the caller gets */
    const struct ib_registry *registry;
    struct ib_scratch *arena; /* texts and lists */
    struct ib_suite_item *models, *evaluators;
    struct ib_suite_defense *defenses;
    struct ib_suite_attack *attacks;
    struct ib_use *metrics;
    uint64_t *seeds;
    const cJSON *root;
    const char *file;
    struct ib_error *err;
};

void *ib_suite_take(struct ib_suite_draft *d, size_t n, size_t size);
char *ib_suite_copy(struct ib_suite_draft *d, const char *text);
/* Sets err to "FILE: <place>: ..."; returns IB_E_USAGE. */
enum ib_status ib_suite_wrong(const struct ib_suite_draft *d,
                              const char *format, ...) IB_PRINTF(2, 3);
/* Refuses members that are not in the NULL-terminated list. */
enum ib_status ib_suite_members(const struct ib_suite_draft *d, const cJSON *v,
                                const char *path, const char *const *allowed);
/* Integer member in 0..max; *out untouched when absent. */
enum ib_status ib_suite_integer(const struct ib_suite_draft *d, const cJSON *v,
                                const char *path, uint64_t max, uint64_t *out);
enum ib_status ib_suite_access(const struct ib_suite_draft *d, const cJSON *v,
                               const char *path, unsigned *out);

/* suite_entries.c: the lists, sweeps expanded. */
enum ib_status ib_suite_models(struct ib_suite_draft *d);
enum ib_status ib_suite_evaluators(struct ib_suite_draft *d);
enum ib_status ib_suite_defenses(struct ib_suite_draft *d);
/* suite_attacks.c; models and defenses must be there. */
enum ib_status ib_suite_attacks(struct ib_suite_draft *d);

/* suite_membership.c */
enum ib_status ib_suite_membership_read(struct ib_suite_draft *d);

/* One entry of a list on its way in: variant k of entry i. */
struct ib_suite_entry {
    cJSON *value;                 /* sweeps replaced; owned */
    char path[IB_SUITE_PATH_MAX]; /* "models[2]" */
    char full[IB_SUITE_PATH_MAX]; /* "FILE: models[2]" */
    const char *id;               /* in the arena */
};
typedef enum ib_status (*ib_suite_take_entry)(struct ib_suite_draft *d,
                                              const struct ib_suite_entry *e,
                                              size_t index);
/* Calls take for every variant of every entry of the list. */
enum ib_status ib_suite_each(struct ib_suite_draft *d, const char *list,
                             ib_suite_take_entry take);
/* Variants of all entries of a list (0 when it is absent); shape checked. */
enum ib_status ib_suite_count(const struct ib_suite_draft *d, const char *list,
                              size_t *n);

/* suite_sweep.c: {"sweep": [...]} anywhere in an entry. */
enum ib_status ib_sweep_count(const cJSON *entry, const char *path, size_t *n,
                              struct ib_error *err);
/* Variant k, and "/step=0.01" for each sweep added to suffix. */
enum ib_status ib_sweep_variant(const cJSON *entry, size_t k, cJSON **out,
                                struct ib_text *suffix, struct ib_error *err);

/* suite_set.c: one "path=json" override. */
enum ib_status ib_suite_set(cJSON *root, const char *assignment,
                            struct ib_error *err);
/* suite_only.c: one filter list, applied to the lists. */
enum ib_status ib_suite_only(struct ib_suite_draft *d, const char *const *only);
/* An id is meant by its own name or by what stands before a sweep's '/'. */
bool ib_suite_means(const char *word, const char *id);
/* Exact number of cells of the draft; saturates. */
size_t ib_suite_cells(const struct ib_suite *s);
/* suite_echo.c: NULL when there is no memory. */
cJSON *ib_suite_echo(const struct ib_suite *s);

#endif
