// SPDX-License-Identifier: Apache-2.0
// Winograd's convolution: how tiles and channels are shared out. Forward and for the images' gradient, products sum over
// the channels that are read, `depth`, for each of the channels that are written, `width`.
#include "winograd.h"

#include <string.h>

#include "pool.h"
#include "table.h"

enum {
  points = 36,
  panel = 32,  // channels of results that are computed at a time
  pad = 16,    // keeps what belongs to one place from falling into the same sets of the caches
  few_tiles = 64,
  chunk_depth = 64,
};

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Images in tiles.
typedef struct {
  const float *data;
  int64_t height, width, pixel, top, left, down, across;
  int64_t size;  // of a tile
} tiling;

/// A tile of `size` by `size` pixels, four pixels after the last.
static ks_winograd_tile tile_of(const tiling *t, int64_t index) {
  const int64_t column = index % t->across * 4 - t->left, row = index / t->across % t->down * 4 - t->top;
  const int64_t image = index / t->across / t->down, row_size = t->width * t->pixel;
  return (ks_winograd_tile){
      .data = t->data + image * t->height * row_size + row * row_size + column * t->pixel,
      .row = row_size,
      .column = t->pixel,
      .first_row = larger(0, -row),
      .last_row = smaller(t->size, t->height - row),
      .first_column = larger(0, -column),
      .last_column = smaller(t->size, t->width - column),
  };
}

typedef struct {
  const ks_winograd_loops *loops;
  tiling from, to;
  const float *kernel, *bias;
  bool is_turned;  // kernel [3, 3, width, depth], read from its end
  int64_t depth, width, tiles, groups, members;
  float *kernel_points, *scratch;
  int64_t pixel_row, pixel_point, result_point, kernel_point, panel_size, scratch_size;
} convolution;

static int64_t panel_width(const convolution *w, int64_t number) { return smaller(panel, w->width - number * panel); }

/// The points of the kernel for some of the channels that are read and one panel, [points, depth, panel].
static void points_of_kernel(const convolution *w, float *to, int64_t point, int64_t number, int64_t first, int64_t count) {
  const int64_t width = panel_width(w, number), tap = w->depth * w->width, start = number * panel;
  if (!w->is_turned) {
    for (int64_t d = 0; d < count; d++) {
      w->loops->kernel(to + d * panel, point, w->kernel + (first + d) * w->width + start, tap, width);
    }
    return;
  }
  float turned[9][16][panel];
  for (int64_t d = 0; d < count; d += 16) {
    for (int64_t t = 0; t < 9; t++) {
      const float *from = w->kernel + (8 - t) * tap + start * w->depth + first + d;
      for (int64_t c = 0; c < width; c++) {
        for (int64_t i = 0; i < 16; i++) turned[t][i][c] = from[c * w->depth + i];
      }
    }
    for (int64_t i = 0; i < 16; i++) {
      w->loops->kernel(to + (d + i) * panel, point, turned[0][i], sizeof turned[0] / sizeof(float), width);
    }
  }
}

static void kernel_panels(void *work_, int64_t first, int64_t last) {
  const convolution *w = work_;
  for (int64_t i = first; i < last; i++) {
    points_of_kernel(w, w->kernel_points + i * w->panel_size, w->kernel_point, i, 0, w->depth);
  }
}

static void write_results(const convolution *w, const float *from, int64_t number, int64_t first, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    ks_winograd_tile tile = tile_of(&w->to, first + i);
    tile.data += number * panel;
    w->loops->results(&tile, w->bias == NULL ? NULL : w->bias + number * panel, from + i * panel, w->result_point,
                      panel_width(w, number));
  }
}

// Many tiles: the kernel's points are found once, and each thread takes groups of tiles from pixels to results.

static void tile_groups(void *work_, int64_t first, int64_t last) {
  const convolution *w = work_;
  for (int64_t member = first; member < last; member++) {
    float *pixels = w->scratch + member * w->scratch_size, *results = pixels + points * w->pixel_point;
    for (int64_t g = w->groups * member / w->members; g < w->groups * (member + 1) / w->members; g++) {
      const int64_t start = w->tiles * g / w->groups, count = w->tiles * (g + 1) / w->groups - start;
      for (int64_t i = 0; i < count; i++) {
        const ks_winograd_tile tile = tile_of(&w->from, start + i);
        w->loops->pixels(pixels + i * w->pixel_row, w->pixel_point, &tile, w->depth);
      }
      for (int64_t i = 0; i < over(w->width, panel); i++) {
        const float *kernel = w->kernel_points + i * w->panel_size;
        for (int64_t p = 0; p < points; p++) {
          w->loops->product(results + p * w->result_point, panel, pixels + p * w->pixel_point, w->pixel_row, 1,
                            kernel + p * w->kernel_point, panel, count, panel_width(w, i), w->depth, false);
        }
        write_results(w, results, i, start, count);
      }
    }
  }
}

static int32_t convolve_many(convolution *w) {
  const int64_t panels = over(w->width, panel), group = larger(28, smaller(112, 3584 / w->depth));
  w->groups = over(over(w->tiles, group), w->members) * w->members;
  const int64_t most = over(w->tiles, w->groups);
  w->pixel_row = w->depth + pad;
  w->pixel_point = most * w->pixel_row + pad;
  w->result_point = most * panel + pad;
  w->kernel_point = w->depth * panel + pad;
  w->panel_size = points * w->kernel_point;
  w->scratch_size = points * (w->pixel_point + w->result_point);
  int32_t memory_class;
  float *memory = ks_pool_take((size_t)(panels * w->panel_size + w->members * w->scratch_size) * sizeof(float), &memory_class);
  if (memory == NULL) return KS_OUT_OF_MEMORY;
  w->kernel_points = memory;
  w->scratch = memory + panels * w->panel_size;
  ks_parallel(panels, 1, kernel_panels, w);
  ks_parallel(w->members, 1, tile_groups, w);
  ks_pool_give(memory, memory_class);
  return KS_DONE;
}

// Few tiles: the pixels' points are found once, and each thread takes panels of results, for which it finds the kernel's
// points and forgets them, as they would not stay in a cache.

static void pixels_of_tiles(void *work_, int64_t first, int64_t last) {
  const convolution *w = work_;
  for (int64_t i = first; i < last; i++) {
    const ks_winograd_tile tile = tile_of(&w->from, i);
    w->loops->pixels(w->kernel_points + i * w->pixel_row, w->pixel_point, &tile, w->depth);
  }
}

static void result_panels(void *work_, int64_t first, int64_t last) {
  const convolution *w = work_;
  const int64_t panels = over(w->width, panel);
  for (int64_t member = first; member < last; member++) {
    float *kernel = w->scratch + member * w->scratch_size, *results = kernel + w->panel_size;
    for (int64_t i = panels * member / w->members; i < panels * (member + 1) / w->members; i++) {
      for (int64_t d = 0; d < w->depth; d += chunk_depth) {
        const int64_t count = smaller(chunk_depth, w->depth - d);
        points_of_kernel(w, kernel, w->kernel_point, i, d, count);
        for (int64_t p = 0; p < points; p++) {
          w->loops->product(results + p * w->result_point, panel, w->kernel_points + p * w->pixel_point + d, w->pixel_row,
                            1, kernel + p * w->kernel_point, panel, w->tiles, panel_width(w, i), count, d > 0);
        }
      }
      write_results(w, results, i, 0, w->tiles);
    }
  }
}

static int32_t convolve_few(convolution *w) {
  w->pixel_row = w->depth + pad;
  w->pixel_point = w->tiles * w->pixel_row + pad;
  w->result_point = w->tiles * panel + pad;
  w->kernel_point = chunk_depth * panel + pad;
  w->panel_size = points * w->kernel_point;
  w->scratch_size = w->panel_size + points * w->result_point;
  int32_t memory_class;
  float *memory =
      ks_pool_take((size_t)(points * w->pixel_point + w->members * w->scratch_size) * sizeof(float), &memory_class);
  if (memory == NULL) return KS_OUT_OF_MEMORY;
  w->kernel_points = memory;
  w->scratch = memory + points * w->pixel_point;
  ks_parallel(w->tiles, 1, pixels_of_tiles, w);
  ks_parallel(w->members, 1, result_panels, w);
  ks_pool_give(memory, memory_class);
  return KS_DONE;
}

static int32_t convolve(convolution *w) {
  w->loops = &ks_active_table()->winograd;
  w->tiles = w->to.down * w->to.across * w->groups;
  w->members = ks_threads();
  return w->tiles <= few_tiles ? convolve_few(w) : convolve_many(w);
}

int32_t ks_winograd_forward(const ks_winograd *s, float *results, const float *images, const float *kernel,
                            const float *bias) {
  const int64_t down = over(s->out_height, 4), across = over(s->out_width, 4);
  convolution work = {
      .from = {images, s->height, s->width, s->image_pixel, s->top, s->left, down, across, 6},
      .to = {results, s->out_height, s->out_width, s->outputs, 0, 0, down, across, 4},
      .kernel = kernel,
      .bias = bias,
      .depth = s->inputs,
      .width = s->outputs,
      .groups = s->batch,
  };
  return convolve(&work);
}

int32_t ks_winograd_images_gradient(const ks_winograd *s, float *images, const float *results, const float *kernel) {
  const int64_t down = over(s->height, 4), across = over(s->width, 4);
  convolution work = {
      .from = {results, s->out_height, s->out_width, s->result_pixel, 2 - s->top, 2 - s->left, down, across, 6},
      .to = {images, s->height, s->width, s->inputs, 0, 0, down, across, 4},
      .kernel = kernel,
      .is_turned = true,
      .depth = s->outputs,
      .width = s->inputs,
      .groups = s->batch,
  };
  return convolve(&work);
}

// The kernel's gradient sums over tiles, for each pair of channels.

enum {
  block = 64,           // inputs and outputs of a block of the kernel
  most_together = 4096,  // pairs of channels whose points each thread keeps whole
};

typedef struct {
  const ks_winograd_loops *loops;
  tiling images, results;
  float *kernel;
  int64_t inputs, outputs, tiles, members, across, blocks;
  int64_t start, count, group;  // tiles
  float *pixels, *gradients, *sums;
  int64_t pixel_row, pixel_point, gradient_row, gradient_point, sum_row, sum_point, sums_size, scratch_size;
  bool is_first, is_last;
} kernel_gradient;

static void find_points(const kernel_gradient *w, float *pixels, float *gradients, int64_t start, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const ks_winograd_tile seen = tile_of(&w->images, start + i), made = tile_of(&w->results, start + i);
    w->loops->pixels(pixels + i * w->pixel_row, w->pixel_point, &seen, w->inputs);
    w->loops->gradients(gradients + i * w->gradient_row, w->gradient_point, &made, w->outputs);
  }
}

// Few pairs of channels: each thread sums over its own tiles, and then the threads' sums are added up.

static void sums_of_tiles(void *work_, int64_t first, int64_t last) {
  const kernel_gradient *w = work_;
  for (int64_t member = first; member < last; member++) {
    float *sums = w->sums + member * w->scratch_size, *pixels = sums + w->sums_size;
    float *gradients = pixels + points * w->pixel_point;
    const int64_t start = w->tiles * member / w->members, stop = w->tiles * (member + 1) / w->members;
    for (int64_t i = start; i < stop; i += w->group) {
      const int64_t count = smaller(w->group, stop - i);
      find_points(w, pixels, gradients, i, count);
      for (int64_t p = 0; p < points; p++) {
        w->loops->product(sums + p * w->sum_point, w->sum_row, pixels + p * w->pixel_point, 1, w->pixel_row,
                          gradients + p * w->gradient_point, w->gradient_row, w->inputs, w->outputs, count, i > start);
      }
    }
  }
}

static void rows_of_sums(void *work_, int64_t first, int64_t last) {
  const kernel_gradient *w = work_;
  for (int64_t c = first; c < last; c++) {
    for (int64_t member = 1; member < w->members; member++) {
      for (int64_t p = 0; p < points; p++) {
        float *to = w->sums + p * w->sum_point + c * w->sum_row;
        const float *from = to + member * w->scratch_size;
        for (int64_t i = 0; i < w->outputs; i++) to[i] += from[i];
      }
    }
    w->loops->kernel_gradient(w->kernel + c * w->outputs, w->inputs * w->outputs, w->sums + c * w->sum_row, w->sum_point,
                              w->outputs);
  }
}

static int32_t sum_together(kernel_gradient *w) {
  w->group = 16;
  w->members = smaller(w->members, over(w->tiles, w->group));
  w->pixel_point = w->group * w->pixel_row + pad;
  w->gradient_point = w->group * w->gradient_row + pad;
  w->sum_row = w->outputs;
  w->sum_point = w->inputs * w->sum_row + pad;
  w->sums_size = points * w->sum_point;
  w->scratch_size = w->sums_size + points * (w->pixel_point + w->gradient_point);
  int32_t memory_class;
  w->sums = ks_pool_take((size_t)(w->members * w->scratch_size) * sizeof(float), &memory_class);
  if (w->sums == NULL) return KS_OUT_OF_MEMORY;
  ks_parallel(w->members, 1, sums_of_tiles, w);
  ks_parallel(w->inputs, 4, rows_of_sums, w);
  ks_pool_give(w->sums, memory_class);
  return KS_DONE;
}

// Many pairs: the points of many tiles are found once, and each thread takes blocks of the kernel.

static void points_of_tiles(void *work_, int64_t first, int64_t last) {
  const kernel_gradient *w = work_;
  find_points(w, w->pixels + first * w->pixel_row, w->gradients + first * w->gradient_row, w->start + first, last - first);
}

static void blocks_of_kernel(void *work_, int64_t first, int64_t last) {
  const kernel_gradient *w = work_;
  for (int64_t member = first; member < last; member++) {
    for (int64_t b = w->blocks * member / w->members; b < w->blocks * (member + 1) / w->members; b++) {
      // Sums that go on with the next tiles have a place of their own.
      float *sums = w->sums + (w->is_first && w->is_last ? member : b) * w->sums_size;
      const int64_t c = b / w->across * block, k = b % w->across * block;
      const int64_t rows = smaller(block, w->inputs - c), columns = smaller(block, w->outputs - k);
      for (int64_t p = 0; p < points; p++) {
        w->loops->product(sums + p * w->sum_point, w->sum_row, w->pixels + p * w->pixel_point + c, 1, w->pixel_row,
                          w->gradients + p * w->gradient_point + k, w->gradient_row, rows, columns, w->count,
                          !w->is_first);
      }
      for (int64_t i = 0; w->is_last && i < rows; i++) {
        w->loops->kernel_gradient(w->kernel + (c + i) * w->outputs + k, w->inputs * w->outputs, sums + i * w->sum_row,
                                  w->sum_point, columns);
      }
    }
  }
}

static int32_t sum_by_blocks(kernel_gradient *w) {
  w->across = over(w->outputs, block);
  w->blocks = over(w->inputs, block) * w->across;
  // As many tiles at a time as stay in the last cache.
  const int64_t most = larger(128, (int64_t)(1 << 22) / (points * (w->inputs + w->outputs))), rounds = over(w->tiles, most);
  w->pixel_point = over(w->tiles, rounds) * w->pixel_row + pad;
  w->gradient_point = over(w->tiles, rounds) * w->gradient_row + pad;
  w->sum_row = block;
  w->sum_point = block * block + pad;
  w->sums_size = points * w->sum_point;
  const int64_t size = points * (w->pixel_point + w->gradient_point) + (rounds > 1 ? w->blocks : w->members) * w->sums_size;
  int32_t memory_class;
  w->pixels = ks_pool_take((size_t)size * sizeof(float), &memory_class);
  if (w->pixels == NULL) return KS_OUT_OF_MEMORY;
  w->gradients = w->pixels + points * w->pixel_point;
  w->sums = w->gradients + points * w->gradient_point;
  for (int64_t round = 0; round < rounds; round++) {
    w->start = w->tiles * round / rounds;
    w->count = w->tiles * (round + 1) / rounds - w->start;
    w->is_first = round == 0;
    w->is_last = round == rounds - 1;
    ks_parallel(w->count, 1, points_of_tiles, w);
    ks_parallel(w->members, 1, blocks_of_kernel, w);
  }
  ks_pool_give(w->pixels, memory_class);
  return KS_DONE;
}

int32_t ks_winograd_kernel_gradient(const ks_winograd *s, float *kernel, const float *images, const float *results) {
  const int64_t down = over(s->out_height, 4), across = over(s->out_width, 4);
  kernel_gradient work = {
      .loops = &ks_active_table()->winograd,
      .images = {images, s->height, s->width, s->image_pixel, s->top, s->left, down, across, 6},
      .results = {results, s->out_height, s->out_width, s->result_pixel, 0, 0, down, across, 4},
      .kernel = kernel,
      .inputs = s->inputs,
      .outputs = s->outputs,
      .tiles = s->batch * down * across,
      .members = ks_threads(),
      .pixel_row = s->inputs + pad,
      .gradient_row = s->outputs + pad,
  };
  return s->inputs * s->outputs <= most_together ? sum_together(&work) : sum_by_blocks(&work);
}
