// SPDX-License-Identifier: Apache-2.0
// Convolutions at work: the weight laid out where that is not done yet, the operands handed over.
#include <string.h>

#include "primitive.h"

#define TRY(CALL)                                   \
  do {                                              \
    dnnl_status_t status_ = (CALL);                 \
    if (status_ != dnnl_success) return status_;    \
  } while (0)

static bool finds_weight_gradient(const cdnn_primitive *p) { return p->shape.computes == CDNN_WEIGHT_GRADIENT; }

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t cdnn_convolution_workspace(const cdnn_primitive *p, int64_t is_packed) {
  if (is_packed) return p->scratch_bytes;
  return p->blocked_bytes + larger(p->scratch_bytes, p->reorder_scratch_bytes);
}

size_t cdnn_convolution_packed_bytes(const cdnn_primitive *p) { return p->blocked_bytes; }

int64_t cdnn_convolution_layout(const cdnn_primitive *p) { return p->layout; }

void cdnn_convolution_blocks(const cdnn_primitive *p, cdnn_blocks *blocks) {
  enum { of_outputs, of_inputs, of_rows, of_columns };
  const dnnl_dim_t *strides, *sizes, *axes;
  int count;
  *blocks = (cdnn_blocks){CDNN_UNKNOWN_BLOCKS};
  if (p->reorder == NULL || p->shape.groups != 1) return;
  find_blocks(cdnn_blocked_weight(p), &strides, &count, &sizes, &axes);
  // The rows of the kernel must follow each other.
  if (strides[of_rows] != strides[of_columns] * p->shape.kernel_width) return;
  const bool is_half = p->shape.type == CDNN_BFLOAT16 && !finds_weight_gradient(p);
  if (is_half && count == 2 && axes[0] == of_outputs && sizes[0] % 16 == 0 && axes[1] == of_inputs && sizes[1] == 2) {
    *blocks = (cdnn_blocks){CDNN_INPUT_PAIRS, sizes[0]};
  } else if (is_half && count == 3 && axes[0] == of_outputs && sizes[0] == 8 && axes[1] == of_inputs && sizes[1] == 16 &&
             axes[2] == of_outputs && sizes[2] == 2) {
    *blocks = (cdnn_blocks){CDNN_OUTPUT_PAIRS, 16};
  } else if (finds_weight_gradient(p) && count == 2 && axes[0] == of_inputs && sizes[0] == 16 && axes[1] == of_outputs &&
             sizes[1] == 16) {
    *blocks = (cdnn_blocks){CDNN_OUTPUT_ROWS, 16};
  }
  blocks->output_stride = strides[of_outputs], blocks->input_stride = strides[of_inputs];
  blocks->place_stride = strides[of_columns];
}

/// Which argument of the primitive an operand is.
static int argument_of(const cdnn_primitive *p, int operand) {
  switch (operand) {
    case images_operand: return p->shape.computes == CDNN_IMAGES_GRADIENT ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC;
    case weight_operand: return finds_weight_gradient(p) ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS;
    case bias_operand: return DNNL_ARG_BIAS;
    case addend_operand: return DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;
    case results_operand: return p->shape.computes == CDNN_RESULTS ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST;
    default: return DNNL_ARG_SCRATCHPAD;
  }
}

/// How an operand lies; null for one that the primitive has no use for.
static description_reference layout_of(const cdnn_primitive *p, int operand) {
  const bool is_forward = p->shape.computes == CDNN_RESULTS;
  dnnl_query_t what;
  switch (operand) {
    case images_operand:
      what = p->shape.computes == CDNN_IMAGES_GRADIENT ? dnnl_query_diff_src_md : dnnl_query_src_md;
      break;
    case weight_operand: return cdnn_blocked_weight(p);
    case bias_operand:
      if (!is_forward || !p->shape.has_bias) return NULL;
      return dnnl_primitive_desc_query_md(p->description_of_convolution, dnnl_query_weights_md, 1);
    case addend_operand: return p->has_addend ? refer(&p->addend) : NULL;
    case results_operand: what = is_forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md; break;
    default:
      if (p->scratch_bytes == 0) return NULL;
      what = dnnl_query_scratchpad_md;
  }
  return dnnl_primitive_desc_query_md(p->description_of_convolution, what, 0);
}

static dnnl_status_t make_memories(const cdnn_primitive *p, dnnl_engine_t engine, dnnl_memory_t *memories,
                                   void *const *data) {
  for (int i = 0; i < most_operands; i++) {
    description_reference layout = layout_of(p, i);
    if (layout != NULL) TRY(dnnl_memory_create(&memories[i], layout, engine, data[i]));
  }
  return dnnl_success;
}

/// Points the kept objects to other data.
static dnnl_status_t move_kept(cdnn_primitive *p, dnnl_engine_t engine, void *const *data) {
  if (p->kept[images_operand] == NULL) {
    TRY(make_memories(p, engine, p->kept, data));
    memcpy(p->data, data, sizeof p->data);
  }
  for (int i = 0; i < most_operands; i++) {
    if (p->kept[i] == NULL || p->data[i] == data[i]) continue;
    TRY(dnnl_memory_set_data_handle(p->kept[i], data[i]));
    p->data[i] = data[i];
  }
  return dnnl_success;
}

static dnnl_status_t execute(const cdnn_primitive *p, dnnl_stream_t stream, dnnl_memory_t *memories) {
  dnnl_exec_arg_t given[most_operands];
  int count = 0;
  for (int i = 0; i < most_operands; i++) {
    if (memories[i] != NULL) given[count++] = (dnnl_exec_arg_t){argument_of(p, i), memories[i]};
  }
  TRY(dnnl_primitive_execute(p->convolution, stream, count, given));
  return dnnl_stream_wait(stream);
}

static dnnl_status_t convolve(cdnn_primitive *p, dnnl_engine_t engine, dnnl_stream_t stream, void *const *data) {
  if (!atomic_exchange_explicit(&p->is_taken, true, memory_order_acquire)) {
    dnnl_status_t status = move_kept(p, engine, data);
    if (status == dnnl_success) status = execute(p, stream, p->kept);
    atomic_store_explicit(&p->is_taken, false, memory_order_release);
    return status;
  }
  dnnl_memory_t memories[most_operands] = {NULL};
  dnnl_status_t status = make_memories(p, engine, memories, data);
  if (status == dnnl_success) status = execute(p, stream, memories);
  for (int i = 0; i < most_operands; i++) {
    if (memories[i] != NULL) dnnl_memory_destroy(memories[i]);
  }
  return status;
}

/// Between the kernel as it lies in a tensor and the layout that the convolution wants, in the direction that the
/// primitive is for.
static dnnl_status_t reorder(const cdnn_primitive *p, dnnl_engine_t engine, dnnl_stream_t stream, void *plain,
                             void *blocked, void *scratch) {
  enum { plain_one, blocked_one, scratch_one, most };
  const bool back = finds_weight_gradient(p);
  const_dnnl_primitive_desc_t made;
  TRY(dnnl_primitive_get_primitive_desc(p->reorder, &made));
  dnnl_exec_arg_t given[most] = {{back ? DNNL_ARG_TO : DNNL_ARG_FROM, NULL},
                                 {back ? DNNL_ARG_FROM : DNNL_ARG_TO, NULL},
                                 {DNNL_ARG_SCRATCHPAD, NULL}};
  dnnl_status_t status = dnnl_memory_create(&given[plain_one].memory, refer(&p->weight), engine, plain);
  if (status == dnnl_success) {
    status = dnnl_memory_create(&given[blocked_one].memory, cdnn_blocked_weight(p), engine, blocked);
  }
  const bool has_scratch = p->reorder_scratch_bytes > 0;
  if (status == dnnl_success && has_scratch) {
    status = dnnl_memory_create(&given[scratch_one].memory,
                                dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0), engine, scratch);
  }
  if (status == dnnl_success) status = dnnl_primitive_execute(p->reorder, stream, has_scratch ? most : most - 1, given);
  if (status == dnnl_success) status = dnnl_stream_wait(stream);
  for (int i = 0; i < most; i++) {
    if (given[i].memory != NULL) dnnl_memory_destroy(given[i].memory);
  }
  return status;
}

int cdnn_convolution_run(cdnn_primitive *p, const cdnn_operands *operands, void *workspace) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  const bool reorders = p->reorder != NULL && !operands->is_packed, back = finds_weight_gradient(p);
  void *scratch = reorders ? (char *)workspace + p->blocked_bytes : workspace;
  void *blocked = reorders ? workspace : operands->weight;
  void *const data[most_operands] = {
      [images_operand] = operands->images,         [weight_operand] = blocked,
      [bias_operand] = (void *)operands->bias,     [addend_operand] = (void *)operands->addend,
      [results_operand] = operands->results,       [scratch_operand] = scratch,
  };
  if (reorders && !back) TRY(reorder(p, engine, stream, operands->weight, blocked, scratch));
  TRY(convolve(p, engine, stream, data));
  if (reorders && back) TRY(reorder(p, engine, stream, operands->weight, blocked, scratch));
  return dnnl_success;
}

int cdnn_convolution_pack(cdnn_primitive *p, const float *weight, void *packed, void *workspace) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  return reorder(p, engine, stream, (void *)weight, packed, workspace);
}
