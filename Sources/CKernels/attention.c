// SPDX-License-Identifier: Apache-2.0
// Attention by blocks of queries and keys, with a softmax that is corrected from block to block (Dao et al. 2022). Each
// head's products are made on one thread. The backward pass makes the weights again from the saved sums' logarithms: that
// costs about what writing and reading them would, and takes no memory.
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "ks_attention.h"
#include "pool.h"
#include "table.h"

enum { query_block = 128, key_block = 384, gradient_key_block = 256, parallel_multiplications = 1 << 17 };

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
  division queries;
  _Atomic int32_t status;
} attention_work;

/// The matrix [time, size] of one head.
typedef struct {
  float *data;
  int64_t row;
} head_matrix;

static int64_t offset_of(ks_heads x, int64_t batch, int64_t head) { return batch * x.batch + head * x.head; }

/// A head's rows as float32: where they lie, or widened into `scratch`.
static head_matrix head_rows(const attention_work *work, ks_heads x, int64_t batch, int64_t head, int64_t first,
                             int64_t count, int64_t size, float *scratch) {
  const int64_t offset = offset_of(x, batch, head) + first * x.time;
  if (work->task->dtype == KS_FLOAT32) return (head_matrix){(float *)x.data + offset, x.time};
  const uint16_t *from = (const uint16_t *)x.data + offset;
  for (int64_t i = 0; i < count; i++) work->loops->widen(scratch + i * size, from + i * x.time, size);
  return (head_matrix){scratch, size};
}

/// Where a head's rows are computed: in their place, or in `scratch` to be narrowed.
static head_matrix result_rows(const attention_work *work, ks_heads x, int64_t batch, int64_t head, int64_t first,
                               int64_t size, float *scratch) {
  if (work->task->dtype != KS_FLOAT32) return (head_matrix){scratch, size};
  return (head_matrix){(float *)x.data + offset_of(x, batch, head) + first * x.time, x.time};
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

/// The scores of a block of queries for some keys, masked and padded. Keys that a query may not see are at minus infinity.
static int32_t make_scores(const attention_work *work, head_matrix query, head_matrix key, int64_t batch, int64_t head,
                           int64_t first_query, int64_t queries, int64_t first_key, int64_t keys, float *scores) {
  const ks_attention *task = work->task;
  int status = task->product(0, 1, queries, keys, task->size, task->scale, query.data, query.row, key.data, key.row, 0,
                             scores, padded(keys));
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
  float *scores, *query, *key, *value, *output, *largest, *sums;
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
  head_matrix query = head_rows(work, task->query, batch, head, first, queries, task->size, scratch.query);
  head_matrix output = result_rows(work, task->output, batch, head, first, task->outputs, scratch.output);
  const division blocks = divide(visible, key_block);
  for (int64_t block = 0; block < blocks.blocks; block++) {
    const int64_t start = block_start(blocks, block), keys = block_start(blocks, block + 1) - start;
    head_matrix key = head_rows(work, task->key, batch, head, start, keys, task->size, scratch.key);
    head_matrix value = head_rows(work, task->value, batch, head, start, keys, task->outputs, scratch.value);
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
    status = task->product(0, 0, queries, task->outputs, keys, 1, scratch.scores, padded(keys), value.data, value.row,
                           block > 0 ? 1 : 0, output.data, output.row);
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
  const int64_t widened = task->dtype == KS_FLOAT32 ? 0 : 1;
  const int64_t size = queries * padded(keys) + 2 * queries +
                       widened * (queries + keys) * (task->size + task->outputs) + 7 * 16;
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
  scratch.key = take(&memory, widened * keys * task->size);
  scratch.value = take(&memory, widened * keys * task->outputs);
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

int32_t ks_attention_forward(const ks_attention *task) {
  attention_work work = {task, &ks_active_table()->attention, divide(task->queries, query_block), KS_DONE};
  const int64_t units = task->batch * task->heads * work.queries.blocks;
  if (task->queries == 0 || units == 0) return KS_DONE;
  const int64_t each = longest_block(work.queries) * task->keys * (task->size + task->outputs);
  ks_parallel(units, grain(each), attend_units, &work);
  return atomic_load(&work.status);
}

typedef struct {
  float *scores, *changes, *shifts, *query, *key, *value, *output, *gradient;
  float *query_gradient, *key_gradient, *value_gradient;
} backward_scratch;

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
  head_matrix query = head_rows(work, task->query, batch, head, 0, task->queries, size, scratch.query);
  head_matrix output = head_rows(work, task->output, batch, head, 0, task->queries, outputs, scratch.output);
  head_matrix gradient = head_rows(work, task->gradient, batch, head, 0, task->queries, outputs, scratch.gradient);
  head_matrix query_gradient = result_rows(work, task->query_gradient, batch, head, 0, size, scratch.query_gradient);
  for (int64_t i = 0; i < task->queries; i++) {
    scratch.shifts[i] = work->loops->dot(gradient.data + i * gradient.row, output.data + i * output.row, outputs);
  }
  const division blocks = divide(visible, gradient_key_block);
  for (int64_t block = 0; block < blocks.blocks; block++) {
    const int64_t start = block_start(blocks, block), keys = block_start(blocks, block + 1) - start;
    head_matrix key = head_rows(work, task->key, batch, head, start, keys, size, scratch.key);
    head_matrix value = head_rows(work, task->value, batch, head, start, keys, outputs, scratch.value);
    head_matrix key_gradient = result_rows(work, task->key_gradient, batch, head, start, size, scratch.key_gradient);
    head_matrix value_gradient =
        result_rows(work, task->value_gradient, batch, head, start, outputs, scratch.value_gradient);
    float sum_so_far = 0;
    for (int64_t part = 0; part < work->queries.blocks; part++) {
      const int64_t first = block_start(work->queries, part), last = block_start(work->queries, part + 1);
      const int64_t queries = last - first;
      if (task->is_causal && last <= start) continue;  // these queries see none of the keys
      head_matrix rows = {query.data + first * query.row, query.row};
      head_matrix row_gradients = {gradient.data + first * gradient.row, gradient.row};
      int32_t status = make_scores(work, rows, key, batch, head, first, queries, start, keys, scratch.scores);
      status |= task->product(0, 1, queries, keys, outputs, 1, row_gradients.data, row_gradients.row, value.data,
                              value.row, 0, scratch.changes, padded(keys));
      for (int64_t i = 0; i < queries; i++) {
        const int64_t row = i * padded(keys);
        work->loops->gradients(scratch.scores + row, scratch.changes + row, padded(keys), log_sums[first + i],
                               scratch.shifts[first + i], task->scale);
      }
      status |= task->product(1, 0, keys, outputs, queries, 1, scratch.scores, padded(keys), row_gradients.data,
                              row_gradients.row, sum_so_far, value_gradient.data, value_gradient.row);
      status |= task->product(1, 0, keys, size, queries, 1, scratch.changes, padded(keys), rows.data, rows.row,
                              sum_so_far, key_gradient.data, key_gradient.row);
      status |= task->product(0, 0, queries, size, keys, 1, scratch.changes, padded(keys), key.data, key.row,
                              block > 0 ? 1 : 0, query_gradient.data + first * query_gradient.row, query_gradient.row);
      if (status != 0) return status;
      sum_so_far = 1;
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
  const int64_t widened = task->dtype == KS_FLOAT32 ? 0 : 1;
  const int64_t size = 2 * block_rows * padded(keys) + task->queries +
                       widened * (2 * (task->queries + keys) * (task->size + task->outputs)) + 11 * 16;
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
  for (int64_t unit = first; unit < last; unit++) {
    int32_t status = attend_backward(work, scratch, unit / task->heads, unit % task->heads);
    if (status != 0) atomic_store(&work->status, KS_OUT_OF_MEMORY);
  }
  ks_pool_give(block, size_class);
}

int32_t ks_attention_backward(const ks_attention *task) {
  attention_work work = {task, &ks_active_table()->attention, divide(task->queries, query_block), KS_DONE};
  const int64_t units = task->batch * task->heads;
  if (units == 0) return KS_DONE;
  const int64_t each = 3 * task->queries * task->keys * (task->size + task->outputs);
  ks_parallel(units, grain(each), attend_backward_units, &work);
  return atomic_load(&work.status);
}
