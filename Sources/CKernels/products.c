// SPDX-License-Identifier: Apache-2.0
// Matrix products that are no work for a library, and the recurrent layer.
#include "table.h"

void ks_small_matrix_product(uint8_t dtype, int64_t m, int64_t n, int64_t k, void *c, int64_t c_row, const void *a,
                             int64_t a_row, int64_t a_column, const void *b, int64_t b_row, int64_t b_column) {
  if (dtype == KS_FLOAT32) {
    ks_matrix left = {a, a_row, a_column}, right = {b, b_row, b_column};
    ks_active_table()->product(c, c_row, left, right, m, n, k, false);
    return;
  }
  const double *left = a, *right = b;
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      double total = 0;
      for (int64_t p = 0; p < k; p++) total += left[i * a_row + p * a_column] * right[p * b_row + j * b_column];
      ((double *)c)[i * c_row + j] = total;
    }
  }
}

void ks_recurrent_forward(const ks_recurrent *task) { ks_active_table()->recurrent_forward(task); }
void ks_recurrent_backward(const ks_recurrent *task) { ks_active_table()->recurrent_backward(task); }
