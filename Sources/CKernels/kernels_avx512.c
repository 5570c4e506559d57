// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(                                                                          \
    __attribute__((target("avx,avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl,evex512"))), \
    apply_to = function)
#define KS_TABLE ks_table_avx512
#define KS_NAME "avx512"
#define KS_HALF_CONVERSIONS
#define KS_MASKS
#include "kernels.inc"
#pragma clang attribute pop
#endif
