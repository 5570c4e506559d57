// SPDX-License-Identifier: Apache-2.0
// A pool of aligned blocks. Each thread keeps a few free blocks of every small size without a lock; the rest,
// and all large ones, wait in shared lists. Sizes are rounded up to a class: four to a doubling below one
// mebibyte, eight above, so at most a quarter (an eighth) of a block is slack.
//
// Lists of sizes alone would come to hold the sum over all shapes ever seen. Two things bound them. A large request
// for which no block of its class waits takes one that is up to a quarter larger than it asked for. And before the
// pool asks the system for a block, those that have waited longest go back, until the pool holds no more than half as
// much again as was lately in use at once, and 64 MiB. The measure is the largest use of a while and not the use at
// the moment: a training step that begins with almost nothing in use finds the blocks of the step before it. A step
// whose phases use blocks of different sizes needs more than it ever uses at once: what went back and is asked for
// again raises the limit, up to three times that use (and 64 MiB). Nothing goes back as long as every request finds
// a block, so a loop in its steady state never meets the system.
#include "pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ks_tensor.h"

enum {
  alignment = 64,
  smallest_log = 8,     // 256 bytes
  mapped_log = 16,      // 64 KiB
  large_log = 20,       // 1 MiB
  mapped_class = (mapped_log - smallest_log) * 4,
  small_classes = (large_log - smallest_log) * 4,
  classes = small_classes + (62 - large_log) * 8,
  thread_bytes = 1 << 19,  // what one thread may hold of one class
  thread_blocks = 1024,
  spare_bytes = 64 << 20,  // what may wait beside half of what was in use
  while_of_uses = 64,      // how many times the largest use is taken before that use begins to be forgotten
};

// A block that waits. Those of the shared lists are in the row by age too, where `previous` and `class` are set.
typedef struct block {
  struct block *next, *previous;
  struct block *older, *newer;
  int32_t class;
} block;

typedef struct {
  block *first;
  int32_t count;
} list;

static struct {
  block *first;
} shared[classes];
static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static block *oldest, *newest;
static int64_t system_bytes, peak_bytes;
static int64_t waiting_bytes;            // in the shared lists; what a thread keeps counts as in use
static int64_t largest_use, use_before;      // of the present while and of the one before it
static int64_t taken_bytes;                  // in the present while
static int64_t returned[classes];            // blocks that went back and were not asked for again
static int64_t regretted_bytes;              // of those that were, halved with each while

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

// The four below are called with the lock held.

static void push_shared(block *item, int32_t class) {
  item->class = class;
  item->previous = NULL;
  item->next = shared[class].first;
  if (item->next != NULL) item->next->previous = item;
  shared[class].first = item;
  item->newer = NULL;
  item->older = newest;
  *(newest != NULL ? &newest->newer : &oldest) = item;
  newest = item;
  waiting_bytes += (int64_t)size_of(class);
}

static void remove_shared(block *item) {
  *(item->previous != NULL ? &item->previous->next : &shared[item->class].first) = item->next;
  if (item->next != NULL) item->next->previous = item->previous;
  *(item->older != NULL ? &item->older->newer : &oldest) = item->newer;
  *(item->newer != NULL ? &item->newer->older : &newest) = item->older;
  waiting_bytes -= (int64_t)size_of(item->class);
}

static void note_use(int32_t class) {
  int64_t in_use = system_bytes - waiting_bytes;
  if (in_use > largest_use) largest_use = in_use;
  taken_bytes += (int64_t)size_of(class);
  if (taken_bytes / while_of_uses > largest_use) {
    use_before = largest_use;
    largest_use = in_use;
    taken_bytes = 0;
    regretted_bytes /= 2;
  }
}

// Takes out of the lists, oldest first, what has to go so that the pool holds at most `limit`; chained by `next`.
static block *take_oldest(int64_t limit) {
  block *gone = NULL;
  while (oldest != NULL && system_bytes > limit) {
    block *item = oldest;
    remove_shared(item);
    system_bytes -= (int64_t)size_of(item->class);
    returned[item->class]++;
    item->next = gone;
    gone = item;
  }
  return gone;
}

static void flush_thread(void *unused) {
  (void)unused;
  registered = false;  // what is given back after this comes here again
  pthread_mutex_lock(&shared_lock);
  for (int32_t class = 0; class < small_classes; class++) {
    for (block *item; (item = pop(&local[class])) != NULL;) push_shared(item, class);
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

// Under AddressSanitizer nothing is kept, so that it sees every use of a block given back.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS_NOTHING 1
#endif
#endif

// Blocks of many pages are mapped one by one, so that what goes back is the system's again at once, whatever lies beside
// it: the C library's heap would be left with holes. One page more than the block has keeps blocks of equal size from meeting in the same sets of the caches.
static bool is_mapped(int32_t class) {
#if KEEPS_NOTHING
  (void)class;
  return false;
#else
  return class >= mapped_class;
#endif
}

static size_t mapped_bytes(int32_t class) { return size_of(class) + (size_t)sysconf(_SC_PAGESIZE); }

static void *allocate(int32_t class) {
  void *memory = NULL;
  if (is_mapped(class)) {
    memory = mmap(NULL, mapped_bytes(class), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
  }
  return posix_memalign(&memory, alignment, size_of(class)) == 0 ? memory : NULL;
}

static void release(void *memory, int32_t class) {
  if (is_mapped(class)) {
    munmap(memory, mapped_bytes(class));
  } else {
    free(memory);
  }
}

static void release_all(block *item) {
  while (item != NULL) {
    block *next = item->next;
    release(item, item->class);
    item = next;
  }
}

static void give_back_unneeded(int32_t class) {
  int64_t wanted = (int64_t)size_of(class);
  pthread_mutex_lock(&shared_lock);
  int64_t need = system_bytes - waiting_bytes + wanted;
  if (need < largest_use) need = largest_use;
  if (need < use_before) need = use_before;
  if (returned[class] > 0) {
    returned[class]--;
    regretted_bytes += wanted;
  }
  if (regretted_bytes > need + need / 2) regretted_bytes = need + need / 2;
  block *gone = take_oldest(need + need / 2 + regretted_bytes + spare_bytes - wanted);
  pthread_mutex_unlock(&shared_lock);
  release_all(gone);
}

static void *from_system(int32_t class) {
  size_t bytes = size_of(class);
  give_back_unneeded(class);
  if (!fits(bytes)) {
    ks_pool_trim();
    if (!fits(bytes)) return NULL;
  }
  void *memory = allocate(class);
  if (memory == NULL) {
    ks_pool_trim();
    memory = allocate(class);
    if (memory == NULL) return NULL;
  }
  pthread_mutex_lock(&shared_lock);
  system_allocations++;
  system_bytes += (int64_t)bytes;
  if (system_bytes > peak_bytes) peak_bytes = system_bytes;
  note_use(class);
  pthread_mutex_unlock(&shared_lock);
  return memory;
}

// A waiting block for the request, of its class or, for a large one, of one not much larger.
static block *from_shared(size_t bytes, int32_t class) {
  size_t most = class < small_classes ? 0 : bytes + bytes / 4;
  pthread_mutex_lock(&shared_lock);
  block *item = shared[class].first;
  while (item == NULL && ++class < classes && size_of(class) <= most) item = shared[class].first;
  if (item != NULL) {
    remove_shared(item);
    note_use(item->class);
  }
  pthread_mutex_unlock(&shared_lock);
  return item;
}

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
  item = from_shared(bytes, class);
  if (item == NULL) return from_system(class);
  *size_class = item->class;
  return item;
}

void ks_pool_give(void *memory, int32_t class) {
#if KEEPS_NOTHING
  pthread_mutex_lock(&shared_lock);
  system_bytes -= (int64_t)size_of(class);
  pthread_mutex_unlock(&shared_lock);
  release(memory, class);
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
  push_shared(memory, class);
  pthread_mutex_unlock(&shared_lock);
}

void ks_pool_trim(void) {
  pthread_mutex_lock(&shared_lock);
  block *gone = take_oldest(0);
  pthread_mutex_unlock(&shared_lock);
  release_all(gone);
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
