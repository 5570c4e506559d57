// SPDX-License-Identifier: Apache-2.0
#include "cdnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

// What limits the kernels limits the library too; it takes no limit after its first use.
__attribute__((constructor)) static void limit_instruction_set(void) {
#if defined(__x86_64__)
  const char *limit = getenv("KASANE_ISA");
  if (limit == NULL) return;
  if (strcmp(limit, "avx2") == 0) dnnl_set_max_cpu_isa(dnnl_cpu_isa_avx2);
  if (strcmp(limit, "baseline") == 0) dnnl_set_max_cpu_isa(dnnl_cpu_isa_sse41);
#endif
}

const char *cdnn_version(void) {
  static char text[32];
  const dnnl_version_t *version = dnnl_version();
  snprintf(text, sizeof text, "%d.%d.%d", version->major, version->minor, version->patch);
  return text;
}

const char *cdnn_status_name(int status) { return dnnl_status2str((dnnl_status_t)status); }

int cdnn_is_unimplemented(int status) { return status == dnnl_unimplemented; }

// dnnl_sgemm has the same signature in both major versions.
int cdnn_sgemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float *a,
               int64_t lda, const float *b, int64_t ldb, float beta, float *c, int64_t ldc) {
  return (int)dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta,
                         c, ldc);
}
