// SPDX-License-Identifier: Apache-2.0
// Units that one half of the features opens for the other.
#ifndef KASANE_GATES_H
#define KASANE_GATES_H

#include "ks_kernels.h"

#pragma clang assume_nonnull begin

/// y = tanh(a) sigmoid(b) for rows x = [a, b] of 2 n and y of n elements, of one type, float32 or bfloat16, contiguous.
void ks_gated_tanh(KSTensor *y, KSTensor *x);
/// The gradient by x from that of y.
void ks_gated_tanh_gradient(KSTensor *x_gradient, KSTensor *gradient, KSTensor *x);

#pragma clang assume_nonnull end

#endif
