/*
 * Samples of a prior as artifacts (stage sample), and what they are worth.
 *
 * Compared with public images that the prior has not seen ("held"), beside as
 * many real ones that it has seen ("real"); at most IB_SAMPLES_MAX of each,
 * evenly spaced. Features are those of an evaluator, which was trained on the
 * private images: neither set is known to it.
 *
 * data: uint8, n x D: the samples.
 * meta "sample": {
 *   "n", "held", "real": how many images, "seen": what the prior learnt from,
 *   "evaluator": id, "features": numbers of a feature row,
 *   "nearest": [per sample: the public image nearest in pixels, of those the
 *               prior has seen; an index into the public split],
 *   "scores": {
 *     frechet, frechet_real      squared Frechet distance of the samples, and
 *                                of the real ones, to the held ones
 *     precision, recall, density, coverage, *_real
 *                                PRDC, k 5 (invbench/metric.h)
 *     mi_precision, mi_recall, mi_density, mi_coverage
 *                                the inversion papers' variant, k 3
 *     nearest, nearest_real      median distance (RMS of pixels in [0, 1]) to
 *                                the nearest image that the prior has seen; of
 *                                held ones instead of samples
 *     copies, copies_real        share that correlates above 0.995 with an
 *                                image that the prior has seen
 *     repeats, repeats_real      ... with another one of its own set
 *     spread                     mean distance (features) between two samples,
 *                                over that between two held ones
 *   },                           // null, and then in
 *   "reasons": {name: text},
 *   "collapse": bool | null, "unlike": bool | null, "copying": bool,
 *   "verdict": text
 * }
 */
#ifndef INVBENCH_HARNESS_SAMPLE_H
#define INVBENCH_HARNESS_SAMPLE_H

#include <invbench/metric.h>

#include "stage.h"

enum { IB_SAMPLES_MAX = 1000, IB_SAMPLES_MIN = 64 };

/* Rules of the verdict. */
#define IB_COLLAPSE_SPREAD 0.5 /* spread below this: collapse */
#define IB_COLLAPSE_RECALL                                                     \
    0.1                 /* recall below this part of recall_real: too          \
                         */
#define IB_UNLIKE 0.1   /* precision below this part of precision_real: */
                        /* no such images; recall tells nothing then */
#define IB_COPYING 0.01 /* copies above copies_real by more than this */

struct ib_sample_task {
    const struct ib_images *samples, *real, *held, *seen;
    struct ib_net *net; /* the evaluator */
    ib_node input, features;
    struct ib_scratch *scratch;
};
/* Adds "features" and all from "scores" on to out; nearest: per sample, an
 * index into seen. */
IB_CHECK enum ib_status ib_sample_score(const struct ib_sample_task *t,
                                        cJSON *out, size_t *nearest,
                                        struct ib_error *err);
struct ib_sample_verdict {
    int collapse, unlike; /* 1, 0, or -1: cannot be told */
    bool copying;
};
struct ib_sample_verdict ib_sample_verdict(const cJSON *scores,
                                           struct ib_text *words);

/* A contact sheet: the first n samples, each beside its nearest public image,
 * and a legend. */
struct ib_sample_sheet {
    const char *sample_key, *data_key;
    int n;
    const char *title; /* first words of the legend: "gan on synthfaces" */
};
IB_CHECK enum ib_status ib_sample_sheet(const struct ib_stage_env *env,
                                        const struct ib_sample_sheet *s,
                                        const char *path, struct ib_error *err);

#endif
