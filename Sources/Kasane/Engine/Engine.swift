// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The seam: everything numeric passes through these primitives. An engine sees checked shapes and never the
/// tape; operations, layers and models never see what an engine does.
///
/// Tensors that go in may be views with any strides, also negative and zero ones, and have axes of size 0 or 1.
/// Tensors that come out are new and contiguous. Axes are counted from 0.
public protocol Engine: Sendable {
  /// The engine's name and its libraries' versions.
  var description: String { get }

  // MARK: Memory

  /// Makes every element `value`, converted to the tensor's type.
  func fill(_ target: Tensor, with value: Double)
  /// Overwrites the elements of `target`, which may be a view, by those of `x`, broadcast and converted.
  func copy(_ x: Tensor, into target: Tensor)
  /// The value of the only element.
  func scalar(_ x: Tensor) -> Double
  /// Whether every element is neither infinite nor NaN.
  func isFinite(_ x: Tensor) -> Bool

  // MARK: Element by element

  /// A function of each element. Traps where the type does not admit it.
  func unary(_ primitive: UnaryPrimitive, _ x: Tensor) -> Tensor
  /// A function of each pair of elements of one type. Traps where the shapes do not broadcast.
  func binary(_ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor
  /// The comparison of each pair of elements of one type, as bool. Traps where the shapes do not broadcast.
  func compare(_ primitive: ComparisonPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor
  /// `a` where the bool `condition` is true, else `b`, all three broadcast; a and b of one type.
  func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor
  /// Adds `value` to `total` in place; both of one shape and type, `total` contiguous.
  func accumulate(_ value: Tensor, into total: Tensor)

  // MARK: Reductions

  /// The reduction over the axes where `shape`, of the same rank, has size 1. Over no elements a sum is 0 and a
  /// product 1; maximum and minimum, for which NaN beats every number, are never asked for there.
  func reduce(_ primitive: ReductionPrimitive, _ x: Tensor, to shape: Shape) -> Tensor
  /// Where along an axis the first maximum (or minimum) is, int64, that axis taken away. NaN counts as both.
  func argument(_ primitive: ReductionPrimitive, _ x: Tensor, axis: Int) -> Tensor
  /// The sums of the elements up to each one along an axis, or from each one on where reversed.
  func cumulativeSum(_ x: Tensor, axis: Int, reversed: Bool) -> Tensor

  // MARK: Products

  /// The matrix product over the last two axes, the others broadcast. With a transposition, all axes but the last
  /// of each operand count as one: [..., k] by [n, k] gives [..., n], [..., m] by [..., n] gives [m, n].
  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor
  /// The convolution (cross-correlation) of images `[batch, height, width, inputs]` with a kernel
  /// `[kernelHeight, kernelWidth, inputs / groups, outputs]`: `[batch, outHeight, outWidth, outputs]`, plus a bias
  /// `[outputs]` where there is one.
  func convolution(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor
  /// The gradient of a convolution by its images, of the given shape.
  func convolutionInputGradient(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor
  /// The gradient of a convolution by its kernel, of the given shape.
  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor

  /// The same, of the given floating-point type, without being rounded to the operands' on the way where that is wider.
  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry, resultType: DType
  ) -> Tensor

  // MARK: Pooling

  /// The maximum over each window of images `[batch, height, width, channels]`, and where it is: the number of the
  /// image's pixel, row * width + column, int32, the first where several are equal.
  func maximumPool(_ x: Tensor, _ windows: PoolingWindows) -> (values: Tensor, indices: Tensor)
  /// The gradient of a maximum pooling by its images, of the given shape: `gradient` at the pixels that `indices` tell, and
  /// zero elsewhere.
  func maximumPoolGradient(_ gradient: Tensor, at indices: Tensor, shape: Shape, _ windows: PoolingWindows)
    -> Tensor
  /// The average over each window of images `[batch, height, width, channels]`.
  func averagePool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor
  /// The gradient of an average pooling by its images, of the given shape.
  func averagePoolGradient(_ gradient: Tensor, shape: Shape, _ windows: PoolingWindows) -> Tensor

  // MARK: Indexing and order

  // Indices are int64 and within the axis; the operations check them.

  /// The slices of `x` at the indices `[count]` along an axis.
  func take(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor
  /// Adds the slices of `values` to those of `target`, contiguous, at the indices `[count]` along an axis, in order.
  func scatterAdd(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor)
  /// The elements of `x` at the indices along an axis; `indices` has the shape of the result, and that of `x` but
  /// for the axis.
  func takeAlong(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor
  /// Adds the elements of `values` to those of `target`, contiguous, at the indices along an axis, in order.
  func scatterAddAlong(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor)
  /// The elements of the last axis in order, and where each was, int64. Equal elements keep their order; NaN comes
  /// after every number ascending, before every number descending.
  func sort(_ x: Tensor, descending: Bool) -> (values: Tensor, indices: Tensor)

  // MARK: Random numbers

  /// Random numbers of a floating-point type from the stream of a seed, a function of the position alone.
  func random(
    _ distribution: RandomDistribution, shape: Shape, dtype: DType, seed: UInt64, stream: UInt64,
    position: UInt64
  ) -> Tensor

  // MARK: Fused primitives

  // Each has a plain composition, which is used where an engine has none of its own.

  /// A convolution with a norm, a residual and an activation behind it. Where `Tape.recording` is nil, what an engine
  /// makes of the weights of parameters may be kept.
  func convolution(_ call: ConvolutionCall) -> Tensor
  /// The softmax over the last axis.
  func softmax(_ x: Tensor) -> Tensor
  /// The logarithm of the softmax over the last axis.
  func logSoftmax(_ x: Tensor) -> Tensor
  /// tanh(a) sigmoid(b) of the halves a and b of the last axis.
  func gatedTanh(_ x: Tensor) -> Tensor
  /// The gradient of that by x.
  func gatedTanhGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor
  /// Changes word vectors in place by what some sentences teach them.
  func learnWords(_ update: WordUpdate) -> WordUpdateOutcome
  /// The cross-entropy of each position, float32, or float64 of such logits, and what the gradient wants to know of
  /// the logits. Traps where a label is no class.
  func crossEntropy(_ call: CrossEntropyCall) -> (losses: Tensor, statistics: Tensor)
  /// The gradient by the logits, of their type, from that of the losses.
  func crossEntropyGradient(_ call: CrossEntropyCall, statistics: Tensor, gradient: Tensor) -> Tensor
  /// The matrix product of operands of one type, given as another: float32 from bfloat16 operands, say, in which it is
  /// summed up.
  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition, resultType: DType) -> Tensor
  /// f(x W + b) with x `[..., inputs]` and W `[inputs, outputs]` of one type. The bias `[outputs]` may be float32 where
  /// those are bfloat16; sum and activation are rounded once, to the type of the result.
  func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor?, activation: UnaryPrimitive?, resultType: DType
  ) -> Tensor
  /// A function of each pair of elements of two tensors of one shape, and its sums as `columnSums` has them.
  func binaryWithColumnSums(
    _ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor
  ) -> (values: Tensor, sums: Tensor)
  /// The sums over all axes but the last, `[columns]`; of half-width types as float32.
  func columnSums(_ x: Tensor) -> Tensor
  /// Half the summed squared differences of two tensors of one shape.
  func halfSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor
  /// One step of an optimizer for many parameters at once, in place.
  func update(_ rule: UpdateRule, _ parts: [ParameterUpdate])
  /// The sum of the squares of all elements of a float32 or float64 tensor; the same for any number of threads.
  func sumOfSquares(_ x: Tensor) -> Double

  /// A batch normalisation by the batch's own statistics, and these.
  func batchNorm(_ call: BatchNormCall) -> (value: Tensor, mean: Tensor, variance: Tensor)
  /// A batch normalisation by the given statistics.
  func batchNorm(_ call: BatchNormCall, mean: Tensor, variance: Tensor) -> Tensor
  /// The gradients of a batch normalisation by the batch's own statistics.
  func batchNormGradient(_ call: BatchNormCall, _ backward: BatchNormBackward) -> BatchNormGradients

  /// Whether `recurrent` and its gradient can be called for such a cell.
  func hasFusedRecurrent(for cell: RecurrentPrimitive, dtype: DType) -> Bool
  /// A recurrent layer over whole sequences of at least one step; see `RecurrentCall`.
  func recurrent(_ call: RecurrentCall, forGradient: Bool, withFinalStates: Bool) -> RecurrentResult
  /// The gradients of a recurrent layer from those of what it gave.
  func recurrentGradient(
    _ call: RecurrentCall, _ result: RecurrentResult, _ gradients: RecurrentResultGradients,
    wanted: RecurrentWishes
  ) -> RecurrentGradients

  /// Whether `attention` and its gradient can be called for such tensors.
  func hasFusedAttention(for call: AttentionCall) -> Bool
  /// The attention of several heads, `[batch, queries, heads * outputs]`, and the logarithms of the sums by which the
  /// softmaxes divided, float32 `[batch, heads, queries]`.
  func attention(_ call: AttentionCall) -> (output: Tensor, logarithms: Tensor)
  /// The gradients of attention from that of its output, written into given tensors.
  func attentionGradient(
    _ call: AttentionCall, output: Tensor, logarithms: Tensor, gradient: Tensor,
    into gradients: AttentionGradients)

  /// Whether `layerNorm` and its gradient can be called for such a tensor.
  func hasFusedLayerNorm(for x: Tensor) -> Bool
  /// Rows normalised by their own mean and variance; with what the gradient needs where it is asked for.
  func layerNorm(_ call: LayerNormCall, isTraced: Bool) -> (value: Tensor, trace: LayerNormTrace?)
  /// The gradients of a layer normalisation of `x`, to which the residual has been added, from that of its value.
  func layerNormGradient(
    _ call: LayerNormCall, moments: Tensor, gradient: Tensor, needsInput: Bool, needsScale: Bool,
    needsShift: Bool
  ) -> LayerNormGradients
}

extension Engine {
  /// Zeros to which the gradient is added at the indices.
  public func maximumPoolGradient(
    _ gradient: Tensor, at indices: Tensor, shape: Shape, _ windows: PoolingWindows
  ) -> Tensor {
    let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    fill(result, with: 0)
    let places = Tensor(unsetWithShape: indices.shape, dtype: .int64)
    copy(indices, into: places)
    withoutGradient {
      scatterAddAlong(gradient.asPixels, places.asPixels, axis: 1, into: result.asPixels)
    }
    return result
  }

  /// exp(x - max) over its sum.
  public func softmax(_ x: Tensor) -> Tensor {
    guard x.elementCount > 0 else { return Tensor(unsetLike: x) }
    let exponentials = unary(.exponential, binary(.subtract, x, reduce(.maximum, x, to: x.rowShape)))
    return binary(.divide, exponentials, reduce(.sum, exponentials, to: x.rowShape))
  }

  /// x - max - log(sum(exp(x - max))).
  public func logSoftmax(_ x: Tensor) -> Tensor {
    guard x.elementCount > 0 else { return Tensor(unsetLike: x) }
    let shifted = binary(.subtract, x, reduce(.maximum, x, to: x.rowShape))
    let total = reduce(.sum, unary(.exponential, shifted), to: x.rowShape)
    return binary(.subtract, shifted, unary(.logarithm, total))
  }

  /// sum((a - b)^2) / 2.
  public func halfSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    let squares = unary(.square, binary(.subtract, a, b))
    let total = reduce(.sum, squares, to: Shape(repeating: 1, count: a.rank))
    return binary(.multiply, total, Tensor(repeating: 0.5, shape: Shape(), dtype: a.dtype))
      .withoutRecord(shape: Shape())
  }
}

extension Tensor {
  /// The shape with the last axis kept as one.
  fileprivate var rowShape: Shape {
    var shape = self.shape
    shape[rank - 1] = 1
    return shape
  }

  /// A contiguous tensor's elements under another shape, off the tape.
  fileprivate func withoutRecord(shape: Shape) -> Tensor { withoutGradient { reshaped(to: shape) } }
}

/// The engine in use: the CPU's, or the one that the environment variable KASANE_ENGINE names.
public let engine: any Engine = chosenEngine()

/// The engines by the names that KASANE_ENGINE knows.
public let engineNames = ["cpu", "reference"]

private func chosenEngine() -> any Engine {
  switch setting("KASANE_ENGINE") ?? "cpu" {
  case "cpu": return profiled(CPUEngine())
  case "reference": return profiled(ReferenceEngine())
  case let name:
    fatalError("KASANE_ENGINE: \(name), one of \(engineNames.joined(separator: ", ")) expected")
  }
}

/// The words that KASANE_CONVOLUTION knows: `direct` keeps the CPU's engine from Winograd's convolutions, which are faster
/// but less exact.
package let convolutionNames = ["winograd", "direct"]

/// Whether KASANE_CONVOLUTION says so.
let convolutionsAreDirect = setting("KASANE_CONVOLUTION") == "direct"

/// The words that KASANE_PROFILE knows: what counts apart in the engine's profile.
package let profileNames = ["operations", "shapes"]

/// The engine, with a profile where KASANE_PROFILE asks for one. Without it nothing stands in between.
private func profiled(_ engine: some Engine) -> any Engine {
  guard let name = setting("KASANE_PROFILE") else { return engine }
  precondition(
    profileNames.contains(name),
    "KASANE_PROFILE: \(name), one of \(profileNames.joined(separator: ", ")) expected")
  return ProfilingEngine(base: engine, profile: Profile(keepsShapes: name == "shapes"))
}

private func setting(_ variable: String) -> String? { getenv(variable).map { String(cString: $0) } }
