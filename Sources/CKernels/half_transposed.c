// SPDX-License-Identifier: Apache-2.0
// The product of a matrix's transpose with another matrix in bfloat16: the gradient of a weight, whose sums go over all
// rows of both. The processor multiplies pairs of neighbours in the sum, which lie in two rows here; both matrices are
// packed for that, some hundred rows at a time.
#include <string.h>

#include "half_steps.h"
#include "ks_half.h"
#include "ks_kernels.h"
#include "pool.h"

#if defined(__x86_64__)
#define UNROLLED _Pragma("clang loop unroll(full)")

enum {
  depth_limit = 512,             // rows that are packed at a time: a panel of them stays in a core's first cache
  group = 2 * half_panel,        // columns that are packed at a time
  least_block = 6 * half_panel, most_block = 5 * least_block,
  packed_bytes = 768 << 10,      // of a core's own cache
  line = 64, rows_ahead = 16, tile_rows = 8,
  tall_depth = 1 << 12, parts = 16,
};

// Memory that is needed next and fetched during a product; the last of a list has none.
typedef struct {
  const char *first;
  int64_t bytes;
} coming;

typedef struct {
  const ks_half_product *task;
  float *sums;                   // where the threads share out the depth: of all parts but the first
  _Atomic bool failed;
} sharing;

// Columns [0, columns) of `depth` rows as panels of 16: [panel][half_pairs(depth)][16][2], a missing row of zeros.
HALF void ks_half_pack_along(uint32_t *out, const uint16_t *x, int64_t stride, int64_t depth, int64_t columns) {
  const int64_t pairs = half_pairs(depth);
  uint16_t order[2 * group];
  for (int j = 0; j < 2 * group; j++) order[j] = (uint16_t)(j / 2 + j % 2 * group);
  const __m512i first = _mm512_loadu_si512(order), second = _mm512_loadu_si512(order + group);
  for (int64_t pair = 0; pair < pairs; pair++, x += 2 * stride) {
    const bool has_second = 2 * pair + 1 < depth;
    for (int64_t column = 0; column < columns; column += group) {
      // Rows far apart the processor does not foresee.
      __builtin_prefetch(x + rows_ahead * stride + column);
      __builtin_prefetch(x + (rows_ahead + 1) * stride + column);
      const int64_t left = columns - column;
      const __mmask32 mask = left >= group ? 0xffffffffu : (1u << left) - 1;
      const __m512i even = _mm512_maskz_loadu_epi16(mask, x + column);
      const __m512i odd = has_second ? _mm512_maskz_loadu_epi16(mask, x + stride + column) : _mm512_setzero_si512();
      uint32_t *to = out + (column / half_panel * pairs + pair) * half_panel;
      _mm512_storeu_si512(to, _mm512_permutex2var_epi16(even, first, odd));
      _mm512_storeu_si512(to + pairs * half_panel, _mm512_permutex2var_epi16(even, second, odd));
    }
  }
}

// Eight of a's columns from `a` on by some panels of b, whose sums stay in registers.
__attribute__((always_inline)) static inline HALF void tile(float *y, int64_t y_row, const uint32_t *a, const uint32_t *b,
                                                            int64_t pairs, int64_t rows, int64_t columns,
                                                            bool accumulates, const char *next, int64_t next_step,
                                                            const int width) {
  __mmask16 masks[3];
  __m512 sums[3 * tile_rows];
  UNROLLED for (int j = 0; j < width; j++) {
    masks[j] = first_of(columns - j * half_panel);
    UNROLLED for (int i = 0; i < tile_rows; i++) {
      const float *from = y + i * y_row + j * half_panel;
      sums[i * width + j] = accumulates && i < rows ? _mm512_maskz_loadu_ps(masks[j], from) : _mm512_setzero_ps();
    }
  }
  for (int64_t pair = 0; pair < pairs; pair++) {
    __builtin_prefetch(next + pair * next_step, 0, 2);
    __m512bh right[3];
    UNROLLED for (int j = 0; j < width; j++) {
      right[j] = (__m512bh)_mm512_loadu_si512(b + (j * pairs + pair) * half_panel);
    }
    UNROLLED for (int i = 0; i < tile_rows; i++) {
      const __m512bh left = (__m512bh)_mm512_set1_epi32((int)a[pair * half_panel + i]);
      UNROLLED for (int j = 0; j < width; j++) sums[i * width + j] = _mm512_dpbf16_ps(sums[i * width + j], left, right[j]);
    }
  }
  UNROLLED for (int i = 0; i < tile_rows; i++) {
    if (i >= rows) break;
    UNROLLED for (int j = 0; j < width; j++) {
      _mm512_mask_storeu_ps(y + i * y_row + j * half_panel, masks[j], sums[i * width + j]);
    }
  }
}

static HALF void multiply_panels(float *y, int64_t y_row, const uint32_t *a, const uint32_t *b, int64_t pairs, int64_t m,
                                 int64_t n, bool accumulates, coming *ahead) {
  for (int64_t column = 0, width; column < n; column += width * half_panel) {
    const int64_t panels = (n - column + half_panel - 1) / half_panel;
    width = panels == 2 || panels == 4 ? 2 : panels == 1 ? 1 : 3;
    const uint32_t *right = b + column * pairs;
    for (int64_t row = 0; row < m; row += tile_rows) {
      const uint32_t *left = a + row / half_panel * half_panel * pairs + row % half_panel;
      float *to = y + row * y_row + column;
      if (ahead->bytes <= 0 && ahead->first != NULL) ahead++;
      const int64_t step = ahead->bytes > 0 ? line : 0;
      const char *next = step > 0 ? ahead->first : (const char *)left;
      ahead->first += pairs * step;
      ahead->bytes -= pairs * step;
#define WIDTH(COUNT)                                                                                       \
  case COUNT:                                                                                              \
    tile(to, y_row, left, right, pairs, m - row, n - column, accumulates, next, step, COUNT);              \
    break
      switch (width) {
        WIDTH(1); WIDTH(2); WIDTH(3);
      }
#undef WIDTH
    }
  }
}

static int64_t groups_of(int64_t columns) { return (columns + group - 1) / group; }

// Computes y by blocks of the wider matrix's columns, with all of the other's at hand, as much of the depth at a time as
// both are packed. The narrower one's panels and a block stay in a core's own cache.
bool ks_half_sum_rows(const ks_half_product *task) {
  const bool by_rows = task->m > task->n;
  const int64_t kept = groups_of(by_rows ? task->n : task->m) * group * half_pairs(depth_limit);
  int64_t block = (packed_bytes / (int64_t)sizeof(uint32_t) - kept) / half_pairs(depth_limit) / least_block * least_block;
  block = block < least_block ? least_block : block > most_block ? most_block : block;
  int32_t size_class;
  uint32_t *all = ks_pool_take((size_t)(kept + block * half_pairs(depth_limit)) * sizeof(uint32_t), &size_class);
  if (all == NULL) return false;
  uint32_t *some = all + kept;
  for (int64_t k = 0; k < task->k; k += depth_limit) {
    const int64_t depth = task->k - k < depth_limit ? task->k - k : depth_limit, pairs = half_pairs(depth);
    const uint16_t *a = task->a + k * task->a_row, *b = task->b + k * task->b_row;
    const bool accumulates = task->accumulates || k > 0;
    const coming a_ahead = {(const char *)(a + depth * task->m), depth * task->m * (int64_t)sizeof *a};
    const coming b_ahead = {(const char *)(b + depth * task->n), depth * task->n * (int64_t)sizeof *b};
    const bool follows = task->a_row == task->m && task->b_row == task->n;
    coming ahead[3] = {follows ? a_ahead : (coming){0}, follows ? b_ahead : (coming){0}};
    if (by_rows) {
      ks_half_pack_along(all, b, task->b_row, depth, task->n);
      for (int64_t row = 0; row < task->m; row += block) {
        const int64_t rows = task->m - row < block ? task->m - row : block;
        ks_half_pack_along(some, a + row, task->a_row, depth, rows);
        multiply_panels(task->y + row * task->y_row, task->y_row, some, all, pairs, rows, task->n, accumulates, ahead);
      }
    } else {
      ks_half_pack_along(all, a, task->a_row, depth, task->m);
      for (int64_t column = 0; column < task->n; column += block) {
        const int64_t columns = task->n - column < block ? task->n - column : block;
        ks_half_pack_along(some, b + column, task->b_row, depth, columns);
        multiply_panels(task->y + column, task->y_row, all, some, pairs, task->m, columns, accumulates, ahead);
      }
    }
  }
  ks_pool_give(all, size_class);
  return true;
}

// Computes groups [first, last) of y's rows or columns, whichever are more.
static void multiply_groups(void *sharing_, int64_t first, int64_t last) {
  sharing *work = sharing_;
  ks_half_product part = *work->task;
  int64_t *count = part.m > part.n ? &part.m : &part.n;
  const int64_t from = first * group;
  if (count == &part.m) {
    part.a += from;
    part.y += from * part.y_row;
  } else {
    part.b += from;
    part.y += from;
  }
  *count = last * group < *count ? (last - first) * group : *count - from;
  if (!ks_half_sum_rows(&part)) work->failed = true;
}

// Computes the products of parts [first, last) of the depth.
static void multiply_parts(void *sharing_, int64_t first, int64_t last) {
  sharing *work = sharing_;
  const ks_half_product *task = work->task;
  for (int64_t index = first; index < last; index++) {
    const int64_t from = task->k * index / parts, to = task->k * (index + 1) / parts;
    ks_half_product part = *task;
    part.a += from * task->a_row;
    part.b += from * task->b_row;
    part.k = to - from;
    if (index > 0) {
      part.y = work->sums + (index - 1) * task->m * task->n;
      part.y_row = task->n;
      part.accumulates = false;
    }
    if (!ks_half_sum_rows(&part)) work->failed = true;
  }
}

// Adds up rows [first, last) of all parts.
static void add_parts(void *sharing_, int64_t first, int64_t last) {
  const sharing *work = sharing_;
  const ks_half_product *task = work->task;
  for (int64_t row = first; row < last; row++) {
    float *to = task->y + row * task->y_row;
    const float *from = work->sums + row * task->n;
    for (int64_t part = 1; part < parts; part++, from += task->m * task->n) {
      for (int64_t column = 0; column < task->n; column++) to[column] += from[column];
    }
  }
}

// Few results of long sums: each thread reads its own rows of both matrices. The parts are the same for any number of
// threads, and so are the bits.
static int32_t multiply_tall(const ks_half_product *task) {
  const int64_t results = task->m * task->n;
  int32_t size_class;
  sharing work = {.task = task, .sums = ks_pool_take((size_t)((parts - 1) * results) * sizeof(float), &size_class)};
  if (work.sums == NULL) return -1;
  ks_parallel(parts, 1, multiply_parts, &work);
  ks_parallel(task->m, (1 << 16) / parts / task->n + 1, add_parts, &work);
  ks_pool_give(work.sums, size_class);
  return work.failed ? -1 : 0;
}

int32_t ks_half_multiply_transposed(const ks_half_product *task) {
  enum { one_thread = 1 << 20 };  // multiplications that are not worth a meeting
  if (task->k >= tall_depth && task->m * task->n <= 2 * task->k) return multiply_tall(task);
  sharing work = {.task = task};
  const int64_t groups = groups_of(task->m > task->n ? task->m : task->n);
  ks_parallel(groups, one_thread / (task->m * task->n * task->k / groups + 1) + 1, multiply_groups, &work);
  return work.failed ? -1 : 0;
}

#else

void ks_half_pack_along(uint32_t *out, const uint16_t *x, int64_t stride, int64_t depth, int64_t columns) {}
bool ks_half_sum_rows(const ks_half_product *task) { return false; }
int32_t ks_half_multiply_transposed(const ks_half_product *task) { return -1; }

#endif
