#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ib_status io_error(struct ib_error *err, const char *path)
{
    return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
}

static bool write_all(int fd, const char *data, size_t n)
{
    while (n) {
        ssize_t done = write(fd, data, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        n -= (size_t)done;
    }
    return true;
}

/* So that the rename itself survives a power cut; best effort. */
static void sync_folder(const char *path)
{
    char *copy = strdup(path);
    int fd;

    if (!copy)
        return;
    fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(copy);
}

enum ib_status ib_file_write(const char *path, const void *data, size_t n,
                             struct ib_error *err)
{
    enum ib_status s = IB_OK;
    struct ib_text temporary = {0};
    int fd = -1;

    ib_text_add(&temporary, "%s.XXXXXX", path);
    s = ib_text_status(&temporary, err);
    if (s != IB_OK)
        goto out;
    fd = mkostemp(temporary.data, O_CLOEXEC);
    if (fd < 0) {
        s = io_error(err, path);
        goto out;
    }
    if (!write_all(fd, data, n) || fchmod(fd, 0644) || fsync(fd) ||
        rename(temporary.data, path)) {
        s = io_error(err, path);
        unlink(temporary.data);
        goto out;
    }
    sync_folder(path);
out:
    if (fd >= 0)
        close(fd);
    ib_text_free(&temporary);
    return s;
}

static enum ib_status read_all(int fd, const char *path, size_t limit,
                               struct ib_text *out, struct ib_error *err)
{
    char block[1 << 14];

    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error(err, path);
        if (n == 0)
            return ib_text_status(out, err);
        if ((size_t)n > limit - out->size)
            return ib_error_set(err, IB_E_DATA,
                                "%s: longer than the %zu bytes allowed", path,
                                limit);
        ib_text_put(out, block, (size_t)n);
        if (out->failed)
            return ib_text_status(out, err);
    }
}

enum ib_status ib_file_read(const char *path, size_t limit, struct ib_text *out,
                            struct ib_error *err)
{
    enum ib_status s;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return io_error(err, path);
    ib_text_clear(out);
    s = read_all(fd, path, limit, out, err);
    close(fd);
    return s;
}
