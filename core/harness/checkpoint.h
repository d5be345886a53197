/*
 * A checkpoint's file: DIR/partial/KEY of the store, while the artifact KEY is
 * being computed.
 *
 * File: "IBCKPT1\n", u64 payload bytes, zeros up to 4096; two slots of equal
 * size, each u64 number, u64 payload bytes, SHA-256 of number and payload,
 * payload, zeros up to a multiple of 4096. Slots are written in turn, so that
 * one of them is always whole; the one with the higher number counts.
 */
#ifndef INVBENCH_HARNESS_CHECKPOINT_H
#define INVBENCH_HARNESS_CHECKPOINT_H

#include <invbench/checkpoint.h>

#include "store.h"

struct ib_checkpoint_file {
    struct ib_checkpoint hooks; /* for who computes */
    int fd;                     /* -1: none; hooks then do nothing */
    double every, last;         /* seconds between saves; monotonic */
    uint64_t number;            /* of the last save */
    char path[4096];
};

/* Opens or makes the file. One that another process holds, or that cannot be
 * made, is done without. every: seconds; 0: always due. */
void ib_checkpoint_open(struct ib_checkpoint_file *f, const struct ib_store *s,
                        const char *key, double every);
/* The same file in a process that has it open already: fd is borrowed. */
void ib_checkpoint_use(struct ib_checkpoint_file *f, int fd, double every);
/* done: the artifact is in the store, the file goes. */
void ib_checkpoint_close(struct ib_checkpoint_file *f, bool done);

#endif
