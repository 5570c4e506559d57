// SPDX-License-Identifier: Apache-2.0
// A stable sort of rows. Elements become unsigned keys of the same order, which a radix sort takes digit by digit;
// digits that all keys share are skipped.
#include <stdatomic.h>
#include <string.h>

#include "nest.h"
#include "pool.h"
#include "table.h"

enum { short_sort = 48 };

typedef struct {
  uint64_t key;
  int64_t index;
} entry;

/// A floating-point number's bits as a key: NaN after all numbers, both zeros equal.
static inline uint64_t key_of_bits(uint64_t bits, uint64_t sign, uint64_t infinity) {
  uint64_t magnitude = bits & (sign - 1);
  if (magnitude > infinity) return sign | (sign - 1);
  if (magnitude == 0) return sign;
  return bits & sign ? ~bits & (sign | (sign - 1)) : bits | sign;
}

static uint64_t key_of(const void *x, int64_t i, uint8_t dtype) {
  switch ((ks_dtype)dtype) {
    case KS_FLOAT32: return key_of_bits(((const uint32_t *)x)[i], 0x80000000u, 0x7f800000u);
    case KS_FLOAT64: return key_of_bits(((const uint64_t *)x)[i], 1ull << 63, 0x7ff0000000000000u);
    case KS_BFLOAT16: return key_of_bits(((const uint16_t *)x)[i], 0x8000u, 0x7f80u);
    case KS_FLOAT16: return key_of_bits(((const uint16_t *)x)[i], 0x8000u, 0x7c00u);
    case KS_INT8: return ((const uint8_t *)x)[i] ^ 0x80u;
    case KS_UINT8:
    case KS_BOOL: return ((const uint8_t *)x)[i];
    case KS_INT32: return ((const uint32_t *)x)[i] ^ 0x80000000u;
    case KS_INT64: return ((const uint64_t *)x)[i] ^ 1ull << 63;
  }
  return 0;
}

static void insertion_sort(entry *entries, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    entry moved = entries[i];
    int64_t j = i;
    for (; j > 0 && entries[j - 1].key > moved.key; j--) entries[j] = entries[j - 1];
    entries[j] = moved;
  }
}

/// Sorts by `digits` bytes of the keys; the result is in the one or the other of the two arrays.
static entry *radix_sort(entry *entries, entry *spare, int64_t count, int digits) {
  int64_t counts[8][256];
  memset(counts, 0, sizeof counts[0] * (size_t)digits);
  for (int64_t i = 0; i < count; i++) {
    for (int digit = 0; digit < digits; digit++) counts[digit][(entries[i].key >> (8 * digit)) & 255]++;
  }
  for (int digit = 0; digit < digits; digit++) {
    if (counts[digit][(entries[0].key >> (8 * digit)) & 255] == count) continue;
    int64_t place = 0;
    for (int value = 0; value < 256; value++) {
      int64_t many = counts[digit][value];
      counts[digit][value] = place;
      place += many;
    }
    for (int64_t i = 0; i < count; i++) spare[counts[digit][(entries[i].key >> (8 * digit)) & 255]++] = entries[i];
    entry *sorted = spare;
    spare = entries;
    entries = sorted;
  }
  return entries;
}

typedef struct {
  char *values;
  int64_t *indices;
  const char *x;
  int64_t count, size;
  uint8_t dtype;
  bool descending;
  _Atomic bool out_of_memory;
} sorting;

#define GATHER(TYPE)                                                                            \
  for (int64_t i = 0; i < count; i++) ((TYPE *)values)[i] = ((const TYPE *)x)[entries[i].index];

static void sort_row(const sorting *work, int64_t row, entry *entries, entry *spare) {
  const int64_t count = work->count;
  const char *x = work->x + row * count * work->size;
  char *values = work->values + row * count * work->size;
  const uint64_t flip = work->descending ? ~0ull >> (64 - 8 * work->size) : 0;
  for (int64_t i = 0; i < count; i++) entries[i] = (entry){key_of(x, i, work->dtype) ^ flip, i};
  if (count <= short_sort) {
    insertion_sort(entries, count);
  } else {
    entries = radix_sort(entries, spare, count, (int)work->size);
  }
  for (int64_t i = 0; i < count; i++) work->indices[row * count + i] = entries[i].index;
  switch (work->size) {
    case 1: GATHER(uint8_t) break;
    case 2: GATHER(uint16_t) break;
    case 4: GATHER(uint32_t) break;
    default: GATHER(uint64_t) break;
  }
}

static void sort_rows(void *work_, int64_t first, int64_t last) {
  sorting *work = work_;
  int32_t size_class;
  entry *entries = ks_pool_take(2 * (size_t)work->count * sizeof *entries, &size_class);
  if (entries == NULL) {
    atomic_store(&work->out_of_memory, true);
    return;
  }
  for (int64_t row = first; row < last; row++) sort_row(work, row, entries, entries + work->count);
  ks_pool_give(entries, size_class);
}

int32_t ks_sort(KSTensor *values, KSTensor *indices, KSTensor *x, bool descending) {
  const int64_t all = element_count(x);
  if (all == 0) return KS_DONE;
  sorting work = {values->data, indices->data, x->data, x->rank == 0 ? 1 : x->shape[x->rank - 1],
                  (int64_t)ks_element_size(x->dtype), x->dtype, descending, false};
  ks_parallel(all / work.count, parallel_grain / 16 / work.count + 1, sort_rows, &work);
  return work.out_of_memory ? KS_OUT_OF_MEMORY : KS_DONE;
}
