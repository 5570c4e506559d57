// SPDX-License-Identifier: Apache-2.0
// Batch normalisation of rows of channels, in passes over memory as few as there can be.
#ifndef KASANE_BATCH_NORM_H
#define KASANE_BATCH_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "ks_tensor.h"

#pragma clang assume_nonnull begin

/// A batch normalisation of x [rows, channels] with what follows it:
/// y = (x - mean) / sqrt(variance + epsilon) * scale + shift + residual, and zero where that is negative if it rectifies.
///
/// The type is KS_FLOAT32 or KS_BFLOAT16, in which x, residual, y and their gradients are; all other numbers are float32.
/// The rows of x and of its gradient lie x_row and x_gradient_row elements apart, those of all others side by side.
typedef struct {
  int64_t rows, channels, x_row;
  uint8_t dtype;
  bool rectifies;
  double epsilon;
  const void *x;
  const void *_Nullable residual;
  const float *_Nullable scale, *_Nullable shift;
  float *mean, *variance;  // [channels]; the variance is the mean squared distance
  void *y;                 // written forward; read backward where there is a residual and it rectifies
  // Backward only. A null gradient is not computed.
  const void *_Nullable gradient;  // of y
  void *_Nullable x_gradient;
  int64_t x_gradient_row;
  bool accumulates;  // adds to what x_gradient holds
  void *_Nullable residual_gradient;
  float *_Nullable scale_gradient, *_Nullable shift_gradient;
} ks_batch_norm;

/// How many elements the rows of the last axis lie apart, or -1 where they do not lie evenly or have gaps.
int64_t ks_row_stride(const KSTensor *x);

/// Finds mean and variance over the rows, of which there is at least one. Returns KS_DONE or KS_OUT_OF_MEMORY, as do the
/// others.
int32_t ks_batch_norm_statistics(const ks_batch_norm *task);
/// y from the given mean and variance.
int32_t ks_batch_norm_apply(const ks_batch_norm *task);
/// The gradients, where mean and variance are x's own.
int32_t ks_batch_norm_gradient(const ks_batch_norm *task);

#pragma clang assume_nonnull end

#endif
