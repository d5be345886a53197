/* gnuplot as a child process with an environment of our own. */
#include "plots_run.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 400 };

static enum ib_status spawn(const char *dir, const char *script, int pipe_end,
                            pid_t *pid, int *failure)
{
    char path[4096];
    char *argv[] = {"gnuplot", "-d", (char *)script, NULL};
    char *envp[] = {path, "LC_ALL=C.UTF-8", "HOME=/nonexistent", NULL};
    posix_spawn_file_actions_t actions;
    const char *search = getenv("PATH");

    snprintf(path, sizeof path, "PATH=%s", search ? search : "/usr/bin:/bin");
    if (posix_spawn_file_actions_init(&actions) != 0)
        return IB_E_NOMEM;
    *failure = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (*failure == 0)
        *failure = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null",
                                                    O_RDONLY, 0);
    if (*failure == 0)
        *failure = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null",
                                                    O_WRONLY, 0);
    if (*failure == 0)
        *failure = posix_spawn_file_actions_adddup2(&actions, pipe_end, 2);
    if (*failure == 0)
        *failure = posix_spawnp(pid, argv[0], &actions, NULL, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    return *failure ? IB_E_IO : IB_OK;
}

/* Reads what the child says to its end; keeps the first words on one line. */
static void listen_to(int fd, char words[WORDS_MAX])
{
    char buffer[512];
    size_t kept = 0;

    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        for (ssize_t i = 0; i < n && kept < WORDS_MAX - 1; i++) {
            char c = buffer[i] >= ' ' ? buffer[i] : ' ';
            if (c != ' ' || (kept > 0 && words[kept - 1] != ' '))
                words[kept++] = c;
        }
    }
    words[kept] = '\0';
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum ib_status ib_gnuplot_run(const char *dir, const char *script, bool *found,
                              struct ib_error *err)
{
    int ends[2], failure = 0;
    pid_t pid = 0;
    char words[WORDS_MAX];

    *found = true;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ib_error_set(err, IB_E_IO, "gnuplot: pipe: %s", strerror(errno));
    enum ib_status s = spawn(dir, script, ends[1], &pid, &failure);
    close(ends[1]);
    if (s != IB_OK) {
        close(ends[0]);
        *found = failure != ENOENT;
        if (!*found)
            return IB_OK;
        return ib_error_set(err, s, "gnuplot: %s", strerror(failure));
    }
    listen_to(ends[0], words);
    close(ends[0]);
    int code = wait_for(pid);
    if (code != 0)
        return ib_error_set(err, IB_E_IO, "gnuplot failed on %s/%s: %s", dir,
                            script, words);
    return IB_OK;
}
