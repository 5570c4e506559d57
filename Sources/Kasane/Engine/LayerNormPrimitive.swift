// SPDX-License-Identifier: Apache-2.0

/// The normalisation of rows by their own mean and variance; see `layerNormalization`.
public struct LayerNormCall {
  /// `[..., width]`, with all normalised axes as the last one.
  let x: Tensor
  /// Added to it first, of the same shape and type.
  var residual: Tensor?
  /// `[width]`, float32
  var scale: Tensor?
  /// `[width]`, float32
  var shift: Tensor?
  /// Whether the mean is taken away.
  var isCentered = true
  /// What is added to the variance.
  var epsilon: Double
}

/// What a layer normalisation found on its way, for its gradient.
public struct LayerNormTrace {
  /// What was normalised, with the residual.
  let sum: Tensor
  /// Mean and reciprocal deviation of each row, `[rows, 2]`, float32.
  let moments: Tensor
}

/// The gradients of a layer normalisation; that of the residual is that of x.
public struct LayerNormGradients {
  let x: Tensor?
  let scale: Tensor?
  let shift: Tensor?
}

extension Engine {
  /// False: the normalisation is composed from plain operations.
  public func hasFusedLayerNorm(for x: Tensor) -> Bool { false }
  /// Never called while `hasFusedLayerNorm` is false.
  public func layerNorm(_ call: LayerNormCall, isTraced: Bool) -> (value: Tensor, trace: LayerNormTrace?) {
    fatalError("\(self): no layer normalisation primitive")
  }
  /// Never called while `hasFusedLayerNorm` is false.
  public func layerNormGradient(
    _ call: LayerNormCall, moments: Tensor, gradient: Tensor, needsInput: Bool, needsScale: Bool,
    needsShift: Bool
  ) -> LayerNormGradients { fatalError("\(self): no layer normalisation primitive") }
}
