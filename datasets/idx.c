/*
 * idx: the MNIST family, from IDX files, plain or gzip.
 *
 * Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits"
 * (the format and the digits). Any file may be named; mnist and fashion-mnist
 * know theirs.
 */
#include <invbench/parts/idx_files.h>

static const struct ib_option options[] = {
    IB_IDX_OPTIONS("", "", "", "", "", "", "false", "0"),
    {0},
};

const struct ib_dataset_plugin ib_dataset_idx = {
    .plugin = {.kind = IB_KIND_DATASET,
               .name = "idx",
               .summary = "IDX files, plain or gzip: MNIST and its family",
               .citation = "Y. LeCun, C. Cortes, C. Burges, The MNIST "
                           "database of handwritten digits, 1998",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct ib_idx_options)},
    .files = ib_idx_dataset_files,
    .load = ib_idx_dataset_load,
};
