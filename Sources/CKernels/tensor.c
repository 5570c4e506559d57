// SPDX-License-Identifier: Apache-2.0
#include "ks_tensor.h"

#include <pthread.h>
#include <string.h>

#include "ks_kernels.h"
#include "pool.h"

// The elements start on the next cache line after the header.
enum { header_bytes = (sizeof(KSTensor) + 63) / 64 * 64 };

static KSTensor *make_header(size_t data_bytes) {
  int32_t size_class;
  KSTensor *tensor = ks_pool_take(header_bytes + data_bytes, &size_class);
  if (tensor == NULL) return NULL;
  tensor->size_class = size_class;
  tensor->node = -1;
  tensor->scope = 0;
  return tensor;
}

KSTensor *ks_tensor_make(uint8_t dtype, uint8_t device, int32_t rank, const int64_t *shape) {
  int64_t count = 1;
  for (int32_t axis = 0; axis < rank; axis++) {
    if (shape[axis] < 0 || __builtin_mul_overflow(count, shape[axis], &count)) return NULL;
  }
  int64_t bytes;
  if (__builtin_mul_overflow(count, (int64_t)ks_element_size(dtype), &bytes)) return NULL;
  KSTensor *tensor = make_header((size_t)bytes);
  if (tensor == NULL) return NULL;
  tensor->data = (char *)tensor + header_bytes;
  tensor->rank = (uint8_t)rank;
  tensor->dtype = dtype;
  tensor->device = device;
  tensor->contiguous = true;
  int64_t stride = 1;
  for (int32_t axis = rank - 1; axis >= 0; axis--) {
    tensor->shape[axis] = shape[axis];
    tensor->strides[axis] = stride;
    stride *= shape[axis];
  }
  return tensor;
}

KSTensor *ks_tensor_make_like(const KSTensor *other) {
  return ks_tensor_make(other->dtype, other->device, other->rank, other->shape);
}

static bool is_contiguous(const KSTensor *tensor) {
  int64_t expected = 1;
  for (int32_t axis = tensor->rank - 1; axis >= 0; axis--) {
    if (tensor->shape[axis] == 0) return true;
    if (tensor->shape[axis] != 1 && tensor->strides[axis] != expected) return false;
    expected *= tensor->shape[axis];
  }
  return true;
}

KSTensor *ks_tensor_view(const KSTensor *base, int32_t rank, const int64_t *shape, const int64_t *strides,
                         int64_t offset) {
  KSTensor *view = make_header(0);
  if (view == NULL) return NULL;
  view->data = (char *)base->data + offset * (int64_t)ks_element_size(base->dtype);
  view->rank = (uint8_t)rank;
  view->dtype = base->dtype;
  view->device = base->device;
  memcpy(view->shape, shape, (size_t)rank * sizeof *shape);
  memcpy(view->strides, strides, (size_t)rank * sizeof *strides);
  view->contiguous = is_contiguous(view);
  return view;
}

KSTensor *ks_tensor_select(const KSTensor *base, int32_t axis, int64_t index) {
  KSTensor *view = make_header(0);
  if (view == NULL) return NULL;
  view->data = (char *)base->data + index * base->strides[axis] * (int64_t)ks_element_size(base->dtype);
  view->rank = (uint8_t)(base->rank - 1);
  view->dtype = base->dtype;
  view->device = base->device;
  for (int32_t from = 0, to = 0; from < base->rank; from++) {
    if (from == axis) continue;
    view->shape[to] = base->shape[from];
    view->strides[to++] = base->strides[from];
  }
  view->contiguous = is_contiguous(view);
  return view;
}

KSTensor *ks_tensor_ghost(const KSTensor *base) {
  KSTensor *ghost = make_header(0);
  if (ghost == NULL) return NULL;
  ghost->data = NULL;
  ghost->rank = base->rank;
  ghost->dtype = base->dtype;
  ghost->device = base->device;
  ghost->contiguous = false;
  memcpy(ghost->shape, base->shape, base->rank * sizeof *base->shape);
  memcpy(ghost->strides, base->strides, base->rank * sizeof *base->strides);
  return ghost;
}

void ks_tensor_free(KSTensor *tensor) { ks_pool_give(tensor, tensor->size_class); }

static KS_THREAD_LOCAL void *recycler;
static pthread_key_t recycler_key;
static pthread_once_t recycler_once = PTHREAD_ONCE_INIT;
static void (*recycler_destroy)(void *);

static void end_recycler(void *value) {
  recycler = NULL;
  recycler_destroy(value);
}

static void make_recycler_key(void) { pthread_key_create(&recycler_key, end_recycler); }

void *ks_thread_recycler(void) { return recycler; }

void ks_set_thread_recycler(void *value, void (*destroy)(void *)) {
  recycler_destroy = destroy;
  pthread_once(&recycler_once, make_recycler_key);
  pthread_setspecific(recycler_key, value);
  recycler = value;
}

static KS_THREAD_LOCAL void *tape;
static pthread_key_t tape_key;
static pthread_once_t tape_once = PTHREAD_ONCE_INIT;
static KS_THREAD_LOCAL void (*tape_destroy)(void *);

static void end_tape(void *value) {
  tape = NULL;
  tape_destroy(value);
}

static void make_tape_key(void) { pthread_key_create(&tape_key, end_tape); }

void *ks_thread_tape(void) { return tape; }

void ks_set_thread_tape(void *value, void (*destroy)(void *)) {
  tape_destroy = destroy;
  pthread_once(&tape_once, make_tape_key);
  pthread_setspecific(tape_key, value);
  tape = value;
}

static KS_THREAD_LOCAL uint8_t precision;

uint8_t ks_thread_precision(void) { return precision; }

void ks_set_thread_precision(uint8_t dtype) { precision = dtype; }
