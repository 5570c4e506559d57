// SPDX-License-Identifier: Apache-2.0
// Elements by their index. Operands are contiguous and seen as [outer, axis, inner].
#include <string.h>

#include "nest.h"
#include "table.h"

typedef struct {
  char *out;
  const char *x;
  const int64_t *indices;
  // x and the target of a scatter have `length` slices along the axis, the others `count`.
  int64_t outer, length, count, inner, size;
  uint8_t dtype;
} indexing;

static indexing indexing_along(int32_t axis, const KSTensor *whole, int64_t count, const KSTensor *indices) {
  indexing work = {.indices = indices->data, .outer = 1, .length = whole->shape[axis], .count = count, .inner = 1};
  for (int32_t before = 0; before < axis; before++) work.outer *= whole->shape[before];
  for (int32_t after = axis + 1; after < whole->rank; after++) work.inner *= whole->shape[after];
  work.size = (int64_t)ks_element_size(whole->dtype);
  work.dtype = whole->dtype;
  return work;
}

#define TAKE_SINGLE(TYPE)                                                                                   \
  for (int64_t slice = first; slice < last; slice++) {                                                      \
    ((TYPE *)work->out)[slice] =                                                                            \
        ((const TYPE *)work->x)[slice / work->count * work->length + work->indices[slice % work->count]];   \
  }

static void take_slices(void *work_, int64_t first, int64_t last) {
  const indexing *work = work_;
  const int64_t bytes = work->inner * work->size;
  switch (bytes) {
    case 1: TAKE_SINGLE(uint8_t) return;
    case 2: TAKE_SINGLE(uint16_t) return;
    case 4: TAKE_SINGLE(uint32_t) return;
    case 8: TAKE_SINGLE(uint64_t) return;
    default: break;
  }
  for (int64_t slice = first; slice < last; slice++) {
    const int64_t from = slice / work->count * work->length + work->indices[slice % work->count];
    memcpy(work->out + slice * bytes, work->x + from * bytes, (size_t)bytes);
  }
}

void ks_take(KSTensor *out, KSTensor *x, KSTensor *indices, int32_t axis) {
  if (element_count(out) == 0) return;
  indexing work = indexing_along(axis, x, element_count(indices), indices);
  work.out = out->data;
  work.x = x->data;
  ks_parallel(work.outer * work.count, parallel_grain / work.inner + 1, take_slices, &work);
}

#define TAKE_ALONG(TYPE)                                                                                    \
  for (int64_t row = first; row < last; row++) {                                                            \
    const TYPE *from = (const TYPE *)work->x + row / work->count * work->length * work->inner;              \
    const int64_t *indices = work->indices + row * work->inner;                                             \
    TYPE *to = (TYPE *)work->out + row * work->inner;                                                       \
    for (int64_t i = 0; i < work->inner; i++) to[i] = from[indices[i] * work->inner + i];                   \
  }

static void take_along_rows(void *work_, int64_t first, int64_t last) {
  const indexing *work = work_;
  switch (work->size) {
    case 1: TAKE_ALONG(uint8_t) break;
    case 2: TAKE_ALONG(uint16_t) break;
    case 4: TAKE_ALONG(uint32_t) break;
    default: TAKE_ALONG(uint64_t) break;
  }
}

void ks_take_along(KSTensor *out, KSTensor *x, KSTensor *indices, int32_t axis) {
  if (element_count(out) == 0) return;
  indexing work = indexing_along(axis, x, indices->shape[axis], indices);
  work.out = out->data;
  work.x = x->data;
  ks_parallel(work.outer * work.count, parallel_grain / work.inner + 1, take_along_rows, &work);
}

/// What a thread adds to: nobody else does, so that every element gets its additions in order.
typedef struct {
  int64_t outer_first, outer_last, slice_first, slice_last, column_first, column_last;
} region;

static void scatter_slices(const indexing *work, region own) {
  ks_binary_loop add = ks_active_table()->binary[KS_ADD][work->dtype];
  const int64_t columns = own.column_last - own.column_first;
  for (int64_t outer = own.outer_first; outer < own.outer_last; outer++) {
    for (int64_t i = 0; i < work->count; i++) {
      const int64_t slice = work->indices[i];
      if (slice < own.slice_first || slice >= own.slice_last) continue;
      char *to = work->out + ((outer * work->length + slice) * work->inner + own.column_first) * work->size;
      const char *from = work->x + ((outer * work->count + i) * work->inner + own.column_first) * work->size;
      add(to, to, from, columns, 1, 1);
    }
  }
}

#define SCATTER_ALONG(TYPE)                                                                                 \
  for (int64_t outer = own.outer_first; outer < own.outer_last; outer++) {                                  \
    for (int64_t i = 0; i < work->count; i++) {                                                             \
      const int64_t row = (outer * work->count + i) * work->inner;                                          \
      for (int64_t column = own.column_first; column < own.column_last; column++) {                         \
        const int64_t slice = work->indices[row + column];                                                  \
        if (slice < own.slice_first || slice >= own.slice_last) continue;                                   \
        ((TYPE *)work->out)[(outer * work->length + slice) * work->inner + column] +=                       \
            ((const TYPE *)work->x)[row + column];                                                          \
      }                                                                                                     \
    }                                                                                                       \
  }

static void scatter_along(const indexing *work, region own) {
  switch (work->dtype) {
    case KS_FLOAT32: SCATTER_ALONG(float) break;
    case KS_FLOAT64: SCATTER_ALONG(double) break;
    case KS_INT32: SCATTER_ALONG(uint32_t) break;
    case KS_INT64: SCATTER_ALONG(uint64_t) break;
    default: SCATTER_ALONG(uint8_t) break;
  }
}

typedef struct {
  indexing work;
  void (*scatter)(const indexing *work, region own);
} scattering;

static region everything(const indexing *work) { return (region){0, work->outer, 0, work->length, 0, work->inner}; }

static void scatter_outer(void *task_, int64_t first, int64_t last) {
  const scattering *task = task_;
  region own = everything(&task->work);
  own.outer_first = first;
  own.outer_last = last;
  task->scatter(&task->work, own);
}

static void scatter_columns(void *task_, int64_t first, int64_t last) {
  const scattering *task = task_;
  region own = everything(&task->work);
  own.column_first = first;
  own.column_last = last;
  task->scatter(&task->work, own);
}

static void scatter_into_slices(void *task_, int64_t first, int64_t last) {
  const scattering *task = task_;
  region own = everything(&task->work);
  own.slice_first = first;
  own.slice_last = last;
  task->scatter(&task->work, own);
}

static void scatter(scattering *task) {
  const indexing *work = &task->work;
  const int64_t additions = work->outer * work->count * work->inner, threads = ks_threads();
  if (additions == 0) return;
  if (additions < 2 * parallel_grain || threads == 1) {
    task->scatter(work, everything(work));
  } else if (work->outer >= threads) {
    ks_parallel(work->outer, parallel_grain * work->outer / additions + 1, scatter_outer, task);
  } else if (work->inner >= 64 * threads) {
    ks_parallel(work->inner, 64, scatter_columns, task);
  } else {
    ks_parallel(work->length, 1, scatter_into_slices, task);
  }
}

void ks_scatter_add(KSTensor *target, KSTensor *values, KSTensor *indices, int32_t axis) {
  scattering task = {indexing_along(axis, target, element_count(indices), indices), scatter_slices};
  task.work.out = target->data;
  task.work.x = values->data;
  scatter(&task);
}

void ks_scatter_add_along(KSTensor *target, KSTensor *values, KSTensor *indices, int32_t axis) {
  scattering task = {indexing_along(axis, target, indices->shape[axis], indices), scatter_along};
  task.work.out = target->data;
  task.work.x = values->data;
  scatter(&task);
}
