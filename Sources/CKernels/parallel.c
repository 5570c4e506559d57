// SPDX-License-Identifier: Apache-2.0
// One pool of threads: libgomp's, which oneDNN runs on. Two pools would fight over the cores.
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <dispatch/dispatch.h>
#endif

#include "ks_kernels.h"
#include "pool.h"

static _Atomic int32_t thread_count;
/// What the calling thread has told the OpenMP run-time library.
static KS_THREAD_LOCAL int32_t adopted;

static int32_t available_processors(void) {
#if defined(__linux__) && defined(CPU_COUNT)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int32_t)online : 1;
}

// What KASANE_THREADS says; the command has refused all but a number.
static int32_t wanted_threads(void) {
  const char *text = getenv("KASANE_THREADS");
  long number = text == NULL ? 0 : strtol(text, NULL, 10);
  return number > 0 && number <= INT16_MAX ? (int32_t)number : available_processors();
}

int32_t ks_threads(void) {
  int32_t count = atomic_load_explicit(&thread_count, memory_order_relaxed);
  if (count == 0) {
    count = wanted_threads();
    atomic_store_explicit(&thread_count, count, memory_order_relaxed);
  }
  return count;
}

static void tell_library(int32_t count) {
  // The OpenMP run-time library comes with oneDNN, whichever one it was built with.
  typedef void (*setter)(int);
  static _Atomic(setter) known;
  setter set = atomic_load_explicit(&known, memory_order_relaxed);
  if (set == NULL) {
    set = (setter)dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    atomic_store_explicit(&known, set, memory_order_relaxed);
  }
  if (set != NULL) set(count);
  adopted = count;
}

void ks_set_threads(int32_t count) {
  atomic_store_explicit(&thread_count, count, memory_order_relaxed);
  tell_library(count);
}

int32_t ks_adopt_threads(void) {
  int32_t count = ks_threads();
  if (adopted != count) tell_library(count);
  return count;
}

void ks_limit_library(void) {
  if (adopted != 1) tell_library(1);
}

typedef struct {
  int64_t count, parts;
  _Atomic int64_t next;
  void (*body)(void *, int64_t, int64_t);
  void *context;
} shares;

// ThreadSanitizer sees into this library but not into libgomp, by which the threads start and wait for each other.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define HAND_OVER(WORK) __tsan_release(WORK)
#define TAKE_OVER(WORK) __tsan_acquire(WORK)
#endif
#endif
#if !defined(HAND_OVER)
#define HAND_OVER(WORK) (void)(WORK)
#define TAKE_OVER(WORK) (void)(WORK)
#endif

static void take_shares(void *shares_) {
  shares *work = shares_;
  TAKE_OVER(work);
  for (int64_t part; (part = atomic_fetch_add(&work->next, 1)) < work->parts;) {
    work->body(work->context, work->count * part / work->parts, work->count * (part + 1) / work->parts);
  }
  HAND_OVER(work);
}

#if defined(__APPLE__)
static void take_dispatched_share(void *shares_, size_t index) {
  (void)index;
  take_shares(shares_);
}
#endif

#if !defined(__APPLE__)
typedef void (*gomp_parallel)(void (*)(void *), void *, unsigned, unsigned);

static gomp_parallel launcher(void) {
  static _Atomic(gomp_parallel) launch;
  gomp_parallel run = atomic_load_explicit(&launch, memory_order_relaxed);
  if (run == NULL) {
    run = (gomp_parallel)dlsym(RTLD_DEFAULT, "GOMP_parallel");
    atomic_store_explicit(&launch, run, memory_order_relaxed);
  }
  return run;
}
#endif

void ks_parallel(int64_t count, int64_t grain, void (*body)(void *, int64_t, int64_t), void *context) {
  int64_t parts = count / (grain > 0 ? grain : 1);
  if (parts > ks_threads()) parts = ks_threads();
  if (parts < 2) {
    if (count > 0) body(context, 0, count);
    return;
  }
  shares work = {.count = count, .parts = parts, .body = body, .context = context};
#if defined(__APPLE__)
  dispatch_apply_f((size_t)parts, DISPATCH_APPLY_AUTO, &work, take_dispatched_share);
#else
  gomp_parallel run = launcher();
  if (run != NULL) {
    HAND_OVER(&work);
    run(take_shares, &work, (unsigned)parts, 0);
    TAKE_OVER(&work);
  } else {
    take_shares(&work);
  }
#endif
}

#if !defined(__APPLE__)
typedef struct {
  void (*body)(void *);
  void *context;
} member;

static void take_part(void *member_) {
  member *work = member_;
  TAKE_OVER(work);
  work->body(work->context);
  HAND_OVER(work);
}
#endif

bool ks_parallel_region(int32_t wanted, void (*body)(void *), void *context) {
#if defined(__APPLE__)
  return false;
#else
  gomp_parallel run = launcher();
  if (run == NULL) return false;
  member work = {body, context};
  HAND_OVER(&work);
  run(take_part, &work, (unsigned)wanted, 0);
  TAKE_OVER(&work);
  return true;
#endif
}
