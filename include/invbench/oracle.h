/*
 * The oracle: the only door through which an attack meets the target.
 *
 * It grants a level, counts, and refuses. Rows go through a shared buffer: the
 * attack writes n images into ib_oracle_input(), names for each row the target
 * slot it is asked for, and asks. All arrays that an ask returns live in the
 * buffer until the next ask.
 *
 *   float *x = ib_oracle_input(o);               // capacity x D
 *   ... write n rows, slot[i] in 0..targets-1 ...
 *   status = ib_oracle_scores(o, n, slot, &scores, err);   // n x K
 *
 * A row that is denied (the slot's budget is spent) comes back as zeros with
 * ib_oracle_denied(o)[i] != 0, and counts as denied only.
 * Shared questions (populations, priors) use the slot IB_SHARED: all slots pay
 * for them together, each ceil(shared / targets) of its budget.
 * An image with a NaN or an infinity is refused: the whole ask fails with
 * IB_E_NUMERIC and nothing is counted.
 */
#ifndef INVBENCH_ORACLE_H
#define INVBENCH_ORACLE_H

#include <invbench/model.h>

enum ib_level {
    IB_LABELS,    /* a one-hot vector of the answered label */
    IB_SCORES,    /* the scores that the defense stack lets out */
    IB_GRADIENTS, /* logits and vector-Jacobian products, undefended */
    IB_WHITEBOX,  /* the net itself */
    IB_LEVELS,
};
extern const char *const ib_level_names[IB_LEVELS];
#define IB_GRANTS(level) (1u << (level))

enum { IB_SHARED = -1 };

struct ib_oracle;

struct ib_oracle_info {
    enum ib_level level;
    struct ib_shape shape;
    int classes;
    int targets;          /* slots: identities under attack */
    size_t capacity;      /* rows of one ask */
    uint64_t max_queries; /* per slot; 0 = unlimited */
    int images;           /* of one slot's guess */
};

const struct ib_oracle_info *ib_oracle_info(const struct ib_oracle *o);
float *ib_oracle_input(struct ib_oracle *o);
const uint8_t *ib_oracle_denied(const struct ib_oracle *o);
/* Queries that the slot may still make (UINT64_MAX = unlimited). */
uint64_t ib_oracle_left(const struct ib_oracle *o, int slot);

/* Levels labels and scores (and above). One query a row. */
IB_CHECK enum ib_status ib_oracle_scores(struct ib_oracle *o, size_t n,
                                         const int32_t *slot,
                                         const float **scores,
                                         struct ib_error *err);
/* Level gradients and above: undefended logits, then the product of the
 * attack's own d loss / d logits (n x K, copied) with the Jacobian at those
 * same rows. Each counts one query a row, of its own kind. */
IB_CHECK enum ib_status ib_oracle_logits(struct ib_oracle *o, size_t n,
                                         const int32_t *slot,
                                         const float **logits,
                                         struct ib_error *err);
IB_CHECK enum ib_status ib_oracle_vjp(struct ib_oracle *o, size_t n,
                                      const float *cotangent,
                                      const float **gradient,
                                      struct ib_error *err);

/* Level whitebox only (NULL below): the target itself, and its nodes. The
 * attack counts what it asks of it with ib_oracle_count. */
struct ib_net *ib_oracle_net(struct ib_oracle *o,
                             const struct ib_model_nodes **nodes);
IB_CHECK enum ib_status ib_oracle_count(struct ib_oracle *o, int slot,
                                        uint64_t forward, uint64_t gradient,
                                        struct ib_error *err);

/* The attack's published best guess for a slot: images x D floats in [0, 1],
 * written in place whenever a better one is known. What stands there when a
 * query checkpoint (10, 30, 100, ... and half of the budget) is passed is
 * scored on the curve; what stands there at the end is the result. Starts as
 * zeros (black). */
float *ib_oracle_guess(struct ib_oracle *o, int slot);

#endif
