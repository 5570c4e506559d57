// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Prints the reports, and draws a live bar on standard error where that is a terminal.
final class TerminalListener: TrainingListener {
  private let isLive = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private var started: ContinuousClock.Instant
  private var lastDrawn: ContinuousClock.Instant
  private var first = 0
  private var total = 0
  private var isDrawn = false
  private var completed = 0
  /// The next iteration after which the clock is looked at.
  private var nextLook = 0
  private let tokensPerIteration: Int?
  private let waitingShare: () -> Double?

  /// A listener to the training of a system.
  init(to subject: some Trainable) {
    tokensPerIteration = subject.tokensPerIteration
    waitingShare = { subject.waitingShare }
    started = clock.now
    lastDrawn = started
  }

  func receive(_ event: TrainingEvent) throws {
    switch event {
    case .started(let completed, let total):
      (first, self.total) = (completed, total)
      started = clock.now
      if completed > 0 { writeError("Going on after \(completed) iterations") }
    case .stepped(let iteration, let loss):
      completed = iteration + 1
      if isLive { draw(iteration + 1, loss) }
    case .reported(_, _, _, _, let text):
      clearBar()
      try output(text + pace)
    default: break
    }
  }

  /// Tokens a second and the time that is left, for those to whom no bar is shown.
  private var pace: String {
    guard let tokensPerIteration, completed > first else { return "" }
    let rate = Double(completed - first) / max((clock.now - started) / .seconds(1), 1e-9)
    let left = Double(total - completed) / rate
    return "  (\(fixed(rate * Double(tokensPerIteration), 0)) tokens/s\(waiting), \(fixed(left, 0)) s left)"
  }

  /// How much of the time went into waiting for data, where another thread makes them.
  private var waiting: String { waitingShare().map { ", waiting \(fixed(100 * $0, 1)) %" } ?? "" }

  private func draw(_ completed: Int, _ loss: Double) {
    // Reading the clock costs as much as a small iteration; a look about every tenth of a second is enough.
    guard completed >= nextLook else { return }
    let now = clock.now
    let elapsed = max((now - started) / .seconds(1), 1e-9)
    let rate = Double(completed - first) / elapsed
    nextLook = completed + max(1, Int(min(rate / 10, Double(total))))
    guard now - lastDrawn > .milliseconds(100) else { return }
    lastDrawn = now
    let left = Double(total - completed) / rate
    let width = 30
    let filled = width * completed / total
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let tokens = tokensPerIteration.map { "  \(fixed(rate * Double($0), 0)) tokens/s" } ?? ""
    let pace = "\(fixed(rate, rate < 10 ? 1 : 0))/s\(tokens)\(waiting)  \(fixed(left, 0)) s left"
    writeText(
      "\r\u{1B}[K\(bar) \(completed)/\(total)  \(pace)  loss \(fixed(loss, 4))", to: STDERR_FILENO)
    isDrawn = true
  }

  /// Takes the bar away so that a line can be printed.
  func clearBar() {
    guard isDrawn else { return }
    writeText("\r\u{1B}[K", to: STDERR_FILENO)
    isDrawn = false
  }
}

/// Checks a number of threads from the command line.
func validateThreads(_ threads: Int?) throws {
  if let threads { try require("--threads", threads, in: 1...RunConfiguration.maximumThreads) }
}

/// Refuses a KASANE_ISA that names no instruction set, by which the kernels have already been chosen, and the same of the
/// other variables that know only certain words, before anything is computed.
func checkEnvironment() throws {
  for (variable, known) in [
    ("KASANE_ISA", ["avx512", "avx2", "neon", "baseline"]), ("KASANE_ENGINE", engineNames),
    ("KASANE_PROFILE", profileNames),
    ("KASANE_CONVOLUTION", convolutionNames),
  ] {
    guard let name = ProcessInfo.processInfo.environment[variable], !known.contains(name) else { continue }
    throw KasaneError("\(variable): \(name), one of \(known.joined(separator: ", ")) expected")
  }
}

/// Sets the number of threads to the flag's, or to KASANE_THREADS.
func useThreads(_ flag: Int?) throws {
  if let flag {
    Machine.threads = flag
  } else if let text = ProcessInfo.processInfo.environment["KASANE_THREADS"] {
    guard let number = Int(text), (1...RunConfiguration.maximumThreads).contains(number) else {
      throw KasaneError(
        "KASANE_THREADS: \(text), a number from 1 to \(RunConfiguration.maximumThreads) expected")
    }
    Machine.threads = number
  }
}
