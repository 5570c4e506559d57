// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// The reference behind a tensor: owns a block of the pool.
///
/// Swift takes the memory of every object from the system's allocator. So that a training step takes none, each
/// thread keeps the boxes of its small tensors in a ring with a reference of its own: a box to which nobody else
/// refers any more is used again when the ring comes round to it. Boxes of large tensors, whose memory must
/// return at once, are ordinary objects.
final class TensorBox: @unchecked Sendable {
  fileprivate(set) var object: UnsafeMutablePointer<KSTensor>
  /// The box whose elements a view shows.
  fileprivate(set) var owner: TensorBox?
  /// Whether a ring may hold on to this box after its last use.
  fileprivate let isSmall: Bool

  /// An ordinary box, held by nobody but the caller.
  init(_ object: UnsafeMutablePointer<KSTensor>, owner: TensorBox?, isSmall: Bool = false) {
    self.object = object
    self.owner = owner
    self.isSmall = isSmall
  }

  deinit { ks_tensor_free(object) }

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

/// A thread's ring of boxes.
private final class Recycler {
  private static let limit = 8192
  private let boxes = UnsafeMutablePointer<TensorBox>.allocate(capacity: limit)
  private var count = 0
  private var cursor = 0

  static var current: Recycler {
    if let known = ks_thread_recycler() { return Unmanaged<Recycler>.fromOpaque(known).takeUnretainedValue() }
    let new = Recycler()
    ks_set_thread_recycler(Unmanaged.passRetained(new).toOpaque()) { recycler in
      if let recycler { Unmanaged<Recycler>.fromOpaque(recycler).release() }
    }
    return new
  }

  deinit {
    boxes.deinitialize(count: count)
    boxes.deallocate()
  }

  func box(_ object: UnsafeMutablePointer<KSTensor>, owner: TensorBox?) -> TensorBox {
    // A few boxes still in use are passed over; a ring full of them grows, and at its limit forgets one.
    for _ in 0..<min(4, count) {
      advance()
      guard isKnownUniquelyReferenced(&boxes[cursor]) else { continue }
      let box = boxes[cursor]
      ks_tensor_free(box.object)
      box.object = object
      box.owner = owner
      return box
    }
    let box = TensorBox(object, owner: owner, isSmall: true)
    if count < Self.limit {
      (boxes + count).initialize(to: box)
      count += 1
    } else {
      boxes[cursor] = box
    }
    return box
  }

  private func advance() { cursor = cursor + 1 < count ? cursor + 1 : 0 }
}
