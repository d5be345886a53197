/* The header of a model file: made, and checked member by member. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_put.h"
#include "model_file.h"

#define SCHEMA "invbench.model-file/1"

/* --- making --------------------------------------------------------------- */

static cJSON *node_json(const struct ib_node_info *n)
{
    bool ok = true;
    cJSON *o = cJSON_CreateObject();
    struct ib_shape s = n->shape;

    ib_put_text(&ok, o, "name", n->name);
    ib_put_text(&ok, o, "op", n->op);
    ib_put(&ok, o, "inputs", cJSON_CreateIntArray(n->input, n->n_inputs));
    ib_put(&ok, o, "shape", cJSON_CreateIntArray((int[]){s.c, s.h, s.w}, 3));
    ib_put_number(&ok, o, "owner", n->owner);
    ib_put_number(&ok, o, "first", (double)n->first);
    ib_put_number(&ok, o, "weights", (double)n->weights);
    ib_put_number(&ok, o, "biases", (double)n->biases);
    ib_put_number(&ok, o, "first_state", (double)n->first_state);
    ib_put_number(&ok, o, "state", (double)n->state);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

cJSON *ib_model_header_make(const struct ib_loaded_model *m, const cJSON *spec,
                            const cJSON *origin)
{
    const struct ib_graph *g = ib_net_graph(m->net);
    struct ib_shape s = m->task.shape;
    bool ok = true;
    cJSON *o = cJSON_CreateObject(), *task, *nodes;

    ib_put_text(&ok, o, "schema", SCHEMA);
    ib_put_copy(&ok, o, "plugin", ib_at(spec, "plugin"));
    ib_put_copy(&ok, o, "defenses", ib_at(spec, "defenses"));
    task = ib_put_object(&ok, o, "task");
    ib_put(&ok, task, "shape", cJSON_CreateIntArray((int[]){s.c, s.h, s.w}, 3));
    ib_put_number(&ok, task, "classes", m->task.classes);
    ib_put_number(&ok, o, "parameters", (double)ib_net_parameter_count(m->net));
    ib_put_number(&ok, o, "state", (double)ib_net_state_count(m->net));
    nodes = ib_put_array(&ok, o, "nodes");
    for (ib_node x = 0; x < ib_graph_count(g); x++) {
        struct ib_node_info n = ib_graph_info(g, x);
        ib_put(&ok, nodes, NULL, node_json(&n));
    }
    ib_put_copy(&ok, o, "origin", origin);
    if (ok)
        return o;
    cJSON_Delete(o);
    return NULL;
}

/* --- checking ------------------------------------------------------------- */

/* Where in the file, for messages: "m.ibm: header.nodes[3]". */
struct spot {
    char path[256];
};

static struct spot at(const char *where, const char *member)
{
    struct spot s;

    snprintf(s.path, sizeof(s.path), "%.180s.%.60s", where, member);
    return s;
}

static struct spot at_index(const char *where, int i)
{
    struct spot s;

    snprintf(s.path, sizeof(s.path), "%.230s[%d]", where, i);
    return s;
}

/* An object with these members, all of them and no others. */
static enum ib_status members(const cJSON *o, const char *where,
                              const char *const *keys, struct ib_error *err)
{
    if (!cJSON_IsObject(o))
        return ib_error_set(err, IB_E_DATA, "%s: missing, or not an object",
                            where);
    for (const cJSON *m = o->child; m; m = m->next) {
        const char *const *k = keys;
        while (*k && strcmp(*k, m->string) != 0)
            k++;
        if (*k)
            continue;
        const char *near = ib_text_nearest(m->string, keys);
        return ib_error_set(err, IB_E_DATA,
                            "%s: \"%.60s\" is no member of it%s%s%s", where,
                            m->string, near ? " (did you mean \"" : "",
                            near ? near : "", near ? "\"?)" : "");
    }
    for (const char *const *k = keys; *k; k++)
        if (!ib_at(o, *k))
            return ib_error_set(err, IB_E_DATA, "%s.%s: missing", where, *k);
    return IB_OK;
}

static enum ib_status integer(const cJSON *v, const char *where, double min,
                              double max, double *out, struct ib_error *err)
{
    if (!cJSON_IsNumber(v))
        return ib_error_set(err, IB_E_DATA, "%s: missing, or not a number",
                            where);
    *out = v->valuedouble;
    if (*out >= min && *out <= max && *out == floor(*out))
        return IB_OK;
    return ib_error_set(err, IB_E_DATA,
                        "%s: %.17g; whole numbers %.0f..%.0f are allowed",
                        where, *out, min, max);
}

static enum ib_status count(const cJSON *o, const char *where, const char *key,
                            size_t *out, struct ib_error *err)
{
    double x = 0;
    enum ib_status s = integer(ib_at(o, key), at(where, key).path, 0,
                               (double)((int64_t)1 << 40), &x, err);

    *out = s ? 0 : (size_t)x;
    return s;
}

static enum ib_status text(const cJSON *o, const char *where, const char *key,
                           struct ib_error *err)
{
    const char *t = ib_at_text(o, key);

    if (t && *t && strlen(t) < IB_TEXT_MAX)
        return IB_OK;
    return ib_error_set(err, IB_E_DATA,
                        "%s.%s: a text of 1 to %d bytes is needed", where, key,
                        IB_TEXT_MAX - 1);
}

static enum ib_status shape(const cJSON *o, const char *where, int max,
                            struct ib_shape *out, struct ib_error *err)
{
    struct spot here = at(where, "shape");
    const cJSON *list = ib_at(o, "shape");
    double side[3];

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != 3)
        return ib_error_set(err, IB_E_DATA,
                            "%s: [channels, rows, columns] is needed",
                            here.path);
    for (int i = 0; i < 3; i++) {
        enum ib_status s =
            integer(cJSON_GetArrayItem(list, i), at_index(here.path, i).path, 1,
                    max, &side[i], err);
        if (s)
            return s;
    }
    *out = (struct ib_shape){(int)side[0], (int)side[1], (int)side[2]};
    return IB_OK;
}

static enum ib_status check_plugin(const cJSON *o, const char *where,
                                   struct ib_error *err)
{
    static const char *const keys[] = {"name", "version", "code", "options",
                                       NULL};
    enum ib_status s = members(o, where, keys, err);

    for (int i = 0; i < 3 && !s; i++)
        s = text(o, where, keys[i], err);
    if (!s && (!cJSON_IsObject(ib_at(o, "options")) ||
               ib_at(ib_at(o, "options"), "name")))
        s = ib_error_set(err, IB_E_DATA,
                         "%s.options: an object is needed, without \"name\"",
                         where);
    return s;
}

static enum ib_status check_defenses(const cJSON *list, const char *where,
                                     struct ib_error *err)
{
    const cJSON *v;
    int i = 0;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) > IB_STACK_MAX)
        return ib_error_set(err, IB_E_DATA,
                            "%s: a list of at most %d defenses is needed",
                            where, IB_STACK_MAX);
    cJSON_ArrayForEach(v, list)
    {
        enum ib_status s = check_plugin(v, at_index(where, i++).path, err);
        if (s)
            return s;
    }
    return IB_OK;
}

static enum ib_status check_task(const cJSON *o, const char *where,
                                 struct ib_model_task *out,
                                 struct ib_error *err)
{
    static const char *const keys[] = {"shape", "classes", NULL};
    double classes = 0;
    enum ib_status s = members(o, where, keys, err);

    if (!s)
        s = shape(o, where, IB_SIDE_MAX, &out->shape, err);
    if (!s)
        s = integer(ib_at(o, "classes"), at(where, "classes").path, 1,
                    IB_CLASSES_MAX, &classes, err);
    out->classes = (int)classes;
    return s;
}

/* One row of the table of nodes, and how far those before it have come. */
struct row {
    struct ib_node_info info;
    int index;
    size_t parameters, states;
};

static enum ib_status check_inputs(const cJSON *o, const char *where, int index,
                                   struct ib_error *err)
{
    struct spot here = at(where, "inputs");
    const cJSON *list = ib_at(o, "inputs"), *v;
    double x;
    int k = 0;

    if (!cJSON_IsArray(list))
        return ib_error_set(err, IB_E_DATA, "%s: not a list of node numbers",
                            here.path);
    cJSON_ArrayForEach(v, list)
    {
        enum ib_status s =
            integer(v, at_index(here.path, k++).path, 0, index - 1, &x, err);
        if (s)
            return s;
    }
    return IB_OK;
}

static enum ib_status check_range(struct row *r, const char *where,
                                  struct ib_error *err)
{
    const struct ib_node_info *n = &r->info;
    size_t own = n->weights + n->biases;

    if (n->owner != r->index)
        return IB_OK;
    if (n->first_state != r->states)
        return ib_error_set(err, IB_E_DATA,
                            "%s.first_state: %zu; the nodes before it end at "
                            "%zu",
                            where, n->first_state, r->states);
    r->states += n->state;
    if (n->first != r->parameters)
        return ib_error_set(err, IB_E_DATA,
                            "%s.first: %zu; the nodes before it end at %zu",
                            where, n->first, r->parameters);
    r->parameters += own;
    return IB_OK;
}

static enum ib_status check_node(const cJSON *o, const char *where,
                                 struct row *r, struct ib_error *err)
{
    static const char *const keys[] = {
        "name",    "op",     "inputs",      "shape", "owner", "first",
        "weights", "biases", "first_state", "state", NULL};
    struct ib_node_info *n = &r->info;
    double owner = 0;
    enum ib_status s = members(o, where, keys, err);

    if (!s)
        s = text(o, where, "name", err);
    if (!s)
        s = text(o, where, "op", err);
    if (!s)
        s = check_inputs(o, where, r->index, err);
    if (!s)
        s = shape(o, where, INT32_MAX, &n->shape, err);
    if (!s)
        s = integer(ib_at(o, "owner"), at(where, "owner").path, 0, r->index,
                    &owner, err);
    if (!s)
        s = count(o, where, "first", &n->first, err);
    if (!s)
        s = count(o, where, "weights", &n->weights, err);
    if (!s)
        s = count(o, where, "biases", &n->biases, err);
    if (!s)
        s = count(o, where, "first_state", &n->first_state, err);
    if (!s)
        s = count(o, where, "state", &n->state, err);
    n->owner = (ib_node)owner;
    return s ? s : check_range(r, where, err);
}

static enum ib_status check_nodes(const cJSON *list, const char *where,
                                  const struct ib_model_file *f,
                                  struct ib_error *err)
{
    struct row r = {.index = 0};
    const cJSON *v;

    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) == 0)
        return ib_error_set(err, IB_E_DATA, "%s: not a list of nodes", where);
    cJSON_ArrayForEach(v, list)
    {
        enum ib_status s =
            check_node(v, at_index(where, r.index).path, &r, err);
        if (s)
            return s;
        r.index++;
    }
    if (r.parameters != f->parameters || r.states != f->state)
        return ib_error_set(err, IB_E_DATA,
                            "%s: they have %zu parameters and %zu numbers of "
                            "state; the header says %zu and %zu",
                            where, r.parameters, r.states, f->parameters,
                            f->state);
    return IB_OK;
}

enum ib_status ib_model_header_check(const cJSON *header, const char *name,
                                     struct ib_model_file *out,
                                     struct ib_error *err)
{
    static const char *const keys[] = {"schema", "plugin", "defenses",
                                       "task",   "nodes",  "parameters",
                                       "state",  "origin", NULL};
    struct spot h;
    const char *schema = ib_at_text(header, "schema");
    enum ib_status s;

    snprintf(h.path, sizeof(h.path), "%.200s: header", name);
    s = members(header, h.path, keys, err);
    if (!s && (!schema || strcmp(schema, SCHEMA) != 0))
        s = ib_error_set(err, IB_E_DATA,
                         "%s.schema: \"%.60s\"; \"" SCHEMA "\" is allowed",
                         h.path, schema ? schema : "(no text)");
    if (!s)
        s = check_plugin(ib_at(header, "plugin"), at(h.path, "plugin").path,
                         err);
    if (!s)
        s = check_defenses(ib_at(header, "defenses"),
                           at(h.path, "defenses").path, err);
    if (!s)
        s = check_task(ib_at(header, "task"), at(h.path, "task").path,
                       &out->task, err);
    if (!s)
        s = count(header, h.path, "parameters", &out->parameters, err);
    if (!s)
        s = count(header, h.path, "state", &out->state, err);
    if (!s)
        s = check_nodes(ib_at(header, "nodes"), at(h.path, "nodes").path, out,
                        err);
    if (!s && !cJSON_IsObject(ib_at(header, "origin")))
        s = ib_error_set(err, IB_E_DATA, "%s.origin: not an object", h.path);
    return s;
}

/* --- against the plugin --------------------------------------------------- */

/* The first member by which two rows differ; NULL: none. */
static const char *difference(const cJSON *file, const cJSON *built)
{
    for (const cJSON *m = built->child; m; m = m->next)
        if (!cJSON_Compare(m, ib_at(file, m->string), true))
            return m->string;
    return NULL;
}

static enum ib_status differs(const cJSON *file, const cJSON *built,
                              const char *where, const char *member,
                              struct ib_error *err)
{
    char *have = cJSON_PrintUnformatted(ib_at(file, member));
    char *want = cJSON_PrintUnformatted(ib_at(built, member));

    ib_error_set(err, IB_E_DATA,
                 "%s.%s: %.100s; the plugin builds %.100s there", where, member,
                 have ? have : "?", want ? want : "?");
    cJSON_free(have);
    cJSON_free(want);
    return IB_E_DATA;
}

enum ib_status ib_model_header_match(const cJSON *header,
                                     const struct ib_graph *g, const char *name,
                                     struct ib_error *err)
{
    const cJSON *nodes = ib_at(header, "nodes"), *row = nodes->child;
    struct spot where;
    enum ib_status s = IB_OK;
    int n = cJSON_GetArraySize(nodes);

    snprintf(where.path, sizeof(where.path), "%.200s: header.nodes", name);
    if (n != ib_graph_count(g))
        return ib_error_set(err, IB_E_DATA,
                            "%s: %d of them; the plugin builds %d", where.path,
                            n, ib_graph_count(g));
    for (int i = 0; i < n && !s; i++, row = row->next) {
        struct ib_node_info info = ib_graph_info(g, i);
        cJSON *built = node_json(&info);
        const char *member = built ? difference(row, built) : NULL;

        if (!built)
            s = ib_error_set(err, IB_E_NOMEM, "%s: no memory", where.path);
        else if (member)
            s = differs(row, built, at_index(where.path, i).path, member, err);
        cJSON_Delete(built);
    }
    return s;
}
