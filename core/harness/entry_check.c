/* What can be found in an entry without computing a cell. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "entry.h"

enum { DEPTH_MAX = 4 };

struct listing {
    const struct ib_entry *e;
    const cJSON *files;
    struct ib_findings *f;
};

static bool is_unlisted(const char *name)
{
    return strcmp(name, IB_ENTRY_FILE) == 0 ||
           strcmp(name, IB_ENTRY_RECORD) == 0;
}

static void check_file(const struct listing *l, const char *name,
                       const char *path, const struct stat *st)
{
    const cJSON *said = ib_at(l->files, name);
    char hash[IB_KEY_SIZE];
    struct ib_error why;

    if (is_unlisted(name))
        return;
    if (!said)
        ib_finding(l->f, name, "", "is not listed in %s", IB_ENTRY_FILE);
    else if ((double)st->st_size != ib_at_number(said, "bytes"))
        ib_finding(l->f, name, "", "has %lld bytes; %s says %.0f",
                   (long long)st->st_size, IB_ENTRY_FILE,
                   ib_at_number(said, "bytes"));
    else if (ib_sha256_file(path, hash, &why))
        ib_finding_error(l->f, name, &why);
    else if (strcmp(hash, ib_at_text(said, "sha256")) != 0)
        ib_finding(l->f, name, "", "has the hash %s; %s says %s", hash,
                   IB_ENTRY_FILE, ib_at_text(said, "sha256"));
}

static void walk(const struct listing *l, const char *below, int depth)
{
    char path[PATH_MAX], name[PATH_MAX];
    struct dirent *item;
    struct stat st;
    DIR *d;

    if (ib_entry_path(l->e, below, path, NULL) || !(d = opendir(path))) {
        ib_finding(l->f, below, "", "cannot be listed");
        return;
    }
    while ((item = readdir(d)) != NULL) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        if (snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "",
                     item->d_name) >= (int)sizeof name ||
            ib_entry_path(l->e, name, path, NULL) || lstat(path, &st) != 0)
            ib_finding(l->f, below, "", "holds a file that cannot be read");
        else if (S_ISREG(st.st_mode))
            check_file(l, name, path, &st);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            walk(l, name, depth + 1);
        else
            ib_finding(l->f, name, "",
                       "is neither a file nor a directory of "
                       "an entry");
    }
    closedir(d);
}

/* Below the entry's directory, and nowhere else. */
static bool is_below(const char *name)
{
    size_t n = strlen(name);

    return *name && *name != '/' && strncmp(name, "../", 3) != 0 &&
           !strstr(name, "/../") && !strstr(name, "//") &&
           strcmp(name, "..") != 0 &&
           (n < 3 || strcmp(name + n - 3, "/..") != 0);
}

static void check_there(const struct listing *l)
{
    static const char *const needed[] = {"results.json", "suite.json"};
    char path[PATH_MAX];
    const cJSON *file;
    struct stat st;

    for (size_t i = 0; i < IB_COUNT(needed); i++)
        if (!ib_at(l->files, needed[i]))
            ib_finding(l->f, IB_ENTRY_FILE, "files", "lists no %s", needed[i]);
    cJSON_ArrayForEach(file, l->files)
    {
        const char *hash = ib_at_text(file, "sha256");
        const char *base = strrchr(file->string, '/');
        if (!is_below(file->string))
            ib_finding(l->f, IB_ENTRY_FILE, "files",
                       "%.80s is no path below the entry", file->string);
        else if (ib_entry_path(l->e, file->string, path, NULL) ||
                 lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
            ib_finding(l->f, file->string, "", "is missing");
        else if (strncmp(file->string, IB_ENTRY_WEIGHTS "/",
                         sizeof IB_ENTRY_WEIGHTS) == 0 &&
                 strncmp(base + 1, hash, strlen(hash)) != 0)
            ib_finding(l->f, file->string, "",
                       "is not named after its hash, which is %s", hash);
    }
}

enum ib_status ib_results_key(const cJSON *results, char key[IB_KEY_SIZE],
                              struct ib_error *err)
{
    cJSON *copy = cJSON_Duplicate(results, true);
    enum ib_status s;

    if (!copy)
        return ib_error_set(err, IB_E_NOMEM, "no memory for results");
    cJSON_DeleteItemFromObjectCaseSensitive(copy, "provenance");
    s = ib_json_key(copy, key, err);
    cJSON_Delete(copy);
    return s;
}

enum ib_status ib_entry_check_files(const struct ib_entry *e,
                                    struct ib_findings *f, struct ib_error *err)
{
    struct listing l = {e, ib_at(e->manifest, "files"), f};
    char key[IB_KEY_SIZE];
    enum ib_status s = IB_OK;

    check_there(&l);
    walk(&l, "", 0);
    if (e->results) {
        s = ib_results_key(e->results, key, err);
        if (!s && strcmp(key, ib_at_text(e->manifest, "results")) != 0)
            ib_finding(f, IB_ENTRY_FILE, "results",
                       "is not the hash of the results, which is %s", key);
    }
    return s;
}

enum ib_status ib_entry_check(const struct ib_entry *e, struct ib_findings *f,
                              struct ib_error *err)
{
    enum ib_status s = IB_OK;

    if (e->manifest)
        s = ib_entry_check_files(e, f, err);
    if (s || !e->results || !e->plan)
        return s;
    ib_entry_check_values(e, f);
    s = ib_entry_check_pictures(e, f, err);
    return s ? s : ib_entry_check_rebuilt(e, f, err);
}
