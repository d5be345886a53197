/*
 * Stage attack: this process becomes the oracle, another one the attacker
 * (oracle_process.h), and what the attacker brings home is put away.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "data_io.h"
#include "model_io.h"
#include "oracle_process.h"
#include "recon_io.h"
#include "reporter.h"

struct stage {
    const struct ib_stage_env *env;
    const cJSON *spec;
    const char *model_key, *data_key;
    struct ib_stack stack;
    struct ib_open_data data;
    struct ib_loaded_model model;
    int32_t *target;
    struct ib_oracle_params params;
    int fd[IB_FD_COUNT];
    void *buffer;
    size_t buffer_size;
    struct ib_oracle_core *core;
    struct ib_attacker attacker;
};

static const cJSON *spec_item(const struct stage *s, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(s->spec, name);
}

/* A number of the spec in [0, max]; 0 where there is none. */
static enum ib_status spec_number(const struct stage *s, const char *name,
                                  double max, double *out, struct ib_error *err)
{
    const cJSON *item = spec_item(s, name);

    *out = item ? item->valuedouble : 0;
    if (!item || (cJSON_IsNumber(item) && *out >= 0 && *out <= max))
        return IB_OK;
    return ib_error_set(err, IB_E_INTERNAL,
                        "stage attack: %s is no number "
                        "between 0 and %g",
                        name, max);
}

static enum ib_status spec_level(const struct stage *s, enum ib_level *out,
                                 struct ib_error *err)
{
    const char *name = cJSON_GetStringValue(spec_item(s, "level"));

    for (int i = 0; name && i < IB_LEVELS; i++)
        if (strcmp(name, ib_level_names[i]) == 0) {
            *out = (enum ib_level)i;
            return IB_OK;
        }
    return ib_error_set(err, IB_E_INTERNAL,
                        "stage attack: level \"%s\" does "
                        "not exist",
                        name ? name : "");
}

static enum ib_status spec_read(struct stage *s, struct ib_error *err)
{
    const double max = 9007199254740992.0; /* 2^53 */
    double queries = 0, seed = 0;
    enum ib_status status = spec_level(s, &s->params.level, err);

    s->data_key = cJSON_GetStringValue(spec_item(s, "data"));
    s->model_key = cJSON_GetStringValue(spec_item(s, "model"));
    if (!status && (!s->data_key || !s->model_key))
        status = ib_error_set(err, IB_E_INTERNAL,
                              "stage attack: data or model is missing");
    if (!status)
        status = spec_number(s, "max_queries", max, &queries, err);
    if (!status)
        status = spec_number(s, "seed", max, &seed, err);
    if (!status)
        status = spec_number(s, "latency", 1e9, &s->params.latency, err);
    if (!status)
        status = spec_number(s, "rate_limit", 1e12, &s->params.rate_limit, err);
    s->params.max_queries = (uint64_t)queries;
    s->params.seed = (uint64_t)seed;
    if (!status)
        status = ib_stack_from_spec(s->env->registry, spec_item(s, "defenses"),
                                    &s->stack, err);
    return status;
}

/* The classes named, or all of them. */
static enum ib_status stage_targets(struct stage *s, struct ib_error *err)
{
    const cJSON *list = spec_item(s, "targets");
    int named = cJSON_GetArraySize(list), classes = s->data.set.classes;
    int n = named ? named : classes;

    s->target = calloc((size_t)n + 1, sizeof(*s->target));
    if (!s->target)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %d targets", n);
    for (int i = 0; i < n; i++) {
        double x = named ? cJSON_GetArrayItem(list, i)->valuedouble : i;
        if (!(x >= 0 && x < classes && x == floor(x)))
            return ib_error_set(err, IB_E_USAGE,
                                "identities[%d]: %g is not a class; 0..%d "
                                "exist",
                                i, x, classes - 1);
        s->target[i] = (int32_t)x;
    }
    s->params.target = s->target;
    s->params.targets = n;
    return IB_OK;
}

static enum ib_status stage_open(struct stage *s, struct ib_error *err)
{
    int rows;
    enum ib_status status = ib_data_open(s->env, s->data_key, &s->data, err);

    if (status)
        return status;
    rows = ib_model_attack_rows(s->data.set.shape);
    status = stage_targets(s, err);
    if (!status)
        status = ib_model_open(s->env, s->model_key, rows, &s->model, err);
    if (!status && (!ib_shape_equal(s->model.task.shape, s->data.set.shape) ||
                    s->model.task.classes != s->data.set.classes))
        status = ib_error_set(err, IB_E_INTERNAL,
                              "stage attack: the model and the data differ "
                              "in shape or classes");
    if (status)
        return status;
    s->params.net = s->model.net;
    s->params.nodes = s->model.nodes;
    s->params.classes = s->model.task.classes;
    s->params.stack = &s->stack;
    s->params.reporter = s->env->reporter;
    return IB_OK;
}

/* --- the two processes ---------------------------------------------------- */

static enum ib_status stage_start(struct stage *s, struct ib_error *err)
{
    const struct ib_handout handout = {
        .env = s->env,
        .spec = s->spec,
        .set = &s->data.set,
        .model_key = s->model_key,
        .params = &s->params,
    };
    int ends[2];
    enum ib_status status = ib_handout_make(&handout, s->fd, err);

    if (status)
        return status;
    s->fd[IB_FD_BUFFER] =
        memfd_create("oracle", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (s->fd[IB_FD_BUFFER] < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return ib_error_set(err, IB_E_IO, "a channel to the attacker: %s",
                            strerror(errno));
    s->attacker.socket = ends[0];
    s->fd[IB_FD_SOCKET] = ends[1];
    status = ib_attacker_start(&s->attacker, s->env->program, s->fd, err);
    /* Ours alone would keep the attacker's death from being noticed. */
    close(s->fd[IB_FD_SOCKET]);
    s->fd[IB_FD_SOCKET] = -1;
    return status;
}

static enum ib_status stage_hello(struct stage *s, bool *gone,
                                  struct ib_error *err)
{
    struct ib_hello hello;
    ssize_t n;

    do
        n = read(s->attacker.socket, &hello, sizeof(hello));
    while (n < 0 && errno == EINTR);
    *gone = n != (ssize_t)sizeof(hello);
    if (*gone)
        return ib_error_set(err, IB_E_INTERNAL, "the attacker did not start");
    hello.text[sizeof(hello.text) - 1] = '\0';
    if (hello.status < IB_OK || hello.status > IB_E_INTERNAL)
        hello.status = IB_E_INTERNAL;
    if (hello.status)
        return ib_error_set(err, (enum ib_status)hello.status, "%s",
                            hello.text);
    if (hello.images < 1 || hello.images > IB_ATTACK_IMAGES_MAX)
        return ib_error_set(err, IB_E_INTERNAL,
                            "the attack wants to bring home %d images of a "
                            "target; 1..%d are allowed",
                            hello.images, IB_ATTACK_IMAGES_MAX);
    if (hello.landlock == 0)
        ib_report(s->env->reporter, "this kernel has no Landlock: the attack "
                                    "is held by seccomp alone");
    s->params.images = hello.images;
    return IB_OK;
}

static enum ib_status stage_buffer(struct stage *s,
                                   const struct ib_oracle_info *info,
                                   struct ib_error *err)
{
    struct ib_oracle_buffer b;
    int fd = s->fd[IB_FD_BUFFER];
    enum ib_status status = ib_oracle_layout(info, NULL, &b, err);

    if (status)
        return status;
    if (ftruncate(fd, (off_t)b.bytes) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
        return ib_error_set(err, IB_E_IO, "%zu bytes of shared memory: %s",
                            b.bytes, strerror(errno));
    s->buffer = mmap(NULL, b.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (s->buffer == MAP_FAILED) {
        s->buffer = NULL;
        return ib_error_set(err, IB_E_NOMEM, "%zu bytes of shared memory: %s",
                            b.bytes, strerror(errno));
    }
    s->buffer_size = b.bytes;
    status = ib_oracle_layout(info, s->buffer, &b, err);
    if (!status)
        status = ib_oracle_core_create(&s->core, &s->params, &b, err);
    return status;
}

static enum ib_status stage_talk(struct stage *s, bool *gone,
                                 struct ib_error *err)
{
    struct ib_oracle_info info;
    enum ib_status status = stage_hello(s, gone, err);

    if (!status)
        status = ib_oracle_describe(&s->params, &info, err);
    if (!status)
        status = stage_buffer(s, &info, err);
    if (status)
        return status;
    *gone = send(s->attacker.socket, &info, sizeof(info), MSG_NOSIGNAL) !=
            (ssize_t)sizeof(info);
    if (*gone)
        return ib_error_set(err, IB_E_INTERNAL, "the attack is gone");
    status = ib_oracle_serve(s->core, s->attacker.socket, gone, err);
    /* An attack that ends when its budget does has done what it could. */
    return status == IB_E_BUDGET ? IB_OK : status;
}

static enum ib_status stage_attack(struct stage *s, struct ib_error *err)
{
    bool gone = false;
    enum ib_status status = stage_start(s, err), death;

    if (!status)
        status = stage_talk(s, &gone, err);
    death = ib_attacker_end(&s->attacker, gone, err);
    return death ? death : status;
}

static enum ib_status stage_put(struct stage *s, const char *key,
                                struct ib_error *err)
{
    uint8_t *pixels;
    size_t bytes;
    cJSON *recon;
    enum ib_status status =
        ib_oracle_core_recon(s->core, &recon, &pixels, &bytes, err);

    if (!status)
        status =
            ib_recon_put(s->env->store, key, s->spec,
                         &(struct ib_recon_parts){recon, pixels, bytes}, err);
    free(pixels);
    return status;
}

static void stage_close(struct stage *s)
{
    for (int i = 0; i < IB_FD_COUNT; i++)
        if (s->fd[i] >= 0)
            close(s->fd[i]);
    ib_oracle_core_free(s->core);
    if (s->buffer)
        munmap(s->buffer, s->buffer_size);
    ib_model_close(&s->model);
    if (s->data.owned)
        ib_data_close(&s->data);
    ib_stack_free(&s->stack);
    free(s->target);
}

enum ib_status ib_stage_attack(const struct ib_stage_env *env,
                               const cJSON *spec, const char *key,
                               struct ib_error *err)
{
    struct stage s = {.env = env, .spec = spec, .attacker = {.socket = -1}};
    int dumpable = prctl(PR_GET_DUMPABLE);
    enum ib_status status;

    for (int i = 0; i < IB_FD_COUNT; i++)
        s.fd[i] = -1;
    /* Closes /proc/PID/mem and ptrace to processes of the same user. */
    prctl(PR_SET_DUMPABLE, 0);
    status = spec_read(&s, err);
    if (!status)
        status = stage_open(&s, err);
    if (!status)
        status = stage_attack(&s, err);
    if (!status)
        status = stage_put(&s, key, err);
    stage_close(&s);
    prctl(PR_SET_DUMPABLE, dumpable == 1);
    return status;
}
