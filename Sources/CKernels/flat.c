// SPDX-License-Identifier: Apache-2.0
// What sees contiguous operands as one long row.
#include "nest.h"
#include "table.h"

enum { flat_parts = 16 };

/// Two contiguous operands, or one, taken apart.
typedef struct {
  const char *a, *b;
  int64_t count, parts, size;
  int32_t dtype;
  double partial[flat_parts];
} flat_work;

static int64_t part_start(const flat_work *work, int64_t part) { return work->count * part / work->parts; }

static void squared_error_parts(void *work_, int64_t first, int64_t last) {
  flat_work *work = work_;
  for (int64_t part = first; part < last; part++) {
    const int64_t start = part_start(work, part), count = part_start(work, part + 1) - start;
    work->partial[part] = ks_active_table()->half_squared_error[work->dtype](
        work->a + start * work->size, work->b + start * work->size, count);
  }
}

void ks_half_squared_error(KSTensor *out, KSTensor *a, KSTensor *b) {
  flat_work work = {a->data, b->data, element_count(a), 1, (int64_t)ks_element_size(a->dtype), a->dtype, {0}};
  if (work.count >= 2 * parallel_grain) work.parts = flat_parts;
  ks_parallel(work.parts, 1, squared_error_parts, &work);
  double total = 0;
  for (int64_t part = 0; part < work.parts; part++) total += work.partial[part];
  if (out->dtype == KS_FLOAT32) {
    *(float *)out->data = (float)total;
  } else {
    *(double *)out->data = total;
  }
}

static void finite_parts(void *work_, int64_t first, int64_t last) {
  flat_work *work = work_;
  for (int64_t part = first; part < last; part++) {
    const int64_t start = part_start(work, part), count = part_start(work, part + 1) - start;
    work->partial[part] = ks_active_table()->all_finite[work->dtype](work->a + start * work->size, count);
  }
}

bool ks_all_finite(KSTensor *x) {
  if (x->dtype >= KS_INT8) return true;
  flat_work work = {x->data, x->data, element_count(x), 1, (int64_t)ks_element_size(x->dtype), x->dtype, {0}};
  if (work.count >= 2 * parallel_grain) work.parts = flat_parts;
  ks_parallel(work.parts, 1, finite_parts, &work);
  for (int64_t part = 0; part < work.parts; part++) {
    if (work.partial[part] == 0) return false;
  }
  return true;
}
