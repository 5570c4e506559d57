// SPDX-License-Identifier: Apache-2.0
// The step of an optimizer over all parameters, and the norm of gradients.
#include "ks_update.h"

#include "ks_kernels.h"
#include "table.h"

// Below this many elements a thread costs more than it saves.
enum { grain = 16384 };

typedef struct {
  int32_t rule;
  const double *numbers;
  const ks_update_part *parts;
  int64_t part_count;
} update_call;

static void update_elements(const update_call *call, const ks_update_part *part, int64_t first, int64_t last) {
  ks_active_table()->update[call->rule][part->dtype](part, call->numbers, first, last);
}

// The elements [first, last) of a gradient whose rows lie anywhere in the parameter.
static void update_rows(const update_call *call, const ks_update_part *part, int64_t first, int64_t last) {
  const int64_t size = (int64_t)ks_element_size((uint8_t)part->dtype), width = part->width;
  while (first < last) {
    const int64_t row = first / width, end = (row + 1) * width < last ? (row + 1) * width : last;
    const int64_t offset = part->rows[row] * width * size;
    ks_update_part piece = *part;
    piece.parameter = (char *)part->parameter + offset;
    piece.gradient = (const char *)part->gradient + row * width * size;
    for (int state = 0; state < 3; state++) {
      if (part->states[state] != NULL) piece.states[state] = (char *)part->states[state] + offset;
    }
    update_elements(call, &piece, first - row * width, end - row * width);
    first = end;
  }
}

// The elements [first, last) of all gradients one after the other.
static void update_share(void *context, int64_t first, int64_t last) {
  const update_call *call = context;
  int64_t start = 0;
  for (int64_t index = 0; index < call->part_count && start < last; index++) {
    const ks_update_part *part = &call->parts[index];
    const int64_t end = start + part->count;
    if (end > first) {
      const int64_t from = first > start ? first - start : 0, to = (last < end ? last : end) - start;
      if (part->rows == NULL) {
        update_elements(call, part, from, to);
      } else {
        update_rows(call, part, from, to);
      }
    }
    start = end;
  }
}

void ks_update(int32_t rule, const double *numbers, const ks_update_part *parts, int64_t part_count) {
  update_call call = {.rule = rule, .numbers = numbers, .parts = parts, .part_count = part_count};
  int64_t count = 0;
  for (int64_t index = 0; index < part_count; index++) count += parts[index].count;
  ks_parallel(count, grain, update_share, &call);
}

// The pieces are the same for any number of threads, and so is the order in which they are added.
enum { pieces_limit = 256 };

typedef struct {
  const KSTensor *x;
  int64_t count, piece;
  double sums[pieces_limit];
} square_call;

static void square_pieces(void *context, int64_t first, int64_t last) {
  square_call *call = context;
  const int64_t size = (int64_t)ks_element_size(call->x->dtype);
  for (int64_t index = first; index < last; index++) {
    const int64_t start = index * call->piece, rest = call->count - start;
    const char *data = (const char *)call->x->data + start * size;
    call->sums[index] =
        ks_active_table()->sum_of_squares[call->x->dtype](data, rest < call->piece ? rest : call->piece);
  }
}

double ks_sum_of_squares(const KSTensor *x) {
  square_call call = {.x = x, .count = ks_tensor_count(x)};
  if (call.count == 0) return 0;
  call.piece = (call.count + pieces_limit - 1) / pieces_limit;
  if (call.piece < grain) call.piece = grain;
  const int64_t pieces = (call.count + call.piece - 1) / call.piece;
  ks_parallel(pieces, 1, square_pieces, &call);
  double total = 0;
  for (int64_t index = 0; index < pieces; index++) total += call.sums[index];
  return total;
}
