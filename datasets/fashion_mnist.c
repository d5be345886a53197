/*
 * fashion-mnist: small pictures of ten kinds of clothes; no public data.
 *
 * H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for
 * benchmarking machine learning algorithms", arXiv:1708.07747, 2017.
 */
#include <invbench/parts/idx_files.h>

static const struct ib_option options[] = {
    IB_IDX_OPTIONS("fashion-mnist/train-images-idx3-ubyte.gz",
                   "fashion-mnist/train-labels-idx1-ubyte.gz",
                   "fashion-mnist/t10k-images-idx3-ubyte.gz",
                   "fashion-mnist/t10k-labels-idx1-ubyte.gz", "", "", "false",
                   "0"),
    {0},
};

const struct ib_dataset_plugin ib_dataset_fashion_mnist = {
    .plugin = {.kind = IB_KIND_DATASET,
               .name = "fashion-mnist",
               .summary = "pictures of ten kinds of clothes; no public data",
               .citation = "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a "
                           "Novel Image Dataset for Benchmarking Machine "
                           "Learning Algorithms, arXiv:1708.07747, 2017",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct ib_idx_options)},
    .files = ib_idx_dataset_files,
    .load = ib_idx_dataset_load,
};
