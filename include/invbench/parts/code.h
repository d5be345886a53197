/*
 * Searching in the code of a target that decodes it (an autoencoder's), at
 * level whitebox. Codes are taken to come from sigmoids: they stay in [0, 1].
 */
#ifndef INVBENCH_PARTS_CODE_H
#define INVBENCH_PARTS_CODE_H

#include <invbench/oracle.h>

struct ib_code {
    struct ib_net *net; /* NULL: not opened */
    const struct ib_model_nodes *nodes;
    size_t size, image; /* of a code; of an image */
};

/* IB_E_DENIED when the oracle hands no net over, or one without a code. */
IB_CHECK enum ib_status ib_code_open(struct ib_code *c, struct ib_oracle *o,
                                     struct ib_error *err);
/* n rows, at most the net's batch; the answer lives in the net until its next
 * pass. decode: the image, not clamped; logits: of the classifier. */
const float *ib_code_encode(struct ib_code *c, size_t n, const float *x);
const float *ib_code_decode(struct ib_code *c, size_t n, const float *z);
const float *ib_code_logits(struct ib_code *c, size_t n, const float *z);
/* After ib_code_logits() of the same n rows: d loss / d code (n x size) from
 * d loss / d logits (n x K). */
void ib_code_vjp(struct ib_code *c, size_t n, const float *cotangent,
                 float *gradient);

#endif
