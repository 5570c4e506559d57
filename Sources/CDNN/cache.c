// SPDX-License-Identifier: Apache-2.0
// The primitives kept: a hash table by shape, and a list in the order of their last use, whose oldest gives way.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "descriptions.h"

enum { buckets = 1024, limit = 512 };

static cdnn_entry *table[buckets];
static cdnn_entry *oldest, *newest;
static int64_t kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// Every member of a shape is a 64-bit number, so there is no padding between them.
static size_t bucket_of(const cdnn_kind *kind, const void *shape) {
  uint64_t hash = kind->shape_bytes;
  for (size_t i = 0; i < kind->shape_bytes; i += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, (const char *)shape + i, sizeof word);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash % buckets;
}

static void *shape_of(cdnn_entry *entry) { return (char *)entry + entry->kind->shape_place; }

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

static cdnn_entry *find_locked(const cdnn_kind *kind, const void *shape) {
  cdnn_entry *found = table[bucket_of(kind, shape)];
  while (found != NULL && (found->kind != kind || memcmp(shape_of(found), shape, kind->shape_bytes) != 0)) {
    found = found->next;
  }
  if (found == NULL) return NULL;
  found->users++;
  take_out_of_order(found);
  make_newest(found);
  return found;
}

/// Takes the oldest out of the table. It is returned where nobody uses it any more; else its last user ends it.
static cdnn_entry *drop_oldest(void) {
  cdnn_entry *dropped = oldest, **place = &table[bucket_of(dropped->kind, shape_of(dropped))];
  take_out_of_order(dropped);
  while (*place != dropped) place = &(*place)->next;
  *place = dropped->next;
  kept--;
  return --dropped->users == 0 ? dropped : NULL;
}

/// Keeps a new entry, which the caller uses. Returns it, or the one that another thread made meanwhile.
static cdnn_entry *add(cdnn_entry *entry) {
  cdnn_entry *dropped = NULL;
  pthread_mutex_lock(&lock);
  cdnn_entry *present = find_locked(entry->kind, shape_of(entry));
  if (present == NULL) {
    cdnn_entry **bucket = &table[bucket_of(entry->kind, shape_of(entry))];
    entry->next = *bucket;
    *bucket = entry;
    make_newest(entry);
    entry->users = 2;  // the caller and the table
    if (++kept > limit) dropped = drop_oldest();
  }
  pthread_mutex_unlock(&lock);
  if (dropped != NULL) dropped->kind->destroy(dropped);
  if (present == NULL) return entry;
  entry->kind->destroy(entry);
  return present;
}

int cdnn_cache_get(const cdnn_kind *kind, const void *shape, cdnn_entry **entry) {
  pthread_mutex_lock(&lock);
  *entry = find_locked(kind, shape);
  pthread_mutex_unlock(&lock);
  if (*entry != NULL) return 0;
  cdnn_entry *made = calloc(1, kind->bytes);
  if (made == NULL) return dnnl_out_of_memory;
  made->kind = kind;
  memcpy(shape_of(made), shape, kind->shape_bytes);
  const int status = kind->make(made);
  if (status != 0) {
    kind->destroy(made);
    return status;
  }
  *entry = add(made);
  return 0;
}

void cdnn_cache_release(cdnn_entry *entry) {
  pthread_mutex_lock(&lock);
  bool is_last = --entry->users == 0;
  pthread_mutex_unlock(&lock);
  if (is_last) entry->kind->destroy(entry);
}
