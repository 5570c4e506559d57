// SPDX-License-Identifier: Apache-2.0
// Recurrent layers over whole sequences: what depends on the state before, step by step.
//
// Several threads share a layer in one of two ways. By rows, each takes some of the sequences through all steps and meets
// nobody; every thread reads the whole weight, which pays while that stays in its own cache. By units, each computes some
// units of all sequences, and the threads meet once a step.
#include "recurrent.h"

#include <stdlib.h>
#include <string.h>

#include "half_steps.h"
#include "pool.h"
#include "table.h"
#include "team.h"

static const int64_t gate_counts[] = {
    [KS_SIMPLE_CELL] = 1, [KS_LSTM_CELL] = 4, [KS_GRU_CELL] = 3, [KS_GRU_BEFORE_CELL] = 3};

enum {
  row_weight_bytes = 1 << 20,   // a weight up to this size stays in a core's own cache
  least_total = 1 << 20,        // multiply-adds of a layer, below which one thread does it all
  least_step = 1 << 17,         // multiply-adds of a step that are worth a meeting
  small_product = 8192,         // below it a library call costs more than the product
};

typedef struct {
  const ks_sequences *task;
  const ks_cell_loops *loops;
  ks_product_loop product;
  ks_meeting meeting;
  bool by_units;
  int64_t gates, stride;        // of the rows of states
  int64_t *order, *length;      // of each row: its sequence, and how many steps it has
  float *states[2], *cells;     // [batch, stride]; of the backward pass: what is carried back
  float *sums;                  // [batch, gates * hidden]
  float *operands[2];           // [batch, gates * hidden]
  uint32_t *panels, *halves;    // in bfloat16, where the task asks for it: the weight, and each member's rows
  float *weights;               // else, where that is faster than the library's products: panels of the weight
  _Atomic int status;
} layer;

// What one thread does: rows [row, row_end), units [unit, unit_end).
typedef struct {
  layer *of;
  int64_t row, row_end, unit, unit_end;
  uint32_t *halves;             // its own rows of states in bfloat16, one gate's
} share;

static share share_of(layer *of, int32_t member, int32_t members) {
  const ks_sequences *task = of->task;
  share part = {of, 0, task->batch, 0, task->hidden, NULL};
  if (task->half) part.halves = of->halves + member * task->batch * half_pairs(task->hidden);
  if (members == 1) return part;
  if (of->by_units) {
    const int64_t blocks = (task->hidden + 15) / 16;
    part.unit = blocks * member / members * 16;
    part.unit_end = blocks * (member + 1) / members * 16;
    if (part.unit_end > task->hidden) part.unit_end = task->hidden;
  } else {
    // The first ones take one more where the sequences do not come out even, as `arrange` deals them out.
    const int64_t each = task->batch / members, more = task->batch % members;
    part.row = each * member + (member < more ? member : more);
    part.row_end = part.row + each + (member < more ? 1 : 0);
  }
  return part;
}

// Gives rows to sequences so that within each thread's rows the longest come first: those at work at a step are the
// first ones then.
static void arrange(layer *of, int32_t members) {
  const ks_sequences *task = of->task;
  if (task->lengths == NULL) {
    for (int64_t row = 0; row < task->batch; row++) of->order[row] = row, of->length[row] = task->steps;
    return;
  }
  int64_t *starts = of->length + task->batch;  // how many sequences are longer than each length
  memset(starts, 0, (size_t)(task->steps + 2) * sizeof *starts);
  for (int64_t b = 0; b < task->batch; b++) starts[task->lengths[b]]++;
  int64_t longer = 0;
  for (int64_t length = task->steps; length >= 0; length--) {
    const int64_t count = starts[length];
    starts[length] = longer;
    longer += count;
  }
  const bool deals = !of->by_units && members > 1;
  for (int64_t b = 0; b < task->batch; b++) {
    const int64_t place = starts[task->lengths[b]]++;
    int64_t row = place;
    if (deals) row = share_of(of, (int32_t)(place % members), members).row + place / members;
    of->order[row] = b;
    of->length[row] = task->lengths[b];
  }
}

static void multiply(layer *of, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b, int64_t ldb,
                     bool accumulates, float *c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  if (m * n * k <= small_product) {
    of->product(c, ldc, (ks_matrix){a, lda, 1}, (ks_matrix){b, ldb, 1}, m, n, k, accumulates);
    return;
  }
  int status = of->task->gemm(0, 0, m, n, k, 1, a, lda, b, ldb, accumulates ? 1 : 0, c, ldc);
  if (status != 0) of->status = status;
}

static int64_t panels_of(const layer *of) { return (of->task->hidden + half_panel - 1) / half_panel; }

// The panels of a gate, of sixteen columns each, from a unit on.
static float *weights_at(const layer *of, int64_t gate, int64_t unit) {
  return of->weights + (gate * panels_of(of) * gemm_panel + unit) * of->task->hidden;
}

// c (+)= rows of `a` times the gate's columns [unit, unit + units).
static void multiply_panels(const layer *of, int64_t gate, int64_t unit, int64_t units, int64_t rows, const float *a,
                            int64_t lda, bool accumulates, float *c, int64_t ldc) {
  const int64_t hidden = of->task->hidden;
  const ks_gemm_loops *loops = &ks_active_table()->gemm;
  for (int64_t first = 0; first < units; first += gemm_panel) {
    const int64_t width = units - first < gemm_panel ? units - first : gemm_panel;
    loops->rows_by_panel(c + first, ldc, a, lda, weights_at(of, gate, unit + first), rows, width, hidden, accumulates);
  }
}

// A gate's panels from a unit on, in bfloat16.
static uint32_t *panels_at(const layer *of, int64_t gate, int64_t unit) {
  return of->panels + (gate * panels_of(of) * half_panel + unit) * half_pairs(of->task->hidden);
}

// The weight as the products of the forward or of the backward pass read it: each member packs some of every gate's.
static void pack(const layer *of, bool is_backward, int32_t member, int32_t members) {
  const ks_sequences *task = of->task;
  const int64_t hidden = task->hidden, panels = panels_of(of);
  for (int64_t gate = 0; of->weights != NULL && gate < of->gates; gate++) {
    const int64_t width = of->gates * hidden;
    for (int64_t panel = panels * member / members; panel < panels * (member + 1) / members; panel++) {
      const int64_t column = panel * gemm_panel, count = hidden - column < gemm_panel ? hidden - column : gemm_panel;
      const float *weight = task->weight + gate * hidden;
      const ks_gemm_operand plain = {weight + column, width, 1}, transposed = {weight + column * width, 1, width};
      ks_active_table()->gemm.pack_columns(weights_at(of, gate, column), is_backward ? transposed : plain, hidden, count);
    }
  }
  for (int64_t gate = 0; task->half && gate < of->gates; gate++) {
    (is_backward ? ks_half_pack_transposed : ks_half_pack)(
        panels_at(of, gate, 0), task->weight + gate * hidden, of->gates * hidden, hidden, hidden,
        panels * member / members, panels * (member + 1) / members);
  }
}

// sums = states times the weight, for some gates of the share's units and its first `rows` rows.
static void multiply_states(const share *part, const float *states, int64_t stride, int64_t rows, int64_t gate,
                            int64_t gate_end) {
  layer *of = part->of;
  const int64_t hidden = of->task->hidden, width = of->gates * hidden, units = part->unit_end - part->unit;
  float *sums = of->sums + part->row * width;
  states += part->row * stride;
  if (of->task->half) {
    ks_half_rows(part->halves, states, stride, rows, hidden);
    for (; gate < gate_end; gate++) {
      ks_half_multiply(sums + gate * hidden + part->unit, width, part->halves, panels_at(of, gate, part->unit), rows, units,
                       hidden, false);
    }
    return;
  }
  if (of->weights != NULL) {
    for (; gate < gate_end; gate++) {
      multiply_panels(of, gate, part->unit, units, rows, states, stride, false, sums + gate * hidden + part->unit, width);
    }
    return;
  }
  if (units == hidden) {
    multiply(of, rows, (gate_end - gate) * hidden, hidden, states, stride, of->task->weight + gate * hidden, width, false,
             sums + gate * hidden, width);
    return;
  }
  for (; gate < gate_end; gate++) {
    const int64_t column = gate * hidden + part->unit;
    multiply(of, rows, units, hidden, states, stride, of->task->weight + column, width, false, sums + column, width);
  }
}

// An element of what the weights' gradients are made of.
static size_t delta_size(const layer *of) { return of->task->narrow ? sizeof(uint16_t) : sizeof(float); }

static void *delta_at(const layer *of, void *deltas, int64_t place) {
  return deltas == NULL ? NULL : (char *)deltas + place * (int64_t)delta_size(of);
}

static void copy_units(const share *part, float *to, int64_t to_row, const float *from, int64_t from_row) {
  memcpy(to + to_row + part->unit, from + from_row + part->unit, (size_t)(part->unit_end - part->unit) * sizeof(float));
}

// rows[row] = values[sequence], or zero.
static void gather_rows(const share *part, float *rows, const float *values) {
  const layer *of = part->of;
  for (int64_t row = part->row; row < part->row_end; row++) {
    if (values != NULL) {
      copy_units(part, rows, row * of->stride, values, of->order[row] * of->task->hidden);
    } else {
      memset(rows + row * of->stride + part->unit, 0, (size_t)(part->unit_end - part->unit) * sizeof(float));
    }
  }
}

// Zeros in the steps behind each sequence's end.
static void clear_padding(const share *part, void *values, size_t size, int64_t gates) {
  const layer *of = part->of;
  const int64_t hidden = of->task->hidden, width = gates * hidden;
  for (int64_t row = part->row; row < part->row_end; row++) {
    const int64_t sequence = of->order[row] * of->task->steps * width;
    for (int64_t t = of->length[row]; t < of->task->steps; t++) {
      for (int64_t gate = 0; gate < gates; gate++) {
        memset((char *)values + (sequence + t * width + gate * hidden + part->unit) * (int64_t)size, 0,
               (size_t)(part->unit_end - part->unit) * size);
      }
    }
  }
}

// Where a row's step is among all sequences' steps.
static int64_t place_of(const layer *of, int64_t row, int64_t step) {
  return of->order[row] * of->task->steps + (of->task->reversed ? of->length[row] - 1 - step : step);
}

static void meet(const share *part, int32_t members) {
  if (part->of->by_units && members > 1) ks_meet(&part->of->meeting, members);
}

static const float *from(const float *pointer, int64_t offset) { return pointer == NULL ? NULL : pointer + offset; }

static void start(layer *of, bool is_backward, int32_t member, int32_t members) {
  if (member == 0) arrange(of, members);
  if (of->task->half || of->weights != NULL) pack(of, is_backward, member, members);
  if (members > 1) ks_meet(&of->meeting, members);
}

// MARK: Forward

static void run_cells(const share *part, ks_cell_loop loop, int64_t rows, int64_t step, bool has_sums, const float *states,
                      float *next) {
  const layer *of = part->of;
  const ks_sequences *task = of->task;
  const int64_t hidden = task->hidden, width = of->gates * hidden, unit = part->unit;
  ks_cell_row row = {.count = part->unit_end - unit, .hidden = hidden, .activation = task->activation,
                     .keeps = task->keeps, .bias = from(task->bias, unit),
                     .recurrent_bias = from(task->recurrent_bias, unit)};
  const int64_t end = part->row + rows;
  for (int64_t i = part->row; i < end; i++) {
    const int64_t place = place_of(of, i, step), own = i * of->stride + unit;
    row.sums = has_sums ? of->sums + i * width + unit : NULL;
    row.gates = task->gates + place * width + unit;
    row.ahead = task->gates + place_of(of, i + 1 < end ? i + 1 : i, step) * width + unit;
    row.previous = states + own;
    row.cell = of->cells == NULL ? NULL : of->cells + own;
    row.previous_cell = row.cell;
    row.kept_cell = task->cells == NULL ? NULL : task->cells + place * hidden + unit;
    row.output = task->outputs + place * hidden + unit;
    row.state = next + own;
    loop(&row);
  }
}

static void forward(void *of_, int32_t member, int32_t members) {
  layer *of = of_;
  const ks_sequences *task = of->task;
  start(of, false, member, members);
  const share part = share_of(of, member, members);
  gather_rows(&part, of->states[0], task->initial);
  if (task->cell == KS_LSTM_CELL) gather_rows(&part, of->cells, task->initial_cell);
  meet(&part, members);
  int64_t rows = part.row_end - part.row;
  for (int64_t step = 0; step < task->steps; step++) {
    while (rows > 0 && of->length[part.row + rows - 1] <= step) rows--;
    if (rows == 0) break;
    float *states = of->states[step % 2], *next = of->states[(step + 1) % 2];
    const bool has_state = step > 0 || task->initial != NULL;
    const bool resets = task->cell == KS_GRU_BEFORE_CELL;
    if (has_state) multiply_states(&part, states, of->stride, rows, 0, resets ? 2 : of->gates);
    run_cells(&part, of->loops->forward[task->cell], rows, step, has_state, states, next);
    if (resets) {
      meet(&part, members);
      if (has_state) multiply_states(&part, of->cells, of->stride, rows, 2, 3);
      run_cells(&part, of->loops->forward[task->cell + 1], rows, step, has_state, states, next);
    }
    meet(&part, members);
  }
  if (task->lengths != NULL) clear_padding(&part, task->outputs, sizeof(float), 1);
  for (int64_t row = part.row; row < part.row_end; row++) {
    const int64_t to = of->order[row] * task->hidden, at = row * of->stride;
    if (task->final_state != NULL) copy_units(&part, task->final_state, to, of->states[of->length[row] % 2], at);
    if (task->final_cell != NULL) copy_units(&part, task->final_cell, to, of->cells, at);
  }
}

// MARK: Backward

static void run_gradients(const share *part, ks_cell_gradient_loop loop, int64_t rows, int64_t step) {
  const layer *of = part->of;
  const ks_sequences *task = of->task;
  const int64_t hidden = task->hidden, width = of->gates * hidden, unit = part->unit;
  const int64_t back = task->reversed ? 1 : -1;  // from a step's place to that of the one before
  ks_cell_gradient row = {.count = part->unit_end - unit, .hidden = hidden, .activation = task->activation,
                          .narrow = task->narrow};
  const int64_t end = part->row + rows;
  for (int64_t i = part->row; i < end; i++) {
    const int64_t place = place_of(of, i, step), own = i * of->stride + unit;
    const int64_t sequence = of->order[i] * hidden + unit, before = (place + back) * hidden + unit;
    row.gates = task->gates + place * width + unit;
    row.ahead = task->gates + place_of(of, i + 1 < end ? i + 1 : i, step) * width + unit;
    row.kept_cell = from(task->cells, place * hidden + unit);
    row.previous = step > 0 ? task->outputs + before : from(task->initial, sequence);
    if (task->cell == KS_LSTM_CELL) {
      row.previous_cell = step > 0 ? task->cells + before : from(task->initial_cell, sequence);
    }
    row.gradient = from(task->gradient, place * hidden + unit);
    row.carry = of->states[0] + own;
    row.cell_carry = of->cells == NULL ? NULL : of->cells + own;
    row.deltas = delta_at(of, task->deltas, place * width + unit);
    row.recurrent_deltas = delta_at(of, task->recurrent_deltas, place * width + unit);
    row.operand = of->operands[step % 2] + i * width + unit;
    loop(&row);
  }
}

// target (+)= the gradients of some gates times the weight's transpose, for the share's units.
static void multiply_gradients(const share *part, const float *operand, int64_t rows, int64_t gate, int64_t gate_end,
                               bool accumulates, float *target) {
  layer *of = part->of;
  const int64_t hidden = of->task->hidden, width = of->gates * hidden;
  if (of->task->half) {
    for (; gate < gate_end; gate++, accumulates = true) {
      ks_half_rows(part->halves, operand + part->row * width + gate * hidden, width, rows, hidden);
      ks_half_multiply(target + part->row * of->stride + part->unit, of->stride, part->halves,
                       panels_at(of, gate, part->unit), rows, part->unit_end - part->unit, hidden, accumulates);
    }
    return;
  }
  if (of->weights != NULL) {
    for (; gate < gate_end; gate++, accumulates = true) {
      multiply_panels(of, gate, part->unit, part->unit_end - part->unit, rows, operand + part->row * width + gate * hidden,
                      width, accumulates, target + part->row * of->stride + part->unit, of->stride);
    }
    return;
  }
  multiply(of, rows, part->unit_end - part->unit, (gate_end - gate) * hidden, operand + part->row * width + gate * hidden,
           width, of->task->transposed + gate * hidden * hidden + part->unit, hidden, accumulates,
           target + part->row * of->stride + part->unit, of->stride);
}

// The share's units of the state before each step, zeros in the padding.
static void keep_previous(const share *part) {
  const layer *of = part->of;
  const ks_sequences *task = of->task;
  const int64_t hidden = task->hidden, units = part->unit_end - part->unit;
  const ks_cast_loop convert = ks_active_table()->cast[KS_FLOAT32][task->narrow ? KS_BFLOAT16 : KS_FLOAT32];
  for (int64_t row = part->row; row < part->row_end; row++) {
    for (int64_t step = 0; step < of->length[row]; step++) {
      const int64_t place = place_of(of, row, step);
      void *to = delta_at(of, task->previous, place * hidden + part->unit);
      const float *state = step > 0 ? task->outputs + (place + (task->reversed ? 1 : -1)) * hidden
                                    : from(task->initial, of->order[row] * hidden);
      if (state != NULL) {
        convert(to, state + part->unit, units, 1, 1);
      } else {
        memset(to, 0, (size_t)units * delta_size(of));
      }
    }
  }
  if (task->lengths != NULL) clear_padding(part, task->previous, delta_size(of), 1);
}

static void backward(void *of_, int32_t member, int32_t members) {
  layer *of = of_;
  const ks_sequences *task = of->task;
  start(of, true, member, members);
  const share part = share_of(of, member, members);
  float *carry = of->states[0];
  gather_rows(&part, carry, task->final_gradient);
  if (task->cell == KS_LSTM_CELL) gather_rows(&part, of->cells, task->final_cell_gradient);
  if (task->lengths != NULL) {
    clear_padding(&part, task->deltas, delta_size(of), of->gates);
    if (task->recurrent_deltas != NULL) clear_padding(&part, task->recurrent_deltas, delta_size(of), of->gates);
  }
  const bool adds = task->cell == KS_GRU_CELL, resets = task->cell == KS_GRU_BEFORE_CELL;
  int64_t rows = 0, later = 0;  // at work at this step and at the one after
  for (int64_t step = task->steps - 1; step >= 0; step--) {
    while (rows < part.row_end - part.row && of->length[part.row + rows] > step) rows++;
    float *operand = of->operands[step % 2], *after = of->operands[(step + 1) % 2];
    if (!resets) multiply_gradients(&part, after, later, 0, of->gates, adds, carry);
    run_gradients(&part, of->loops->backward[task->cell], rows, step);
    meet(&part, members);
    if (resets) {
      multiply_gradients(&part, operand, rows, 2, 3, false, of->cells);
      run_gradients(&part, of->loops->backward[task->cell + 1], rows, step);
      meet(&part, members);
      multiply_gradients(&part, operand, rows, 0, 2, true, carry);
    }
    later = rows;
  }
  if (task->initial_gradient != NULL && !resets) {
    multiply_gradients(&part, of->operands[0], later, 0, of->gates, adds, carry);
  }
  for (int64_t row = part.row; row < part.row_end; row++) {
    const int64_t to = of->order[row] * task->hidden, at = row * of->stride;
    if (task->initial_gradient != NULL) copy_units(&part, task->initial_gradient, to, carry, at);
    if (task->initial_cell_gradient != NULL) copy_units(&part, task->initial_cell_gradient, to, of->cells, at);
  }
  if (task->previous != NULL) keep_previous(&part);
}

// MARK: Whole layers

static int run(const ks_sequences *task, bool is_backward) {
  const int64_t hidden = task->hidden, gates = gate_counts[task->cell];
  layer of = {.task = task, .loops = &ks_active_table()->cells, .product = ks_active_table()->product[KS_FLOAT32],
              .gates = gates};
  // Rows that are a multiple of a page apart would fall on the same lines of the cache.
  of.stride = (hidden + 15) / 16 * 16;
  if (of.stride % 256 == 0) of.stride += 16;
  const int64_t rows = task->batch * of.stride, wide = task->batch * gates * hidden;
  const bool has_cells = task->cell == KS_LSTM_CELL || task->cell == KS_GRU_BEFORE_CELL;
  const int64_t floats = is_backward ? rows * (has_cells ? 2 : 1) + 2 * wide : rows * (has_cells ? 3 : 2) + wide;
  const int64_t numbers = 2 * task->batch + task->steps + 2;
  int32_t threads = ks_threads();
  int64_t panels = 0, halves = 0;
  if (task->half) {
    panels = gates * panels_of(&of) * half_panel * half_pairs(hidden);
    halves = threads * task->batch * half_pairs(hidden);
  }
  // Packing the weight in each call has to be paid for by some rows.
  const bool packs = !task->half && ks_gemm_is_best() && hidden >= 32 && task->batch * task->steps >= 32;
  if (packs) panels = gates * panels_of(&of) * gemm_panel * hidden;
  int32_t size_class;
  char *memory = ks_pool_take((size_t)(panels + halves + floats) * sizeof(float) + (size_t)numbers * sizeof(int64_t),
                              &size_class);
  if (memory == NULL) return -1;
  // The panels come first, where each line of them is one of the cache.
  of.panels = (uint32_t *)memory;
  if (packs) of.weights = (float *)memory;
  of.order = (int64_t *)(of.panels + panels);
  of.length = of.order + task->batch;
  of.halves = (uint32_t *)(of.order + numbers);
  float *next = (float *)(of.halves + halves);
  of.states[0] = next, next += rows;
  if (has_cells) of.cells = next, next += rows;
  if (is_backward) {
    of.operands[0] = next, of.operands[1] = next + wide;
  } else {
    of.states[1] = next, next += rows;
    of.sums = next;
  }
  const int64_t step = task->batch * gates * hidden * hidden;
  const int64_t weight_bytes = gates * hidden * hidden * (int64_t)(task->half ? sizeof(float) / 2 : sizeof(float));
  const bool fits = weight_bytes <= row_weight_bytes;
  of.by_units = !(fits && task->batch >= 2 * threads) && step >= least_step && hidden >= 32 * threads;
  if (!of.by_units && threads > task->batch) threads = (int32_t)task->batch;
  if (step * task->steps < least_total) threads = 1;
  // Alone, this thread is also the only one that the library may use.
  if (threads == 1) ks_limit_library();
  ks_team(threads, is_backward ? backward : forward, &of);
  ks_pool_give(memory, size_class);
  return of.status;
}

bool ks_sequences_half(const ks_sequences *task) {
  // The weight is packed in each call, which many rows must pay for.
  return task->hidden >= 32 && task->batch * task->steps >= 32 && ks_half_available();
}

int ks_sequences_forward(const ks_sequences *task) { return run(task, false); }
int ks_sequences_backward(const ks_sequences *task) { return run(task, true); }
