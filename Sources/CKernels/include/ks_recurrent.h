// SPDX-License-Identifier: Apache-2.0
// Recurrent layers over whole sequences, float32. What needs no state, the products of the inputs and the gradients of the
// weights, is left to the caller, who makes one product of all steps of it.
#ifndef KASANE_RECURRENT_H
#define KASANE_RECURRENT_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// Gates lie side by side along the last axis of weights and biases, in this order.
typedef enum {
  KS_SIMPLE_CELL,        // the state
  KS_LSTM_CELL,          // i, f, g, o
  KS_GRU_CELL,           // r, z, n; the reset gate r after the product of state and weight
  KS_GRU_BEFORE_CELL,    // r, z, n; the reset gate before it
} ks_cell;

/// C[m, n] = A[m, k] B[k, n] + beta C, or with A or B transposed; returns 0 or an error. Within a parallel region it must run
/// on the calling thread.
typedef int (*ks_gemm)(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
                       int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/// A layer's call. Arrays are contiguous; what is null is absent, or zero, or not wanted.
typedef struct {
  int32_t cell;        // of ks_cell
  int32_t activation;  // of a simple cell: KS_TANH, KS_SIGMOID or KS_RELU
  int64_t batch, steps, hidden;
  bool reversed;
  bool half;           // the state's products in bfloat16; see ks_sequences_half
  const int64_t *_Nullable lengths;        // [batch], from 0 to steps
  const float *weight;                     // [hidden, gates * hidden], of the state
  const float *_Nullable bias;             // [gates * hidden]
  const float *_Nullable recurrent_bias;   // [gates * hidden], KS_GRU_CELL only
  const float *_Nullable initial;          // [batch, hidden]
  const float *_Nullable initial_cell;     // [batch, hidden], KS_LSTM_CELL only
  bool keeps;                              // what a gradient needs
  /// [batch, steps, gates * hidden]: the inputs' products first, then, where they are kept, the gates' values. Of a simple
  /// cell, `outputs` itself.
  float *gates;
  /// [batch, steps, hidden], kept for a gradient: c of KS_LSTM_CELL; of KS_GRU_CELL what r is multiplied with.
  float *_Nullable cells;
  float *outputs;                          // [batch, steps, hidden]
  float *_Nullable final_state;            // [batch, hidden]
  float *_Nullable final_cell;             // [batch, hidden]
  ks_gemm gemm;
  // Backward only.
  const float *_Nullable transposed;           // the weight's transpose, [gates * hidden, hidden]; not read when `half`
  const float *_Nullable gradient;             // of outputs
  const float *_Nullable final_gradient;       // of final_state
  const float *_Nullable final_cell_gradient;  // of final_cell
  bool narrow;                       // the three arrays that the weights' gradients are made of are bfloat16, else float32
  void *_Nullable deltas;            // [batch, steps, gates * hidden]: gradients of the inputs' products
  void *_Nullable recurrent_deltas;  // the same of the state's products, KS_GRU_CELL only: elsewhere they are the same
  void *_Nullable previous;          // [batch, steps, hidden]: the state before each step
  float *_Nullable initial_gradient;       // [batch, hidden]
  float *_Nullable initial_cell_gradient;  // [batch, hidden]
} ks_sequences;

/// Whether the state's products of such a layer can be computed in bfloat16, with float32 sums, and gain by it.
bool ks_sequences_half(const ks_sequences *task);
/// Outputs and final states, and what a gradient needs. Returns 0, or what `gemm` returned, or -1 where there is no memory
/// to work in.
int ks_sequences_forward(const ks_sequences *task);
/// Gradients of the products and of the initial states.
int ks_sequences_backward(const ks_sequences *task);

#pragma clang assume_nonnull end

#endif
