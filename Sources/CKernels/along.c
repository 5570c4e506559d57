// SPDX-License-Identifier: Apache-2.0
// What goes along one axis: places of maxima, running sums, softmax.
#include <stdlib.h>

#include "nest.h"
#include "table.h"

enum { short_row = 16 };

/// Work along one axis of a tensor, for all positions of the others.
typedef struct {
  nest kept;  // out and x without the axis; the last axis goes by blocks of columns, or by one
  int64_t rows, out_row, x_row;
  int64_t width, blocks;
  char *out;
  const char *x;
  int64_t out_size, size;
  int32_t dtype;
  bool minimum;
} along_axis;

static void plan_along(along_axis *work, KSTensor *out, KSTensor *x, int32_t axis, bool keeps_axis) {
  work->kept.operands = 2;
  int64_t shape[KS_MAX_RANK];
  int32_t rank = 0;
  for (int32_t from = 0; from < x->rank; from++) {
    if (from == axis) continue;
    shape[rank] = x->shape[from];
    work->kept.strides[0][rank] = out->strides[keeps_axis ? from : rank];
    work->kept.strides[1][rank++] = x->strides[from];
  }
  merge_axes(&work->kept, rank, shape);
  work->rows = x->shape[axis];
  work->out_row = keeps_axis ? out->strides[axis] : 0;
  work->x_row = x->strides[axis];
  const int32_t last = work->kept.rank - 1;
  const bool by_columns = llabs(work->kept.strides[1][last]) < llabs(work->x_row) || work->rows <= short_row;
  work->width = by_columns ? column_block : 1;
  work->blocks = (work->kept.shape[last] + work->width - 1) / work->width;
  work->out = out->data;
  work->x = x->data;
  work->out_size = (int64_t)ks_element_size(out->dtype);
  work->size = (int64_t)ks_element_size(x->dtype);
  work->dtype = x->dtype;
}

/// The unit's columns; stores where they begin in out and x.
static int64_t columns_of(const along_axis *work, int64_t unit, char **out, const char **x) {
  const int32_t last = work->kept.rank - 1;
  nest_row row = row_at(&work->kept, unit / work->blocks);
  const int64_t first = unit % work->blocks * work->width;
  *out = work->out + (row.offsets[0] + first * work->kept.strides[0][last]) * work->out_size;
  *x = work->x + (row.offsets[1] + first * work->kept.strides[1][last]) * work->size;
  const int64_t left = work->kept.shape[last] - first;
  return left < work->width ? left : work->width;
}

static void run_along(along_axis *work, void (*body)(void *, int64_t, int64_t)) {
  const int64_t units = row_count(&work->kept) * work->blocks;
  const int64_t each = work->rows * (work->width == 1 ? 1 : work->kept.shape[work->kept.rank - 1] / work->blocks);
  ks_parallel(units, parallel_grain / (each > 0 ? each : 1) + 1, body, work);
}

static void argument_units(void *work_, int64_t first, int64_t last) {
  const along_axis *work = work_;
  const ks_table *table = ks_active_table();
  const int32_t inner = work->kept.rank - 1;
  for (int64_t unit = first; unit < last; unit++) {
    char *out;
    const char *x;
    int64_t columns = columns_of(work, unit, &out, &x);
    if (columns == 1) {
      *(int64_t *)out = table->argument_row[work->minimum][work->dtype](x, work->rows, work->x_row);
    } else {
      table->argument_rows[work->minimum][work->dtype]((int64_t *)out, work->kept.strides[0][inner], x, work->rows,
                                                       work->x_row, columns, work->kept.strides[1][inner]);
    }
  }
}

void ks_argument(bool minimum, KSTensor *out, KSTensor *x, int32_t axis) {
  if (element_count(out) == 0) return;
  along_axis work;
  plan_along(&work, out, x, axis, false);
  work.minimum = minimum;
  run_along(&work, argument_units);
}

static void cumulative_units(void *work_, int64_t first, int64_t last) {
  const along_axis *work = work_;
  const int32_t inner = work->kept.rank - 1;
  for (int64_t unit = first; unit < last; unit++) {
    char *out;
    const char *x;
    int64_t columns = columns_of(work, unit, &out, &x);
    ks_active_table()->cumulative_sum[work->dtype](out, work->out_row, work->kept.strides[0][inner], x, work->x_row,
                                                   work->kept.strides[1][inner], work->rows, columns);
  }
}

int32_t ks_cumulative_sum(KSTensor *out, KSTensor *x, int32_t axis, bool reversed) {
  if (ks_active_table()->cumulative_sum[x->dtype] == NULL) return KS_WRONG_TYPE;
  if (element_count(out) == 0) return KS_DONE;
  along_axis work;
  plan_along(&work, out, x, axis, true);
  if (reversed) {
    work.out += (work.rows - 1) * work.out_row * work.out_size;
    work.x += (work.rows - 1) * work.x_row * work.size;
    work.out_row = -work.out_row;
    work.x_row = -work.x_row;
  }
  run_along(&work, cumulative_units);
  return KS_DONE;
}

typedef struct {
  void (*loop)(void *out, const void *x, int64_t count, bool logarithm);
  char *out;
  const char *x;
  int64_t count, size;
  bool logarithm;
} softmax_rows;

static void run_softmax(void *work_, int64_t first, int64_t last) {
  const softmax_rows *work = work_;
  for (int64_t row = first; row < last; row++) {
    const int64_t offset = row * work->count * work->size;
    work->loop(work->out + offset, work->x + offset, work->count, work->logarithm);
  }
}

void ks_softmax(KSTensor *out, KSTensor *x, bool logarithm) {
  const int64_t count = element_count(x);
  if (count == 0) return;
  softmax_rows work = {ks_active_table()->softmax[x->dtype], out->data,  x->data, x->shape[x->rank - 1],
                       (int64_t)ks_element_size(x->dtype),   logarithm};
  ks_parallel(count / work.count, parallel_grain / 4 / work.count + 1, run_softmax, &work);
}
