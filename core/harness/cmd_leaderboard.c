/* invbench leaderboard RESULTS --out SITE: a static site over entries. */
#include <sys/stat.h>

#include "cli.h"
#include "entry.h"
#include "site.h"

enum { SHOWN = 20 };

static enum ib_status tell_json(const struct ib_console *c, const char *out,
                                const struct ib_site_report *r,
                                const struct ib_findings *f,
                                struct ib_error *err)
{
    struct ib_text t = {0};
    bool ok = true;
    cJSON *o = cJSON_CreateObject();
    enum ib_status s;

    ib_put_text(&ok, o, "site", out);
    ib_put_number(&ok, o, "entries", (double)r->entries);
    ib_put_number(&ok, o, "refused", (double)r->refused);
    ib_put_number(&ok, o, "rows", (double)r->rows);
    ib_put_number(&ok, o, "boards", (double)r->boards);
    ib_put(&ok, o, "findings",
           f->list ? cJSON_Duplicate(f->list, true) : cJSON_CreateArray());
    s = ok ? ib_json_pretty(o, &t, err)
           : ib_error_set(err, IB_E_NOMEM, "no memory");
    if (!s)
        ib_console_out(c, "%s\n", ib_text_string(&t));
    ib_text_free(&t);
    cJSON_Delete(o);
    return s;
}

static void tell(const struct ib_console *c, const char *dir, const char *out,
                 const struct ib_site_report *r, const struct ib_findings *f)
{
    struct ib_text t = {0};

    if (f->n) {
        ib_findings_text(f, SHOWN, &t);
        ib_console_note(c, "%zu not shown:\n%s", r->refused,
                        ib_text_string(&t));
        ib_text_free(&t);
    } else if (r->entries == 0) {
        ib_console_note(c, "%s holds no directory with an entry.json\n", dir);
    }
    ib_console_out(c, "%s/index.html: %zu entr%s, %zu rows on %zu boards\n",
                   out, r->entries, r->entries == 1 ? "y" : "ies", r->rows,
                   r->boards);
}

/* A site among the entries would be read, and published, with them. */
static enum ib_status check_places(const char *dir, const char *out,
                                   struct ib_error *err)
{
    struct stat a, b;

    if (stat(dir, &a) == 0 && stat(out, &b) == 0 && a.st_dev == b.st_dev &&
        a.st_ino == b.st_ino)
        return ib_error_set(err, IB_E_USAGE,
                            "--out: %s holds the entries; give the site "
                            "another directory, for example --out site",
                            out);
    if (ib_is_entry(dir))
        return ib_error_set(err, IB_E_USAGE,
                            "%s is an entry; give the directory that it lies "
                            "in",
                            dir);
    return IB_OK;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    const char *out = ib_args_get(args, "out");
    struct ib_site_report report;
    struct ib_findings f = {0};
    enum ib_status s;

    if (!out) {
        ib_error_set(err, IB_E_USAGE,
                     "leaderboard: where to? give --out DIR, for example "
                     "--out site");
        return IB_EXIT_USAGE;
    }
    s = check_places(ib_args_at(args, 0), out, err);
    if (!s)
        s = ib_site_make(ib_args_at(args, 0), out, &report, &f, err);
    if (!s && ib_args_has(args, "json"))
        s = tell_json(env->console, out, &report, &f, err);
    else if (!s)
        tell(env->console, ib_args_at(args, 0), out, &report, &f);
    ib_findings_free(&f);
    if (s)
        return s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    return report.refused ? IB_EXIT_CELLS : IB_EXIT_OK;
}

static const struct ib_flag flags[] = {
    {"out", "DIR", "where the site goes", false},
    {0},
};

const struct ib_command ib_cmd_leaderboard = {
    .name = "leaderboard",
    .synopsis = "RESULTS --out DIR",
    .summary = "make a static site over a directory of entries",
    .details =
        "Reads every entry below RESULTS (directories with entry.json, "
        "docs/submitting.md)\nand writes DIR/index.html, a page for each track "
        "(labels, scores, gradients,\nwhitebox) and for each entry, and all "
        "numbers as CSV and JSON. The site needs no\nserver.\n\n"
        "Entries whose files are not what their entry.json says are left out "
        "and named.\n`invbench validate` finds more, `invbench verify` "
        "everything.\n\n"
        "  invbench leaderboard results --out site\n\n"
        "Exit status: 0 all entries are shown, 3 some are not.\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
