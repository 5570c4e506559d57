// SPDX-License-Identifier: Apache-2.0

/// How values between those of an image or a sequence are found.
public enum InterpolationMode: Hashable, Sendable {
  /// The one in whose stretch the new place begins.
  case nearest
  /// The weighted mean of the neighbours: two along a sequence, four on an image.
  case linear
  /// `linear`, as it is called on an image.
  public static var bilinear: InterpolationMode { .linear }
}

extension Tensor {
  /// Images `[batch, height, width, channels]` resized to another height and width, by PyTorch's conventions.
  ///
  /// - Parameters:
  ///   - size: The new height and width.
  ///   - mode: How the new pixels are found.
  ///   - alignCorners: For `linear`: whether the centres of the corner pixels stay where they are, rather than
  ///     the image's outer edges.
  public func interpolated(
    to size: Size2D, mode: InterpolationMode = .bilinear, alignCorners: Bool = false
  ) -> Tensor {
    precondition(
      rank == 4, "interpolated: images of shape \(shape), not [batch, height, width, channels]")
    return interpolated(axis: 1, to: size.height, mode, alignCorners)
      .interpolated(axis: 2, to: size.width, mode, alignCorners)
  }

  /// Sequences `[batch, time, features]` resized to another number of steps, by PyTorch's conventions; see the
  /// function of the same name for images.
  public func interpolated(
    to steps: Int, mode: InterpolationMode = .linear, alignCorners: Bool = false
  ) -> Tensor {
    precondition(rank == 3, "interpolated: sequences of shape \(shape), not [batch, time, features]")
    return interpolated(axis: 1, to: steps, mode, alignCorners)
  }

  private func interpolated(
    axis: Int, to count: Int, _ mode: InterpolationMode, _ alignCorners: Bool
  ) -> Tensor {
    let size = shape[axis]
    precondition(
      count >= 0 && (size > 0 || count == 0),
      "interpolated: axis \(axis) of shape \(shape) to a size of \(count)")
    if mode == .nearest { return gathered(Tensor((0..<count).map { $0 * size / count }), axis: axis) }
    precondition(
      dtype.isFloatingPoint, "interpolated: \(dtype) where a floating-point type is needed")
    if count == size { return self }
    let places = (0..<count).map { place -> Double in
      if alignCorners { return count == 1 ? 0 : Double(place * (size - 1)) / Double(count - 1) }
      return Swift.max(0, (Double(place) + 0.5) * Double(size) / Double(count) - 0.5)
    }
    let first = places.map { Swift.min(Int($0), size - 1) }
    let second = first.map { Swift.min($0 + 1, size - 1) }
    let weights = zip(places, first).map { $0 - Double($1) }
    let weightShape = Shape(repeating: 1, count: rank).replacing(at: axis, with: count)
    let after = Tensor(weights, shape: weightShape).cast(to: dtype)
    let before = Tensor(weights.map { 1 - $0 }, shape: weightShape).cast(to: dtype)
    let left = gathered(Tensor(first), axis: axis) * before
    return left + gathered(Tensor(second), axis: axis) * after
  }
}
