// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData

extension GradientFlow {
  /// The mean loss over fresh problems and how many are solved: sums within 0.04, symbols.
  func judge(_ count: Int, using random: inout RandomGenerator) -> (
    loss: Double, right: Int, total: Int
  ) {
    var (sum, right, total) = (0.0, 0, 0)
    for start in stride(from: 0, to: count, by: 100) {
      let size = min(100, count - start)
      let (inputs, answers) = problems(size, using: &random)
      switch options.problem {
      case .adding:
        let found = model.last(inputs)
        sum += meanSquaredError(found, answers).scalar * Double(size)
        let pairs = zip(found.elements(as: Float.self), answers.elements(as: Float.self))
        right += pairs.count { abs($0 - $1) < 0.04 }
        total += size
      case .copying:
        let logits = model(inputs)
        sum += crossEntropy(logits, answers).scalar * Double(size)
        let (found, wanted) = (
          logits.argmax(axis: 2).elements(as: Int64.self), answers.elements(as: Int64.self)
        )
        for (answer, symbol) in zip(found, wanted) where symbol > 0 {
          total += 1
          if answer == symbol { right += 1 }
        }
      }
    }
    return (sum / Double(count), right, total)
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    var lines = [
      "How the gradient reaches back before anything is learned: \(run)/\(Self.figureName)",
      "Try next: \(command) evaluate \(run) --svg flow.svg",
    ]
    if let lastLoss {
      lines.insert(
        "Mean loss on fresh problems: \(fixed(lastLoss, 5)) (by chance: \(fixed(chance, 5)))", at: 0)
    }
    return lines
  }

  /// How well it remembers, and how far its gradient reaches, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    var random = RandomGenerator(seed: evaluation.seed, stream: Stream.validation)
    let (loss, right, total) = judge(evaluation.problems, using: &random)
    let learned = norms(model, options)
    if let path = evaluation.svg {
      let panels = untrained(in: .english) + [ownPanel(learned, in: .english)]
      try Files.write(Self.figure(of: panels, in: .english), to: path)
    }
    let what = options.problem == .adding ? "Sums right within 0.04" : "Symbols right"
    var lines = [
      "Mean loss (\(lossName)): \(fixed(loss, 5)) (by chance: \(fixed(chance, 5)))",
      "\(what): \(right) of \(total) (\(fixed(100 * Double(right) / Double(total), 2)) %)", "",
      "distance   |dE/dh|" + (learned.count > 1 ? "      |dE/dc|" : ""),
    ]
    let steps = learned[0].count
    for distance in Self.distances(steps: steps) {
      let name = "\(distance)"
      let values = learned.map { scientificText($0[steps - 1 - distance]) }
      lines.append(name + String(repeating: " ", count: 11 - name.count) + values.joined(separator: "    "))
    }
    return lines
  }

  /// The answer to one problem.
  public func predict(_ words: [String]) throws -> [String] {
    let words = words.flatMap { $0.split(whereSeparator: \.isWhitespace) }.map(String.init)
    guard !words.isEmpty else {
      throw KasaneError("predict: nothing to go by, \(Self.predictionUsage) expected")
    }
    switch options.problem {
    case .adding: return try predictSum(words)
    case .copying: return try predictCopy(words.joined())
    }
  }

  private func predictSum(_ words: [String]) throws -> [String] {
    var inputs: [Float] = []
    var sum: Float = 0
    for word in words {
      let isMarked = word.hasSuffix("*")
      guard let number = Float(isMarked ? String(word.dropLast()) : word), (0...1).contains(number) else {
        throw KasaneError("predict: \(word) is no number from 0 to 1, marked by * or not")
      }
      inputs += [number, isMarked ? 1 : 0]
      if isMarked { sum += number }
    }
    let marks = words.count { $0.hasSuffix("*") }
    guard marks == 2 else { throw KasaneError("predict: \(marks) numbers are marked by *, 2 expected") }
    let answer = model.last(Tensor(inputs, shape: [1, words.count, 2])).scalar
    return ["Answer: \(fixed(answer, 4))  (right: \(fixed(Double(sum), 4)))"]
  }

  private func predictCopy(_ text: String) throws -> [String] {
    let symbols = text.compactMap { $0.isASCII ? $0.wholeNumberValue : nil }
    let (count, largest) = (MemoryProblems.copiedCount, MemoryProblems.symbolCount)
    guard symbols.count == text.count, symbols.count == count,
      symbols.allSatisfy({ (1...largest).contains($0) })
    else {
      throw KasaneError("predict: \(text.prefix(40)) found, \(count) digits from 1 to \(largest) expected")
    }
    let (inputs, _) = MemoryProblems.copying(symbols, steps: options[\.steps])
    let answers = model(inputs).argmax(axis: 2).elements(as: Int64.self).suffix(count)
    let right = zip(answers, symbols).count { Int($0) == $1 }
    return ["Answer: \(answers.map(String.init).joined())  (\(right) of \(count) right)"]
  }
}
