// SPDX-License-Identifier: Apache-2.0
// A thin layer over oneDNN that speaks both its version 2 and its version 3.
#ifndef KASANE_CDNN_H
#define KASANE_CDNN_H

#include <stdint.h>

/// The version of the oneDNN library that is loaded, such as "2.6.3".
const char *cdnn_version(void);

/// C = alpha op(A) op(B) + beta C, row-major, single precision. op is the transpose where the flag is set.
/// Returns 0, or oneDNN's status code.
int cdnn_sgemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
               int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

#endif
