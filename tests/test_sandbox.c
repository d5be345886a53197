/* The sandbox by itself: what works outside it and not inside, and what must
 * go on working. Each attempt runs in a child of its own. */
#include "cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sandbox.h"
#include "temp_dir.h"

static char dir[PATH_MAX], named[PATH_MAX + 8];

enum lock { OUTSIDE, INSIDE, WITHOUT_LANDLOCK, SEALED };

/* errno of the attempt in a child, 0 when it worked. */
static int attempt(int (*what)(void), enum lock lock)
{
    const char *const files[] = {named, NULL};
    const struct ib_sandbox sandbox = {.files = files,
                                       .no_landlock = lock == WITHOUT_LANDLOCK};
    struct ib_error err;
    int how, landlock;
    pid_t pid = fork();

    if (pid == 0) {
        if (lock != OUTSIDE && ib_sandbox_enter(&sandbox, &landlock, &err))
            _exit(255);
        if (lock == SEALED && ib_sandbox_seal(&err))
            _exit(254);
        _exit(what());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static int opened(const char *path, int flags)
{
    return open(path, flags, 0600) < 0 ? errno : 0;
}

static int open_passwd(void)
{
    return opened("/etc/passwd", O_RDONLY);
}

static int open_named(void)
{
    return opened(named, O_RDONLY);
}

static int write_named(void)
{
    return opened(named, O_WRONLY);
}

static int open_library(void)
{
    return opened("/usr/lib", O_RDONLY);
}

static int stat_root(void)
{
    struct stat st;
    return stat("/", &st) ? errno : 0;
}

static int open_parent(void)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)getppid());
    return opened(path, O_RDONLY);
}

static int signal_parent(void)
{
    return kill(getppid(), 0) ? errno : 0;
}

static int make_process(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid < 0 ? errno : 0;
}

static int make_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int trace_me(void)
{
    return ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0;
}

static int lower_limit(void)
{
    const struct rlimit few = {100, 100};
    return setrlimit(RLIMIT_NOFILE, &few) ? errno : 0;
}

static int execute(void)
{
    const char *const argv[] = {"true", NULL};
    execve("/bin/true", (char *const *)(uintptr_t)argv, environ);
    return errno;
}

/* Memory, descriptors that are there, its own signals, time. */
static int compute(void)
{
    struct timespec t;
    char byte = 1;
    int fd = memfd_create("x", 0);
    char *big = malloc(64u << 20);

    if (!big || fd < 0 || write(fd, &byte, 1) != 1)
        return 1;
    memset(big, byte, 64u << 20);
    big = realloc(big, 128u << 20);
    if (!big || big[1] != 1 || clock_gettime(CLOCK_MONOTONIC, &t))
        return 2;
    free(big);
    return kill(getpid(), 0) || raise(0) ? 3 : 0;
}

static void what_it_needs_goes_on_working(void **state)
{
    (void)state;
    assert_int_equal(attempt(compute, INSIDE), 0);
    assert_int_equal(attempt(compute, SEALED), 0);
}

static void files_that_are_not_named_are_closed(void **state)
{
    (void)state;
    assert_int_equal(attempt(open_passwd, OUTSIDE), 0);
    assert_int_equal(attempt(open_passwd, INSIDE), EACCES);
    assert_int_equal(attempt(open_named, INSIDE), 0);
    assert_int_equal(attempt(write_named, OUTSIDE), 0);
    assert_int_equal(attempt(write_named, INSIDE), EACCES);
    assert_int_equal(attempt(open_library, INSIDE), 0);
}

static void a_sealed_process_sees_no_path_at_all(void **state)
{
    (void)state;
    assert_int_equal(attempt(open_named, SEALED), EPERM);
    assert_int_equal(attempt(open_library, SEALED), EPERM);
    assert_int_equal(attempt(stat_root, INSIDE), 0);
    assert_int_equal(attempt(stat_root, SEALED), EPERM);
}

static void other_processes_are_out_of_reach(void **state)
{
    (void)state;
    assert_int_equal(attempt(open_parent, OUTSIDE), 0);
    assert_int_equal(attempt(open_parent, INSIDE), EACCES);
    assert_int_equal(attempt(signal_parent, OUTSIDE), 0);
    assert_int_equal(attempt(signal_parent, INSIDE), EPERM);
    assert_int_equal(attempt(trace_me, OUTSIDE), 0);
    assert_int_equal(attempt(trace_me, INSIDE), EPERM);
}

static void nothing_new_is_started_or_connected(void **state)
{
    (void)state;
    assert_int_equal(attempt(make_process, OUTSIDE), 0);
    assert_int_equal(attempt(make_process, INSIDE), EPERM);
    assert_int_equal(attempt(make_socket, OUTSIDE), 0);
    assert_int_equal(attempt(make_socket, INSIDE), EPERM);
    assert_int_equal(attempt(execute, OUTSIDE), 0);
    assert_int_equal(attempt(execute, INSIDE), EPERM);
    assert_int_equal(attempt(lower_limit, OUTSIDE), 0);
    assert_int_equal(attempt(lower_limit, INSIDE), EPERM);
}

/* On a kernel without Landlock the rest still holds. */
static void seccomp_alone_holds_all_but_reading_files(void **state)
{
    (void)state;
    assert_int_equal(attempt(make_process, WITHOUT_LANDLOCK), EPERM);
    assert_int_equal(attempt(make_socket, WITHOUT_LANDLOCK), EPERM);
    assert_int_equal(attempt(signal_parent, WITHOUT_LANDLOCK), EPERM);
    assert_int_equal(attempt(trace_me, WITHOUT_LANDLOCK), EPERM);
    assert_int_equal(attempt(execute, WITHOUT_LANDLOCK), EPERM);
}

static void this_kernel_has_landlock(void **state)
{
    (void)state;
    assert_true(ib_sandbox_landlock_abi() >= 1);
}

static int make_file(void **state)
{
    (void)state;
    temp_dir_make(dir);
    snprintf(named, sizeof(named), "%s/named", dir);
    return opened(named, O_WRONLY | O_CREAT);
}

static int remove_file(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_kernel_has_landlock),
        cmocka_unit_test(what_it_needs_goes_on_working),
        cmocka_unit_test(files_that_are_not_named_are_closed),
        cmocka_unit_test(a_sealed_process_sees_no_path_at_all),
        cmocka_unit_test(other_processes_are_out_of_reach),
        cmocka_unit_test(nothing_new_is_started_or_connected),
        cmocka_unit_test(seccomp_alone_holds_all_but_reading_files),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
