/* RUN/suite.json says whose directory it is; RUN/failures.json what not to try
 * again without --retry-failed. */
#include "run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "tree.h"

static enum ib_status path_in(const char *dir, const char *name,
                              char out[PATH_MAX], struct ib_error *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "--out: the directory has too long a name");
    return IB_OK;
}

static enum ib_status lock_dir(const char *dir, int *lock, struct ib_error *err)
{
    *lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return ib_error_set(err, IB_E_IO, "%s: %s", dir, strerror(errno));
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return IB_OK;
    close(*lock);
    *lock = -1;
    return ib_error_set(err, IB_E_USAGE,
                        "%s: another run is writing there; wait for it, or "
                        "give another --out",
                        dir);
}

/* The run that is there must be of this very suite. */
static enum ib_status check_owner(const struct ib_suite *suite, const char *dir,
                                  const char *path, struct ib_error *err)
{
    char mine[IB_KEY_SIZE], theirs[IB_KEY_SIZE];
    cJSON *there = NULL;
    enum ib_status s;

    if (access(path, F_OK) != 0)
        return IB_OK;
    s = ib_json_read(path, &there, err);
    if (!s)
        s = ib_json_key(there, theirs, err);
    cJSON_Delete(there);
    if (s == IB_E_DATA || s == IB_E_USAGE)
        return ib_error_prefix(err,
                               "%s holds a damaged run (--force "
                               "overwrites it)",
                               dir);
    if (!s)
        s = ib_json_key(suite->resolved, mine, err);
    if (!s && strcmp(mine, theirs) != 0)
        s = ib_error_set(err, IB_E_USAGE,
                         "%s holds a run of another suite, or of another "
                         "version or part of this one; give another --out, or "
                         "--force to replace it",
                         dir);
    return s;
}

enum ib_status ib_run_dir_open(const struct ib_suite *suite, const char *dir,
                               bool force, int *lock, struct ib_error *err)
{
    char path[PATH_MAX];
    struct ib_text text = {0};
    enum ib_status s = ib_tree_make(dir, err);

    *lock = -1;
    if (!s)
        s = path_in(dir, "suite.json", path, err);
    if (!s)
        s = lock_dir(dir, lock, err);
    if (!s && !force)
        s = check_owner(suite, dir, path, err);
    if (!s)
        s = ib_json_pretty(suite->resolved, &text, err);
    if (!s)
        s = ib_file_write(path, text.data, text.size, err);
    ib_text_free(&text);
    if (s && *lock >= 0) {
        close(*lock);
        *lock = -1;
    }
    return s;
}

static bool own_failure(enum ib_outcome o)
{
    return o == IB_FAILED || o == IB_CRASHED || o == IB_TIMEOUT || o == IB_OOM;
}

static enum ib_outcome outcome_named(const cJSON *name)
{
    for (int o = IB_FAILED; o <= IB_OOM; o++)
        if (cJSON_IsString(name) &&
            strcmp(name->valuestring, ib_outcome_names[o]) == 0)
            return (enum ib_outcome)o;
    return IB_PENDING;
}

size_t ib_failures_load(struct ib_plan *plan, const char *dir)
{
    char path[PATH_MAX];
    cJSON *all = NULL;
    size_t n = 0;

    if (path_in(dir, "failures.json", path, NULL) ||
        ib_json_read(path, &all, NULL))
        return 0;
    for (size_t i = 0; i < plan->n_nodes && all->child; i++) {
        struct ib_plan_node *node = &plan->nodes[i];
        const cJSON *f = cJSON_GetObjectItemCaseSensitive(all, node->key);
        const cJSON *why = cJSON_GetObjectItemCaseSensitive(f, "reason");
        enum ib_outcome o =
            outcome_named(cJSON_GetObjectItemCaseSensitive(f, "outcome"));

        if (node->outcome != IB_PENDING || o == IB_PENDING ||
            !cJSON_IsString(why))
            continue;
        node->outcome = o;
        snprintf(node->reason, sizeof(node->reason), "%s", why->valuestring);
        n++;
    }
    cJSON_Delete(all);
    return n;
}

enum ib_status ib_failures_save(const struct ib_plan *plan, const char *dir,
                                struct ib_error *err)
{
    char path[PATH_MAX];
    struct ib_text text = {0};
    cJSON *all = cJSON_CreateObject();
    enum ib_status s = path_in(dir, "failures.json", path, err);

    for (size_t i = 0; i < plan->n_nodes && !s; i++) {
        const struct ib_plan_node *node = &plan->nodes[i];
        cJSON *f;

        if (!own_failure(node->outcome) || node->no_store ||
            cJSON_HasObjectItem(all, node->key))
            continue;
        f = cJSON_AddObjectToObject(all, node->key);
        cJSON_AddStringToObject(f, "outcome", ib_outcome_names[node->outcome]);
        cJSON_AddStringToObject(f, "reason", node->reason);
        cJSON_AddStringToObject(f, "what", node->label);
    }
    if (!s && !all->child)
        unlink(path);
    else if (!s)
        s = ib_json_pretty(all, &text, err);
    if (!s && text.size)
        s = ib_file_write(path, text.data, text.size, err);
    ib_text_free(&text);
    cJSON_Delete(all);
    return s;
}
