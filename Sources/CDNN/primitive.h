// SPDX-License-Identifier: Apache-2.0
#ifndef KASANE_PRIMITIVE_H
#define KASANE_PRIMITIVE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cache.h"
#include "cdnn.h"
#include "descriptions.h"

/// The operands of a convolution's primitive.
enum { images_operand, weight_operand, bias_operand, addend_operand, results_operand, scratch_operand, most_operands };

struct cdnn_primitive {
  cdnn_entry entry;
  cdnn_convolution shape;
  dnnl_primitive_desc_t description_of_convolution;
  dnnl_primitive_t convolution;
  /// Between the kernel as it lies in a tensor and the layout that the convolution wants; null where that is the same.
  dnnl_primitive_t reorder;
  /// The kernel as it lies in a tensor, and the addend.
  description weight, addend;
  bool has_weight, has_addend;
  size_t blocked_bytes, scratch_bytes, reorder_scratch_bytes;
  int64_t layout;
  // To make the operands' objects takes as long as a small convolution, so a set of them is kept for the one who comes
  // first; others make their own.
  atomic_bool is_taken;
  dnnl_memory_t kept[most_operands];
  void *data[most_operands];
};

/// The engine and the stream that all primitives run on. Returns the status of making them.
dnnl_status_t cdnn_engine(dnnl_engine_t *engine, dnnl_stream_t *stream);

/// How the kernel lies where the convolution reads or writes it.
description_reference cdnn_blocked_weight(const cdnn_primitive *primitive);

#endif
