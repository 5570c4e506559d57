// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16 matrices by the processor's instructions for them, summed up in float32.
#ifndef KASANE_HALF_H
#define KASANE_HALF_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// A product y[m, n] (+)= the transpose of a[k, m] times b[k, n], of matrices whose rows are dense and so far apart as said.
typedef struct {
  int64_t m, n, k;
  bool accumulates;
  const uint16_t *a, *b;
  int64_t a_row, b_row;
  float *y;
  int64_t y_row;
} ks_half_product;

/// Whether this machine multiplies bfloat16 by instructions for it, and may.
bool ks_half_available(void);

/// Computes a product where `ks_half_available`. Returns 0, or -1 where there is no memory.
int32_t ks_half_multiply_transposed(const ks_half_product *task);

/// Where a convolution's kernel [places, inputs, outputs] lies in blocks of so many outputs by some inputs: the strides, in
/// numbers, from one block to the next along outputs and inputs, and from one place to the next.
typedef struct {
  int64_t places, inputs, outputs, block;
  int64_t output_stride, input_stride, place_stride;
} ks_kernel_blocks;

/// Lays a float32 kernel out in bfloat16, in blocks of [block][2 inputs], with zeros for what is not there; where
/// `ks_half_available`.
void ks_half_pack_input_pairs(const ks_kernel_blocks *blocks, const float *kernel, uint16_t *packed);
/// The same in blocks of 16 outputs by 16 inputs: [8][16 inputs][2 outputs].
void ks_half_pack_output_pairs(const ks_kernel_blocks *blocks, const float *kernel, uint16_t *packed);
/// Takes a float32 kernel out of blocks of [16 inputs][16 outputs].
void ks_unpack_output_rows(const ks_kernel_blocks *blocks, const float *packed, float *kernel);

#pragma clang assume_nonnull end

#endif
