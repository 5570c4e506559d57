// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct TimingTests {
  /// A long measurement keeps no more than a short one.
  @Test func measurementsAreLimited() {
    var calls = 0
    let times = Timing.sample(seconds: 0.1, limit: 8) { calls += 1 }
    #expect(3...7 ~= times.count && times.allSatisfy { $0 > 0 } && calls > 8)
  }
}
