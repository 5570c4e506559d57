// SPDX-License-Identifier: Apache-2.0
// Layer normalisation: every pass over memory does all that can be done in it. The gradients of scale and shift are summed
// over blocks of rows that do not depend on the number of threads.
#include "ks_layer_norm.h"

#include <stdatomic.h>
#include <string.h>

#include "pool.h"
#include "table.h"

enum { rows_grain = 1 << 14, parts_limit = 16, block_rows = 128, stack_floats = 4096 };

typedef struct {
  const ks_layer_norm *task;
  const ks_layer_norm_loops *loops;
  /// Totals of each part, [parts, 2, width], and a row of sums with them in single precision.
  double *totals;
  float *blocks;
  int64_t parts;
  _Atomic int32_t status;
} layer_norm_work;

static int64_t rows_worth_a_thread(const ks_layer_norm *task) { return rows_grain / (task->width + 1) + 1; }

static void normalize_floats(void *work_, int64_t first, int64_t last) {
  const layer_norm_work *work = work_;
  const ks_layer_norm *task = work->task;
  for (int64_t row = first; row < last; row++) {
    const int64_t offset = row * task->width;
    const float *x = (const float *)task->x + offset;
    float *y = (float *)task->y + offset;
    if (task->residual != NULL) {
      float *sum = task->sum == NULL ? y : (float *)task->sum + offset;
      work->loops->add(sum, x, (const float *)task->residual + offset, task->width);
      x = sum;
    }
    work->loops->row(task, y, x, task->moments == NULL ? NULL : task->moments + 2 * row);
  }
}

static void normalize_halves(void *work_, int64_t first, int64_t last) {
  layer_norm_work *work = work_;
  const ks_layer_norm *task = work->task;
  // Rows too long for the stack are computed in memory of the pool.
  float stack[stack_floats];
  int32_t size_class = 0;
  float *pooled = NULL, *memory = stack;
  if (2 * task->width > stack_floats) {
    memory = pooled = ks_pool_take((size_t)(2 * task->width) * sizeof(float), &size_class);
    if (memory == NULL) {
      atomic_store(&work->status, KS_OUT_OF_MEMORY);
      return;
    }
  }
  for (int64_t row = first; row < last; row++) {
    const int64_t offset = row * task->width;
    float *x = memory, *other = memory + task->width;
    work->loops->widen(x, (const uint16_t *)task->x + offset, task->width);
    if (task->residual != NULL) {
      work->loops->widen(other, (const uint16_t *)task->residual + offset, task->width);
      work->loops->add(x, x, other, task->width);
      if (task->sum != NULL) {
        // What is kept is what the gradient will see.
        work->loops->narrow((uint16_t *)task->sum + offset, x, task->width);
        work->loops->widen(x, (const uint16_t *)task->sum + offset, task->width);
      }
    }
    work->loops->row(task, x, x, task->moments == NULL ? NULL : task->moments + 2 * row);
    work->loops->narrow((uint16_t *)task->y + offset, x, task->width);
  }
  if (pooled != NULL) ks_pool_give(pooled, size_class);
}

int32_t ks_layer_norm_forward(const ks_layer_norm *task) {
  layer_norm_work work = {.task = task, .loops = &ks_active_table()->layer_norm};
  ks_parallel(task->rows, rows_worth_a_thread(task), task->dtype == KS_FLOAT32 ? normalize_floats : normalize_halves,
              &work);
  return atomic_load(&work.status);
}

static void add_block(double *totals, float *block, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    totals[i] += (double)block[i];
    block[i] = 0;
  }
}

/// The gradients of some parts' rows.
static void differentiate_parts(void *work_, int64_t first, int64_t last) {
  const layer_norm_work *work = work_;
  const ks_layer_norm *task = work->task;
  const int64_t width = task->width;
  for (int64_t part = first; part < last; part++) {
    double *totals = work->totals + part * 2 * width;
    float *block = work->blocks + part * 5 * width;
    float *wide = block + 2 * width, *wide_gradient = wide + width, *wide_result = wide_gradient + width;
    memset(totals, 0, (size_t)(2 * width) * sizeof(double));
    memset(block, 0, (size_t)(2 * width) * sizeof(float));
    float *scale_gradient = task->scale_gradient == NULL ? NULL : block;
    float *shift_gradient = task->shift_gradient == NULL ? NULL : block + width;
    const int64_t start = task->rows * part / work->parts, end = task->rows * (part + 1) / work->parts;
    for (int64_t row = start; row < end; row++) {
      const int64_t offset = row * width;
      const float *moments = task->moments + 2 * row;
      if (task->dtype == KS_FLOAT32) {
        work->loops->gradient_row(task, task->x_gradient == NULL ? NULL : (float *)task->x_gradient + offset,
                                  (const float *)task->gradient + offset, (const float *)task->x + offset, moments,
                                  scale_gradient, shift_gradient);
      } else {
        work->loops->widen(wide, (const uint16_t *)task->x + offset, width);
        work->loops->widen(wide_gradient, (const uint16_t *)task->gradient + offset, width);
        work->loops->gradient_row(task, task->x_gradient == NULL ? NULL : wide_result, wide_gradient, wide, moments,
                                  scale_gradient, shift_gradient);
        if (task->x_gradient != NULL) {
          work->loops->narrow((uint16_t *)task->x_gradient + offset, wide_result, width);
        }
      }
      if ((row - start) % block_rows == block_rows - 1) add_block(totals, block, 2 * width);
    }
    add_block(totals, block, 2 * width);
  }
}

int32_t ks_layer_norm_backward(const ks_layer_norm *task) {
  layer_norm_work work = {.task = task, .loops = &ks_active_table()->layer_norm};
  const int64_t width = task->width;
  work.parts = task->rows / rows_worth_a_thread(task);
  work.parts = work.parts < 1 ? 1 : work.parts < parts_limit ? work.parts : parts_limit;
  const int64_t bytes = work.parts * width * (int64_t)(2 * sizeof(double) + 5 * sizeof(float));
  int32_t size_class;
  void *memory = ks_pool_take((size_t)bytes, &size_class);
  if (memory == NULL) return KS_OUT_OF_MEMORY;
  work.totals = memory;
  work.blocks = (float *)(work.totals + work.parts * 2 * width);
  ks_parallel(work.parts, 1, differentiate_parts, &work);
  for (int64_t part = 1; part < work.parts; part++) {
    for (int64_t i = 0; i < 2 * width; i++) work.totals[i] += work.totals[part * 2 * width + i];
  }
  for (int64_t i = 0; i < width; i++) {
    if (task->scale_gradient != NULL) task->scale_gradient[i] = (float)work.totals[i];
    if (task->shift_gradient != NULL) task->shift_gradient[i] = (float)work.totals[width + i];
  }
  ks_pool_give(memory, size_class);
  return KS_DONE;
}
