/* Counting, budgets, checkpoints and the simulated clock of one oracle. */
#ifndef INVBENCH_HARNESS_ORACLE_METER_H
#define INVBENCH_HARNESS_ORACLE_METER_H

#include "oracle.h"

enum ib_meter_kind { IB_METER_FORWARD, IB_METER_LABEL, IB_METER_GRADIENT };

struct ib_seen { /* hashes of rows asked before; open addressing */
    uint64_t *table;
    size_t size, used;
};

struct ib_meter_slot {
    uint64_t count[3]; /* by enum ib_meter_kind */
    uint64_t repeated, denied;
    uint64_t ordinal; /* of the next answer: scores, labels, logits */
    int passed;       /* checkpoints behind it */
    struct ib_seen seen;
};

struct ib_meter {
    int targets;
    uint64_t max_queries;
    double latency, rate_limit, seconds;
    struct ib_meter_slot *slots;       /* targets, then shared */
    uint64_t mark[IB_CHECKPOINTS_MAX]; /* checkpoints, ascending */
    int marks;
    /* Called before a slot's total passes checkpoint k. */
    void (*checkpoint)(void *ctx, int slot, int k);
    void *ctx;
};

IB_CHECK enum ib_status ib_meter_init(struct ib_meter *m,
                                      const struct ib_oracle_params *p,
                                      struct ib_error *err);
void ib_meter_free(struct ib_meter *m);
/* Slot of the API (IB_SHARED or 0..targets-1) to its counters. */
struct ib_meter_slot *ib_meter_slot(const struct ib_meter *m, int slot);
/* A slot's own queries and its part of the shared ones. */
uint64_t ib_meter_total(const struct ib_meter *m, int slot);
/* UINT64_MAX: unlimited. */
uint64_t ib_meter_left(const struct ib_meter *m, int slot);
/* Counts n queries of a kind if the budget has room for all of them; false,
 * and n denied, otherwise. */
bool ib_meter_take(struct ib_meter *m, int slot, enum ib_meter_kind kind,
                   uint64_t n);
/* Notes a row's bytes; counts it as repeated when they were seen before. */
IB_CHECK enum ib_status ib_meter_see(struct ib_meter *m, int slot,
                                     const float *row, size_t d,
                                     struct ib_error *err);
void ib_meter_tick(struct ib_meter *m, size_t rows);
/* How many of the checkpoints some slot has reached. */
int ib_meter_reached(const struct ib_meter *m);
/* {"forward": [...], ..., "shared": n}; NULL: no memory. */
cJSON *ib_meter_queries(const struct ib_meter *m);

#endif
