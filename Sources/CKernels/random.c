// SPDX-License-Identifier: Apache-2.0
// Tensors of random numbers: each element is a function of its place alone, whichever thread makes it.
#include "nest.h"
#include "table.h"

enum { random_block = 256 };

typedef struct {
  char *out;
  int64_t size;
  uint8_t dtype;
  bool normal;
  uint64_t seed, stream, position;
  double below_one;
} random_work;

static void random_part(void *work_, int64_t first, int64_t last) {
  const random_work *work = work_;
  const ks_table *table = ks_active_table();
  const int64_t draws = work->normal ? 2 : 1;
  uint64_t bits[2 * random_block + 2];
  double uniform[2 * random_block], normal[random_block];
  for (; first < last; first += random_block) {
    const int64_t count = last - first < random_block ? last - first : random_block;
    const uint64_t position = work->position + (uint64_t)(first * draws), odd = position % 2;
    table->random_bits(bits, work->seed, work->stream, position / 2, (count * draws + (int64_t)odd + 1) / 2);
    table->random_uniform(uniform, bits + odd, count * draws);
    double *numbers = uniform;
    if (work->normal) {
      table->random_normal(normal, uniform, count);
      numbers = normal;
    } else {
      for (int64_t i = 0; i < count; i++) numbers[i] = numbers[i] > work->below_one ? work->below_one : numbers[i];
    }
    table->cast[KS_FLOAT64][work->dtype](work->out + first * work->size, numbers, count, 1, 1);
  }
}

void ks_random(bool normal, KSTensor *out, uint64_t seed, uint64_t stream, uint64_t position) {
  // The largest number below one: rounding to a narrower type must not make it one.
  static const double below_one[] = {1 - 0x1p-24, 1, 1 - 0x1p-8, 1 - 0x1p-11};
  random_work work = {out->data, (int64_t)ks_element_size(out->dtype), out->dtype, normal, seed, stream, position,
                      below_one[out->dtype]};
  ks_parallel(element_count(out), parallel_grain / 4, random_part, &work);
}
