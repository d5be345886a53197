/*
 * A worker is this program, executed anew: job on stdin, results as JSON lines
 * on descriptor 3, a process group of its own, limits, and death with its
 * parent.
 */
#include "run_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 64, RESULT_FD = 3, LINE_MAX_BYTES = 1 << 20 };

#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_ADDRESSES 0 /* ASan reserves terabytes */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMIT_ADDRESSES 0
#endif
#endif
#ifndef LIMIT_ADDRESSES
#define LIMIT_ADDRESSES 1
#endif

/* What the program, its libraries and mapped artifacts take of addresses. */
#define PROGRAM_BYTES ((size_t)1 << 30)

double ib_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the job ------------------------------------------------------------ */

static cJSON *job_node(const struct ib_plan_node *node)
{
    cJSON *o = cJSON_CreateObject();

    cJSON_AddStringToObject(o, "kind", ib_node_kind_names[node->kind]);
    cJSON_AddStringToObject(o, "key", node->key);
    cJSON_AddItemReferenceToObject(o, "spec", node->spec);
    return o;
}

/* The chain as a file that the worker reads as its stdin. */
static enum ib_status job_file(const struct ib_worker *w,
                               const struct ib_plan *plan, int *fd,
                               struct ib_error *err)
{
    cJSON *job = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(job, "nodes");
    struct ib_text text = {0};
    enum ib_status s;

    *fd = -1;
    for (int i = 0; i < w->n_chain; i++)
        cJSON_AddItemToArray(nodes, job_node(&plan->nodes[w->chain[i]]));
    s = ib_json_canonical(job, &text, err);
    cJSON_Delete(job);
    if (s)
        goto done;
    *fd = memfd_create("invbench-job", MFD_CLOEXEC);
    if (*fd < 0 || write(*fd, text.data, text.size) != (ssize_t)text.size ||
        lseek(*fd, 0, SEEK_SET) != 0)
        s = ib_error_set(err, IB_E_IO, "a job cannot be written: %s",
                         strerror(errno));
done:
    ib_text_free(&text);
    return s;
}

/* --- starting ----------------------------------------------------------- */

static void set_limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit old, limit = {soft, hard};

    if (getrlimit(resource, &old) == 0 && old.rlim_max < hard) {
        limit.rlim_max = old.rlim_max;
        limit.rlim_cur = soft < old.rlim_max ? soft : old.rlim_max;
    }
    setrlimit(resource, &limit);
}

static void set_limits(const struct ib_worker_setup *setup)
{
    rlim_t cpu = (rlim_t)ceil(setup->cpu_limit);

    set_limit(RLIMIT_CPU, cpu, cpu + 2);
    set_limit(RLIMIT_CORE, 0, 0);
    if (LIMIT_ADDRESSES)
        set_limit(RLIMIT_AS, setup->memory_limit + PROGRAM_BYTES,
                  setup->memory_limit + PROGRAM_BYTES);
}

/* In the child: only calls that are safe after fork. */
static _Noreturn void become_worker(const struct ib_worker_setup *setup,
                                    char *const *args, const int fd[3],
                                    pid_t parent)
{
    int null = open("/dev/null", O_WRONLY);
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    /* RESULT_FD may be one of fd: moved out of the way first */
    int result = fcntl(fd[1], F_DUPFD, RESULT_FD + 1);
    if (dup2(fd[0], 0) < 0 || dup2(null, 1) < 0 || dup2(fd[2], 2) < 0 ||
        dup2(result, RESULT_FD) < 0)
        _exit(127);
    close_range(RESULT_FD + 1, ~0U, 0);
    set_limits(setup);
    execv(setup->program, args);
    _exit(127);
}

/* Texts of numbers among the arguments. */
struct numbers {
    char memory[32], threads[16];
};

static bool make_args(const struct ib_worker_setup *setup,
                      const char *args[ARGS_MAX], struct numbers *t)
{
    int n = 0;

    snprintf(t->memory, sizeof(t->memory), "%zu", setup->memory_limit >> 20);
    snprintf(t->threads, sizeof(t->threads), "%d",
             setup->threads > 1 ? setup->threads : 1);
    args[n++] = setup->program;
    args[n++] = "worker";
    args[n++] = "--store";
    args[n++] = setup->store;
    args[n++] = "--memory-limit";
    args[n++] = t->memory;
    args[n++] = "--threads";
    args[n++] = t->threads;
    if (setup->data_dir) {
        args[n++] = "--data";
        args[n++] = setup->data_dir;
    }
    for (const char *const *m = setup->modules; m && *m; m++) {
        if (n + 3 > ARGS_MAX)
            return false;
        args[n++] = "--plugin";
        args[n++] = *m;
    }
    args[n] = NULL;
    return true;
}

static enum ib_status fork_worker(struct ib_worker *w,
                                  const struct ib_worker_setup *setup,
                                  const int fd[3], struct ib_error *err)
{
    const char *args[ARGS_MAX];
    struct numbers texts;
    pid_t parent = getpid();

    if (!make_args(setup, args, &texts))
        return ib_error_set(err, IB_E_USAGE, "too many --plugin modules");
    w->pid = fork();
    if (w->pid == 0)
        become_worker(setup, (char *const *)args, fd, parent);
    if (w->pid < 0) {
        w->pid = 0;
        return ib_error_set(err, IB_E_IO, "fork: %s", strerror(errno));
    }
    setpgid(w->pid, w->pid);
    return IB_OK;
}

/* The ends that the worker writes to; both when it could not be started. */
static void close_pair(const int fd[2], bool both)
{
    if (fd[1] >= 0)
        close(fd[1]);
    if (both && fd[0] >= 0)
        close(fd[0]);
}

enum ib_status ib_worker_start(struct ib_worker *w,
                               const struct ib_worker_setup *setup,
                               const struct ib_plan *plan, struct ib_error *err)
{
    int result[2] = {-1, -1}, error[2] = {-1, -1}, job = -1;
    double wall = 10 * setup->cpu_limit;
    enum ib_status s = job_file(w, plan, &job, err);

    if (!s && (pipe2(result, O_CLOEXEC) != 0 || pipe2(error, O_CLOEXEC) != 0))
        s = ib_error_set(err, IB_E_IO, "pipe: %s", strerror(errno));
    if (!s)
        s = fork_worker(w, setup, (int[]){job, result[1], error[1]}, err);
    close_pair(result, s != IB_OK);
    close_pair(error, s != IB_OK);
    if (job >= 0)
        close(job);
    if (s)
        return s;
    w->result_fd = result[0];
    w->error_fd = error[0];
    fcntl(w->result_fd, F_SETFL, O_NONBLOCK);
    fcntl(w->error_fd, F_SETFL, O_NONBLOCK);
    w->at = 0;
    w->n_words = 0;
    w->late = false;
    w->share = 0;
    w->started = ib_now();
    w->deadline = w->started + (wall > 60 ? wall : 60);
    return IB_OK;
}

bool ib_worker_busy(const struct ib_worker *w)
{
    return w->pid > 0 && w->at < w->n_chain;
}

/* --- listening ---------------------------------------------------------- */

static void read_words(struct ib_worker *w)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(w->error_fd, piece, sizeof(piece))) > 0) {
        size_t take = (size_t)n < IB_LAST_WORDS ? (size_t)n : IB_LAST_WORDS;
        size_t keep = w->n_words < IB_LAST_WORDS - take ? w->n_words
                                                        : IB_LAST_WORDS - take;

        memmove(w->words, w->words + w->n_words - keep, keep);
        memcpy(w->words + keep, piece + ((size_t)n - take), take);
        w->n_words = keep + take;
    }
}

void ib_worker_listen(struct ib_worker *w)
{
    char piece[4096];
    ssize_t n;

    while ((n = read(w->result_fd, piece, sizeof(piece))) > 0)
        if (w->in.size < LINE_MAX_BYTES)
            ib_text_put(&w->in, piece, (size_t)n);
    read_words(w);
}

bool ib_worker_line(struct ib_worker *w, cJSON **line)
{
    const char *end = w->in.size ? memchr(w->in.data, '\n', w->in.size) : NULL;
    size_t n;

    if (!end)
        return false;
    n = (size_t)(end - w->in.data);
    *line = NULL;
    if (ib_json_parse(w->in.data, n, "worker", line, NULL))
        *line = NULL;
    memmove(w->in.data, end + 1, w->in.size - n - 1);
    w->in.size -= n + 1;
    return true;
}

/* --- ending ------------------------------------------------------------- */

void ib_worker_kill(struct ib_worker *w)
{
    if (w->pid > 0)
        kill(-w->pid, SIGKILL);
}

bool ib_worker_ended(struct ib_worker *w, int *status)
{
    if (w->pid <= 0 || waitpid(w->pid, status, WNOHANG) != w->pid)
        return false;
    kill(-w->pid, SIGKILL); /* whoever is left of its group */
    w->pid = 0;
    ib_worker_listen(w);
    close(w->result_fd);
    close(w->error_fd);
    return true;
}

void ib_worker_clear(struct ib_worker *w)
{
    ib_text_free(&w->in);
    memset(w, 0, sizeof(*w));
}

enum ib_outcome ib_worker_verdict(const struct ib_worker *w, int status,
                                  double cpu_limit, char *reason, size_t n)
{
    int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const char *name = sig ? sigabbrev_np(sig) : NULL;

    if (w->late) {
        snprintf(reason, n, "over the wall-clock limit");
        return IB_TIMEOUT;
    }
    if (sig == SIGXCPU) {
        snprintf(reason, n, "over the limit of %.0f s of CPU time", cpu_limit);
        return IB_TIMEOUT;
    }
    if (sig == SIGKILL) {
        snprintf(reason, n,
                 "killed (SIGKILL), as the kernel does when memory "
                 "runs out");
        return IB_OOM;
    }
    if (sig) {
        snprintf(reason, n, "SIG%s", name ? name : "?");
        return IB_CRASHED;
    }
    snprintf(reason, n, "the worker ended with code %d and no result",
             WEXITSTATUS(status));
    return IB_CRASHED;
}

enum ib_outcome ib_message_verdict(const char *status, const char *text,
                                   char *reason, size_t n)
{
    static const struct {
        const char *prefix;
        enum ib_outcome outcome;
    } prefixes[] = {{"crashed: ", IB_CRASHED},
                    {"timeout: ", IB_TIMEOUT},
                    {"oom: ", IB_OOM}};

    snprintf(reason, n, "%s", text);
    for (size_t i = 0; i < IB_COUNT(prefixes); i++) {
        size_t size = strlen(prefixes[i].prefix);

        if (strncmp(text, prefixes[i].prefix, size) == 0) {
            snprintf(reason, n, "%s", text + size);
            return prefixes[i].outcome;
        }
    }
    if (strcmp(status, ib_status_name(IB_E_NOMEM)) == 0)
        return IB_OOM;
    if (strcmp(status, ib_status_name(IB_E_DENIED)) == 0)
        return IB_NOT_APPLICABLE;
    return IB_FAILED;
}
