// SPDX-License-Identifier: Apache-2.0
// What a linear layer does around its matrix products.
#ifndef KASANE_LINEAR_H
#define KASANE_LINEAR_H

#include "ks_kernels.h"

#pragma clang assume_nonnull begin

/// y = f(y + bias) in place, for rows [.., n] and a bias [n] of one type, contiguous. `operation` is a unary one, or -1
/// for none; without a bias y = f(y).
void ks_bias_activation(KSTensor *y, KSTensor *_Nullable bias, int32_t operation);

/// out = f(a, b) for rows [.., n] of one floating-point type but float16, contiguous, and the sums of out's columns as
/// it is rounded, added up in double precision, in sums [n], which are float64 where out is, else float32. Where out is
/// null the sums are a's own, and there is neither b nor operation. Returns KS_DONE, or KS_OUT_OF_MEMORY.
int32_t ks_binary_column_sums(int32_t operation, KSTensor *_Nullable out, KSTensor *a, KSTensor *_Nullable b,
                              KSTensor *sums);

#pragma clang assume_nonnull end

#endif
