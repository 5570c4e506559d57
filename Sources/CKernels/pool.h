// SPDX-License-Identifier: Apache-2.0
#ifndef KASANE_POOL_H
#define KASANE_POOL_H

#include <stddef.h>
#include <stdint.h>

// Reached without a call: the library is part of the program, never loaded while it runs.
#define KS_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))

/// A 64-byte-aligned block of at least `bytes`; its class is stored through `size_class`. Null when the
/// system has no more memory.
void *ks_pool_take(size_t bytes, int32_t *size_class);

/// Gives a block back to the pool.
void ks_pool_give(void *block, int32_t size_class);

#endif
