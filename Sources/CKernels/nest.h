// SPDX-License-Identifier: Apache-2.0
// How the inner loops walk over strided and broadcast tensors.
#ifndef KASANE_NEST_H
#define KASANE_NEST_H

#include "ks_kernels.h"

enum { operands_limit = 4, parallel_grain = 1 << 15 };

/// A loop nest over up to four operands with neighbouring axes merged where every operand allows it.
typedef struct {
  int32_t rank, operands;
  int64_t shape[KS_MAX_RANK];
  int64_t strides[operands_limit][KS_MAX_RANK];
} nest;

/// A row of a nest: where it is along the outer axes, and where each operand's elements of it begin.
typedef struct {
  int64_t position[KS_MAX_RANK];
  int64_t offsets[operands_limit];
} nest_row;

static inline int64_t element_count(const KSTensor *x) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < x->rank; axis++) count *= x->shape[axis];
  return count;
}

static inline void add_operand(nest *loops, const KSTensor *shaped_like, const KSTensor *tensor) {
  int64_t *strides = loops->strides[loops->operands++];
  int32_t missing = shaped_like->rank - tensor->rank;
  for (int32_t axis = 0; axis < shaped_like->rank; axis++) {
    bool broadcast = axis < missing || tensor->shape[axis - missing] == 1;
    strides[axis] = broadcast ? 0 : tensor->strides[axis - missing];
  }
}

/// Takes the shape, drops its axes of size 1 and merges neighbours. At least one axis remains.
static inline void merge_axes(nest *loops, int32_t shape_rank, const int64_t *shape) {
  int32_t rank = 0;
  for (int32_t axis = 0; axis < shape_rank; axis++) {
    if (shape[axis] == 1) continue;
    bool merges = rank > 0;
    for (int32_t i = 0; merges && i < loops->operands; i++) {
      merges = loops->strides[i][rank - 1] == loops->strides[i][axis] * shape[axis];
    }
    if (merges) rank--;
    loops->shape[rank] = merges ? loops->shape[rank] * shape[axis] : shape[axis];
    for (int32_t i = 0; i < loops->operands; i++) loops->strides[i][rank] = loops->strides[i][axis];
    rank++;
  }
  if (rank == 0) {
    loops->shape[0] = 1;
    for (int32_t i = 0; i < loops->operands; i++) loops->strides[i][0] = 0;
    rank = 1;
  }
  loops->rank = rank;
}

/// The number of rows: positions along all axes but the last.
static inline int64_t row_count(const nest *loops) {
  int64_t count = 1;
  for (int32_t axis = 0; axis + 1 < loops->rank; axis++) count *= loops->shape[axis];
  return count;
}

static inline nest_row row_at(const nest *loops, int64_t index) {
  nest_row row;
  for (int32_t i = 0; i < loops->operands; i++) row.offsets[i] = 0;
  for (int32_t axis = loops->rank - 2; axis >= 0; axis--) {
    int64_t position = index % loops->shape[axis];
    index /= loops->shape[axis];
    row.position[axis] = position;
    for (int32_t i = 0; i < loops->operands; i++) row.offsets[i] += position * loops->strides[i][axis];
  }
  return row;
}

static inline void next_row(const nest *loops, nest_row *row) {
  for (int32_t axis = loops->rank - 2; axis >= 0; axis--) {
    for (int32_t i = 0; i < loops->operands; i++) row->offsets[i] += loops->strides[i][axis];
    if (++row->position[axis] < loops->shape[axis]) return;
    for (int32_t i = 0; i < loops->operands; i++) row->offsets[i] -= loops->shape[axis] * loops->strides[i][axis];
    row->position[axis] = 0;
  }
}

#endif
