// SPDX-License-Identifier: Apache-2.0
// Threads that work on one thing together and wait for each other on the way.
#ifndef KASANE_TEAM_H
#define KASANE_TEAM_H

#include <stdatomic.h>
#include <stdint.h>

/// A place where all members of a team meet, again and again. Zeros to begin with.
typedef struct {
  _Atomic int32_t arrived;
  _Atomic uint32_t round;
} ks_meeting;

/// Returns when all members have called it.
void ks_meet(ks_meeting *meeting, int32_t members);

/// Calls body(context, member, members) on as many threads at once as can be had, up to `wanted`; `members` says how many
/// they are.
void ks_team(int32_t wanted, void (*body)(void *context, int32_t member, int32_t members), void *context);

#endif
