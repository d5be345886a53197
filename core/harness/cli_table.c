#include "cli.h"

#define COMMANDS                                                               \
    COMMAND(plan)                                                              \
    COMMAND(store)                                                             \
    COMMAND(worker)                                                            \
    COMMAND(validate)                                                          \
    COMMAND(list)                                                              \
    COMMAND(describe)                                                          \
    COMMAND(data)                                                              \
    COMMAND(report)                                                            \
    COMMAND(selftest)                                                          \
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
