// SPDX-License-Identifier: Apache-2.0
// Files over HTTP, by the system's libcurl, and their SHA-256.
#ifndef KS_TRANSFER_H
#define KS_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What a server says of the bytes that it is about to send.
typedef struct {
  /// The status of HTTP: 200, or 206 where the bytes begin at `start`.
  int32_t status;
  /// The place in the file of the first byte.
  int64_t start;
  /// How many bytes follow, or -1 where that is not said.
  int64_t length;
} ks_transfer_head;

/// What to transfer.
typedef struct {
  /// Where from: http or https.
  const char *address;
  /// The first byte that is wanted; a server may send all of them nevertheless.
  int64_t start;
  /// How long a connection may take, and how long nothing may come.
  int32_t connect_milliseconds, stall_milliseconds;
  /// Takes bytes in the order of the file. False ends the transfer.
  bool (*receive)(void *context, const ks_transfer_head *head, const uint8_t *bytes, size_t count);
  void *context;
} ks_transfer_request;

/// How a transfer ended.
typedef enum {
  /// Everything that the server had to send has come.
  KS_TRANSFER_COMPLETE,
  /// Something that may be better another time: a connection that was cut, a server that is busy.
  KS_TRANSFER_BROKEN,
  /// Something that will not change.
  KS_TRANSFER_REFUSED,
  /// `receive` ended it.
  KS_TRANSFER_STOPPED,
} ks_transfer_end;

typedef struct {
  ks_transfer_end end;
  /// The last status of HTTP, or 0 where there was none.
  int32_t status;
  /// Why, in words; empty where it is complete.
  char reason[256];
} ks_transfer_result;

/// Transfers a file. Redirections are followed.
ks_transfer_result ks_transfer(const ks_transfer_request *request);

/// The state of a SHA-256 (FIPS 180-4).
typedef struct {
  uint32_t words[8];
  uint64_t length;
  uint8_t block[64];
} ks_sha256;

/// Begins anew.
void ks_sha256_begin(ks_sha256 *state);
/// Takes bytes.
void ks_sha256_add(ks_sha256 *state, const void *bytes, size_t count);
/// Writes the 32 bytes of the sum; the state is of no use after that.
void ks_sha256_end(ks_sha256 *state, uint8_t *sum);

#endif
