// SPDX-License-Identifier: Apache-2.0
// Primitives are slow to make, so they are kept by shape.
#ifndef KASANE_CACHE_H
#define KASANE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What is kept of one shape: the first member of what is really kept.
typedef struct cdnn_entry cdnn_entry;
struct cdnn_entry {
  /// 64-bit numbers that belong to the entry. Different kinds of entries have different ends.
  const void *shape;
  size_t shape_bytes;
  void (*destroy)(cdnn_entry *entry);
  // The cache's own: how many use it, the next of its bucket, and its neighbours in the order of their last use.
  int64_t users;
  cdnn_entry *next, *older, *newer;
};

/// The entry of the kind and shape of `like`, which the caller then uses, or null.
cdnn_entry *cdnn_cache_find(const cdnn_entry *like);
/// Keeps a new entry, which the caller uses. Returns it, or the one that another thread made meanwhile.
cdnn_entry *cdnn_cache_add(cdnn_entry *entry);
/// Ends the caller's use.
void cdnn_cache_release(cdnn_entry *entry);

#endif
