// SPDX-License-Identifier: Apache-2.0
// What every processor of the architecture has: SSE2 on x86-64, NEON on arm64.
#define KS_TABLE ks_table_baseline
#if defined(__aarch64__)
#define KS_NAME "neon"
#define KS_HALF_CONVERSIONS
#else
#define KS_NAME "baseline"
#endif
#include "kernels.inc"
