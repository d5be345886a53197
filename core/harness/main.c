#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli.h"

/* Set by SIGINT and SIGTERM; whoever runs long looks at it. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void to_stdout(const char *text, size_t n)
{
    fwrite(text, 1, n, stdout);
}

static void to_stderr(const char *text, size_t n)
{
    fflush(stdout);
    fwrite(text, 1, n, stderr);
}

static int terminal_width(void)
{
    struct winsize size = {0};

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static struct ib_console make_console(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    struct ib_console c = {
        .out = to_stdout,
        .note = to_stderr,
        .out_tty = isatty(STDOUT_FILENO),
        .note_tty = isatty(STDERR_FILENO),
        .width = terminal_width(),
    };

    c.color = c.out_tty && !(no_color && *no_color) &&
              !(term && strcmp(term, "dumb") == 0);
    return c;
}

static bool is_set(const char *name, const char *value)
{
    const char *now = getenv(name);

    return now && strcmp(now, value) == 0;
}

/* OpenBLAS chooses its kernels and threads when it is loaded, by environment
 * variables; results must not depend on the processor's model. So the program
 * executes itself once with both pinned. */
static enum ib_status pin_blas(char **argv, struct ib_error *err)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return ib_error_set(err, IB_E_USAGE,
                            "this processor lacks AVX2 or FMA, which invbench "
                            "needs (x86-64-v3)");
    if (is_set("OPENBLAS_CORETYPE", "Haswell") &&
        is_set("OPENBLAS_NUM_THREADS", "1"))
        return IB_OK;
    if (is_set("INVBENCH_PINNED", "1"))
        return ib_error_set(err, IB_E_IO,
                            "OPENBLAS_CORETYPE and OPENBLAS_NUM_THREADS do not "
                            "stay set; unset INVBENCH_PINNED to try again");
    setenv("OPENBLAS_CORETYPE", "Haswell", 1);
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("INVBENCH_PINNED", "1", 1);
    execv("/proc/self/exe", argv);
    return ib_error_set(err, IB_E_IO, "/proc/self/exe: %s", strerror(errno));
}

static int run(int argc, char **argv, struct ib_error *err)
{
    struct ib_console console = make_console();
    struct ib_command_env env = {
        .console = &console, .stop = &stop, .version = IB_VERSION};
    char program[4096] = {0};
    int code = IB_EXIT_ERROR;

    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        ib_error_set(err, IB_E_IO, "/proc/self/exe: %s", strerror(errno));
    else if (ib_registry_create(&env.registry, err) == IB_OK) {
        env.program = program;
        if (argc == 2 && strcmp(argv[1], "--version") == 0) {
            ib_console_out(&console, "invbench %s\nnumerics: %s\n", IB_VERSION,
                           ib_numerics(env.registry));
            code = IB_EXIT_OK;
        } else {
            code = ib_cli_run(&env, argc, argv, err);
        }
    }
    ib_registry_free(env.registry);
    return code;
}

int main(int argc, char **argv)
{
    struct ib_error err = {0};
    int code = IB_EXIT_ERROR;

    if (pin_blas(argv, &err) == IB_OK) {
        catch_signals();
        code = run(argc, argv, &err);
    }
    if ((fflush(stdout) || ferror(stdout)) && code == IB_EXIT_OK) {
        if (errno != EPIPE) /* whoever reads has seen enough */
            ib_error_set(&err, IB_E_IO, "standard output: %s", strerror(errno));
        code = IB_EXIT_ERROR;
    }
    if (err.text[0] && code != IB_EXIT_OK)
        fprintf(stderr, "invbench: %s\n", err.text);
    return code;
}
