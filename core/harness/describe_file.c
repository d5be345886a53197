/* invbench describe model-file FILE: what a model file holds, and whether this
 * program can use it. */
#include <stdio.h>
#include <string.h>

#include "cli_parts.h"
#include "json_put.h"
#include "model_file.h"
#include "table.h"

enum { SHAPE_MAX = 48 };

/* A file, and what this program makes of it. */
struct sight {
    const char *path;
    struct ib_model_file file;
    struct ib_model_recipe recipe;
    bool usable;
    struct ib_error why; /* not usable: the reason */
};

static enum ib_status look(const struct ib_registry *r, const char *path,
                           struct sight *v, struct ib_error *err)
{
    enum ib_status s = ib_model_file_read(path, &v->file, err);

    v->path = path;
    if (!s)
        v->usable = ib_model_file_check(&v->file, r, path, &v->recipe,
                                        &v->why) == IB_OK;
    return s;
}

/* --- for programs --------------------------------------------------------- */

static cJSON *sight_json(const struct sight *v)
{
    bool ok = true;
    cJSON *o = cJSON_CreateObject();

    ib_put_text(&ok, o, "file", v->path);
    ib_put_number(&ok, o, "version", IB_MODEL_FILE_VERSION);
    ib_put_number(&ok, o, "bytes", (double)v->file.bytes);
    ib_put_text(&ok, o, "sha256", v->file.hash);
    ib_put(&ok, o, "usable", cJSON_CreateBool(v->usable));
    ib_put_text(&ok, o, "reason", v->usable ? NULL : v->why.text);
    ib_put(&ok, o, "same_code", cJSON_CreateBool(v->recipe.same_code));
    ib_put_copy(&ok, o, "header", v->file.header);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* --- for people ----------------------------------------------------------- */

static void shape_text(const cJSON *list, char out[SHAPE_MAX])
{
    snprintf(out, SHAPE_MAX, "%.0fx%.0fx%.0f",
             cJSON_GetArrayItem(list, 0)->valuedouble,
             cJSON_GetArrayItem(list, 1)->valuedouble,
             cJSON_GetArrayItem(list, 2)->valuedouble);
}

static void names_of(const cJSON *nodes, const cJSON *inputs,
                     struct ib_text *out)
{
    const cJSON *i;

    ib_text_clear(out);
    cJSON_ArrayForEach(i, inputs)
    {
        ib_text_add(out, "%s%s", out->size ? ", " : "",
                    ib_at_text(cJSON_GetArrayItem(nodes, i->valueint), "name"));
    }
}

static void add_node(struct ib_table *t, const cJSON *nodes, const cJSON *n)
{
    double numbers = ib_at_number(n, "weights") + ib_at_number(n, "biases");
    struct ib_text from = {0};
    char shape[SHAPE_MAX];

    names_of(nodes, ib_at(n, "inputs"), &from);
    shape_text(ib_at(n, "shape"), shape);
    ib_table_add(t, IB_PLAIN, "%s", ib_at_text(n, "name"));
    ib_table_add(t, IB_PLAIN, "%s", ib_at_text(n, "op"));
    ib_table_add(t, IB_PLAIN, "%s", ib_text_string(&from));
    ib_table_add(t, IB_PLAIN, "%s", shape);
    ib_table_add(t, IB_PLAIN, "%.0f", numbers);
    if (numbers > 0)
        ib_table_add(t, IB_PLAIN, "%.0f", ib_at_number(n, "first"));
    else
        ib_table_add(t, IB_PLAIN, "-");
    ib_table_add(t, IB_PLAIN, "%.0f", ib_at_number(n, "state"));
    ib_text_free(&from);
}

static enum ib_status add_nodes(const cJSON *nodes, int width, bool color,
                                struct ib_text *out, struct ib_error *err)
{
    static const struct ib_table_column columns[] = {
        {"node", false, 12}, {"op", false, 0},        {"from", false, 12},
        {"shape", true, 0},  {"parameters", true, 0}, {"first", true, 0},
        {"state", true, 0},
    };
    struct ib_table *t = ib_table_create(columns, IB_COUNT(columns));
    const cJSON *n;
    enum ib_status s;

    if (!t)
        return ib_error_set(err, IB_E_NOMEM, "no memory for a table");
    cJSON_ArrayForEach(n, nodes) add_node(t, nodes, n);
    s = ib_table_status(t, err);
    if (!s)
        ib_table_text(t, width, color, out);
    ib_table_free(t);
    return s;
}

static void verdict(const struct sight *v, struct ib_text *out)
{
    if (!v->usable)
        ib_text_add(out, "\nThis program cannot use it: %s.\n", v->why.text);
    else if (v->recipe.same_code)
        ib_text_add(out, "\nThis program builds the same net, with the very "
                         "code that trained it.\n");
    else
        ib_text_add(out, "\nThis program builds the same net; the model's "
                         "code has changed since it was trained.\n");
}

static enum ib_status sight_text(const struct sight *v,
                                 const struct ib_console *console,
                                 struct ib_text *out, struct ib_error *err)
{
    const cJSON *header = v->file.header, *plugin = ib_at(header, "plugin");
    const cJSON *task = ib_at(header, "task"),
                *origin = ib_at(header, "origin");
    char *options = cJSON_PrintUnformatted(ib_at(plugin, "options"));
    const char *key = ib_at_text(origin, "key");
    char shape[SHAPE_MAX];
    const cJSON *d;
    enum ib_status s;

    shape_text(ib_at(task, "shape"), shape);
    ib_text_add(out, "model file %s: format %d, %zu bytes, SHA-256 %.16s...\n",
                v->path, IB_MODEL_FILE_VERSION, v->file.bytes, v->file.hash);
    ib_text_add(out, "  model    %s, version %s\n", ib_at_text(plugin, "name"),
                ib_at_text(plugin, "version"));
    ib_text_add(out, "  options  %s\n", options ? options : "?");
    cJSON_ArrayForEach(d, ib_at(header, "defenses"))
        ib_text_add(out, "  defense  %s, version %s\n", ib_at_text(d, "name"),
                    ib_at_text(d, "version"));
    ib_text_add(out, "  task     %s, %.0f classes\n", shape,
                ib_at_number(task, "classes"));
    ib_text_add(out, "  numbers  %zu parameters, %zu of state\n",
                v->file.parameters, v->file.state);
    if (key)
        ib_text_add(out, "  origin   artifact %.64s\n", key);
    ib_text_add(out, "\n");
    cJSON_free(options);
    s = add_nodes(ib_at(header, "nodes"), console->width, console->color, out,
                  err);
    verdict(v, out);
    return s ? s : ib_text_status(out, err);
}

int ib_describe_model_file(const struct ib_command_env *env, const char *path,
                           bool json, struct ib_error *err)
{
    struct sight v = {0};
    struct ib_text text = {0};
    enum ib_status s = look(env->registry, path, &v, err);

    if (!s && json) {
        cJSON *o = sight_json(&v);
        s = o ? ib_json_pretty(o, &text, err)
              : ib_error_set(err, IB_E_NOMEM, "no memory");
        cJSON_Delete(o);
    } else if (!s) {
        s = sight_text(&v, env->console, &text, err);
    }
    if (!s)
        env->console->out(ib_text_string(&text), text.size);
    ib_text_free(&text);
    ib_model_recipe_free(&v.recipe);
    ib_model_file_close(&v.file);
    return s ? IB_EXIT_ERROR : IB_EXIT_OK;
}
