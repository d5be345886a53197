#include "tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum ib_status ib_tree_make(const char *dir, struct ib_error *err)
{
    char part[PATH_MAX];
    size_t n = strlen(dir);

    if (n == 0 || n >= sizeof part)
        return ib_error_set(err, IB_E_USAGE, "\"%.80s\" is no directory's name",
                            dir);
    memcpy(part, dir, n + 1);
    for (size_t i = 1; i <= n; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return ib_error_set(err, IB_E_IO, "%s: %s", part, strerror(errno));
        part[i] = dir[i];
    }
    return IB_OK;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

enum ib_status ib_tree_remove(const char *dir, struct ib_error *err)
{
    if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
        return IB_OK;
    return ib_error_set(err, IB_E_IO, "%s: cannot be removed: %s", dir,
                        strerror(errno));
}

enum ib_status ib_tree_temporary(char out[PATH_MAX], struct ib_error *err)
{
    const char *base = getenv("TMPDIR");

    if (snprintf(out, PATH_MAX, "%s/invbench-XXXXXX",
                 base && *base ? base : "/tmp") >= PATH_MAX)
        return ib_error_set(err, IB_E_USAGE, "TMPDIR has too long a name");
    if (!mkdtemp(out))
        return ib_error_set(err, IB_E_IO, "%s: %s", out, strerror(errno));
    return IB_OK;
}
