// SPDX-License-Identifier: Apache-2.0
// What one instruction set offers: the inner loops, each compiled once for every set.
#ifndef KASANE_TABLE_H
#define KASANE_TABLE_H

#include "ks_attention.h"
#include "ks_batch_norm.h"
#include "ks_gemm.h"
#include "ks_kernels.h"
#include "ks_layer_norm.h"
#include "ks_losses.h"
#include "ks_update.h"
#include "ks_words.h"
#include "recurrent.h"
#include "winograd.h"

typedef void (*ks_unary_loop)(void *out, const void *x, int64_t count, int64_t stride);
/// Strides are in elements.
typedef void (*ks_binary_loop)(void *out, const void *a, const void *b, int64_t count, int64_t a_stride,
                               int64_t b_stride);

typedef void (*ks_select_loop)(void *out, const void *condition, const void *a, const void *b, int64_t count,
                               int64_t condition_stride, int64_t a_stride, int64_t b_stride);
typedef void (*ks_cast_loop)(void *out, const void *x, int64_t count, int64_t out_stride, int64_t stride);

enum { dtypes = KS_BOOL + 1 };

/// The longest part of a row of columns that a loop takes at a time.
enum { column_block = 512 };

/// A reduction for one type. Its totals may be of a wider type than the elements.
// So many words are told apart at a time, by so many of a window at most; see words.inc.
enum { ks_word_tile = 6, ks_word_contexts = 16 };

// What one thread has at hand while it learns from sentences. Rows are `stride` apart, a multiple of 16.
typedef struct {
  int64_t stride;
  // The words of a window, or their mean alone, and what they should change by.
  int64_t contexts;
  float *h, *change;
  // 16 lanes for each context and target, and how wrong each is.
  float *products, *errors;
  // The words that are kept of a sentence, those that two windows are told from, and those of a window but its middle.
  int32_t *kept, *others, *around;
} ks_word_memory;

typedef struct {
  int64_t total_size;
  void (*start)(void *totals, int64_t count);
  /// total = f(total, x[0], x[1], ...)
  void (*row)(void *total, const void *x, int64_t count, int64_t stride);
  /// The same for each of up to `column_block` columns.
  void (*rows)(void *totals, const void *x, int64_t rows, int64_t row_stride, int64_t count, int64_t stride);
  void (*combine)(void *totals, const void *others, int64_t count);
  void (*finish)(void *out, const void *totals, int64_t count, int64_t stride);
} ks_reducer;

/// A matrix by its first element and its two strides.
typedef struct {
  const void *data;
  int64_t row, column;
} ks_matrix;

/// c[m, n] = a[m, k] b[k, n] (+ c when accumulating); c's rows are `ldc` apart.
typedef void (*ks_product_loop)(void *c, int64_t ldc, ks_matrix a, ks_matrix b, int64_t m, int64_t n, int64_t k,
                                bool accumulate);

/// y[n] = x[k] w[k, n], with rows or columns of w contiguous.
typedef void (*ks_row_product_loop)(float *restrict y, const float *restrict x, ks_matrix w, int64_t k, int64_t n);

/// Rows of attention's scores are padded to multiples of this.
enum { attention_lanes = 16 };

/// How much of a sum is taken at a time, so that a panel's part stays in the nearest cache, and how far packed rows lie
/// apart: a little more, else they would all lie in the same lines of a cache.
enum { gemm_panel = 16, gemm_depth = 256, gemm_row = gemm_depth + 16 };

/// The loops of a matrix product; see gemm.inc.
typedef struct {
  void (*product)(float *c, int64_t c_row, const float *rows, const float *panel, int64_t count, int64_t depth,
                  bool accumulates);
  /// The same with rows where they lie, and of a panel's columns only the first `width`.
  void (*rows_by_panel)(float *c, int64_t c_row, const float *rows, int64_t row, const float *panel, int64_t count,
                        int64_t width, int64_t depth, bool accumulates);
  void (*pack_rows)(float *restrict to, ks_gemm_operand x, int64_t rows, int64_t depth);
  void (*pack_columns)(float *restrict to, ks_gemm_operand x, int64_t depth, int64_t columns);
} ks_gemm_loops;

/// What attention does to the rows of its scores.
typedef struct {
  void (*mask)(float *row, int64_t count, const void *mask, bool is_bool, int64_t stride);
  float (*maximum)(const float *row, int64_t count);
  float (*weights)(float *row, int64_t count, float largest);
  void (*gradients)(float *row, float *gradients, int64_t count, float log_sum, float shift, float scale);
  void (*scale)(float *row, int64_t count, float factor);
  void (*finish)(float *log_sums, float *sums, const float *largest, int64_t count);
  float (*dot)(const float *a, const float *b, int64_t count);
  void (*widen)(float *out, const uint16_t *x, int64_t count);
  void (*narrow)(uint16_t *out, const float *x, int64_t count);
} ks_attention_loops;

/// What layer normalisation does to a row.
typedef struct {
  void (*row)(const ks_layer_norm *task, float *y, const float *x, float *moments);
  void (*add)(float *sum, const float *a, const float *b, int64_t count);
  void (*gradient_row)(const ks_layer_norm *task, float *x_gradient, const float *gradient, const float *x,
                       const float *moments, float *scale_gradient, float *shift_gradient);
  void (*widen)(float *out, const uint16_t *x, int64_t count);
  void (*narrow)(uint16_t *out, const float *x, int64_t count);
} ks_layer_norm_loops;

/// What a batch normalisation needs to know of each column.
typedef struct {
  float *mean, *factor, *shift;
  float *slope, *level;  // of the gradient
} ks_batch_norm_columns;

/// The loops of batch normalisation; see batch_norm.inc. Rows lie `row` elements apart, or `count` where none is given.
typedef struct {
  void (*sums)(float *sums, const void *x, int64_t row, int64_t rows, int64_t count);
  void (*squares)(float *sums, const float *means, const void *x, int64_t row, int64_t rows, int64_t count);
  void (*normalize)(const ks_batch_norm_columns *columns, void *y, const void *x, int64_t row, const void *residual,
                    int64_t rows, int64_t count, bool rectifies);
  void (*gradient_sums)(const ks_batch_norm_columns *columns, float *sums, float *products, const void *x, int64_t row,
                        const void *gradient, const void *y, int64_t rows, int64_t count, bool rectifies);
  void (*gradient)(const ks_batch_norm_columns *columns, void *to, int64_t to_row, const void *x, int64_t row,
                   const void *gradient, const void *y, int64_t rows, int64_t count, bool rectifies, bool accumulates);
  void (*rectifier_gradient)(void *to, const void *gradient, const void *y, int64_t count);
} ks_batch_norm_loops;

typedef struct {
  const char *name;
  // By element type; null where an operation makes no sense for it.
  ks_unary_loop unary[KS_UNARY_COUNT][dtypes];
  ks_binary_loop binary[KS_BINARY_COUNT][dtypes];
  /// Results are bool.
  ks_binary_loop comparison[KS_LESS_OR_EQUAL + 1][dtypes];
  /// By the size of an element.
  ks_select_loop select[9];
  /// From one type to another.
  ks_cast_loop cast[dtypes][dtypes];
  /// `row` is null where the reduction makes no sense for the type.
  ks_reducer reduction[KS_MINIMUM_OF + 1][dtypes];
  // By whether the minimum is asked for and by type; null for the half-width types.
  int64_t (*argument_row[2][dtypes])(const void *x, int64_t count, int64_t stride);
  void (*argument_rows[2][dtypes])(int64_t *out, int64_t out_stride, const void *x, int64_t rows, int64_t row_stride,
                                   int64_t count, int64_t stride);
  /// Null for bool and the half-width types.
  void (*cumulative_sum[dtypes])(void *out, int64_t out_row, int64_t out_stride, const void *x, int64_t x_row,
                                 int64_t x_stride, int64_t rows, int64_t count);
  /// The numbers of Philox blocks from one on, two to a block.
  void (*random_bits)(uint64_t *out, uint64_t key, uint64_t stream, uint64_t block, int64_t blocks);
  void (*random_uniform)(double *out, const uint64_t *bits, int64_t count);
  /// Each number is made of two uniform ones.
  void (*random_normal)(double *out, const double *uniform, int64_t count);
  // By element type: 0 for float32, 1 for float64.
  void (*softmax[2])(void *out, const void *x, int64_t count, bool logarithm);
  /// Of a row of two times n elements: 0 for float32, 1 for bfloat16.
  void (*gated_tanh[2])(void *y, const void *x, int64_t n);
  void (*gated_tanh_gradient[2])(void *out, const void *gradient, const void *x, int64_t n);
  double (*cross_entropy_row)(const ks_cross_entropy *task, int64_t row);
  void (*cross_entropy_gradient_row)(const ks_cross_entropy *task, int64_t row);
  double (*half_squared_error[2])(const void *a, const void *b, int64_t count);
  /// One optimizer's rule for the elements [first, last) of a parameter.
  void (*update[KS_RULE_COUNT][2])(const ks_update_part *part, const double *numbers, int64_t first, int64_t last);
  double (*sum_of_squares[2])(const void *x, int64_t count);
  /// See words.inc.
  void (*learn_sentence)(const ks_words *job, int64_t sentence, ks_word_memory *memory, ks_words_sums *sums);
  /// By floating-point type.
  bool (*all_finite[4])(const void *x, int64_t count);
  // By element type, float32, float64 and bfloat16.
  /// Parts of a pooling: results from `first` to `last`, or rows of the images in the case of the gradients.
  void (*maximum_pool[3])(const ks_pooling *shape, void *values, int32_t *indices, const void *x, int64_t first,
                          int64_t last);
  void (*maximum_pool_gradient[3])(const ks_pooling *shape, void *x, const int32_t *indices, const void *gradient,
                                   int64_t first, int64_t last);
  void (*average_pool[3])(const ks_pooling *shape, void *y, const void *x, int64_t first, int64_t last);
  void (*average_pool_gradient[3])(const ks_pooling *shape, void *x, const void *gradient, int64_t first,
                                   int64_t last);
  /// For float32 and bfloat16.
  ks_batch_norm_loops batch_norm[KS_BFLOAT16 + 1];
  /// For float32, float64, int32 and int64.
  ks_product_loop product[dtypes];
  ks_row_product_loop row_product;
  void (*recurrent_forward)(const ks_recurrent *task);
  void (*recurrent_backward)(const ks_recurrent *task);
  ks_attention_loops attention;
  ks_layer_norm_loops layer_norm;
  ks_cell_loops cells;
  ks_winograd_loops winograd;
  ks_gemm_loops gemm;
} ks_table;

extern const ks_table ks_table_baseline;
#if defined(__x86_64__)
extern const ks_table ks_table_avx2;
extern const ks_table ks_table_avx512;
#endif

/// The table of the best instruction set that the machine has and KASANE_ISA allows.
const ks_table *ks_active_table(void);

#endif
