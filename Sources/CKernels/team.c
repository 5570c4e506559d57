// SPDX-License-Identifier: Apache-2.0
#include "team.h"

#include <dlfcn.h>
#include <sched.h>

#include "ks_kernels.h"

// Longer than a step of a layer takes: who waits longer, waits for a thread that has lost its processor.
enum { patience = 1 << 14 };

void ks_meet(ks_meeting *meeting, int32_t members) {
  const uint32_t round = atomic_load_explicit(&meeting->round, memory_order_acquire);
  if (atomic_fetch_add_explicit(&meeting->arrived, 1, memory_order_acq_rel) + 1 == members) {
    atomic_store_explicit(&meeting->arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&meeting->round, round + 1, memory_order_release);
    return;
  }
  for (int32_t turn = 0; atomic_load_explicit(&meeting->round, memory_order_acquire) == round; turn++) {
    if (turn >= patience) {
      sched_yield();
      continue;
    }
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }
}

typedef struct {
  void (*body)(void *, int32_t, int32_t);
  void *context;
} team;

static int (*own_number)(void), (*team_size)(void);

static void join(void *team_) {
  const team *work = team_;
  work->body(work->context, own_number(), team_size());
}

void ks_team(int32_t wanted, void (*body)(void *, int32_t, int32_t), void *context) {
  // Which members there are only libgomp can say; other run-time libraries do not promise that they run at once.
  static _Atomic bool is_ready;
  if (wanted > 1 && !atomic_load_explicit(&is_ready, memory_order_acquire)) {
    own_number = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_thread_num");
    team_size = (int (*)(void))dlsym(RTLD_DEFAULT, "omp_get_num_threads");
    atomic_store_explicit(&is_ready, true, memory_order_release);
  }
  team work = {body, context};
  if (wanted < 2 || own_number == NULL || team_size == NULL || !ks_parallel_region(wanted, join, &work)) {
    body(context, 0, 1);
  }
}
