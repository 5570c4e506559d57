// SPDX-License-Identifier: Apache-2.0
// How the inner loops walk over strided and broadcast tensors.
#include <math.h>
#include <string.h>

#include "table.h"

enum { operands_limit = 3, parallel_grain = 1 << 15 };

/// A loop nest over up to three operands with neighbouring axes merged where every operand allows it.
typedef struct {
  int32_t rank, operands;
  int64_t shape[KS_MAX_RANK];
  int64_t strides[operands_limit][KS_MAX_RANK];
} nest;

static void add_operand(nest *loops, const KSTensor *shaped_like, const KSTensor *tensor) {
  int64_t *strides = loops->strides[loops->operands++];
  int32_t missing = shaped_like->rank - tensor->rank;
  for (int32_t axis = 0; axis < shaped_like->rank; axis++) {
    bool broadcast = axis < missing || tensor->shape[axis - missing] == 1;
    strides[axis] = broadcast ? 0 : tensor->strides[axis - missing];
  }
}

static void merge_axes(nest *loops, const KSTensor *shaped_like) {
  int32_t rank = 0;
  for (int32_t axis = 0; axis < shaped_like->rank; axis++) {
    if (shaped_like->shape[axis] == 1) continue;
    bool merges = rank > 0;
    for (int32_t i = 0; merges && i < loops->operands; i++) {
      merges = loops->strides[i][rank - 1] == loops->strides[i][axis] * shaped_like->shape[axis];
    }
    if (merges) rank--;
    loops->shape[rank] = merges ? loops->shape[rank] * shaped_like->shape[axis] : shaped_like->shape[axis];
    for (int32_t i = 0; i < loops->operands; i++) loops->strides[i][rank] = loops->strides[i][axis];
    rank++;
  }
  if (rank == 0) {
    loops->shape[0] = 1;
    for (int32_t i = 0; i < loops->operands; i++) loops->strides[i][0] = 0;
    rank = 1;
  }
  loops->rank = rank;
}

static int64_t outer_count(const nest *loops) {
  int64_t count = 1;
  for (int32_t axis = 0; axis + 1 < loops->rank; axis++) count *= loops->shape[axis];
  return count;
}

/// Where the operands' inner rows begin for the outer position `index`.
static void offsets_at(const nest *loops, int64_t index, int64_t *offsets) {
  for (int32_t i = 0; i < loops->operands; i++) offsets[i] = 0;
  for (int32_t axis = loops->rank - 2; axis >= 0; axis--) {
    int64_t position = index % loops->shape[axis];
    index /= loops->shape[axis];
    for (int32_t i = 0; i < loops->operands; i++) offsets[i] += position * loops->strides[i][axis];
  }
}

typedef struct {
  nest loops;
  char *out;
  const char *a, *b;
  size_t size;
  ks_unary_loop unary;
  ks_binary_loop binary;
} elementwise;

static void run_row(const elementwise *work, const int64_t *offsets, int64_t first, int64_t count) {
  const int32_t inner = work->loops.rank - 1;
  const int64_t out_stride = work->loops.strides[0][inner], a_stride = work->loops.strides[1][inner];
  const int64_t size = (int64_t)work->size;
  char *out = work->out + (offsets[0] + first * out_stride) * size;
  const char *a = work->a + (offsets[1] + first * a_stride) * size;
  if (work->unary != NULL) {
    work->unary(out, a, count, a_stride);
  } else {
    const int64_t b_stride = work->loops.strides[2][inner];
    work->binary(out, a, work->b + (offsets[2] + first * b_stride) * size, count, a_stride, b_stride);
  }
}

static void run_inner_part(void *work, int64_t first, int64_t last) {
  const int64_t none[operands_limit] = {0};
  run_row(work, none, first, last - first);
}

static void run_outer_part(void *work_, int64_t first, int64_t last) {
  const elementwise *work = work_;
  const int64_t inner = work->loops.shape[work->loops.rank - 1];
  for (int64_t row = first; row < last; row++) {
    int64_t offsets[operands_limit];
    offsets_at(&work->loops, row, offsets);
    run_row(work, offsets, 0, inner);
  }
}

static int64_t element_count(const KSTensor *x) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < x->rank; axis++) count *= x->shape[axis];
  return count;
}

static void run(elementwise *work, const KSTensor *out) {
  if (element_count(out) == 0) return;
  merge_axes(&work->loops, out);
  int64_t inner = work->loops.shape[work->loops.rank - 1];
  if (work->loops.rank == 1) {
    ks_parallel(inner, parallel_grain, run_inner_part, work);
  } else {
    ks_parallel(outer_count(&work->loops), parallel_grain / inner + 1, run_outer_part, work);
  }
}

void ks_unary(int32_t operation, KSTensor *out, KSTensor *x) {
  ks_unary_loop loop = ks_active_table()->unary[operation][out->dtype];
  int64_t count = element_count(out);
  if (x->contiguous && count < parallel_grain) {
    loop(out->data, x->data, count, 1);
    return;
  }
  elementwise work = {.out = out->data, .a = x->data, .size = ks_element_size(out->dtype), .unary = loop};
  add_operand(&work.loops, out, out);
  add_operand(&work.loops, out, x);
  run(&work, out);
}

static bool same_shape(const KSTensor *a, const KSTensor *b) {
  return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

void ks_binary(int32_t operation, KSTensor *out, KSTensor *a, KSTensor *b) {
  ks_binary_loop loop = ks_active_table()->binary[operation][out->dtype];
  int64_t count = element_count(out);
  if (a->contiguous && b->contiguous && count < parallel_grain && same_shape(a, out)) {
    bool scalar = b->rank == 0;
    if (scalar || same_shape(b, out)) {
      loop(out->data, a->data, b->data, count, 1, scalar ? 0 : 1);
      return;
    }
  }
  elementwise work = {
      .out = out->data, .a = a->data, .b = b->data, .size = ks_element_size(out->dtype), .binary = loop};
  add_operand(&work.loops, out, out);
  add_operand(&work.loops, out, a);
  add_operand(&work.loops, out, b);
  run(&work, out);
}

// A half-precision number by way of single precision; bfloat16 rounds to nearest even.
static inline float from_bfloat16(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

static inline uint16_t to_bfloat16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x40);
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1)) >> 16);
}

static float from_float16(uint16_t bits) {
  int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  float magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                    : exponent == 0 ? ldexpf((float)fraction, -24)
                                    : ldexpf((float)(fraction + 1024), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

static uint16_t to_float16(float value) {
  uint16_t sign = signbit(value) ? 0x8000 : 0;
  float magnitude = fabsf(value);
  if (magnitude != magnitude) return sign | 0x7e00;
  if (magnitude >= 65520.0f) return sign | 0x7c00;
  if (magnitude < 0x1p-14f) return sign | (uint16_t)nearbyintf(magnitude * 0x1p24f);
  int exponent;
  float fraction = frexpf(magnitude, &exponent);  // in [1/2, 1)
  return sign | (uint16_t)(((exponent + 13) << 10) + (int)nearbyintf(fraction * 2048) );
}

static double read_element(const char *from, uint8_t dtype) {
  switch ((ks_dtype)dtype) {
    case KS_FLOAT32: return *(const float *)from;
    case KS_FLOAT64: return *(const double *)from;
    case KS_BFLOAT16: return from_bfloat16(*(const uint16_t *)from);
    case KS_FLOAT16: return from_float16(*(const uint16_t *)from);
    case KS_INT8: return *(const int8_t *)from;
    case KS_UINT8: return *(const uint8_t *)from;
    case KS_INT32: return *(const int32_t *)from;
    case KS_INT64: return (double)*(const int64_t *)from;
    case KS_BOOL: return *(const uint8_t *)from;
  }
  return 0;
}

// Whole numbers saturate; NaN becomes 0.
static inline int64_t saturated(double value, double low, double high) {
  return value != value ? 0 : value <= low ? (int64_t)low : value >= high ? (int64_t)high : (int64_t)value;
}

static void write_element(char *to, uint8_t dtype, double value) {
  switch ((ks_dtype)dtype) {
    case KS_FLOAT32: *(float *)to = (float)value; break;
    case KS_FLOAT64: *(double *)to = value; break;
    case KS_BFLOAT16: *(uint16_t *)to = to_bfloat16((float)value); break;
    case KS_FLOAT16: *(uint16_t *)to = to_float16((float)value); break;
    case KS_INT8: *(int8_t *)to = (int8_t)saturated(value, INT8_MIN, INT8_MAX); break;
    case KS_UINT8: *(uint8_t *)to = (uint8_t)saturated(value, 0, UINT8_MAX); break;
    case KS_INT32: *(int32_t *)to = (int32_t)saturated(value, INT32_MIN, INT32_MAX); break;
    case KS_INT64:
      *(int64_t *)to = value >= 0x1p63 ? INT64_MAX : value < -0x1p63 ? INT64_MIN : value != value ? 0 : (int64_t)value;
      break;
    case KS_BOOL: *(uint8_t *)to = value != 0; break;
  }
}

void ks_copy(KSTensor *out, KSTensor *x) {
  if (element_count(out) == 0) return;
  const int64_t out_size = (int64_t)ks_element_size(out->dtype), x_size = (int64_t)ks_element_size(x->dtype);
  const bool same_type = out->dtype == x->dtype;
  nest loops = {0};
  add_operand(&loops, out, out);
  add_operand(&loops, out, x);
  merge_axes(&loops, out);
  const int32_t inner = loops.rank - 1;
  const int64_t count = loops.shape[inner], rows = outer_count(&loops);
  const int64_t out_stride = loops.strides[0][inner], x_stride = loops.strides[1][inner];
  for (int64_t row = 0; row < rows; row++) {
    int64_t offsets[operands_limit];
    offsets_at(&loops, row, offsets);
    char *to = (char *)out->data + offsets[0] * out_size;
    const char *from = (const char *)x->data + offsets[1] * x_size;
    if (same_type && out_stride == 1 && x_stride == 1) {
      memcpy(to, from, (size_t)(count * out_size));
    } else if (same_type && out_size == 4) {
      for (int64_t i = 0; i < count; i++) ((uint32_t *)to)[i * out_stride] = ((const uint32_t *)from)[i * x_stride];
    } else if (same_type) {
      for (int64_t i = 0; i < count; i++) {
        memcpy(to + i * out_stride * out_size, from + i * x_stride * x_size, (size_t)out_size);
      }
    } else if (x->dtype == KS_INT64 && out->dtype == KS_INT32) {
      for (int64_t i = 0; i < count; i++) ((int32_t *)to)[i * out_stride] = (int32_t)((const int64_t *)from)[i * x_stride];
    } else {
      for (int64_t i = 0; i < count; i++) {
        double value = read_element(from + i * x_stride * x_size, x->dtype);
        write_element(to + i * out_stride * out_size, out->dtype, value);
      }
    }
  }
}

void ks_fill(KSTensor *out, double value) {
  int64_t count = element_count(out), size = (int64_t)ks_element_size(out->dtype);
  if (value == 0 && !signbit(value)) {
    memset(out->data, 0, (size_t)(count * size));
    return;
  }
  if (out->dtype == KS_FLOAT32) {
    float *data = out->data, single = (float)value;
    for (int64_t i = 0; i < count; i++) data[i] = single;
    return;
  }
  for (int64_t i = 0; i < count; i++) write_element((char *)out->data + i * size, out->dtype, value);
}

void ks_sum(KSTensor *out, KSTensor *x) {
  const ks_table *table = ks_active_table();
  const int64_t size = (int64_t)ks_element_size(x->dtype);
  ks_fill(out, 0);
  if (element_count(x) == 0) return;
  nest loops = {0};
  add_operand(&loops, x, out);
  add_operand(&loops, x, x);
  merge_axes(&loops, x);
  const int32_t inner = loops.rank - 1;
  const int64_t count = loops.shape[inner], rows = outer_count(&loops);
  const int64_t out_stride = loops.strides[0][inner], x_stride = loops.strides[1][inner];
  for (int64_t row = 0; row < rows; row++) {
    int64_t offsets[operands_limit];
    offsets_at(&loops, row, offsets);
    char *to = (char *)out->data + offsets[0] * size;
    const char *from = (const char *)x->data + offsets[1] * size;
    if (out_stride == 0) {
      table->sum[x->dtype](to, from, count, x_stride);
    } else {
      table->binary[KS_ADD][x->dtype](to, to, from, count, out_stride, x_stride);
    }
  }
}

void ks_half_squared_error(KSTensor *out, KSTensor *a, KSTensor *b) {
  ks_active_table()->half_squared_error[a->dtype](out->data, a->data, b->data, element_count(a));
}

void ks_descend(KSTensor *parameter, KSTensor *gradient, double rate) {
  int64_t count = element_count(parameter);
  ks_active_table()->descend[parameter->dtype](parameter->data, gradient->data, rate, count);
}

bool ks_all_finite(KSTensor *x) {
  int64_t count = element_count(x), size = (int64_t)ks_element_size(x->dtype);
  if (x->dtype == KS_FLOAT32) return ks_active_table()->all_finite(x->data, count);
  for (int64_t i = 0; i < count; i++) {
    if (!isfinite(read_element((const char *)x->data + i * size, x->dtype))) return false;
  }
  return true;
}

double ks_scalar(KSTensor *x) { return read_element(x->data, x->dtype); }

void ks_small_matrix_product(uint8_t dtype, int64_t m, int64_t n, int64_t k, void *c, int64_t c_row, const void *a,
                             int64_t a_row, int64_t a_column, const void *b, int64_t b_row, int64_t b_column) {
  if (dtype == KS_FLOAT32) {
    ks_matrix left = {a, a_row, a_column}, right = {b, b_row, b_column};
    ks_active_table()->product(c, c_row, left, right, m, n, k, false);
    return;
  }
  const double *left = a, *right = b;
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) {
      double total = 0;
      for (int64_t p = 0; p < k; p++) total += left[i * a_row + p * a_column] * right[p * b_row + j * b_column];
      ((double *)c)[i * c_row + j] = total;
    }
  }
}

void ks_recurrent_forward(const ks_recurrent *task) { ks_active_table()->recurrent_forward(task); }
void ks_recurrent_backward(const ks_recurrent *task) { ks_active_table()->recurrent_backward(task); }
