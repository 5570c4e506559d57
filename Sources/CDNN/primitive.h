// SPDX-License-Identifier: Apache-2.0
#ifndef KASANE_PRIMITIVE_H
#define KASANE_PRIMITIVE_H

#include <stdbool.h>

#include "cdnn.h"
#include "descriptions.h"

struct cdnn_primitive {
  cdnn_convolution shape;
  dnnl_primitive_desc_t description_of_convolution;
  dnnl_primitive_t convolution;
  /// Between the kernel as it lies in a tensor and the layout that the convolution wants; null where that is the same.
  dnnl_primitive_t reorder;
  /// The kernel as it lies in a tensor.
  description weight;
  bool has_weight;
  size_t blocked_bytes, scratch_bytes;
  // The cache's own: how many use it, the next of its bucket, and its neighbours in the order of their last use.
  int64_t users;
  cdnn_primitive *next, *older, *newer;
};

/// The engine and the stream that all primitives run on. Returns the status of making them.
dnnl_status_t cdnn_engine(dnnl_engine_t *engine, dnnl_stream_t *stream);

/// Makes what belongs to `primitive->shape`; what was made must be destroyed also where that fails.
dnnl_status_t cdnn_primitive_make(cdnn_primitive *primitive);
void cdnn_primitive_destroy(cdnn_primitive *primitive);

/// The primitive of this shape, which the caller then uses, or null.
cdnn_primitive *cdnn_cache_find(const cdnn_convolution *shape);
/// Keeps a new primitive, which the caller uses. Returns it, or the one that another thread made meanwhile.
cdnn_primitive *cdnn_cache_add(cdnn_primitive *primitive);
/// Ends the caller's use.
void cdnn_cache_release(cdnn_primitive *primitive);

#endif
