/*
 * The defense kind: one defense per file. See examples/ for a commented one.
 *
 * A stack is stably sorted by stage before it is keyed; within a stage the
 * suite's order stands, and the order is in the record. A deterministic
 * response depends on its row alone; a stochastic one draws from the row's own
 * stream. Neither depends on how rows are batched.
 */
#ifndef INVBENCH_DEFENSE_H
#define INVBENCH_DEFENSE_H

#include <invbench/model.h>
#include <invbench/rng.h>

enum ib_stage { IB_STAGE_TRAIN, IB_STAGE_RESPOND, IB_STAGE_COUNT };

/* One answer on its way out. */
struct ib_response {
    int classes;
    float *scores;      /* K; probabilities as far as the stack has got */
    int label;          /* argmax of the undefended scores (lowest index on
                           ties); a defense may change it */
    bool label_only;    /* set: only the label leaves, as a one-hot vector */
    struct ib_rng *rng; /* stream of (client, identity, ordinal of query) */
};

struct ib_defense {
    struct ib_plugin plugin;
    enum ib_stage stage;
    bool stochastic;
    const char *adaptive; /* name or description of the attack that knows it */
    /* Stage train: at least one of these, in the order in which they act; NULL
     * elsewhere. See trainer.h.
     * rewrite: adds nodes to the model's graph and may point `nodes` at them
     * (a bottleneck before new logits, a second net). The model is built the
     * same way again wherever it is loaded. */
    enum ib_status (*rewrite)(const void *options,
                              const struct ib_model_task *task,
                              struct ib_graph *g, struct ib_model_nodes *nodes,
                              struct ib_error *err);
    /* Changes the n phases of training (at most IB_PHASES_MAX); the new n. */
    int (*phases)(const void *options, const struct ib_model_nodes *nodes,
                  const struct ib_graph *g, struct ib_phase *phases, int n);
    void (*batch)(const void *options, struct ib_train_batch *b);
    double (*loss)(const void *options, struct ib_train_loss *l);
    void (*rows)(const void *options, struct ib_train_rows *r);
    void (*step)(const void *options, struct ib_train_step *s);
    /* Stage respond: required there, NULL elsewhere. */
    void (*respond)(const void *options, struct ib_response *r);
};

#endif
