// SPDX-License-Identifier: Apache-2.0
// Matrix products: how rows, columns and sums are shared out and taken in blocks that stay in the caches.
#include "ks_gemm.h"

#include "pool.h"
#include "table.h"

enum {
  row_block = 96,       // so that a block of packed rows stays in the second cache
  column_block_of_b = 1024,
  few_rows = 12,        // that are not worth packing
};

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t panels_of(int64_t n) { return (n + gemm_panel - 1) / gemm_panel; }

bool ks_gemm_is_best(void) {
#if defined(__x86_64__)
  return ks_active_table() == &ks_table_avx2;
#else
  return false;
#endif
}

int64_t ks_gemm_packed_count(int64_t k, int64_t n) { return panels_of(n) * gemm_panel * k; }

typedef struct {
  float *to;
  ks_gemm_operand b;
  int64_t k, n;
} packing;

static void pack_panels(void *work_, int64_t first, int64_t last) {
  const packing *work = work_;
  for (int64_t panel = first; panel < last; panel++) {
    ks_gemm_operand part = work->b;
    part.data += panel * gemm_panel * part.column;
    ks_active_table()->gemm.pack_columns(work->to + panel * gemm_panel * work->k, part, work->k,
                                         smaller(gemm_panel, work->n - panel * gemm_panel));
  }
}

void ks_gemm_pack(float *to, ks_gemm_operand b, int64_t k, int64_t n) {
  packing work = {to, b, k, n};
  ks_parallel(panels_of(n), (1 << 15) / (gemm_panel * (k + 1)) + 1, pack_panels, &work);
}

typedef struct {
  const ks_gemm_task *task;
  const ks_table *table;
  float *memory;          // of all parts
  int64_t memory_each;
  int64_t row_parts, column_parts;
} sharing;

// Bias and activation, while the results are near.
static void finish(const sharing *work, int64_t row, int64_t row_count, int64_t column, int64_t column_count) {
  const ks_gemm_task *task = work->task;
  if (task->bias == NULL && task->activation < 0) return;
  ks_binary_loop add = work->table->binary[KS_ADD][KS_FLOAT32];
  ks_unary_loop activate = task->activation < 0 ? NULL : work->table->unary[task->activation][KS_FLOAT32];
  for (int64_t i = row; i < row + row_count; i++) {
    float *out = task->y + i * task->y_row + column;
    if (task->bias != NULL) add(out, out, task->bias + column, column_count, 1, 1);
    if (activate != NULL) activate(out, out, column_count, 1);
  }
}

// A block of results from a part of the sums. `panels` are those of the block's columns, `distance` apart.
static void multiply_block(const sharing *work, const float *rows, int64_t row, int64_t row_count, int64_t column,
                           int64_t column_count, const float *panels, int64_t distance, int64_t depth, bool accumulates,
                           bool finishes) {
  const ks_gemm_task *task = work->task;
  float *y = task->y + row * task->y_row + column;
  for (int64_t first = 0; first < column_count; first += gemm_panel, panels += distance) {
    const int64_t width = smaller(gemm_panel, column_count - first);
    if (width == gemm_panel) {
      work->table->gemm.product(y + first, task->y_row, rows, panels, row_count, depth, accumulates);
    } else {
      work->table->gemm.rows_by_panel(y + first, task->y_row, rows, gemm_row, panels, row_count, width, depth, accumulates);
    }
  }
  if (finishes) finish(work, row, row_count, column, column_count);
}

static void multiply_part(const sharing *work, int64_t part) {
  const ks_gemm_task *task = work->task;
  const int64_t row_part = part / work->column_parts, column_part = part % work->column_parts;
  const int64_t panels = panels_of(task->n);
  const int64_t row_start = task->m * row_part / work->row_parts, row_end = task->m * (row_part + 1) / work->row_parts;
  const int64_t column_start = panels * column_part / work->column_parts * gemm_panel;
  const int64_t column_end = smaller(panels * (column_part + 1) / work->column_parts * gemm_panel, task->n);
  float *packed_rows = work->memory + part * work->memory_each;
  float *packed_panels = packed_rows + row_block * gemm_row;
  for (int64_t column = column_start; column < column_end; column += column_block_of_b) {
    const int64_t columns = smaller(column_block_of_b, column_end - column);
    for (int64_t place = 0; place < task->k; place += gemm_depth) {
      const int64_t depth = smaller(gemm_depth, task->k - place);
      const float *block = packed_panels;
      int64_t distance = gemm_panel * depth;
      if (task->panels != NULL) {
        block = task->panels + column * task->k + gemm_panel * place;
        distance = gemm_panel * task->k;
      } else {
        for (int64_t first = 0; first < columns; first += gemm_panel) {
          ks_gemm_operand b = task->b;
          b.data += place * b.row + (column + first) * b.column;
          work->table->gemm.pack_columns(packed_panels + first * depth, b, depth, smaller(gemm_panel, columns - first));
        }
      }
      for (int64_t row = row_start; row < row_end; row += row_block) {
        const int64_t rows = smaller(row_block, row_end - row);
        ks_gemm_operand a = task->a;
        a.data += row * a.row + place * a.column;
        work->table->gemm.pack_rows(packed_rows, a, rows, depth);
        multiply_block(work, packed_rows, row, rows, column, columns, block, distance, depth,
                       task->accumulates || place > 0, place + depth == task->k);
      }
    }
  }
}

// Of few rows the panels are read once, in their order in memory, and the rows where they lie.
static void multiply_few_rows(void *work_, int64_t first, int64_t last) {
  const sharing *work = work_;
  const ks_gemm_task *task = work->task;
  for (int64_t panel = first; panel < last; panel++) {
    const int64_t column = panel * gemm_panel;
    work->table->gemm.rows_by_panel(task->y + column, task->y_row, task->a.data, task->a.row, task->panels + column * task->k,
                                    task->m, smaller(gemm_panel, task->n - column), task->k, task->accumulates);
  }
  const int64_t column = first * gemm_panel;
  finish(work, 0, task->m, column, smaller(last * gemm_panel, task->n) - column);
}

static void multiply_parts(void *work_, int64_t first, int64_t last) {
  for (int64_t part = first; part < last; part++) multiply_part(work_, part);
}

int32_t ks_gemm_run(const ks_gemm_task *task, int32_t threads) {
  const int64_t m = task->m, n = task->n, panels = panels_of(n);
  sharing work = {.task = task, .table = ks_active_table(), .row_parts = 1, .column_parts = 1};
  if (task->panels != NULL && m <= few_rows && task->a.column == 1) {
    ks_parallel(panels, threads > 1 ? 1 : panels, multiply_few_rows, &work);
    return 0;
  }
  // Rows or columns are dealt out, whichever there are more of: each part packs all of the other operand.
  if (m > n) {
    work.row_parts = smaller(threads, (m + 5) / 6);
  } else {
    work.column_parts = smaller(threads, panels);
  }
  const int64_t parts = work.row_parts * work.column_parts;
  const int64_t columns = smaller(column_block_of_b, panels * gemm_panel);
  work.memory_each = row_block * gemm_row + (task->panels == NULL ? columns * smaller(gemm_depth, task->k) : 0);
  int32_t size_class;
  work.memory = ks_pool_take((size_t)(parts * work.memory_each) * sizeof(float), &size_class);
  if (work.memory == NULL) return -1;
  ks_parallel(parts, 1, multiply_parts, &work);
  ks_pool_give(work.memory, size_class);
  return 0;
}
