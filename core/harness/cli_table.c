#include "cli.h"

/* In the order of --help; hidden ones last. */
#define COMMANDS                                                               \
    COMMAND(run)                                                               \
    COMMAND(plan)                                                              \
    COMMAND(validate)                                                          \
    COMMAND(list)                                                              \
    COMMAND(describe)                                                          \
    COMMAND(data)                                                              \
    COMMAND(train)                                                             \
    COMMAND(attack)                                                            \
    COMMAND(score)                                                             \
    COMMAND(report)                                                            \
    COMMAND(submit)                                                            \
    COMMAND(verify)                                                            \
    COMMAND(compare)                                                           \
    COMMAND(leaderboard)                                                       \
    COMMAND(store)                                                             \
    COMMAND(bench)                                                             \
    COMMAND(selftest)                                                          \
    COMMAND(worker)                                                            \
    COMMAND(attacker)                                                          \
    COMMAND(probe)                                                             \
    COMMAND(docs)

#define COMMAND(name) extern const struct ib_command ib_cmd_##name;
COMMANDS
#undef COMMAND

const struct ib_command *const ib_commands[] = {
#define COMMAND(name) &ib_cmd_##name,
    COMMANDS
#undef COMMAND
        NULL,
};
