// SPDX-License-Identifier: Apache-2.0
// What each place of a convolution sees, gathered into a row of a matrix.
#include <string.h>

#include "ks_kernels.h"

typedef struct {
  const ks_convolution *shape;
  float *rows;
  const float *x;
} gathering;

/// One row of the kernel at one place: its pixels, with zeros where it lies outside of the image.
static void gather(const ks_convolution *s, float *to, const float *image, int64_t row, int64_t column) {
  const int64_t pixel = s->inputs;
  if (row < 0 || row >= s->height) {
    memset(to, 0, (size_t)(s->kernel_width * pixel) * sizeof(float));
    return;
  }
  const float *x = image + row * s->width * pixel;
  if (s->dilation_width == 1 && column >= 0 && column + s->kernel_width <= s->width) {
    memcpy(to, x + column * pixel, (size_t)(s->kernel_width * pixel) * sizeof(float));
    return;
  }
  for (int64_t j = 0; j < s->kernel_width; j++, to += pixel, column += s->dilation_width) {
    if (column < 0 || column >= s->width) {
      memset(to, 0, (size_t)pixel * sizeof(float));
    } else {
      memcpy(to, x + column * pixel, (size_t)pixel * sizeof(float));
    }
  }
}

// Parts are rows of the results.
static void gather_rows(void *work_, int64_t first, int64_t last) {
  const gathering *work = work_;
  const ks_convolution *s = work->shape;
  const int64_t run = s->kernel_width * s->inputs;
  float *to = work->rows + first * s->out_width * s->kernel_height * run;
  for (int64_t place = first * s->out_width; place < last * s->out_width; place++) {
    const float *image = work->x + place / s->out_width / s->out_height * s->height * s->width * s->inputs;
    const int64_t row = place / s->out_width % s->out_height * s->stride_height - s->top;
    const int64_t column = place % s->out_width * s->stride_width - s->left;
    for (int64_t i = 0; i < s->kernel_height; i++, to += run) {
      gather(s, to, image, row + i * s->dilation_height, column);
    }
  }
}

void ks_gather_columns(const ks_convolution *shape, float *rows, const float *x) {
  gathering work = {shape, rows, x};
  ks_parallel(shape->batch * shape->out_height, 1, gather_rows, &work);
}
