/*
 * Commands and their flags. One table drives parsing, --help, the man page,
 * shell completions and docs/commands.md.
 */
#ifndef INVBENCH_HARNESS_CLI_H
#define INVBENCH_HARNESS_CLI_H

#include "console.h"
#include "registry.h"

enum ib_exit {
    IB_EXIT_OK = 0,
    IB_EXIT_USAGE = 1,
    IB_EXIT_ERROR = 2,
    IB_EXIT_CELLS = 3,         /* some cells failed */
    IB_EXIT_REGRESSION = 10,   /* of compare: a rule failed */
    IB_EXIT_NOTHING = 11,      /* nothing to compare */
    IB_EXIT_INCOMPATIBLE = 12, /* not comparable */
    IB_EXIT_REFUTED = 13,      /* verification failed */
};

struct ib_flag {
    const char *name;  /* without "--"; NULL ends the list */
    const char *value; /* what stands for the value in help; NULL: a switch */
    const char *help;
    bool repeats;
};

struct ib_args; /* parsed command line */
const char *ib_args_get(const struct ib_args *a, const char *flag);
bool ib_args_has(const struct ib_args *a, const char *flag);
/* All values of a repeated flag; NULL-terminated, never NULL. */
const char *const *ib_args_all(const struct ib_args *a, const char *flag);
int ib_args_count(const struct ib_args *a); /* positional */
const char *ib_args_at(const struct ib_args *a, int i);
/* Checked numbers; *out keeps its value when the flag was not given. */
IB_CHECK enum ib_status ib_args_int(const struct ib_args *a, const char *flag,
                                    int64_t min, int64_t max, int64_t *out,
                                    struct ib_error *err);

struct ib_command_env {
    const struct ib_console *console;
    volatile const int *stop;     /* set by SIGINT and SIGTERM */
    struct ib_registry *registry; /* --plugin modules loaded as descriptors
                                     (as code in hidden worker commands) */
    const char *program;          /* path of this program, to execute anew */
    const char *version;          /* of this program */
};

struct ib_command {
    const char *name;
    const char *synopsis;        /* "SUITE.json --out DIR [--jobs N]" */
    const char *summary;         /* one line */
    const char *details;         /* a few paragraphs and examples that teach */
    const struct ib_flag *flags; /* besides --help, --json, --plugin */
    int min_args, max_args;
    bool hidden; /* how the program executes itself */
    /* Returns an enum ib_exit; on IB_EXIT_USAGE or IB_EXIT_ERROR err is set. */
    int (*run)(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err);
};

/* NULL-terminated; in cli_table.c. Each command is defined in cmd_NAME.c. */
extern const struct ib_command *const ib_commands[];
/* Parses and runs; main prints err and exits with what this returns. */
int ib_cli_run(const struct ib_command_env *env, int argc, char **argv,
               struct ib_error *err);

#endif
