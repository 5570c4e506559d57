// SPDX-License-Identifier: Apache-2.0
// The vectorised kernels. Shapes and types are checked by the caller; a kernel only computes.
#ifndef KASANE_KERNELS_H
#define KASANE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ks_batch_norm.h"
#include "ks_images.h"
#include "ks_tensor.h"

#pragma clang assume_nonnull begin

// The order of these lists is the order of the Swift enumerations of the same names.
typedef enum {
  KS_NEGATE,
  KS_ABSOLUTE,
  KS_SIGN,
  KS_SQUARE,
  KS_SQUARE_ROOT,
  KS_RECIPROCAL_SQUARE_ROOT,
  KS_RECIPROCAL,
  KS_EXPONENTIAL,
  KS_EXPONENTIAL_MINUS_ONE,
  KS_LOGARITHM,
  KS_LOGARITHM_ONE_PLUS,
  KS_SINE,
  KS_COSINE,
  KS_TANGENT,
  KS_ARC_SINE,
  KS_ARC_COSINE,
  KS_ARC_TANGENT,
  KS_HYPERBOLIC_SINE,
  KS_HYPERBOLIC_COSINE,
  KS_TANH,
  KS_INVERSE_HYPERBOLIC_SINE,
  KS_INVERSE_HYPERBOLIC_COSINE,
  KS_INVERSE_HYPERBOLIC_TANGENT,
  KS_ERROR_FUNCTION,
  KS_SIGMOID,
  KS_SOFTPLUS,
  KS_RELU,
  KS_GELU,
  KS_GELU_TANH,
  KS_SILU,
  KS_FLOOR,
  KS_CEILING,
  KS_ROUND,
  KS_UNARY_COUNT,
} ks_unary_operation;

typedef enum {
  KS_ADD,
  KS_SUBTRACT,
  KS_MULTIPLY,
  KS_DIVIDE,
  KS_POWER,
  KS_MAXIMUM,
  KS_MINIMUM,
  KS_REMAINDER,
  KS_ARC_TANGENT_2,
  KS_TANH_GRADIENT,
  KS_SIGMOID_GRADIENT,
  KS_RELU_GRADIENT,
  KS_GELU_GRADIENT,
  KS_GELU_TANH_GRADIENT,
  KS_BINARY_COUNT,
} ks_binary_operation;

typedef enum {
  KS_EQUAL,
  KS_NOT_EQUAL,
  KS_LESS,
  KS_LESS_OR_EQUAL,
  KS_GREATER,
  KS_GREATER_OR_EQUAL,
} ks_comparison;

typedef enum {
  KS_SUM_OF,
  KS_PRODUCT_OF,
  KS_MAXIMUM_OF,
  KS_MINIMUM_OF,
} ks_reduction;

/// What came of a call.
enum {
  KS_DONE = 0,
  /// The operation makes no sense for the elements' type.
  KS_WRONG_TYPE = 1,
  /// A whole number was to be divided by zero.
  KS_DIVISION_BY_ZERO = 2,
  /// The system has no more memory.
  KS_OUT_OF_MEMORY = 3,
};

/// out = f(x) element by element, of one shape and type. Returns KS_DONE or KS_WRONG_TYPE.
int32_t ks_unary(int32_t operation, KSTensor *out, KSTensor *x);
/// out = f(a, b) with a and b, of out's type, broadcast to out's shape. out may be a or b where that has out's shape.
int32_t ks_binary(int32_t operation, KSTensor *out, KSTensor *a, KSTensor *b);
/// The same for a comparison: out is of type bool, a and b of one type.
void ks_compare(int32_t comparison, KSTensor *out, KSTensor *a, KSTensor *b);
/// out = a where the bool condition is true, else b, all broadcast to out's shape.
void ks_select(KSTensor *out, KSTensor *condition, KSTensor *a, KSTensor *b);
/// out = x converted to out's type, x broadcast to out's shape; out may be a view.
void ks_copy(KSTensor *out, KSTensor *x);
/// Every element of out becomes value.
void ks_fill(KSTensor *out, double value);
/// out = the reduction of x over the axes where out has size 1 and x has not. Same rank; out contiguous. Returns KS_DONE
/// or KS_WRONG_TYPE.
int32_t ks_reduce(int32_t reduction, KSTensor *out, KSTensor *x);
/// out = where along the axis the first maximum, or minimum, of x is. No half-width types.
void ks_argument(bool minimum, KSTensor *out, KSTensor *x, int32_t axis);
/// out = the sums of x's elements up to each along the axis, or from each on. No half-width types.
int32_t ks_cumulative_sum(KSTensor *out, KSTensor *x, int32_t axis, bool reversed);
// Indices are int64 and contiguous, as are the other operands.

/// out = the slices of x at the indices along the axis.
void ks_take(KSTensor *out, KSTensor *x, KSTensor *indices, int32_t axis);
/// out = the elements of x at the indices along the axis; indices has out's shape.
void ks_take_along(KSTensor *out, KSTensor *x, KSTensor *indices, int32_t axis);
/// Adds the slices of values to those of target at the indices, in order. No half-width types, no bool.
void ks_scatter_add(KSTensor *target, KSTensor *values, KSTensor *indices, int32_t axis);
/// Adds the elements of values to those of target at the indices along the axis; indices has the shape of values.
void ks_scatter_add_along(KSTensor *target, KSTensor *values, KSTensor *indices, int32_t axis);
/// values = the last axis of x in order, indices = where each element was. Equal elements keep their order; NaN is last,
/// or first when descending. Returns KS_DONE or KS_OUT_OF_MEMORY.
int32_t ks_sort(KSTensor *values, KSTensor *indices, KSTensor *x, bool descending);
/// Fills out, of a floating-point type, with the numbers of a generator from a position on: uniform in [0, 1), one
/// number an element, or normal, two.
void ks_random(bool normal, KSTensor *out, uint64_t seed, uint64_t stream, uint64_t position);
/// The softmax over the last axis of contiguous float32 or float64, or its logarithm.
void ks_softmax(KSTensor *out, KSTensor *x, bool logarithm);
/// sum (a - b)^2 / 2 over all elements of two contiguous tensors of one shape.
void ks_half_squared_error(KSTensor *out, KSTensor *a, KSTensor *b);
/// c[m, n] = a[m, k] b[k, n] of type float32, float64, int32 or int64, for what is not worth a library call or no
/// library has. Rows and columns of a and b have any strides, in elements; columns of c are contiguous.
void ks_matrix_product(uint8_t dtype, int64_t m, int64_t n, int64_t k, void *c, int64_t c_row, const void *a,
                       int64_t a_row, int64_t a_column, const void *b, int64_t b_row, int64_t b_column);
/// y[n] = x[k] w[k, n] of float32, contiguous but for w, of which rows or columns are (w_column or w_row is 1).
void ks_row_product(float *y, const float *x, const float *w, int64_t w_row, int64_t w_column, int64_t k, int64_t n);
/// True when every element is finite.
bool ks_all_finite(KSTensor *x);
/// The only element of x.
double ks_scalar(KSTensor *x);

/// The recurrent layer h(t) = f(x(t) W_in + h(t-1) W + b) over a whole sequence, float32, contiguous.
typedef struct {
  int64_t batch, steps, inputs, hidden;
  int32_t activation;  // KS_TANH, KS_SIGMOID or KS_RELU
  const float *x;                    // [batch, steps, inputs]
  const float *input_weight;         // [inputs, hidden]
  const float *recurrent_weight;     // [hidden, hidden]
  const float *_Nullable bias;       // [hidden]
  const float *_Nullable initial;    // [batch, hidden]; zero when null
  float *states;                     // [batch, steps, hidden]: written forward, read backward
  // Backward only. A null gradient is not computed.
  const float *_Nullable gradient;   // [batch, steps, hidden], of the states
  float *_Nullable deltas;           // [batch, steps, hidden], scratch
  float *_Nullable x_gradient;
  float *_Nullable input_weight_gradient;
  float *_Nullable recurrent_weight_gradient;
  float *_Nullable bias_gradient;
  float *_Nullable initial_gradient;
  float *_Nullable transposed;       // [hidden, hidden + inputs], scratch
} ks_recurrent;
void ks_recurrent_forward(const ks_recurrent *task);
void ks_recurrent_backward(const ks_recurrent *task);

/// Philox 4x32-10 (Salmon et al. 2011): the block of four words at a position of a key's stream.
typedef struct {
  uint32_t words[4];
} ks_philox_block;
ks_philox_block ks_philox(uint64_t key, uint64_t stream, uint64_t position);

/// The instruction set in use: "avx512", "avx2", "neon" or "baseline".
const char *ks_instruction_set(void);

/// Threads that parallel kernels use, oneDNN's included.
int32_t ks_threads(void);
void ks_set_threads(int32_t count);
/// Makes the calling thread's parallel regions in libraries have as many threads as ours, and returns the number: each
/// thread that calls a library has a number of its own.
int32_t ks_adopt_threads(void);

/// Makes libraries use the calling thread alone, until `ks_adopt_threads`.
void ks_limit_library(void);

/// Calls body(context, first, last) on parts of [0, count), on several threads when there is more than `grain`.
void ks_parallel(int64_t count, int64_t grain, void (*body)(void *_Nullable, int64_t, int64_t),
                 void *_Nullable context);

/// Calls body(context) at once on the threads of a parallel region, at most `wanted`, the calling one among them. Returns
/// false, and calls nothing, where there are no such regions.
bool ks_parallel_region(int32_t wanted, void (*body)(void *_Nullable), void *_Nullable context);

/// The calling thread's tape, or null; `destroy` is called with it when the thread ends.
void *_Nullable ks_thread_tape(void);
void ks_set_thread_tape(void *tape, void (*destroy)(void *_Nullable));

/// The element type in which the calling thread's matrix products and convolutions are computed: KS_BFLOAT16, or
/// KS_FLOAT32, in which they are as their operands are.
uint8_t ks_thread_precision(void);
void ks_set_thread_precision(uint8_t dtype);

#pragma clang assume_nonnull end

#endif
