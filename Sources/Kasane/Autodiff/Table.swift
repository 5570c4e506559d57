// SPDX-License-Identifier: Apache-2.0

/// A growing table whose memory stays when it is emptied.
///
/// Its state lies behind a pointer of its own rather than in the object that holds it, because Swift checks every
/// access to an object's variables for overlaps at run time, which for the tape's small records costs more than
/// the access.
struct Table<Element>: ~Copyable {
  private struct State {
    var memory: UnsafeMutablePointer<Element>
    var capacity: Int
    var count: Int
  }

  private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

  init() {
    let capacity = 64
    state.initialize(to: State(memory: .allocate(capacity: capacity), capacity: capacity, count: 0))
  }

  deinit {
    state.pointee.memory.deinitialize(count: state.pointee.count)
    state.pointee.memory.deallocate()
    state.deallocate()
  }

  var count: Int { state.pointee.count }

  subscript(index: Int) -> Element {
    @inline(__always) _read {
      assert(index >= 0 && index < count)
      yield state.pointee.memory[index]
    }
    @inline(__always) nonmutating _modify {
      assert(index >= 0 && index < count)
      yield &state.pointee.memory[index]
    }
  }

  @inline(__always)
  func append(_ element: consuming Element) {
    if state.pointee.count == state.pointee.capacity { grow() }
    (state.pointee.memory + state.pointee.count).initialize(to: element)
    state.pointee.count += 1
  }

  private func grow() {
    let (memory, capacity) = (state.pointee.memory, state.pointee.capacity)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: memory, count: state.pointee.count)
    memory.deallocate()
    state.pointee.memory = larger
    state.pointee.capacity = capacity * 2
  }

  func removeLast(_ number: Int) {
    state.pointee.count -= number
    (state.pointee.memory + state.pointee.count).deinitialize(count: number)
  }

  func removeAll() { removeLast(count) }

  func popLast() -> Element? {
    guard count > 0 else { return nil }
    state.pointee.count -= 1
    return (state.pointee.memory + state.pointee.count).move()
  }
}

extension Table {
  /// The element at an index, nil put in its place.
  @inline(__always)
  func take<Wrapped>(_ index: Int) -> Wrapped? where Element == Wrapped? {
    let place = state.pointee.memory + index
    let element = place.move()
    place.initialize(to: nil)
    return element
  }

  /// Puts an element where nil is.
  @inline(__always)
  func put<Wrapped>(_ element: consuming Wrapped, at index: Int) where Element == Wrapped? {
    (state.pointee.memory + index).initialize(to: element)
  }
}
