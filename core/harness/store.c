/* The content-addressed store: names, atomic puts, quarantine, listing. */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_file.h"

enum { DIR_MAX = PATH_MAX - 160 }; /* leaves room for what is added */

struct ib_store {
    char dir[PATH_MAX];
};

static bool valid_key(const char *key)
{
    return strlen(key) == IB_KEY_SIZE - 1 &&
           strspn(key, "0123456789abcdef") == IB_KEY_SIZE - 1;
}

/* DIR/objects/ab/abcd...; also DIR/objects/ab when only_dir. */
static void object_path(const struct ib_store *s, const char *key,
                        bool only_dir, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s/objects/%.2s%s%.64s", (int)DIR_MAX, s->dir,
             key, only_dir ? "" : "/", only_dir ? "" : key);
}

static void side_path(const struct ib_store *s, const char *sub,
                      const char *name, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%.*s/%s%s%.64s", (int)DIR_MAX, s->dir, sub,
             *name ? "/" : "", name);
}

/* mkdir -p; quiet where it exists. */
static bool make_dirs(const char *path)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return false;
    memcpy(part, path, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST && errno != EROFS &&
            errno != EACCES)
            return false;
        part[i] = path[i];
    }
    return access(path, F_OK) == 0;
}

enum ib_status ib_store_open(struct ib_store **out, const char *dir,
                             struct ib_error *err)
{
    struct ib_store *s;
    struct stat st;

    if (!dir || !*dir || strlen(dir) >= DIR_MAX)
        return ib_error_set(err, IB_E_USAGE,
                            "store: the directory's name must have 1 to %d "
                            "bytes",
                            (int)DIR_MAX - 1);
    if (!make_dirs(dir))
        return ib_error_set(err, IB_E_IO, "store %s: cannot be made: %s", dir,
                            strerror(errno));
    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return ib_error_set(err, IB_E_IO, "store %s: not a directory", dir);
    s = calloc(1, sizeof(*s));
    if (!s)
        return ib_error_set(err, IB_E_NOMEM, "store %s: no memory", dir);
    snprintf(s->dir, sizeof(s->dir), "%s", dir);
    *out = s;
    return IB_OK;
}

void ib_store_close(struct ib_store *s)
{
    free(s);
}

const char *ib_store_dir(const struct ib_store *s)
{
    return s->dir;
}

bool ib_store_has(const struct ib_store *s, const char *key)
{
    char path[PATH_MAX];

    if (!valid_key(key))
        return false;
    object_path(s, key, false, path);
    return access(path, F_OK) == 0;
}

/* Out of the way, so that it is computed again; kept for whoever looks. */
static enum ib_status quarantine(struct ib_store *s, const char *key,
                                 const char *path, struct ib_error *err)
{
    char aside[PATH_MAX];

    side_path(s, "corrupt", "", aside);
    make_dirs(aside);
    side_path(s, "corrupt", key, aside);
    if (rename(path, aside) == 0)
        ib_error_prefix(err, "corrupt artifact (moved to %s/corrupt)", s->dir);
    else
        ib_error_prefix(err, "corrupt artifact (it cannot be moved away: %s)",
                        strerror(errno));
    return IB_E_DATA;
}

enum ib_status ib_store_get(struct ib_store *s, const char *key,
                            struct ib_artifact *out, struct ib_error *err)
{
    char path[PATH_MAX];
    enum ib_status status;

    memset(out, 0, sizeof(*out));
    if (!valid_key(key))
        return ib_error_set(err, IB_E_USAGE, "store: '%.80s' is not a key",
                            key);
    object_path(s, key, false, path);
    status = ib_artifact_map(path, true, out, err);
    return status == IB_E_DATA ? quarantine(s, key, path, err) : status;
}

/* A temporary file in DIR/tmp; its name is left in path. */
static int temporary(const struct ib_store *s, char path[PATH_MAX])
{
    side_path(s, "tmp", "", path);
    make_dirs(path);
    side_path(s, "tmp", "put-XXXXXX", path);
    return mkostemp(path, O_CLOEXEC);
}

enum ib_status ib_store_probe(struct ib_store *s, struct ib_error *err)
{
    char path[PATH_MAX];
    int fd = temporary(s, path);

    if (fd < 0)
        return ib_error_set(err, IB_E_IO, "store %s cannot be written: %s",
                            s->dir, strerror(errno));
    unlink(path);
    close(fd);
    return IB_OK;
}

static enum ib_status put_failed(const struct ib_store *s, size_t need,
                                 const char *what, struct ib_error *err)
{
    int e = errno;

    if (e == ENOSPC || e == EDQUOT || e == EFBIG)
        return ib_error_set(err, IB_E_IO,
                            "store %s: no room for an artifact of %zu bytes "
                            "(%s: %s)",
                            s->dir, need, what, strerror(e));
    return ib_error_set(err, IB_E_IO, "store %s: %s: %s", s->dir, what,
                        strerror(e));
}

/* Temporary file, fsync, rename. */
static enum ib_status put_parts(struct ib_store *s, const char *key,
                                const struct ib_artifact_parts *p, size_t need,
                                struct ib_error *err)
{
    char tmp[PATH_MAX], path[PATH_MAX];
    enum ib_status status = IB_OK;
    const char *what = NULL;
    int fd = temporary(s, tmp);

    if (fd < 0)
        return put_failed(s, need, "a temporary file cannot be made", err);
    object_path(s, key, true, path);
    if (fchmod(fd, 0644) != 0 || !ib_artifact_write(fd, p))
        what = "write";
    else if (fsync(fd) != 0)
        what = "fsync";
    else if (!make_dirs(path))
        what = "mkdir";
    if (!what) {
        object_path(s, key, false, path);
        what = rename(tmp, path) != 0 ? "rename" : NULL;
    }
    if (what) {
        status = put_failed(s, need, what, err);
        unlink(tmp);
    }
    close(fd);
    return status;
}

enum ib_status ib_store_put(struct ib_store *s, const char *key,
                            const cJSON *meta, const void *data, size_t size,
                            struct ib_error *err)
{
    struct ib_artifact_parts p = {.data = data, .data_size = size};
    struct ib_text text = {0};
    enum ib_status status;
    size_t need;

    if (!valid_key(key))
        return ib_error_set(err, IB_E_USAGE, "store: '%.80s' is not a key",
                            key);
    status = ib_json_canonical(meta, &text, err);
    if (status)
        goto done;
    p.meta = ib_text_string(&text);
    p.meta_size = text.size;
    if (!ib_artifact_file_size(p.meta_size, size, &need))
        status = ib_error_set(err, IB_E_USAGE, "store: %zu bytes are too many",
                              size);
    else
        status = put_parts(s, key, &p, need, err);
done:
    ib_text_free(&text);
    return status;
}

enum ib_status ib_store_remove(struct ib_store *s, const char *key,
                               struct ib_error *err)
{
    char path[PATH_MAX];

    if (!valid_key(key))
        return ib_error_set(err, IB_E_USAGE, "store: '%.80s' is not a key",
                            key);
    object_path(s, key, false, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    return IB_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_key(const struct dirent *e)
{
    return valid_key(e->d_name);
}

static int is_prefix(const struct dirent *e)
{
    return strlen(e->d_name) == 2;
}

static void free_names(struct dirent **names, int n)
{
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* One artifact for the visitor. Unreadable ones are passed over: they may just
 * have been removed, and a get reports what is corrupt. */
static enum ib_status visit_one(const char *path, const char *key,
                                ib_store_visit visit, void *ctx,
                                struct ib_error *err)
{
    struct ib_artifact a;
    struct stat st;
    enum ib_status s;

    if (stat(path, &st) != 0 || ib_artifact_map(path, false, &a, NULL))
        return IB_OK;
    s = visit(ctx, key, a.meta, a.map_size, (int64_t)st.st_mtime, err);
    ib_artifact_free(&a);
    return s;
}

static enum ib_status visit_dir(struct ib_store *s, const char *prefix,
                                ib_store_visit visit, void *ctx,
                                struct ib_error *err)
{
    char path[PATH_MAX];
    struct dirent **names = NULL;
    enum ib_status status = IB_OK;
    int n;

    object_path(s, prefix, true, path);
    n = scandir(path, &names, is_key, by_name);
    for (int i = 0; i < n && !status; i++) {
        object_path(s, names[i]->d_name, false, path);
        status = visit_one(path, names[i]->d_name, visit, ctx, err);
    }
    free_names(names, n);
    return status;
}

enum ib_status ib_store_each(struct ib_store *s, ib_store_visit visit,
                             void *ctx, struct ib_error *err)
{
    char path[PATH_MAX];
    struct dirent **names = NULL;
    enum ib_status status = IB_OK;
    int n;

    side_path(s, "objects", "", path);
    n = scandir(path, &names, is_prefix, by_name);
    if (n < 0 && errno != ENOENT)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    for (int i = 0; i < n && !status; i++)
        status = visit_dir(s, names[i]->d_name, visit, ctx, err);
    free_names(names, n);
    return status;
}
