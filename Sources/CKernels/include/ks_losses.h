// SPDX-License-Identifier: Apache-2.0
// Losses in one pass over their inputs.
#ifndef KASANE_LOSSES_H
#define KASANE_LOSSES_H

#include "ks_kernels.h"

#pragma clang assume_nonnull begin

/// The cross-entropy between the softmax of logits and labels, row by row.
typedef struct {
  int64_t rows, classes;
  const void *logits;     // [rows, classes], float32 or bfloat16
  uint8_t dtype;          // the logits', and their gradient's
  const int64_t *labels;  // [rows]
  int64_t ignored;        // a label whose rows have no loss
  float smoothing;        // this share of the right class's probability is spread evenly over all
  float *_Nullable losses;           // [rows], written forward
  float *statistics;                 // [rows, 2]: the largest logit, and the logarithm of the sum of exp(logit - largest)
  const float *_Nullable gradient;   // [rows], of the losses, read backward
  void *_Nullable logits_gradient;   // [rows, classes], written backward; may be the logits
} ks_cross_entropy;

/// Losses and statistics. Returns the first row whose label is no class, or -1.
int64_t ks_cross_entropy_forward(const ks_cross_entropy *task);
void ks_cross_entropy_backward(const ks_cross_entropy *task);

#pragma clang assume_nonnull end

#endif
