// SPDX-License-Identifier: Apache-2.0
// The primitives kept: a hash table by shape, and a list in the order of their last use, whose oldest gives way.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "primitive.h"

enum { buckets = 1024, limit = 512 };

static cdnn_primitive *table[buckets];
static cdnn_primitive *oldest, *newest;
static int64_t kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Every member of a shape is a 64-bit number, so there is no padding between them.
static size_t bucket_of(const cdnn_convolution *shape) {
  uint64_t words[sizeof *shape / sizeof(uint64_t)], hash = 0;
  memcpy(words, shape, sizeof *shape);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    hash = (hash ^ words[i]) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash % buckets;
}

static void take_out_of_order(cdnn_primitive *primitive) {
  *(primitive->older != NULL ? &primitive->older->newer : &oldest) = primitive->newer;
  *(primitive->newer != NULL ? &primitive->newer->older : &newest) = primitive->older;
}

static void make_newest(cdnn_primitive *primitive) {
  primitive->older = newest;
  primitive->newer = NULL;
  *(newest != NULL ? &newest->newer : &oldest) = primitive;
  newest = primitive;
}

static cdnn_primitive *find_locked(const cdnn_convolution *shape) {
  cdnn_primitive *found = table[bucket_of(shape)];
  while (found != NULL && memcmp(&found->shape, shape, sizeof *shape) != 0) found = found->next;
  if (found == NULL) return NULL;
  found->users++;
  take_out_of_order(found);
  make_newest(found);
  return found;
}

cdnn_primitive *cdnn_cache_find(const cdnn_convolution *shape) {
  pthread_mutex_lock(&lock);
  cdnn_primitive *found = find_locked(shape);
  pthread_mutex_unlock(&lock);
  return found;
}

/// Takes the oldest out of the table. It is returned where nobody uses it any more; else its last user ends it.
static cdnn_primitive *drop_oldest(void) {
  cdnn_primitive *dropped = oldest, **place = &table[bucket_of(&dropped->shape)];
  take_out_of_order(dropped);
  while (*place != dropped) place = &(*place)->next;
  *place = dropped->next;
  kept--;
  return --dropped->users == 0 ? dropped : NULL;
}

cdnn_primitive *cdnn_cache_add(cdnn_primitive *primitive) {
  cdnn_primitive *dropped = NULL;
  pthread_mutex_lock(&lock);
  cdnn_primitive *present = find_locked(&primitive->shape);
  if (present == NULL) {
    cdnn_primitive **bucket = &table[bucket_of(&primitive->shape)];
    primitive->next = *bucket;
    *bucket = primitive;
    make_newest(primitive);
    primitive->users = 2;  // the caller and the table
    if (++kept > limit) dropped = drop_oldest();
  }
  pthread_mutex_unlock(&lock);
  if (dropped != NULL) cdnn_primitive_destroy(dropped);
  if (present == NULL) return primitive;
  cdnn_primitive_destroy(primitive);
  return present;
}

void cdnn_cache_release(cdnn_primitive *primitive) {
  pthread_mutex_lock(&lock);
  bool is_last = --primitive->users == 0;
  pthread_mutex_unlock(&lock);
  if (is_last) cdnn_primitive_destroy(primitive);
}
