// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes

/// What is known of a run: its configuration, how far it came, what it recorded, and what its recipe has to show.
struct RunRecord {
  let run: RunFolder
  /// The folder's name, or its path where another run's folder has the same name.
  let name: String
  /// The curves by the names of their metrics, as they were recorded.
  let curves: [String: [CurvePoint]]
  /// How many lines were recorded.
  let recorded: Int
  /// How many iterations are done.
  let steps: Int
  /// How long the run took, without the pauses in it.
  let seconds: Double
  let exhibits: [Exhibit]
  /// Why there is nothing to show, where that is so.
  let missing: String?

  /// The mean of the training loss since the line before.
  static let loss = "loss"
  static let validationPrefix = "validation_"
  static let iterationRate = "iterations_per_second"
  static let tokenRate = "tokens_per_second"
  static let rates = [tokenRate, iterationRate]

  /// Reads runs. Throws one line where a folder is none, or something in it is damaged or not as this version needs it.
  static func read(_ paths: [String], in language: Language) throws -> [RunRecord] {
    let runs = try paths.map { try RunFolder.open($0) }
    func lastName(_ run: RunFolder) -> String { String(run.path.split(separator: "/").last ?? "/") }
    return try runs.map { run in
      let isUnique = runs.count { lastName($0) == lastName(run) } == 1
      return try RunRecord(run, name: isUnique ? lastName(run) : run.path, in: language)
    }
  }

  private init(_ run: RunFolder, name: String, in language: Language) throws {
    self.run = run
    self.name = name
    let metrics = try Metric.read(run.metricsPath)
    guard let last = metrics.last else {
      throw KasaneError("\(run.path): nothing to report yet: no step is recorded in metrics.jsonl")
    }
    let type = try recipe(named: run.configuration.recipe, from: run.file("config.json"))
    let shown = try Self.shown(type, run, in: language)
    (exhibits, missing) = (shown.exhibits, shown.missing)
    recorded = metrics.count
    steps = max(last.iteration + 1, run.checkpointIterations.last ?? 0)

    let pace = Pace(metrics, every: run.configuration.printEvery)
    seconds = pace.seconds
    var curves = [Self.loss: Self.losses(metrics, every: run.configuration.printEvery)]
    for metric in metrics {
      for (name, value) in metric.others {
        curves[name, default: []].append(CurvePoint(x: Double(metric.iteration), y: value))
      }
    }
    let tokens = shown.tokensPerIteration
    let rate = pace.rates(of: tokens ?? 1)
    if rate.count > 1 { curves[tokens == nil ? Self.iterationRate : Self.tokenRate] = rate }
    self.curves = curves
  }

  /// The mean loss from one report to the next. What was measured between two reports has a line of its own, which ends a
  /// mean too early: its mean and the next are put together.
  private static func losses(_ metrics: [Metric], every interval: Int) -> [CurvePoint] {
    var points: [CurvePoint] = []
    var (last, sum, count) = (-1, 0.0, 0)
    for metric in metrics {
      let iterations = max(1, metric.iteration - last)
      (last, sum, count) = (metric.iteration, sum + metric.meanLoss * Double(iterations), count + iterations)
      guard metric.iteration % interval == 0 else { continue }
      points.append(CurvePoint(x: Double(last), y: sum / Double(count)))
      (sum, count) = (0, 0)
    }
    // The last iterations, where they are not too few for a mean of their own.
    if count > 0, points.isEmpty || count > interval / 2 {
      points.append(CurvePoint(x: Double(last), y: sum / Double(count)))
    }
    return points
  }

  /// What the recipe has to show of a run, and how many tokens an iteration takes.
  private static func shown<R: Recipe>(_ type: R.Type, _ run: RunFolder, in language: Language) throws -> (
    exhibits: [Exhibit], missing: String?, tokensPerIteration: Int?
  ) {
    guard run.isFinished || !run.checkpointIterations.isEmpty else {
      _ = try type.initial(for: run)
      return ([], "\(run.path): no model yet", nil)
    }
    let subject = try trained(type, in: run)
    do {
      return (try subject.exhibits(in: language), nil, subject.tokensPerIteration)
    } catch let error as KasaneError {
      return ([], "\(error)", subject.tokensPerIteration)
    }
  }

  /// The value that a curve ends with.
  func last(_ name: String) -> Double? { curves[name]?.last?.y }
  /// The lowest value of a curve.
  func lowest(_ name: String) -> Double? { curves[name]?.lazy.map(\.y).min() }
  /// The highest value of a curve.
  func highest(_ name: String) -> Double? { curves[name]?.lazy.map(\.y).max() }
}

/// How fast a run went.
private struct Pace {
  private let metrics: [Metric]
  /// An interval this long is no training: the run was stopped, and went on later.
  private let pause: Double

  init(_ metrics: [Metric], every interval: Int) {
    let reports = metrics.filter { $0.iteration % interval == 0 }
    self.metrics = reports.count > 1 ? reports : metrics
    let intervals = zip(self.metrics.dropFirst(), self.metrics).map { $0.time - $1.time }.sorted()
    pause = intervals.isEmpty ? 0 : max(60, 20 * intervals[intervals.count / 2])
  }

  /// Seconds from the first line to the last, without the pauses.
  var seconds: Double {
    zip(metrics.dropFirst(), metrics).map { $0.time - $1.time }.filter { $0 > 0 && $0 <= pause }.reduce(0, +)
  }

  /// How many of what an iteration has `count` of were done in a second, over some sixty parts of the run.
  func rates(of count: Int) -> [CurvePoint] {
    let step = max(1, (metrics.count + 59) / 60)
    let ends = stride(from: 0, to: metrics.count, by: step).map { metrics[$0] }
    return zip(ends.dropFirst(), ends).compactMap { end, start in
      let seconds = end.time - start.time
      guard seconds > 1e-6, seconds <= pause * Double(step), end.iteration > start.iteration else {
        return nil
      }
      return CurvePoint(
        x: Double(end.iteration), y: Double(count) * Double(end.iteration - start.iteration) / seconds)
    }
  }
}

/// A point of a curve.
struct CurvePoint: Equatable, Sendable {
  let x: Double
  let y: Double
}

extension [CurvePoint] {
  /// At most `limit` of the points: of as many equal parts as that allows the first, the last, the lowest and the highest,
  /// so that no peak is lost.
  func thinned(to limit: Int) -> [CurvePoint] {
    guard count > limit else { return self }
    let parts = Swift.max(1, limit / 4)
    var kept: [CurvePoint] = []
    for part in 0..<parts {
      let range = part * count / parts..<(part + 1) * count / parts
      let extremes = [range.min { self[$0].y < self[$1].y }, range.max { self[$0].y < self[$1].y }]
      let places = Set(extremes.compactMap { $0 } + [range.lowerBound, range.upperBound - 1])
      kept += places.sorted().map { self[$0] }
    }
    return kept
  }
}
