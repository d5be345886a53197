/*
 * mnist: handwritten digits; public data: EMNIST letters, as in the inversion
 * literature.
 *
 * Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits";
 * G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: extending MNIST to
 * handwritten letters", IJCNN 2017 (the test split of the letters; its images
 * are stored transposed, its labels begin at 1).
 */
#include <invbench/parts/idx_files.h>

static const struct ib_option options[] = {
    IB_IDX_OPTIONS(
        "mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz",
        "mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz",
        "emnist-letters/emnist-letters-test-images-idx3-ubyte.gz",
        "emnist-letters/emnist-letters-test-labels-idx1-ubyte.gz", "true", "1"),
    {0},
};

const struct ib_dataset_plugin ib_dataset_mnist = {
    .plugin = {.kind = IB_KIND_DATASET,
               .name = "mnist",
               .summary = "handwritten digits; public data: EMNIST letters",
               .citation = "Y. LeCun, C. Cortes, C. Burges, The MNIST "
                           "database of handwritten digits, 1998; EMNIST: G. "
                           "Cohen, S. Afshar, J. Tapson, A. van Schaik, IJCNN "
                           "2017",
               .license = "MIT",
               .version = "1",
               .options = options,
               .options_size = sizeof(struct ib_idx_options)},
    .files = ib_idx_dataset_files,
    .load = ib_idx_dataset_load,
};
