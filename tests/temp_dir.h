/* A directory of a test's own under $TMPDIR or /tmp, removed afterwards. */
#ifndef INVBENCH_TESTS_TEMP_DIR_H
#define INVBENCH_TESTS_TEMP_DIR_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void temp_dir_make(char dir[PATH_MAX])
{
    const char *base = getenv("TMPDIR");

    snprintf(dir, PATH_MAX, "%s/invbench-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir))
        abort();
}

static inline int temp_dir_unlink(const char *path, const struct stat *st,
                                  int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void temp_dir_remove(const char *dir)
{
    nftw(dir, temp_dir_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
