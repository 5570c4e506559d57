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

/// Everything about a run that is fixed when it begins, kept as `config.json`.
public struct RunConfiguration: Codable, Sendable {
  /// The recipe's name.
  public var recipe: String
  /// The recipe's own options, by name.
  public var options: [String: OptionValue]
  /// The seed of everything random.
  public var seed: UInt64
  /// Iterations from one report to the next.
  public var printEvery: Int
  /// Iterations from one checkpoint to the next.
  public var checkpointEvery: Int
  /// In what matrix products and convolutions are computed; nil for float32.
  public var precision: Precision?
  /// Threads that parallel kernels use.
  public var threads: Int
  /// Kasane's version.
  public var version: String
  /// The engine and its library's version.
  public var engine: String
  /// The instruction set of the kernels.
  public var instructionSet: String
  /// System, processor and number of cores.
  public var machine: String
  /// When the run began, ISO 8601.
  public var created: String
  /// Tells this run's checkpoints from those of others.
  public var id: String

  /// The configuration of a run that begins now on this machine.
  public init(
    recipe: String, options: [String: OptionValue], seed: UInt64, printEvery: Int, checkpointEvery: Int,
    precision: Precision = .float32
  ) {
    self.recipe = recipe
    self.options = options
    self.seed = seed
    self.printEvery = printEvery
    self.checkpointEvery = checkpointEvery
    self.precision = precision == .float32 ? nil : precision
    threads = Machine.threads
    version = kasaneVersion
    engine = Kasane.engine.description
    instructionSet = Machine.instructionSet
    machine = Machine.description
    created = Date().formatted(.iso8601)
    id = UUID().uuidString
  }
}

extension RunConfiguration {
  /// The most threads that a run may ask for.
  public static let maximumThreads = 1024

  fileprivate func validate(from path: String) throws {
    func require(_ name: String, _ value: Int, in range: ClosedRange<Int>) throws {
      if let problem = rangeProblem(name, value, in: range) { throw KasaneError("\(path): \(problem)") }
    }
    try require("printEvery", printEvery, in: 1...Int.max)
    try require("checkpointEvery", checkpointEvery, in: 1...Int.max)
    try require("threads", threads, in: 1...Self.maximumThreads)
  }
}

/// The value of an option: a number, a flag or text.
public enum OptionValue: Codable, Hashable, Sendable, CustomStringConvertible {
  case flag(Bool)
  case integer(Int)
  case number(Double)
  case text(String)

  /// Reads a flag, a number or text.
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let flag = try? value.decode(Bool.self) {
      self = .flag(flag)
    } else if let integer = try? value.decode(Int.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else {
      self = .text(try value.decode(String.self))
    }
  }

  /// Writes the value alone.
  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .flag(let flag): try value.encode(flag)
    case .integer(let integer): try value.encode(integer)
    case .number(let number): try value.encode(number)
    case .text(let text): try value.encode(text)
    }
  }

  /// The value as it is written on a command line.
  public var description: String {
    switch self {
    case .flag(let flag): "\(flag)"
    case .integer(let integer): "\(integer)"
    case .number(let number): "\(number)"
    case .text(let text): text
    }
  }
}

/// The folder of one run: its configuration, metrics, checkpoints and model.
public final class RunFolder {
  /// Where it is.
  public let path: String
  /// What the run is.
  public let configuration: RunConfiguration
  private var lock: Int32 = -1

  /// How many checkpoints are kept.
  public static let keptCheckpoints = 3

  private init(path: String, configuration: RunConfiguration) {
    self.path = path
    self.configuration = configuration
  }

  deinit { if lock >= 0 { close(lock) } }

  /// The path of a file in the folder.
  public func file(_ name: String) -> String { path + "/" + name }
  /// Where the trained model is.
  public var modelPath: String { file("model.safetensors") }
  /// Where the weights are that were judged best, once any were judged.
  public var bestPath: String { file("checkpoints/best.safetensors") }
  /// Where the metrics are, one JSON object a line.
  public var metricsPath: String { file("metrics.jsonl") }
  /// The first TensorBoard event file, or nil where there is none yet.
  public var eventsPath: String? { Files.names(in: path).first { $0.contains("tfevents") }.map(file) }
  /// Whether the run has come to its end.
  public var isFinished: Bool { Files.exists(modelPath) }

  /// Makes a new run's folder. It appears with its configuration in it or not at all. Throws where something is
  /// already there.
  public static func create(at path: String, _ configuration: RunConfiguration) throws -> RunFolder {
    let path = trimmed(path)
    guard !Files.exists(path) else {
      throw KasaneError(
        "--output \(path): already exists; a run needs a new folder (to go on with it: --resume)")
    }
    try Files.makeFolder(Files.parent(of: path))
    removeStaleDrafts(of: path)
    let draft = "\(path).\(getpid())\(draftSuffix)"
    try Files.makeFolder(draft)
    do {
      try Files.makeFolder(draft + "/checkpoints")
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try Files.write([Array(try encoder.encode(configuration)), [10]], to: draft + "/config.json")
      guard rename(draft, path) == 0 else {
        throw KasaneError("--output \(path): cannot be made: \(Files.lastReason)")
      }
    } catch {
      try? FileManager.default.removeItem(atPath: draft)
      throw KasaneError("\(error)".replacing(draft, with: path))
    }
    Files.syncFolder(of: path)
    let run = RunFolder(path: path, configuration: configuration)
    try run.acquire()
    return run
  }

  private static let draftSuffix = ".partial"

  /// Removes what processes left that were killed while they made this folder.
  private static func removeStaleDrafts(of path: String) {
    let folder = Files.parent(of: path)
    let prefix = (path.split(separator: "/").last ?? "") + "."
    for name in Files.names(in: folder) where name.hasPrefix(prefix) && name.hasSuffix(draftSuffix) {
      guard let process = Int32(name.dropFirst(prefix.count).dropLast(draftSuffix.count)) else { continue }
      let isGone = kill(process, 0) != 0 && errno == ESRCH
      if isGone { try? FileManager.default.removeItem(atPath: folder + "/" + name) }
    }
  }

  /// `runs/NAME-N` with the first number that is free.
  public static func freshPath(for recipe: String) -> String {
    var number = 1
    while Files.exists("runs/\(recipe)-\(number)") { number += 1 }
    return "runs/\(recipe)-\(number)"
  }

  /// Opens an existing run's folder to read it.
  public static func open(_ path: String) throws -> RunFolder {
    let path = trimmed(path)
    guard Files.exists(path) else { throw KasaneError("\(path): no such run folder") }
    let configPath = path + "/config.json"
    guard Files.exists(configPath) else {
      throw KasaneError("\(path): not a run folder: config.json is missing")
    }
    let bytes = try Files.read(configPath)
    do {
      let configuration = try JSONDecoder().decode(RunConfiguration.self, from: Data(bytes))
      try configuration.validate(from: configPath)
      return RunFolder(path: path, configuration: configuration)
    } catch let error as DecodingError {
      throw KasaneError("\(configPath): not the configuration of a run: \(error.oneLine)")
    }
  }

  private static func trimmed(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Claims the folder for this process; another that trains in it is refused.
  public func acquire() throws {
    guard lock < 0 else { return }
    let descriptor = openLock(file(".lock"))
    guard descriptor >= 0 else { throw KasaneError("\(path): cannot be locked: \(Files.lastReason)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw KasaneError("\(path): another process is training in this run folder")
    }
    lock = descriptor
  }

  // MARK: Checkpoints

  private static let prefix = "step-"

  /// The iterations of which there are checkpoints, in order.
  public var checkpointIterations: [Int] {
    Files.names(in: file("checkpoints")).compactMap { name in
      guard name.hasPrefix(Self.prefix), name.hasSuffix(".safetensors") else { return nil }
      return Int(name.dropFirst(Self.prefix.count).dropLast(".safetensors".count))
    }.sorted()
  }

  /// Where the checkpoint of an iteration is.
  public func checkpointPath(_ iteration: Int) -> String {
    let digits = String(iteration)
    let padding = String(repeating: "0", count: max(0, 9 - digits.count))
    return file("checkpoints/\(Self.prefix)\(padding)\(digits).safetensors")
  }

  /// Removes all checkpoints but the last few.
  func pruneCheckpoints() {
    for iteration in checkpointIterations.dropLast(Self.keptCheckpoints) { unlink(checkpointPath(iteration)) }
  }
}

private func openLock(_ path: String) -> Int32 { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }

extension DecodingError {
  /// What is wrong and where, in one line.
  var oneLine: String {
    func path(_ context: Context) -> String { context.codingPath.map(\.stringValue).joined(separator: ".") }
    switch self {
    case .keyNotFound(let key, _): return "\(key.stringValue) is missing"
    case .typeMismatch(let type, let context): return "\(path(context)) is not of type \(type)"
    case .valueNotFound(let type, let context): return "\(path(context)) is null where \(type) is expected"
    case .dataCorrupted(let context):
      let place = path(context)
      if !place.isEmpty { return "\(place): \(context.debugDescription)" }
      // A number that its type cannot hold is reported without its place.
      let isNumber = context.debugDescription.contains("number")
      return isNumber ? context.debugDescription : "it is not JSON"
    @unknown default: return "\(self)"
    }
  }
}
