// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdlib.h>

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

static dnnl_status_t describe(const cdnn_convolution *s, geometry *g) {
  const int64_t inputs = s->inputs / s->groups, outputs = s->outputs / s->groups;
  const dnnl_dims_t images = {s->batch, s->inputs, s->height, s->width};
  const dnnl_dims_t results = {s->batch, s->outputs, s->out_height, s->out_width};
  const dnnl_dims_t plain = {outputs, inputs, s->kernel_height, s->kernel_width};
  const dnnl_dims_t grouped = {s->groups, outputs, inputs, s->kernel_height, s->kernel_width};
  const dnnl_dims_t bias = {s->outputs};
  const bool has_groups = s->groups > 1;
  TRY(describe_by_tag(&g->images, 4, images, dnnl_nhwc));
  g->made = 1;
  TRY(describe_by_tag(&g->results, 4, results, dnnl_nhwc));
  g->made = 2;
  TRY(describe_by_tag(&g->weight, has_groups ? 5 : 4, has_groups ? grouped : plain, dnnl_format_tag_any));
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

static dnnl_status_t make_convolution(cdnn_primitive *p, dnnl_engine_t engine,
                                      const_dnnl_primitive_attr_t attributes) {
  geometry g = {0};
  dnnl_primitive_desc_t forward = NULL, *made = &p->description_of_convolution;
  dnnl_status_t status = describe(&p->shape, &g);
  if (status == dnnl_success && p->shape.computes == CDNN_RESULTS) {
    status = make_forward(made, engine, &g, p->shape.has_bias != 0, attributes);
  } else if (status == dnnl_success) {
    // A gradient's primitive is chosen to fit its convolution's.
    status = make_forward(&forward, engine, &g, false, attributes);
    if (status == dnnl_success) {
      status = p->shape.computes == CDNN_IMAGES_GRADIENT
                   ? make_images_gradient(made, engine, &g, forward, attributes)
                   : make_weight_gradient(made, engine, &g, forward, attributes);
    }
    if (forward != NULL) dnnl_primitive_desc_destroy(forward);
  }
  forget_geometry(&g);
  if (status != dnnl_success) return status;
  return dnnl_primitive_create(&p->convolution, *made);
}

static description_reference query(const cdnn_primitive *p, dnnl_query_t what) {
  return dnnl_primitive_desc_query_md(p->description_of_convolution, what, 0);
}

static description_reference blocked_weight(const cdnn_primitive *p) {
  return query(p, p->shape.computes == CDNN_WEIGHT_GRADIENT ? dnnl_query_diff_weights_md : dnnl_query_weights_md);
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
  description_reference blocked = blocked_weight(p), plain = refer(&p->weight);
  if (dnnl_memory_desc_equal(blocked, plain)) return dnnl_success;
  const bool back = p->shape.computes == CDNN_WEIGHT_GRADIENT;
  dnnl_primitive_desc_t made = NULL;
  TRY(dnnl_reorder_primitive_desc_create(&made, back ? blocked : plain, engine, back ? plain : blocked, engine,
                                         attributes));
  dnnl_status_t status = dnnl_primitive_create(&p->reorder, made);
  const size_t scratch = bytes_of(dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0));
  if (scratch > p->scratch_bytes) p->scratch_bytes = scratch;
  p->blocked_bytes = (bytes_of(blocked) + 63) / 64 * 64;
  dnnl_primitive_desc_destroy(made);
  return status;
}

/// Makes what belongs to `p->shape`; what was made must be destroyed also where that fails.
static dnnl_status_t make(cdnn_primitive *p) {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  // What a primitive needs besides its operands comes from the caller, so that several threads can use it.
  dnnl_primitive_attr_t attributes;
  TRY(dnnl_primitive_attr_create(&attributes));
  dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (status == dnnl_success) status = make_convolution(p, engine, attributes);
  if (status == dnnl_success) {
    p->scratch_bytes = bytes_of(query(p, dnnl_query_scratchpad_md));
    status = describe_weight(p);
  }
  if (status == dnnl_success) status = make_reorder(p, engine, attributes);
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

static void destroy(cdnn_entry *entry) {
  cdnn_primitive *p = (cdnn_primitive *)entry;
  if (p->reorder != NULL) dnnl_primitive_destroy(p->reorder);
  if (p->convolution != NULL) dnnl_primitive_destroy(p->convolution);
  if (p->description_of_convolution != NULL) dnnl_primitive_desc_destroy(p->description_of_convolution);
  if (p->has_weight) forget(&p->weight);
  free(p);
}

int cdnn_convolution_find(const cdnn_convolution *shape, cdnn_primitive **primitive, size_t *workspace) {
  const cdnn_entry like = {.shape = shape, .shape_bytes = sizeof *shape, .destroy = destroy};
  cdnn_primitive *found = (cdnn_primitive *)cdnn_cache_find(&like);
  if (found == NULL) {
    found = calloc(1, sizeof *found);
    if (found == NULL) return dnnl_out_of_memory;
    found->shape = *shape;
    found->entry = (cdnn_entry){.shape = &found->shape, .shape_bytes = sizeof *shape, .destroy = destroy};
    dnnl_status_t status = make(found);
    if (status != dnnl_success) {
      destroy(&found->entry);
      return (int)status;
    }
    found = (cdnn_primitive *)cdnn_cache_add(&found->entry);
  }
  *primitive = found;
  *workspace = found->blocked_bytes + found->scratch_bytes;
  return 0;
}

/// An operand of a primitive: which one, how it lies, where.
typedef struct {
  int argument;
  description_reference memory;
  void *data;
} operand;

static dnnl_status_t execute(dnnl_primitive_t primitive, const operand *operands, int count) {
  enum { most = 5 };
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  TRY(cdnn_engine(&engine, &stream));
  dnnl_exec_arg_t arguments[most];
  int made = 0;
  dnnl_status_t status = dnnl_success;
  for (int i = 0; i < count && status == dnnl_success; i++) {
    // A primitive that has no use for an operand has no description of it.
    if (operands[i].memory == NULL || bytes_of(operands[i].memory) == 0) continue;
    arguments[made].arg = operands[i].argument;
    status = dnnl_memory_create(&arguments[made].memory, operands[i].memory, engine, operands[i].data);
    if (status == dnnl_success) made++;
  }
  if (status == dnnl_success) status = dnnl_primitive_execute(primitive, stream, made, arguments);
  if (status == dnnl_success) status = dnnl_stream_wait(stream);
  for (int i = 0; i < made; i++) dnnl_memory_destroy(arguments[i].memory);
  return status;
}

static dnnl_status_t reorder(const cdnn_primitive *p, void *plain, void *blocked, void *scratch) {
  const bool back = p->shape.computes == CDNN_WEIGHT_GRADIENT;
  const_dnnl_primitive_desc_t made;
  TRY(dnnl_primitive_get_primitive_desc(p->reorder, &made));
  const operand operands[] = {
      {back ? DNNL_ARG_TO : DNNL_ARG_FROM, refer(&p->weight), plain},
      {back ? DNNL_ARG_FROM : DNNL_ARG_TO, blocked_weight(p), blocked},
      {DNNL_ARG_SCRATCHPAD, dnnl_primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0), scratch},
  };
  return execute(p->reorder, operands, 3);
}

static dnnl_status_t convolve(const cdnn_primitive *p, void *images, void *weight, void *bias, void *results,
                              void *scratch) {
  const operand working = {DNNL_ARG_SCRATCHPAD, query(p, dnnl_query_scratchpad_md), scratch};
  if (p->shape.computes == CDNN_IMAGES_GRADIENT) {
    const operand operands[] = {{DNNL_ARG_DIFF_SRC, query(p, dnnl_query_diff_src_md), images},
                                {DNNL_ARG_WEIGHTS, blocked_weight(p), weight},
                                {DNNL_ARG_DIFF_DST, query(p, dnnl_query_diff_dst_md), results},
                                working};
    return execute(p->convolution, operands, 4);
  }
  if (p->shape.computes == CDNN_WEIGHT_GRADIENT) {
    const operand operands[] = {{DNNL_ARG_SRC, query(p, dnnl_query_src_md), images},
                                {DNNL_ARG_DIFF_WEIGHTS, blocked_weight(p), weight},
                                {DNNL_ARG_DIFF_DST, query(p, dnnl_query_diff_dst_md), results},
                                working};
    return execute(p->convolution, operands, 4);
  }
  const operand operands[] = {
      {DNNL_ARG_SRC, query(p, dnnl_query_src_md), images},
      {DNNL_ARG_WEIGHTS, blocked_weight(p), weight},
      {DNNL_ARG_DST, query(p, dnnl_query_dst_md), results},
      working,
      {DNNL_ARG_BIAS, dnnl_primitive_desc_query_md(p->description_of_convolution, dnnl_query_weights_md, 1), bias}};
  return execute(p->convolution, operands, p->shape.has_bias ? 5 : 4);
}

int cdnn_convolution_run(cdnn_primitive *p, float *images, float *weight, float *bias, float *results,
                         void *workspace) {
  void *scratch = (char *)workspace + p->blocked_bytes;
  void *blocked = p->reorder != NULL ? workspace : weight;
  const bool back = p->shape.computes == CDNN_WEIGHT_GRADIENT;
  dnnl_status_t status = dnnl_success;
  if (p->reorder != NULL && !back) status = reorder(p, weight, blocked, scratch);
  if (status == dnnl_success) status = convolve(p, images, blocked, bias, results, scratch);
  if (status == dnnl_success && p->reorder != NULL && back) status = reorder(p, weight, blocked, scratch);
  cdnn_cache_release(&p->entry);
  return (int)status;
}
