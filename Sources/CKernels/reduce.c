// SPDX-License-Identifier: Apache-2.0
// Reductions of strided tensors.
#include "nest.h"
#include "table.h"

void ks_sum(KSTensor *out, KSTensor *x) {
  const ks_table *table = ks_active_table();
  const int64_t size = (int64_t)ks_element_size(x->dtype);
  ks_fill(out, 0);
  if (element_count(x) == 0) return;
  nest loops = {0};
  add_operand(&loops, x, out);
  add_operand(&loops, x, x);
  merge_axes(&loops, x->rank, x->shape);
  const int32_t inner = loops.rank - 1;
  const int64_t count = loops.shape[inner], rows = row_count(&loops);
  const int64_t out_stride = loops.strides[0][inner], x_stride = loops.strides[1][inner];
  nest_row place = row_at(&loops, 0);
  for (int64_t row = 0; row < rows; row++, next_row(&loops, &place)) {
    char *to = (char *)out->data + place.offsets[0] * size;
    const char *from = (const char *)x->data + place.offsets[1] * size;
    if (out_stride == 0) {
      table->sum[x->dtype](to, from, count, x_stride);
    } else {
      table->binary[KS_ADD][x->dtype](to, to, from, count, out_stride, x_stride);
    }
  }
}

void ks_half_squared_error(KSTensor *out, KSTensor *a, KSTensor *b) {
  ks_active_table()->half_squared_error[a->dtype](out->data, a->data, b->data, element_count(a));
}

void ks_descend(KSTensor *parameter, KSTensor *gradient, double rate) {
  int64_t count = element_count(parameter);
  ks_active_table()->descend[parameter->dtype](parameter->data, gradient->data, rate, count);
}

bool ks_all_finite(KSTensor *x) {
  int64_t count = element_count(x);
  if (x->dtype >= KS_INT8) return true;
  return ks_active_table()->all_finite[x->dtype](x->data, count);
}

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
