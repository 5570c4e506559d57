// SPDX-License-Identifier: Apache-2.0

/// Another engine with a profile of what it does. Every primitive is handed on, also those that have a composition as
/// their default, so that the other engine does what it does alone; a test compares the list with `Engine`.
struct ProfilingEngine<Base: Engine>: Engine, ProfiledEngine {
  let base: Base
  let profile: Profile

  var description: String { base.description }

  /// Hands a primitive on, measured where the profile runs.
  @inline(__always)
  private func measured<Result>(
    _ name: @autoclosure () -> String, _ inputs: @autoclosure () -> [Tensor?], _ body: () -> Result,
    _ work: (Result) -> Work
  ) -> Result {
    guard profile.isRunning else { return body() }
    return profile.measure(name(), inputs(), body, work)
  }

  // MARK: Memory

  func fill(_ target: Tensor, with value: Double) {
    measured("fill", [target], { base.fill(target, with: value) }, { Work(touching: target) })
  }
  func copy(_ x: Tensor, into target: Tensor) {
    measured("copy", [x, target], { base.copy(x, into: target) }, { Work(touching: x, target) })
  }
  func scalar(_ x: Tensor) -> Double {
    measured("scalar", [x], { base.scalar(x) }, { _ in Work(touching: x) })
  }
  func isFinite(_ x: Tensor) -> Bool {
    measured("isFinite", [x], { base.isFinite(x) }, { _ in Work(touching: x) })
  }

  // MARK: Element by element

  func unary(_ primitive: UnaryPrimitive, _ x: Tensor) -> Tensor {
    measured(primitive.profileName, [x], { base.unary(primitive, x) }, { Work(touching: x, $0) })
  }
  func binary(_ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    measured(primitive.profileName, [a, b], { base.binary(primitive, a, b) }, { Work(touching: a, b, $0) })
  }
  func compare(_ primitive: ComparisonPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    measured("compare", [a, b], { base.compare(primitive, a, b) }, { Work(touching: a, b, $0) })
  }
  func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    measured(
      "select", [condition, a, b], { base.select(condition, a, b) }, { Work(touching: condition, a, b, $0) })
  }
  func accumulate(_ value: Tensor, into total: Tensor) {
    measured(
      "accumulate", [value, total], { base.accumulate(value, into: total) },
      { Work(touching: value, total, total) })
  }

  // MARK: Reductions

  func reduce(_ primitive: ReductionPrimitive, _ x: Tensor, to shape: Shape) -> Tensor {
    measured(
      primitive.profileName, [x], { base.reduce(primitive, x, to: shape) }, { Work(touching: x, $0) })
  }
  func argument(_ primitive: ReductionPrimitive, _ x: Tensor, axis: Int) -> Tensor {
    measured(
      "argument", [x], { base.argument(primitive, x, axis: axis) }, { Work(touching: x, $0) })
  }
  func cumulativeSum(_ x: Tensor, axis: Int, reversed: Bool) -> Tensor {
    measured(
      "cumulativeSum", [x], { base.cumulativeSum(x, axis: axis, reversed: reversed) },
      { Work(touching: x, $0) })
  }

  // MARK: Products

  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
    measured(
      "matrixProduct", [a, b], { base.matrixProduct(a, b, transposing: transposing) },
      { Work(productOf: a, b, transposing: transposing, giving: $0) })
  }
  func convolution(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor {
    measured(
      "convolution", [x, weight], { base.convolution(x, weight, bias: bias, geometry) },
      { Work(convolving: x, by: weight.shape, giving: $0, touching: weight) })
  }
  func convolution(_ call: ConvolutionCall) -> Tensor {
    measured(
      "convolution", [call.x, call.weight], { base.convolution(call) },
      { Work(convolving: call.x, by: call.weight.shape, giving: $0, touching: call.weight) })
  }
  func convolutionInputGradient(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    measured(
      "convolutionInputGradient", [gradient, weight],
      { base.convolutionInputGradient(gradient, weight, shape: shape, geometry) },
      { Work(convolving: $0, by: weight.shape, giving: gradient, touching: weight) })
  }
  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    measured(
      "convolutionWeightGradient", [x, gradient],
      { base.convolutionWeightGradient(x, gradient, shape: shape, geometry) },
      { Work(convolving: x, by: shape, giving: gradient, touching: $0) })
  }

  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry, resultType: DType
  ) -> Tensor {
    measured(
      "convolutionWeightGradient", [x, gradient],
      { base.convolutionWeightGradient(x, gradient, shape: shape, geometry, resultType: resultType) },
      { Work(convolving: x, by: shape, giving: gradient, touching: $0) })
  }

  // MARK: Pooling

  func maximumPool(_ x: Tensor, _ windows: PoolingWindows) -> (values: Tensor, indices: Tensor) {
    measured(
      "maximumPool", [x], { base.maximumPool(x, windows) }, { Work(touching: x, $0.values, $0.indices) })
  }
  func maximumPoolGradient(_ gradient: Tensor, at indices: Tensor, shape: Shape, _ windows: PoolingWindows)
    -> Tensor
  {
    measured(
      "maximumPoolGradient", [gradient],
      { base.maximumPoolGradient(gradient, at: indices, shape: shape, windows) },
      { Work(touching: gradient, indices, $0) })
  }
  func averagePool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor {
    measured("averagePool", [x], { base.averagePool(x, windows) }, { Work(touching: x, $0) })
  }
  func averagePoolGradient(_ gradient: Tensor, shape: Shape, _ windows: PoolingWindows) -> Tensor {
    measured(
      "averagePoolGradient", [gradient], { base.averagePoolGradient(gradient, shape: shape, windows) },
      { Work(touching: gradient, $0) })
  }

  // MARK: Indexing and order

  func take(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    measured(
      "take", [x, indices], { base.take(x, indices, axis: axis) }, { Work(touching: indices, $0, $0) })
  }
  func scatterAdd(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    measured(
      "scatterAdd", [values, indices, target],
      { base.scatterAdd(values, indices, axis: axis, into: target) },
      { Work(touching: indices, values, values, values) })
  }
  func takeAlong(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    measured(
      "takeAlong", [x, indices], { base.takeAlong(x, indices, axis: axis) },
      { Work(touching: indices, $0, $0) })
  }
  func scatterAddAlong(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    measured(
      "scatterAddAlong", [values, indices, target],
      { base.scatterAddAlong(values, indices, axis: axis, into: target) },
      { Work(touching: indices, values, values, values) })
  }
  func sort(_ x: Tensor, descending: Bool) -> (values: Tensor, indices: Tensor) {
    measured(
      "sort", [x], { base.sort(x, descending: descending) }, { Work(touching: x, $0.values, $0.indices) })
  }

  // MARK: Random numbers

  func random(
    _ distribution: RandomDistribution, shape: Shape, dtype: DType, seed: UInt64, stream: UInt64,
    position: UInt64
  ) -> Tensor {
    measured(
      "random", [],
      {
        base.random(
          distribution, shape: shape, dtype: dtype, seed: seed, stream: stream, position: position)
      }, { Work(touching: $0) })
  }

  // MARK: Fused primitives

  func softmax(_ x: Tensor) -> Tensor {
    measured("softmax", [x], { base.softmax(x) }, { Work(touching: x, $0) })
  }
  func logSoftmax(_ x: Tensor) -> Tensor {
    measured("logSoftmax", [x], { base.logSoftmax(x) }, { Work(touching: x, $0) })
  }
  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition, resultType: DType) -> Tensor {
    measured(
      "matrixProduct", [a, b],
      { base.matrixProduct(a, b, transposing: transposing, resultType: resultType) },
      { Work(productOf: a, b, transposing: transposing, giving: $0) })
  }
  func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor?, activation: UnaryPrimitive?, resultType: DType
  ) -> Tensor {
    measured(
      "linear", [x, weight],
      { base.linear(x, weight, bias: bias, activation: activation, resultType: resultType) },
      { Work(productOf: x, weight, transposing: .none, giving: $0) })
  }
  func binaryWithColumnSums(
    _ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor
  ) -> (values: Tensor, sums: Tensor) {
    measured(
      primitive.profileName, [a, b], { base.binaryWithColumnSums(primitive, a, b) },
      { Work(touching: a, b, $0.values) })
  }
  func crossEntropy(_ call: CrossEntropyCall) -> (losses: Tensor, statistics: Tensor) {
    measured("crossEntropy", [call.logits], { base.crossEntropy(call) }, { _ in Work(touching: call.logits) })
  }
  func crossEntropyGradient(_ call: CrossEntropyCall, statistics: Tensor, gradient: Tensor) -> Tensor {
    measured(
      "crossEntropyGradient", [call.logits],
      { base.crossEntropyGradient(call, statistics: statistics, gradient: gradient) },
      { Work(touching: call.logits, $0) })
  }
  func gatedTanh(_ x: Tensor) -> Tensor {
    measured("gatedTanh", [x], { base.gatedTanh(x) }, { Work(touching: x, $0) })
  }
  func gatedTanhGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    measured(
      "gatedTanhGradient", [x], { base.gatedTanhGradient(gradient, x) }, { Work(touching: gradient, x, $0) })
  }
  func learnWords(_ update: WordUpdate) -> WordUpdateOutcome {
    measured("learnWords", [], { base.learnWords(update) }, { _ in Work(touching: update.input) })
  }
  func columnSums(_ x: Tensor) -> Tensor {
    measured("columnSums", [x], { base.columnSums(x) }, { Work(touching: x, $0) })
  }
  func halfSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    measured("halfSquaredError", [a, b], { base.halfSquaredError(a, b) }, { Work(touching: a, b, $0) })
  }
  func update(_ rule: UpdateRule, _ parts: [ParameterUpdate]) {
    measured("update", [], { base.update(rule, parts) }, { Work(updating: parts) })
  }
  func sumOfSquares(_ x: Tensor) -> Double {
    measured("sumOfSquares", [x], { base.sumOfSquares(x) }, { _ in Work(touching: x) })
  }

  func batchNorm(_ call: BatchNormCall) -> (value: Tensor, mean: Tensor, variance: Tensor) {
    measured(
      "batchNorm", [call.x], { base.batchNorm(call) },
      { Work(touching: call.x, call.x, call.residual, $0.value) })
  }
  func batchNorm(_ call: BatchNormCall, mean: Tensor, variance: Tensor) -> Tensor {
    measured(
      "batchNorm", [call.x], { base.batchNorm(call, mean: mean, variance: variance) },
      { Work(touching: call.x, call.residual, $0) })
  }
  func batchNormGradient(_ call: BatchNormCall, _ backward: BatchNormBackward) -> BatchNormGradients {
    measured(
      "batchNormGradient", [call.x], { base.batchNormGradient(call, backward) },
      {
        // Both are gone over twice.
        Work(
          touching: call.x, call.x, backward.gradient, backward.gradient, backward.value, backward.total, $0.x
        )
      })
  }

  func hasFusedRecurrent(for cell: RecurrentPrimitive, dtype: DType) -> Bool {
    base.hasFusedRecurrent(for: cell, dtype: dtype)
  }
  func recurrent(_ call: RecurrentCall, forGradient: Bool, withFinalStates: Bool) -> RecurrentResult {
    measured(
      "recurrent", [call.x, call.recurrentWeight],
      { base.recurrent(call, forGradient: forGradient, withFinalStates: withFinalStates) },
      { Work(recurrent: call, giving: $0.outputs, passes: 1) })
  }
  func recurrentGradient(
    _ call: RecurrentCall, _ result: RecurrentResult, _ gradients: RecurrentResultGradients,
    wanted: RecurrentWishes
  ) -> RecurrentGradients {
    measured(
      "recurrentGradient", [call.x, call.recurrentWeight],
      { base.recurrentGradient(call, result, gradients, wanted: wanted) },
      {
        _ in
        Work(recurrent: call, giving: result.outputs, passes: 2, needsInput: wanted.contains(.input))
      })
  }

  func hasFusedAttention(for call: AttentionCall) -> Bool { base.hasFusedAttention(for: call) }
  func attention(_ call: AttentionCall) -> (output: Tensor, logarithms: Tensor) {
    measured(
      "attention", [call.query, call.key], { base.attention(call) },
      { Work(attention: call, touching: call.query, call.key, call.value, $0.output, products: 2) })
  }
  func attentionGradient(
    _ call: AttentionCall, output: Tensor, logarithms: Tensor, gradient: Tensor,
    into gradients: AttentionGradients
  ) {
    measured(
      "attentionGradient", [call.query, call.key],
      {
        base.attentionGradient(
          call, output: output, logarithms: logarithms, gradient: gradient, into: gradients)
      },
      { _ in
        // That the weights are made again is the primitive's own choice: four products are needed.
        Work(
          attention: call, touching: call.query, call.key, call.value, output, gradient, gradients.query,
          gradients.key, gradients.value, products: 4)
      })
  }

  func hasFusedLayerNorm(for x: Tensor) -> Bool { base.hasFusedLayerNorm(for: x) }
  func layerNorm(_ call: LayerNormCall, isTraced: Bool) -> (value: Tensor, trace: LayerNormTrace?) {
    measured(
      "layerNorm", [call.x], { base.layerNorm(call, isTraced: isTraced) },
      { Work(touching: call.x, call.residual, call.residual == nil ? nil : $0.trace?.sum, $0.value) })
  }
  func layerNormGradient(
    _ call: LayerNormCall, moments: Tensor, gradient: Tensor, needsInput: Bool, needsScale: Bool,
    needsShift: Bool
  ) -> LayerNormGradients {
    measured(
      "layerNormGradient", [call.x],
      {
        base.layerNormGradient(
          call, moments: moments, gradient: gradient, needsInput: needsInput, needsScale: needsScale,
          needsShift: needsShift)
      }, { Work(touching: call.x, gradient, $0.x) })
  }
}
