/*
 * The score artifact, and the parts that make it.
 *
 * meta "scores": {
 *   "columns": [{"name": "ssim" | "acc1@EVALUATOR", "metric", "evaluator",
 *                "unit", "direction", "min", "max", "definition"}, ...],
 *   "targets": [class, ...], "images": R,   // images scored of each target:
 *              // of more than IB_SCORED_IMAGES so many, evenly spread
 *   "values":  {column: [per target: mean over its R images, or null]},
 *   "reasons": {column: text},           // for columns that have nulls
 *   "answers": [per target] | null,      // the target's probability of the
 *              // class, as its defenses let it out; null for controls
 *   "output":  {"distinct", "spread", "contrast"},   // docs/results.md
 *   "set":     {"columns", "values": {column: value, or null}, "reasons"}:
 *              // of all images together; absent where no metric is of sets
 *   "curve":   [{"queries", "reached", "scores": {column: mean}}, ...],
 *   "half":    {column: [per target]} | null  // the columns of the curve at
 *              // half of max_queries; null where nobody asked as much
 * }
 */
#ifndef INVBENCH_HARNESS_SCORE_H
#define INVBENCH_HARNESS_SCORE_H

#include "data_io.h"
#include "recon_io.h"
#include "stage.h"

enum { IB_JUDGES_MAX = 16, IB_JUDGE_BATCH = 64, IB_SCORED_IMAGES = 20 };

/* An evaluator at work. Its features of the data are artifacts of their own
 * (kind "features"), shared by all cells. */
struct ib_judge {
    const char *id; /* belongs to the spec */
    struct ib_loaded_model model;
    ib_node feature_node;
    int features;
    const float *private_feature, *public_feature;
    struct ib_artifact kept[2];
    float *computed[2];
};
/* spec: {id, model KEY}. */
IB_CHECK enum ib_status ib_judge_open(const struct ib_stage_env *env,
                                      const cJSON *spec, const char *data_key,
                                      const struct ib_dataset *data,
                                      struct ib_judge *out,
                                      struct ib_error *err);
void ib_judge_close(struct ib_judge *j);

/* What is to be scored: one layer of the reconstructions. */
struct ib_score_task {
    const struct ib_dataset *data;
    struct ib_images images; /* identity: target class of each */
    struct ib_judge *judges;
    int n_judges;
    struct ib_use *metrics;
    int n_metrics;
    bool curve; /* only metrics that belong on the curve */
    struct ib_scratch *scratch;
};
struct ib_score_column {
    char name[2 * IB_NAME_MAX];
    const struct ib_column *column;
    const char *metric, *evaluator; /* evaluator: NULL where none judges */
    const double *value;            /* images.n (of_set: 1); NaN: null */
    bool of_set;
    const char *reason; /* of nulls */
};
/* Runs the metrics. columns and values live in the task's scratch. */
IB_CHECK enum ib_status ib_score_images(const struct ib_score_task *task,
                                        struct ib_score_column **columns,
                                        size_t *n, struct ib_error *err);
/* Mean of a column over one target's images (first .. first + n); NaN where
 * none has a value. */
double ib_score_reduce(const struct ib_score_column *c, size_t first, size_t n);
/* Those of sets, or the others. */
cJSON *ib_score_columns_json(const struct ib_score_column *c, size_t n,
                             bool of_set);

/* How alike the images are: {"distinct", "spread", "contrast"}. */
cJSON *ib_score_output(const struct ib_images *images);
/* The target's answers to the final images (see "answers"); NULL *out for a
 * control. */
IB_CHECK enum ib_status ib_score_answers(const struct ib_stage_env *env,
                                         const struct ib_recon *recon,
                                         cJSON **out, struct ib_error *err);

#endif
