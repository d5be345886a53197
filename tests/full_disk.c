/*
 * Preloaded into the program: files below $FULL_DISK take $FULL_DISK_BYTES in
 * one write at most; what is longer meets ENOSPC.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_full(int fd, size_t n)
{
    const char *dir = getenv("FULL_DISK"), *most = getenv("FULL_DISK_BYTES");
    char link[64], path[PATH_MAX];
    ssize_t size;

    if (!dir || !most || n <= strtoul(most, NULL, 10))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof(path) - 1);
    path[size < 0 ? 0 : size] = '\0';
    return strncmp(path, dir, strlen(dir)) == 0;
}

ssize_t write(int fd, const void *data, size_t n)
{
    ssize_t (*real)(int, const void *, size_t);

    if (is_full(fd, n)) {
        errno = ENOSPC;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "write");
    return real(fd, data, n);
}
