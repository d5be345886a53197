/* Hidden: the child that loads an outside module and prints its descriptors.
 * See module_probe.c. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli.h"
#include "registry_parts.h"
#include "sandbox.h"

enum { CPU_SECONDS = 2, CORE_BYTES = 0 };

/* The soft limit's signal says why; the hard one cannot be caught. */
static void limit(int resource, rlim_t value)
{
    struct rlimit r = {.rlim_cur = value, .rlim_max = value * 2};

    setrlimit((__rlimit_resource_t)resource, &r);
}

static enum ib_status print_module(const struct ib_console *console,
                                   const struct ib_module *m,
                                   struct ib_error *err)
{
    struct ib_text text = {0};
    cJSON *v = ib_module_json(m, m->code_hash);
    enum ib_status s = ib_json_pretty(v, &text, err);

    if (s == IB_OK)
        console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    cJSON_Delete(v);
    return s;
}

/* What a constructor prints must not get between the lines of the answer. */
static enum ib_status open_quietly(const char *path, const struct ib_module **m,
                                   struct ib_error *err)
{
    int answer = dup(STDOUT_FILENO);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const char *files[] = {path, NULL};
    struct ib_sandbox cell = {.files = files};
    void *handle = NULL;
    enum ib_status s;

    if (answer < 0 || nowhere < 0)
        return ib_error_set(err, IB_E_IO, "no descriptors left");
    dup2(nowhere, STDOUT_FILENO);
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_CORE, CORE_BYTES);
    s = ib_sandbox_enter(&cell, NULL, err);
    if (s == IB_OK)
        s = ib_module_open(path, &handle, m, err);
    dup2(answer, STDOUT_FILENO);
    close(answer);
    close(nowhere);
    return s;
}

static int probe_run(const struct ib_command_env *env,
                     const struct ib_args *args, struct ib_error *err)
{
    const struct ib_module *m = NULL;
    enum ib_status s = open_quietly(ib_args_at(args, 0), &m, err);

    if (s == IB_OK)
        s = print_module(env->console, m, err);
    return s == IB_OK ? IB_EXIT_OK : IB_EXIT_ERROR;
}

const struct ib_command ib_cmd_probe = {
    .name = "probe",
    .synopsis = "FILE.so",
    .summary = "print an outside module's descriptors as JSON",
    .details =
        "Loads the module in a sandbox. `invbench list --plugin FILE.so` "
        "does this by itself.",
    .flags = (const struct ib_flag[]){{0}},
    .min_args = 1,
    .max_args = 1,
    .hidden = true,
    .run = probe_run,
};
