/* Finding cells, controls and utility by their coordinates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compare_parts.h"

static const char *const coordinates[] = {"model", "defense", "attack",
                                          "access"};

static int by_place(const void *a, const void *b)
{
    const cJSON *x = *(const cJSON *const *)a, *y = *(const cJSON *const *)b;
    for (size_t i = 0; i < IB_COUNT(coordinates); i++) {
        int order = strcmp(ib_view_text(x, coordinates[i]),
                           ib_view_text(y, coordinates[i]));
        if (order)
            return order;
    }
    double s = ib_view_number(x, "seed"), t = ib_view_number(y, "seed");
    return (s > t) - (s < t);
}

static int by_name(const void *a, const void *b)
{
    const cJSON *x = *(const cJSON *const *)a, *y = *(const cJSON *const *)b;
    return strcmp(ib_view_text(x, "name"), ib_view_text(y, "name"));
}

enum ib_status ib_side_index(struct ib_compare_side *s, struct ib_error *err)
{
    const cJSON *cells = ib_view_array(s->root, "cells"), *cell;
    size_t n = (size_t)cJSON_GetArraySize(cells);
    s->by_place = calloc(n + 1, sizeof *s->by_place);
    s->by_name = calloc(n + 1, sizeof *s->by_name);
    if (!s->by_place || !s->by_name)
        return ib_error_set(err, IB_E_NOMEM, "no memory for %zu cells", n);
    cJSON_ArrayForEach(cell, cells)
    {
        s->by_place[s->n_cells] = cell;
        s->by_name[s->n_cells++] = cell;
    }
    qsort(s->by_place, n, sizeof *s->by_place, by_place);
    qsort(s->by_name, n, sizeof *s->by_name, by_name);
    return IB_OK;
}

static const cJSON *named(const struct ib_compare_side *s, const char *name)
{
    cJSON wanted = {0}, text = {0};
    const cJSON *key = &wanted;
    text.type = cJSON_String;
    text.string = (char *)(uintptr_t) "name";
    text.valuestring = (char *)(uintptr_t)name;
    wanted.type = cJSON_Object;
    wanted.child = &text;
    const cJSON **found =
        bsearch(&key, s->by_name, s->n_cells, sizeof key, by_name);
    return found ? *found : NULL;
}

static int order_of(const cJSON *cell, const struct ib_place *p, double seed)
{
    const char *const wanted[] = {p->model, p->defense, p->attack, p->access};
    for (size_t i = 0; i < IB_COUNT(coordinates); i++) {
        int order = strcmp(ib_view_text(cell, coordinates[i]), wanted[i]);
        if (order)
            return order;
    }
    double s = ib_view_number(cell, "seed");
    return (s > seed) - (s < seed);
}

const cJSON *ib_place_cell(const struct ib_compare_side *s,
                           const struct ib_place *p, double seed)
{
    size_t low = 0, high = s->n_cells;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (order_of(s->by_place[mid], p, seed) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s->n_cells || order_of(s->by_place[low], p, seed))
        return NULL;
    const cJSON *cell = s->by_place[low];
    const cJSON *twin = ib_cell_is(cell, "bypass")
                            ? named(s, ib_view_text(cell, "same_as"))
                            : NULL;
    return twin ? twin : cell;
}

static bool is_at(const cJSON *o, const char *member, const char *value)
{
    return !strcmp(ib_view_text(o, member), value);
}

const cJSON *ib_place_control(const struct ib_compare_side *s,
                              const char *model, const char *name, double seed)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, ib_view_array(s->root, "controls"))
    {
        if (is_at(o, "model", model) && is_at(o, "name", name) &&
            ib_view_number(o, "seed") == seed)
            return o;
    }
    return NULL;
}

const cJSON *ib_place_utility(const struct ib_compare_side *s,
                              const char *model, const char *defense,
                              double seed)
{
    const cJSON *o;
    cJSON_ArrayForEach(o, ib_view_array(s->root, "utility"))
    {
        if (is_at(o, "model", model) && is_at(o, "defense", defense) &&
            ib_view_number(o, "seed") == seed)
            return o;
    }
    return NULL;
}

bool ib_cell_is(const cJSON *cell, const char *status)
{
    return is_at(cell, "status", status);
}
