#include "oracle_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENV_MAX = 24 };

static bool write_all(int fd, const void *data, size_t n)
{
    const char *at = data;

    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

enum ib_status ib_memory_sealed(int *fd, const char *name,
                                const struct ib_part *parts, int n,
                                struct ib_error *err)
{
    const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    bool ok;

    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    ok = *fd >= 0;
    for (int i = 0; ok && i < n; i++)
        ok = write_all(*fd, parts[i].data, parts[i].size);
    if (ok && fcntl(*fd, F_ADD_SEALS, seals) == 0)
        return IB_OK;
    return ib_error_set(err, IB_E_IO, "memory for the attacker's %s: %s", name,
                        strerror(errno));
}

enum ib_status ib_memory_map(int fd, const void **out, size_t *size,
                             struct ib_error *err)
{
    struct stat st;
    void *map;

    *out = NULL;
    *size = 0;
    if (fstat(fd, &st))
        return ib_error_set(err, IB_E_IO, "descriptor %d: %s", fd,
                            strerror(errno));
    if (st.st_size == 0)
        return IB_OK;
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return ib_error_set(err, IB_E_IO, "descriptor %d: %s", fd,
                            strerror(errno));
    *out = map;
    *size = (size_t)st.st_size;
    return IB_OK;
}

/* The attacker's environment: what picks the kernels of OpenBLAS, and what
 * keeps sanitizers from what the sandbox forbids. Nothing else of ours. */
static void attacker_env(const char *env[ENV_MAX])
{
    int n = 0;

    for (char **e = environ; *e && n < ENV_MAX - 2; e++)
        if (strncmp(*e, "OPENBLAS_", 9) == 0 ||
            strncmp(*e, "INVBENCH_PINNED=", 16) == 0 ||
            strncmp(*e, "UBSAN_OPTIONS=", 14) == 0)
            env[n++] = *e;
    env[n++] = "ASAN_OPTIONS=detect_leaks=0";
    env[n] = NULL;
}

/* Between fork and exec: only what is safe there. */
static void attacker_exec(const char *program, const int fd[IB_FD_COUNT],
                          const char *const *env, pid_t parent)
{
    const char *const argv[] = {"invbench", "attacker", NULL};
    int null = open("/dev/null", O_RDWR), high[IB_FD_COUNT];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0)
        _exit(127);
    for (int i = 0; i < IB_FD_COUNT; i++) {
        high[i] = fcntl(fd[i], F_DUPFD, 64);
        if (high[i] < 0)
            _exit(127);
    }
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0)
        _exit(127);
    for (int i = 0; i < IB_FD_COUNT; i++)
        if (dup2(high[i], IB_FD_FIRST + i) < 0)
            _exit(127);
    if (close_range(IB_FD_FIRST + IB_FD_COUNT, ~0u, 0))
        _exit(127);
    /* Array of const texts to what execve has asked for since 1979. */
    execve(program, (char *const *)(uintptr_t)argv,
           (char *const *)(uintptr_t)env);
    _exit(127);
}

enum ib_status ib_attacker_start(struct ib_attacker *a, const char *program,
                                 const int fd[IB_FD_COUNT],
                                 struct ib_error *err)
{
    const char *env[ENV_MAX];
    pid_t parent = getpid();

    attacker_env(env);
    a->pid = fork();
    if (a->pid == 0)
        attacker_exec(program ? program : "/proc/self/exe", fd, env, parent);
    if (a->pid > 0)
        return IB_OK;
    a->pid = 0;
    return ib_error_set(err, IB_E_IO, "a process for the attack: %s",
                        strerror(errno));
}

static bool over_cpu_limit(const struct rusage *used)
{
    struct rlimit limit;
    double seconds = (double)used->ru_utime.tv_sec +
                     (double)used->ru_stime.tv_sec +
                     1e-6 * (double)used->ru_utime.tv_usec +
                     1e-6 * (double)used->ru_stime.tv_usec;

    return getrlimit(RLIMIT_CPU, &limit) == 0 &&
           limit.rlim_cur != RLIM_INFINITY &&
           seconds >= (double)limit.rlim_cur - 0.5;
}

static enum ib_status attacker_death(const char *what, int how,
                                     const struct rusage *used,
                                     struct ib_error *err)
{
    int signal = WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    const char *name = signal ? sigabbrev_np(signal) : NULL;

    if (signal == SIGXCPU || (signal == SIGKILL && over_cpu_limit(used)))
        return ib_error_set(err, IB_E_INTERNAL,
                            "timeout: the %s ran out of CPU time", what);
    if (signal == SIGKILL)
        return ib_error_set(err, IB_E_INTERNAL,
                            "oom: the %s was killed (SIGKILL)", what);
    if (signal)
        return ib_error_set(err, IB_E_INTERNAL, "crashed: SIG%s in the %s",
                            name ? name : "?", what);
    return ib_error_set(err, IB_E_INTERNAL,
                        "crashed: the %s's process ended with exit "
                        "status %d before it was done",
                        what, WEXITSTATUS(how));
}

enum ib_status ib_attacker_end(struct ib_attacker *a, bool gone,
                               struct ib_error *err)
{
    struct rusage used;
    int how = 0;
    pid_t done;

    if (a->socket >= 0)
        close(a->socket);
    a->socket = -1;
    if (!a->pid)
        return IB_OK;
    if (!gone)
        kill(a->pid, SIGKILL);
    do
        done = wait4(a->pid, &how, 0, &used);
    while (done < 0 && errno == EINTR);
    a->pid = 0;
    return gone && done > 0
               ? attacker_death(a->what ? a->what : "attack", how, &used, err)
               : IB_OK;
}
