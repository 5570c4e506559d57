// SPDX-License-Identifier: Apache-2.0
#include "ks_signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

// Without locks, as a handler needs it; trainings of several threads may begin at once.
static atomic_int caught;

static void remember(int number) { caught = number; }

void ks_catch_signals(void) {
  struct sigaction action = {.sa_handler = remember, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  caught = 0;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  // A parent may have started this process with the signals blocked.
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &both, NULL);
}

int32_t ks_caught_signal(void) { return caught; }
