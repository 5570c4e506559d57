// SPDX-License-Identifier: Apache-2.0
// A thin layer over oneDNN that speaks both its version 2 and its version 3.
#ifndef KASANE_CDNN_H
#define KASANE_CDNN_H

#include <stddef.h>
#include <stdint.h>

/// The version of the oneDNN library that is loaded, such as "2.6.3".
const char *cdnn_version(void);

/// C = alpha op(A) op(B) + beta C, row-major, single precision. op is the transpose where the flag is set.
/// Returns 0, or oneDNN's status code.
int cdnn_sgemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
               int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

/// oneDNN's name of a status code, such as "unimplemented".
const char *cdnn_status_name(int status);
/// Whether a status code says that the library has no such operation; 1 or 0.
int cdnn_is_unimplemented(int status);

/// The types of elements that products and convolutions compute with.
enum { CDNN_FLOAT32, CDNN_BFLOAT16 };

/// What becomes of each element of a result.
enum {
  CDNN_IDENTITY,
  CDNN_RELU,
  CDNN_TANH,
  CDNN_SIGMOID,
  CDNN_GELU,
  CDNN_GELU_TANH,
  CDNN_SILU,
  // The following only of convolutions.
  CDNN_RELU6,
  CDNN_LEAKY_RELU,  // of slope 0.01
  CDNN_HARD_SWISH,
};

/// What a convolution's primitive computes from the other two of images, kernel and results.
enum { CDNN_RESULTS, CDNN_IMAGES_GRADIENT, CDNN_WEIGHT_GRADIENT };

/// A convolution: images [batch, height, width, inputs], a kernel [kernel_height, kernel_width, inputs / groups, outputs]
/// and results [batch, out_height, out_width, outputs], all contiguous and not empty. The results are
/// f(convolution + bias + addend).
///
/// Images, results and addend are of `type`; kernel and bias are always float32, and so are all sums.
typedef struct {
  int64_t computes, type, has_bias;
  int64_t has_addend, activation;  // of the results
  int64_t threads;                 // that the calling thread's parallel regions have
  int64_t batch, height, width, inputs, out_height, out_width, outputs, kernel_height, kernel_width;
  int64_t stride_height, stride_width, dilation_height, dilation_width;
  int64_t top, left, bottom, right;  // zeros around the images; the latter two may be negative, down to 1 - stride
  int64_t groups;
} cdnn_convolution;

/// A convolution made ready. Making one is slow, so they are kept; any thread may use one.
typedef struct cdnn_primitive cdnn_primitive;

/// What a convolution reads and writes. Bias and addend are null where the shape has none.
typedef struct {
  void *images, *weight;
  const float *bias;
  const void *addend;
  void *results;
  int64_t is_packed;  // whether the weight lies as `cdnn_convolution_pack` has left it
} cdnn_operands;

/// Finds a convolution among those kept, or makes it. It must be given back. Returns 0, or oneDNN's status code: where
/// there is only its reference implementation, that the convolution is unimplemented.
int cdnn_convolution_find(const cdnn_convolution *shape, cdnn_primitive **primitive);
void cdnn_convolution_give_back(cdnn_primitive *primitive);

/// Bytes of memory, aligned to 64 bytes, that computing takes, with a weight as it lies in a tensor or a packed one.
size_t cdnn_convolution_workspace(const cdnn_primitive *primitive, int64_t is_packed);
/// Computes the one of images, weight and results that the primitive is for. Returns 0, or oneDNN's status code.
int cdnn_convolution_run(cdnn_primitive *primitive, const cdnn_operands *operands, void *workspace);

/// Bytes that the kernel takes in the layout that the primitive likes best; 0 where that is the tensor's own.
size_t cdnn_convolution_packed_bytes(const cdnn_primitive *primitive);
/// A number that two primitives have in common exactly where they like the same layout of the same kernel.
int64_t cdnn_convolution_layout(const cdnn_primitive *primitive);
/// How the kernel lies inside of a block of some outputs by some inputs in a layout.
enum {
  CDNN_UNKNOWN_BLOCKS,
  CDNN_INPUT_PAIRS,   // bfloat16: [outputs][2 inputs]
  CDNN_OUTPUT_PAIRS,  // bfloat16: [8][16 inputs][2 outputs]
  CDNN_OUTPUT_ROWS,   // of a gradient, float32: [16 inputs][16 outputs]
};
typedef struct {
  int64_t kind, outputs;  // outputs of a block
  int64_t output_stride, input_stride, place_stride;  // numbers from one block, and from one place of the kernel, to the next
} cdnn_blocks;
/// The layout that the primitive likes best, where it is one of those.
void cdnn_convolution_blocks(const cdnn_primitive *primitive, cdnn_blocks *blocks);

/// Lays a kernel out like that.
int cdnn_convolution_pack(cdnn_primitive *primitive, const float *weight, void *packed, void *workspace);

/// Matrix products c[m, n] = f(a[m, k] b[k, n] + bias[n]), accumulated in single precision; none of the sizes is 0.
/// Strides are in elements. A row's or a column's elements of a and b lie side by side; c's rows do so.
typedef struct {
  int64_t threads;              // that the calling thread's parallel regions have
  int64_t batch, m, n, k;       // so many products of one shape
  int64_t a_batch, a_row, a_column;  // a_batch is 0 where all products have one left operand
  int64_t b_batch, b_row, b_column;
  int64_t c_row;                // one product's results follow the other's
  int64_t operand_type, result_type;
  int64_t has_bias, activation;
  int64_t is_packed;            // b lies as `cdnn_product_pack` has left it; its strides are 0
} cdnn_product;

typedef struct cdnn_product_primitive cdnn_product_primitive;

/// As for convolutions. Not in a parallel region, unless `threads` is 1.
int cdnn_product_find(const cdnn_product *shape, cdnn_product_primitive **primitive, size_t *workspace);
int cdnn_product_run(cdnn_product_primitive *primitive, const void *a, const void *b, const float *bias, void *c,
                     void *workspace);

/// Gives a product back that is not to be run.
void cdnn_product_release(cdnn_product_primitive *primitive);

/// Bytes that the right operand of such products takes in the layout that the library likes best; 0 where that is the
/// plain one. The left operand and the batch do not matter.
size_t cdnn_product_packed_bytes(const cdnn_product *shape);
/// Lays b, of the given type and with the shape's strides, out like that in the shape's type.
int cdnn_product_pack(const cdnn_product *shape, int64_t type, const void *b, void *packed);

#endif
