// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@Suite struct OperationExamples {
  @Test func straightThroughEstimator() {
    // example
    func straightThrough(_ x: Tensor) -> Tensor {
      withPullback("straightThrough", of: [x]) {
        round(x)
      } pullback: { gradient, _ in
        [gradient]
      }
    }
    let slope = gradient(at: Tensor([0.2, 0.7])) { square(straightThrough($0)).sum() }
    print(slope)  // 0 and 2
    // end
    #expect(slope.elements(as: Double.self) == [0, 2])
  }
}
