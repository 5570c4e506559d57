// SPDX-License-Identifier: Apache-2.0

/// Normalises by mean and variance over the last `axisCount` axes (Ba et al. 2016), and gives each of their elements the
/// given scale and shift, whose shapes are those axes'.
///
/// - Parameters:
///   - x: A tensor of any shape. Of type bfloat16 it is computed in float32, and scale and shift may be float32.
///   - residual: Added to x first, of its shape and converted to its type: the input of the layer of which x is the
///     result.
public func layerNormalization(
  _ x: Tensor, adding residual: Tensor? = nil, axisCount: Int = 1, scale: Tensor? = nil, shift: Tensor? = nil,
  epsilon: Double = 1e-5
) -> Tensor {
  RowNormalization(
    name: "layerNormalization", axisCount: axisCount, isCentered: true, epsilon: epsilon
  )(x, residual, scale, shift)
}

/// Divides by the root of the mean square over the last axis (Zhang and Sennrich 2019), and gives each of its elements
/// the given scale, `[features]`.
///
/// - Parameters:
///   - x: A tensor of any shape. Of type bfloat16 it is computed in float32, and the scale may be float32.
///   - residual: Added to x first, of its shape.
public func rmsNormalization(
  _ x: Tensor, adding residual: Tensor? = nil, scale: Tensor? = nil, epsilon: Double = 1e-6
) -> Tensor {
  RowNormalization(name: "rmsNormalization", axisCount: 1, isCentered: false, epsilon: epsilon)(
    x, residual, scale, nil)
}

/// A normalisation over the last axes, taken as rows.
private struct RowNormalization {
  let name: String
  let axisCount: Int
  let isCentered: Bool
  let epsilon: Double

  func callAsFunction(_ x: Tensor, _ residual: Tensor?, _ scale: Tensor?, _ shift: Tensor?) -> Tensor {
    check(x, residual, scale, shift)
    let residual = residual?.cast(to: x.dtype)
    // The primitive's own backward is not recorded, so where a second derivative may be asked for the composition serves.
    guard engine.hasFusedLayerNorm(for: x), !Tape.isNested, x.elementCount > 0 else {
      return composed(x, residual, scale, shift)
    }
    if axisCount == 1 { return fused(x, residual, scale, shift) }
    var rows = Shape(x.shape.dropLast(axisCount))
    rows.append(-1)
    return fused(
      x.reshaped(to: rows), residual?.reshaped(to: rows), scale?.reshaped(to: [-1]), shift?.reshaped(to: [-1])
    ).reshaped(to: x.shape)
  }

  private func check(_ x: Tensor, _ residual: Tensor?, _ scale: Tensor?, _ shift: Tensor?) {
    precondition(
      axisCount > 0 && axisCount <= x.rank, "\(name): \(axisCount) axes of a tensor of shape \(x.shape)")
    precondition(x.dtype.isFloatingPoint, "\(name): \(x.dtype) where a floating-point type is needed")
    if let residual {
      precondition(
        residual.shape == x.shape && residual.dtype.isFloatingPoint,
        "\(name): a residual of shape \(residual.shape), \(residual.dtype), for input \(x.shape) \(x.dtype)")
    }
    let shape = Shape(x.shape.suffix(axisCount))
    for tensor in [scale, shift] {
      guard let tensor else { continue }
      precondition(
        tensor.shape == shape
          && (tensor.dtype == x.dtype || x.dtype == .bfloat16 && tensor.dtype == .float32),
        "\(name): \(tensor.shape) \(tensor.dtype) where input \(x.shape) \(x.dtype) needs \(shape)")
    }
  }

  private func fused(_ x: Tensor, _ residual: Tensor?, _ scale: Tensor?, _ shift: Tensor?) -> Tensor {
    let (scale, shift) = (scale?.cast(to: .float32), shift?.cast(to: .float32))
    let call = LayerNormCall(
      x: x, residual: residual, scale: scale, shift: shift, isCentered: isCentered, epsilon: epsilon)
    let tape = Tape.recording
    let (value, trace) = engine.layerNorm(call, isTraced: tape != nil)
    guard let tape, let trace else { return value }
    var options: RowNormalizationOptions = isCentered ? .isCentered : []
    if residual != nil { options.insert(.hasResidual) }
    if scale != nil { options.insert(.hasScale) }
    if shift != nil { options.insert(.hasShift) }
    tape.record(
      .layerNormalization, value, inputs: [x, residual, scale, shift].compactMap(\.self),
      saving: [trace.sum, trace.moments, scale].compactMap(\.self), integers: (options.rawValue, 0)
    ) { step in
      let options = RowNormalizationOptions(rawValue: step.integers.0)
      var (place, residualPlace, scalePlace, shiftPlace) = (1, -1, -1, -1)
      if options.contains(.hasResidual) { (residualPlace, place) = (place, place + 1) }
      if options.contains(.hasScale) { (scalePlace, place) = (place, place + 1) }
      if options.contains(.hasShift) { shiftPlace = place }
      let needsInput = step.needs(0) || (residualPlace > 0 && step.needs(residualPlace))
      let call = LayerNormCall(
        x: step[0], scale: scalePlace > 0 ? step[2] : nil, isCentered: options.contains(.isCentered),
        epsilon: 0)
      let gradients = engine.layerNormGradient(
        call, moments: step[1], gradient: step.gradient.cast(to: step[0].dtype), needsInput: needsInput,
        needsScale: scalePlace > 0 && step.needs(scalePlace),
        needsShift: shiftPlace > 0 && step.needs(shiftPlace))
      if let gradient = gradients.x {
        step.add(gradient, to: 0)
        if residualPlace > 0 { step.add(gradient, to: residualPlace) }
      }
      if let gradient = gradients.scale { step.add(gradient, to: scalePlace) }
      if let gradient = gradients.shift { step.add(gradient, to: shiftPlace) }
    }
    return value
  }

  /// The same from plain operations; bfloat16 in single precision.
  func composed(_ x: Tensor, _ residual: Tensor?, _ scale: Tensor?, _ shift: Tensor?) -> Tensor {
    if x.dtype == .bfloat16 {
      return composed(
        x.cast(to: .float32), residual?.cast(to: .float32), scale?.cast(to: .float32),
        shift?.cast(to: .float32)
      ).cast(to: .bfloat16)
    }
    let sum = residual.map { x + $0 } ?? x
    if isCentered {
      return Moments(of: sum, axes: Shape(x.rank - axisCount..<x.rank)).normalized(
        scale: scale, shift: shift, epsilon: epsilon)
    }
    let y = sum * inverseDeviation(square(sum).mean(axes: [-1], keepingAxes: true), epsilon)
    return scale.map { y * $0 } ?? y
  }
}

/// What a recorded normalisation notes of its call.
private struct RowNormalizationOptions: OptionSet {
  let rawValue: Int
  static let isCentered = RowNormalizationOptions(rawValue: 1)
  static let hasResidual = RowNormalizationOptions(rawValue: 2)
  static let hasScale = RowNormalizationOptions(rawValue: 4)
  static let hasShift = RowNormalizationOptions(rawValue: 8)
}
