// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "primitive.h"

#define TRY(CALL)                                   \
  do {                                              \
    dnnl_status_t status_ = (CALL);                 \
    if (status_ != dnnl_success) return status_;    \
  } while (0)

static dnnl_engine_t shared_engine;
static dnnl_stream_t shared_stream;
static dnnl_status_t engine_status;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void) {
  engine_status = dnnl_engine_create(&shared_engine, dnnl_cpu, 0);
  if (engine_status != dnnl_success) return;
  engine_status = dnnl_stream_create(&shared_stream, shared_engine, dnnl_stream_default_flags);
}

dnnl_status_t cdnn_engine(dnnl_engine_t *engine, dnnl_stream_t *stream) {
  pthread_once(&engine_once, make_engine);
  *engine = shared_engine;
  *stream = shared_stream;
  return engine_status;
}

/// The descriptions that a convolution is made of. A kernel in groups has an axis for them before its others.
typedef struct {
  description images, weight, bias, results;
  int made;
  dnnl_dims_t stride, dilation, before, after;
} geometry;

/// `weight_type` is that of the kernel that the primitive sees.
static dnnl_status_t describe(const cdnn_convolution *s, geometry *g, dnnl_data_type_t weight_type) {
  const int64_t inputs = s->inputs / s->groups, outputs = s->outputs / s->groups;
  const dnnl_dims_t images = {s->batch, s->inputs, s->height, s->width};
  const dnnl_dims_t results = {s->batch, s->outputs, s->out_height, s->out_width};
  const dnnl_dims_t plain = {outputs, inputs, s->kernel_height, s->kernel_width};
  const dnnl_dims_t grouped = {s->groups, outputs, inputs, s->kernel_height, s->kernel_width};
  const dnnl_dims_t bias = {s->outputs};
  const bool has_groups = s->groups > 1;
  const dnnl_data_type_t type = s->type == CDNN_BFLOAT16 ? dnnl_bf16 : dnnl_f32;
  TRY(describe_type_by_tag(&g->images, 4, images, dnnl_nhwc, type));
  g->made = 1;
  TRY(describe_type_by_tag(&g->results, 4, results, dnnl_nhwc, type));
  g->made = 2;
  TRY(describe_type_by_tag(&g->weight, has_groups ? 5 : 4, has_groups ? grouped : plain, dnnl_format_tag_any,
                           weight_type));
  g->made = 3;
  TRY(describe_by_tag(&g->bias, 1, bias, dnnl_a));
  g->made = 4;
  g->stride[0] = s->stride_height;
  g->stride[1] = s->stride_width;
  g->dilation[0] = s->dilation_height - 1;  // oneDNN counts the gaps
  g->dilation[1] = s->dilation_width - 1;
  g->before[0] = s->top;
  g->before[1] = s->left;
  g->after[0] = s->bottom;
  g->after[1] = s->right;
  return dnnl_success;
}

static void forget_geometry(geometry *g) {
  description *all[] = {&g->images, &g->results, &g->weight, &g->bias};
  for (int i = 0; i < g->made; i++) forget(all[i]);
}

#if DNNL_VERSION_MAJOR >= 3
static dnnl_status_t make_forward(dnnl_primitive_desc_t *made, dnnl_engine_t engine, geometry *g, bool has_bias,
                                  const_dnnl_primitive_attr_t attributes) {
  return dnnl_convolution_forward_primitive_desc_create(
      made, engine, dnnl_forward_training, dnnl_convolution_direct, g->images, g->weight,
      has_bias ? g->bias : NULL, g->results, g->stride, g->dilation, g->before, g->after, attributes);
}

static dnnl_status_t make_images_gradient(dnnl_primitive_desc_t *made, dnnl_engine_t engine, geometry *g,
                                          const_dnnl_primitive_desc_t forward,
                                          const_dnnl_primitive_attr_t attributes) {
  return dnnl_convolution_backward_data_primitive_desc_create(
      made, engine, dnnl_convolution_direct, g->images, g->weight, g->results, g->stride, g->dilation, g->before,
      g->after, forward, attributes);
}

static dnnl_status_t make_weight_gradient(dnnl_primitive_desc_t *made, dnnl_engine_t engine, geometry *g,
                                          const_dnnl_primitive_desc_t forward,
                                          const_dnnl_primitive_attr_t attributes) {
  return dnnl_convolution_backward_weights_primitive_desc_create(
      made, engine, dnnl_convolution_direct, g->images, g->weight, NULL, g->results, g->stride, g->dilation,
      g->before, g->after, forward, attributes);
}
#else
static dnnl_status_t make_forward(dnnl_primitive_desc_t *made, dnnl_engine_t engine, geometry *g, bool has_bias,
                                  const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t operation;
  TRY(dnnl_dilated_convolution_forward_desc_init(
      &operation, dnnl_forward_training, dnnl_convolution_direct, &g->images, &g->weight,
      has_bias ? &g->bias : NULL, &g->results, g->stride, g->dilation, g->before, g->after));
  return dnnl_primitive_desc_create(made, &operation, attributes, engine, NULL);
}

static dnnl_status_t make_images_gradient(dnnl_primitive_desc_t *made, dnnl_engine_t engine, geometry *g,
                                          const_dnnl_primitive_desc_t forward,
                                          const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t operation;
  TRY(dnnl_dilated_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, &g->images, &g->weight,
                                                       &g->results, g->stride, g->dilation, g->before, g->after));
  return dnnl_primitive_desc_create(made, &operation, attributes, engine, forward);
}

static dnnl_status_t make_weight_gradient(dnnl_primitive_desc_t *made, dnnl_engine_t engine, geometry *g,
                                          const_dnnl_primitive_desc_t forward,
                                          const_dnnl_primitive_attr_t attributes) {
  dnnl_convolution_desc_t operation;
  TRY(dnnl_dilated_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, &g->images,
                                                          &g->weight, NULL, &g->results, g->stride, g->dilation,
                                                          g->before, g->after));
  return dnnl_primitive_desc_create(made, &operation, attributes, engine, forward);
}
#endif

static bool computes_in_halves(const cdnn_convolution *s) { return s->type == CDNN_BFLOAT16; }

static dnnl_status_t append_activation(dnnl_post_ops_t then, int64_t activation) {
  static const struct {
    dnnl_alg_kind_t kind;
    float alpha, beta;
  } kinds[] = {
      [CDNN_RELU] = {dnnl_eltwise_relu, 0, 0},
      [CDNN_TANH] = {dnnl_eltwise_tanh, 0, 0},
      [CDNN_SIGMOID] = {dnnl_eltwise_logistic, 0, 0},
      [CDNN_GELU] = {dnnl_eltwise_gelu_erf, 0, 0},
      [CDNN_GELU_TANH] = {dnnl_eltwise_gelu_tanh, 0, 0},
      [CDNN_SILU] = {dnnl_eltwise_swish, 1, 0},
      [CDNN_RELU6] = {dnnl_eltwise_clip, 0, 6},
      [CDNN_LEAKY_RELU] = {dnnl_eltwise_relu, 0.01f, 0},
      // Version 2 takes no numbers here, but for x / 6 + 1 / 2 knows them.
      [CDNN_HARD_SWISH] = {dnnl_eltwise_hardswish, 1.0f / 6, 0.5f},
  };
  if (activation == CDNN_IDENTITY) return dnnl_success;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_post_ops_append_eltwise(then, kinds[activation].kind, kinds[activation].alpha, kinds[activation].beta);
#else
  const bool has_numbers = activation != CDNN_HARD_SWISH;
  return dnnl_post_ops_append_eltwise(then, 1.0f, kinds[activation].kind, has_numbers ? kinds[activation].alpha : 0,
                                      has_numbers ? kinds[activation].beta : 0);
#endif
}

/// What follows the convolution in the same pass over the results.
static dnnl_status_t append_rest(dnnl_primitive_attr_t attributes, cdnn_primitive *p, const geometry *g) {
  if (p->shape.activation == CDNN_IDENTITY && !p->shape.has_addend) return dnnl_success;
  dnnl_post_ops_t then;
  TRY(dnnl_post_ops_create(&then));
  dnnl_status_t status = dnnl_success;
  if (p->shape.has_addend) {
    status = dnnl_post_ops_append_binary(then, dnnl_binary_add, refer(&g->results));
    if (status == dnnl_success) status = describe_copy(&p->addend, refer(&g->results));
    p->has_addend = status == dnnl_success;
  }
  if (status == dnnl_success) status = append_activation(then, p->shape.activation);
  if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, then);
  dnnl_post_ops_destroy(then);
  return status;
}

/// A gradient's primitive is chosen to fit its convolution's.
static dnnl_status_t make_gradient(cdnn_primitive *p, dnnl_engine_t engine, geometry *g,
                                   const_dnnl_primitive_attr_t attributes) {
  const bool by_weight = p->shape.computes == CDNN_WEIGHT_GRADIENT;
  geometry forward = {0};
  dnnl_primitive_desc_t hint = NULL;
  dnnl_status_t status = describe(&p->shape, &forward, computes_in_halves(&p->shape) ? dnnl_bf16 : dnnl_f32);
  if (status == dnnl_success) status = make_forward(&hint, engine, &forward, false, attributes);
  if (status == dnnl_success) {
    status = by_weight ? make_weight_gradient(&p->description_of_convolution, engine, g, hint, attributes)
                       : make_images_gradient(&p->description_of_convolution, engine, g, hint, attributes);
  }
  if (hint != NULL) dnnl_primitive_desc_destroy(hint);
  forget_geometry(&forward);
  return status;
}

static dnnl_status_t make_convolution(cdnn_primitive *p, dnnl_engine_t engine, dnnl_primitive_attr_t attributes) {
  const cdnn_convolution *s = &p->shape;
  geometry g = {0};
  dnnl_primitive_desc_t *made = &p->description_of_convolution;
  const bool is_forward = s->computes == CDNN_RESULTS;
  dnnl_status_t status =
      describe(s, &g, computes_in_halves(s) && s->computes != CDNN_WEIGHT_GRADIENT ? dnnl_bf16 : dnnl_f32);
  if (status == dnnl_success && is_forward) status = append_rest(attributes, p, &g);
  if (status == dnnl_success) {
    status = is_forward ? make_forward(made, engine, &g, s->has_bias != 0, attributes)
                        : make_gradient(p, engine, &g, attributes);
  }
  forget_geometry(&g);
  if (status != dnnl_success) return status;
  const char *name = NULL;
  TRY(dnnl_primitive_desc_query(*made, dnnl_query_impl_info_str, 0, &name));
  // The library's plain loops are a thousand times slower than a composition of what it does well.
  const bool is_plain = strncmp(name, "ref", 3) == 0;
  if (is_plain && (computes_in_halves(s) || s->has_addend || s->activation != CDNN_IDENTITY)) {
    return dnnl_unimplemented;
  }
  // By way of matrix products it adds, in version 2.6, the addend's wrong elements.
  if (s->has_addend && strstr(name, "gemm") != NULL) return dnnl_unimplemented;
  return dnnl_primitive_create(&p->convolution, *made);
}

description_reference cdnn_blocked_weight(const cdnn_primitive *p) {
  return dnnl_primitive_desc_query_md(
      p->description_of_convolution,
      p->shape.computes == CDNN_WEIGHT_GRADIENT ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
}

/// The kernel [height, width, inputs, groups x outputs] as it lies in a tensor.
static dnnl_status_t describe_weight(cdnn_primitive *p) {
  const cdnn_convolution *s = &p->shape;
  const int64_t inputs = s->inputs / s->groups, outputs = s->outputs / s->groups;
  const dnnl_dims_t sizes = {s->groups, outputs, inputs, s->kernel_height, s->kernel_width};
  const dnnl_dims_t strides = {outputs, 1, s->outputs, s->kernel_width * inputs * s->outputs, inputs * s->outputs};
  const int first = s->groups > 1 ? 0 : 1;
  TRY(describe_by_strides(&p->weight, 5 - first, sizes + first, strides + first));
  p->has_weight = true;
  return dnnl_success;
}

static size_t bytes_of(description_reference memory) {
  return memory != NULL ? dnnl_memory_desc_get_size(memory) : 0;
}

static dnnl_status_t make_reorder(cdnn_primitive *p, dnnl_engine_t engine, const_dnnl_primitive_attr_t attributes) {
  description_reference blocked = cdnn_blocked_weight(p), plain = refer(&p->weight);
  if (dnnl_memory_desc_equal(blocked, plain)) return dnnl_success;
  const bool back = p->shape.computes == CDNN_WEIGHT_GRADIENT;
  dnnl_primitive_desc_t made = NULL;
  TRY(dnnl_reorder_primitive_desc_create(&made, back ? blocked : plain, engine, back ? plain : blocked, engine,
                                         attributes));
  dnnl_status_t status = dnnl_primitive_create(&p->reorder, made);
  p->reorder_scratch_bytes = bytes_of(dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0));
  p->blocked_bytes = (bytes_of(blocked) + 63) / 64 * 64;
  dnnl_primitive_desc_destroy(made);
  return status;
}

/// The number of a layout, which is the place of its description among all that were met.
static dnnl_status_t find_layout(description_reference layout, int64_t *number) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static description *known;
  static int64_t count, room;
  dnnl_status_t status = dnnl_success;
  pthread_mutex_lock(&lock);
  int64_t place = 0;
  while (place < count && !dnnl_memory_desc_equal(refer(&known[place]), layout)) place++;
  if (place == room) {
    const int64_t larger = room * 2 + 64;
    description *moved = realloc(known, (size_t)larger * sizeof *known);
    if (moved != NULL) {
      known = moved;
      room = larger;
    } else {
      status = dnnl_out_of_memory;
    }
  }
  if (status == dnnl_success && place == count) {
    status = describe_copy(&known[place], layout);
    if (status == dnnl_success) count++;
  }
  pthread_mutex_unlock(&lock);
  *number = place;
  return status;
}

static dnnl_status_t make_with(cdnn_primitive *p, dnnl_engine_t engine, dnnl_primitive_attr_t attributes) {
  // What a primitive needs besides its operands comes from the caller, so that several threads can use it.
  TRY(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user));
  TRY(make_convolution(p, engine, attributes));
  p->scratch_bytes = bytes_of(dnnl_primitive_desc_query_md(p->description_of_convolution, dnnl_query_scratchpad_md, 0));
  TRY(describe_weight(p));
  TRY(find_layout(cdnn_blocked_weight(p), &p->layout));
  // What follows a convolution does not follow a reorder.
  dnnl_primitive_attr_t plain;
  TRY(dnnl_primitive_attr_create(&plain));
  dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(plain, dnnl_scratchpad_mode_user);
  if (status == dnnl_success) status = make_reorder(p, engine, plain);
  dnnl_primitive_attr_destroy(plain);
  return status;
}

/// Makes what belongs to `p->shape`; what was made must be destroyed also where that fails.
static dnnl_status_t make(cdnn_primitive *p) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  dnnl_primitive_attr_t attributes;
  TRY(dnnl_primitive_attr_create(&attributes));
  dnnl_status_t status = make_with(p, engine, attributes);
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

static void destroy(cdnn_entry *entry) {
  cdnn_primitive *p = (cdnn_primitive *)entry;
  for (int i = 0; i < most_operands; i++) {
    if (p->kept[i] != NULL) dnnl_memory_destroy(p->kept[i]);
  }
  if (p->reorder != NULL) dnnl_primitive_destroy(p->reorder);
  if (p->convolution != NULL) dnnl_primitive_destroy(p->convolution);
  if (p->description_of_convolution != NULL) dnnl_primitive_desc_destroy(p->description_of_convolution);
  if (p->has_weight) forget(&p->weight);
  if (p->has_addend) forget(&p->addend);
  free(p);
}

static int make_entry(cdnn_entry *entry) { return (int)make((cdnn_primitive *)entry); }

static const cdnn_kind kind = {
    .bytes = sizeof(cdnn_primitive),
    .shape_place = offsetof(cdnn_primitive, shape),
    .shape_bytes = sizeof(((cdnn_primitive *)0)->shape),
    .make = make_entry,
    .destroy = destroy,
};

int cdnn_convolution_find(const cdnn_convolution *shape, cdnn_primitive **primitive) {
  cdnn_entry *entry;
  const int status = cdnn_cache_get(&kind, shape, &entry);
  if (status == 0) *primitive = (cdnn_primitive *)entry;
  return status;
}

void cdnn_convolution_give_back(cdnn_primitive *p) { cdnn_cache_release(&p->entry); }
