/* The whole site, one entry after the other. */
#include "site.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entry.h"
#include "site_parts.h"
#include "tree.h"

#define POOL_LIMIT ((size_t)1 << 30)

static enum ib_status path_of(const struct ib_site *s, const char *name,
                              char out[PATH_MAX], struct ib_error *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", s->out, name) < PATH_MAX)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                        s->out);
}

enum ib_status ib_site_dir(const struct ib_site *s, const char *name,
                           struct ib_error *err)
{
    char path[PATH_MAX];
    enum ib_status status = path_of(s, name, path, err);

    return status ? status : ib_tree_make(path, err);
}

static bool write_bytes(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done < 0)
            return false;
        data += done;
        n -= (size_t)done;
    }
    return true;
}

/* A site can be built again: no fsync for hundreds of files. */
enum ib_status ib_site_write(const struct ib_site *s, const char *name,
                             const struct ib_text *t, struct ib_error *err)
{
    char path[PATH_MAX];
    enum ib_status status = ib_text_status(t, err);
    int fd;

    if (!status)
        status = path_of(s, name, path, err);
    if (status)
        return status;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || !write_bytes(fd, ib_text_string(t), t->size))
        status = ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    if (fd >= 0 && close(fd) && !status)
        status = ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    return status;
}

enum ib_status ib_site_copy(const struct ib_site *s, const char *from,
                            const char *name, struct ib_error *err)
{
    enum { LIMIT = 1 << 30 };
    struct ib_text t = {0};
    enum ib_status status = ib_file_read(from, LIMIT, &t, err);

    if (!status)
        status = ib_site_write(s, name, &t, err);
    ib_text_free(&t);
    return status;
}

static enum ib_status one_entry(struct ib_site *s, const char *name,
                                struct ib_error *err)
{
    struct ib_site_open e;
    bool there = false;
    enum ib_status status = ib_site_entry_open(s, name, &e, &there, err);

    if (!status && there)
        status = ib_site_entry_data(s, &e, err);
    if (!status && there)
        status = ib_site_entry_page(s, &e, err);
    if (!status && there)
        status = ib_site_collect(s, &e, err);
    ib_site_entry_close(&e);
    return status;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum ib_status all_entries(struct ib_site *s, size_t *seen,
                                  struct ib_error *err)
{
    struct dirent **list = NULL;
    char path[PATH_MAX];
    enum ib_status status = IB_OK;
    int n = scandir(s->results, &list, NULL, by_name);

    if (n < 0)
        return ib_error_set(err, IB_E_IO, "%s: %s", s->results,
                            strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        if (!status && *name != '.' &&
            snprintf(path, sizeof path, "%s/%s", s->results, name) < PATH_MAX &&
            ib_is_entry(path)) {
            ++*seen;
            status = one_entry(s, name, err);
        }
        free(list[i]);
    }
    free(list);
    return status;
}

static enum ib_status write_pages(struct ib_site *s, struct ib_error *err)
{
    enum ib_status status = ib_site_index(s, err);

    for (int t = 0; t < IB_SITE_TRACKS && !status; t++)
        status = ib_site_track(s, t, err);
    return status ? status : ib_site_data(s, err);
}

enum ib_status ib_site_make(const char *results, const char *out,
                            struct ib_site_report *report,
                            struct ib_findings *f, struct ib_error *err)
{
    struct ib_site s = {.results = results, .out = out, .f = f};
    size_t seen = 0;
    enum ib_status status = IB_OK;

    s.pool = ib_scratch_create(POOL_LIMIT);
    if (!s.pool)
        return ib_error_set(err, IB_E_NOMEM, "leaderboard: no memory");
    status = ib_site_dir(&s, "entry", err);
    if (!status)
        status = ib_site_dir(&s, "data", err);
    if (!status)
        status = ib_site_challenges_read(&s, err);
    if (!status)
        status = all_entries(&s, &seen, err);
    if (!status) {
        ib_site_challenges_unheard(&s);
        ib_site_rank(&s);
        status = write_pages(&s, err);
    }
    *report = (struct ib_site_report){.entries = s.n_entries,
                                      .refused = seen - s.n_entries + s.unheard,
                                      .rows = s.n_rows,
                                      .boards = s.n_boards};
    cJSON_Delete(s.outcomes);
    free(s.entries);
    free(s.rows);
    free(s.boards);
    ib_scratch_free(s.pool);
    return status;
}
