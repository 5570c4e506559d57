// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func update(_ rule: UpdateRule, _ parts: [ParameterUpdate]) {
    guard !parts.isEmpty else { return }
    // Gradients that are views are copied; the copies must live until the kernel is done.
    var copies: [Tensor] = []
    // The list comes from the pool: a large one on the stack would be the system's.
    let list = Tensor(
      unsetWithShape: Shape(parts.count * MemoryLayout<ks_update_part>.stride), dtype: .uint8)
    let memory = list.object.pointee.data!.bindMemory(to: ks_update_part.self, capacity: parts.count)
    parts.withUnsafeBufferPointer { parts in
      for index in parts.indices { (memory + index).initialize(to: Self.part(parts[index], &copies)) }
    }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 4) { numbers in
      let kind = Self.fill(numbers, with: rule)
      ks_update(Int32(kind.rawValue), numbers.baseAddress!, memory, Int64(parts.count))
    }
    withExtendedLifetime(list) {}
    withExtendedLifetime(copies) {}
  }

  private static func part(_ part: borrowing ParameterUpdate, _ copies: inout [Tensor]) -> ks_update_part {
    var gradient = part.gradientObject
    if !gradient.pointee.contiguous {
      copies.append(part.gradient.contiguous())
      gradient = copies[copies.count - 1].object
    }
    let parameter = part.parameterObject
    assert(parameter.pointee.contiguous && gradient.pointee.dtype == parameter.pointee.dtype)
    let count = ks_tensor_count(gradient)
    let rows = part.rowsObject
    let rowCount = rows.map { $0.pointee.shape.0 } ?? 1
    return ks_update_part(
      parameter: parameter.pointee.data!, gradient: gradient.pointee.data!,
      states: part.stateMemory,
      rows: rows.map { UnsafePointer($0.pointee.data!.assumingMemoryBound(to: Int64.self)) }, count: count,
      width: rowCount == 0 ? 0 : count / rowCount, scale: part.scale, rate: part.rate,
      decay: part.weightDecay,
      correction: part.correction, dtype: Int32(parameter.pointee.dtype))
  }

  private static func fill(_ numbers: UnsafeMutableBufferPointer<Double>, with rule: UpdateRule)
    -> ks_update_rule
  {
    func set(_ a: Double, _ b: Double = 0, _ c: Double = 0, _ d: Double = 0) {
      (numbers[0], numbers[1], numbers[2], numbers[3]) = (a, b, c, d)
    }
    switch rule {
    case .descent(let momentum, let isNesterov):
      set(momentum, isNesterov ? 1 : 0)
      return KS_DESCENT
    case .adagrad(let epsilon):
      set(epsilon)
      return KS_ADAGRAD
    case .rmsprop(let smoothing, let epsilon, let momentum):
      set(smoothing, epsilon, momentum)
      return KS_RMSPROP
    case .adadelta(let decay, let epsilon):
      set(decay, epsilon)
      return KS_ADADELTA
    case .adam(let beta1, let beta2, let epsilon, let isDecoupled):
      set(beta1, beta2, epsilon, isDecoupled ? 1 : 0)
      return KS_ADAM
    case .adamax(let beta1, let beta2, let epsilon):
      set(beta1, beta2, epsilon)
      return KS_ADAMAX
    case .lion(let beta1, let beta2):
      set(beta1, beta2)
      return KS_LION
    }
  }

  func sumOfSquares(_ x: Tensor) -> Double {
    let x = x.contiguous()
    return withExtendedLifetime(x) { ks_sum_of_squares(x.object) }
  }
}
