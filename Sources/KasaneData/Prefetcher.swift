// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Synchronization

/// Elements, such as batches, that another thread makes before they are asked for, so that a training need not wait.
///
/// An element is a function of its place, so that a training can go on anywhere with the same bits. What makes it should
/// read, take apart and copy; the engine's operations would start a second set of threads there.
///
/// ```swift
/// var batches = WindowBatches(tokens, length: 5, size: 128, seed: 1, stream: 2)
/// let ahead = Prefetcher(of: batches) { batches, iteration in batches.batch(at: iteration) }
/// let (windows, next) = try ahead.element(at: iteration)
/// ```
public final class Prefetcher<State: Sendable, Element: Sendable> {
  private let initial: State
  private let ahead: Int
  private let make: @Sendable (inout State, Int) throws -> Element
  private let clock = ContinuousClock()
  private var worker: Worker<Element>?
  private var next = 0
  private var started: ContinuousClock.Instant?
  private var waited = Duration.zero

  /// Elements made by a function.
  ///
  /// - Parameters:
  ///   - state: what the function has at hand and may change, such as batches that know the order of an epoch
  ///   - ahead: how many elements are made before they are asked for, 1 or more
  ///   - make: gives the element at a place; called for one place after another
  public init(
    of state: State, ahead: Int = 2, _ make: @escaping @Sendable (inout State, Int) throws -> Element
  ) {
    precondition(ahead > 0, "Prefetcher: \(ahead) elements ahead")
    (initial, self.ahead, self.make) = (state, ahead, make)
  }

  deinit { worker?.cancel() }

  /// The element at a place. It is there at once where it is the one after the last, and made in time. Throws what the
  /// function threw.
  public func element(at place: Int) throws -> Element {
    if worker == nil || place != next {
      worker?.cancel()
      worker = Worker(from: place, ahead: ahead, state: initial, make)
    }
    next = place + 1
    let before = clock.now
    let result = worker!.take()
    // The first has nothing to be made beside.
    if started == nil { started = clock.now } else { waited += clock.now - before }
    if case .failure = result {
      worker?.cancel()
      worker = nil
    }
    return try result.get()
  }

  /// The share of the time since the first element that was spent waiting for the others, from 0 to 1.
  public var waitingShare: Double {
    guard let started else { return 0 }
    return waited / max(clock.now - started, .nanoseconds(1))
  }
}

/// The other thread's side.
private final class Worker<Element: Sendable>: Sendable {
  private struct Shelf {
    var elements: [Result<Element, any Error>] = []
    var isCancelled = false
  }
  private let shelf = Mutex(Shelf())
  // Both begin at zero: a semaphore must not go while it is below what it began with.
  private let room = DispatchSemaphore(value: 0)
  private let stock = DispatchSemaphore(value: 0)

  init<State: Sendable>(
    from start: Int, ahead: Int, state: State,
    _ make: @escaping @Sendable (inout State, Int) throws -> Element
  ) {
    for _ in 0..<ahead { room.signal() }
    DispatchQueue(label: "kasane.prefetcher").async {
      var (state, place) = (state, start)
      while true {
        self.room.wait()
        if self.shelf.withLock({ $0.isCancelled }) { return }
        let result = Result { try make(&state, place) }
        place += 1
        self.shelf.withLock { $0.elements.append(result) }
        self.stock.signal()
        if case .failure = result { return }
      }
    }
  }

  func take() -> Result<Element, any Error> {
    stock.wait()
    let result = shelf.withLock { $0.elements.removeFirst() }
    room.signal()
    return result
  }

  func cancel() {
    shelf.withLock { $0.isCancelled = true }
    room.signal()
  }
}
