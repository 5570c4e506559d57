// SPDX-License-Identifier: Apache-2.0
// Attention by blocks of queries and keys, with a softmax that is corrected from block to block (Dao et al. 2022). Each
// head's products are made on one thread. The backward pass makes the weights again from the saved sums' logarithms: that
// costs about what writing and reading them would, and takes no memory.
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "half_steps.h"
#include "ks_attention.h"
#include "pool.h"
#include "table.h"

enum {
  query_block = 128, key_block = 384, gradient_key_block = 256,
  own_multiplications = 1 << 19,  // up to so many of a block of queries the products are made by loops of our own
  parallel_multiplications = 1 << 17,
};

/// Axes divided into blocks of like size, of about `wanted` elements and never twice as many.
typedef struct {
  int64_t count, blocks;
} division;

static division divide(int64_t count, int64_t wanted) {
  int64_t blocks = (count + wanted / 2) / wanted;
  return (division){count, blocks > 1 ? blocks : 1};
}
static int64_t block_start(division axis, int64_t block) { return axis.count * block / axis.blocks; }
static int64_t longest_block(division axis) { return (axis.count + axis.blocks - 1) / axis.blocks; }

/// The elements from one row of scores to the next.
static int64_t padded(int64_t keys) { return (keys + attention_lanes - 1) / attention_lanes * attention_lanes; }

typedef struct {
  const ks_attention *task;
  const ks_attention_loops *loops;
  /// c[rows, columns] = a b (+ c), of columns a multiple of 16.
  void (*multiply)(float *c, int64_t c_row, const float *a, int64_t a_row, int64_t a_depth, const float *b, int64_t b_depth,
                   int64_t rows, int64_t columns, int64_t depth, bool accumulates);
  division queries;
  bool half;  // the products in bfloat16, by instructions for it
  bool own;   // else whether they are made by this library's loops, which cost less to call
  _Atomic int32_t status;
} attention_work;

/// The matrix [time, size] of one head, some rows of it: as float32, or in bfloat16 as its products read it.
typedef struct {
  float *data;
  int64_t row;
  const uint16_t *narrow;  // where it lies
  const uint32_t *pairs;   // its rows one after the other, of an even length
  const uint32_t *across;  // panels of its transpose
  const uint32_t *along;   // panels of it
  const float *columns;    // in float32, panels of its transpose
} head_matrix;

static int64_t offset_of(ks_heads x, int64_t batch, int64_t head) { return batch * x.batch + head * x.head; }

/// A head's rows as float32: where they lie, or in `scratch`, widened or side by side.
static head_matrix head_rows(const attention_work *work, ks_heads x, int64_t batch, int64_t head, int64_t first,
                             int64_t count, int64_t size, float *scratch) {
  const int64_t offset = offset_of(x, batch, head) + first * x.time;
  if (work->task->dtype == KS_FLOAT32) {
    const head_matrix rows = {.data = (float *)x.data + offset, .row = x.time};
    if (!work->own) return rows;
    for (int64_t i = 0; i < count; i++) memcpy(scratch + i * size, rows.data + i * rows.row, (size_t)size * sizeof(float));
    return (head_matrix){.data = scratch, .row = size};
  }
  const uint16_t *from = (const uint16_t *)x.data + offset;
  for (int64_t i = 0; i < count; i++) work->loops->widen(scratch + i * size, from + i * x.time, size);
  return (head_matrix){.data = scratch, .row = size};
}

/// A head's rows in bfloat16.
static head_matrix narrow_rows(ks_heads x, int64_t batch, int64_t head, int64_t first) {
  return (head_matrix){.narrow = (const uint16_t *)x.data + offset_of(x, batch, head) + first * x.time, .row = x.time};
}

static void set_pairs(head_matrix *x, int64_t count, int64_t size, uint32_t *room) {
  const int64_t pairs = half_pairs(size);
  for (int64_t i = 0; i < count; i++) {
    if (size % 2 != 0) room[i * pairs + pairs - 1] = 0;
    memcpy(room + i * pairs, x->narrow + i * x->row, (size_t)size * sizeof(uint16_t));
  }
  x->pairs = room;
}

static void set_across(head_matrix *x, int64_t count, int64_t size, uint32_t *room) {
  ks_half_pack_across(room, x->narrow, x->row, size, count);
  x->across = room;
}

static void set_along(head_matrix *x, int64_t count, int64_t size, uint32_t *room) {
  ks_half_pack_along(room, x->narrow, x->row, count, size);
  x->along = room;
}

static void set_columns(const attention_work *work, head_matrix *x, int64_t count, int64_t size, float *room) {
  x->columns = room;
  if (!work->own) return;
  for (int64_t first = 0; first < count; first += gemm_panel) {
    const ks_gemm_operand columns = {x->data + first * x->row, 1, x->row};
    ks_active_table()->gemm.pack_columns(room + first * size, columns, size,
                                         count - first < gemm_panel ? count - first : gemm_panel);
  }
}

/// How many numbers the panels of so many columns take.
static int64_t panel_numbers(int64_t columns, int64_t depth) { return (columns + 31) / 32 * 32 * half_pairs(depth); }

/// Where a head's rows are computed: in their place, or in `scratch` to be narrowed.
static head_matrix result_rows(const attention_work *work, ks_heads x, int64_t batch, int64_t head, int64_t first,
                               int64_t size, float *scratch) {
  if (work->task->dtype != KS_FLOAT32) return (head_matrix){.data = scratch, .row = size};
  return (head_matrix){.data = (float *)x.data + offset_of(x, batch, head) + first * x.time, .row = x.time};
}

static void store_rows(const attention_work *work, ks_heads x, int64_t batch, int64_t head, int64_t first,
                       int64_t count, int64_t size, const float *scratch) {
  if (work->task->dtype == KS_FLOAT32) return;
  uint16_t *to = (uint16_t *)x.data + offset_of(x, batch, head) + first * x.time;
  for (int64_t i = 0; i < count; i++) work->loops->narrow(to + i * x.time, scratch + i * size, size);
}

static void clear_rows(const ks_attention *task, ks_heads x, int64_t batch, int64_t head, int64_t first, int64_t last,
                       int64_t size) {
  const int64_t bytes = (int64_t)ks_element_size(task->dtype);
  char *rows = (char *)x.data + offset_of(x, batch, head) * bytes;
  for (int64_t i = first; i < last; i++) memset(rows + i * x.time * bytes, 0, (size_t)(size * bytes));
}

/// c = scale a b^T, of rows that are padded.
static int32_t multiply_across(const attention_work *work, head_matrix a, head_matrix b, int64_t rows, int64_t columns,
                               int64_t depth, float scale, float *c) {
  if (work->half) {
    ks_half_multiply(c, padded(columns), a.pairs, b.across, rows, columns, depth, false);
  } else if (work->own) {
    for (int64_t first = 0; first < columns; first += gemm_panel) {
      work->multiply(c + first, padded(columns), a.data, a.row, 1, b.columns + first * depth, gemm_panel, rows, gemm_panel,
                     depth, false);
    }
  } else {
    return work->task->product(0, 1, rows, columns, depth, scale, a.data, a.row, b.data, b.row, 0, c, padded(columns));
  }
  if (scale != 1) work->loops->scale(c, rows * padded(columns), scale);
  return 0;
}

/// Some rows of scores, padded, that are multiplied with other matrices: in bfloat16 by pairs.
typedef struct {
  const float *data;
  const uint32_t *pairs;
  int64_t rows, columns;
} score_matrix;

static score_matrix score_rows(const attention_work *work, const float *scores, int64_t rows, int64_t columns,
                               uint32_t *room) {
  if (work->half) ks_half_rows(room, scores, padded(columns), rows, columns);
  return (score_matrix){scores, room, rows, columns};
}

/// c (+)= a b.
static int32_t multiply_along(const attention_work *work, score_matrix a, head_matrix b, int64_t size, bool accumulates,
                              float *c, int64_t c_row) {
  if (work->own) {
    work->multiply(c, c_row, a.data, padded(a.columns), 1, b.data, b.row, a.rows, size, a.columns, accumulates);
    return 0;
  }
  if (!work->half) {
    return work->task->product(0, 0, a.rows, size, a.columns, 1, a.data, padded(a.columns), b.data, b.row,
                               accumulates ? 1 : 0, c, c_row);
  }
  ks_half_multiply(c, c_row, a.pairs, b.along, a.rows, size, a.columns, accumulates);
  return 0;
}

/// c (+)= a^T b.
static int32_t multiply_back(const attention_work *work, score_matrix a, head_matrix b, int64_t size, bool accumulates,
                             head_matrix c) {
  if (work->own) {
    work->multiply(c.data, c.row, a.data, 1, padded(a.columns), b.data, b.row, a.columns, size, a.rows, accumulates);
    return 0;
  }
  if (!work->half) {
    return work->task->product(1, 0, a.columns, size, a.rows, 1, a.data, padded(a.columns), b.data, b.row,
                               accumulates ? 1 : 0, c.data, c.row);
  }
  const ks_half_product task = {.m = a.columns, .n = size, .k = a.rows, .accumulates = accumulates,
                                .a = (const uint16_t *)a.pairs, .b = b.narrow, .a_row = 2 * half_pairs(a.columns),
                                .b_row = b.row, .y = c.data, .y_row = c.row};
  return ks_half_sum_rows(&task) ? 0 : KS_OUT_OF_MEMORY;
}

/// The scores of a block of queries for some keys, masked and padded. Keys that a query may not see are at minus infinity.
static int32_t make_scores(const attention_work *work, head_matrix query, head_matrix key, int64_t batch, int64_t head,
                           int64_t first_query, int64_t queries, int64_t first_key, int64_t keys, float *scores) {
  const ks_attention *task = work->task;
  int32_t status = multiply_across(work, query, key, queries, keys, task->size, task->scale, scores);
  if (status != 0) return status;
  for (int64_t i = 0; i < queries; i++) {
    float *row = scores + i * padded(keys);
    int64_t seen = task->is_causal ? first_query + i + 1 - first_key : keys;
    seen = seen < 0 ? 0 : seen < keys ? seen : keys;
    if (task->mask != NULL && seen > 0) {
      const int64_t *strides = task->mask_strides;
      const int64_t offset = batch * strides[0] + head * strides[1] + (first_query + i) * strides[2];
      const int64_t place = (offset + first_key * strides[3]) * (task->is_mask_bool ? 1 : 4);
      work->loops->mask(row, seen, (const char *)task->mask + place, task->is_mask_bool, strides[3]);
    }
    for (int64_t j = seen; j < padded(keys); j++) row[j] = -INFINITY;
  }
  return 0;
}

/// The number of keys that some of a block's queries see.
static int64_t visible_keys(const ks_attention *task, int64_t batch, int64_t last_query) {
  int64_t keys = task->keys;
  if (task->lengths != NULL && task->lengths[batch] < keys) keys = task->lengths[batch];
  if (keys < 0) keys = 0;
  return task->is_causal && last_query < keys ? last_query : keys;
}

typedef struct {
  float *scores, *query, *key, *value, *output, *largest, *sums, *key_columns;
  uint32_t *weights;  // the scores in bfloat16
} forward_scratch;

static int32_t attend(const attention_work *work, forward_scratch scratch, int64_t batch, int64_t head, int64_t first,
                      int64_t last) {
  const ks_attention *task = work->task;
  const int64_t queries = last - first, visible = visible_keys(task, batch, last);
  float *log_sums = task->log_sums + (batch * task->heads + head) * task->queries + first;
  if (visible == 0) {
    clear_rows(task, task->output, batch, head, first, last, task->outputs);
    for (int64_t i = 0; i < queries; i++) log_sums[i] = INFINITY;
    return 0;
  }
  head_matrix query, output = result_rows(work, task->output, batch, head, first, task->outputs, scratch.output);
  if (work->half) {
    query = narrow_rows(task->query, batch, head, first);
    set_pairs(&query, queries, task->size, (uint32_t *)scratch.query);
  } else {
    query = head_rows(work, task->query, batch, head, first, queries, task->size, scratch.query);
  }
  const division blocks = divide(visible, key_block);
  for (int64_t block = 0; block < blocks.blocks; block++) {
    const int64_t start = block_start(blocks, block), keys = block_start(blocks, block + 1) - start;
    head_matrix key, value;
    if (work->half) {
      key = narrow_rows(task->key, batch, head, start);
      set_across(&key, keys, task->size, (uint32_t *)scratch.key);
      value = narrow_rows(task->value, batch, head, start);
      set_along(&value, keys, task->outputs, (uint32_t *)scratch.value);
    } else {
      key = head_rows(work, task->key, batch, head, start, keys, task->size, scratch.key);
      set_columns(work, &key, keys, task->size, scratch.key_columns);
      value = head_rows(work, task->value, batch, head, start, keys, task->outputs, scratch.value);
    }
    int32_t status = make_scores(work, query, key, batch, head, first, queries, start, keys, scratch.scores);
    if (status != 0) return status;
    for (int64_t i = 0; i < queries; i++) {
      float *row = scratch.scores + i * padded(keys);
      float largest = work->loops->maximum(row, padded(keys));
      if (block > 0 && scratch.largest[i] > largest) largest = scratch.largest[i];
      // A row that sees nothing yet: its weights are zero, not the NaN of infinity less infinity.
      const float shift = largest == -INFINITY ? 0 : largest;
      const float sum = work->loops->weights(row, padded(keys), shift);
      if (block == 0) {
        scratch.sums[i] = sum;
      } else {
        const float factor = expf(scratch.largest[i] - shift);
        scratch.sums[i] = scratch.sums[i] * factor + sum;
        work->loops->scale(output.data + i * output.row, task->outputs, factor);
      }
      scratch.largest[i] = largest;
    }
    const score_matrix weights = score_rows(work, scratch.scores, queries, keys, scratch.weights);
    status = multiply_along(work, weights, value, task->outputs, block > 0, output.data, output.row);
    if (status != 0) return status;
  }
  work->loops->finish(log_sums, scratch.sums, scratch.largest, queries);
  for (int64_t i = 0; i < queries; i++) {
    work->loops->scale(output.data + i * output.row, task->outputs, scratch.sums[i]);
  }
  store_rows(work, task->output, batch, head, first, queries, task->outputs, output.data);
  return 0;
}

/// Takes floats off a block of memory, whole cache lines at a time.
static float *take(float **memory, int64_t count) {
  float *result = *memory;
  *memory += (count + 15) / 16 * 16;
  return result;
}

static void attend_units(void *work_, int64_t first, int64_t last) {
  attention_work *work = work_;
  const ks_attention *task = work->task;
  const int64_t queries = longest_block(work->queries), keys = task->keys < 2 * key_block ? task->keys : 2 * key_block;
  const int64_t widened = task->dtype != KS_FLOAT32 || work->own ? 1 : 0, half = work->half ? 1 : 0;
  const int64_t column_numbers = work->own ? padded(keys) * task->size : 0;
  const int64_t key_numbers = half ? panel_numbers(keys, task->size) : widened * keys * task->size;
  const int64_t value_numbers = half ? panel_numbers(task->outputs, keys) : widened * keys * task->outputs;
  const int64_t weight_numbers = half * queries * half_pairs(keys);
  const int64_t size = queries * padded(keys) + 2 * queries + widened * queries * (task->size + task->outputs) +
                       key_numbers + value_numbers + weight_numbers + column_numbers + 9 * 16;
  int32_t size_class;
  void *block = ks_pool_take((size_t)size * sizeof(float), &size_class);
  if (block == NULL) {
    atomic_store(&work->status, KS_OUT_OF_MEMORY);
    return;
  }
  float *memory = block;
  forward_scratch scratch;
  scratch.scores = take(&memory, queries * padded(keys));
  scratch.largest = take(&memory, queries);
  scratch.sums = take(&memory, queries);
  scratch.query = take(&memory, widened * queries * task->size);
  scratch.output = take(&memory, widened * queries * task->outputs);
  scratch.key = take(&memory, key_numbers);
  scratch.value = take(&memory, value_numbers);
  scratch.weights = (uint32_t *)take(&memory, weight_numbers);
  scratch.key_columns = take(&memory, column_numbers);
  for (int64_t unit = first; unit < last; unit++) {
    const int64_t part = unit % work->queries.blocks, pair = unit / work->queries.blocks;
    int32_t status = attend(work, scratch, pair / task->heads, pair % task->heads, block_start(work->queries, part),
                            block_start(work->queries, part + 1));
    if (status != 0) atomic_store(&work->status, KS_OUT_OF_MEMORY);
  }
  ks_pool_give(block, size_class);
}

/// How many units of work are worth a thread.
static int64_t grain(int64_t multiplications) { return parallel_multiplications / (multiplications + 1) + 1; }

static attention_work start_work(const ks_attention *task) {
  const ks_table *table = ks_active_table();
  attention_work work = {.task = task, .loops = &table->attention, .multiply = table->winograd.product,
                         .queries = divide(task->queries, query_block), .status = KS_DONE};
  work.half = task->dtype == KS_BFLOAT16 && ks_half_available();
  work.own = !work.half && task->size % gemm_panel == 0 && task->outputs % gemm_panel == 0 &&
             longest_block(work.queries) * task->keys * (task->size + task->outputs) <= own_multiplications;
  return work;
}

int32_t ks_attention_forward(const ks_attention *task) {
  attention_work work = start_work(task);
  const int64_t units = task->batch * task->heads * work.queries.blocks;
  if (task->queries == 0 || units == 0) return KS_DONE;
  const int64_t each = longest_block(work.queries) * task->keys * (task->size + task->outputs);
  ks_parallel(units, grain(each), attend_units, &work);
  return atomic_load(&work.status);
}

typedef struct {
  float *scores, *changes, *shifts, *query, *key, *value, *output, *gradient;
  float *query_gradient, *key_gradient, *value_gradient, *key_columns, *value_columns;
  uint32_t *query_pairs, *gradient_pairs, *key_across, *key_along, *value_across, *score_pairs;  // in bfloat16
} backward_scratch;

/// The same rows from one on.
static head_matrix from_row(head_matrix x, int64_t first, int64_t size) {
  if (x.data != NULL) x.data += first * x.row;
  if (x.narrow != NULL) x.narrow += first * x.row;
  if (x.pairs != NULL) x.pairs += first * half_pairs(size);
  return x;
}

static int32_t attend_backward(const attention_work *work, backward_scratch scratch, int64_t batch, int64_t head) {
  const ks_attention *task = work->task;
  const int64_t size = task->size, outputs = task->outputs;
  const float *log_sums = task->log_sums + (batch * task->heads + head) * task->queries;
  const int64_t visible = visible_keys(task, batch, task->queries);
  clear_rows(task, task->key_gradient, batch, head, visible, task->keys, size);
  clear_rows(task, task->value_gradient, batch, head, visible, task->keys, outputs);
  if (visible == 0) {
    clear_rows(task, task->query_gradient, batch, head, 0, task->queries, size);
    return 0;
  }
  head_matrix output = head_rows(work, task->output, batch, head, 0, task->queries, outputs, scratch.output);
  head_matrix gradient = head_rows(work, task->gradient, batch, head, 0, task->queries, outputs, scratch.gradient);
  head_matrix query_gradient = result_rows(work, task->query_gradient, batch, head, 0, size, scratch.query_gradient);
  for (int64_t i = 0; i < task->queries; i++) {
    scratch.shifts[i] = work->loops->dot(gradient.data + i * gradient.row, output.data + i * output.row, outputs);
  }
  head_matrix query;
  if (work->half) {
    query = narrow_rows(task->query, batch, head, 0);
    set_pairs(&query, task->queries, size, scratch.query_pairs);
    gradient = narrow_rows(task->gradient, batch, head, 0);
    set_pairs(&gradient, task->queries, outputs, scratch.gradient_pairs);
  } else {
    query = head_rows(work, task->query, batch, head, 0, task->queries, size, scratch.query);
  }
  const division blocks = divide(visible, gradient_key_block);
  for (int64_t block = 0; block < blocks.blocks; block++) {
    const int64_t start = block_start(blocks, block), keys = block_start(blocks, block + 1) - start;
    head_matrix key, value;
    if (work->half) {
      key = narrow_rows(task->key, batch, head, start);
      set_across(&key, keys, size, scratch.key_across);
      set_along(&key, keys, size, scratch.key_along);
      value = narrow_rows(task->value, batch, head, start);
      set_across(&value, keys, outputs, scratch.value_across);
    } else {
      key = head_rows(work, task->key, batch, head, start, keys, size, scratch.key);
      set_columns(work, &key, keys, size, scratch.key_columns);
      value = head_rows(work, task->value, batch, head, start, keys, outputs, scratch.value);
      set_columns(work, &value, keys, outputs, scratch.value_columns);
    }
    head_matrix key_gradient = result_rows(work, task->key_gradient, batch, head, start, size, scratch.key_gradient);
    head_matrix value_gradient =
        result_rows(work, task->value_gradient, batch, head, start, outputs, scratch.value_gradient);
    bool accumulates = false;
    for (int64_t part = 0; part < work->queries.blocks; part++) {
      const int64_t first = block_start(work->queries, part), last = block_start(work->queries, part + 1);
      const int64_t queries = last - first;
      if (task->is_causal && last <= start) continue;  // these queries see none of the keys
      const head_matrix rows = from_row(query, first, size), row_gradients = from_row(gradient, first, outputs);
      int32_t status = make_scores(work, rows, key, batch, head, first, queries, start, keys, scratch.scores);
      status |= multiply_across(work, row_gradients, value, queries, keys, outputs, 1, scratch.changes);
      for (int64_t i = 0; i < queries; i++) {
        const int64_t row = i * padded(keys);
        work->loops->gradients(scratch.scores + row, scratch.changes + row, padded(keys), log_sums[first + i],
                               scratch.shifts[first + i], task->scale);
      }
      const score_matrix weights = score_rows(work, scratch.scores, queries, keys, scratch.score_pairs);
      status |= multiply_back(work, weights, row_gradients, outputs, accumulates, value_gradient);
      const score_matrix changes = score_rows(work, scratch.changes, queries, keys, scratch.score_pairs);
      status |= multiply_back(work, changes, rows, size, accumulates, key_gradient);
      status |= multiply_along(work, changes, key, size, block > 0, query_gradient.data + first * query_gradient.row,
                               query_gradient.row);
      if (status != 0) return status;
      accumulates = true;
    }
    store_rows(work, task->key_gradient, batch, head, start, keys, size, key_gradient.data);
    store_rows(work, task->value_gradient, batch, head, start, keys, outputs, value_gradient.data);
  }
  store_rows(work, task->query_gradient, batch, head, 0, task->queries, size, query_gradient.data);
  return 0;
}

static void attend_backward_units(void *work_, int64_t first, int64_t last) {
  attention_work *work = work_;
  const ks_attention *task = work->task;
  const int64_t limit = 2 * gradient_key_block;
  const int64_t block_rows = longest_block(work->queries), keys = task->keys < limit ? task->keys : limit;
  const int64_t widened = task->dtype != KS_FLOAT32 || work->own ? 1 : 0, half = work->half ? 1 : 0;
  const int64_t column_rows = work->own ? padded(keys) : 0;
  const int64_t size_pairs = half * half_pairs(task->size), output_pairs = half * half_pairs(task->outputs);
  const int64_t across_keys = half * panel_numbers(keys, task->size), across_values = half * panel_numbers(keys, task->outputs);
  const int64_t along_keys = half * panel_numbers(task->size, keys), score_pairs = half * block_rows * half_pairs(keys);
  const int64_t size = 2 * block_rows * padded(keys) + task->queries +
                       widened * (2 * (task->queries + keys) * (task->size + task->outputs)) +
                       task->queries * (size_pairs + output_pairs) + across_keys + across_values + along_keys + score_pairs +
                       column_rows * (task->size + task->outputs) + 19 * 16;
  int32_t size_class;
  void *block = ks_pool_take((size_t)size * sizeof(float), &size_class);
  if (block == NULL) {
    atomic_store(&work->status, KS_OUT_OF_MEMORY);
    return;
  }
  float *memory = block;
  backward_scratch scratch;
  scratch.scores = take(&memory, block_rows * padded(keys));
  scratch.changes = take(&memory, block_rows * padded(keys));
  scratch.shifts = take(&memory, task->queries);
  scratch.query = take(&memory, widened * task->queries * task->size);
  scratch.query_gradient = take(&memory, widened * task->queries * task->size);
  scratch.output = take(&memory, widened * task->queries * task->outputs);
  scratch.gradient = take(&memory, widened * task->queries * task->outputs);
  scratch.key = take(&memory, widened * keys * task->size);
  scratch.key_gradient = take(&memory, widened * keys * task->size);
  scratch.value = take(&memory, widened * keys * task->outputs);
  scratch.value_gradient = take(&memory, widened * keys * task->outputs);
  scratch.query_pairs = (uint32_t *)take(&memory, task->queries * size_pairs);
  scratch.gradient_pairs = (uint32_t *)take(&memory, task->queries * output_pairs);
  scratch.key_across = (uint32_t *)take(&memory, across_keys);
  scratch.value_across = (uint32_t *)take(&memory, across_values);
  scratch.key_along = (uint32_t *)take(&memory, along_keys);
  scratch.score_pairs = (uint32_t *)take(&memory, score_pairs);
  scratch.key_columns = take(&memory, column_rows * task->size);
  scratch.value_columns = take(&memory, column_rows * task->outputs);
  for (int64_t unit = first; unit < last; unit++) {
    int32_t status = attend_backward(work, scratch, unit / task->heads, unit % task->heads);
    if (status != 0) atomic_store(&work->status, KS_OUT_OF_MEMORY);
  }
  ks_pool_give(block, size_class);
}

int32_t ks_attention_backward(const ks_attention *task) {
  attention_work work = start_work(task);
  const int64_t units = task->batch * task->heads;
  if (units == 0) return KS_DONE;
  const int64_t each = 3 * task->queries * task->keys * (task->size + task->outputs);
  ks_parallel(units, grain(each), attend_backward_units, &work);
  return atomic_load(&work.status);
}
