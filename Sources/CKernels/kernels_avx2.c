// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#define KS_TABLE ks_table_avx2
#define KS_NAME "avx2"
#define KS_HALF_CONVERSIONS
#include "kernels.inc"
#pragma clang attribute pop
#endif
