/* Hidden: the process that an attack runs in. See oracle_process.h. */
#include "cli.h"
#include "oracle_process.h"

static int attacker_run(const struct ib_command_env *env,
                        const struct ib_args *args, struct ib_error *err)
{
    (void)args;
    return ib_attacker_run(env->registry, err) ? IB_EXIT_ERROR : IB_EXIT_OK;
}

const struct ib_command ib_cmd_attacker = {
    .name = "attacker",
    .synopsis = "",
    .summary = "the process that an attack runs in",
    .details = "Started by a worker with the descriptors that it needs; of no "
               "use by hand.",
    .flags = (const struct ib_flag[]){{0}},
    .hidden = true,
    .run = attacker_run,
};
