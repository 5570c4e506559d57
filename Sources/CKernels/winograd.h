// SPDX-License-Identifier: Apache-2.0
#ifndef KASANE_WINOGRAD_LOOPS_H
#define KASANE_WINOGRAD_LOOPS_H

#include "ks_winograd.h"

/// A tile of an image: its first pixel, which may lie outside, and its rows and columns that lie on the image.
typedef struct {
  const float *data;
  int64_t row, column;  // elements from one to the next
  int64_t first_row, last_row, first_column, last_column;
} ks_winograd_tile;

/// The loops of Winograd's convolution; see winograd.inc.
typedef struct {
  void (*pixels)(float *to, int64_t point, const ks_winograd_tile *tile, int64_t count);
  void (*gradients)(float *to, int64_t point, const ks_winograd_tile *tile, int64_t count);
  void (*results)(const ks_winograd_tile *tile, const float *bias, const float *from, int64_t point, int64_t count);
  void (*kernel)(float *to, int64_t point, const float *kernel, int64_t tap, int64_t count);
  void (*kernel_gradient)(float *kernel, int64_t tap, const float *from, int64_t point, int64_t count);
  void (*product)(float *c, int64_t c_row, const float *a, int64_t a_row, int64_t a_depth, const float *b,
                  int64_t b_depth, int64_t rows, int64_t columns, int64_t depth, bool accumulates);
} ks_winograd_loops;

#endif
