// SPDX-License-Identifier: Apache-2.0

/// Layers one after the other, written as a list:
///
///     let network = Sequential {
///       Linear(784, 100, using: &random)
///       relu
///       Dropout(0.5)
///       for _ in 0..<depth { Residual { Linear(100, 100, using: &random); Activation.gelu } }
///       if hasHead { Linear(100, 10, using: &random) }
///     }
///
/// A function of a tensor counts as a layer. Parameters are named by their layer's place: `0.weight`, `2.bias`, as in
/// PyTorch.
public struct Sequential: Layer {
  /// The layers in the order in which they are applied.
  public let layers: [any Layer<Tensor, Tensor>]

  /// The layers of a list.
  public init(@LayerBuilder _ layers: () throws -> [any Layer<Tensor, Tensor>]) rethrows {
    self.layers = try layers()
  }

  /// The given layers.
  public init(_ layers: [any Layer<Tensor, Tensor>]) { self.layers = layers }

  /// Applies each layer to what the one before it gave.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      var result = x
      let recorder = Tape.current?.recorder
      for (index, layer) in layers.enumerated() {
        result = recorder?.call(ofPart: index) { layer(result) } ?? layer(result)
      }
      return result
    }
  }

  /// The layer at a place.
  public subscript(index: Int) -> any Layer<Tensor, Tensor> { layers[index] }

  /// Some of the layers, sharing their parameters with these: a network cut short, say.
  public subscript(range: some RangeExpression<Int>) -> Sequential { Sequential(Array(layers[range])) }
}

// The layers' places are the names: `0.weight`, not `layers.0.weight`.
extension Sequential: ParameterNest {
  static var mayHoldParameters: Bool { true }

  static func visitParameters(
    at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void
  ) {
    [any Layer<Tensor, Tensor>].visitParameters(at: place, path: path, body)
  }

  static func replaceParameters(at place: UnsafeMutableRawPointer, by replacement: (Parameter) -> Parameter) {
    [any Layer<Tensor, Tensor>].replaceParameters(at: place, by: replacement)
  }
}

/// Layers whose result is added to their input (He et al. 2016): `x + f(x)`, or `s(x) + f(x)` with a shortcut s that
/// makes the shapes agree.
public struct Residual: Layer {
  /// f.
  public let body: Sequential
  /// s.
  public let shortcut: (any Layer<Tensor, Tensor>)?

  /// The layers of a list, and the shortcut where the input itself does not have the result's shape.
  public init(
    shortcut: (any Layer<Tensor, Tensor>)? = nil,
    @LayerBuilder _ layers: () throws -> [any Layer<Tensor, Tensor>]
  ) rethrows {
    body = try Sequential(layers)
    self.shortcut = shortcut
  }

  /// Maps `x` to `x + f(x)`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      let change = body(x)
      let kept = shortcut.map { $0(x) } ?? x
      precondition(
        kept.shape == change.shape,
        "Residual: the layers give \(change.shape), the shortcut \(kept.shape)")
      return kept + change
    }
  }
}

/// Makes a list of layers of what stands in braces: layers, functions, conditions and loops.
@resultBuilder
public enum LayerBuilder {
  /// One or more layers.
  public typealias Layers = [any Layer<Tensor, Tensor>]

  /// A layer.
  public static func buildExpression(_ layer: some Layer<Tensor, Tensor>) -> Layers { [layer] }
  /// A layer of whatever type.
  public static func buildExpression(_ layer: any Layer<Tensor, Tensor>) -> Layers { [layer] }
  /// Several layers.
  public static func buildExpression(_ layers: Layers) -> Layers { layers }
  /// A function.
  public static func buildExpression(_ function: @escaping @Sendable (Tensor) -> Tensor) -> Layers {
    [Function(function)]
  }
  /// The lines of a list.
  public static func buildBlock(_ parts: Layers...) -> Layers { parts.flatMap { $0 } }
  /// The branch that is taken.
  public static func buildEither(first: Layers) -> Layers { first }
  /// The other branch.
  public static func buildEither(second: Layers) -> Layers { second }
  /// A branch, or nothing.
  public static func buildOptional(_ layers: Layers?) -> Layers { layers ?? [] }
  /// A loop.
  public static func buildArray(_ parts: [Layers]) -> Layers { parts.flatMap { $0 } }
  /// What is only available on some systems.
  public static func buildLimitedAvailability(_ layers: Layers) -> Layers { layers }
}
