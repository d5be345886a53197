/* invbench verify ENTRY: compute an entry anew and compare. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "challenge.h"
#include "tree.h"

enum { NONCE_BYTES = 16, CELLS = 3, EXIT_INTERRUPTED = 130 };

/* What the caller brought, or fresh randomness. */
static enum ib_status read_nonce(const struct ib_args *args,
                                 char out[IB_NONCE_SIZE], struct ib_error *err)
{
    const char *given = ib_args_get(args, "nonce");
    unsigned char bytes[NONCE_BYTES];

    if (given) {
        size_t n = strlen(given);
        if (n == 0 || n >= IB_NONCE_SIZE ||
            strspn(given, "0123456789abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") != n)
            return ib_error_set(err, IB_E_USAGE,
                                "--nonce: 1 to %d letters, digits, - _ . are "
                                "wanted",
                                IB_NONCE_SIZE - 1);
        memcpy(out, given, n + 1);
        return IB_OK;
    }
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return ib_error_set(err, IB_E_IO, "no random numbers for a nonce");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return IB_OK;
}

/* The suite and plan of the entry, with the data that is here. */
static enum ib_status plan_here(struct ib_verify *v, struct ib_error *err)
{
    static const char *const none[] = {NULL};
    struct ib_session *s = v->session;
    char path[PATH_MAX];
    enum ib_status status = ib_entry_path(v->entry, "suite.json", path, err);

    if (!status)
        status =
            ib_suite_read(s->env.registry, path, none, none, &s->suite, err);
    if (!status)
        status = ib_plan_make(s->suite, &s->env, &s->plan, err);
    if (!status)
        status = ib_verify_data(v, err);
    return status;
}

static enum ib_status run_all(struct ib_verify *v, struct ib_challenge *c,
                              const char *challenge, bool *stopped,
                              struct ib_error *err)
{
    enum ib_status s = ib_entry_check(v->entry, &v->f, err);

    v->verdict = IB_REFUTED;
    if (s || v->f.n)
        return s;
    s = plan_here(v, err);
    if (s || v->f.n)
        return s;
    if (challenge) {
        s = ib_challenge_open(c, challenge, v, err);
        return s || v->f.n ? s : ib_challenge_run(c, v, stopped, err);
    }
    s = ib_verify_draw(v, err);
    return s ? s : ib_verify_run(v, stopped, err);
}

static enum ib_status write_record(const char *path, const cJSON *o,
                                   struct ib_error *err)
{
    struct ib_text t = {0};
    enum ib_status s = ib_json_pretty(o, &t, err);

    if (!s)
        s = ib_file_write(path, t.data, t.size, err);
    ib_text_free(&t);
    return s;
}

/* Where --record leaves the outcome. */
static enum ib_status record_path(const struct ib_verify *v,
                                  const char *challenge, char out[PATH_MAX],
                                  struct ib_error *err)
{
    if (!challenge)
        return ib_entry_path(v->entry, IB_ENTRY_RECORD, out, err);
    if (snprintf(out, PATH_MAX, "%s/outcome.json", challenge) < PATH_MAX)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE, "%.80s...: the path is too long",
                        challenge);
}

static enum ib_status tell(const struct ib_command_env *env,
                           const struct ib_args *args,
                           const struct ib_verify *v,
                           const struct ib_challenge *c, struct ib_error *err)
{
    const char *challenge = ib_args_get(args, "challenge");
    char path[PATH_MAX];
    struct ib_text t = {0};
    cJSON *o =
        challenge ? ib_challenge_json(c, v) : ib_verify_json(v, env->version);
    enum ib_status s = o ? IB_OK : ib_error_set(err, IB_E_NOMEM, "no memory");

    if (!s && ib_args_has(args, "json"))
        s = ib_json_pretty(o, &t, err);
    else if (!s && challenge)
        ib_challenge_text(c, v, &t);
    else if (!s)
        ib_verify_text(v, &t);
    if (!s)
        env->console->out(ib_text_string(&t), t.size);
    if (!s && ib_args_has(args, "record"))
        s = record_path(v, challenge, path, err);
    if (!s && ib_args_has(args, "record"))
        s = write_record(path, o, err);
    ib_text_free(&t);
    cJSON_Delete(o);
    return s;
}

static int exit_of(const struct ib_verify *v, const struct ib_challenge *c,
                   const char *challenge, struct ib_error *err)
{
    if (challenge) {
        if (ib_challenge_stands(c, v))
            return IB_EXIT_OK;
        ib_error_set(err, IB_E_DATA, "%s: the challenge is %s", challenge,
                     v->f.n ? "invalid" : "not shown to be stronger");
        return IB_EXIT_REFUTED;
    }
    if (v->verdict == IB_VERIFIED)
        return IB_EXIT_OK;
    ib_error_set(err, IB_E_DATA, "%s: %s", v->entry->dir,
                 v->verdict == IB_REFUTED
                     ? "is not what comes out here"
                     : "is neither shown to be equivalent nor refuted");
    return IB_EXIT_REFUTED;
}

/* Opens the session on --store, or on a fresh store that is thrown away. */
static enum ib_status open_store(struct ib_session *s,
                                 const struct ib_command_env *env,
                                 const struct ib_args *args,
                                 char temporary[PATH_MAX], struct ib_error *err)
{
    const char *store = ib_args_get(args, "store");
    enum ib_status status;

    *temporary = '\0';
    if (store)
        return ib_session_open_at(s, env, args, store, err);
    status = ib_tree_temporary(temporary, err);
    return status ? status : ib_session_open_at(s, env, args, temporary, err);
}

static int interrupted(const struct ib_command_env *env)
{
    ib_console_note(env->console, "interrupted; what was computed is thrown "
                                  "away (--store DIR keeps it)\n");
    return EXIT_INTERRUPTED;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    struct ib_session session = {0};
    struct ib_entry entry = {0};
    struct ib_verify v = {.entry = &entry,
                          .session = &session,
                          .cells = CELLS,
                          .all = ib_args_has(args, "all"),
                          .weights = ib_args_get(args, "weights")};
    struct ib_challenge c = {0};
    const char *challenge = ib_args_get(args, "challenge");
    char temporary[PATH_MAX] = "";
    bool stopped = false;
    int code = IB_EXIT_ERROR;
    enum ib_status s = ib_args_int(args, "cells", 1, 1000000, &v.cells, err);

    if (!s && v.all && ib_args_has(args, "cells"))
        s = ib_error_set(err, IB_E_USAGE,
                         "verify: --cells draws some cells, --all takes every "
                         "one; give one of the two");
    if (!s)
        s = read_nonce(args, v.nonce, err);
    if (!s)
        s = ib_entry_plugins(env->registry, ib_args_at(args, 0), err);
    if (!s)
        s = ib_entry_open(env->registry, ib_args_at(args, 0), &entry, &v.f,
                          err);
    if (!s)
        s = open_store(&session, env, args, temporary, err);
    if (!s)
        s = run_all(&v, &c, challenge, &stopped, err);
    if (!s && stopped && *temporary)
        code = interrupted(env);
    else if (!s && stopped)
        code = ib_session_interrupted(&session);
    else if (!s && !(s = tell(env, args, &v, &c, err)))
        code = exit_of(&v, &c, challenge, err);
    if (s)
        code = s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    ib_challenge_close(&c);
    ib_verify_free(&v);
    ib_session_close(&session);
    ib_entry_close(&entry);
    if (*temporary && ib_tree_remove(temporary, s ? NULL : err))
        code = code == IB_EXIT_OK ? IB_EXIT_ERROR : code;
    return code;
}

static const struct ib_flag flags[] = {
    {"cells", "N", "how many cells are drawn (default 3)", false},
    {"all", NULL, "every cell, and all that is summed up from them", false},
    {"nonce", "TEXT", "repeat a draw (default: fresh randomness)", false},
    {"weights", "DIR",
     "where the evaluators' weight files lie (SHA256.f32), for an entry of "
     "other numerics",
     false},
    {"challenge", "DIR",
     "score reconstructions that are said to beat the entry's", false},
    {"record", NULL,
     "write the outcome to ENTRY/verified.json (DIR/outcome.json of a "
     "challenge)",
     false},
    {"store", "DIR",
     "reuse what this store has, but for the drawn attacks (default: a fresh "
     "one, removed afterwards)",
     false},
    {"data", "DIR", "where data sets are (default $INVBENCH_DATA)", false},
    IB_RUN_FLAGS,
    {0},
};

const struct ib_command ib_cmd_verify = {
    .name = "verify",
    .synopsis = "ENTRY [--cells N | --all | --challenge DIR] [--data DIR]",
    .summary = "compute an entry anew, and compare",
    .details =
        "Checks the entry as `invbench validate` does, draws cells by lot, "
        "computes them\nanew with their models, evaluators and controls, and "
        "compares every number and\nevery pixel.\n\n"
        "The lot: SHA-256 of the entry's hash and a nonce that only the "
        "verifier knows\nbeforehand; both are part of the outcome.\n\n"
        "Where the entry was made with other numerics than this program's, "
        "the submitted\nimages are scored with the submitted evaluators (to "
        "1e-4), and what is recomputed\nmust be equivalent: two one-sided t "
        "tests at 0.05, margin 0.05. The output says\nwhich was done.\n\n"
        "  invbench verify results/quick\n"
        "  invbench verify results/orl --all --data DATA --jobs 2\n"
        "  invbench verify results/quick --json --record\n\n"
        "With --challenge: scores the challenger's images with the entry's "
        "evaluators and\ncontrols, and tells whether they leak more than the "
        "entry's best attack of that\ntrack (95 % interval of the paired "
        "difference above 0). See docs/submitting.md.\n\n"
        "  invbench verify results/quick --challenge challenges/mine\n\n"
        "Exit status: 0 verified (or the challenge is stronger), 13 refuted "
        "or inconclusive.\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
