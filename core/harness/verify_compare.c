/* What was computed here against what was submitted. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "recon_io.h"
#include "report.h"
#include "tree.h"
#include "verify.h"

enum { PLACE_MAX = 512 };
#define RESULTS "results.json"

static struct ib_diff diff_of(struct ib_verify *v, const char *file)
{
    return (struct ib_diff){.file = file, .here = "computed here", .f = &v->f};
}

const cJSON *ib_verify_record(const struct ib_verify *v, const cJSON *results,
                              size_t cell)
{
    const struct ib_plan *p = v->session->plan;
    const cJSON *item;
    char name[PLACE_MAX];

    ib_cell_name(p, &p->cells[cell], name, sizeof name);
    cJSON_ArrayForEach(item, ib_at(results, "cells"))
    {
        if (strcmp(ib_at_text(item, "name"), name) == 0)
            return item;
    }
    return NULL;
}

/* --- a draw: what of the results was computed at all ---------------------- */

static void compare_frame(struct ib_verify *v, const cJSON *own)
{
    static const char *const members[] = {
        "schema",   "suite",   "dataset", "models", "evaluators",
        "defenses", "attacks", "access",  "seeds",  "budget"};
    struct ib_diff d = diff_of(v, RESULTS);

    for (size_t i = 0; i < IB_COUNT(members); i++)
        ib_json_diff(&d, ib_at(own, members[i]),
                     ib_at(v->entry->results, members[i]), members[i]);
    if (v->entry->same_numerics)
        ib_json_diff(&d, ib_at(own, "numerics"),
                     ib_at(v->entry->results, "numerics"), "numerics");
    v->numbers += d.compared;
}

/* Those columns that some cell here has. */
static void compare_columns(struct ib_verify *v, const cJSON *own,
                            const char *list)
{
    const cJSON *mine, *theirs;
    struct ib_diff d = diff_of(v, RESULTS);

    cJSON_ArrayForEach(mine, ib_at(own, list))
    {
        const char *name = ib_at_text(mine, "name");
        char place[PLACE_MAX];
        cJSON_ArrayForEach(theirs, ib_at(v->entry->results, list))
        {
            if (strcmp(ib_at_text(theirs, "name"), name) == 0)
                break;
        }
        snprintf(place, sizeof place, "%s %.200s", list, name);
        ib_json_diff(&d, mine, theirs, place);
    }
    v->numbers += d.compared;
}

/* Rows of lists that both have in one order, where this side has a value. */
static void compare_rows(struct ib_verify *v, const cJSON *own,
                         const char *list)
{
    const cJSON *mine = cJSON_GetArrayItem(ib_at(own, list), 0);
    const cJSON *theirs = cJSON_GetArrayItem(ib_at(v->entry->results, list), 0);
    struct ib_diff d = diff_of(v, RESULTS);

    for (int i = 0; mine; i++) {
        char place[PLACE_MAX];
        snprintf(place, sizeof place, "%s[%d]", list, i);
        if (strcmp(ib_at_text(mine, "status"), "pending") != 0)
            ib_json_diff(&d, mine, theirs, place);
        mine = mine->next;
        theirs = theirs ? theirs->next : NULL;
    }
    v->numbers += d.compared;
}

static void compare_cells(struct ib_verify *v, const cJSON *own)
{
    struct ib_diff d = diff_of(v, RESULTS);

    for (size_t i = 0; i < v->session->plan->n_cells; i++) {
        const cJSON *mine = ib_verify_record(v, own, i);
        if (v->drawn[i])
            ib_json_diff(&d, mine, ib_verify_record(v, v->entry->results, i),
                         ib_at_text(mine, "name"));
    }
    v->numbers += d.compared;
}

/* Keys of other code are another's: that they follow from the entry's own
 * word was checked before. */
static void drop_keys(cJSON *results)
{
    static const char *const lists[] = {"cells", "controls",
                                        "evaluators_utility"};
    cJSON *row;

    for (size_t i = 0; i < IB_COUNT(lists); i++)
        cJSON_ArrayForEach(row,
                           cJSON_GetObjectItemCaseSensitive(results, lists[i]))
        {
            cJSON_DeleteItemFromObjectCaseSensitive(row, "key");
            cJSON_DeleteItemFromObjectCaseSensitive(row, "score_key");
        }
}

static void compare_all(struct ib_verify *v, const cJSON *own)
{
    struct ib_diff d = diff_of(v, RESULTS);

    ib_entry_compare(own, v->entry->results, &d);
    v->numbers += d.compared;
}

void ib_verify_results(struct ib_verify *v, cJSON *own)
{
    if (!v->entry->same_code) {
        drop_keys(own);
        drop_keys(v->entry->results);
    }
    if (!v->entry->same_numerics) {
        compare_frame(v, own);
    } else if (v->all) {
        compare_all(v, own);
    } else {
        compare_frame(v, own);
        compare_columns(v, own, "columns");
        compare_columns(v, own, "set_columns");
        compare_cells(v, own);
        compare_rows(v, own, "controls");
        compare_rows(v, own, "utility");
        compare_rows(v, own, "evaluators_utility");
        compare_rows(v, own, "priors");
        compare_rows(v, own, "membership");
    }
}

/* --- reconstructions ------------------------------------------------------ */

/* Which images of the submitted file differ from the recomputed ones. */
static size_t compare_images(struct ib_verify *v, const struct ib_recon *r,
                             const struct ib_npy *a, const char *name)
{
    size_t size = ib_shape_size(r->shape), differ = 0;
    size_t n = (size_t)r->targets * (size_t)r->images;

    if (a->bytes != n * size) {
        ib_finding(&v->f, name, "", "holds %zu bytes; computed here: %zu",
                   a->bytes, n * size);
        return n;
    }
    v->images += n;
    for (size_t i = 0; i < n; i++) {
        size_t wrong = 0;
        for (size_t p = i * size; p < (i + 1) * size; p++)
            wrong += a->data[p] != r->pixels[p];
        if (!wrong)
            continue;
        differ++;
        ib_finding(&v->f, name, "",
                   "image %zu of identity %zu: %zu of %zu pixels differ from "
                   "what was computed here",
                   i % (size_t)r->images, i / (size_t)r->images, wrong, size);
    }
    return differ;
}

static enum ib_status compare_npy(struct ib_verify *v, size_t cell,
                                  bool *differs, struct ib_error *err)
{
    const struct ib_plan *p = v->session->plan;
    const struct ib_cell *c = &p->cells[cell];
    const cJSON *record = ib_verify_record(v, v->entry->results, cell);
    const char *name = ib_at_text(record, "reconstructions");
    char path[PATH_MAX];
    struct ib_recon r = {0};
    struct ib_npy a = {0};
    struct ib_error why;

    if (!name || !ib_node_is_there(p, c->attack_node) ||
        !ib_entry_lists(v->entry, name))
        return IB_OK; /* the records' comparison says which side has none */
    enum ib_status s =
        ib_recon_open(v->session->store, p->nodes[c->attack_node].key, &r, err);
    if (s)
        return s;
    if (ib_entry_path(v->entry, name, path, &why) ||
        ib_npy_read(path, &a, &why)) {
        ib_finding_error(&v->f, name, &why);
        *differs = true;
    } else {
        *differs = compare_images(v, &r, &a, name) > 0;
    }
    ib_npy_free(&a);
    ib_recon_close(&r);
    return IB_OK;
}

enum ib_status ib_verify_pictures(struct ib_verify *v, bool *differ,
                                  struct ib_error *err)
{
    enum ib_status s = IB_OK;

    for (size_t i = 0; i < v->session->plan->n_cells && !s; i++)
        if (v->drawn[i])
            s = compare_npy(v, i, &differ[i], err);
    return s;
}

/* --- contact sheets ------------------------------------------------------- */

static void compare_sheet(struct ib_verify *v, const char *dir,
                          const char *file)
{
    char mine[PATH_MAX], theirs[PATH_MAX], name[PLACE_MAX];
    struct ib_picture a = {0}, b = {0};
    struct ib_error why;

    snprintf(name, sizeof name, "images/%.300s", file);
    if (snprintf(mine, sizeof mine, "%s/%s", dir, name) >= PATH_MAX ||
        ib_entry_path(v->entry, name, theirs, &why) ||
        ib_picture_read(mine, &a, &why) || ib_picture_read(theirs, &b, &why))
        ib_finding(&v->f, name, "", "cannot be read as a picture");
    else if (!ib_shape_equal(a.shape, b.shape) ||
             memcmp(a.pixels, b.pixels, ib_shape_size(a.shape)) != 0)
        ib_finding(&v->f, name, "",
                   "is not the sheet of what was computed here");
    v->images++;
    ib_picture_free(&a);
    ib_picture_free(&b);
}

static enum ib_status compare_sheets(struct ib_verify *v, const char *dir,
                                     struct ib_error *err)
{
    struct ib_diff d = diff_of(v, "images/index.json");
    char path[PATH_MAX];
    cJSON *index = NULL;
    const cJSON *sheet;
    enum ib_status s =
        ib_report_sheets(v->session->plan, &v->session->env, dir, err);

    if (s)
        return s;
    snprintf(path, sizeof path, "%.4000s/images/index.json", dir);
    if (ib_json_read(path, &index, NULL))
        index = NULL; /* nothing came about to show */
    ib_json_diff(&d, index, v->entry->index, "");
    cJSON_ArrayForEach(sheet, ib_at(index, "sheets"))
    {
        const char *file = ib_at_text(sheet, "file");
        if (file)
            compare_sheet(v, dir, file);
    }
    cJSON_Delete(index);
    return IB_OK;
}

enum ib_status ib_verify_sheets(struct ib_verify *v, struct ib_error *err)
{
    char dir[PATH_MAX];
    enum ib_status s;

    if (!ib_entry_lists(v->entry, "images/index.json"))
        return IB_OK;
    s = ib_tree_temporary(dir, err);
    if (s)
        return s;
    s = compare_sheets(v, dir, err);
    if (ib_tree_remove(dir, s ? NULL : err) && !s)
        s = IB_E_IO;
    return s;
}
