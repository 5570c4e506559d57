// SPDX-License-Identifier: Apache-2.0

// Every reduction is over all elements, or over the given axes, which count from the end where they are negative; the
// axes are kept with size 1 when asked.

/// What a reduction does to a shape.
struct ReducedShape {
  /// The shape with the reduced axes of size 1.
  private(set) var kept = Shape()
  /// The shape without the reduced axes.
  private(set) var rest = Shape()
  /// How many elements become one.
  private(set) var count = 1

  init(_ x: Tensor, over axes: Shape?, of operation: String) {
    let shape = x.shape
    guard let axes else {
      (kept, count) = (Shape(repeating: 1, count: shape.count), shape.elementCount)
      return
    }
    var reduced: UInt8 = 0
    for axis in axes {
      let bit: UInt8 = 1 << x.axis(axis, of: operation)
      precondition(reduced & bit == 0, "\(operation): axes \(axes) of shape \(shape) name one twice")
      reduced |= bit
    }
    for axis in 0..<shape.count {
      if reduced >> axis & 1 == 1 {
        kept.append(1)
        count *= shape[axis]
      } else {
        kept.append(shape[axis])
        rest.append(shape[axis])
      }
    }
  }

  /// A result with the reduced axes of size 1, or without them.
  func result(_ kept: Tensor, keepingAxes: Bool) -> Tensor {
    keepingAxes || kept.rank == rest.count ? kept : kept.reshaped(to: rest)
  }
}

extension Tensor {
  /// The sum over the axes. Over no elements it is 0. Sums of whole numbers and of truth values are of type int64.
  public func sum(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    let reduced = ReducedShape(self, over: axes, of: "sum")
    return reduced.result(widened().total(to: reduced.kept), keepingAxes: keepingAxes)
  }

  /// The sum over the axes where `kept`, of the same rank, has size 1.
  private func total(to kept: Shape) -> Tensor {
    recorded(.sum, engine.reduce(.sum, self, to: kept), self, saving: ghostIfRecording) { step in
      step.add(step.gradient.broadcast(to: step[0].shape), to: 0)
    }
  }

  /// Whole numbers and truth values as int64, in which sums and products of them have room.
  func widened() -> Tensor { dtype.isFloatingPoint ? self : cast(to: .int64) }

  /// The result of `body` on this tensor as float32 where its type has half that size, as the type itself: sums of
  /// many elements outgrow what float16 can hold, though their mean does not.
  func inSinglePrecision(_ body: (Tensor) -> Tensor) -> Tensor {
    dtype.size == 2 ? body(cast(to: .float32)).cast(to: dtype) : body(self)
  }

  /// The transpose of broadcasting: the sum over the axes along which `shape` was broadcast to this shape.
  func summed(to shape: Shape) -> Tensor {
    if hasShape(shape) { return self }
    let missing = rank - shape.count
    var kept = Shape(repeating: 1, count: missing)
    for size in shape { kept.append(size) }
    let result = total(to: kept)
    return missing == 0 ? result : result.reshaped(to: shape)
  }

  /// The number of elements that are not zero, or are true, over the axes, as int64.
  public func countNonzero(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    let isNonzero = dtype == .bool ? self : withoutGradient { self .!= 0 }
    return isNonzero.sum(axes: axes, keepingAxes: keepingAxes)
  }

  /// Whether any element over the axes is true, or not zero, as bool; false over no elements.
  public func any(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    countNonzero(axes: axes, keepingAxes: keepingAxes) .> 0
  }

  /// Whether all elements over the axes are true, or not zero, as bool; true over no elements.
  public func all(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    let count = ReducedShape(self, over: axes, of: "all").count
    return countNonzero(axes: axes, keepingAxes: keepingAxes) .== Double(count)
  }
}
