/* Exponential averages of measured times, by class. */
#include "timings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASS_NAME_MAX = 96, CLASSES_MAX = 4096 };

struct class
{
    char name[CLASS_NAME_MAX];
    double seconds, mib;
    bool known;
};
struct ib_timings {
    struct class *list;
    int n, room;
};

/* Before anything was measured. */
static const double first_guess[IB_NODE_KINDS] = {
    [IB_NODE_DATA] = 2,   [IB_NODE_MODEL] = 10,    [IB_NODE_PRIOR] = 10,
    [IB_NODE_SAMPLE] = 2, [IB_NODE_CONTROL] = 0.2, [IB_NODE_ATTACK] = 5,
    [IB_NODE_SCORE] = 1,  [IB_NODE_UTILITY] = 0.5, [IB_NODE_MEMBERSHIP] = 2,
};

static int find(struct ib_timings *t, const char *name, double guess)
{
    struct class *list = t->list;

    for (int i = 0; i < t->n; i++)
        if (strcmp(list[i].name, name) == 0)
            return i;
    if (t->n == CLASSES_MAX)
        return -1;
    if (t->n == t->room) {
        list = realloc(list, (size_t)(t->room + 32) * sizeof(*list));
        if (!list)
            return -1;
        t->list = list;
        t->room += 32;
    }
    memset(&list[t->n], 0, sizeof(*list));
    snprintf(list[t->n].name, sizeof(list[t->n].name), "%s", name);
    list[t->n].seconds = guess;
    return t->n++;
}

/* "CLASS": seconds; "CLASS MiB": memory. */
static const char MIB[] = " MiB";

static void read_item(struct ib_timings *t, const cJSON *item)
{
    char name[CLASS_NAME_MAX];
    size_t n = strlen(item->string), tail = sizeof(MIB) - 1;
    bool mib = n > tail && strcmp(item->string + n - tail, MIB) == 0;
    int i;

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
        n - (mib ? tail : 0) >= sizeof(name))
        return;
    snprintf(name, sizeof(name), "%.*s", (int)(n - (mib ? tail : 0)),
             item->string);
    i = find(t, name, mib ? 10 : item->valuedouble);
    if (i < 0)
        return;
    if (mib) {
        t->list[i].mib = item->valuedouble;
        return;
    }
    t->list[i].seconds = item->valuedouble;
    t->list[i].known = true;
}

static void read_file(struct ib_timings *t, const char *dir)
{
    char path[PATH_MAX];
    cJSON *root = NULL, *item;

    if ((size_t)snprintf(path, sizeof(path), "%s/timings.json", dir) >=
        sizeof(path))
        return;
    if (ib_json_read(path, &root, NULL))
        return;
    cJSON_ArrayForEach(item, root) read_item(t, item);
    cJSON_Delete(root);
}

struct ib_timings *ib_timings_open(const char *dir)
{
    struct ib_timings *t = calloc(1, sizeof(*t));

    if (t && dir)
        read_file(t, dir);
    return t;
}

void ib_timings_free(struct ib_timings *t)
{
    if (!t)
        return;
    free(t->list);
    free(t);
}

int ib_timings_class(struct ib_timings *t, const struct ib_plan_node *node)
{
    const cJSON *plugin =
        cJSON_GetObjectItemCaseSensitive(node->spec, "plugin");
    const cJSON *name =
        cJSON_GetObjectItemCaseSensitive(plugin ? plugin : node->spec, "name");
    char class[CLASS_NAME_MAX];

    snprintf(class, sizeof(class), "%s%s%s", ib_node_kind_names[node->kind],
             cJSON_IsString(name) ? "/" : "",
             cJSON_IsString(name) ? name->valuestring : "");
    return find(t, class, first_guess[node->kind]);
}

double ib_timings_estimate(const struct ib_timings *t, int class)
{
    return class < 0 ? 1 : t->list[class].seconds;
}

bool ib_timings_known(const struct ib_timings *t, int class)
{
    return class >= 0 && t->list[class].known;
}

double ib_timings_mib(const struct ib_timings *t, int class)
{
    return class < 0 ? 0 : t->list[class].mib;
}

void ib_timings_note(struct ib_timings *t, int class, double seconds,
                     double mib)
{
    struct class *c;

    if (class < 0)
        return;
    c = &t->list[class];
    c->seconds = c->known ? 0.7 * c->seconds + 0.3 * seconds : seconds;
    c->known = true;
    if (mib > c->mib)
        c->mib = mib;
}

static void put_class(cJSON *root, const struct class *c)
{
    char name[CLASS_NAME_MAX + sizeof(MIB)];

    if (!c->known)
        return;
    cJSON_AddNumberToObject(root, c->name, c->seconds);
    snprintf(name, sizeof(name), "%s%s", c->name, MIB);
    if (c->mib > 0)
        cJSON_AddNumberToObject(root, name, c->mib);
}

void ib_timings_save(const struct ib_timings *t, const char *dir)
{
    char path[PATH_MAX];
    struct ib_text text = {0};
    cJSON *root = cJSON_CreateObject();

    for (int i = 0; i < t->n; i++)
        put_class(root, &t->list[i]);
    if ((size_t)snprintf(path, sizeof(path), "%s/timings.json", dir) <
            sizeof(path) &&
        !ib_json_pretty(root, &text, NULL) && text.size &&
        ib_file_write(path, text.data, text.size, NULL))
        ib_text_clear(&text);
    ib_text_free(&text);
    cJSON_Delete(root);
}
