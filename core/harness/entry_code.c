/*
 * What an entry says of the code, the data and the numerics that made it, and
 * the keys that follow: an artifact's key is the hash of its spec, so whoever
 * changes one of these words without the keys is found out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"

enum { LABEL_MAX = 256 };

/* Adds every "code" below v under its place and the plugin's name. */
static bool collect(const cJSON *v, const char *label, cJSON *out)
{
    const char *code = ib_at_text(v, "code"), *name = ib_at_text(v, "name");
    char place[LABEL_MAX];
    const cJSON *item;
    bool ok = true;

    if (code) {
        snprintf(place, sizeof place, "%s%s%s", label, name ? " " : "",
                 name ? name : "");
        if (!ib_at(out, place))
            ib_put_text(&ok, out, place, code);
    }
    cJSON_ArrayForEach(item, v)
    {
        if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
            continue;
        snprintf(place, sizeof place, "%s%s%s", label, item->string ? "." : "",
                 item->string ? item->string : "");
        ok = collect(item, place, out) && ok;
    }
    return ok;
}

enum ib_status ib_plan_code(const struct ib_plan *p, cJSON **out,
                            struct ib_error *err)
{
    bool ok = true;

    *out = cJSON_CreateObject();
    for (size_t i = 0; ok && i < p->n_nodes; i++) {
        const char *kind = ib_at_text(p->nodes[i].spec, "kind");
        ok = *out && collect(p->nodes[i].spec, kind ? kind : "", *out);
    }
    if (ok)
        return IB_OK;
    cJSON_Delete(*out);
    *out = NULL;
    return ib_error_set(err, IB_E_NOMEM, "no memory for hashes of code");
}

enum ib_status ib_plan_files(const struct ib_plan *p, cJSON **out,
                             struct ib_error *err)
{
    const cJSON *first = NULL;

    *out = NULL;
    for (int i = 0; i < p->suite->n_seeds; i++) {
        const cJSON *files = ib_at(p->nodes[p->data_node[i]].spec, "files");
        if (!first)
            first = files;
        if (!cJSON_Compare(first, files, true))
            return ib_error_set(err, IB_E_DATA,
                                "the data set reads other files for another "
                                "seed; such a run cannot be an entry");
    }
    *out = first ? cJSON_Duplicate(first, true) : cJSON_CreateObject();
    return *out ? IB_OK
                : ib_error_set(err, IB_E_NOMEM, "no memory for file hashes");
}

/* Texts that are replaced in one spec. */
struct swap {
    const char *numerics[2]; /* from, to */
    const cJSON *code[2];    /* what this program has, what is claimed */
    const cJSON *keys;       /* {key: claimed key} */
};

static const char *swapped(const struct swap *s, const char *text)
{
    const cJSON *own;
    const char *to;

    if (strcmp(text, s->numerics[0]) == 0)
        return s->numerics[1];
    to = ib_at_text(s->keys, text);
    if (to)
        return to;
    cJSON_ArrayForEach(own, s->code[0])
    {
        if (strcmp(own->valuestring, text) != 0)
            continue;
        to = ib_at_text(s->code[1], own->string);
        return to ? to : text;
    }
    return text;
}

static bool swap_texts(const struct swap *s, cJSON *v)
{
    cJSON *item;

    if (cJSON_IsString(v)) {
        const char *to = swapped(s, v->valuestring);
        return to == v->valuestring || cJSON_SetValuestring(v, to);
    }
    cJSON_ArrayForEach(item, v)
    {
        if (!swap_texts(s, item))
            return false;
    }
    return true;
}

/* The node's claimed key; inputs have theirs already. own: the keys that all
 * nodes had. */
static enum ib_status claim_node(struct swap *s, struct ib_plan *p, size_t node,
                                 char (*own)[IB_KEY_SIZE], struct ib_error *err)
{
    struct ib_plan_node *n = &p->nodes[node];
    cJSON *keys = cJSON_CreateObject(), *spec = cJSON_Duplicate(n->spec, true);
    bool ok = keys && spec;
    enum ib_status status = IB_E_NOMEM;

    for (int i = 0; ok && i < n->n_inputs; i++)
        if (!ib_at(keys, own[n->input[i]]))
            ib_put_text(&ok, keys, own[n->input[i]], p->nodes[n->input[i]].key);
    s->keys = keys;
    if (ok && swap_texts(s, spec))
        status = ib_json_key(spec, n->key, err);
    else
        ib_error_set(err, status, "no memory for keys");
    cJSON_Delete(keys);
    cJSON_Delete(spec);
    return status;
}

enum ib_status ib_plan_claim(struct ib_plan *p, const char *numerics,
                             const struct ib_claim *claim, struct ib_error *err)
{
    struct swap s = {.numerics = {numerics, claim->numerics}};
    char(*own)[IB_KEY_SIZE] = calloc(p->n_nodes + 1, sizeof *own);
    cJSON *code = NULL;
    enum ib_status status =
        own ? ib_plan_code(p, &code, err)
            : ib_error_set(err, IB_E_NOMEM, "no memory for keys");

    s.code[0] = code;
    s.code[1] = claim->code;
    for (size_t i = 0; !status && i < p->n_nodes; i++)
        memcpy(own[i], p->nodes[i].key, sizeof own[i]);
    for (size_t i = 0; !status && i < p->n_nodes; i++)
        status = claim_node(&s, p, i, own, err);
    cJSON_Delete(code);
    free(own);
    return status;
}
