// SPDX-License-Identifier: Apache-2.0
#include "ks_words.h"

#include <string.h>

#include "pool.h"
#include "table.h"
#include "team.h"

typedef struct {
  const ks_words *job;
  ks_words_sums sums[64];
} words_call;

// Each member takes a stretch of sentences with about as many words.
static void learn_share(void *context, int32_t member, int32_t members) {
  words_call *call = context;
  const ks_words *job = call->job;
  const int64_t all = job->starts[job->sentences];
  const int64_t from = all * member / members, to = all * (member + 1) / members;
  int64_t longest = 1;
  for (int64_t s = 0; s < job->sentences; s++) {
    const int64_t count = job->starts[s + 1] - job->starts[s];
    if (count > longest) longest = count;
  }
  const int64_t stride = (job->width + 15) / 16 * 16, most = job->takes_mean ? 1 : ks_word_contexts;
  // Of a window's words and the targets that are looked at together, sixteen pairs at a time.
  const int64_t pairs = (most * ks_word_tile + 15) / 16 * 16;
  const size_t row = sizeof(float) * 16;
  const size_t rows = row * (size_t)(most * (stride / 16));
  const size_t errors = sizeof(float) * (size_t)pairs;
  const size_t numbers = sizeof(int32_t) * (2 * (size_t)job->drawn + 2 * (size_t)job->window + (size_t)longest);
  int32_t size_class;
  char *bytes = ks_pool_take(2 * rows + row * (size_t)pairs + errors + numbers, &size_class);
  ks_word_memory memory = {.stride = stride, .h = (float *)bytes, .change = (float *)(bytes + rows)};
  memory.products = (float *)(bytes + 2 * rows);
  memory.errors = memory.products + 16 * pairs;
  memory.others = (int32_t *)(memory.errors + pairs);
  memory.around = memory.others + 2 * job->drawn;
  memory.kept = memory.around + 2 * (int64_t)job->window;
  // What lies behind the last pairs is summed as well, and not used.
  memset(memory.products, 0, row * (size_t)pairs);
  ks_words_sums sums = {0, 0, 0};
  for (int64_t s = 0; s < job->sentences; s++) {
    if (job->starts[s] < from || job->starts[s] >= to) continue;
    ks_active_table()->learn_sentence(job, s, &memory, &sums);
  }
  ks_pool_give(bytes, size_class);
  call->sums[member] = sums;
}

ks_words_sums ks_learn_words(const ks_words *job, int32_t threads) {
  words_call call = {.job = job, .sums = {{0, 0, 0}}};
  ks_team(threads < 64 ? threads : 64, learn_share, &call);
  ks_words_sums sums = {0, 0, 0};
  for (int member = 0; member < 64; member++) {
    sums.loss += call.sums[member].loss;
    sums.predictions += call.sums[member].predictions;
    sums.kept += call.sums[member].kept;
  }
  return sums;
}
