// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// In which type matrix products and convolutions are computed.
public enum Precision: String, CaseIterable, Codable, Sendable {
  /// As their operands are.
  case float32
  /// In bfloat16, summed up in float32.
  case bfloat16

  /// The calling thread's.
  public static var current: Precision {
    ks_thread_precision() == DType.bfloat16.rawValue ? .bfloat16 : .float32
  }
}

/// Runs `body` with the matrix products and convolutions of this thread in another precision (Micikevicius et al. 2018,
/// "Mixed precision training"; Kalamkar et al. 2019, "A study of bfloat16 for deep learning training").
///
/// In bfloat16 they convert float32 operands, sum up in float32 and give bfloat16. Parameters stay float32: each is
/// converted once while its value is unchanged, and its gradient is float32. Functions element by element keep the type
/// they are given; where bfloat16 meets float32 the result is float32. Norms and softmax compute in float32 inside, and
/// losses are float32. Of recurrent layers the products are in bfloat16, those of the states where the machine gains by it,
/// and so are their outputs; states stay float32 from step to step, also those handed out.
///
///     let (loss, gradients) = valueWithGradient(at: model) { model in
///       withPrecision(.bfloat16) { crossEntropy(model(x), labels) }
///     }
///
/// Scopes nest; `.float32` within `.bfloat16` leaves operands as they are. The backward pass computes as the forward
/// pass did, wherever it runs.
public func withPrecision<Result>(_ precision: Precision, _ body: () throws -> Result) rethrows -> Result {
  let outer = ks_thread_precision()
  ks_set_thread_precision(precision == .bfloat16 ? DType.bfloat16.rawValue : DType.float32.rawValue)
  defer { ks_set_thread_precision(outer) }
  return try body()
}

extension Tensor {
  /// Whether an operation on this tensor is to be computed in bfloat16: never true outside of a scope.
  @inline(__always)
  var isToBeLowered: Bool {
    ks_thread_precision() != DType.float32.rawValue && (dtype == .float32 || dtype == .bfloat16)
  }

  /// This tensor's elements as bfloat16, off the tape: whoever uses them records where the gradient goes. Those of a
  /// parameter's value, or of a view of it, are converted once.
  func lowered() -> Tensor {
    if dtype == .bfloat16 { return self }
    let whole = box.owner ?? box
    guard let values = whole.preparedValues, whole.object.pointee.contiguous else { return halved() }
    let half = values.value(for: .init(.bfloat16)) {
      let half = Tensor(box: whole).halved()
      // What is made of the copy is kept with the copy.
      _ = half.box.becomeParameter()
      return PreparedValue(half)
    }.tensor
    let offset = (data - whole.object.pointee.data!) / dtype.size
    if offset == 0 && isContiguous && hasShape(half.shape) { return half }
    return half.view(shape, strides: strides, offset: offset)
  }

  private func halved() -> Tensor {
    let half = Tensor(unsetWithShape: shape, dtype: .bfloat16)
    half.fill(from: self)
    return half
  }

  /// This tensor as bfloat16, on the tape.
  func loweredOnTape() -> Tensor {
    if dtype == .bfloat16 { return self }
    return recorded(.cast, lowered().alias(), self, saving: ghostIfRecording) { step in
      step.add(step.gradient.cast(to: step[0].dtype), to: 0)
    }
  }
}
