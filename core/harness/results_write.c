/* Files of a run: suite.json, records.jsonl, results.json, reconstructions/. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recon_io.h"
#include "results_parts.h"

static enum ib_status path_make(char *out, size_t n, const char *dir,
                                const char *name, struct ib_error *err)
{
    int length = snprintf(out, n, "%s/%s", dir, name);
    if (length >= 0 && (size_t)length < n)
        return IB_OK;
    return ib_error_set(err, IB_E_USAGE, "%s/%s: the path is too long", dir,
                        name);
}

static enum ib_status write_pretty(const cJSON *v, const char *dir,
                                   const char *name, struct ib_error *err)
{
    char path[4096];
    struct ib_text text = {0};
    enum ib_status status = path_make(path, sizeof path, dir, name, err);
    if (!status)
        status = ib_json_pretty(v, &text, err);
    if (!status)
        status = ib_file_write(path, text.data, text.size, err);
    ib_text_free(&text);
    return status;
}

/* One line: canonical JSON and a newline. */
static enum ib_status add_line(const cJSON *cell, struct ib_text *text,
                               struct ib_error *err)
{
    enum ib_status status = ib_json_canonical(cell, text, err);
    ib_text_put(text, "\n", 1);
    return status ? status : ib_text_status(text, err);
}

static enum ib_status write_records(const cJSON *cells, const char *dir,
                                    struct ib_error *err)
{
    char path[4096];
    const cJSON *cell;
    struct ib_text text = {0};
    enum ib_status status =
        path_make(path, sizeof path, dir, "records.jsonl", err);
    cJSON_ArrayForEach(cell, cells)
    {
        if (!status)
            status = add_line(cell, &text, err);
    }
    if (!status)
        status =
            ib_file_write(path, text.data ? text.data : "", text.size, err);
    ib_text_free(&text);
    return status;
}

static enum ib_status write_npy(const struct ib_plan *plan,
                                const struct ib_stage_env *env,
                                const struct ib_cell *c, const char *dir,
                                struct ib_error *err)
{
    char name[1024], path[4096];
    struct ib_recon r = {0};
    ib_results_npy_name(plan, c, name, sizeof name);
    enum ib_status status = path_make(path, sizeof path, dir, name, err);
    if (!status)
        status =
            ib_recon_open(env->store, plan->nodes[c->attack_node].key, &r, err);
    if (status)
        return status;
    size_t size[] = {(size_t)r.targets, (size_t)r.images, (size_t)r.shape.c,
                     (size_t)r.shape.h, (size_t)r.shape.w};
    status = ib_npy_write(path, (int)IB_COUNT(size), size, r.pixels, err);
    ib_recon_close(&r);
    return status;
}

static enum ib_status make_directory(const char *dir, const char *name,
                                     struct ib_error *err)
{
    char path[4096];
    enum ib_status status = path_make(path, sizeof path, dir, name, err);
    if (status)
        return status;
    if (mkdir(path, 0777) && errno != EEXIST)
        return ib_error_set(err, IB_E_IO, "%s: %s", path, strerror(errno));
    return IB_OK;
}

static enum ib_status write_reconstructions(const struct ib_plan *plan,
                                            const struct ib_stage_env *env,
                                            const char *dir,
                                            struct ib_error *err)
{
    enum ib_status status = make_directory(dir, "reconstructions", err);
    for (size_t i = 0; !status && i < plan->n_cells; i++) {
        const struct ib_cell *c = &plan->cells[i];
        if (c->plan == IB_CELL_RUN && ib_node_is_there(plan, c->attack_node) &&
            ib_node_is_there(plan, c->score_node))
            status = write_npy(plan, env, c, dir, err);
    }
    return status;
}

enum ib_status ib_results_write(const struct ib_plan *plan,
                                const struct ib_stage_env *env,
                                const cJSON *results, const char *dir,
                                struct ib_error *err)
{
    enum ib_status status =
        write_pretty(plan->suite->resolved, dir, "suite.json", err);
    if (!status)
        status = write_reconstructions(plan, env, dir, err);
    if (!status)
        status = write_records(ib_at(results, "cells"), dir, err);
    if (!status)
        status = write_pretty(results, dir, "results.json", err);
    return status;
}

static enum ib_status append(const char *path, const struct ib_text *line,
                             struct ib_error *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    ssize_t n = fd < 0 ? -1 : write(fd, line->data, line->size);
    int why = n < 0 ? errno : ENOSPC;
    if (fd >= 0 && close(fd))
        n = -1;
    if (n == (ssize_t)line->size)
        return IB_OK;
    return ib_error_set(err, IB_E_IO, "%s: cannot append a record: %s", path,
                        strerror(why));
}

enum ib_status ib_record_append(const struct ib_plan *plan, size_t cell,
                                const struct ib_stage_env *env, const char *dir,
                                struct ib_error *err)
{
    char path[4096];
    struct ib_gather g;
    struct ib_text line = {0};
    enum ib_status status =
        path_make(path, sizeof path, dir, "records.jsonl", err);
    if (!status)
        status = ib_gather_cell(plan, cell, env, &g, err);
    if (status)
        return status;
    cJSON *o = ib_results_cell(&g, cell);
    status = o ? add_line(o, &line, err)
               : ib_error_set(err, IB_E_NOMEM, "no memory for a record");
    if (!status)
        status = append(path, &line, err);
    cJSON_Delete(o);
    ib_text_free(&line);
    ib_gather_free(&g);
    return status;
}
