// SPDX-License-Identifier: Apache-2.0
// Eight bytes a step by eight tables: Kounavis and Berry, "A systematic approach to building high performance
// software-based CRC generators" (2005).
#include "crc32c.h"

#include <pthread.h>

static const uint32_t polynomial = 0x82F63B78u;  // Castagnoli's 0x1EDC6F41, lowest bit first

// tables[n][b]: what byte b adds to the check once n more bytes have followed it.
static uint32_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void fill_tables(void) {
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1u) ? polynomial : 0u);
    tables[0][byte] = crc;
  }
  for (int n = 1; n < 8; n++) {
    for (uint32_t byte = 0; byte < 256; byte++) {
      uint32_t crc = tables[n - 1][byte];
      tables[n][byte] = (crc >> 8) ^ tables[0][crc & 0xFFu];
    }
  }
}

uint32_t ks_crc32c(uint32_t crc, const void *bytes, size_t count) {
  pthread_once(&tables_once, fill_tables);
  const unsigned char *next = bytes;
  crc = ~crc;
  for (; count >= 8; count -= 8, next += 8) {
    // Byte by byte, so that neither alignment nor byte order matters; compilers make one load of it.
    crc ^= (uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16 | (uint32_t)next[3] << 24;
    crc = tables[7][crc & 0xFFu] ^ tables[6][(crc >> 8) & 0xFFu] ^ tables[5][(crc >> 16) & 0xFFu] ^
          tables[4][crc >> 24] ^ tables[3][next[4]] ^ tables[2][next[5]] ^ tables[1][next[6]] ^
          tables[0][next[7]];
  }
  for (; count > 0; count--, next++) crc = (crc >> 8) ^ tables[0][(crc ^ *next) & 0xFFu];
  return ~crc;
}
