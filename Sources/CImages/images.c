// SPDX-License-Identifier: Apache-2.0
#include "ks_images.h"

#include <png.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ks_library.h"

// No side is longer, and no image has more than a quarter of a gigabyte.
enum { longest_side = 1 << 16, most_pixels = 1 << 28 };

static struct {
  int (*begin)(png_imagep, png_const_voidp, size_t);
  int (*finish)(png_imagep, png_const_colorp, void *, png_int_32, void *);
  void (*free)(png_imagep);
} png;

// The functions of libjpeg-turbo's TurboJPEG interface, version 2, and its number for grey pixels.
enum { grey_pixels = 6 };
static struct {
  void *(*new)(void);
  int (*header)(void *, const unsigned char *, unsigned long, int *, int *, int *, int *);
  int (*decompress)(void *, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
  char *(*error)(void *);
  int (*destroy)(void *);
} jpeg;

static bool has_png, has_jpeg;

static void load_libraries(void) {
#ifdef __APPLE__
  static const char *const png_names[] = {"libpng16.16.dylib", "/opt/homebrew/lib/libpng16.16.dylib"};
  static const char *const jpeg_names[] = {"libturbojpeg.0.dylib", "/opt/homebrew/opt/jpeg-turbo/lib/libturbojpeg.0.dylib"};
#else
  static const char *const png_names[] = {"libpng16.so.16"};
  static const char *const jpeg_names[] = {"libturbojpeg.so.0"};
#endif
  const ks_library_function png_functions[] = {
      {"png_image_begin_read_from_memory", (void **)&png.begin},
      {"png_image_finish_read", (void **)&png.finish},
      {"png_image_free", (void **)&png.free},
  };
  const ks_library_function jpeg_functions[] = {
      {"tjInitDecompress", (void **)&jpeg.new},     {"tjDecompressHeader3", (void **)&jpeg.header},
      {"tjDecompress2", (void **)&jpeg.decompress}, {"tjGetErrorStr2", (void **)&jpeg.error},
      {"tjDestroy", (void **)&jpeg.destroy},
  };
  has_png = !KS_LIBRARY_LOAD(png_names, png_functions);
  has_jpeg = !KS_LIBRARY_LOAD(jpeg_names, jpeg_functions);
}

static uint8_t *room(int64_t width, int64_t height, char *reason, size_t size) {
  if (width < 1 || height < 1 || width > longest_side || height > longest_side || width * height > most_pixels) {
    snprintf(reason, size, "an image of %lld by %lld pixels is too large", (long long)height, (long long)width);
    return NULL;
  }
  return malloc((size_t)(width * height));
}

static uint8_t *read_png(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *reason, size_t size) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  uint8_t *pixels = NULL;
  if (png.begin(&image, bytes, count)) {
    image.format = PNG_FORMAT_GRAY;
    pixels = room(image.width, image.height, reason, size);
    if (!pixels) {
      png.free(&image);
      return NULL;
    }
    // What can be seen through lies on white.
    const png_color white = {255, 255, 255};
    *width = (int32_t)image.width;
    *height = (int32_t)image.height;
    if (png.finish(&image, &white, pixels, 0, NULL)) return pixels;
  }
  snprintf(reason, size, "damaged PNG: %s", image.message);
  png.free(&image);
  free(pixels);
  return NULL;
}

static uint8_t *read_jpeg(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *reason, size_t size) {
  void *handle = jpeg.new();
  if (!handle) {
    snprintf(reason, size, "libjpeg-turbo cannot begin");
    return NULL;
  }
  int sampling, colours;
  uint8_t *pixels = NULL;
  *width = *height = 0;
  const bool has_header = jpeg.header(handle, bytes, count, width, height, &sampling, &colours) == 0;
  if (has_header && *width > 0 && *height > 0) {
    pixels = room(*width, *height, reason, size);
    // A file that is cut off is decompressed as far as it goes, with a warning, which counts as damage.
    if (!pixels || jpeg.decompress(handle, bytes, count, pixels, *width, 0, *height, grey_pixels, 0) == 0) {
      jpeg.destroy(handle);
      return pixels;
    }
  }
  snprintf(reason, size, "damaged JPEG: %s", has_header && !pixels ? "it has no image" : jpeg.error(handle));
  jpeg.destroy(handle);
  free(pixels);
  return NULL;
}

uint8_t *ks_image_read(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *reason, size_t size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load_libraries);
  static const uint8_t png_magic[] = {0x89, 'P', 'N', 'G'}, jpeg_magic[] = {0xFF, 0xD8, 0xFF};
  if (count > 4 && memcmp(bytes, png_magic, sizeof png_magic) == 0) {
    if (has_png) return read_png(bytes, count, width, height, reason, size);
    snprintf(reason, size, "the library libpng is missing: apt-get install libpng16-16 (Homebrew: libpng)");
  } else if (count > 3 && memcmp(bytes, jpeg_magic, sizeof jpeg_magic) == 0) {
    if (has_jpeg) return read_jpeg(bytes, count, width, height, reason, size);
    snprintf(reason, size, "the library libjpeg-turbo is missing: apt-get install libturbojpeg0 (Homebrew: jpeg-turbo)");
  } else {
    snprintf(reason, size, "neither PNG nor JPEG");
  }
  return NULL;
}
