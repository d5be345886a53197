/* invbench store ls | gc: what the store holds, and making room in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run_session.h"

struct item {
    char key[IB_KEY_SIZE];
    char kind[16], name[48];
    size_t bytes;
    int64_t mtime;
};
struct listing {
    struct item *items;
    size_t n, room, bytes;
};

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static enum ib_status add_item(void *ctx, const char *key, const cJSON *meta,
                               size_t bytes, int64_t mtime,
                               struct ib_error *err)
{
    struct listing *l = ctx;
    const cJSON *spec = cJSON_GetObjectItemCaseSensitive(meta, "spec");
    const cJSON *plugin = cJSON_GetObjectItemCaseSensitive(spec, "plugin");
    struct item *it;

    if (l->n == l->room) {
        size_t room = l->room ? l->room * 2 : 256;

        it = realloc(l->items, room * sizeof(*it));
        if (!it)
            return ib_error_set(err, IB_E_NOMEM, "store: no memory");
        l->items = it;
        l->room = room;
    }
    it = &l->items[l->n++];
    snprintf(it->key, sizeof(it->key), "%s", key);
    snprintf(it->kind, sizeof(it->kind), "%s", text_of(spec, "kind"));
    snprintf(it->name, sizeof(it->name), "%s",
             text_of(plugin ? plugin : spec, "name"));
    it->bytes = bytes;
    it->mtime = mtime;
    l->bytes += bytes;
    return IB_OK;
}

static int oldest_first(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->mtime != y->mtime)
        return x->mtime < y->mtime ? -1 : 1;
    return strcmp(x->key, y->key);
}

static void day(int64_t mtime, char out[32])
{
    time_t t = (time_t)mtime;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%MZ", &tm))
        snprintf(out, 32, "?");
}

static void ls_text(const struct ib_console *console, const struct listing *l)
{
    char when[32];

    for (size_t i = 0; i < l->n; i++) {
        const struct item *it = &l->items[i];

        day(it->mtime, when);
        ib_console_out(console, "%.12s  %-8s %-24s %12zu  %s\n", it->key,
                       it->kind, it->name, it->bytes, when);
    }
    ib_console_out(console, "%zu artifacts, %.1f MiB\n", l->n,
                   (double)l->bytes / (1 << 20));
}

static enum ib_status ls_json(const struct ib_console *console, const char *dir,
                              const struct listing *l, struct ib_error *err)
{
    cJSON *o = cJSON_CreateObject(), *list;
    struct ib_text text = {0};
    enum ib_status s;

    cJSON_AddStringToObject(o, "store", dir);
    cJSON_AddNumberToObject(o, "bytes", (double)l->bytes);
    list = cJSON_AddArrayToObject(o, "artifacts");
    for (size_t i = 0; i < l->n; i++) {
        cJSON *a = cJSON_CreateObject();

        cJSON_AddStringToObject(a, "key", l->items[i].key);
        cJSON_AddStringToObject(a, "kind", l->items[i].kind);
        cJSON_AddStringToObject(a, "name", l->items[i].name);
        cJSON_AddNumberToObject(a, "bytes", (double)l->items[i].bytes);
        cJSON_AddNumberToObject(a, "mtime", (double)l->items[i].mtime);
        cJSON_AddItemToArray(list, a);
    }
    s = ib_json_pretty(o, &text, err);
    if (!s)
        ib_console_out(console, "%s\n", ib_text_string(&text));
    ib_text_free(&text);
    cJSON_Delete(o);
    return s;
}

/* Temporary and corrupt files that nobody will ask for again. */
static void sweep_dir(const char *dir, const char *sub, int64_t before)
{
    char path[PATH_MAX];
    struct dirent *e;
    struct stat st;
    DIR *d;

    if (snprintf(path, sizeof(path), "%s/%s", dir, sub) >= PATH_MAX ||
        !(d = opendir(path)))
        return;
    while ((e = readdir(d)))
        if ((strncmp(e->d_name, "put-", 4) == 0 ||
             strspn(e->d_name, "0123456789abcdef") == IB_KEY_SIZE - 1) &&
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && (int64_t)st.st_mtime < before)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

/* "500", "20K", "3M", "1.5G" */
static enum ib_status read_size(const char *text, double *out,
                                struct ib_error *err)
{
    static const char units[] = "KMGT";
    char *end;
    double x = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end) : NULL;

    if (end == text || !(x >= 0) || x > 1e15 || (*end && (!unit || end[1])))
        return ib_error_set(err, IB_E_USAGE,
                            "--max-size: \"%.40s\" is not a size; write 500M, "
                            "20G, ...",
                            text);
    for (ptrdiff_t i = unit ? unit - units : -1; i >= 0; i--)
        x *= 1024;
    *out = x;
    return IB_OK;
}

struct limits {
    int64_t before; /* older than this goes */
    double size;    /* down to this; < 0: any */
    bool json;      /* say so as JSON */
};

static enum ib_status read_gc(const struct ib_args *args, struct limits *l,
                              struct ib_error *err)
{
    const char *size = ib_args_get(args, "max-size");
    int64_t days = -1, now = (int64_t)time(NULL);
    int given =
        ib_args_has(args, "older") + ib_args_has(args, "all") + (size != NULL);
    enum ib_status s = ib_args_int(args, "older", 0, 36500, &days, err);

    if (s)
        return s;
    if (given != 1)
        return ib_error_set(err, IB_E_USAGE,
                            "store gc: give one of --older DAYS, --max-size "
                            "N, --all");
    if (size)
        return read_size(size, &l->size, err);
    l->before = days >= 0 ? now - days * 86400 : INT64_MAX;
    return IB_OK;
}

static enum ib_status gc(struct ib_store *store, struct listing *l,
                         const struct limits *limits,
                         const struct ib_console *console, struct ib_error *err)
{
    double left = (double)l->bytes;
    enum ib_status s = IB_OK;
    size_t n = 0, bytes = 0;

    if (l->n)
        qsort(l->items, l->n, sizeof(*l->items), oldest_first);
    for (size_t i = 0; i < l->n && !s; i++) {
        const struct item *it = &l->items[i];

        if (it->mtime >= limits->before ||
            (limits->before == INT64_MIN && left <= limits->size))
            continue;
        s = ib_store_remove(store, it->key, err);
        left -= (double)it->bytes;
        bytes += it->bytes;
        n++;
    }
    sweep_dir(ib_store_dir(store), "tmp", (int64_t)time(NULL) - 86400);
    sweep_dir(ib_store_dir(store), "corrupt", (int64_t)time(NULL) - 86400);
    sweep_dir(ib_store_dir(store), "partial", (int64_t)time(NULL) - 86400);
    if (!s && limits->json)
        ib_console_out(console, "{\"removed\": %zu, \"bytes\": %zu}\n", n,
                       bytes);
    else if (!s)
        ib_console_out(console, "removed %zu artifacts, %.1f MiB\n", n,
                       (double)bytes / (1 << 20));
    return s;
}

static int run(const struct ib_command_env *env, const struct ib_args *args,
               struct ib_error *err)
{
    const char *what = ib_args_at(args, 0);
    struct ib_store *store = NULL;
    struct listing l = {0};
    struct limits limits = {INT64_MIN, -1, ib_args_has(args, "json")};
    char dir[PATH_MAX];
    enum ib_status s = ib_store_default(args, dir, err);

    if (!s && strcmp(what, "ls") != 0 && strcmp(what, "gc") != 0)
        s = ib_error_set(err, IB_E_USAGE,
                         "store: \"%.40s\" is not known; ls or gc", what);
    if (!s && strcmp(what, "gc") == 0)
        s = read_gc(args, &limits, err);
    if (!s && ib_args_has(args, "store") && access(dir, F_OK) != 0)
        s = ib_error_set(err, IB_E_USAGE, "store %s: %s", dir, strerror(errno));
    if (!s)
        s = ib_store_open(&store, dir, err);
    if (!s)
        s = ib_store_each(store, add_item, &l, err);
    if (!s && strcmp(what, "gc") == 0)
        s = gc(store, &l, &limits, env->console, err);
    else if (!s && ib_args_has(args, "json"))
        s = ls_json(env->console, dir, &l, err);
    else if (!s)
        ls_text(env->console, &l);
    free(l.items);
    ib_store_close(store);
    if (s)
        return s == IB_E_USAGE ? IB_EXIT_USAGE : IB_EXIT_ERROR;
    return IB_EXIT_OK;
}

static const struct ib_flag flags[] = {
    {"store", "DIR", "the store (default ~/.cache/invbench)", false},
    {"older", "DAYS", "gc: remove what is older than this", false},
    {"max-size", "N", "gc: remove the oldest until N are left (20G)", false},
    {"all", NULL, "gc: remove everything", false},
    {0},
};

const struct ib_command ib_cmd_store = {
    .name = "store",
    .synopsis = "ls | gc (--older DAYS | --max-size N | --all)",
    .summary = "show or trim what is kept between runs",
    .details =
        "The store keeps trained models, reconstructions and scores under "
        "the hash of all that\nthey depend on. Removing an artifact loses "
        "nothing but the time to compute it again.\n\n"
        "  invbench store ls\n"
        "  invbench store gc --max-size 10G\n",
    .flags = flags,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
