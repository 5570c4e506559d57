// SPDX-License-Identifier: Apache-2.0
// The Castagnoli cyclic redundancy check, which frames the records of TensorBoard's event files.
#ifndef KASANE_CRC32C_H
#define KASANE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/// The CRC-32C of `count` bytes that follow bytes whose CRC-32C is `crc`; 0 begins. `bytes` may be null where
/// `count` is 0. Any thread may call it.
uint32_t ks_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count);

#endif
