/*
 * Fitting a prior and drawing from it. Priors may come from outside, so both
 * happen in the attacker's process (oracle_process.h), which gets
 *
 *   JOB     {"job": "fit" | "sample", "prior" (PLUGIN of stage.h), "seed",
 *           "samples" (how many to draw), "threads", "checkpoint" (seconds
 *           between saves; 0: none), and what all jobs have}
 *   PUBLIC  the public images that the prior may see
 *   PRIOR   what it has learnt (sample), else empty
 *   MODEL   the checkpoint's file, where there is one; else empty
 *   BUFFER  shared memory of a fixed size for the result: bytes as fit() left
 *           them, or samples x D pixels
 *   SOCKET  back come hello and then messages, the last of them DONE
 *
 * Nothing private is ever near it.
 */
#ifndef INVBENCH_HARNESS_PRIOR_PROCESS_H
#define INVBENCH_HARNESS_PRIOR_PROCESS_H

#include "oracle_process.h"

#define IB_PRIOR_BYTES_MAX ((size_t)1 << 30) /* of what a fit may keep */

enum ib_prior_say {
    IB_PRIOR_NOTE = 1, /* text */
    IB_PRIOR_PROGRESS, /* value: share */
    IB_PRIOR_NUMBER,   /* text: name, value */
    IB_PRIOR_DONE,     /* status, text; size: bytes in BUFFER */
};
struct ib_prior_message {
    int32_t say; /* enum ib_prior_say */
    int32_t status;
    uint64_t size;
    double value;
    char text[IB_ERROR_MAX];
};

struct ib_prior_job {
    const struct ib_stage_env *env;
    const cJSON *prior; /* PLUGIN */
    const struct ib_images *images;
    uint64_t seed;
    const void *fitted; /* sample: what the prior has learnt; NULL: nothing */
    size_t fitted_size;
    size_t samples; /* 0: fit */
    /* fit: a checkpoint's file, open for writing, and its seconds; 0: none.
     * Only for priors of the tree. */
    int checkpoint;
    double every;
};
struct ib_prior_result {
    const void *data;
    size_t size;
    cJSON *numbers; /* fit: {name: value} */
};
/* Runs the job to its end. "crashed: ", "timeout: ", "oom: " begin the text
 * when the process died of itself. */
IB_CHECK enum ib_status ib_prior_run(const struct ib_prior_job *job,
                                     struct ib_prior_result *out,
                                     struct ib_error *err);
void ib_prior_result_free(struct ib_prior_result *r);

/* --- which public images a prior sees ----------------------------------- */

/* One fifth of the public images is held out to judge priors by; 160 (what a
 * Frechet distance needs), where a fifth is less and 160 are not more than a
 * third. Which ones: a draw of the seed. */
size_t ib_prior_held_out(size_t n);
struct ib_public_parts {
    struct ib_images seen, held; /* copies, in the order of the data set */
    const uint32_t *seen_index;  /* where they stood */
    void *owned;
};
IB_CHECK enum ib_status ib_public_split(const struct ib_images *images,
                                        uint64_t seed,
                                        struct ib_public_parts *out,
                                        struct ib_error *err);
void ib_public_parts_free(struct ib_public_parts *p);

#endif
