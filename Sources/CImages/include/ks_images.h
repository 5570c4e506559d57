// SPDX-License-Identifier: Apache-2.0
// Images of PNG and JPEG files in grey, by libpng and libjpeg-turbo, which are loaded when they are first asked for.
#ifndef KASANE_IMAGES_H
#define KASANE_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Reads a file's bytes; the caller frees the rows `[height][width]`. Null where it is no whole image, and a line of `size`
/// bytes that says why.
uint8_t *_Nullable ks_image_read(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *reason,
                                 size_t size);

#pragma clang assume_nonnull end

#endif
