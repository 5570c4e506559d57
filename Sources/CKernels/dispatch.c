// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "table.h"

static const ks_table *choose(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  const char *limit = getenv("KASANE_ISA");
  bool allow2 = limit == NULL || strcmp(limit, "baseline") != 0;
  bool allow512 = allow2 && (limit == NULL || strcmp(limit, "avx2") != 0);
  if (avx512 && allow512) return &ks_table_avx512;
  if (avx2 && allow2) return &ks_table_avx2;
#endif
  return &ks_table_baseline;
}

static const ks_table *active;

// Chosen before main, so that no kernel has to ask.
__attribute__((constructor)) static void choose_once(void) { active = choose(); }

const ks_table *ks_active_table(void) { return active; }
const char *ks_instruction_set(void) { return active->name; }
