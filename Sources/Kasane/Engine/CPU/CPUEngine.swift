// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// The processor: oneDNN for large products, Kasane's own vectorised kernels for the rest.
struct CPUEngine: Engine {
  var description: String { "cpu, oneDNN \(String(cString: cdnn_version()))" }

  /// Below this many multiplications a library call costs more than the product.
  private static let smallProduct = 8192

  private static func requireFloat(_ operation: @autoclosure () -> String, _ x: Tensor) {
    precondition(
      x.dtype == .float32 || x.dtype == .float64,
      "\(operation()): \(x.dtype) where float32 or float64 is needed")
  }

  func unary(_ primitive: UnaryPrimitive, _ x: Tensor) -> Tensor {
    Self.requireFloat("\(primitive)", x)
    let y = Tensor(unsetLike: x)
    ks_unary(primitive.rawValue, y.object, x.object)
    return y
  }

  func binary(_ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    Self.requireFloat("\(primitive)", a)
    precondition(
      a.object.pointee.dtype == b.object.pointee.dtype,
      "\(primitive): \(a.dtype) with \(b.dtype); cast one of them")
    let y: Tensor
    if b.object.pointee.rank == 0 {
      y = Tensor(unsetLike: a)
    } else {
      let (left, right) = (a.shape, b.shape)
      if left == right {
        y = Tensor(unsetLike: a)
      } else {
        guard let shape = left.broadcast(with: right) else {
          preconditionFailure("\(primitive): shapes \(left) and \(right) do not broadcast")
        }
        y = Tensor(unsetWithShape: shape, dtype: a.dtype)
      }
    }
    ks_binary(primitive.rawValue, y.object, a.object, b.object)
    return y
  }

  func accumulate(_ value: Tensor, into total: Tensor) {
    ks_binary(BinaryPrimitive.add.rawValue, total.object, total.object, value.object)
  }

  func sum(_ x: Tensor, to shape: Shape) -> Tensor {
    Self.requireFloat("sum", x)
    let y = Tensor(unsetWithShape: shape, dtype: x.dtype)
    ks_sum(y.object, x.object)
    return y
  }

  func halfSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    Self.requireFloat("halfSquaredError", a)
    let y = Tensor(unsetWithShape: Shape(), dtype: a.dtype)
    ks_half_squared_error(y.object, a.contiguous().object, b.contiguous().object)
    return y
  }

  func descend(_ parameter: Tensor, along gradient: Tensor, rate: Double) {
    ks_descend(parameter.object, gradient.contiguous().object, rate)
  }

  // MARK: Matrix products

  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
    Self.requireFloat("matmul", a)
    precondition(
      a.object.pointee.dtype == b.object.pointee.dtype, "matmul: \(a.dtype) with \(b.dtype); cast one of them")
    guard a.rank == 2 && b.rank == 2 else { return batchedProduct(a, b) }
    let (left, right) = (a.object, b.object)
    let rows = transposing == .left ? left.pointee.shape.1 : left.pointee.shape.0
    let columns = transposing == .right ? right.pointee.shape.0 : right.pointee.shape.1
    let y = Tensor(unsetMatrix: rows, columns, dtype: left.pointee.dtype)
    multiply(a, b, transposing, into: y)
    return y
  }

  private func batchedProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
    let outerA = Shape(a.shape.dropLast(2))
    let outerB = Shape(b.shape.dropLast(2))
    guard let outer = outerA.broadcast(with: outerB) else {
      preconditionFailure("matmul: shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let y = Tensor(unsetWithShape: outer + [a.shape[a.rank - 2], b.shape[b.rank - 1]], dtype: a.dtype)
    withoutGradient {
      let left = a.broadcast(to: outer + Shape(a.shape.suffix(2)))
      let right = b.broadcast(to: outer + Shape(b.shape.suffix(2)))
      multiplyEach(left, right, into: y)
    }
    return y
  }

  private func multiplyEach(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    if y.rank == 2 { return multiply(a, b, .none, into: y) }
    for index in 0..<y.shape[0] { multiplyEach(a.select(index), b.select(index), into: y.select(index)) }
  }

  private func multiply(_ a: Tensor, _ b: Tensor, _ transposing: Transposition, into y: Tensor) {
    let (m, n) = (y.object.pointee.shape.0, y.object.pointee.shape.1)
    let k = transposing == .left ? a.object.pointee.shape.0 : a.object.pointee.shape.1
    if m == 0 || n == 0 { return }
    let isSmall = m * n * k <= Self.smallProduct || k == 0
    if isSmall || a.object.pointee.dtype == DType.float64.rawValue {
      ks_small_matrix_product(y.object, a.object, b.object, transposing == .left, transposing == .right)
      return
    }
    let (left, leftIsTransposed, leftStride) = Self.gemmOperand(a)
    let (right, rightIsTransposed, rightStride) = Self.gemmOperand(b)
    let status = cdnn_sgemm(
      leftIsTransposed != (transposing == .left) ? 1 : 0, rightIsTransposed != (transposing == .right) ? 1 : 0,
      m, n, k, 1, left.floats, leftStride, right.floats, rightStride, 0, y.floats, n)
    withExtendedLifetime((left, right)) {}
    precondition(status == 0, "matmul: oneDNN status \(status) for shapes \(a.shape) and \(b.shape)")
  }

  /// A matrix as a gemm takes it: rows or columns contiguous, else copied.
  private static func gemmOperand(_ x: Tensor) -> (tensor: Tensor, transpose: Bool, stride: Int64) {
    let (rows, columns) = (x.object.pointee.shape.0, x.object.pointee.shape.1)
    let (rowStride, columnStride) = (x.object.pointee.strides.0, x.object.pointee.strides.1)
    if (columnStride == 1 || columns == 1) && rowStride >= max(columns, 1) { return (x, false, rowStride) }
    if (rowStride == 1 || rows == 1) && columnStride >= max(rows, 1) { return (x, true, columnStride) }
    return (x.contiguous(), false, columns)
  }

  // MARK: The recurrent layer

  func hasFusedRecurrent(for x: Tensor) -> Bool { x.dtype == .float32 }

  func recurrent(_ call: RecurrentCall) -> Tensor {
    let call = call.contiguous()
    let states = Tensor(
      unsetWithShape: [call.x.shape[0], call.x.shape[1], call.recurrentWeight.shape[0]], dtype: .float32)
    var task = ks_recurrent(call, states: states)
    ks_recurrent_forward(&task)
    withExtendedLifetime(call) {}
    return states
  }

  func recurrentGradient(
    _ call: RecurrentCall, states: Tensor, gradient: Tensor, needsInput: Bool, needsInitial: Bool
  ) -> RecurrentGradients {
    let call = call.contiguous()
    let gradient = gradient.contiguous()
    let (inputs, hidden) = (call.x.shape[2], call.recurrentWeight.shape[0])
    let deltas = Tensor(unsetLike: states)
    let scratch = Tensor(unsetWithShape: [hidden, hidden + inputs], dtype: .float32)
    let result = RecurrentGradients(
      x: needsInput ? Tensor(unsetLike: call.x) : nil, inputWeight: Tensor(unsetLike: call.inputWeight),
      recurrentWeight: Tensor(unsetLike: call.recurrentWeight), bias: call.bias.map(Tensor.init(unsetLike:)),
      initialState: needsInitial ? call.initialState.map(Tensor.init(unsetLike:)) : nil)
    var task = ks_recurrent(call, states: states)
    task.gradient = UnsafePointer(gradient.floats)
    task.deltas = deltas.floats
    task.transposed = scratch.floats
    task.x_gradient = result.x?.floats
    task.input_weight_gradient = result.inputWeight.floats
    task.recurrent_weight_gradient = result.recurrentWeight.floats
    task.bias_gradient = result.bias?.floats
    task.initial_gradient = result.initialState?.floats
    ks_recurrent_backward(&task)
    withExtendedLifetime((call, gradient, deltas, scratch)) {}
    return result
  }
}

extension Shape {
  fileprivate static func + (a: Shape, b: Shape) -> Shape {
    var result = a
    for size in b { result.append(size) }
    return result
  }
}

extension Tensor {
  fileprivate var floats: UnsafeMutablePointer<Float> {
    object.pointee.data!.assumingMemoryBound(to: Float.self)
  }
}

extension RecurrentCall {
  fileprivate func contiguous() -> RecurrentCall {
    RecurrentCall(
      x: x.contiguous(), inputWeight: inputWeight.contiguous(), recurrentWeight: recurrentWeight.contiguous(),
      bias: bias?.contiguous(), initialState: initialState?.contiguous(), activation: activation)
  }
}

extension ks_recurrent {
  fileprivate init(_ call: RecurrentCall, states: Tensor) {
    let primitive: UnaryPrimitive =
      switch call.activation {
      case .sigmoid: .sigmoid
      case .tanh: .tanh
      case .relu: .relu
      }
    self.init(
      batch: Int64(call.x.shape[0]), steps: Int64(call.x.shape[1]), inputs: Int64(call.x.shape[2]),
      hidden: Int64(call.recurrentWeight.shape[0]), activation: primitive.rawValue, x: call.x.floats,
      input_weight: call.inputWeight.floats, recurrent_weight: call.recurrentWeight.floats,
      bias: call.bias?.floats, initial: call.initialState?.floats, states: states.floats, gradient: nil,
      deltas: nil, x_gradient: nil, input_weight_gradient: nil, recurrent_weight_gradient: nil,
      bias_gradient: nil, initial_gradient: nil, transposed: nil)
  }
}
