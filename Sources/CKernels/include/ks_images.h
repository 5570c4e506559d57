// SPDX-License-Identifier: Apache-2.0
// Convolution and pooling of images [batch, height, width, channels]. Everything is contiguous.
#ifndef KASANE_IMAGES_H
#define KASANE_IMAGES_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// A convolution of x [batch, height, width, inputs] with a weight [kernel_height, kernel_width, inputs / groups,
/// outputs] to out [batch, out_height, out_width, outputs].
typedef struct {
  int64_t batch, height, width, inputs, out_height, out_width, outputs, kernel_height, kernel_width;
  int64_t stride_height, stride_width, dilation_height, dilation_width;
  int64_t top, left;  // zeros before the first row and the first column
  int64_t groups;
} ks_convolution;

// Plain loops for float32 and float64 and any geometry: what they compute is plain to see, and gradient checks and
// comparisons rest on that.

/// out = x convolved with weight, plus bias.
void ks_convolution_forward(const ks_convolution *shape, uint8_t dtype, void *out, const void *x,
                            const void *weight, const void *_Nullable bias);
/// x_gradient from the gradient of out.
void ks_convolution_input_gradient(const ks_convolution *shape, uint8_t dtype, void *x_gradient,
                                   const void *gradient, const void *weight);
/// weight_gradient from the gradient of out.
void ks_convolution_weight_gradient(const ks_convolution *shape, uint8_t dtype, void *weight_gradient,
                                    const void *x, const void *gradient);

/// rows [batch, out_height, out_width, kernel_height, kernel_width, inputs]: what each place of the results sees of the
/// float32 images, zeros outside of them. In one group.
void ks_gather_columns(const ks_convolution *shape, float *rows, const float *x);

/// A pooling of x [batch, height, width, channels] to [batch, out_height, out_width, channels]: result [i, j] is made
/// of the rows from row_first[i] to row_last[i] and the columns from column_first[j] to column_last[j], the last ones
/// left out.
typedef struct {
  int64_t batch, height, width, channels, out_height, out_width;
  const int64_t *row_first, *row_last, *column_first, *column_last;
  // An average divides by row_counts[i] * column_counts[j].
  const int64_t *row_counts, *column_counts;
} ks_pooling;

// Pooling is for float32, float64 and bfloat16.

/// The maxima, and the numbers of their pixels, row * width + column; of equal ones the first. No window is empty, and
/// an image has less than 2^31 pixels.
void ks_maximum_pool(const ks_pooling *shape, uint8_t dtype, void *values, int32_t *indices, const void *x);
/// The gradient of x from that of the maxima, which are at the indices.
void ks_maximum_pool_gradient(const ks_pooling *shape, uint8_t dtype, void *x_gradient, const int32_t *indices,
                              const void *gradient);
/// The averages.
void ks_average_pool(const ks_pooling *shape, uint8_t dtype, void *y, const void *x);
/// The gradient of x from that of the averages.
void ks_average_pool_gradient(const ks_pooling *shape, uint8_t dtype, void *x_gradient, const void *gradient);

#pragma clang assume_nonnull end

#endif
