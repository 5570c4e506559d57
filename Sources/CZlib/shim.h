// SPDX-License-Identifier: Apache-2.0
// zlib as the system has it.
#include <zlib.h>
