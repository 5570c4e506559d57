// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// The reference behind a tensor: owns a block of the pool.
///
/// Swift takes the memory of every object from the system's allocator. So that a training step takes none, each
/// thread keeps the boxes of its small tensors in a ring with a reference of its own: a box to which nobody else
/// refers any more is used again when the ring comes round to it. Boxes of large tensors, whose memory must
/// return at once, are ordinary objects.
final class TensorBox: @unchecked Sendable {
  @exclusivity(unchecked) private(set) var object: UnsafeMutablePointer<KSTensor>
  /// The box whose elements a view shows.
  @exclusivity(unchecked) private(set) var owner: TensorBox?
  /// What was made of the elements while they are a parameter's value; set before anybody else knows the box.
  @exclusivity(unchecked) private(set) var preparedValues: PreparedValues?
  /// How often a ring has passed over this box since its last use.
  @exclusivity(unchecked) fileprivate var passes: UInt8 = 0
  /// Whether a ring may hold on to this box after its last use.
  fileprivate let isSmall: Bool

  /// An ordinary box, held by nobody but the caller.
  init(_ object: UnsafeMutablePointer<KSTensor>, owner: TensorBox?, isSmall: Bool = false) {
    self.object = object
    self.owner = owner
    self.isSmall = isSmall
  }

  deinit { ks_tensor_free(object) }

  /// Gives the last tensor's memory back and takes another's.
  @inline(__always)
  func reuse(for object: UnsafeMutablePointer<KSTensor>, owner: TensorBox?) {
    ks_tensor_free(self.object)
    self.object = object
    passes = 0
    if self.owner != nil || owner != nil { self.owner = owner }
  }

  /// Lets go of the elements that the view showed; it can only be reused.
  func forgetOwner() { owner = nil }

  /// Makes the box, which nobody else holds, fit for a parameter's value; false where a ring may hold it.
  func becomeParameter() -> Bool {
    if isSmall { return false }
    if preparedValues == nil { preparedValues = PreparedValues() }
    return true
  }

  private static let smallBytes = 4096

  /// A box for a tensor that holds its own elements.
  static func holding(_ object: UnsafeMutablePointer<KSTensor>) -> TensorBox {
    guard ks_tensor_bytes(object) <= smallBytes else { return TensorBox(object, owner: nil) }
    return Recycler.current.box(object, owner: nil)
  }

  /// A box for a view of the elements of `base`.
  static func holding(_ object: UnsafeMutablePointer<KSTensor>, of base: TensorBox) -> TensorBox {
    let owner = base.owner ?? base
    guard owner.isSmall else { return TensorBox(object, owner: owner) }
    return Recycler.current.box(object, owner: owner)
  }
}

/// A thread's ring of boxes. Its state lies behind a pointer, where no access checks cost time.
private struct Recycler {
  private struct State {
    let boxes: UnsafeMutablePointer<TensorBox>
    var count = 0
    var cursor = 0
  }

  /// How many boxes a ring holds, so that going round it stays within a processor's own cache.
  private static let limit = 2048
  /// How often a ring passes over a box in use before it leaves it to its holders.
  private static let patience: UInt8 = 8
  private let state: UnsafeMutablePointer<State>

  @inline(__always)
  static var current: Recycler {
    if let known = ks_thread_recycler() {
      return Recycler(state: known.assumingMemoryBound(to: State.self))
    }
    return make()
  }

  private static func make() -> Recycler {
    let state = UnsafeMutablePointer<State>.allocate(capacity: 1)
    state.initialize(to: State(boxes: .allocate(capacity: limit)))
    ks_set_thread_recycler(state) { memory in
      guard let state = memory?.assumingMemoryBound(to: State.self) else { return }
      state.pointee.boxes.deinitialize(count: state.pointee.count)
      state.pointee.boxes.deallocate()
      state.deallocate()
    }
    return Recycler(state: state)
  }

  @inline(__always)
  func box(_ object: UnsafeMutablePointer<KSTensor>, owner: TensorBox?) -> TensorBox {
    // A few boxes still in use are passed over, then a new one is added.
    for _ in 0..<4 {
      let next = state.pointee.cursor + 1
      guard next < state.pointee.count else {
        if state.pointee.cursor < 0 { break }
        state.pointee.cursor = -1
        continue
      }
      state.pointee.cursor = next
      let place = state.pointee.boxes + next
      if isKnownUniquelyReferenced(&place.pointee) {
        let box = place.pointee
        box.reuse(for: object, owner: owner)
        return box
      }
      place.pointee.passes += 1
      if place.pointee.passes == Self.patience { forget(next) }
    }
    return add(TensorBox(object, owner: owner, isSmall: true))
  }

  /// Takes a box out of the ring; the last one takes its place.
  private func forget(_ index: Int) {
    let last = state.pointee.count - 1
    state.pointee.boxes[index] = state.pointee.boxes[last]
    (state.pointee.boxes + last).deinitialize(count: 1)
    state.pointee.count = last
    state.pointee.cursor = index - 1
  }

  private func add(_ box: TensorBox) -> TensorBox {
    if state.pointee.count < Self.limit {
      (state.pointee.boxes + state.pointee.count).initialize(to: box)
      state.pointee.count += 1
    } else {
      state.pointee.boxes[max(0, state.pointee.cursor)] = box
    }
    return box
  }
}
