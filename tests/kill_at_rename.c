/*
 * LD_PRELOAD for tests/crash-resume.sh: the rename number $KILL_AT of a run
 * (counted over all its processes in the file $KILL_COUNT) does not happen;
 * instead the whole run is killed, as a power cut would.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One byte a call; the file's size is the count. */
static long count_call(const char *path)
{
    struct stat st = {0};
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "r", 1) != 1 || fstat(fd, &st) != 0)
        abort();
    close(fd);
    return (long)st.st_size;
}

static void log_name(const char *path, const char *name)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, name, strlen(name)) < 0)
        abort();
    close(fd);
}

int rename(const char *from, const char *to)
{
    const char *count = getenv("KILL_COUNT"), *at = getenv("KILL_AT");
    const char *hit = getenv("KILL_HIT");
    char name[17] = "";

    if (count && at && hit && count_call(count) == atol(at)) {
        prctl(PR_GET_NAME, name);
        log_name(hit, name);
        if (strncmp(name, "ib-", 3) == 0)
            kill(getppid(), SIGKILL);
        kill(getpid(), SIGKILL);
    }
    return (int)syscall(SYS_rename, from, to);
}
