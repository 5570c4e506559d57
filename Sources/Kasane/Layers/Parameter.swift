// SPDX-License-Identifier: Apache-2.0

internal import CKernels
import Synchronization

/// A tensor that training changes. To share a weight is to hold the same `Parameter` twice.
///
/// A parameter may be read from several threads; while an optimizer or a loader writes it, nobody else may use it.
public final class Parameter: @unchecked Sendable {
  private struct Numbers {
    var next: Int32 = 0
    var free: [Int32] = []
  }
  private static let numbers = Mutex(Numbers())

  /// A small number that no other living parameter has.
  let number: Int32
  /// The tensor itself, apart from any gradient scope.
  var storage: Tensor { Tensor(box: box) }
  private var box: TensorBox

  private let isMadeForTraining: Bool
  /// Whether a weight is kept out of training for now. Not to be changed between a gradient and the update along it.
  @exclusivity(unchecked) public var isFrozen = false
  /// Whether gradients are taken by it. A parameter that is not trained is part of the model's state all the same:
  /// a running mean, say, or a frozen weight.
  public var isTrainable: Bool { isMadeForTraining && !isFrozen }

  /// A number that no other parameter has or will have.
  let identity: UInt64

  /// Called with the parameter's gradient by every backward pass of `valueWithGradient(at: model)` that gives it one;
  /// what it returns, unless nil, takes the gradient's place. A gradient that is known by rows is made dense for it.
  public var onGradient: ((Tensor) -> Tensor?)? {
    get { gradientHook }
    set { gradientHook = newValue }
  }
  @exclusivity(unchecked) private(set) var gradientHook: ((Tensor) -> Tensor?)?

  /// A parameter with the given first value. One that is not trainable never is: it is state.
  public convenience init(_ value: consuming Tensor, isTrainable: Bool = true) {
    // A large tensor that nobody else holds is taken as it is: a copy would lie beside it for a while.
    if value.holdsElementsAlone() && value.isContiguous && value.box.becomeParameter() {
      value.object.pointee.scope = 0
      self.init(box: value.box, isTrainable: isTrainable)
    } else {
      self.init(box: value.copiedToOwnBox(), isTrainable: isTrainable)
    }
  }

  /// A parameter of its own with the value of another, frozen where that is.
  convenience init(copying other: Parameter) {
    self.init(box: other.storage.copiedToOwnBox(), isTrainable: other.isMadeForTraining)
    isFrozen = other.isFrozen
  }

  private init(box: TensorBox, isTrainable: Bool) {
    isMadeForTraining = isTrainable
    self.box = box
    identity = Self.lastIdentity.add(1, ordering: .relaxed).newValue
    number = Self.numbers.withLock { numbers in
      if let free = numbers.free.popLast() { return free }
      numbers.next += 1
      return numbers.next - 1
    }
  }

  deinit {
    Self.numbers.withLock { [number] in $0.free.append(number) }
  }

  private static let lastIdentity = Atomic<UInt64>(0)
  private static let lastStamp = Atomic<UInt64>(0)
  @exclusivity(unchecked) private var stamp: UInt64 = 0

  /// A mark by which one walk over a model knows the parameters it has met.
  static func nextStamp() -> UInt64 { lastStamp.add(1, ordering: .relaxed).newValue }

  /// True the first time a walk comes by. Only for walks that change the parameter.
  func takeStamp(_ stamp: UInt64) -> Bool {
    defer { self.stamp = stamp }
    return self.stamp != stamp
  }

  /// The parameter's value. Within a gradient scope over this parameter the gradient flows to it.
  public var value: Tensor {
    if let tape = Tape.current, let leaf = tape.leaf(of: self) { return leaf }
    return storage
  }

  /// The sizes of the value's axes.
  public var shape: Shape { storage.shape }

  /// Replaces the value by one of the same shape and type.
  public func assign(_ value: Tensor) {
    precondition(
      value.shape == shape && value.dtype == storage.dtype,
      "assign: \(value.shape) \(value.dtype) to a parameter of \(shape) \(storage.dtype)")
    box = value.copiedToOwnBox()
  }

  /// Calls `body` with the elements, in row-major order, to change them in place. The element type must be the
  /// parameter's.
  public func withMutableElements<Element: TensorElement, Result>(
    of type: Element.Type, _ body: (UnsafeMutableBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    precondition(storage.dtype == Element.dtype, "a \(storage.dtype) parameter changed as \(Element.dtype)")
    return try mutate { tensor in
      let memory = tensor.object.pointee.data!.assumingMemoryBound(to: Element.self)
      return try body(UnsafeMutableBufferPointer(start: memory, count: tensor.elementCount))
    }
  }

  /// Changes the value in place; where the tensor is also held elsewhere, a copy of it, so that tensors stay
  /// values to those who hold them.
  func mutate<Result>(_ body: (Tensor) throws -> Result) rethrows -> Result { try body(mutableStorage()) }

  /// The tensor to change in place, of which nobody else knows; it must be let go before the parameter is used again.
  func mutableStorage() -> Tensor {
    if isKnownUniquelyReferenced(&box) {
      box.preparedValues?.valueChanges()
    } else {
      box = Tensor(box: box).copiedToOwnBox()
    }
    return Tensor(box: box)
  }

  /// Exchanges the tensor for another of the same shape and type that only the caller holds.
  func exchange(_ other: inout Tensor) {
    let own = Tensor(box: box)
    box = other.box.becomeParameter() ? other.box : other.copiedToOwnBox()
    other = own
  }
}

extension Tensor {
  /// The same elements in memory of their own, in a box that only the caller holds.
  fileprivate func copiedToOwnBox() -> TensorBox {
    let copy = shape.withSizes { ks_tensor_make(dtype.rawValue, 0, Int32(rank), $0) }
    guard let copy else { fatalError("out of memory: no room for a parameter of shape \(shape), \(dtype)") }
    let box = TensorBox(copy, owner: nil)
    engine.copy(self, into: Tensor(box: box))
    _ = box.becomeParameter()
    return box
  }
}
