// SPDX-License-Identifier: Apache-2.0

/// How long repeated work takes.
package enum Timing {
  /// Milliseconds of one run of `body`, measured again and again until `seconds` have passed and at least three times,
  /// after a warm-up of two runs or more. Short bodies are timed in blocks, so that reading the clock does not count.
  /// After every `limit` measurements, an even number, the blocks become twice as long, so that memory does not grow.
  package static func sample(seconds: Double, limit: Int = 1 << 16, _ body: () -> Void) -> [Double] {
    let clock = ContinuousClock()
    var block = 1
    func run() -> Double {
      let parts = clock.measure { for _ in 0..<block { body() } }.components
      return Double(parts.seconds) * 1e3 + Double(parts.attoseconds) * 1e-15
    }
    _ = run()
    while run() < min(0.2, seconds * 10) { block *= 2 }
    let end = clock.now + .seconds(seconds)
    var times: [Double] = []
    while clock.now < end || times.count < 3 {
      times.append(run() / Double(block))
      if times.count == limit {
        times = stride(from: 0, to: limit, by: 2).map { (times[$0] + times[$0 + 1]) / 2 }
        block *= 2
      }
    }
    return times
  }
}
