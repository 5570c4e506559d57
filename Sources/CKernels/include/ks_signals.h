// SPDX-License-Identifier: Apache-2.0
#ifndef KASANE_SIGNALS_H
#define KASANE_SIGNALS_H

#include <stdint.h>

/// From now on SIGINT and SIGTERM are only remembered. A second one ends the process as usual.
void ks_catch_signals(void);
/// The signal that arrived, or 0.
int32_t ks_caught_signal(void);

#endif
