// SPDX-License-Identifier: Apache-2.0
#include "ks_losses.h"

#include "nest.h"
#include "table.h"

static int64_t grain(const ks_cross_entropy *task) { return parallel_grain / 4 / (task->classes + 1) + 1; }

static void forward_rows(void *task_, int64_t first, int64_t last) {
  const ks_cross_entropy *task = task_;
  const ks_table *table = ks_active_table();
  for (int64_t row = first; row < last; row++) {
    task->losses[row] = task->labels[row] == task->ignored ? 0 : (float)table->cross_entropy_row(task, row);
  }
}

int64_t ks_cross_entropy_forward(const ks_cross_entropy *task) {
  for (int64_t row = 0; row < task->rows; row++) {
    const int64_t label = task->labels[row];
    if (label != task->ignored && (label < 0 || label >= task->classes)) return row;
  }
  ks_parallel(task->rows, grain(task), forward_rows, (void *)task);
  return -1;
}

static void backward_rows(void *task_, int64_t first, int64_t last) {
  const ks_table *table = ks_active_table();
  for (int64_t row = first; row < last; row++) table->cross_entropy_gradient_row(task_, row);
}

void ks_cross_entropy_backward(const ks_cross_entropy *task) {
  ks_parallel(task->rows, grain(task), backward_rows, (void *)task);
}
