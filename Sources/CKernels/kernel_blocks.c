// SPDX-License-Identifier: Apache-2.0
// A convolution's kernel on its way to the library's layouts and back, in blocks of outputs by inputs. The library's own
// reorders run at a fifth of the memory's speed, which is a tenth of a training step of networks with many weights.
#include <string.h>

#include "half_steps.h"
#include "ks_kernels.h"

typedef struct {
  const ks_kernel_blocks *blocks;
  const float *from;
  void *to;
} laying;

enum { tile = 16 };

static int64_t tiles_of(int64_t count) { return (count + tile - 1) / tile; }

/// How many rows of inputs by all outputs are worth a thread, where a unit of work has so many of them.
static int64_t grain(const ks_kernel_blocks *blocks, int64_t rows) { return (1 << 15) / (blocks->outputs * rows + 1) + 1; }

// Tiles [first, last) of the inputs of all places.
static void unpack_rows(void *laying_, int64_t first, int64_t last) {
  const laying *work = laying_;
  const ks_kernel_blocks *s = work->blocks;
  const int64_t tiles = tiles_of(s->inputs);
  for (int64_t unit = first; unit < last; unit++) {
    const int64_t place = unit / tiles, input = unit % tiles * tile;
    const int64_t rows = s->inputs - input < tile ? s->inputs - input : tile;
    const float *from = work->from + place * s->place_stride + unit % tiles * s->input_stride;
    for (int64_t row = 0; row < rows; row++) {
      float *to = (float *)work->to + (place * s->inputs + input + row) * s->outputs;
      for (int64_t output = 0; output < s->outputs; output += tile) {
        const float *block = from + output / tile * s->output_stride + row * tile;
        if (s->outputs - output >= tile) {
          memcpy(to + output, block, tile * sizeof(float));
        } else {
          memcpy(to + output, block, (size_t)(s->outputs - output) * sizeof(float));
        }
      }
    }
  }
}

void ks_unpack_output_rows(const ks_kernel_blocks *blocks, const float *packed, float *kernel) {
  laying work = {blocks, packed, kernel};
  ks_parallel(blocks->places * tiles_of(blocks->inputs), grain(blocks, tile), unpack_rows, &work);
}

#if defined(__x86_64__)
// Pairs [first, last) of the inputs of all places.
static HALF void pack_input_pairs(void *laying_, int64_t first, int64_t last) {
  const laying *work = laying_;
  const ks_kernel_blocks *s = work->blocks;
  const int64_t pairs = (s->inputs + 1) / 2, blocks = (s->outputs + s->block - 1) / s->block;
  uint16_t order[2 * tile];
  for (int j = 0; j < 2 * tile; j++) order[j] = (uint16_t)(j / 2 + j % 2 * tile);
  const __m512i interleaved = _mm512_loadu_si512(order);
  for (int64_t unit = first; unit < last; unit++) {
    const int64_t place = unit / pairs, pair = unit % pairs;
    const float *row = work->from + (place * s->inputs + 2 * pair) * s->outputs;
    const bool has_second = 2 * pair + 1 < s->inputs;
    uint16_t *to = (uint16_t *)work->to + place * s->place_stride + pair * s->input_stride;
    for (int64_t block = 0; block < blocks; block++) {
      for (int64_t place_in = 0; place_in < s->block; place_in += tile) {
        const int64_t output = block * s->block + place_in;
        const __mmask16 mask = first_of(s->outputs - output);
        const __m512 one = _mm512_maskz_loadu_ps(mask, row + output);
        const __m512 other = has_second ? _mm512_maskz_loadu_ps(mask, row + s->outputs + output) : _mm512_setzero_ps();
        const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(other, one);
        _mm512_storeu_si512(to + block * s->output_stride + 2 * place_in, _mm512_permutexvar_epi16(interleaved, both));
      }
    }
  }
}

void ks_half_pack_input_pairs(const ks_kernel_blocks *blocks, const float *kernel, uint16_t *packed) {
  laying work = {blocks, kernel, packed};
  ks_parallel(blocks->places * ((blocks->inputs + 1) / 2), grain(blocks, 2), pack_input_pairs, &work);
}

// Tiles [first, last) of the inputs of all places.
static HALF void pack_output_pairs(void *laying_, int64_t first, int64_t last) {
  const laying *work = laying_;
  const ks_kernel_blocks *s = work->blocks;
  const int64_t tiles = tiles_of(s->inputs);
  enum { pairs = tile / 2 };
  const __m512i places = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(pairs));
  uint32_t near[tile * pairs];  // [input][pair of outputs]
  for (int64_t unit = first; unit < last; unit++) {
    const int64_t place = unit / tiles, input = unit % tiles * tile;
    const float *from = work->from + (place * s->inputs + input) * s->outputs;
    uint16_t *to = (uint16_t *)work->to + place * s->place_stride + unit % tiles * s->input_stride;
    for (int64_t output = 0; output < s->outputs; output += tile, to += s->output_stride) {
      const __mmask16 mask = first_of(s->outputs - output);
      for (int64_t row = 0; row < tile; row++) {
        const __m512 values = _mm512_maskz_loadu_ps(input + row < s->inputs ? mask : 0, from + row * s->outputs + output);
        _mm256_storeu_si256((__m256i *)(void *)(near + row * pairs), (__m256i)_mm512_cvtneps_pbh(values));
      }
      for (int pair = 0; pair < pairs; pair++) {
        _mm512_storeu_si512(to + pair * 2 * tile, _mm512_i32gather_epi32(places, (const int *)near + pair, 4));
      }
    }
  }
}

void ks_half_pack_output_pairs(const ks_kernel_blocks *blocks, const float *kernel, uint16_t *packed) {
  laying work = {blocks, kernel, packed};
  ks_parallel(blocks->places * tiles_of(blocks->inputs), grain(blocks, tile), pack_output_pairs, &work);
}

#else

void ks_half_pack_input_pairs(const ks_kernel_blocks *blocks, const float *kernel, uint16_t *packed) {}
void ks_half_pack_output_pairs(const ks_kernel_blocks *blocks, const float *kernel, uint16_t *packed) {}

#endif
