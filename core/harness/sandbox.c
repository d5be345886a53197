#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- Landlock ---------------------------------------------------------- */

/* As of ABI 6; the kernel takes the size, so an older one gets less. */
struct ruleset {
    uint64_t fs, net, scoped;
};
enum {
    FS_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,    /* ABI 2 */
    FS_TRUNCATE = 1 << 14, /* ABI 3 */
    FS_IOCTL = 1 << 15,    /* ABI 5 */
    NET_TCP = 3,           /* ABI 4: bind, connect */
    SCOPE_ALL = 3,         /* ABI 6: abstract sockets, signals */
};

int ib_sandbox_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                       LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static struct ruleset landlock_handled(int abi, size_t *size)
{
    struct ruleset r = {.fs = FS_ABI_1};

    r.fs |= abi >= 2 ? FS_REFER : 0;
    r.fs |= abi >= 3 ? FS_TRUNCATE : 0;
    r.fs |= abi >= 5 ? FS_IOCTL : 0;
    r.net = abi >= 4 ? NET_TCP : 0;
    r.scoped = abi >= 6 ? SCOPE_ALL : 0;
    *size = abi >= 6   ? sizeof(r)
            : abi >= 4 ? offsetof(struct ruleset, scoped)
                       : offsetof(struct ruleset, net);
    return r;
}

/* A path that is not there needs no rule. */
static enum ib_status landlock_allow(int ruleset, const char *path,
                                     struct ib_error *err)
{
    struct landlock_path_beneath_attr rule = {.allowed_access =
                                                  LANDLOCK_ACCESS_FS_READ_FILE |
                                                  LANDLOCK_ACCESS_FS_EXECUTE};
    struct stat st;
    long failed;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return IB_OK;
    if (fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
        rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
    failed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
                     &rule, 0);
    close(rule.parent_fd);
    if (failed)
        return ib_error_set(err, IB_E_IO, "sandbox: a rule for %s: %s", path,
                            strerror(errno));
    return IB_OK;
}

static enum ib_status landlock_enter(const struct ib_sandbox *s, int abi,
                                     struct ib_error *err)
{
    static const char *const system[] = {"/usr", "/lib", "/lib64",
                                         "/etc/ld.so.cache", NULL};
    size_t size;
    struct ruleset handled = landlock_handled(abi, &size);
    enum ib_status status = IB_OK;
    int fd = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);

    if (fd < 0)
        return ib_error_set(err, IB_E_IO, "sandbox: Landlock: %s",
                            strerror(errno));
    for (int i = 0; !status && system[i]; i++)
        status = landlock_allow(fd, system[i], err);
    for (int i = 0; !status && s->files && s->files[i]; i++)
        status = landlock_allow(fd, s->files[i], err);
    if (!status && syscall(SYS_landlock_restrict_self, fd, 0))
        status = ib_error_set(err, IB_E_IO, "sandbox: Landlock: %s",
                              strerror(errno));
    close(fd);
    return status;
}

/* --- seccomp ----------------------------------------------------------- */

/* What computing, the C library, the loader and the sanitizers live on. No
 * clone: a process in the sandbox stays one process with one thread. */
static const int allowed[] = {
    /* memory */
    SCMP_SYS(brk),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mincore),
    /* descriptors that are there, and files that Landlock lets through */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(fdatasync),
    SCMP_SYS(lseek),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(memfd_create),
    /* itself */
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrandom),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

static int seccomp_rules(scmp_filter_ctx filter)
{
    const scmp_datum_t self = (scmp_datum_t)getpid();
    int failed = 0;

    for (size_t i = 0; i < IB_COUNT(allowed); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    /* raise, abort: signals to itself */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                               SCMP_A0(SCMP_CMP_EQ, self));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
                               SCMP_A0(SCMP_CMP_EQ, self));
    /* reading its own limits, never setting any */
    failed |=
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
                         SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                               SCMP_A1(SCMP_CMP_EQ, F_GETFL));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                               SCMP_A1(SCMP_CMP_EQ, F_GETFD));
    /* further filters of its own: they can only take more away */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 0);
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                               SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    return failed;
}

/* Whatever looks at a path. */
static const int paths[] = {
    SCMP_SYS(open),     SCMP_SYS(openat),     SCMP_SYS(stat),
    SCMP_SYS(lstat),    SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(access),   SCMP_SYS(faccessat),  SCMP_SYS(faccessat2),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64),
    SCMP_SYS(getcwd),
};

static int seal_rules(scmp_filter_ctx filter)
{
    int failed = 0;

    for (size_t i = 0; i < IB_COUNT(paths); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), paths[i], 0);
    return failed;
}

/* PR_SET_NO_NEW_PRIVS is set before; the filter need not do it again. */
static enum ib_status seccomp_enter(uint32_t otherwise,
                                    int (*rules)(scmp_filter_ctx filter),
                                    struct ib_error *err)
{
    scmp_filter_ctx filter = seccomp_init(otherwise);
    enum ib_status status = IB_OK;

    if (!filter)
        return ib_error_set(err, IB_E_NOMEM, "sandbox: no memory for rules");
    if (seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) ||
        seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) || rules(filter) ||
        seccomp_load(filter))
        status = ib_error_set(err, IB_E_IO,
                              "sandbox: the kernel does not "
                              "take the seccomp filter");
    seccomp_release(filter);
    return status;
}

enum ib_status ib_sandbox_seal(struct ib_error *err)
{
    return seccomp_enter(SCMP_ACT_ALLOW, seal_rules, err);
}

/* The leak checker of ASan builds cannot work in here: it has its say now, and
 * then none at exit. */
extern void __lsan_do_leak_check(void) __attribute__((weak));

/* --- both -------------------------------------------------------------- */

static bool capabilities_drop(void)
{
    struct __user_cap_header_struct header = {.version =
                                                  _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}, {0}};

    return syscall(SYS_capset, &header, none) == 0;
}

enum ib_status ib_sandbox_enter(const struct ib_sandbox *s, int *landlock,
                                struct ib_error *err)
{
    const struct rlimit no_core = {0, 0};
    int abi = s->no_landlock ? 0 : ib_sandbox_landlock_abi();
    enum ib_status status = IB_OK;

    if (landlock)
        *landlock = abi;
    if (__lsan_do_leak_check)
        __lsan_do_leak_check();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        setrlimit(RLIMIT_CORE, &no_core) || chdir("/") || !capabilities_drop())
        return ib_error_set(err, IB_E_IO, "sandbox: %s", strerror(errno));
    if (abi)
        status = landlock_enter(s, abi, err);
    if (status)
        return status;
    return seccomp_enter(SCMP_ACT_ERRNO(EPERM), seccomp_rules, err);
}
