// SPDX-License-Identifier: Apache-2.0
// Small samples of data, part of the program: they are there wherever it is put.
#ifndef KS_SAMPLES_H
#define KS_SAMPLES_H

#include <stddef.h>

typedef struct {
  const char *name;
  const unsigned char *bytes;
  size_t count;
} ks_sample;

/// The sample file of a name such as "digits/train-images-idx3-ubyte.gz"; its bytes are null where there is none.
ks_sample ks_find_sample(const char *name);

#endif
