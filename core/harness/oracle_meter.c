#include "oracle_meter.h"

#include <stdlib.h>
#include <string.h>

#include "oracle_hash.h"

static const uint64_t checkpoints[IB_CHECKPOINTS_MAX - 1] = {
    10,       30,       100,       300,       1000,       3000,
    10000,    30000,    100000,    300000,    1000000,    3000000,
    10000000, 30000000, 100000000, 300000000, 1000000000, 3000000000,
};

enum { SEEN_FIRST = 256 };

/* The fixed ones, and half of the budget where it is none of them. */
static void meter_marks(struct ib_meter *m)
{
    uint64_t half = m->max_queries / 2;

    for (size_t i = 0; i < IB_COUNT(checkpoints); i++) {
        if (half && half <= checkpoints[i]) {
            if (half < checkpoints[i])
                m->mark[m->marks++] = half;
            half = 0;
        }
        m->mark[m->marks++] = checkpoints[i];
    }
    if (half)
        m->mark[m->marks++] = half;
}

enum ib_status ib_meter_init(struct ib_meter *m,
                             const struct ib_oracle_params *p,
                             struct ib_error *err)
{
    *m = (struct ib_meter){
        .targets = p->targets,
        .max_queries = p->max_queries,
        .latency = p->latency,
        .rate_limit = p->rate_limit,
    };
    meter_marks(m);
    m->slots = calloc((size_t)p->targets + 1, sizeof(*m->slots));
    if (!m->slots)
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory for the counters of %d targets",
                            p->targets);
    return IB_OK;
}

void ib_meter_free(struct ib_meter *m)
{
    for (int i = 0; m->slots && i <= m->targets; i++)
        free(m->slots[i].seen.table);
    free(m->slots);
    m->slots = NULL;
}

struct ib_meter_slot *ib_meter_slot(const struct ib_meter *m, int slot)
{
    return &m->slots[slot == IB_SHARED ? m->targets : slot];
}

static uint64_t meter_own(const struct ib_meter *m, int slot)
{
    const uint64_t *count = ib_meter_slot(m, slot)->count;
    return count[IB_METER_FORWARD] + count[IB_METER_LABEL] +
           count[IB_METER_GRADIENT];
}

/* A slot's part of n shared queries, rounded up. */
static uint64_t meter_part(const struct ib_meter *m, uint64_t n)
{
    uint64_t targets = (uint64_t)m->targets;
    return n / targets + (n % targets != 0);
}

uint64_t ib_meter_total(const struct ib_meter *m, int slot)
{
    return meter_own(m, slot) + meter_part(m, meter_own(m, IB_SHARED));
}

static uint64_t meter_most(const struct ib_meter *m)
{
    uint64_t most = 0;
    for (int i = 0; i < m->targets; i++)
        most = meter_own(m, i) > most ? meter_own(m, i) : most;
    return most;
}

uint64_t ib_meter_left(const struct ib_meter *m, int slot)
{
    uint64_t used, room;

    if (!m->max_queries)
        return UINT64_MAX;
    if (slot != IB_SHARED) {
        used = ib_meter_total(m, slot);
        return used < m->max_queries ? m->max_queries - used : 0;
    }
    used = meter_most(m);
    if (used >= m->max_queries)
        return 0;
    if (!ib_size_mul(m->max_queries - used, (size_t)m->targets, &room))
        return UINT64_MAX;
    used = meter_own(m, IB_SHARED);
    return used < room ? room - used : 0;
}

/* Tells of every checkpoint that slot passes when n are added to its total. */
static void meter_pass(struct ib_meter *m, int slot, uint64_t n)
{
    struct ib_meter_slot *s = ib_meter_slot(m, slot);
    uint64_t after = ib_meter_total(m, slot) + n;

    for (; s->passed < m->marks && after > m->mark[s->passed]; s->passed++)
        if (m->checkpoint)
            m->checkpoint(m->ctx, slot, s->passed);
}

static void meter_pass_shared(struct ib_meter *m, uint64_t n)
{
    uint64_t shared = meter_own(m, IB_SHARED);
    uint64_t more = meter_part(m, shared + n) - meter_part(m, shared);

    for (int i = 0; more && i < m->targets; i++)
        meter_pass(m, i, more);
}

bool ib_meter_take(struct ib_meter *m, int slot, enum ib_meter_kind kind,
                   uint64_t n)
{
    struct ib_meter_slot *s = ib_meter_slot(m, slot);

    if (ib_meter_left(m, slot) < n) {
        s->denied += n;
        return false;
    }
    if (slot == IB_SHARED)
        meter_pass_shared(m, n);
    else
        meter_pass(m, slot, n);
    s->count[kind] += n;
    return true;
}

static void seen_put(struct ib_seen *seen, uint64_t hash)
{
    size_t at = (size_t)hash & (seen->size - 1);

    while (seen->table[at] != 0)
        at = (at + 1) & (seen->size - 1);
    seen->table[at] = hash;
    seen->used++;
}

static bool seen_has(const struct ib_seen *seen, uint64_t hash)
{
    size_t at = (size_t)hash & (seen->size - 1);

    while (seen->table[at] != 0 && seen->table[at] != hash)
        at = (at + 1) & (seen->size - 1);
    return seen->table[at] == hash;
}

/* Room for one more at a load of at most 3/4. */
static bool seen_grow(struct ib_seen *seen)
{
    struct ib_seen wider = {.size = seen->size ? seen->size : SEEN_FIRST};

    if (seen->size && (seen->used + 1) / 3 < seen->size / 4)
        return true;
    if (seen->size && !ib_size_mul(seen->size, 2, &wider.size))
        return false;
    wider.table = calloc(wider.size, sizeof(*wider.table));
    if (!wider.table)
        return false;
    for (size_t i = 0; i < seen->size; i++)
        if (seen->table[i])
            seen_put(&wider, seen->table[i]);
    free(seen->table);
    *seen = wider;
    return true;
}

enum ib_status ib_meter_see(struct ib_meter *m, int slot, const float *row,
                            size_t d, struct ib_error *err)
{
    struct ib_meter_slot *s = ib_meter_slot(m, slot);
    uint64_t hash = ib_row_hash(row, d);

    hash += hash == 0; /* 0 marks an empty place */
    if (!seen_grow(&s->seen))
        return ib_error_set(err, IB_E_NOMEM,
                            "no memory to remember %zu queries of a target",
                            s->seen.used);
    if (seen_has(&s->seen, hash))
        s->repeated++;
    else
        seen_put(&s->seen, hash);
    return IB_OK;
}

void ib_meter_tick(struct ib_meter *m, size_t rows)
{
    double pace = m->rate_limit > 0 ? (double)rows / m->rate_limit : 0;
    m->seconds += pace > m->latency ? pace : m->latency;
}

int ib_meter_reached(const struct ib_meter *m)
{
    uint64_t most = 0;
    int k = 0;

    for (int i = 0; i < m->targets; i++)
        most = ib_meter_total(m, i) > most ? ib_meter_total(m, i) : most;
    while (k < m->marks && most >= m->mark[k])
        k++;
    return k;
}

static bool queries_list(const struct ib_meter *m, cJSON *object,
                         const char *name, size_t offset)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);

    for (int i = 0; list && i < m->targets; i++) {
        const char *slot = (const char *)&m->slots[i];
        uint64_t n;
        memcpy(&n, slot + offset, sizeof(n));
        if (!cJSON_AddItemToArray(list, cJSON_CreateNumber((double)n)))
            return false;
    }
    return list != NULL;
}

cJSON *ib_meter_queries(const struct ib_meter *m)
{
    cJSON *q = cJSON_CreateObject();
    size_t count = offsetof(struct ib_meter_slot, count);
    bool ok =
        q && queries_list(m, q, "forward", count) &&
        queries_list(m, q, "label", count + sizeof(uint64_t)) &&
        queries_list(m, q, "gradient", count + 2 * sizeof(uint64_t)) &&
        queries_list(m, q, "repeated",
                     offsetof(struct ib_meter_slot, repeated)) &&
        queries_list(m, q, "denied", offsetof(struct ib_meter_slot, denied)) &&
        cJSON_AddNumberToObject(q, "shared", (double)meter_own(m, IB_SHARED)) &&
        cJSON_AddNumberToObject(q, "shared_denied",
                                (double)ib_meter_slot(m, IB_SHARED)->denied);

    if (ok)
        return q;
    cJSON_Delete(q);
    return NULL;
}
