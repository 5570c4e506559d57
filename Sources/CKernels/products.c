// SPDX-License-Identifier: Apache-2.0
// Matrix products that are no work for a library, and the recurrent layer.
#include "table.h"

enum { parallel_products = 1 << 17 };

typedef struct {
  ks_product_loop loop;
  char *c;
  ks_matrix a, b;
  int64_t m, n, k, c_row, size;
} product;

static void product_of_rows(void *work_, int64_t first, int64_t last) {
  const product *work = work_;
  ks_matrix a = work->a;
  a.data = (const char *)a.data + first * a.row * work->size;
  work->loop(work->c + first * work->c_row * work->size, work->c_row, a, work->b, last - first, work->n, work->k, false);
}

// Sixteen columns are counted as one.
static void product_of_columns(void *work_, int64_t first, int64_t last) {
  const product *work = work_;
  const int64_t column = first * 16, end = last * 16 < work->n ? last * 16 : work->n;
  ks_matrix b = work->b;
  b.data = (const char *)b.data + column * b.column * work->size;
  work->loop(work->c + column * work->size, work->c_row, work->a, b, work->m, end - column, work->k, false);
}

void ks_matrix_product(uint8_t dtype, int64_t m, int64_t n, int64_t k, void *c, int64_t c_row, const void *a,
                       int64_t a_row, int64_t a_column, const void *b, int64_t b_row, int64_t b_column) {
  ks_matrix left = {a, a_row, a_column}, right = {b, b_row, b_column};
  ks_product_loop loop = ks_active_table()->product[dtype];
  if (m * n * k < 2 * parallel_products) {
    loop(c, c_row, left, right, m, n, k, false);
    return;
  }
  product work = {loop, c, left, right, m, n, k, c_row, (int64_t)ks_element_size(dtype)};
  if (m >= n / 16) {
    ks_parallel(m, parallel_products / (n * k) + 1, product_of_rows, &work);
  } else {
    ks_parallel((n + 15) / 16, parallel_products / (m * k * 16) + 1, product_of_columns, &work);
  }
}

typedef struct {
  float *y;
  const float *x;
  ks_matrix w;
  int64_t k, n;
} row_product;

// Sixteen columns are counted as one.
static void row_product_of_columns(void *work_, int64_t first, int64_t last) {
  const row_product *work = work_;
  const int64_t column = first * 16, end = last * 16 < work->n ? last * 16 : work->n;
  ks_matrix w = work->w;
  w.data = (const float *)w.data + column * w.column;
  ks_active_table()->row_product(work->y + column, work->x, w, work->k, end - column);
}

void ks_row_product(float *y, const float *x, const float *w, int64_t w_row, int64_t w_column, int64_t k, int64_t n) {
  row_product work = {y, x, {w, w_row, w_column}, k, n};
  ks_parallel((n + 15) / 16, parallel_products / (k * 16) + 1, row_product_of_columns, &work);
}

void ks_recurrent_forward(const ks_recurrent *task) { ks_active_table()->recurrent_forward(task); }
void ks_recurrent_backward(const ks_recurrent *task) { ks_active_table()->recurrent_backward(task); }
