// SPDX-License-Identifier: Apache-2.0
// Products of float32 matrices of any size.
#ifndef KASANE_GEMM_H
#define KASANE_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// A matrix by the distances of its rows and of its columns.
typedef struct {
  const float *_Nullable data;
  int64_t row, column;
} ks_gemm_operand;

/// A product y[m, n] = f(a[m, k] b[k, n] (+ y) (+ bias)), y's rows dense and `y_row` apart.
typedef struct {
  int64_t m, n, k;
  bool accumulates;
  ks_gemm_operand a, b;
  /// b as `ks_gemm_pack` lays it out; `b` is not read then.
  const float *_Nullable panels;
  float *_Nullable y;
  int64_t y_row;
  /// Of `n` numbers.
  const float *_Nullable bias;
  /// A unary operation, or -1 for none.
  int32_t activation;
} ks_gemm_task;

/// Whether the machine's instruction set is one for which these products are faster than the library's.
bool ks_gemm_is_best(void);

/// Computes a product on at most so many threads. Returns 0, or -1 where there is no memory.
int32_t ks_gemm_run(const ks_gemm_task *task, int32_t threads);

/// How many numbers a packed b[k, n] has.
int64_t ks_gemm_packed_count(int64_t k, int64_t n);
/// Packs b[k, n].
void ks_gemm_pack(float *to, ks_gemm_operand b, int64_t k, int64_t n);

#pragma clang assume_nonnull end

#endif
