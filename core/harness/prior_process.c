/* The worker's half: hands out, listens, takes the result. */
#include "prior_process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reporter.h"

struct run {
    const struct ib_prior_job *job;
    int fd[IB_FD_COUNT];
    struct ib_attacker attacker;
    size_t room; /* bytes of BUFFER */
    cJSON *numbers;
    int n_numbers;
};

/* --- handing out --------------------------------------------------------- */

static enum ib_status give_buffer(struct run *r, struct ib_error *err)
{
    const struct ib_prior_job *job = r->job;
    int fd;

    r->room = IB_PRIOR_BYTES_MAX;
    if (job->samples &&
        !ib_size_mul(job->samples, ib_shape_size(job->images->shape), &r->room))
        return ib_error_set(err, IB_E_NOMEM, "%zu samples are too many",
                            job->samples);
    fd = memfd_create("result", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    r->fd[IB_FD_BUFFER] = fd;
    if (fd >= 0 && ftruncate(fd, (off_t)r->room) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return IB_OK;
    return ib_error_set(err, IB_E_IO, "memory for a prior's result: %s",
                        strerror(errno));
}

static enum ib_status give_checkpoint(struct run *r, struct ib_error *err)
{
    int *fd = &r->fd[IB_FD_MODEL];

    if (r->job->every <= 0)
        return ib_memory_sealed(fd, "model", NULL, 0, err);
    *fd = fcntl(r->job->checkpoint, F_DUPFD_CLOEXEC, 0);
    if (*fd < 0)
        return ib_error_set(err, IB_E_IO, "a prior's checkpoint: %s",
                            strerror(errno));
    return IB_OK;
}

static cJSON *job_json(const struct ib_prior_job *job)
{
    cJSON *o =
        ib_handout_job(job->env, job->samples ? "sample" : "fit", job->images);
    cJSON *prior = cJSON_Duplicate(job->prior, true);
    bool ok = cJSON_AddItemToObject(o, "prior", prior);

    if (!ok)
        cJSON_Delete(prior);
    if (ok && cJSON_AddNumberToObject(o, "seed", (double)job->seed) &&
        cJSON_AddNumberToObject(o, "samples", (double)job->samples) &&
        cJSON_AddNumberToObject(o, "checkpoint", job->every) &&
        cJSON_AddNumberToObject(o, "threads", ib_pool_threads(job->env->pool)))
        return o;
    cJSON_Delete(o);
    return NULL;
}

static enum ib_status hand_out(struct run *r, struct ib_error *err)
{
    const struct ib_prior_job *job = r->job;
    const struct ib_part part = {job->fitted, job->fitted_size};
    enum ib_status s =
        ib_handout_give_job(job_json(job), &r->fd[IB_FD_JOB], err);

    if (!s)
        s = ib_handout_give_images(job->images, &r->fd[IB_FD_PUBLIC], err);
    if (!s)
        s = ib_memory_sealed(&r->fd[IB_FD_PRIOR], "prior", &part,
                             job->fitted_size ? 1 : 0, err);
    if (!s)
        s = give_checkpoint(r, err);
    return s ? s : give_buffer(r, err);
}

static enum ib_status start(struct run *r, struct ib_error *err)
{
    int ends[2];
    enum ib_status s = hand_out(r, err);

    if (s)
        return s;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return ib_error_set(err, IB_E_IO, "a channel to a prior: %s",
                            strerror(errno));
    r->attacker.socket = ends[0];
    r->fd[IB_FD_SOCKET] = ends[1];
    s = ib_attacker_start(&r->attacker, r->job->env->program, r->fd, err);
    /* Ours alone would keep its death from being noticed. */
    close(r->fd[IB_FD_SOCKET]);
    r->fd[IB_FD_SOCKET] = -1;
    return s;
}

/* --- listening ----------------------------------------------------------- */

static bool receive(const struct run *r, void *message, size_t n)
{
    ssize_t got;

    do
        got = read(r->attacker.socket, message, n);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)n;
}

static enum ib_status told_status(int32_t status)
{
    return status < IB_OK || status > IB_E_INTERNAL ? IB_E_INTERNAL
                                                    : (enum ib_status)status;
}

static enum ib_status greet(const struct run *r, bool *gone,
                            struct ib_error *err)
{
    struct ib_hello hello;

    *gone = !receive(r, &hello, sizeof(hello));
    if (*gone)
        return ib_error_set(err, IB_E_INTERNAL, "the prior did not start");
    hello.text[sizeof(hello.text) - 1] = '\0';
    if (hello.status)
        return ib_error_set(err, told_status(hello.status), "%s", hello.text);
    if (hello.landlock == 0)
        ib_report(r->job->env->reporter, "this kernel has no Landlock: the "
                                         "prior is held by seccomp alone");
    return IB_OK;
}

static bool sound_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

    return n > 0 && n < IB_NAME_MAX && name[n] == '\0';
}

static enum ib_status take_number(struct run *r,
                                  const struct ib_prior_message *m,
                                  struct ib_error *err)
{
    if (!sound_name(m->text) || !isfinite(m->value) ||
        r->n_numbers++ == IB_PRIOR_NUMBERS_MAX ||
        cJSON_HasObjectItem(r->numbers, m->text))
        return ib_error_set(err, IB_E_INTERNAL,
                            "the prior's number \"%.60s\" has no sound name, "
                            "is not finite, stands twice, or is one of more "
                            "than %d",
                            m->text, IB_PRIOR_NUMBERS_MAX);
    if (!cJSON_AddNumberToObject(r->numbers, m->text, m->value))
        return ib_error_set(err, IB_E_NOMEM, "no memory for a number");
    return IB_OK;
}

static enum ib_status take_done(const struct run *r,
                                const struct ib_prior_message *m,
                                struct ib_prior_result *out,
                                struct ib_error *err)
{
    size_t exact = r->job->samples ? r->room : 0;
    void *map;

    if (m->status)
        return ib_error_set(err, told_status(m->status), "%s", m->text);
    if (m->size == 0 || m->size > r->room || (exact && m->size != exact))
        return ib_error_set(err, IB_E_INTERNAL,
                            "the prior brings %llu bytes; %s%zu are allowed",
                            (unsigned long long)m->size,
                            exact ? "exactly " : "1..", r->room);
    map = mmap(NULL, (size_t)m->size, PROT_READ, MAP_PRIVATE,
               r->fd[IB_FD_BUFFER], 0);
    if (map == MAP_FAILED)
        return ib_error_set(err, IB_E_NOMEM, "%llu bytes of a prior: %s",
                            (unsigned long long)m->size, strerror(errno));
    out->data = map;
    out->size = (size_t)m->size;
    return IB_OK;
}

static enum ib_status listen_to(struct run *r, struct ib_prior_result *out,
                                bool *gone, struct ib_error *err)
{
    struct ib_reporter *reporter = r->job->env->reporter;
    struct ib_prior_message m;
    enum ib_status s = greet(r, gone, err);

    while (!s) {
        *gone = !receive(r, &m, sizeof(m));
        if (*gone)
            return ib_error_set(err, IB_E_INTERNAL, "the prior is gone");
        m.text[sizeof(m.text) - 1] = '\0';
        if (m.say == IB_PRIOR_DONE)
            return take_done(r, &m, out, err);
        if (m.say == IB_PRIOR_NUMBER)
            s = take_number(r, &m, err);
        else if (m.say == IB_PRIOR_PROGRESS)
            ib_report_progress(reporter, m.value);
        else
            ib_report(reporter, "%s", m.text);
    }
    return s;
}

enum ib_status ib_prior_run(const struct ib_prior_job *job,
                            struct ib_prior_result *out, struct ib_error *err)
{
    struct run r = {.job = job, .attacker = {.socket = -1, .what = "prior"}};
    bool gone = false;
    enum ib_status s, death;

    *out = (struct ib_prior_result){0};
    for (int i = 0; i < IB_FD_COUNT; i++)
        r.fd[i] = -1;
    r.numbers = cJSON_CreateObject();
    s = r.numbers ? start(&r, err)
                  : ib_error_set(err, IB_E_NOMEM, "no memory for a prior");
    if (!s)
        s = listen_to(&r, out, &gone, err);
    death = ib_attacker_end(&r.attacker, gone, err);
    s = death ? death : s;
    for (int i = 0; i < IB_FD_COUNT; i++)
        if (r.fd[i] >= 0)
            close(r.fd[i]);
    out->numbers = r.numbers;
    if (s)
        ib_prior_result_free(out);
    return s;
}

void ib_prior_result_free(struct ib_prior_result *r)
{
    if (r->data)
        munmap((void *)(uintptr_t)r->data, r->size);
    cJSON_Delete(r->numbers);
    *r = (struct ib_prior_result){0};
}
