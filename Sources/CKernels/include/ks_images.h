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

#pragma clang assume_nonnull end

#endif
