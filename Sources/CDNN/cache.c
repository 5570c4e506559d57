// SPDX-License-Identifier: Apache-2.0
// The primitives kept: a hash table by shape, and a list in the order of their last use, whose oldest gives way.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"

enum { buckets = 1024, limit = 512 };

static cdnn_entry *table[buckets];
static cdnn_entry *oldest, *newest;
static int64_t kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Every member of a shape is a 64-bit number, so there is no padding between them.
static size_t bucket_of(const cdnn_entry *entry) {
  uint64_t hash = entry->shape_bytes;
  for (size_t i = 0; i < entry->shape_bytes; i += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, (const char *)entry->shape + i, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash % buckets;
}

static bool is_same(const cdnn_entry *a, const cdnn_entry *b) {
  return a->destroy == b->destroy && a->shape_bytes == b->shape_bytes && memcmp(a->shape, b->shape, a->shape_bytes) == 0;
}

static void take_out_of_order(cdnn_entry *entry) {
  *(entry->older != NULL ? &entry->older->newer : &oldest) = entry->newer;
  *(entry->newer != NULL ? &entry->newer->older : &newest) = entry->older;
}

static void make_newest(cdnn_entry *entry) {
  entry->older = newest;
  entry->newer = NULL;
  *(newest != NULL ? &newest->newer : &oldest) = entry;
  newest = entry;
}

static cdnn_entry *find_locked(const cdnn_entry *like) {
  cdnn_entry *found = table[bucket_of(like)];
  while (found != NULL && !is_same(found, like)) found = found->next;
  if (found == NULL) return NULL;
  found->users++;
  take_out_of_order(found);
  make_newest(found);
  return found;
}

cdnn_entry *cdnn_cache_find(const cdnn_entry *like) {
  pthread_mutex_lock(&lock);
  cdnn_entry *found = find_locked(like);
  pthread_mutex_unlock(&lock);
  return found;
}

/// Takes the oldest out of the table. It is returned where nobody uses it any more; else its last user ends it.
static cdnn_entry *drop_oldest(void) {
  cdnn_entry *dropped = oldest, **place = &table[bucket_of(dropped)];
  take_out_of_order(dropped);
  while (*place != dropped) place = &(*place)->next;
  *place = dropped->next;
  kept--;
  return --dropped->users == 0 ? dropped : NULL;
}

cdnn_entry *cdnn_cache_add(cdnn_entry *entry) {
  cdnn_entry *dropped = NULL;
  pthread_mutex_lock(&lock);
  cdnn_entry *present = find_locked(entry);
  if (present == NULL) {
    cdnn_entry **bucket = &table[bucket_of(entry)];
    entry->next = *bucket;
    *bucket = entry;
    make_newest(entry);
    entry->users = 2;  // the caller and the table
    if (++kept > limit) dropped = drop_oldest();
  }
  pthread_mutex_unlock(&lock);
  if (dropped != NULL) dropped->destroy(dropped);
  if (present == NULL) return entry;
  entry->destroy(entry);
  return present;
}

void cdnn_cache_release(cdnn_entry *entry) {
  pthread_mutex_lock(&lock);
  bool is_last = --entry->users == 0;
  pthread_mutex_unlock(&lock);
  if (is_last) entry->destroy(entry);
}
