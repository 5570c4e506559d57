// SPDX-License-Identifier: Apache-2.0

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

/// One line of `metrics.jsonl`.
public struct Metric: Codable, Sendable {
  /// The iteration, from 0.
  public let iteration: Int
  /// Its loss.
  public let loss: Double
  /// The mean loss of the iterations since the line before.
  public let meanLoss: Double
  /// Seconds since 1970.
  public let time: Double
  /// What else the recipe measured there, by name; it stands in the line beside the rest.
  public let others: [String: Double]

  init(iteration: Int, loss: Double, meanLoss: Double, time: Double, others: [String: Double]) {
    self.iteration = iteration
    self.loss = loss
    self.meanLoss = meanLoss
    self.time = time
    self.others = others
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }

    static let iteration = Key("iteration"), loss = Key("loss"), time = Key("time"),
      meanLoss = Key("mean_loss")
    static let own: Set<String> = Set([iteration, loss, time, meanLoss].map(\.stringValue))
  }

  /// Reads what `encode(to:)` wrote.
  public init(from decoder: any Decoder) throws {
    let line = try decoder.container(keyedBy: Key.self)
    iteration = try line.decode(Int.self, forKey: .iteration)
    loss = try line.decode(Double.self, forKey: .loss)
    meanLoss = try line.decode(Double.self, forKey: .meanLoss)
    time = try line.decode(Double.self, forKey: .time)
    var others: [String: Double] = [:]
    for key in line.allKeys where !Key.own.contains(key.stringValue) {
      others[key.stringValue] = try line.decode(Double.self, forKey: key)
    }
    self.others = others
  }

  /// Writes one line of metrics.
  public func encode(to encoder: any Encoder) throws {
    var line = encoder.container(keyedBy: Key.self)
    try line.encode(iteration, forKey: .iteration)
    try line.encode(loss, forKey: .loss)
    try line.encode(meanLoss, forKey: .meanLoss)
    try line.encode(time, forKey: .time)
    for (name, value) in others where !Key.own.contains(name) { try line.encode(value, forKey: Key(name)) }
  }

  /// The lines of a run's metrics; a last line that was cut off is left out.
  public static func read(_ path: String) throws -> [Metric] {
    guard Files.exists(path) else { return [] }
    let decoder = JSONDecoder()
    let lines = try Files.read(path).split(separator: 10)
    return try lines.enumerated().compactMap { number, line in
      if let metric = try? decoder.decode(Metric.self, from: Data(line)) { return metric }
      if number == lines.count - 1 { return nil }
      throw KasaneError("\(path): line \(number + 1) is not a metric")
    }
  }
}

/// Writes `metrics.jsonl`.
public final class MetricsWriter: TrainingListener {
  private static let key = "metrics_length"
  private let path: String
  private let descriptor: Int32
  private var length: Int
  private let encoder = JSONEncoder()

  /// A writer that goes on after what the checkpoint knows of, or starts afresh without one.
  public init(_ run: RunFolder, after checkpoint: Checkpoint?) throws {
    path = run.metricsPath
    length = checkpoint?.notes[Self.key].flatMap(Int.init) ?? 0
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    encoder.outputFormatting = [.sortedKeys]
    guard descriptor >= 0, ftruncate(descriptor, off_t(length)) == 0,
      lseek(descriptor, off_t(length), SEEK_SET) >= 0
    else { throw KasaneError("\(path): cannot be written: \(Files.lastReason)") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Adds a line for every report.
  public func receive(_ event: TrainingEvent) throws {
    switch event {
    case .reported(let iteration, let loss, let meanLoss, let metrics, _):
      let metric = Metric(
        iteration: iteration, loss: loss, meanLoss: meanLoss, time: Date().timeIntervalSince1970,
        others: metrics)
      let line = Array(try encoder.encode(metric)) + [10]
      guard Files.writeAll(line, to: descriptor) else {
        let error = KasaneError("\(path): cannot be written: \(Files.lastReason)")
        ftruncate(descriptor, off_t(length))
        throw error
      }
      length += line.count
    case .checkpointing(let checkpoint):
      fsync(descriptor)
      checkpoint.notes[Self.key] = String(length)
    default: break
    }
  }
}

/// Writes a TensorBoard event file.
public final class TensorBoardListener: TrainingListener {
  private static let key = "events_length"
  /// Seconds after which what waits in memory is written, for those who look on.
  private static let patience = 1.0
  private let writer: EventFileWriter
  private var lastFlush = 0.0

  /// A writer that goes on after what the checkpoint knows of, or starts afresh without one.
  public init(_ run: RunFolder, after checkpoint: Checkpoint?) throws {
    if let path = run.eventsPath, let length = checkpoint?.notes[Self.key].flatMap(UInt64.init) {
      writer = try EventFileWriter(continuing: path, from: length)
      return
    }
    if let stale = run.eventsPath { unlink(stale) }
    let now = Date().timeIntervalSince1970
    writer = try EventFileWriter(
      creatingAt: run.file(EventFileWriter.fileName(wallTime: now)), wallTime: now)
  }

  /// Adds the losses and metrics of every report.
  public func receive(_ event: TrainingEvent) throws {
    switch event {
    case .reported(let iteration, let loss, let meanLoss, let metrics, _):
      let now = Date().timeIntervalSince1970
      try writer.addScalar("loss", Float(loss), step: iteration, wallTime: now)
      try writer.addScalar("mean_loss", Float(meanLoss), step: iteration, wallTime: now)
      for (name, value) in metrics.sorted(by: { $0.key < $1.key }) {
        try writer.addScalar(name, Float(value), step: iteration, wallTime: now)
      }
      if now - lastFlush > Self.patience {
        try writer.flush()
        lastFlush = now
      }
    case .checkpointing(let checkpoint):
      try writer.flush()
      checkpoint.notes[Self.key] = String(writer.length)
    case .finished: try writer.flush()
    default: break
    }
  }
}

/// Draws `loss.svg` from the metrics when a run ends.
public final class ChartListener: TrainingListener {
  private let run: RunFolder

  /// A listener for a run.
  public init(_ run: RunFolder) { self.run = run }

  /// Draws at the end.
  public func receive(_ event: TrainingEvent) throws {
    guard case .finished = event else { return }
    let metrics = try Metric.read(run.metricsPath)
    let curve = Chart.Curve(
      label: "mean loss", points: metrics.map { (x: Double($0.iteration), y: $0.meanLoss) })
    let chart = Chart(title: run.configuration.recipe, xLabel: "iteration", yLabel: "loss", curves: [curve])
    try Files.write(chart.svg, to: run.file("loss.svg"))
  }
}
