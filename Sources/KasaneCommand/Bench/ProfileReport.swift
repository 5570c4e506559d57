// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Where a workload's time goes: the primitives of the engine, each over its roofline.
struct ProfileReport {
  private struct Row {
    let key: Profile.Key
    /// Of one iteration.
    let calls: Double
    let seconds: Double
    let operations: Double
    let bytes: Double
  }

  private let name: String
  private let method: String?
  private let precision: BenchPrecision
  private let peaks: MachinePeaks
  /// Seconds of one iteration, without the profile and with it.
  private let plain: Double
  private let profiled: Double
  /// Most time first.
  private let rows: [Row]

  /// Measures the workload twice, without the profile and with it, for half of the seconds each.
  init(
    name: String, method: String?, precision: BenchPrecision, seconds: Double, profile: Profile,
    make: () -> () -> Void
  ) {
    (self.name, self.method, self.precision) = (name, method, precision)
    peaks = MachinePeaks(half: precision == .bfloat16)
    let iteration = make()
    let times = Timing.sample(seconds: seconds / 2, iteration).sorted()
    plain = times[times.count / 2] * 1e-3

    let clock = ContinuousClock()
    profile.start()
    iteration()
    profile.clear()
    let begin = clock.now
    var count = 0.0
    while clock.now - begin < .seconds(seconds / 2) || count < 3 {
      iteration()
      count += 1
    }
    let total = (clock.now - begin) / .seconds(1)
    profile.stop()
    profiled = total / count
    rows = profile.entries.map { key, entry in
      Row(
        key: key, calls: Double(entry.calls) / count, seconds: entry.seconds / count,
        operations: entry.operations / count, bytes: entry.bytes / count)
    }.sorted { ($0.seconds, $0.key.name) > ($1.seconds, $1.key.name) }
  }

  /// Seconds of one iteration in the engine.
  private var inside: Double { rows.reduce(0) { $0 + $1.seconds } }
  /// Seconds of one iteration outside of the engine: what is left of one without the profile, whose own cost is there.
  private var outside: Double { max(plain - inside, 0) }
  private var whole: Double { inside + outside }

  /// The share of what the machine could do at best.
  private func roofline(_ row: Row) -> Double {
    peaks.seconds(operations: row.operations, bytes: row.bytes, isHalf: row.key.isHalf) / row.seconds
  }

  private static func pass(_ row: Row) -> String { row.key.isBackward ? "backward" : "forward" }

  // MARK: For people

  /// A table.
  var lines: [String] {
    let title = method.map { "\(name) \($0)" } ?? name
    let (unit, scale) = plain < 1e-3 ? ("us", 1e6) : ("ms", 1e3)
    func time(_ seconds: Double) -> String { fixed(seconds * scale, 3) }
    var lines = [
      "\(title): \(time(plain)) \(unit) an iteration (\(time(profiled)) with the profile), "
        + "\(Machine.threads) threads, \(precision)",
      "peaks: \(peaks.text)",
      Self.row("operation", "pass", "calls", unit, "share", "GFLOP/s", "GB/s", "roofline"),
    ]
    for row in rows {
      let name = row.key.name + (row.key.isHalf ? " (16 bits)" : "")
      lines.append(
        Self.row(
          row.key.shapes.isEmpty ? name : "\(name) \(row.key.shapes)", Self.pass(row),
          fixed(row.calls, row.calls == row.calls.rounded() ? 0 : 1), time(row.seconds),
          percent(row.seconds / whole),
          row.operations > 0 ? fixed(row.operations / row.seconds * 1e-9, 1) : "-",
          fixed(row.bytes / row.seconds * 1e-9, 1), percent(roofline(row))))
    }
    lines.append(
      Self.row("outside of the engine", "", "", time(outside), percent(outside / whole), "", "", ""))
    let share = rows.reduce(0) { $0 + roofline($1) * $1.seconds } / whole
    lines.append(Self.row("all", "", "", time(whole), percent(1), "", "", percent(share)))
    return lines
  }

  private func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }

  private static func row(_ cells: String...) -> String {
    let widths = [34, 9, 9, 11, 9, 9, 9, 9]
    var line = ""
    for (index, (cell, width)) in zip(cells, widths).enumerated() {
      let padding = String(repeating: " ", count: max(1, width - cell.count))
      line += index < 2 ? cell + padding : padding + cell
    }
    return String(line.reversed().drop { $0 == " " }.reversed())
  }

  // MARK: For programs

  /// One object for each row of the table.
  var json: [String] {
    var head = ["\"name\":\"\(name)\""]
    if let method { head.append("\"method\":\"\(method)\"") }
    func object(_ parts: [String]) -> String { "{" + (head + parts).joined(separator: ",") + "}" }
    var lines = [
      object([
        "\"median_ms\":\(fixed(plain * 1e3, 6))", "\"profiled_ms\":\(fixed(profiled * 1e3, 6))",
        "\"outside_ms\":\(fixed(outside * 1e3, 6))", "\"peak_gflops\":\(fixed(peaks.operations * 1e-9, 3))",
        "\"peak_bfloat16_gflops\":\(peaks.halfOperations.map { fixed($0 * 1e-9, 3) } ?? "null")",
        "\"peak_gbs\":\(fixed(peaks.bytes * 1e-9, 3))", "\"threads\":\(Machine.threads)",
        "\"precision\":\"\(precision)\"", "\"version\":\"\(kasaneVersion)\"",
      ])
    ]
    for row in rows {
      var parts = ["\"operation\":\"\(row.key.name)\"", "\"pass\":\"\(Self.pass(row))\""]
      if !row.key.shapes.isEmpty { parts.append("\"shapes\":\"\(row.key.shapes)\"") }
      parts += [
        "\"bits\":\(row.key.isHalf ? 16 : 32)", "\"calls\":\(fixed(row.calls, 2))",
        "\"ms\":\(fixed(row.seconds * 1e3, 6))", "\"share\":\(fixed(row.seconds / whole, 6))",
        "\"gflops\":\(fixed(row.operations / row.seconds * 1e-9, 3))",
        "\"gbs\":\(fixed(row.bytes / row.seconds * 1e-9, 3))", "\"roofline\":\(fixed(roofline(row), 6))",
      ]
      lines.append(object(parts))
    }
    return lines
  }
}
