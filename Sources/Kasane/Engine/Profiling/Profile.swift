// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a primitive has to do, by the shapes alone.
package struct Work: Sendable {
  /// Operations on floating-point numbers in products and convolutions, two for each multiplication with its addition;
  /// element-by-element work is not counted.
  package var operations = 0.0
  /// Bytes that must be read and written at least once.
  package var bytes = 0.0
  /// The type that the operations are on.
  package var dtype = DType.float32
}

/// Where the time of an engine's primitives goes, on the thread that started it.
package final class Profile: @unchecked Sendable {
  /// A primitive, forward and backward apart.
  package struct Key: Hashable {
    package let name: String
    package let isBackward: Bool
    package let isHalf: Bool
    /// The shapes, where they are told apart.
    package let shapes: String
  }

  /// What all calls of a primitive came to.
  package struct Entry {
    package var calls = 0
    /// Without the time of other primitives that it called.
    package var seconds = 0.0
    package var operations = 0.0
    package var bytes = 0.0
  }

  package private(set) var entries: [Key: Entry] = [:]
  /// Whether each combination of shapes is an entry of its own.
  package let keepsShapes: Bool

  private var thread: pthread_t?
  /// The time of primitives called within each one that is running.
  private var nested: [Double] = []

  package init(keepsShapes: Bool) { self.keepsShapes = keepsShapes }

  /// Whether the calling thread's primitives are measured.
  var isRunning: Bool {
    guard let thread else { return false }
    return pthread_equal(thread, pthread_self()) != 0
  }

  /// Measures the primitives that this thread calls from here on.
  package func start() { thread = pthread_self() }
  /// Measures no longer.
  package func stop() { thread = nil }
  /// Forgets what was measured.
  package func clear() { entries.removeAll(keepingCapacity: true) }

  /// Measures `body`, a call of the primitive `name`.
  func measure<Result>(
    _ name: String, _ inputs: [Tensor?], _ body: () -> Result, _ work: (Result) -> Work
  ) -> Result {
    nested.append(0)
    let begin = Self.now()
    let result = body()
    let elapsed = Self.now() - begin
    let inner = nested.removeLast()
    if !nested.isEmpty { nested[nested.count - 1] += elapsed }
    let work = work(result)
    let shapes = keepsShapes ? inputs.map { $0.map { "\($0.shape)" } ?? "-" }.joined(separator: " ") : ""
    let key = Key(
      name: name, isBackward: Tape.isInBackwardPass, isHalf: work.dtype.isHalf, shapes: shapes)
    entries[key, default: Entry()].add(elapsed - inner, work)
    return result
  }

  /// Seconds of the system's clock.
  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

extension Profile.Entry {
  fileprivate mutating func add(_ seconds: Double, _ work: Work) {
    calls += 1
    self.seconds += seconds
    operations += work.operations
    bytes += work.bytes
  }
}

extension DType {
  fileprivate var isHalf: Bool { self == .bfloat16 || self == .float16 }
}

/// The profile of the engine in use, where KASANE_PROFILE was set at the start: to "shapes" where each combination of
/// shapes counts apart, or to "operations".
package var engineProfile: Profile? { (engine as? any ProfiledEngine)?.profile }

/// An engine that keeps a profile.
protocol ProfiledEngine { var profile: Profile { get } }
