// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Problems that only those can solve who remember (Hochreiter and Schmidhuber 1997).
public enum MemoryProblems {
  /// The adding problem: of `steps` numbers from 0 to 1 one is marked in the first half and one in the second, and the
  /// answer after the last step is the sum of the two. Who answers 1 to everything has a mean squared error of 1/6.
  ///
  /// - Returns: inputs `[count, steps, 2]`, a number and its mark at each step, and answers `[count, 1]`
  public static func adding(
    _ count: Int, steps: Int, using random: inout RandomGenerator
  ) -> (inputs: Tensor, answers: Tensor) {
    precondition(steps >= 2, "MemoryProblems.adding: \(steps) steps, 2 or more expected")
    var inputs = [Float](repeating: 0, count: count * steps * 2)
    var answers = [Float](repeating: 0, count: count)
    let half = steps / 2
    for problem in 0..<count {
      let start = problem * steps * 2
      for step in 0..<steps { inputs[start + 2 * step] = Float(random.next() >> 40) * 0x1p-24 }
      for step in [random.integer(below: half), half + random.integer(below: steps - half)] {
        inputs[start + 2 * step + 1] = 1
        answers[problem] += inputs[start + 2 * step]
      }
    }
    return (Tensor(inputs, shape: [count, steps, 2]), Tensor(answers, shape: [count, 1]))
  }

  /// How many symbols a copy problem has to remember.
  public static let copiedCount = 10
  /// How many different symbols there are to remember.
  public static let symbolCount = 8

  /// The copy problem: ten symbols from 1 to 8, then `steps` blanks, of which the last is the sign to begin, then ten more
  /// blanks, during which the symbols are to be repeated. Before, the answer is the blank, 0; the sign is 9.
  ///
  /// - Returns: inputs `[count, steps + 20, 10]`, one-hot, and answers `[count, steps + 20]`, int64
  public static func copying(
    _ count: Int, steps: Int, using random: inout RandomGenerator
  ) -> (inputs: Tensor, answers: Tensor) {
    let symbols = (0..<count * copiedCount).map { _ in 1 + random.integer(below: symbolCount) }
    return copying(symbols, steps: steps)
  }

  /// The copy problems of given symbols, ten each.
  public static func copying(_ symbols: [Int], steps: Int) -> (inputs: Tensor, answers: Tensor) {
    precondition(
      steps >= 1 && symbols.count % copiedCount == 0,
      "MemoryProblems.copying: \(symbols.count) symbols and \(steps) steps")
    let (count, length) = (symbols.count / copiedCount, steps + 2 * copiedCount)
    var inputs = [Int](repeating: 0, count: count * length)
    var answers = inputs
    for problem in 0..<count {
      for place in 0..<copiedCount {
        let symbol = symbols[problem * copiedCount + place]
        inputs[problem * length + place] = symbol
        answers[(problem + 1) * length - copiedCount + place] = symbol
      }
      inputs[problem * length + copiedCount + steps - 1] = symbolCount + 1
    }
    let indices = Tensor(inputs, shape: [count, length])
    return (oneHot(indices, depth: symbolCount + 2), Tensor(answers, shape: [count, length]))
  }
}
