// SPDX-License-Identifier: Apache-2.0
// Convolutions with kernels of 3 by 3 at a quarter of the multiplications (Winograd 1980; Lavin and Gray 2016).
#ifndef KASANE_WINOGRAD_H
#define KASANE_WINOGRAD_H

#include "ks_kernels.h"

#pragma clang assume_nonnull begin

/// A convolution of images [batch, height, width, inputs] by a kernel [3, 3, inputs, outputs] in steps of 1 to results
/// [batch, out_height, out_width, outputs], all float32, with `top` rows and `left` columns of zeros before an image, and
/// after it as many as the results ask for. Inputs and outputs are multiples of 16. What is written is contiguous; of what
/// is read, the kernel is, and pixels may lie further apart than their channels need.
typedef struct {
  int64_t batch, height, width, inputs, out_height, out_width, outputs;
  int64_t top, left;
  int64_t image_pixel, result_pixel;  // elements from one pixel to the next where it is read
} ks_winograd;

/// results = convolution(images, kernel) + bias, which may be null. Returns KS_DONE or KS_OUT_OF_MEMORY, and so do the
/// others.
int32_t ks_winograd_forward(const ks_winograd *shape, float *results, const float *images, const float *kernel,
                            const float *_Nullable bias);
/// The gradient of the images from that of the results.
int32_t ks_winograd_images_gradient(const ks_winograd *shape, float *images, const float *results, const float *kernel);
/// The gradient of the kernel from that of the results.
int32_t ks_winograd_kernel_gradient(const ks_winograd *shape, float *kernel, const float *images, const float *results);

#pragma clang assume_nonnull end

#endif
