/* A fast 64-bit hash of a row of floats (by bytes; -0 and 0 differ), for
 * telling repeated queries. Not cryptographic: who makes rows collide hides
 * nothing but that count. */
#ifndef INVBENCH_HARNESS_ORACLE_HASH_H
#define INVBENCH_HARNESS_ORACLE_HASH_H

#include <invbench/base.h>

uint64_t ib_row_hash(const float *row, size_t d);
/* Index of the first NaN or infinity; d when there is none. */
size_t ib_row_bad(const float *row, size_t d);

#endif
