// SPDX-License-Identifier: Apache-2.0
#include "ks_gates.h"

#include "nest.h"
#include "table.h"

typedef struct {
  char *out;
  const char *gradient, *x;
  int64_t n, size;
  int32_t half;
} gated;

static void forward_rows(void *work_, int64_t first, int64_t last) {
  const gated *work = work_;
  const int64_t row_bytes = work->n * work->size;
  for (int64_t row = first; row < last; row++) {
    ks_active_table()->gated_tanh[work->half](work->out + row * row_bytes, work->x + 2 * row * row_bytes, work->n);
  }
}

static void backward_rows(void *work_, int64_t first, int64_t last) {
  const gated *work = work_;
  const int64_t row_bytes = work->n * work->size;
  for (int64_t row = first; row < last; row++) {
    ks_active_table()->gated_tanh_gradient[work->half](work->out + 2 * row * row_bytes, work->gradient + row * row_bytes,
                                                       work->x + 2 * row * row_bytes, work->n);
  }
}

static void run(KSTensor *out, KSTensor *gradient, KSTensor *x, void (*rows)(void *, int64_t, int64_t)) {
  const int64_t n = x->shape[x->rank - 1] / 2;
  if (n == 0) return;
  gated work = {out->data, gradient != NULL ? gradient->data : NULL, x->data, n, (int64_t)ks_element_size(x->dtype),
                x->dtype == KS_BFLOAT16};
  ks_parallel(element_count(x) / (2 * n), parallel_grain / 8 / n + 1, rows, &work);
}

void ks_gated_tanh(KSTensor *y, KSTensor *x) { run(y, NULL, x, forward_rows); }

void ks_gated_tanh_gradient(KSTensor *x_gradient, KSTensor *gradient, KSTensor *x) {
  run(x_gradient, gradient, x, backward_rows);
}
