/* The core's inside, shared by its two files: answering, and what is kept. */
#ifndef INVBENCH_HARNESS_ORACLE_CORE_H
#define INVBENCH_HARNESS_ORACLE_CORE_H

#include "oracle_meter.h"

struct ib_oracle_core {
    struct ib_oracle_params p;
    struct ib_oracle_info info;
    struct ib_oracle_buffer b;
    struct ib_meter meter;
    size_t d, k; /* numbers of an image, of an answer */
    /* The last ask, in memory that the attack does not see. */
    size_t rows, granted;
    bool logits;     /* its logits stand in the net: a product may follow */
    int32_t *target; /* targets */
    int32_t *slot;   /* capacity: of each row */
    int32_t *place;  /* capacity: ask row of each row in the net */
    float *work;     /* capacity x K */
    uint8_t *kept;   /* checkpoints x targets x images x D */
    size_t set;      /* bytes of one checkpoint in kept */
    size_t bad_row, bad_at; /* first NaN of a guess that counts, ... */
    bool bad;               /* ... if there is one */
    void *memory;           /* all of the above */
};

/* Checks sizes and takes the core's own memory. */
IB_CHECK enum ib_status ib_core_reserve(struct ib_oracle_core *c,
                                        struct ib_error *err);
/* Copies a slot's guess, as 8-bit images, to what is kept for checkpoint k. */
void ib_core_keep(void *core, int slot, int k);

#endif
