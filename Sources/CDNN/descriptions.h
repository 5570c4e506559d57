// SPDX-License-Identifier: Apache-2.0
// What differs between oneDNN's versions 2 and 3: memory descriptions are values in the one, objects in the other, and
// version 3 has no operation descriptions.
#ifndef KASANE_DESCRIPTIONS_H
#define KASANE_DESCRIPTIONS_H

#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR >= 3
/// A description that is owned.
typedef dnnl_memory_desc_t description;
/// A description that belongs to somebody.
typedef const_dnnl_memory_desc_t description_reference;

static inline description_reference refer(const description *owned) { return *owned; }

static inline dnnl_status_t describe_type_by_tag(description *made, int rank, const dnnl_dims_t sizes,
                                                 dnnl_format_tag_t tag, dnnl_data_type_t type) {
  return dnnl_memory_desc_create_with_tag(made, rank, sizes, type, tag);
}

static inline dnnl_status_t describe_type_by_strides(description *made, int rank, const dnnl_dims_t sizes,
                                                     const dnnl_dims_t strides, dnnl_data_type_t type) {
  return dnnl_memory_desc_create_with_strides(made, rank, sizes, type, strides);
}

static inline dnnl_status_t describe_copy(description *made, description_reference other) {
  return dnnl_memory_desc_clone(made, other);
}

static inline void forget(description *owned) { dnnl_memory_desc_destroy(*owned); }

/// The strides of blocks along each axis, and what is inside of a block: the sizes, outermost first, and their axes.
static inline void find_blocks(description_reference layout, const dnnl_dim_t **strides, int *count,
                               const dnnl_dim_t **sizes, const dnnl_dim_t **axes) {
  dnnl_dims_t *found[3] = {NULL};
  *count = 0;
  dnnl_memory_desc_query(layout, dnnl_query_strides, &found[0]);
  dnnl_memory_desc_query(layout, dnnl_query_inner_nblks_s32, count);
  dnnl_memory_desc_query(layout, dnnl_query_inner_blks, &found[1]);
  dnnl_memory_desc_query(layout, dnnl_query_inner_idxs, &found[2]);
  *strides = *found[0], *sizes = *found[1], *axes = *found[2];
}
#else
typedef dnnl_memory_desc_t description;
typedef const dnnl_memory_desc_t *description_reference;

static inline description_reference refer(const description *owned) { return owned; }

static inline dnnl_status_t describe_type_by_tag(description *made, int rank, const dnnl_dims_t sizes,
                                                 dnnl_format_tag_t tag, dnnl_data_type_t type) {
  return dnnl_memory_desc_init_by_tag(made, rank, sizes, type, tag);
}

static inline dnnl_status_t describe_type_by_strides(description *made, int rank, const dnnl_dims_t sizes,
                                                     const dnnl_dims_t strides, dnnl_data_type_t type) {
  return dnnl_memory_desc_init_by_strides(made, rank, sizes, type, strides);
}

static inline dnnl_status_t describe_copy(description *made, description_reference other) {
  *made = *other;
  return dnnl_success;
}

static inline void forget(description *owned) { (void)owned; }

static inline void find_blocks(description_reference layout, const dnnl_dim_t **strides, int *count,
                               const dnnl_dim_t **sizes, const dnnl_dim_t **axes) {
  const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
  *strides = blocking->strides, *count = blocking->inner_nblks;
  *sizes = blocking->inner_blks, *axes = blocking->inner_idxs;
}
#endif

// In single precision.

static inline dnnl_status_t describe_by_tag(description *made, int rank, const dnnl_dims_t sizes,
                                            dnnl_format_tag_t tag) {
  return describe_type_by_tag(made, rank, sizes, tag, dnnl_f32);
}

static inline dnnl_status_t describe_by_strides(description *made, int rank, const dnnl_dims_t sizes,
                                                const dnnl_dims_t strides) {
  return describe_type_by_strides(made, rank, sizes, strides, dnnl_f32);
}

#endif
