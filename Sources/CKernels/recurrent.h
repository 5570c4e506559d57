// SPDX-License-Identifier: Apache-2.0
// What the loops over steps ask of the kernels of each instruction set.
#ifndef KASANE_RECURRENT_LOOPS_H
#define KASANE_RECURRENT_LOOPS_H

#include "ks_recurrent.h"

/// One sequence's step, from `count` units on where the pointers point. Gates, and sums, are `hidden` apart.
typedef struct {
  int64_t count, hidden;
  int32_t activation;
  bool keeps;                   // the gates' values and `kept_cell`, for the gradient
  const float *sums;            // products of the state; null at a first step from zeros
  float *gates;                 // products of the input
  const float *ahead;           // where the gates are that come next, far away in memory
  const float *bias, *recurrent_bias;
  const float *previous;        // the state before
  const float *previous_cell;   // null for zeros
  float *cell, *kept_cell;
  float *output, *state;
} ks_cell_row;

/// The same step of the backward pass.
typedef struct {
  int64_t count, hidden;
  int32_t activation;
  const float *gates, *kept_cell, *previous, *previous_cell;  // null for zeros, where they are of the step before
  const float *ahead;           // as above
  const float *gradient;        // of the output; null for zeros
  float *carry;                 // in: of the state by later steps; out: its part by the step before that needs no product
  float *cell_carry;
  bool narrow;                  // these two are bfloat16
  void *deltas, *recurrent_deltas;
  float *operand;               // the gates' gradients, side by side for the product
} ks_cell_gradient;

typedef void (*ks_cell_loop)(const ks_cell_row *row);
typedef void (*ks_cell_gradient_loop)(const ks_cell_gradient *row);

/// By ks_cell; where a step has two halves, the second is the last.
typedef struct {
  ks_cell_loop forward[5];
  ks_cell_gradient_loop backward[5];
} ks_cell_loops;

#endif
