// SPDX-License-Identifier: Apache-2.0
// Normalisation of rows by their own mean and variance. Rows lie one behind the other.
#ifndef KASANE_LAYER_NORM_H
#define KASANE_LAYER_NORM_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef struct {
  int64_t rows, width;
  /// Of x, residual, sum, y and their gradients: KS_FLOAT32 or KS_BFLOAT16; all else is float32.
  uint8_t dtype;
  /// Whether the mean is taken away; without that it is the normalisation by the root of the mean square.
  bool is_centered;
  double epsilon;
  const void *x;
  /// Added to x before the normalisation.
  const void *_Nullable residual;
  const float *_Nullable scale;  // [width]
  const float *_Nullable shift;  // [width]
  /// Where x + residual goes if it is wanted. Not read.
  void *_Nullable sum;
  void *_Nullable y;
  /// Mean and reciprocal deviation of each row, [rows, 2].
  float *_Nullable moments;
  // Backward only, from x (here the sum), moments and scale. A null gradient is not computed.
  const void *_Nullable gradient;  // of y
  void *_Nullable x_gradient;
  float *_Nullable scale_gradient;
  float *_Nullable shift_gradient;
} ks_layer_norm;

/// Computes y and, where they are not null, sum and moments. Returns KS_DONE or KS_OUT_OF_MEMORY.
int32_t ks_layer_norm_forward(const ks_layer_norm *task);
/// Computes the gradients. Returns KS_DONE or KS_OUT_OF_MEMORY.
int32_t ks_layer_norm_backward(const ks_layer_norm *task);

#pragma clang assume_nonnull end

#endif
