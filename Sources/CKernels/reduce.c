// SPDX-License-Identifier: Apache-2.0
// Reductions of strided tensors. How the work is divided depends on shapes and strides alone, so that the result has
// the same bits however many threads there are.
#include <stdlib.h>
#include <string.h>

#include "nest.h"
#include "pool.h"
#include "table.h"

enum { parts_limit = 16, few_units = 32, short_row = 16 };

/// An axis as the reduction goes along it.
typedef struct {
  int64_t size, out_stride, stride;
} reduced_axis;

/// Units are independent of each other: one element of the result, or up to column_block of them along an axis that
/// is kept.
typedef struct {
  const ks_reducer *reducer;
  char *out;
  const char *x;
  int64_t size;
  reduced_axis kept[KS_MAX_RANK], outer[KS_MAX_RANK];  // all kept axes but the columns; all reduced ones but the rows
  int32_t kept_count, outer_count;
  reduced_axis rows, columns;
  int64_t blocks, units;
  /// The reduced axis (outer_count for the rows) that is divided among several parts, and their results.
  int32_t divided;
  int64_t parts;
  char *partial;
} reducing;

/// Sorts a nest's axes by falling strides of its last operand, so that the last one has neighbours.
static void sort_axes(nest *loops) {
  int64_t *key = loops->strides[loops->operands - 1];
  for (int32_t i = 1; i < loops->rank; i++) {
    for (int32_t j = i; j > 0 && llabs(key[j - 1]) < llabs(key[j]); j--) {
      int64_t size = loops->shape[j];
      loops->shape[j] = loops->shape[j - 1];
      loops->shape[j - 1] = size;
      for (int32_t k = 0; k < loops->operands; k++) {
        int64_t stride = loops->strides[k][j];
        loops->strides[k][j] = loops->strides[k][j - 1];
        loops->strides[k][j - 1] = stride;
      }
    }
  }
}

/// Reduces the rows of one part into a unit's totals.
static void reduce_unit(const reducing *work, int64_t part, const char *x, int64_t columns, void *totals) {
  reduced_axis outer[KS_MAX_RANK], rows = work->rows;
  memcpy(outer, work->outer, sizeof outer[0] * (size_t)work->outer_count);
  if (work->parts > 1) {
    reduced_axis *axis = work->divided == work->outer_count ? &rows : &outer[work->divided];
    const int64_t first = axis->size * part / work->parts, last = axis->size * (part + 1) / work->parts;
    x += first * axis->stride * work->size;
    axis->size = last - first;
  }
  const ks_reducer *reducer = work->reducer;
  reducer->start(totals, columns);
  int64_t position[KS_MAX_RANK] = {0};
  while (true) {
    if (columns == 1) {
      reducer->row(totals, x, rows.size, rows.stride);
    } else {
      reducer->rows(totals, x, rows.size, rows.stride, columns, work->columns.stride);
    }
    int32_t axis = work->outer_count - 1;
    for (; axis >= 0; axis--) {
      x += outer[axis].stride * work->size;
      if (++position[axis] < outer[axis].size) break;
      x -= outer[axis].size * outer[axis].stride * work->size;
      position[axis] = 0;
    }
    if (axis < 0) return;
  }
}

typedef struct {
  int64_t columns, out_offset, offset;
} unit_place;

static unit_place place_of(const reducing *work, int64_t unit) {
  unit_place place = {1, 0, 0};
  const int64_t block = unit % work->blocks;
  unit /= work->blocks;
  place.columns = work->columns.size - block * column_block;
  if (place.columns > column_block) place.columns = column_block;
  place.out_offset = block * column_block * work->columns.out_stride;
  place.offset = block * column_block * work->columns.stride;
  for (int32_t axis = work->kept_count - 1; axis >= 0; axis--) {
    const reduced_axis *kept = &work->kept[axis];
    place.out_offset += unit % kept->size * kept->out_stride;
    place.offset += unit % kept->size * kept->stride;
    unit /= kept->size;
  }
  return place;
}

/// Bytes of a unit's totals.
static int64_t slot_bytes(const reducing *work) {
  int64_t columns = work->columns.size < column_block ? work->columns.size : column_block;
  return columns * work->reducer->total_size;
}

static void reduce_units(void *work_, int64_t first, int64_t last) {
  const reducing *work = work_;
  double totals[column_block];
  for (int64_t unit = first; unit < last; unit++) {
    unit_place place = place_of(work, unit);
    reduce_unit(work, 0, work->x + place.offset * work->size, place.columns, totals);
    work->reducer->finish(work->out + place.out_offset * work->size, totals, place.columns, work->columns.out_stride);
  }
}

static void reduce_parts(void *work_, int64_t first, int64_t last) {
  const reducing *work = work_;
  for (int64_t index = first; index < last; index++) {
    unit_place place = place_of(work, index / work->parts);
    char *totals = work->partial + index * slot_bytes(work);
    reduce_unit(work, index % work->parts, work->x + place.offset * work->size, place.columns, totals);
  }
}

static void combine_parts(const reducing *work) {
  for (int64_t unit = 0; unit < work->units; unit++) {
    unit_place place = place_of(work, unit);
    char *totals = work->partial + unit * work->parts * slot_bytes(work);
    for (int64_t part = 1; part < work->parts; part++) {
      work->reducer->combine(totals, totals + part * slot_bytes(work), place.columns);
    }
    work->reducer->finish(work->out + place.out_offset * work->size, totals, place.columns, work->columns.out_stride);
  }
}

/// Divides the axes into those of units, columns and rows.
static void plan(reducing *work, const nest *loops) {
  work->kept_count = work->outer_count = 0;
  work->rows = work->columns = (reduced_axis){1, 0, 0};
  for (int32_t axis = 0; axis < loops->rank; axis++) {
    reduced_axis entry = {loops->shape[axis], loops->strides[0][axis], loops->strides[1][axis]};
    if (entry.out_stride == 0) {
      work->outer[work->outer_count++] = entry;
    } else {
      work->kept[work->kept_count++] = entry;
    }
  }
  const int32_t inner = loops->rank - 1;
  const bool ends_in_row = loops->strides[0][inner] == 0;
  if (work->kept_count > 0 && (!ends_in_row || loops->shape[inner] <= short_row)) {
    work->columns = work->kept[--work->kept_count];
  }
  if (work->outer_count > 0) work->rows = work->outer[--work->outer_count];
  work->blocks = (work->columns.size + column_block - 1) / column_block;
  work->units = work->blocks;
  for (int32_t axis = 0; axis < work->kept_count; axis++) work->units *= work->kept[axis].size;
  work->parts = 1;
}

/// Divides a reduction of much to little into parts along its longest axis.
static void divide(reducing *work, int64_t count) {
  if (work->units >= few_units || count < 2 * parallel_grain) return;
  int64_t longest = work->rows.size;
  work->divided = work->outer_count;
  for (int32_t axis = 0; axis < work->outer_count; axis++) {
    if (work->outer[axis].size <= longest) continue;
    longest = work->outer[axis].size;
    work->divided = axis;
  }
  int64_t parts = count / parallel_grain;
  if (parts > parts_limit) parts = parts_limit;
  work->parts = parts < longest ? parts : longest;
}

int32_t ks_reduce(int32_t reduction, KSTensor *out, KSTensor *x) {
  reducing work;
  work.reducer = &ks_active_table()->reduction[reduction][x->dtype];
  if (work.reducer->row == NULL) return KS_WRONG_TYPE;
  work.out = out->data;
  work.x = x->data;
  work.size = (int64_t)ks_element_size(x->dtype);
  const int64_t results = element_count(out), count = element_count(x);
  if (results == 0) return KS_DONE;
  if (count == 0) {
    // All of no truths is true; other types have their start of the reduction.
    bool all = x->dtype == KS_BOOL && reduction == KS_MINIMUM_OF;
    double totals[1];
    work.reducer->start(totals, 1);
    if (all) memset(totals, 1, 1);
    for (int64_t i = 0; i < results; i++) work.reducer->finish(work.out + i * work.size, totals, 1, 1);
    return KS_DONE;
  }
  nest loops;
  loops.operands = 0;
  add_operand(&loops, x, out);
  add_operand(&loops, x, x);
  merge_axes(&loops, x->rank, x->shape);
  if (!x->contiguous) {
    sort_axes(&loops);
    nest sorted = loops;
    merge_axes(&loops, sorted.rank, sorted.shape);
  }
  plan(&work, &loops);
  divide(&work, count);
  if (work.parts > 1) {
    int32_t size_class;
    work.partial = ks_pool_take((size_t)(work.units * work.parts * slot_bytes(&work)), &size_class);
    if (work.partial != NULL) {
      ks_parallel(work.units * work.parts, 1, reduce_parts, &work);
      combine_parts(&work);
      ks_pool_give(work.partial, size_class);
      return KS_DONE;
    }
    work.parts = 1;
  }
  ks_parallel(work.units, parallel_grain * work.units / count + 1, reduce_units, &work);
  return KS_DONE;
}
