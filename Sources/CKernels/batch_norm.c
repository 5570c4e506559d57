// SPDX-License-Identifier: Apache-2.0
// Batch normalisation: how its loops are shared out and what comes between them.
#include "ks_batch_norm.h"

#include <math.h>
#include <string.h>

#include "pool.h"
#include "table.h"

enum {
  chunk_elements = 1 << 15,  // of which a thread takes at least so many
  chunks_limit = 32,
  block_bytes = 1 << 17,  // what stays in the second cache for another pass, and is summed in single precision
  short_width = 256,      // shorter rows are taken several as one
  long_width = 1024,      // in longer ones an odd end does not matter
};

int64_t ks_row_stride(const KSTensor *x) {
  const int32_t last = x->rank - 1;
  if (last < 0 || (x->strides[last] != 1 && x->shape[last] != 1)) return -1;
  int64_t stride = x->shape[last], rows = 1;
  for (int32_t axis = last - 1; axis >= 0; axis--) {
    if (x->shape[axis] == 1) continue;
    if (rows == 1) {
      stride = x->strides[axis];
    } else if (x->strides[axis] != stride * rows) {
      return -1;
    }
    rows *= x->shape[axis];
  }
  return stride >= x->shape[last] ? stride : -1;
}

/// Rows that lie side by side are taken several as one, so that loops are long and vectors full. The chunks and blocks,
/// and with them the order of all sums, are the same for any number of threads.
typedef struct {
  const ks_batch_norm *task;
  const ks_batch_norm_loops *loops;
  int64_t size;    // of an element
  int64_t copies;  // rows that are taken as one
  int64_t width;   // their elements
  int64_t chunks, block_rows;
  ks_batch_norm_columns columns;
  float *scratch;    // [chunks, 2, width]
  double *partials;  // [chunks, 2, channels]
  void *memory;
  int32_t memory_class;
} work;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static bool begin(work *w, const ks_batch_norm *task) {
  const int64_t channels = task->channels, rows = task->rows;
  w->task = task;
  w->loops = &ks_active_table()->batch_norm[task->dtype];
  w->size = (int64_t)ks_element_size(task->dtype);
  w->copies = 1;
  const bool dense = task->x_row == channels && (task->x_gradient == NULL || task->x_gradient_row == channels);
  if (dense) {
    while (w->copies * 2 <= rows && (channels * w->copies < short_width ||
                                     (channels * w->copies % 16 != 0 && channels * w->copies < long_width))) {
      w->copies *= 2;
    }
  }
  w->width = channels * w->copies;
  w->chunks = smaller(larger(rows * channels / chunk_elements, 1), chunks_limit);
  w->chunks = smaller(w->chunks, larger(rows / (4 * w->copies), 1));
  w->block_rows = larger(block_bytes / (4 * w->width * w->size), 1) * 4 * w->copies;
  const size_t floats = (size_t)(5 + 2 * w->chunks) * (size_t)w->width;
  const size_t offset = (floats * sizeof(float) + 63) / 64 * 64;
  w->memory = ks_pool_take(offset + (size_t)(2 * w->chunks * channels) * sizeof(double), &w->memory_class);
  if (w->memory == NULL) return false;
  float *next = w->memory;
  w->columns = (ks_batch_norm_columns){next, next + w->width, next + 2 * w->width, next + 3 * w->width,
                                       next + 4 * w->width};
  w->scratch = next + 5 * w->width;
  w->partials = (double *)((char *)w->memory + offset);
  return true;
}

static void end(work *w) { ks_pool_give(w->memory, w->memory_class); }

/// Where a chunk begins: at a whole number of copies.
static int64_t chunk_start(const work *w, int64_t chunk) {
  if (chunk == w->chunks) return w->task->rows;
  return w->task->rows / w->copies * chunk / w->chunks * w->copies;
}

static const char *at(const work *w, const void *base, int64_t row, int64_t stride) {
  return base == NULL ? NULL : (const char *)base + row * stride * w->size;
}

/// Sums of each lane to sums of each channel.
static void fold(const work *w, float *lanes) {
  const int64_t channels = w->task->channels;
  for (int64_t copies = w->copies; copies > 1; copies /= 2) {
    float *half = lanes + copies / 2 * channels;
    for (int64_t i = 0; i < copies / 2 * channels; i++) lanes[i] += half[i];
  }
}

/// The numbers of each channel for each lane.
static void unfold(const work *w, float *lanes) {
  const int64_t channels = w->task->channels;
  for (int64_t copies = 1; copies < w->copies; copies *= 2) {
    memcpy(lanes + copies * channels, lanes, (size_t)(copies * channels) * sizeof *lanes);
  }
}

// Mean and summed squared distances of `count` elements and those of `more` others, to theirs together (Chan et al. 1979).
static inline void join(double *mean, double *squares, double count, double other_mean, double other_squares, double more) {
  const double all = count + more, distance = other_mean - *mean, share = more / all;
  *mean += distance * share;
  *squares += other_squares + distance * distance * count * share;
}

static void statistics_of_chunks(void *work_, int64_t first, int64_t last) {
  const work *w = work_;
  const ks_batch_norm *task = w->task;
  const int64_t channels = task->channels, row = task->x_row * w->copies;
  for (int64_t chunk = first; chunk < last; chunk++) {
    float *means = w->scratch + 2 * chunk * w->width, *squares = means + w->width;
    double *mean = w->partials + 2 * chunk * channels, *total = mean + channels;
    memset(mean, 0, (size_t)(2 * channels) * sizeof *mean);
    const int64_t start = chunk_start(w, chunk), stop = chunk_start(w, chunk + 1);
    for (int64_t r = start; r < stop; r += w->block_rows) {
      const int64_t count = smaller(w->block_rows, stop - r), whole = count / w->copies, rest = count % w->copies;
      const char *x = at(w, task->x, r, task->x_row), *end = at(w, x, whole * w->copies, task->x_row);
      memset(means, 0, (size_t)(2 * w->width) * sizeof *means);
      w->loops->sums(means, x, row, whole, w->width);
      if (rest > 0) w->loops->sums(means, end, row, 1, rest * channels);
      fold(w, means);
      const float share = 1 / (float)count;
      for (int64_t i = 0; i < channels; i++) means[i] *= share;
      unfold(w, means);
      w->loops->squares(squares, means, x, row, whole, w->width);
      if (rest > 0) w->loops->squares(squares, means, end, row, 1, rest * channels);
      fold(w, squares);
      const double before = (double)(r - start), more = (double)count;
      for (int64_t i = 0; i < channels; i++) join(&mean[i], &total[i], before, means[i], squares[i], more);
    }
  }
}

int32_t ks_batch_norm_statistics(const ks_batch_norm *task) {
  work w;
  if (!begin(&w, task)) return KS_OUT_OF_MEMORY;
  ks_parallel(w.chunks, 1, statistics_of_chunks, &w);
  const int64_t channels = task->channels;
  double *mean = w.partials, *total = mean + channels;
  for (int64_t chunk = 1; chunk < w.chunks; chunk++) {
    const double *other = w.partials + 2 * chunk * channels;
    const double before = (double)chunk_start(&w, chunk), more = (double)chunk_start(&w, chunk + 1) - before;
    for (int64_t i = 0; i < channels; i++) join(&mean[i], &total[i], before, other[i], other[channels + i], more);
  }
  const double share = 1 / (double)task->rows;
  for (int64_t i = 0; i < channels; i++) {
    task->mean[i] = (float)mean[i];
    task->variance[i] = (float)(total[i] * share);
  }
  end(&w);
  return KS_DONE;
}

/// Mean, factor and shift of each lane.
static void find_factors(work *w) {
  const ks_batch_norm *task = w->task;
  const ks_batch_norm_columns c = w->columns;
  for (int64_t i = 0; i < task->channels; i++) {
    const double inverse = 1 / sqrt(task->variance[i] + task->epsilon);
    c.mean[i] = task->mean[i];
    c.factor[i] = (float)(task->scale != NULL ? inverse * task->scale[i] : inverse);
    c.shift[i] = task->shift != NULL ? task->shift[i] : 0;
  }
  unfold(w, c.mean);
  unfold(w, c.factor);
  unfold(w, c.shift);
}

// Where one pass went up, the next one goes down: it finds the last of what the first has read still in the cache.
static void apply_chunks(void *work_, int64_t first, int64_t last) {
  const work *w = work_;
  const ks_batch_norm *task = w->task;
  const int64_t channels = task->channels, row = task->x_row * w->copies;
  for (int64_t chunk = last - 1; chunk >= first; chunk--) {
    const int64_t start = chunk_start(w, chunk), count = chunk_start(w, chunk + 1) - start;
    const int64_t whole = count / w->copies, rest = count % w->copies, end = start + whole * w->copies;
    w->loops->normalize(&w->columns, (char *)at(w, task->y, start, channels), at(w, task->x, start, task->x_row), row,
                        at(w, task->residual, start, channels), whole, w->width, task->rectifies);
    if (rest > 0) {
      w->loops->normalize(&w->columns, (char *)at(w, task->y, end, channels), at(w, task->x, end, task->x_row), row,
                          at(w, task->residual, end, channels), 1, rest * channels, task->rectifies);
    }
  }
}

int32_t ks_batch_norm_apply(const ks_batch_norm *task) {
  work w;
  if (!begin(&w, task)) return KS_OUT_OF_MEMORY;
  find_factors(&w);
  ks_parallel(w.chunks, 1, apply_chunks, &w);
  end(&w);
  return KS_DONE;
}

/// What the gradient is read from and how, once the gradient by the residual has been told apart.
typedef struct {
  const void *gradient, *y;
  bool rectifies;
} arrival;

static arrival arrival_of(const ks_batch_norm *task) {
  if (!task->rectifies) return (arrival){task->gradient, NULL, false};
  if (task->residual_gradient != NULL) return (arrival){task->residual_gradient, NULL, false};
  // Without a residual x says as well as y what was positive, and is read anyway.
  return (arrival){task->gradient, task->residual == NULL ? NULL : task->y, true};
}

static void gradient_sums_of_chunks(void *work_, int64_t first, int64_t last) {
  const work *w = work_;
  const ks_batch_norm *task = w->task;
  const int64_t channels = task->channels, row = task->x_row * w->copies;
  const arrival from = arrival_of(task);
  for (int64_t chunk = first; chunk < last; chunk++) {
    float *sums = w->scratch + 2 * chunk * w->width, *products = sums + w->width;
    double *sum = w->partials + 2 * chunk * channels, *product = sum + channels;
    memset(sum, 0, (size_t)(2 * channels) * sizeof *sum);
    const int64_t stop = chunk_start(w, chunk + 1);
    for (int64_t r = chunk_start(w, chunk); r < stop; r += w->block_rows) {
      const int64_t count = smaller(w->block_rows, stop - r), whole = count / w->copies, rest = count % w->copies;
      if (task->rectifies && task->residual_gradient != NULL) {
        w->loops->rectifier_gradient((char *)at(w, task->residual_gradient, r, channels),
                                     at(w, task->gradient, r, channels), at(w, task->y, r, channels), count * channels);
      }
      memset(sums, 0, (size_t)(2 * w->width) * sizeof *sums);
      w->loops->gradient_sums(&w->columns, sums, products, at(w, task->x, r, task->x_row), row,
                              at(w, from.gradient, r, channels), at(w, from.y, r, channels), whole, w->width,
                              from.rectifies);
      if (rest > 0) {
        const int64_t end = r + whole * w->copies;
        w->loops->gradient_sums(&w->columns, sums, products, at(w, task->x, end, task->x_row), row,
                                at(w, from.gradient, end, channels), at(w, from.y, end, channels), 1, rest * channels,
                                from.rectifies);
      }
      fold(w, sums);
      fold(w, products);
      for (int64_t i = 0; i < channels; i++) {
        sum[i] += sums[i];
        product[i] += products[i];
      }
    }
  }
}

static void gradient_chunks(void *work_, int64_t first, int64_t last) {
  const work *w = work_;
  const ks_batch_norm *task = w->task;
  const int64_t channels = task->channels, row = task->x_row * w->copies, to_row = task->x_gradient_row * w->copies;
  const arrival from = arrival_of(task);
  for (int64_t chunk = last - 1; chunk >= first; chunk--) {
    const int64_t start = chunk_start(w, chunk), count = chunk_start(w, chunk + 1) - start;
    const int64_t whole = count / w->copies, rest = count % w->copies, end = start + whole * w->copies;
    w->loops->gradient(&w->columns, (char *)at(w, task->x_gradient, start, task->x_gradient_row), to_row,
                       at(w, task->x, start, task->x_row), row, at(w, from.gradient, start, channels),
                       at(w, from.y, start, channels), whole, w->width, from.rectifies, task->accumulates);
    if (rest > 0) {
      w->loops->gradient(&w->columns, (char *)at(w, task->x_gradient, end, task->x_gradient_row), to_row,
                         at(w, task->x, end, task->x_row), row, at(w, from.gradient, end, channels),
                         at(w, from.y, end, channels), 1, rest * channels, from.rectifies, task->accumulates);
    }
  }
}

int32_t ks_batch_norm_gradient(const ks_batch_norm *task) {
  work w;
  if (!begin(&w, task)) return KS_OUT_OF_MEMORY;
  find_factors(&w);
  ks_parallel(w.chunks, 1, gradient_sums_of_chunks, &w);
  const int64_t channels = task->channels;
  double *sum = w.partials, *product = sum + channels;
  for (int64_t chunk = 1; chunk < w.chunks; chunk++) {
    const double *other = w.partials + 2 * chunk * channels;
    for (int64_t i = 0; i < 2 * channels; i++) sum[i] += other[i];
  }
  const double share = 1 / (double)task->rows;
  for (int64_t i = 0; i < channels; i++) {
    const double inverse = 1 / sqrt(task->variance[i] + task->epsilon);
    const double factor = task->scale != NULL ? inverse * task->scale[i] : inverse;
    // By the normalised value rather than x.
    const double normalized = product[i] * inverse;
    if (task->scale_gradient != NULL) task->scale_gradient[i] = (float)normalized;
    if (task->shift_gradient != NULL) task->shift_gradient[i] = (float)sum[i];
    w.columns.slope[i] = (float)(-factor * inverse * normalized * share);
    w.columns.level[i] = (float)(-factor * sum[i] * share);
  }
  unfold(&w, w.columns.slope);
  unfold(&w, w.columns.level);
  if (task->x_gradient != NULL) ks_parallel(w.chunks, 1, gradient_chunks, &w);
  end(&w);
  return KS_DONE;
}
