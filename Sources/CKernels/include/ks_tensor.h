// SPDX-License-Identifier: Apache-2.0
// The object behind a tensor: header and elements in one pooled, 64-byte-aligned block.
#ifndef KASANE_TENSOR_H
#define KASANE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KS_MAX_RANK 8

typedef enum {
  KS_FLOAT32 = 0,
  KS_FLOAT64 = 1,
  KS_BFLOAT16 = 2,
  KS_FLOAT16 = 3,
  KS_INT8 = 4,
  KS_UINT8 = 5,
  KS_INT32 = 6,
  KS_INT64 = 7,
  KS_BOOL = 8,
} ks_dtype;

#pragma clang assume_nonnull begin

/// Header of a tensor; its elements follow in the same block, or belong to another tensor where it is a view.
typedef struct {
  // What every use touches comes first, on one cache line with the first sizes.
  void *_Nullable data;
  /// Where on the tape the value was made; meaningful while `scope` is the tape's.
  int32_t node;
  uint32_t scope;
  int32_t size_class;
  uint8_t rank;
  uint8_t dtype;
  uint8_t device;
  bool contiguous;
  int64_t shape[KS_MAX_RANK];
  int64_t strides[KS_MAX_RANK];
} KSTensor;

static inline size_t ks_element_size(uint8_t dtype) {
  static const uint8_t sizes[] = {4, 8, 2, 2, 1, 1, 4, 8, 1};
  return sizes[dtype];
}

/// A new contiguous tensor with unset elements; null when a size is negative or the memory cannot be had.
KSTensor *_Nullable ks_tensor_make(uint8_t dtype, uint8_t device, int32_t rank, const int64_t *shape);

/// The same with the shape, type and device of another.
KSTensor *_Nullable ks_tensor_make_like(const KSTensor *other);

/// A view of `base` at an offset of `offset` elements. The caller keeps the elements alive.
KSTensor *_Nullable ks_tensor_view(const KSTensor *base, int32_t rank, const int64_t *shape,
                                   const int64_t *strides, int64_t offset);

/// The view of `base` at one index of an axis, that axis taken away.
KSTensor *_Nullable ks_tensor_select(const KSTensor *base, int32_t axis, int64_t index);

/// Whether a tensor has the given sizes.
static inline bool ks_tensor_has_shape(const KSTensor *tensor, int32_t rank, const int64_t *shape) {
  if (tensor->rank != rank) return false;
  for (int32_t axis = 0; axis < rank; axis++) {
    if (tensor->shape[axis] != shape[axis]) return false;
  }
  return true;
}

/// A header without elements: the shape of a tensor, kept by a pullback that needs no more.
KSTensor *_Nullable ks_tensor_ghost(const KSTensor *base);

/// The number of a tensor's elements.
static inline int64_t ks_tensor_count(const KSTensor *tensor) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < tensor->rank; axis++) count *= tensor->shape[axis];
  return count;
}

/// Bytes of the elements that a tensor made by `ks_tensor_make` holds.
static inline int64_t ks_tensor_bytes(const KSTensor *tensor) {
  return ks_tensor_count(tensor) * (int64_t)ks_element_size(tensor->dtype);
}

/// Gives the block back to the pool.
void ks_tensor_free(KSTensor *tensor);

/// The calling thread's keeper of tensor boxes, or null; `destroy` is called with it when the thread ends.
void *_Nullable ks_thread_recycler(void);
void ks_set_thread_recycler(void *recycler, void (*destroy)(void *_Nullable));

/// Bytes that the pool has taken from the system and not given back, in use or waiting.
int64_t ks_pool_bytes(void);
/// The largest value that `ks_pool_bytes` has had.
int64_t ks_pool_peak_bytes(void);
/// How often the calling thread has made the pool ask the system for a block.
int64_t ks_pool_system_allocations(void);
/// Whether blocks given back are kept for the next use: not under AddressSanitizer.
bool ks_pool_keeps_blocks(void);
/// Gives waiting blocks back to the system.
void ks_pool_trim(void);

#pragma clang assume_nonnull end

#endif
