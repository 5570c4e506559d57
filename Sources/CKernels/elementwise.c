// SPDX-License-Identifier: Apache-2.0
// Operations element by element.
#include "nest.h"
#include "table.h"

typedef struct {
  nest loops;
  char *out;
  const char *a, *b, *c;
  // Bytes of an element of the operands: all but a condition and the result of a comparison have one size.
  int64_t out_size, size;
  ks_unary_loop unary;
  ks_binary_loop binary;
  ks_select_loop select;
} elementwise;

static void run_part_of_row(const elementwise *work, const int64_t *offsets, int64_t first, int64_t count) {
  const int32_t inner = work->loops.rank - 1;
  int64_t strides[operands_limit], places[operands_limit];
  for (int32_t i = 0; i < work->loops.operands; i++) {
    strides[i] = work->loops.strides[i][inner];
    places[i] = offsets[i] + first * strides[i];
  }
  char *out = work->out + places[0] * work->out_size;
  const int64_t size = work->size;
  if (work->select != NULL) {
    work->select(out, work->a + places[1], work->b + places[2] * size, work->c + places[3] * size, count, strides[1],
                 strides[2], strides[3]);
  } else if (work->binary != NULL) {
    work->binary(out, work->a + places[1] * size, work->b + places[2] * size, count, strides[1], strides[2]);
  } else {
    work->unary(out, work->a + places[1] * size, count, strides[1]);
  }
}

/// The elements of the result from `first` on, in row-major order, up to `last`.
static void run_part(void *work_, int64_t first, int64_t last) {
  const elementwise *work = work_;
  const int64_t inner = work->loops.shape[work->loops.rank - 1];
  nest_row row = row_at(&work->loops, first / inner);
  int64_t begin = first % inner;
  while (first < last) {
    int64_t count = inner - begin < last - first ? inner - begin : last - first;
    run_part_of_row(work, row.offsets, begin, count);
    first += count;
    begin = 0;
    next_row(&work->loops, &row);
  }
}

static void run(elementwise *work, const KSTensor *out) {
  int64_t count = element_count(out);
  if (count == 0) return;
  merge_axes(&work->loops, out->rank, out->shape);
  ks_parallel(count, parallel_grain, run_part, work);
}

// Apart from the short way through small work, so that its frame is none of theirs.
static __attribute__((noinline)) void run_unary(ks_unary_loop loop, KSTensor *out, KSTensor *x) {
  elementwise work;
  work.loops.operands = 0;
  work.out = out->data;
  work.a = x->data;
  work.out_size = work.size = (int64_t)ks_element_size(out->dtype);
  work.unary = loop;
  work.binary = NULL;
  work.select = NULL;
  add_operand(&work.loops, out, out);
  add_operand(&work.loops, out, x);
  run(&work, out);
}

int32_t ks_unary(int32_t operation, KSTensor *out, KSTensor *x) {
  ks_unary_loop loop = ks_active_table()->unary[operation][out->dtype];
  if (loop == NULL) return KS_WRONG_TYPE;
  int64_t count = element_count(out);
  if (x->contiguous && count < parallel_grain) {
    loop(out->data, x->data, count, 1);
  } else {
    run_unary(loop, out, x);
  }
  return KS_DONE;
}

static inline bool same_shape(const KSTensor *a, const KSTensor *b) {
  if (a->rank != b->rank) return false;
  for (int32_t axis = 0; axis < a->rank; axis++) {
    if (a->shape[axis] != b->shape[axis]) return false;
  }
  return true;
}

static __attribute__((noinline)) void run_binary(ks_binary_loop loop, KSTensor *out, KSTensor *a, KSTensor *b) {
  elementwise work;
  work.loops.operands = 0;
  work.out = out->data;
  work.a = a->data;
  work.b = b->data;
  work.out_size = (int64_t)ks_element_size(out->dtype);
  work.size = (int64_t)ks_element_size(a->dtype);
  work.binary = loop;
  work.select = NULL;
  add_operand(&work.loops, out, out);
  add_operand(&work.loops, out, a);
  add_operand(&work.loops, out, b);
  run(&work, out);
}

static inline void run_pairs(ks_binary_loop loop, KSTensor *out, KSTensor *a, KSTensor *b) {
  int64_t count = element_count(out);
  if (a->contiguous && b->contiguous && count < parallel_grain && same_shape(a, out)) {
    bool scalar = b->rank == 0;
    if (scalar || same_shape(b, out)) {
      loop(out->data, a->data, b->data, count, 1, scalar ? 0 : 1);
      return;
    }
  }
  run_binary(loop, out, a, b);
}

static __attribute__((noinline)) bool has_zero(const KSTensor *x) {
  if (element_count(x) == 0) return false;
  nest loops = {0};
  add_operand(&loops, x, x);
  merge_axes(&loops, x->rank, x->shape);
  const int64_t inner = loops.shape[loops.rank - 1], stride = loops.strides[0][loops.rank - 1];
  nest_row row = row_at(&loops, 0);
  for (int64_t left = row_count(&loops); left > 0; left--, next_row(&loops, &row)) {
    for (int64_t i = 0; i < inner; i++) {
      int64_t place = row.offsets[0] + i * stride;
      bool zero;
      switch (x->dtype) {
        case KS_INT64: zero = ((const int64_t *)x->data)[place] == 0; break;
        case KS_INT32: zero = ((const int32_t *)x->data)[place] == 0; break;
        default: zero = ((const int8_t *)x->data)[place] == 0; break;
      }
      if (zero) return true;
    }
  }
  return false;
}

int32_t ks_binary(int32_t operation, KSTensor *out, KSTensor *a, KSTensor *b) {
  ks_binary_loop loop = ks_active_table()->binary[operation][out->dtype];
  if (loop == NULL) return KS_WRONG_TYPE;
  bool divides = operation == KS_DIVIDE || operation == KS_REMAINDER;
  if (divides && out->dtype >= KS_INT8 && element_count(out) > 0 && has_zero(b)) return KS_DIVISION_BY_ZERO;
  run_pairs(loop, out, a, b);
  return KS_DONE;
}

void ks_compare(int32_t comparison, KSTensor *out, KSTensor *a, KSTensor *b) {
  bool swaps = comparison == KS_GREATER || comparison == KS_GREATER_OR_EQUAL;
  int32_t loop = swaps ? comparison - KS_GREATER + KS_LESS : comparison;
  run_pairs(ks_active_table()->comparison[loop][a->dtype], out, swaps ? b : a, swaps ? a : b);
}

void ks_select(KSTensor *out, KSTensor *condition, KSTensor *a, KSTensor *b) {
  elementwise work;
  work.loops.operands = 0;
  work.out = out->data;
  work.a = condition->data;
  work.b = a->data;
  work.c = b->data;
  work.out_size = work.size = (int64_t)ks_element_size(out->dtype);
  work.select = ks_active_table()->select[work.size];
  add_operand(&work.loops, out, out);
  add_operand(&work.loops, out, condition);
  add_operand(&work.loops, out, a);
  add_operand(&work.loops, out, b);
  run(&work, out);
}
