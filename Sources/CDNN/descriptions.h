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
