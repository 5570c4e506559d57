// SPDX-License-Identifier: Apache-2.0
#include "ks_samples.h"

#include <string.h>

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char train_images[] = {
#embed "digits/train-images-idx3-ubyte.gz"
};
static const unsigned char train_labels[] = {
#embed "digits/train-labels-idx1-ubyte.gz"
};
static const unsigned char test_images[] = {
#embed "digits/t10k-images-idx3-ubyte.gz"
};
static const unsigned char test_labels[] = {
#embed "digits/t10k-labels-idx1-ubyte.gz"
};
static const unsigned char novel_train[] = {
#embed "text/novel-train.txt.gz"
};
static const unsigned char novel_valid[] = {
#embed "text/novel-valid.txt.gz"
};
static const unsigned char names[] = {
#embed "text/names.txt.gz"
};
static const unsigned char dialogues_train[] = {
#embed "text/dialogues-train.txt.gz"
};
static const unsigned char dialogues_valid[] = {
#embed "text/dialogues-valid.txt.gz"
};

static const ks_sample samples[] = {
    {"digits/train-images-idx3-ubyte.gz", train_images, sizeof train_images},
    {"digits/train-labels-idx1-ubyte.gz", train_labels, sizeof train_labels},
    {"digits/t10k-images-idx3-ubyte.gz", test_images, sizeof test_images},
    {"digits/t10k-labels-idx1-ubyte.gz", test_labels, sizeof test_labels},
    {"text/novel-train.txt.gz", novel_train, sizeof novel_train},
    {"text/novel-valid.txt.gz", novel_valid, sizeof novel_valid},
    {"text/names.txt.gz", names, sizeof names},
    {"text/dialogues-train.txt.gz", dialogues_train, sizeof dialogues_train},
    {"text/dialogues-valid.txt.gz", dialogues_valid, sizeof dialogues_valid},
};

ks_sample ks_find_sample(const char *name) {
  for (size_t index = 0; index < sizeof samples / sizeof samples[0]; index++) {
    if (strcmp(samples[index].name, name) == 0) return samples[index];
  }
  return (ks_sample){0};
}
