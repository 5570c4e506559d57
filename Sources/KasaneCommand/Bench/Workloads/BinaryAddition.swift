// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes

extension Workload {
  /// The exercise, its gradient found by the given method.
  static func binaryAddition(_ method: BinaryAddition.Method) -> Workload {
    Workload(
      name: BinaryAddition.name,
      about: "an iteration of the exercise: 16 hidden units, 8 steps, one problem, SGD"
    ) { sizes in
      // Parsed, since the property wrappers hold nothing before; the recipe's own limits do not apply here.
      guard var options = try? BinaryAddition.Options.parse(["--method", method.rawValue]) else {
        fatalError("\(BinaryAddition.name): no method \(method)")
      }
      if let batch = sizes.batch { options.batch = batch }
      if let length = sizes.length { options.bits = length }
      guard let recipe = try? BinaryAddition(options, seed: 1) else {
        fatalError("\(BinaryAddition.name): cannot be made")
      }
      return recipe.benchmarkIteration()
    }
  }
}
