/*
 * An attack that attacks the harness. With `act` probe it tries every way out
 * of its process that it knows and writes what came of it into its guess:
 * pixel 0 is 1 to say that it got that far, pixel i is 1 when attempt i was
 * denied. The other acts misbehave in one way each.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <invbench/invbench.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum act {
    PROBE,
    SEGV,
    EXIT,
    SPIN,
    NOT_A_NUMBER,
    INAPPLICABLE,
    FAIL,
    STARVE,
    EXHAUST
};

/* Its descriptors: core/harness/oracle_process.h. */
enum { JOB = 4, PUBLIC, PRIOR, MODEL, BUFFER };

struct hostile_options {
    int act;
    char store[IB_TEXT_MAX];
};

static const struct ib_choice acts[] = {
    {"probe", ""}, {"segv", ""},   {"exit", ""},
    {"spin", ""},  {"nan", ""},    {"inapplicable", ""},
    {"fail", ""},  {"starve", ""}, {"exhaust", ""},
    {0},
};

static const struct ib_option table[] = {
    {.name = "act",
     .type = IB_CHOICE,
     .value = "probe",
     .choices = acts,
     .offset = offsetof(struct hostile_options, act),
     .help = "how to misbehave"},
    {.name = "store",
     .type = IB_TEXT,
     .value = "/",
     .offset = offsetof(struct hostile_options, store),
     .help = "a directory to look into"},
    {0},
};

/* Leaves a file beside itself wherever it is loaded without being locked in. */
__attribute__((constructor)) static void leave_a_trace(void)
{
    char path[4096];
    Dl_info self;
    int fd;

    if (!dladdr(table, &self) || !self.dli_fname)
        return;
    snprintf(path, sizeof(path), "%s.trace", self.dli_fname);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0)
        close(fd);
}

struct probe {
    const struct hostile_options *o;
    struct ib_attack_env *env;
    const struct ib_oracle_info *info;
    pid_t parent;
};

static bool cannot_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static bool cannot_open_of_parent(const struct probe *p, const char *what)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)p->parent, what);
    return cannot_open(path, O_RDONLY);
}

static bool passwd(const struct probe *p)
{
    (void)p;
    return cannot_open("/etc/passwd", O_RDONLY);
}

static bool store(const struct probe *p)
{
    struct stat st;

    return cannot_open(p->o->store, O_RDONLY | O_DIRECTORY) &&
           stat(p->o->store, &st) != 0 && access(p->o->store, F_OK) != 0;
}

static bool libraries_after_loading(const struct probe *p)
{
    (void)p;
    return cannot_open("/usr", O_RDONLY) &&
           cannot_open("/proc/self/maps", O_RDONLY);
}

static bool new_file(const struct probe *p)
{
    (void)p;
    return cannot_open("/tmp/invbench-hostile", O_WRONLY | O_CREAT) &&
           mkdir("/tmp/invbench-hostile", 0700) != 0;
}

static bool parent_memory(const struct probe *p)
{
    return cannot_open_of_parent(p, "mem") && cannot_open_of_parent(p, "maps");
}

static bool parent_descriptors(const struct probe *p)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/../%d/fd", (int)p->parent);
    return cannot_open(path, O_RDONLY) && cannot_open_of_parent(p, "cmdline");
}

static bool trace(const struct probe *p)
{
    return ptrace(PTRACE_ATTACH, p->parent, 0, 0) != 0 &&
           ptrace(PTRACE_SEIZE, p->parent, 0, 0) != 0;
}

static bool read_parent(const struct probe *p)
{
    char byte;
    struct iovec mine = {&byte, 1}, theirs = {(void *)&acts, 1};

    return process_vm_readv(p->parent, &mine, 1, &theirs, 1, 0) < 0 &&
           process_vm_writev(p->parent, &mine, 1, &theirs, 1, 0) < 0;
}

static bool parent_pidfd(const struct probe *p)
{
    return syscall(SYS_pidfd_open, p->parent, 0) < 0;
}

/* Standard streams and the five of the job, nothing else. */
static bool descriptors(const struct probe *p)
{
    int extra = 0;

    (void)p;
    for (int fd = BUFFER + 1; fd < 20000; fd++)
        extra += fcntl(fd, F_GETFD) >= 0;
    return extra == 0 && fcntl(BUFFER, F_GETFD) >= 0;
}

static bool sockets(const struct probe *p)
{
    int pair[2];

    (void)p;
    return socket(AF_INET, SOCK_STREAM, 0) < 0 &&
           socket(AF_UNIX, SOCK_STREAM, 0) < 0 &&
           socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0;
}

static bool signals(const struct probe *p)
{
    return kill(p->parent, 0) != 0 && kill(-p->parent, 0) != 0 &&
           syscall(SYS_tgkill, p->parent, p->parent, 0) != 0 &&
           syscall(SYS_tkill, p->parent, 0) != 0;
}

/* If one of them works the child must end, not report. */
static bool processes(const struct probe *p)
{
    long pid = syscall(SYS_fork);

    (void)p;
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        return false;
    pid = syscall(SYS_vfork);
    if (pid == 0)
        _exit(0);
    return pid < 0 && syscall(SYS_clone3, NULL, 0) < 0 && errno == EPERM &&
           syscall(SYS_unshare, 0x10000000) < 0;
}

static bool execution(const struct probe *p)
{
    const char *const argv[] = {"true", NULL};

    (void)p;
    return execve("/bin/true", (char *const *)argv, environ) != 0 &&
           errno == EPERM;
}

static bool exotic_calls(const struct probe *p)
{
    const long calls[] = {
        SYS_bpf,
        SYS_perf_event_open,
        SYS_io_uring_setup,
        SYS_keyctl,
        SYS_add_key,
        SYS_userfaultfd,
        SYS_mount,
        SYS_umount2,
        SYS_chroot,
        SYS_setns,
        SYS_kexec_load,
        SYS_init_module,
        SYS_shmget,
        SYS_shmat,
        SYS_msgget,
        SYS_mq_open,
        SYS_inotify_init1,
        SYS_fanotify_init,
        SYS_name_to_handle_at,
        SYS_open_by_handle_at,
        SYS_pidfd_getfd,
        SYS_kcmp,
        SYS_setuid,
        SYS_personality,
        SYS_ioperm,
        SYS_swapon,
        SYS_reboot,
    };

    (void)p;
    for (size_t i = 0; i < IB_COUNT(calls); i++) {
        errno = 0;
        if (syscall(calls[i], -1, -1, -1, -1, -1) >= 0 || errno != EPERM)
            return false;
    }
    return true;
}

static bool limits(const struct probe *p)
{
    struct rlimit more = {RLIM_INFINITY, RLIM_INFINITY};

    (void)p;
    return setrlimit(RLIMIT_CPU, &more) != 0 &&
           setrlimit(RLIMIT_AS, &more) != 0 &&
           prlimit(p->parent, RLIMIT_CPU, NULL, &more) != 0;
}

/* What binds its life to the oracle's, and what others may do to it. */
static bool leash(const struct probe *p)
{
    (void)p;
    return prctl(PR_SET_PDEATHSIG, 0) != 0 && prctl(PR_SET_DUMPABLE, 1) != 0;
}

static bool sealed_memory(const struct probe *p)
{
    (void)p;
    return ftruncate(BUFFER, 1) != 0 && write(JOB, "x", 1) < 0 &&
           pwrite(PUBLIC, "x", 1, 0) < 0 && write(PRIOR, "x", 1) < 0 &&
           write(MODEL, "x", 1) < 0 &&
           mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, JOB, 0) ==
               MAP_FAILED;
}

static bool model_bytes(const struct probe *p)
{
    return p->info->level == IB_WHITEBOX || lseek(MODEL, 0, SEEK_END) == 0;
}

static bool above_its_level(const struct probe *p)
{
    struct ib_oracle *o = p->env->oracle;
    const int32_t slot = 0;
    const float *out, *cotangent = ib_oracle_input(o);
    struct ib_error err;

    if (p->info->level >= IB_GRADIENTS)
        return p->info->level == IB_WHITEBOX ||
               (!ib_oracle_net(o, NULL) &&
                ib_oracle_count(o, 0, 1, 0, &err) == IB_E_DENIED);
    return ib_oracle_logits(o, 1, &slot, &out, &err) == IB_E_DENIED &&
           ib_oracle_vjp(o, 1, cotangent, &out, &err) == IB_E_DENIED &&
           ib_oracle_count(o, 0, 1, 0, &err) == IB_E_DENIED &&
           !ib_oracle_net(o, NULL);
}

static bool slots_that_are_not(const struct probe *p)
{
    struct ib_oracle *o = p->env->oracle;
    const int32_t slot[2] = {p->info->targets, -2};
    const float *out;
    struct ib_error err;

    return ib_oracle_scores(o, 1, &slot[0], &out, &err) == IB_E_USAGE &&
           ib_oracle_scores(o, 1, &slot[1], &out, &err) == IB_E_USAGE &&
           ib_oracle_scores(o, p->info->capacity + 1, slot, &out, &err) ==
               IB_E_USAGE &&
           !ib_oracle_guess(o, p->info->targets) && !ib_oracle_guess(o, -1);
}

/* Asks for twice its budget, one row at a time. */
static bool beyond_the_budget(const struct probe *p)
{
    struct ib_oracle *o = p->env->oracle;
    const int32_t slot = 0;
    const float *out;
    struct ib_error err;
    uint64_t granted = 0, first = ib_oracle_left(o, 0);

    for (uint64_t i = 0; i < 2 * p->info->max_queries; i++) {
        if (ib_oracle_scores(o, 1, &slot, &out, &err))
            return false;
        granted += !ib_oracle_denied(o)[0];
    }
    return granted == first && ib_oracle_left(o, 0) == 0;
}

static bool (*const attempts[])(const struct probe *) = {
    passwd,
    store,
    libraries_after_loading,
    new_file,
    parent_memory,
    parent_descriptors,
    trace,
    read_parent,
    parent_pidfd,
    descriptors,
    sockets,
    signals,
    processes,
    execution,
    exotic_calls,
    limits,
    leash,
    sealed_memory,
    model_bytes,
    above_its_level,
    slots_that_are_not,
    beyond_the_budget,
};

static void probe_all(const struct hostile_options *o,
                      struct ib_attack_env *env)
{
    const struct probe p = {o, env, ib_oracle_info(env->oracle), getppid()};
    float *guess = ib_oracle_guess(env->oracle, 0);

    guess[0] = 1;
    for (size_t i = 0; i < IB_COUNT(attempts); i++)
        guess[1 + i] = attempts[i](&p) ? 1 : 0;
    for (size_t i = 0; i < IB_COUNT(attempts); i++)
        if (guess[1 + i] < 1)
            ib_report(env->reporter, "attempt %zu got through", 1 + i);
}

static enum ib_status exhaust(struct ib_attack_env *env, struct ib_error *err)
{
    const int32_t slot = 0;
    const float *out;
    enum ib_status status = IB_OK;

    while (!status && ib_oracle_left(env->oracle, 0))
        status = ib_oracle_scores(env->oracle, 1, &slot, &out, err);
    ib_oracle_guess(env->oracle, 0)[0] = 1;
    return ib_error_set(err, IB_E_BUDGET, "nothing left");
}

static enum ib_status run(const void *options, struct ib_attack_env *env,
                          struct ib_error *err)
{
    const struct hostile_options *o = options;

    switch (o->act) {
    case SEGV:
        raise(SIGSEGV);
        break;
    case EXIT:
        exit(0);
    case SPIN:
        for (;;)
            ;
    case NOT_A_NUMBER:
        ib_oracle_guess(env->oracle, 0)[3] = (float)strtod("nan", NULL);
        break;
    case FAIL:
        return ib_error_set(err, IB_E_NUMERIC, "it did not work out");
    case STARVE:
        if (!ib_scratch_take(env->scratch, (size_t)1 << 40, 1))
            return ib_error_set(err, IB_E_NOMEM, "it wanted a terabyte");
        break;
    case EXHAUST:
        return exhaust(env, err);
    default:
        probe_all(o, env);
    }
    return IB_OK;
}

static const char *applicable(const void *options,
                              const struct ib_attack_task *task)
{
    const struct hostile_options *o = options;

    (void)task;
    return o->act == INAPPLICABLE ? "it does not feel like it" : NULL;
}

static const struct ib_attack hostile = {
    .plugin = {.kind = IB_KIND_ATTACK,
               .name = "hostile",
               .summary = "tries to get out",
               .citation = "invbench",
               .license = "MIT",
               .version = "1",
               .options = table,
               .options_size = sizeof(struct hostile_options)},
    .levels = IB_GRANTS(IB_LABELS) | IB_GRANTS(IB_SCORES) |
              IB_GRANTS(IB_GRADIENTS) | IB_GRANTS(IB_WHITEBOX),
    .applicable = applicable,
    .run = run,
};

static const struct ib_plugin *const plugins[] = {&hostile.plugin, NULL};

static const struct ib_module module = {
    .magic = IB_MODULE_MAGIC,
    .name = "hostile",
    .version = "1",
    .license = "MIT",
    .summary = "an attack on the harness",
    .code_hash = "",
    .plugins = plugins,
};

const struct ib_module *ib_module_entry(void)
{
    return &module;
}
