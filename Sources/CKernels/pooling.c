// SPDX-License-Identifier: Apache-2.0
#include "table.h"

typedef struct {
  const ks_pooling *shape;
  uint8_t dtype;
  void *out;
  int32_t *indices;
  const void *in;
} pooling;

static void maximum_part(void *work_, int64_t first, int64_t last) {
  const pooling *work = work_;
  ks_active_table()->maximum_pool[work->dtype](work->shape, work->out, work->indices, work->in, first, last);
}

static void average_part(void *work_, int64_t first, int64_t last) {
  const pooling *work = work_;
  ks_active_table()->average_pool[work->dtype](work->shape, work->out, work->in, first, last);
}

static void maximum_gradient_part(void *work_, int64_t first, int64_t last) {
  const pooling *work = work_;
  ks_active_table()->maximum_pool_gradient[work->dtype](work->shape, work->out, work->indices, work->in, first, last);
}

static void average_gradient_part(void *work_, int64_t first, int64_t last) {
  const pooling *work = work_;
  ks_active_table()->average_pool_gradient[work->dtype](work->shape, work->out, work->in, first, last);
}

/// Divides the parts among threads so that each visits some 30,000 elements, of which there are `all` or about so many.
static void run(pooling *work, int64_t parts, int64_t all, void (*body)(void *, int64_t, int64_t)) {
  if (parts > 0) ks_parallel(parts, (1 << 15) / (all / parts + 1) + 1, body, work);
}

static int64_t visited(const ks_pooling *s) {
  int64_t rows = 0, columns = 0;
  for (int64_t i = 0; i < s->out_height; i++) rows += s->row_last[i] - s->row_first[i];
  for (int64_t j = 0; j < s->out_width; j++) columns += s->column_last[j] - s->column_first[j];
  return s->batch * rows * columns * s->channels;
}

void ks_maximum_pool(const ks_pooling *shape, uint8_t dtype, void *values, int32_t *indices, const void *x) {
  pooling work = {.shape = shape, .dtype = dtype, .out = values, .indices = indices, .in = x};
  run(&work, shape->batch * shape->out_height * shape->out_width, visited(shape), maximum_part);
}

void ks_maximum_pool_gradient(const ks_pooling *shape, uint8_t dtype, void *x_gradient, const int32_t *indices,
                              const void *gradient) {
  pooling work = {.shape = shape, .dtype = dtype, .out = x_gradient, .indices = (int32_t *)indices, .in = gradient};
  run(&work, shape->batch * shape->height, visited(shape), maximum_gradient_part);
}

void ks_average_pool(const ks_pooling *shape, uint8_t dtype, void *y, const void *x) {
  pooling work = {.shape = shape, .dtype = dtype, .out = y, .in = x};
  run(&work, shape->batch * shape->out_height * shape->out_width, visited(shape), average_part);
}

void ks_average_pool_gradient(const ks_pooling *shape, uint8_t dtype, void *x_gradient, const void *gradient) {
  pooling work = {.shape = shape, .dtype = dtype, .out = x_gradient, .in = gradient};
  run(&work, shape->batch * shape->height, visited(shape), average_gradient_part);
}
