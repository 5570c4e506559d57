// SPDX-License-Identifier: Apache-2.0
// A pool of aligned blocks. Each thread keeps a few free blocks of every small size without a lock; the rest,
// and all large ones, wait in a shared list. Sizes are rounded up to a class: four to a doubling below one
// mebibyte, eight above, so at most a quarter (an eighth) of a block is slack.
#include "pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ks_tensor.h"

enum {
  alignment = 64,
  smallest_log = 8,     // 256 bytes
  large_log = 20,       // 1 MiB
  small_classes = (large_log - smallest_log) * 4,
  classes = small_classes + (62 - large_log) * 8,
  thread_bytes = 1 << 19,  // what one thread may hold of one class
  thread_blocks = 1024,
};

typedef struct block {
  struct block *next;
} block;

typedef struct {
  block *first;
  int32_t count;
} list;

static list shared[classes];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t system_bytes, peak_bytes;

static KS_THREAD_LOCAL list local[small_classes];
static KS_THREAD_LOCAL bool registered;
static KS_THREAD_LOCAL int64_t system_allocations;
static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;

static int32_t class_of(size_t bytes) {
  if (bytes <= ((size_t)1 << smallest_log)) return 0;
  int log = 63 - __builtin_clzll(bytes - 1);  // 2^log < bytes <= 2^(log + 1)
  int steps_log = log < large_log ? 2 : 3;
  int32_t step = (int32_t)((bytes - 1) >> (log - steps_log)) - (1 << steps_log) + 1;
  return log < large_log ? (log - smallest_log) * 4 + step : small_classes + (log - large_log) * 8 + step;
}

static size_t size_of(int32_t class) {
  if (class < small_classes) return ((size_t)(4 + class % 4) << (smallest_log - 2)) << (class / 4);
  class -= small_classes;
  return ((size_t)(8 + class % 8) << (large_log - 3)) << (class / 8);
}

static void push(list *to, block *item) {
  item->next = to->first;
  to->first = item;
  to->count++;
}

static block *pop(list *from) {
  block *item = from->first;
  if (item != NULL) {
    from->first = item->next;
    from->count--;
  }
  return item;
}

static void flush_thread(void *unused) {
  (void)unused;
  registered = false;  // what is given back after this comes here again
  pthread_mutex_lock(&shared_lock);
  for (int32_t class = 0; class < small_classes; class++) {
    for (block *item; (item = pop(&local[class])) != NULL;) push(&shared[class], item);
  }
  pthread_mutex_unlock(&shared_lock);
}

static void make_exit_key(void) { pthread_key_create(&exit_key, flush_thread); }

static void register_thread(void) {
  registered = true;
  pthread_once(&exit_once, make_exit_key);
  pthread_setspecific(exit_key, &registered);
}

// What the machine has, or less where the process may not have it all. A system that promises more than there is would
// end the program in the middle of its work.
static int64_t memory_limit;
static pthread_once_t limit_once = PTHREAD_ONCE_INIT;

static void find_memory_limit(void) {
  memory_limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  static const char *const files[] = {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
  for (int i = 0; i < 2; i++) {
    FILE *file = fopen(files[i], "r");
    if (file == NULL) continue;
    long long allowed;
    if (fscanf(file, "%lld", &allowed) == 1 && allowed > 0 && allowed < memory_limit) memory_limit = allowed;
    fclose(file);
  }
}

static bool fits(size_t bytes) {
  pthread_once(&limit_once, find_memory_limit);
  return (int64_t)bytes <= memory_limit - ks_pool_bytes();
}

static void *from_system(int32_t class) {
  size_t bytes = size_of(class);
  void *memory = NULL;
  if (!fits(bytes)) {
    ks_pool_trim();
    if (!fits(bytes)) return NULL;
  }
  if (posix_memalign(&memory, alignment, bytes) != 0) {
    ks_pool_trim();
    if (posix_memalign(&memory, alignment, bytes) != 0) return NULL;
  }
  pthread_mutex_lock(&shared_lock);
  system_allocations++;
  system_bytes += (int64_t)bytes;
  if (system_bytes > peak_bytes) peak_bytes = system_bytes;
  pthread_mutex_unlock(&shared_lock);
  return memory;
}

// Under AddressSanitizer nothing is kept, so that it sees every use of a block given back.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_NOTHING 1
#endif
#endif

bool ks_pool_keeps_blocks(void) {
#if KEEPS_NOTHING
  return false;
#else
  return true;
#endif
}

void *ks_pool_take(size_t bytes, int32_t *size_class) {
  if (bytes > (size_t)1 << 60) return NULL;
  int32_t class = class_of(bytes);
  *size_class = class;
#if KEEPS_NOTHING
  return from_system(class);
#endif
  block *item = class < small_classes ? pop(&local[class]) : NULL;
  if (item != NULL) return item;
  pthread_mutex_lock(&shared_lock);
  item = pop(&shared[class]);
  pthread_mutex_unlock(&shared_lock);
  return item != NULL ? (void *)item : from_system(class);
}

void ks_pool_give(void *memory, int32_t class) {
#if KEEPS_NOTHING
  pthread_mutex_lock(&shared_lock);
  system_bytes -= (int64_t)size_of(class);
  pthread_mutex_unlock(&shared_lock);
  free(memory);
  return;
#endif
  if (class < small_classes) {
    if (__builtin_expect(!registered, 0)) register_thread();
    list *mine = &local[class];
    if (mine->count < thread_blocks && (size_t)mine->count * size_of(class) < thread_bytes) {
      push(mine, memory);
      return;
    }
  }
  pthread_mutex_lock(&shared_lock);
  push(&shared[class], memory);
  pthread_mutex_unlock(&shared_lock);
}

void ks_pool_trim(void) {
  pthread_mutex_lock(&shared_lock);
  for (int32_t class = 0; class < classes; class++) {
    for (block *item; (item = pop(&shared[class])) != NULL;) {
      system_bytes -= (int64_t)size_of(class);
      free(item);
    }
  }
  pthread_mutex_unlock(&shared_lock);
}

static int64_t locked_read(const int64_t *value) {
  pthread_mutex_lock(&shared_lock);
  int64_t result = *value;
  pthread_mutex_unlock(&shared_lock);
  return result;
}

int64_t ks_pool_bytes(void) { return locked_read(&system_bytes); }
int64_t ks_pool_peak_bytes(void) { return locked_read(&peak_bytes); }
int64_t ks_pool_system_allocations(void) { return system_allocations; }
