// SPDX-License-Identifier: Apache-2.0
#ifndef KASANE_PRIMITIVE_H
#define KASANE_PRIMITIVE_H

#include <stdbool.h>

#include "cache.h"
#include "cdnn.h"
#include "descriptions.h"

struct cdnn_primitive {
  cdnn_entry entry;
  cdnn_convolution shape;
  dnnl_primitive_desc_t description_of_convolution;
  dnnl_primitive_t convolution;
  /// Between the kernel as it lies in a tensor and the layout that the convolution wants; null where that is the same.
  dnnl_primitive_t reorder;
  /// The kernel as it lies in a tensor.
  description weight;
  bool has_weight;
  size_t blocked_bytes, scratch_bytes;
};

/// The engine and the stream that all primitives run on. Returns the status of making them.
dnnl_status_t cdnn_engine(dnnl_engine_t *engine, dnnl_stream_t *stream);

#endif
