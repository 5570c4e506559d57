// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "ks_kernels.h"

typedef struct {
  const ks_convolution *shape;
  void *out;
  const void *a, *b, *bias;
} convolution;

// What the three loops below have in common: the row of the image on which a row of the kernel lies.
static inline int64_t row_of(const ks_convolution *s, int64_t out_row, int64_t kernel_row) {
  return out_row * s->stride_height + kernel_row * s->dilation_height - s->top;
}

static inline int64_t column_of(const ks_convolution *s, int64_t out_column, int64_t kernel_column) {
  return out_column * s->stride_width + kernel_column * s->dilation_width - s->left;
}

#define CONVOLUTION(SUFFIX, TYPE)                                                                     \
  /* Parts are rows of the result. */                                                                 \
  static void forward_##SUFFIX(void *work_, int64_t first, int64_t last) {                            \
    const convolution *work = work_;                                                                  \
    const ks_convolution *s = work->shape;                                                            \
    const int64_t inputs = s->inputs / s->groups, outputs = s->outputs / s->groups;                   \
    for (int64_t place = first * s->out_width; place < last * s->out_width; place++) {                \
      TYPE *out = (TYPE *)work->out + place * s->outputs;                                             \
      const int64_t column = place % s->out_width, row = place / s->out_width % s->out_height;        \
      const int64_t image = place / s->out_width / s->out_height;                                     \
      if (work->bias != NULL) {                                                                       \
        memcpy(out, work->bias, (size_t)s->outputs * sizeof(TYPE));                                   \
      } else {                                                                                        \
        memset(out, 0, (size_t)s->outputs * sizeof(TYPE));                                            \
      }                                                                                               \
      for (int64_t i = 0; i < s->kernel_height; i++) {                                                \
        const int64_t y = row_of(s, row, i);                                                          \
        if (y < 0 || y >= s->height) continue;                                                        \
        for (int64_t j = 0; j < s->kernel_width; j++) {                                               \
          const int64_t z = column_of(s, column, j);                                                  \
          if (z < 0 || z >= s->width) continue;                                                       \
          const TYPE *x = (const TYPE *)work->a + ((image * s->height + y) * s->width + z) * s->inputs; \
          const TYPE *weight = (const TYPE *)work->b + (i * s->kernel_width + j) * inputs * s->outputs; \
          for (int64_t group = 0; group < s->groups; group++) {                                       \
            for (int64_t p = 0; p < inputs; p++) {                                                    \
              const TYPE value = x[group * inputs + p];                                               \
              const TYPE *from = weight + p * s->outputs + group * outputs;                           \
              TYPE *to = out + group * outputs;                                                       \
              for (int64_t q = 0; q < outputs; q++) to[q] += value * from[q];                         \
            }                                                                                         \
          }                                                                                           \
        }                                                                                             \
      }                                                                                               \
    }                                                                                                 \
  }                                                                                                   \
  /* Parts are images. */                                                                             \
  static void input_gradient_##SUFFIX(void *work_, int64_t first, int64_t last) {                     \
    const convolution *work = work_;                                                                  \
    const ks_convolution *s = work->shape;                                                            \
    const int64_t inputs = s->inputs / s->groups, outputs = s->outputs / s->groups;                   \
    const int64_t size = s->height * s->width * s->inputs, places = s->out_height * s->out_width;     \
    memset((TYPE *)work->out + first * size, 0, (size_t)((last - first) * size) * sizeof(TYPE));      \
    for (int64_t place = first * places; place < last * places; place++) {                            \
      const TYPE *gradient = (const TYPE *)work->a + place * s->outputs;                              \
      const int64_t column = place % s->out_width, row = place / s->out_width % s->out_height;        \
      TYPE *image = (TYPE *)work->out + place / places * size;                                        \
      for (int64_t i = 0; i < s->kernel_height; i++) {                                                \
        const int64_t y = row_of(s, row, i);                                                          \
        if (y < 0 || y >= s->height) continue;                                                        \
        for (int64_t j = 0; j < s->kernel_width; j++) {                                               \
          const int64_t z = column_of(s, column, j);                                                  \
          if (z < 0 || z >= s->width) continue;                                                       \
          TYPE *x = image + (y * s->width + z) * s->inputs;                                           \
          const TYPE *weight = (const TYPE *)work->b + (i * s->kernel_width + j) * inputs * s->outputs; \
          for (int64_t group = 0; group < s->groups; group++) {                                       \
            for (int64_t p = 0; p < inputs; p++) {                                                    \
              const TYPE *left = gradient + group * outputs;                                          \
              const TYPE *right = weight + p * s->outputs + group * outputs;                          \
              TYPE total = 0;                                                                         \
              for (int64_t q = 0; q < outputs; q++) total += left[q] * right[q];                      \
              x[group * inputs + p] += total;                                                         \
            }                                                                                         \
          }                                                                                           \
        }                                                                                             \
      }                                                                                               \
    }                                                                                                 \
  }                                                                                                   \
  /* Parts are elements of the kernel's height and width. */                                          \
  static void weight_gradient_##SUFFIX(void *work_, int64_t first, int64_t last) {                    \
    const convolution *work = work_;                                                                  \
    const ks_convolution *s = work->shape;                                                            \
    const int64_t inputs = s->inputs / s->groups, outputs = s->outputs / s->groups;                   \
    const int64_t places = s->batch * s->out_height * s->out_width;                                   \
    for (int64_t element = first; element < last; element++) {                                        \
      const int64_t i = element / s->kernel_width, j = element % s->kernel_width;                     \
      TYPE *weight = (TYPE *)work->out + element * inputs * s->outputs;                               \
      memset(weight, 0, (size_t)(inputs * s->outputs) * sizeof(TYPE));                                \
      for (int64_t place = 0; place < places; place++) {                                              \
        const int64_t column = place % s->out_width, row = place / s->out_width % s->out_height;      \
        const int64_t image = place / s->out_width / s->out_height;                                   \
        const int64_t y = row_of(s, row, i), z = column_of(s, column, j);                             \
        if (y < 0 || y >= s->height || z < 0 || z >= s->width) continue;                              \
        const TYPE *x = (const TYPE *)work->a + ((image * s->height + y) * s->width + z) * s->inputs; \
        const TYPE *gradient = (const TYPE *)work->b + place * s->outputs;                            \
        for (int64_t group = 0; group < s->groups; group++) {                                         \
          for (int64_t p = 0; p < inputs; p++) {                                                      \
            const TYPE value = x[group * inputs + p];                                                 \
            const TYPE *from = gradient + group * outputs;                                            \
            TYPE *to = weight + p * s->outputs + group * outputs;                                     \
            for (int64_t q = 0; q < outputs; q++) to[q] += value * from[q];                           \
          }                                                                                           \
        }                                                                                             \
      }                                                                                               \
    }                                                                                                 \
  }
CONVOLUTION(f32, float)
CONVOLUTION(f64, double)

typedef void (*part)(void *, int64_t, int64_t);

/// As many parts to a thread as make some 30,000 multiplications.
static void run(convolution *work, uint8_t dtype, int64_t parts, part single, part twice) {
  const ks_convolution *s = work->shape;
  const int64_t all = s->batch * s->out_height * s->out_width * s->kernel_height * s->kernel_width *
                      (s->inputs / s->groups) * s->outputs;
  const int64_t grain = parts > 0 ? (1 << 15) / (all / parts + 1) + 1 : 1;
  ks_parallel(parts, grain, dtype == KS_FLOAT64 ? twice : single, work);
}

void ks_convolution_forward(const ks_convolution *shape, uint8_t dtype, void *out, const void *x,
                            const void *weight, const void *bias) {
  convolution work = {.shape = shape, .out = out, .a = x, .b = weight, .bias = bias};
  run(&work, dtype, shape->batch * shape->out_height, forward_f32, forward_f64);
}

void ks_convolution_input_gradient(const ks_convolution *shape, uint8_t dtype, void *x_gradient,
                                   const void *gradient, const void *weight) {
  convolution work = {.shape = shape, .out = x_gradient, .a = gradient, .b = weight};
  run(&work, dtype, shape->batch, input_gradient_f32, input_gradient_f64);
}

void ks_convolution_weight_gradient(const ks_convolution *shape, uint8_t dtype, void *weight_gradient,
                                    const void *x, const void *gradient) {
  convolution work = {.shape = shape, .out = weight_gradient, .a = x, .b = gradient};
  run(&work, dtype, shape->kernel_height * shape->kernel_width, weight_gradient_f32, weight_gradient_f64);
}
