/* Which cells are computed anew: a lot that neither side can steer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

struct lot {
    char hash[IB_KEY_SIZE];
    size_t cell;
};

static int by_hash(const void *a, const void *b)
{
    return strcmp(((const struct lot *)a)->hash, ((const struct lot *)b)->hash);
}

/* SHA-256 of "a b". */
static enum ib_status mix(const char *a, const char *b, char out[IB_KEY_SIZE],
                          struct ib_error *err)
{
    struct ib_text t = {0};
    enum ib_status s;

    ib_text_add(&t, "%s %s", a, b);
    s = ib_text_status(&t, err);
    if (!s)
        ib_sha256(t.data, t.size, out);
    ib_text_free(&t);
    return s;
}

static enum ib_status draw(struct ib_verify *v, struct lot *lots,
                           struct ib_error *err)
{
    const struct ib_plan *p = v->session->plan;
    enum ib_status s = mix(v->entry->hash, v->nonce, v->seed, err);
    size_t n = 0;

    for (size_t i = 0; i < p->n_cells && !s; i++) {
        char name[512];
        if (p->cells[i].plan != IB_CELL_RUN)
            continue;
        ib_cell_name(p, &p->cells[i], name, sizeof name);
        s = mix(v->seed, name, lots[n].hash, err);
        lots[n++].cell = i;
    }
    v->n_cells = n;
    if (s)
        return s;
    qsort(lots, n, sizeof *lots, by_hash);
    v->n_drawn = v->all || (size_t)v->cells > n ? n : (size_t)v->cells;
    for (size_t i = 0; i < v->n_drawn; i++)
        v->drawn[lots[i].cell] = true;
    return IB_OK;
}

enum ib_status ib_verify_draw(struct ib_verify *v, struct ib_error *err)
{
    size_t n = v->session->plan->n_cells;
    struct lot *lots = calloc(n + 1, sizeof *lots);
    enum ib_status s = IB_E_NOMEM;

    v->drawn = calloc(n + 1, sizeof *v->drawn);
    if (lots && v->drawn)
        s = draw(v, lots, err);
    else
        ib_error_set(err, s, "no memory to draw cells");
    free(lots);
    return s;
}
