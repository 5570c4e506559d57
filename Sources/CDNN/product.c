// SPDX-License-Identifier: Apache-2.0
#include <stdatomic.h>
#include <stdlib.h>

#include "cache.h"
#include "cdnn.h"
#include "descriptions.h"
#include "primitive.h"

#define TRY(CALL)                                   \
  do {                                              \
    dnnl_status_t status_ = (CALL);                 \
    if (status_ != dnnl_success) return status_;    \
  } while (0)

enum { left, right, results, addend, scratch, operands };

struct cdnn_product_primitive {
  cdnn_entry entry;
  cdnn_product shape;
  dnnl_primitive_desc_t made;
  dnnl_primitive_t primitive;
  size_t scratch_bytes;
  // To make the operands' objects takes as long as a small product, so a set of them is kept for the one who comes
  // first; others make their own.
  atomic_bool is_taken;
  dnnl_memory_t kept[operands];
  void *data[operands];
};

static const int arguments[operands] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS,
                                        DNNL_ARG_SCRATCHPAD};

static dnnl_data_type_t type_of(int64_t type) { return type == CDNN_BFLOAT16 ? dnnl_bf16 : dnnl_f32; }

static dnnl_status_t describe(description *made, const cdnn_product *s, int64_t rows, int64_t columns, int64_t batch,
                              int64_t row, int64_t column, int64_t type) {
  const dnnl_dims_t sizes = {batch == 0 ? 1 : s->batch, rows, columns}, strides = {batch, row, column};
  const int first = s->batch > 1 ? 0 : 1;
  // The stride of an axis of size 1 does not matter to us, but it does to the library.
  dnnl_dims_t plain = {strides[0], strides[1], strides[2]};
  if (columns == 1 && rows > 1 && column < 1) plain[2] = 1;
  if (batch == 0) plain[0] = rows * columns;
  return describe_type_by_strides(made, 3 - first, sizes + first, plain + first, type_of(type));
}

static dnnl_status_t set_activation(dnnl_primitive_attr_t attributes, int64_t activation) {
  static const dnnl_alg_kind_t kinds[] = {
      [CDNN_RELU] = dnnl_eltwise_relu,           [CDNN_TANH] = dnnl_eltwise_tanh,
      [CDNN_SIGMOID] = dnnl_eltwise_logistic,    [CDNN_GELU] = dnnl_eltwise_gelu_erf,
      [CDNN_GELU_TANH] = dnnl_eltwise_gelu_tanh, [CDNN_SILU] = dnnl_eltwise_swish,
  };
  if (activation == CDNN_IDENTITY) return dnnl_success;
  const float alpha = activation == CDNN_SILU ? 1.0f : 0.0f;
  dnnl_post_ops_t then;
  TRY(dnnl_post_ops_create(&then));
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status = dnnl_post_ops_append_eltwise(then, kinds[activation], alpha, 0.0f);
#else
  dnnl_status_t status = dnnl_post_ops_append_eltwise(then, 1.0f, kinds[activation], alpha, 0.0f);
#endif
  if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, then);
  dnnl_post_ops_destroy(then);
  return status;
}

static dnnl_status_t make_description(dnnl_primitive_desc_t *made, dnnl_engine_t engine, const description *a,
                                      const description *b, const description *bias, const description *c,
                                      const_dnnl_primitive_attr_t attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_matmul_primitive_desc_create(made, engine, *a, *b, bias != NULL ? *bias : NULL, *c, attributes);
#else
  dnnl_matmul_desc_t operation;
  TRY(dnnl_matmul_desc_init(&operation, a, b, bias, c));
  return dnnl_primitive_desc_create(made, &operation, attributes, engine, NULL);
#endif
}

/// The layout in which the library likes the right operand to lie, whatever the left one's rows are.
static dnnl_status_t describe_packed(description *made, dnnl_engine_t engine, const cdnn_product *s) {
  enum { usual_rows = 128 };
  cdnn_product usual = *s;
  usual.batch = 1;
  description a, b, c;
  TRY(describe(&a, &usual, usual_rows, s->k, 0, s->k, 1, s->operand_type));
  dnnl_dims_t sizes = {s->k, s->n};
  dnnl_status_t status = describe_type_by_tag(&b, 2, sizes, dnnl_format_tag_any, type_of(s->operand_type));
  if (status == dnnl_success) {
    status = describe(&c, &usual, usual_rows, s->n, 0, s->n, 1, s->result_type);
    if (status == dnnl_success) {
      dnnl_primitive_desc_t chosen;
      status = make_description(&chosen, engine, &a, &b, NULL, &c, NULL);
      if (status == dnnl_success) {
        status = describe_copy(made, dnnl_primitive_desc_query_md(chosen, dnnl_query_weights_md, 0));
        dnnl_primitive_desc_destroy(chosen);
      }
      forget(&c);
    }
    forget(&b);
  }
  forget(&a);
  return status;
}

static dnnl_status_t describe_right(description *made, dnnl_engine_t engine, const cdnn_product *s) {
  if (s->is_packed) return describe_packed(made, engine, s);
  return describe(made, s, s->k, s->n, s->b_batch, s->b_row, s->b_column, s->operand_type);
}

static dnnl_status_t make_with(cdnn_product_primitive *p, dnnl_engine_t engine, const description *all) {
  const cdnn_product *s = &p->shape;
  dnnl_primitive_attr_t attributes;
  TRY(dnnl_primitive_attr_create(&attributes));
  dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (status == dnnl_success) status = set_activation(attributes, s->activation);
  if (status == dnnl_success) {
    status = make_description(&p->made, engine, &all[left], &all[right], s->has_bias ? &all[addend] : NULL,
                              &all[results], attributes);
  }
  dnnl_primitive_attr_destroy(attributes);
  if (status == dnnl_success) status = dnnl_primitive_create(&p->primitive, p->made);
  return status;
}

static dnnl_status_t make(cdnn_product_primitive *p) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  const cdnn_product *s = &p->shape;
  description all[scratch];
  int count = 0;
  dnnl_status_t status = describe(&all[count++], s, s->m, s->k, s->a_batch, s->a_row, s->a_column, s->operand_type);
  if (status == dnnl_success) status = describe_right(&all[count++], engine, s);
  if (status == dnnl_success) status = describe(&all[count++], s, s->m, s->n, s->m * s->c_row, s->c_row, 1, s->result_type);
  if (status == dnnl_success) status = describe(&all[count++], s, 1, s->n, 0, s->n, 1, CDNN_FLOAT32);
  if (status == dnnl_success) {
    status = make_with(p, engine, all);
  } else {
    count--;
  }
  while (count > 0) forget(&all[--count]);
  if (status != dnnl_success) return status;
  description_reference scratchpad = dnnl_primitive_desc_query_md(p->made, dnnl_query_scratchpad_md, 0);
  p->scratch_bytes = scratchpad != NULL ? dnnl_memory_desc_get_size(scratchpad) : 0;
  return dnnl_success;
}

static void destroy_memories(dnnl_memory_t *memories) {
  for (int i = 0; i < operands; i++) {
    if (memories[i] != NULL) dnnl_memory_destroy(memories[i]);
  }
}

static void destroy(cdnn_entry *entry) {
  cdnn_product_primitive *p = (cdnn_product_primitive *)entry;
  destroy_memories(p->kept);
  if (p->primitive != NULL) dnnl_primitive_destroy(p->primitive);
  if (p->made != NULL) dnnl_primitive_desc_destroy(p->made);
  free(p);
}

static int make_entry(cdnn_entry *entry) { return (int)make((cdnn_product_primitive *)entry); }

static const cdnn_kind kind = {
    .bytes = sizeof(cdnn_product_primitive),
    .shape_place = offsetof(cdnn_product_primitive, shape),
    .shape_bytes = sizeof(((cdnn_product_primitive *)0)->shape),
    .make = make_entry,
    .destroy = destroy,
};

int cdnn_product_find(const cdnn_product *shape, cdnn_product_primitive **primitive, size_t *workspace) {
  cdnn_entry *entry;
  const int status = cdnn_cache_get(&kind, shape, &entry);
  if (status != 0) return status;
  *primitive = (cdnn_product_primitive *)entry;
  *workspace = (*primitive)->scratch_bytes;
  return 0;
}

static description_reference layout_of(const cdnn_product_primitive *p, int operand) {
  switch (operand) {
    case left: return dnnl_primitive_desc_query_md(p->made, dnnl_query_src_md, 0);
    case right: return dnnl_primitive_desc_query_md(p->made, dnnl_query_weights_md, 0);
    case results: return dnnl_primitive_desc_query_md(p->made, dnnl_query_dst_md, 0);
    case addend: return p->shape.has_bias ? dnnl_primitive_desc_query_md(p->made, dnnl_query_weights_md, 1) : NULL;
    default: return p->scratch_bytes > 0 ? dnnl_primitive_desc_query_md(p->made, dnnl_query_scratchpad_md, 0) : NULL;
  }
}

static dnnl_status_t make_memories(const cdnn_product_primitive *p, dnnl_engine_t engine, dnnl_memory_t *memories,
                                   void *const *data) {
  for (int i = 0; i < operands; i++) {
    description_reference layout = layout_of(p, i);
    if (layout != NULL) TRY(dnnl_memory_create(&memories[i], layout, engine, data[i]));
  }
  return dnnl_success;
}

static dnnl_status_t execute(const cdnn_product_primitive *p, dnnl_stream_t stream, dnnl_memory_t *memories) {
  dnnl_exec_arg_t given[operands];
  int count = 0;
  for (int i = 0; i < operands; i++) {
    if (memories[i] != NULL) given[count++] = (dnnl_exec_arg_t){arguments[i], memories[i]};
  }
  TRY(dnnl_primitive_execute(p->primitive, stream, count, given));
  return dnnl_stream_wait(stream);
}

/// Points the kept objects to other data.
static dnnl_status_t move_kept(cdnn_product_primitive *p, dnnl_engine_t engine, void *const *data) {
  if (p->kept[left] == NULL) TRY(make_memories(p, engine, p->kept, data));
  for (int i = 0; i < operands; i++) {
    if (p->kept[i] == NULL) continue;
    if (p->data[i] != data[i]) TRY(dnnl_memory_set_data_handle(p->kept[i], data[i]));
    p->data[i] = data[i];
  }
  return dnnl_success;
}

int cdnn_product_run(cdnn_product_primitive *p, const void *a, const void *b, const float *bias, void *c,
                     void *workspace) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_status_t status = cdnn_engine(&engine, &stream);
  void *const data[operands] = {(void *)a, (void *)b, c, (void *)bias, workspace};
  if (status == dnnl_success && !atomic_exchange_explicit(&p->is_taken, true, memory_order_acquire)) {
    status = move_kept(p, engine, data);
    if (status == dnnl_success) status = execute(p, stream, p->kept);
    atomic_store_explicit(&p->is_taken, false, memory_order_release);
  } else if (status == dnnl_success) {
    dnnl_memory_t memories[operands] = {NULL};
    status = make_memories(p, engine, memories, data);
    if (status == dnnl_success) status = execute(p, stream, memories);
    destroy_memories(memories);
  }
  cdnn_cache_release(&p->entry);
  return (int)status;
}

void cdnn_product_release(cdnn_product_primitive *p) { cdnn_cache_release(&p->entry); }

// MARK: Packing

static dnnl_status_t describe_plain(description *made, const cdnn_product *shape, int64_t type) {
  return describe(made, shape, shape->k, shape->n, 0, shape->b_row, shape->b_column, type);
}

static dnnl_status_t reorder(dnnl_engine_t engine, dnnl_stream_t stream, description_reference plain,
                             description_reference packed, const void *from, void *to) {
  dnnl_primitive_desc_t made;
  dnnl_primitive_t primitive = NULL;
  dnnl_memory_t source = NULL, target = NULL;
  TRY(dnnl_reorder_primitive_desc_create(&made, plain, engine, packed, engine, NULL));
  dnnl_status_t status = dnnl_primitive_create(&primitive, made);
  dnnl_primitive_desc_destroy(made);
  if (status == dnnl_success) status = dnnl_memory_create(&source, plain, engine, (void *)from);
  if (status == dnnl_success) status = dnnl_memory_create(&target, packed, engine, to);
  if (status == dnnl_success) {
    const dnnl_exec_arg_t given[] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, target}};
    status = dnnl_primitive_execute(primitive, stream, 2, given);
  }
  if (status == dnnl_success) status = dnnl_stream_wait(stream);
  if (source != NULL) dnnl_memory_destroy(source);
  if (target != NULL) dnnl_memory_destroy(target);
  if (primitive != NULL) dnnl_primitive_destroy(primitive);
  return status;
}

size_t cdnn_product_packed_bytes(const cdnn_product *shape) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  description packed, plain;
  if (cdnn_engine(&engine, &stream) != dnnl_success) return 0;
  if (describe_packed(&packed, engine, shape) != dnnl_success) return 0;
  size_t bytes = dnnl_memory_desc_get_size(refer(&packed));
  cdnn_product dense = *shape;
  dense.batch = dense.b_column = 1;
  dense.b_row = shape->n;
  if (describe_plain(&plain, &dense, shape->operand_type) == dnnl_success) {
    if (dnnl_memory_desc_equal(refer(&packed), refer(&plain))) bytes = 0;
    forget(&plain);
  }
  forget(&packed);
  return bytes;
}

int cdnn_product_pack(const cdnn_product *shape, int64_t type, const void *b, void *packed_data) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  cdnn_product one = *shape;
  one.batch = 1;
  description packed, plain;
  TRY(describe_packed(&packed, engine, shape));
  dnnl_status_t status = describe_plain(&plain, &one, type);
  if (status == dnnl_success) {
    status = reorder(engine, stream, refer(&plain), refer(&packed), b, packed_data);
    forget(&plain);
  }
  forget(&packed);
  return (int)status;
}
