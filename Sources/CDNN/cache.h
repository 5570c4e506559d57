// SPDX-License-Identifier: Apache-2.0
// Primitives are slow to make, so they are kept by shape.
#ifndef KASANE_CACHE_H
#define KASANE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What is kept of one shape: the first member of what is really kept.
typedef struct cdnn_entry cdnn_entry;
/// What entries of one kind have in common.
typedef struct {
  /// The size of an entry, and where in it its shape stands: 64-bit numbers alone.
  size_t bytes, shape_place, shape_bytes;
  /// Makes what belongs to the shape of an entry that is zero otherwise. Returns 0, or oneDNN's status code.
  int (*make)(cdnn_entry *entry);
  /// Ends an entry, also one whose making failed.
  void (*destroy)(cdnn_entry *entry);
} cdnn_kind;

struct cdnn_entry {
  const cdnn_kind *kind;
  // The cache's own: how many use it, the next of its bucket, and its neighbours in the order of their last use.
  int64_t users;
  cdnn_entry *next, *older, *newer;
};

/// Finds the entry of a kind and shape, or makes and keeps it; the caller then uses it. Returns 0, or oneDNN's status code.
int cdnn_cache_get(const cdnn_kind *kind, const void *shape, cdnn_entry **entry);
/// Ends the caller's use.
void cdnn_cache_release(cdnn_entry *entry);

#endif
