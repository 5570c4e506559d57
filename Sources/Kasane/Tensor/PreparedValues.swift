// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What was made of a parameter's value for a certain use: a weight in a library's own layout, converted to bfloat16,
/// with a norm folded into it.
struct PreparedValue: Sendable {
  /// What was made, in whatever layout its maker likes; bytes are of type uint8.
  let tensor: Tensor
  /// A second tensor, a folded bias say.
  let second: Tensor?

  init(_ tensor: Tensor, _ second: Tensor? = nil) { (self.tensor, self.second) = (tensor, second) }
}

/// What was made of one parameter's value, kept while the value is unchanged.
///
/// Whoever is given a parameter's value, or a view of it, finds the values here, also an engine that knows nothing of
/// layers:
///
///     let packed = weight.preparedValues?.value(for: .init(.packedProduct, m), onUse: 2) {
///       PreparedValue(pack(weight, m))
///     }
///
/// They belong to the memory of the value. An optimizer's step, loading, assignment and the change of elements in place
/// drop them (`Parameter.mutableStorage` and `Parameter.assign`), and they go when the model goes. What also depends on
/// other parameters, such as a norm's statistics, is made anew when one of those has changed since. Several threads may
/// ask at once: each is given a whole value, though two that come first may both make it.
///
/// They are plain numbers, off the tape: whoever records an operation on them gives its gradient to the parameter.
final class PreparedValues: @unchecked Sendable {
  /// What values are made for.
  enum Use: UInt8 {
    /// The whole value as bfloat16, in its own layout.
    case bfloat16
    /// The right operand of a matrix product, as the library wants it.
    case packedProduct
    /// The same where a bfloat16 product is computed.
    case packedBFloat16Product
    /// The kernel of a convolution, as the library wants it.
    case packedConvolution
    /// The kernel and bias of a convolution with the batch norm that follows folded in.
    case foldedConvolution
    /// The weights of a recurrent layer.
    case recurrent
  }

  /// A use, with up to four numbers that tell apart the values made for it.
  struct Key: Equatable {
    let use: Use
    let details: (Int, Int, Int, Int)

    init(_ use: Use, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0) {
      self.use = use
      details = (a, b, c, d)
    }

    static func == (a: Key, b: Key) -> Bool { a.use == b.use && a.details == b.details }
  }

  /// A state of a parameter's value: no other value ever has the same.
  private struct Version: Equatable {
    let identity: UInt64
    let changes: Int
  }

  private struct Entry {
    let key: Key
    var others: [Version]
    var value: PreparedValue?
    /// How often it was asked for since the value changed.
    var asked = 0
  }

  /// So many values are kept; the one not asked for longest gives way.
  private static let limit = 6
  private static let lastIdentity = Atomic<UInt64>(0)
  private let identity = lastIdentity.add(1, ordering: .relaxed).newValue
  // Like the parameter's elements these two change only while nobody else uses the parameter.
  @exclusivity(unchecked) private var changes = 0
  @exclusivity(unchecked) private var isEmpty = true
  private let entries = Mutex<[Entry]>([])

  private var version: Version { Version(identity: identity, changes: changes) }

  /// To be called before the parameter's elements are changed in place.
  @inline(__always)
  func valueChanges() {
    changes &+= 1
    if !isEmpty { drop() }
  }

  private func drop() {
    let dropped = entries.withLock { entries in
      defer { entries = [] }
      return entries
    }
    isEmpty = true
    withExtendedLifetime(dropped) {}
  }

  /// What `make` made of the value as it is now, from this time or an earlier one.
  ///
  /// - Parameters:
  ///   - others: The other parameters' values that it depends on, in the same order each time.
  ///   - make: Makes it, off the tape. It may use parameters and their prepared values.
  func value(
    for key: Key, dependingOn others: [PreparedValues] = [], make: () -> PreparedValue
  ) -> PreparedValue { value(for: key, dependingOn: others, onUse: 1, make: make)! }

  /// The same, but nil until the unchanged value is asked for the `uses`th time: for what pays only when it is used
  /// again and again.
  func value(
    for key: Key, dependingOn others: [PreparedValues] = [], onUse uses: Int, make: () -> PreparedValue
  ) -> PreparedValue? {
    let versions = others.isEmpty ? [] : others.map(\.version)
    let (present, mayMake) = find(key, versions, uses)
    if present != nil || !mayMake { return present }
    let changes = changes
    // Made outside of the lock: it may need other prepared values, and others may go on meanwhile.
    let made = withoutGradient(make)
    guard changes == self.changes else { return made }
    return entries.withLock { entries in
      guard let index = entries.firstIndex(where: { $0.key == key }), entries[index].others == versions else {
        return made
      }
      if let present = entries[index].value { return present }
      entries[index].value = made
      return made
    }
  }

  /// The value where it is there; else whether it is to be made. It then becomes the one last asked for.
  private func find(_ key: Key, _ versions: [Version], _ uses: Int) -> (PreparedValue?, Bool) {
    entries.withLock { entries in
      if let index = entries.firstIndex(where: { $0.key == key }) {
        if entries[index].others != versions {
          entries[index] = Entry(key: key, others: versions)
        }
        entries[index].asked += 1
        let found = entries[index]
        if index + 1 < entries.count { entries.append(entries.remove(at: index)) }
        return (found.value, found.asked >= uses)
      }
      if entries.count == Self.limit { entries.removeFirst() }
      entries.append(Entry(key: key, others: versions, asked: 1))
      isEmpty = false
      return (nil, uses <= 1)
    }
  }
}

extension Tensor {
  /// What was made of the parameter's value that this tensor is or is a view of; nil for every other tensor.
  var preparedValues: PreparedValues? { (box.owner ?? box).preparedValues }

  /// The same where the tensor is the parameter's value as a whole, as it lies.
  var preparedValuesOfWhole: PreparedValues? {
    let owner = box.owner ?? box
    guard let values = owner.preparedValues else { return nil }
    let (own, whole) = (object.pointee, owner.object.pointee)
    return own.contiguous && own.data == whole.data && hasShape(Shape(object: owner.object)) ? values : nil
  }
}
