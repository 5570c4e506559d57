// SPDX-License-Identifier: Apache-2.0
// Attention of several heads, a block of queries and keys at a time, so that no tensor of weights is ever made.
#ifndef KASANE_ATTENTION_H
#define KASANE_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// c = alpha op(a) op(b) + beta c, row-major, on the calling thread where that belongs to a parallel region.
typedef int (*ks_sgemm)(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha,
                        const float *_Nullable a, int64_t lda, const float *_Nullable b, int64_t ldb, float beta,
                        float *_Nullable c, int64_t ldc);

/// A tensor [batch, time, heads, size] by its first element and its strides, in elements; that of the last axis is 1.
typedef struct {
  void *_Nullable data;
  int64_t batch, time, head;
} ks_heads;

typedef struct {
  int64_t batch, heads, queries, keys, size, outputs;
  /// Of all tensors but those named otherwise: KS_FLOAT32 or KS_BFLOAT16, computed in single precision.
  uint8_t dtype;
  /// Whether query i attends to keys 0 to i only.
  bool is_causal;
  bool is_mask_bool;
  float scale;
  ks_sgemm _Nullable product;
  ks_heads query, key, value;
  /// Bool, true where a query may attend to a key, or float32, which is added: by its strides over batch, heads,
  /// queries and keys, 0 where it is broadcast.
  const void *_Nullable mask;
  int64_t mask_strides[4];
  /// How many keys there are for each of the batch; all of them when null.
  const int64_t *_Nullable lengths;
  ks_heads output;
  /// The logarithm of the sum that each softmax divided by, float32 [batch, heads, queries]; infinity for a query that
  /// attends to nothing.
  float *_Nullable log_sums;
  // Backward only: the gradient of the output, and where those of the inputs go.
  ks_heads gradient, query_gradient, key_gradient, value_gradient;
} ks_attention;

/// Computes output and log_sums. Returns KS_DONE or KS_OUT_OF_MEMORY.
int32_t ks_attention_forward(const ks_attention *task);
/// Computes the three gradients from all the others. Returns KS_DONE or KS_OUT_OF_MEMORY.
int32_t ks_attention_backward(const ks_attention *task);

#pragma clang assume_nonnull end

#endif
