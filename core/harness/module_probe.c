/*
 * Reading an outside module's descriptors without letting its code into this
 * process: a child ("PROGRAM probe FILE.so", see cmd_probe.c) loads it in a
 * sandbox and prints them. A module that crashes, hangs or talks nonsense
 * costs an error message.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "registry_parts.h"

extern char **environ;

enum { ANSWER_MAX = 8 << 20, COMPLAINT_MAX = 600, SECONDS_MAX = 10 };

struct child {
    pid_t pid;
    int out, note; /* its standard output and error */
    struct ib_text answer, complaint;
};

static enum ib_status start_child(struct child *c, const char *program,
                                  const char *path, struct ib_error *err)
{
    char *argv[] = {(char *)program, "probe", (char *)path, NULL};
    posix_spawn_file_actions_t actions;
    int out[2] = {-1, -1}, note[2] = {-1, -1}, why;

    if (pipe2(out, O_CLOEXEC) || pipe2(note, O_CLOEXEC)) {
        close(out[0]);
        close(out[1]);
        return ib_error_set(err, IB_E_IO, "pipe: %s", strerror(errno));
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, note[1], 2);
    why = posix_spawn(&c->pid, program, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(note[1]);
    c->out = out[0];
    c->note = note[0];
    if (why)
        return ib_error_set(err, IB_E_IO, "%s: %s", program, strerror(why));
    return IB_OK;
}

/* One read; false at the end of the pipe. What exceeds max is dropped. */
static bool drain(int fd, struct ib_text *text, size_t max)
{
    char block[4096];
    ssize_t n = read(fd, block, sizeof block);

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0)
        return false;
    if (text->size + (size_t)n <= max)
        ib_text_put(text, block, (size_t)n);
    return true;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads both pipes to their end; false when time ran out. */
static bool listen_to(struct child *c)
{
    int64_t end = now_ms() + SECONDS_MAX * 1000;
    struct pollfd fds[2] = {{.fd = c->out, .events = POLLIN},
                            {.fd = c->note, .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int64_t left = end - now_ms();
        if (left <= 0)
            return false;
        if (poll(fds, 2, (int)left) < 0 && errno != EINTR)
            return false;
        if (fds[0].revents && !drain(c->out, &c->answer, ANSWER_MAX))
            fds[0].fd = -1;
        if (fds[1].revents && !drain(c->note, &c->complaint, COMPLAINT_MAX))
            fds[1].fd = -1;
    }
    return true;
}

/* The child's own message without its "invbench: " and line end. */
static const char *complaint_of(struct child *c)
{
    char *text = c->complaint.data ? c->complaint.data : "";
    size_t n = strcspn(text, "\n");

    if (text[n])
        text[n] = '\0';
    return strncmp(text, "invbench: ", 10) == 0 ? text + 10 : text;
}

static enum ib_status verdict(struct child *c, bool in_time, int status,
                              struct ib_error *err)
{
    const char *said = complaint_of(c);

    if (!in_time || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
        return ib_error_set(err, IB_E_USAGE,
                            "loading it does not end (an endless loop in a "
                            "constructor?)");
    if (WIFSIGNALED(status))
        return ib_error_set(err, IB_E_USAGE,
                            "loading it crashes: signal %d (%s)",
                            WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0)
        return ib_error_set(err, IB_E_USAGE, "%s",
                            *said ? said : "loading it fails without a word");
    return IB_OK;
}

enum ib_status ib_module_probe(const char *program, const char *path,
                               cJSON **out, struct ib_error *err)
{
    struct child c = {.pid = -1, .out = -1, .note = -1};
    enum ib_status s = start_child(&c, program, path, err);
    bool in_time;
    int status = 0;

    *out = NULL;
    if (s == IB_OK) {
        in_time = listen_to(&c);
        if (!in_time)
            kill(c.pid, SIGKILL);
        while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
            ;
        s = verdict(&c, in_time, status, err);
    }
    if (s == IB_OK && ib_json_parse(ib_text_string(&c.answer), c.answer.size,
                                    "it", out, NULL) != IB_OK)
        s = ib_error_set(err, IB_E_USAGE,
                         "its description cannot be read (a constructor that "
                         "ends the process?)");
    close(c.out);
    close(c.note);
    ib_text_free(&c.answer);
    ib_text_free(&c.complaint);
    return s;
}
