// SPDX-License-Identifier: Apache-2.0
// Copies and conversions of strided tensors, fills and single elements.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nest.h"
#include "table.h"

typedef struct {
  nest loops;
  char *out;
  const char *x;
  int64_t out_size, size;
  ks_cast_loop cast;  // null where the types are one
  /// The axis along which x's elements lie side by side, where that is not the last; else -1.
  int32_t dense_axis;
} copying;

#define COPY_STRIDED(TYPE)                                                                      \
  for (int64_t i = 0; i < count; i++) ((TYPE *)to)[i * to_stride] = ((const TYPE *)from)[i * from_stride];

static void copy_row(char *to, const char *from, int64_t count, int64_t size, int64_t to_stride, int64_t from_stride) {
  if (to_stride == 1 && from_stride == 1) {
    memcpy(to, from, (size_t)(count * size));
    return;
  }
  switch (size) {
    case 1: COPY_STRIDED(uint8_t) break;
    case 2: COPY_STRIDED(uint16_t) break;
    case 4: COPY_STRIDED(uint32_t) break;
    default: COPY_STRIDED(uint64_t) break;
  }
}

static void copy_rows(void *work_, int64_t first, int64_t last) {
  const copying *work = work_;
  const nest *loops = &work->loops;
  const int32_t inner_axis = loops->rank - 1;
  const int64_t inner = loops->shape[inner_axis];
  const int64_t to_stride = loops->strides[0][inner_axis], from_stride = loops->strides[1][inner_axis];
  nest_row row = row_at(loops, first / inner);
  int64_t begin = first % inner;
  while (first < last) {
    int64_t count = inner - begin < last - first ? inner - begin : last - first;
    char *to = work->out + (row.offsets[0] + begin * to_stride) * work->out_size;
    const char *from = work->x + (row.offsets[1] + begin * from_stride) * work->size;
    if (work->cast != NULL) {
      work->cast(to, from, count, to_stride, from_stride);
    } else {
      copy_row(to, from, count, work->size, to_stride, from_stride);
    }
    first += count;
    begin = 0;
    next_row(loops, &row);
  }
}

// A matrix whose rows lie side by side in the one place and whose columns do in the other goes tile by tile, so that
// both sides' cache lines are used whole.
enum { tile = 32 };

#define COPY_TILE(TYPE)                                                                          \
  for (int64_t i = 0; i < rows; i++) {                                                           \
    for (int64_t j = 0; j < columns; j++) {                                                      \
      ((TYPE *)to)[i * to_row + j * to_column] = ((const TYPE *)from)[i * from_row + j * from_column]; \
    }                                                                                            \
  }

// A square of as many rows as a vector of 16 bytes has lanes, its columns side by side before, its rows after: shuffling
// the first half of the vectors with the second, as cards are, as often as halving leaves one lane.
#define TRANSPOSE_SQUARE(NAME, TYPE, LANES, HALVINGS, LOW, HIGH)                                          \
  typedef TYPE NAME##_vector __attribute__((vector_size(16), aligned(sizeof(TYPE))));                     \
  static void transpose_##NAME(TYPE *to, const TYPE *from, int64_t to_row, int64_t from_column) {         \
    NAME##_vector x[LANES], y[LANES];                                                                     \
    for (int j = 0; j < LANES; j++) x[j] = *(const NAME##_vector *)(from + j * from_column);              \
    for (int halving = 0; halving < HALVINGS; halving++) {                                                \
      for (int j = 0; j < LANES / 2; j++) {                                                               \
        y[2 * j] = __builtin_shufflevector(x[j], x[j + LANES / 2], LOW);                                  \
        y[2 * j + 1] = __builtin_shufflevector(x[j], x[j + LANES / 2], HIGH);                             \
      }                                                                                                   \
      memcpy(x, y, sizeof x);                                                                             \
    }                                                                                                     \
    for (int i = 0; i < LANES; i++) *(NAME##_vector *)(to + i * to_row) = x[i];                           \
  }                                                                                                       \
  static void transpose_tile_##NAME(TYPE *to, const TYPE *from, int64_t rows, int64_t columns, int64_t to_row, \
                                    int64_t from_column) {                                                \
    const int64_t whole_rows = rows / LANES * LANES, whole_columns = columns / LANES * LANES;             \
    for (int64_t i = 0; i < whole_rows; i += LANES) {                                                     \
      for (int64_t j = 0; j < whole_columns; j += LANES) {                                                \
        transpose_##NAME(to + i * to_row + j, from + i + j * from_column, to_row, from_column);           \
      }                                                                                                   \
    }                                                                                                     \
    for (int64_t i = 0; i < rows; i++) {                                                                  \
      for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; j++) {                            \
        to[i * to_row + j] = from[i + j * from_column];                                                   \
      }                                                                                                   \
    }                                                                                                     \
  }
#define EACH_OF(...) __VA_ARGS__
TRANSPOSE_SQUARE(u16, uint16_t, 8, 3, EACH_OF(0, 8, 1, 9, 2, 10, 3, 11), EACH_OF(4, 12, 5, 13, 6, 14, 7, 15))
TRANSPOSE_SQUARE(u32, uint32_t, 4, 2, EACH_OF(0, 4, 1, 5), EACH_OF(2, 6, 3, 7))

static void copy_tile(char *to, const char *from, int64_t size, int64_t rows, int64_t columns, int64_t to_row,
                      int64_t to_column, int64_t from_row, int64_t from_column) {
  if (to_column == 1 && from_row == 1 && (size == 2 || size == 4)) {
    if (size == 2) {
      transpose_tile_u16((uint16_t *)to, (const uint16_t *)from, rows, columns, to_row, from_column);
    } else {
      transpose_tile_u32((uint32_t *)to, (const uint32_t *)from, rows, columns, to_row, from_column);
    }
    return;
  }
  switch (size) {
    case 1: COPY_TILE(uint8_t) break;
    case 2: COPY_TILE(uint16_t) break;
    case 4: COPY_TILE(uint32_t) break;
    default: COPY_TILE(uint64_t) break;
  }
}

/// Bands of `tile` rows of the matrices that the dense axis and the last one make, counted over all other axes.
static void copy_bands(void *work_, int64_t first, int64_t last) {
  const copying *work = work_;
  const nest *loops = &work->loops;
  const int32_t dense = work->dense_axis, inner = loops->rank - 1;
  const int64_t rows = loops->shape[dense], columns = loops->shape[inner], bands = (rows + tile - 1) / tile;
  const int64_t to_row = loops->strides[0][dense], to_column = loops->strides[0][inner];
  const int64_t from_row = loops->strides[1][dense], from_column = loops->strides[1][inner];
  for (int64_t band = first; band < last; band++) {
    int64_t index = band / bands, to_offset = 0, from_offset = 0;
    for (int32_t axis = inner - 1; axis >= 0; axis--) {
      if (axis == dense) continue;
      int64_t position = index % loops->shape[axis];
      index /= loops->shape[axis];
      to_offset += position * loops->strides[0][axis];
      from_offset += position * loops->strides[1][axis];
    }
    const int64_t row = band % bands * tile, height = rows - row < tile ? rows - row : tile;
    for (int64_t column = 0; column < columns; column += tile) {
      const int64_t width = columns - column < tile ? columns - column : tile;
      copy_tile(work->out + (to_offset + row * to_row + column * to_column) * work->size,
                work->x + (from_offset + row * from_row + column * from_column) * work->size, work->size, height,
                width, to_row, to_column, from_row, from_column);
    }
  }
}

/// The axis along which x is dense, where tiles are worth it.
static int32_t dense_axis(const nest *loops) {
  const int32_t inner = loops->rank - 1;
  if (llabs(loops->strides[1][inner]) <= 1 || loops->shape[inner] < 8) return -1;
  for (int32_t axis = 0; axis < inner; axis++) {
    if (llabs(loops->strides[1][axis]) == 1 && loops->shape[axis] >= 8) return axis;
  }
  return -1;
}

void ks_copy(KSTensor *out, KSTensor *x) {
  const int64_t count = element_count(out);
  if (count == 0) return;
  if (out->dtype == x->dtype && out->contiguous && x->contiguous && count < parallel_grain &&
      element_count(x) == count) {
    memcpy(out->data, x->data, (size_t)count * ks_element_size(out->dtype));
    return;
  }
  copying work;
  work.loops.operands = 0;
  work.out = out->data;
  work.x = x->data;
  work.out_size = (int64_t)ks_element_size(out->dtype);
  work.size = (int64_t)ks_element_size(x->dtype);
  work.cast = out->dtype == x->dtype ? NULL : ks_active_table()->cast[x->dtype][out->dtype];
  add_operand(&work.loops, out, out);
  add_operand(&work.loops, out, x);
  merge_axes(&work.loops, out->rank, out->shape);
  work.dense_axis = work.cast == NULL ? dense_axis(&work.loops) : -1;
  if (work.dense_axis >= 0) {
    const int64_t rows = work.loops.shape[work.dense_axis], bands = (rows + tile - 1) / tile;
    const int64_t all = count / work.loops.shape[work.loops.rank - 1] / rows * bands;
    ks_parallel(all, all * parallel_grain / count + 1, copy_bands, &work);
  } else {
    ks_parallel(count, parallel_grain, copy_rows, &work);
  }
}

typedef struct {
  char *data;
  int64_t size;
  uint64_t bits;
} filling;

#define FILL(TYPE)                                                                         \
  {                                                                                        \
    TYPE value = (TYPE)work->bits, *to = (TYPE *)work->data;                               \
    for (int64_t i = first; i < last; i++) to[i] = value;                                  \
    break;                                                                                 \
  }

static void fill_part(void *work_, int64_t first, int64_t last) {
  const filling *work = work_;
  if (work->bits == 0) {
    memset(work->data + first * work->size, 0, (size_t)((last - first) * work->size));
    return;
  }
  switch (work->size) {
    case 1: FILL(uint8_t)
    case 2: FILL(uint16_t)
    case 4: FILL(uint32_t)
    default: FILL(uint64_t)
  }
}

void ks_fill(KSTensor *out, double value) {
  if (out->rank == 0 && out->dtype == KS_FLOAT32) {
    *(float *)out->data = (float)value;
    return;
  }
  int64_t count = element_count(out);
  uint64_t bits = 0;
  if (out->dtype == KS_FLOAT32) {
    float single = (float)value;
    memcpy(&bits, &single, sizeof single);
  } else if (out->dtype == KS_FLOAT64) {
    memcpy(&bits, &value, sizeof value);
  } else {
    ks_active_table()->cast[KS_FLOAT64][out->dtype](&bits, &value, 1, 1, 1);
  }
  filling work = {out->data, (int64_t)ks_element_size(out->dtype), bits};
  if (out->contiguous) {
    if (count < parallel_grain) {
      fill_part(&work, 0, count);
    } else {
      ks_parallel(count, parallel_grain, fill_part, &work);
    }
    return;
  }
  // A view takes the value as a broadcast copy of one element.
  KSTensor element = {.data = &bits, .dtype = out->dtype, .contiguous = true};
  ks_copy(out, &element);
}

double ks_scalar(KSTensor *x) {
  if (x->dtype == KS_FLOAT64) return *(const double *)x->data;
  double value;
  ks_active_table()->cast[x->dtype][KS_FLOAT64](&value, x->data, 1, 1, 1);
  return value;
}
