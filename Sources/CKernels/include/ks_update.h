// SPDX-License-Identifier: Apache-2.0
// Optimizers: one step for all parameters of a model. Shapes and types are checked by the caller.
#ifndef KASANE_UPDATE_H
#define KASANE_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "ks_tensor.h"

#pragma clang assume_nonnull begin

// The rules, and what each finds in the call's `numbers`.
typedef enum {
  KS_DESCENT,   // momentum, 1 with Nesterov's momentum or 0
  KS_ADAGRAD,   // epsilon
  KS_RMSPROP,   // smoothing, epsilon, momentum
  KS_ADADELTA,  // decay of the averages, epsilon
  KS_ADAM,      // beta 1, beta 2, epsilon, 1 where weight decay does not pass through the gradient or 0
  KS_ADAMAX,    // beta 1, beta 2, epsilon
  KS_LION,      // beta 1, beta 2
  KS_RULE_COUNT,
} ks_update_rule;

/// One parameter's part in a step: contiguous arrays of one type. Which states a rule has is in updates.inc.
typedef struct {
  void *parameter;
  const void *gradient;
  void *_Nullable states[3];
  /// The rows of parameter and states, each once, that the gradient's rows belong to; all of them where null.
  const int64_t *_Nullable rows;
  /// The elements of the gradient.
  int64_t count;
  /// The elements of a row.
  int64_t width;
  /// What the gradient is multiplied by first.
  double scale;
  double rate, decay, correction;
  int32_t dtype;  // KS_FLOAT32 or KS_FLOAT64
} ks_update_part;

/// One step for all parts, on several threads where they are large.
void ks_update(int32_t rule, const double *numbers, const ks_update_part *parts, int64_t part_count);

/// The sum of the squares of a contiguous tensor's elements, the same for any number of threads; float32 or float64.
double ks_sum_of_squares(const KSTensor *x);

#pragma clang assume_nonnull end

#endif
