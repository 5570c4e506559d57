// SPDX-License-Identifier: Apache-2.0
#include "ks_linear.h"

#include <string.h>

#include "nest.h"
#include "pool.h"
#include "table.h"

typedef struct {
  char *y;
  const char *bias;
  int64_t n, size;
  ks_binary_loop add;
  ks_unary_loop activate;
} biased;

static void bias_rows(void *work_, int64_t first, int64_t last) {
  const biased *work = work_;
  for (int64_t row = first; row < last; row++) {
    char *y = work->y + row * work->n * work->size;
    if (work->bias != NULL) work->add(y, y, work->bias, work->n, 1, 1);
    if (work->activate != NULL) work->activate(y, y, work->n, 1);
  }
}

void ks_bias_activation(KSTensor *y, KSTensor *bias, int32_t operation) {
  const ks_table *table = ks_active_table();
  const int64_t count = element_count(y), n = y->rank > 0 ? y->shape[y->rank - 1] : 1;
  if (count == 0) return;
  biased work = {y->data, bias != NULL ? bias->data : NULL, n, (int64_t)ks_element_size(y->dtype),
                 table->binary[KS_ADD][y->dtype], operation < 0 ? NULL : table->unary[operation][y->dtype]};
  ks_parallel(count / n, parallel_grain / n + 1, bias_rows, &work);
}

// The rows are divided into parts by their number alone, so that the sums have the same bits for any number of threads.
enum { sum_parts = 16, sum_rows = 4 };

typedef struct {
  char *out;
  const char *a, *b;
  int64_t rows, n, size, parts;
  ks_binary_loop loop;
  const ks_reducer *sum;
  int32_t dtype;
  char *totals;
} summed;

/// Columns [column, column + count) of some rows: the results, while they are near, go to the totals. The rows are
/// summed up a few at a time in the elements' own type only where the reduction does so.
static void sum_block(const summed *work, int64_t first, int64_t last, int64_t column, int64_t count, void *totals) {
  for (int64_t row = first; row < last; row += sum_rows) {
    const int64_t rows = last - row < sum_rows ? last - row : sum_rows;
    const int64_t offset = (row * work->n + column) * work->size;
    const char *values = work->a + offset;
    if (work->out != NULL) {
      values = work->out + offset;
      for (int64_t i = 0; i < rows; i++) {
        const int64_t place = offset + i * work->n * work->size;
        work->loop(work->out + place, work->a + place, work->b + place, count, 1, 1);
      }
    }
    work->sum->rows(totals, values, rows, work->n, count, 1);
  }
}

static void sum_some_parts(void *work_, int64_t first, int64_t last) {
  const summed *work = work_;
  for (int64_t part = first; part < last; part++) {
    char *totals = work->totals + part * work->n * work->sum->total_size;
    work->sum->start(totals, work->n);
    const int64_t start = work->rows * part / work->parts, end = work->rows * (part + 1) / work->parts;
    for (int64_t column = 0; column < work->n; column += column_block) {
      const int64_t count = work->n - column < column_block ? work->n - column : column_block;
      sum_block(work, start, end, column, count, totals + column * work->sum->total_size);
    }
  }
}

int32_t ks_binary_column_sums(int32_t operation, KSTensor *out, KSTensor *a, KSTensor *b, KSTensor *sums) {
  const ks_table *table = ks_active_table();
  const int64_t count = element_count(a), n = a->shape[a->rank - 1];
  if (n == 0) return KS_DONE;
  summed work = {
      .out = out != NULL ? out->data : NULL, .a = a->data, .b = b != NULL ? b->data : NULL, .rows = count / n, .n = n,
      .size = (int64_t)ks_element_size(a->dtype), .loop = out != NULL ? table->binary[operation][a->dtype] : NULL,
      .sum = &table->reduction[KS_SUM_OF][a->dtype], .dtype = a->dtype};
  int64_t parts = count / parallel_grain;
  if (parts > sum_parts) parts = sum_parts;
  if (parts > work.rows / sum_rows) parts = work.rows / sum_rows;
  work.parts = parts > 1 ? parts : 1;
  int32_t size_class;
  work.totals = ks_pool_take((size_t)(work.parts * n * work.sum->total_size), &size_class);
  if (work.totals == NULL) return KS_OUT_OF_MEMORY;
  ks_parallel(work.parts, 1, sum_some_parts, &work);
  for (int64_t part = 1; part < work.parts; part++) {
    work.sum->combine(work.totals, work.totals + part * n * work.sum->total_size, n);
  }
  // Totals of the half-width types are those of float32.
  const int32_t type = sums->dtype;
  table->reduction[KS_SUM_OF][type].finish(sums->data, work.totals, n, 1);
  ks_pool_give(work.totals, size_class);
  return KS_DONE;
}
