/*
 * The oracle from inside. One engine (the core) answers and meters; the attack
 * meets it through struct ib_oracle, whose transport is a plain call (local) or
 * a channel between two processes. Both use the same buffer:
 *
 *   control | left | slot | denied | input | output | cotangent | gradient |
 *   guess
 *
 * The attack's side fills control and the rows, the core reads each of them
 * once into memory of its own, checks it there, and writes its answer back.
 *
 * Metering, per slot: "forward" is a row of scores or logits, "label" a row at
 * level labels, "gradient" a row of a vector-Jacobian product (its forward
 * pass was paid for by the logits), "repeated" a row whose bytes the slot has
 * asked before (it counts as forward or label too), "denied" a row refused.
 * A slot's total is forward + label + gradient + its part of what was asked
 * for all of them, ceil(shared / targets); the total never exceeds max_queries.
 *
 * Checkpoints 10, 30, 100, 300, ... and half of max_queries: a slot's guess is
 * kept as it stands before the first row that takes the slot's total beyond
 * the checkpoint.
 *
 * Simulated clock: an ask of n rows takes max(latency, n / rate_limit).
 */
#ifndef INVBENCH_HARNESS_ORACLE_H
#define INVBENCH_HARNESS_ORACLE_H

#include "stack.h"
#include "stage.h"

enum { IB_CHECKPOINTS_MAX = 19 };

enum ib_ask {
    IB_ASK_SCORES = 1,
    IB_ASK_LOGITS,
    IB_ASK_VJP,
    IB_ASK_COUNT, /* of what was asked of the net itself */
    IB_ASK_REPORT,
    IB_ASK_DONE,
};

struct ib_oracle_control {
    uint32_t ask; /* enum ib_ask */
    uint32_t n;
    int32_t slot;               /* count */
    int32_t status;             /* answer; the attack's own with done */
    uint64_t forward, gradient; /* count */
    double progress;            /* report: below 0 = text only */
    char text[IB_ERROR_MAX];
};

struct ib_oracle_buffer {
    struct ib_oracle_control *control;
    uint64_t *left;   /* targets, then shared */
    int32_t *slot;    /* capacity */
    uint8_t *denied;  /* capacity */
    float *input;     /* capacity x D */
    float *output;    /* capacity x K */
    float *cotangent; /* capacity x K; level gradients and above */
    float *gradient;  /* capacity x D; level gradients and above */
    float *guess;     /* targets x images x D */
    size_t bytes;
};
/* Lays the buffer out over base (64-byte aligned, zeroed; NULL: bytes only). */
IB_CHECK enum ib_status ib_oracle_layout(const struct ib_oracle_info *info,
                                         void *base,
                                         struct ib_oracle_buffer *out,
                                         struct ib_error *err);

struct ib_oracle_params {
    struct ib_net *net; /* borrowed */
    struct ib_model_nodes nodes;
    int classes;
    enum ib_level level;
    const struct ib_stack *stack; /* borrowed; NULL: no defenses */
    int targets;
    const int32_t *target; /* class of each slot; copied */
    int images;            /* per slot; 0 means 1 */
    size_t capacity;       /* rows; 0, or more than the net's batch: that */
    uint64_t max_queries;  /* per slot; 0: unlimited */
    uint64_t seed;
    double latency, rate_limit; /* seconds an ask, rows a second; 0: none */
    struct ib_reporter *reporter;
};
/* What the parameters amount to; checks them. */
IB_CHECK enum ib_status ib_oracle_describe(const struct ib_oracle_params *p,
                                           struct ib_oracle_info *info,
                                           struct ib_error *err);

/* --- the core ---------------------------------------------------------- */

struct ib_oracle_core;
IB_CHECK enum ib_status ib_oracle_core_create(struct ib_oracle_core **out,
                                              const struct ib_oracle_params *p,
                                              const struct ib_oracle_buffer *b,
                                              struct ib_error *err);
void ib_oracle_core_free(struct ib_oracle_core *c);
/* Answers what control asks. True when the attack says that it is done (its
 * status and text are then in *err). */
bool ib_oracle_core_serve(struct ib_oracle_core *c, struct ib_error *err);
/* What the attack brings home: the object "recon" and the pixels of
 * recon_io.h, both the caller's (cJSON_Delete, free). IB_E_NUMERIC, with class
 * and first place, when a guess that counts holds a NaN. */
IB_CHECK enum ib_status ib_oracle_core_recon(struct ib_oracle_core *c,
                                             cJSON **meta, uint8_t **pixels,
                                             size_t *bytes,
                                             struct ib_error *err);

/* --- the attack's side ------------------------------------------------- */

struct ib_oracle_ops {
    /* Has control answered; the answer's status is in control. An error of
     * its own only when the core cannot be reached. */
    enum ib_status (*ask)(struct ib_oracle *o, struct ib_error *err);
    void (*close)(struct ib_oracle *o);
};

struct ib_oracle {
    const struct ib_oracle_ops *ops;
    struct ib_oracle_info info;
    struct ib_oracle_buffer buffer;
    struct ib_net *net; /* level whitebox only */
    struct ib_model_nodes nodes;
};

/* The core in this process, behind a plain call. */
IB_CHECK enum ib_status ib_oracle_open_local(struct ib_oracle **out,
                                             const struct ib_oracle_params *p,
                                             struct ib_error *err);
/* Of a local oracle. */
struct ib_oracle_core *ib_oracle_local_core(struct ib_oracle *o);
void ib_oracle_close(struct ib_oracle *o);

/* The attack's end of a channel: a connected socket and the shared buffer
 * (mapped here; both descriptors are closed with the oracle). net: whitebox. */
struct ib_oracle_link {
    struct ib_oracle_info info;
    int socket, memory;
    struct ib_net *net;
    struct ib_model_nodes nodes;
};
IB_CHECK enum ib_status ib_oracle_open_channel(struct ib_oracle **out,
                                               const struct ib_oracle_link *l,
                                               struct ib_error *err);
/* The oracle's end: answers until the attack is done (IB_OK or the status
 * that it ended with) or gone (*gone set, IB_E_INTERNAL). */
enum ib_status ib_oracle_serve(struct ib_oracle_core *c, int socket, bool *gone,
                               struct ib_error *err);
/* Ends the conversation with the attack's own status and text. */
void ib_oracle_done(struct ib_oracle *o, enum ib_status status,
                    const struct ib_error *result);
/* A line or a share of progress (below 0: none) for the oracle's reporter. */
void ib_oracle_report(struct ib_oracle *o, double progress, const char *text);

#endif
