// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a command that has ended left behind.
struct Outcome {
  /// The exit status, or minus the number of the signal that killed it.
  let status: Int32
  let stdout: String
  let stderr: String

  /// The lines of standard output, without the empty one after the last newline.
  var lines: [String] { Self.lines(of: stdout) }
  /// The lines of standard error.
  var errorLines: [String] { Self.lines(of: stderr) }

  private static func lines(of text: String) -> [String] {
    var lines = text.components(separatedBy: "\n")
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}

/// A `kasane` that runs.
final class RunningCommand {
  let process = Process()
  private let outputs: URL
  private let arguments: [String]

  /// Long enough for the slowest command here on a busy machine; a command that hangs fails its test.
  private static let patience = Duration.seconds(90)

  fileprivate init(
    _ arguments: [String], in folder: TemporaryFolder, environment: [String: String], input: URL?
  ) throws {
    self.arguments = arguments
    // Files and not pipes: nothing has to read along, and they lie outside the folder that a test looks at.
    outputs = folder.outputs.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: outputs, withIntermediateDirectories: true)
    var variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("KASANE_") }
    // What the command's start sets, which is also linked into the tests.
    variables["GOMP_SPINCOUNT"] = nil
    // A trap is told by its signal; taking the stack apart would need seconds.
    variables["SWIFT_BACKTRACE"] = "enable=no"
    variables.merge(environment) { $1 }
    process.executableURL = kasaneExecutable
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.environment = variables
    process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
    process.standardOutput = try empty("stdout")
    process.standardError = try empty("stderr")
    try Self.withSignals { try process.run() }
  }

  // A test that fails half-way leaves nothing running.
  deinit { if process.isRunning { send(SIGKILL) } }

  /// A child inherits the signals that are blocked in the thread that starts it, and the threads that tests run
  /// on block nearly all.
  private static func withSignals(_ start: () throws -> Void) rethrows {
    var (none, before) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try start()
  }

  private func empty(_ name: String) throws -> FileHandle {
    let file = outputs.appending(path: name)
    try Data().write(to: file)
    return try FileHandle(forWritingTo: file)
  }

  /// What it has printed so far.
  var stdout: String { text("stdout") }
  private func text(_ name: String) -> String {
    String(decoding: (try? Data(contentsOf: outputs.appending(path: name))) ?? Data(), as: UTF8.self)
  }

  /// Sends it a signal.
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits until a condition holds while the command runs. False where it ended before.
  func wait(until condition: () -> Bool) -> Bool {
    let end = ContinuousClock.now + Self.patience
    while process.isRunning && ContinuousClock.now < end {
      if condition() { return true }
      usleep(1000)
    }
    return condition()
  }

  /// Waits for its end.
  func finish() -> Outcome {
    let end = ContinuousClock.now + Self.patience
    while process.isRunning {
      if ContinuousClock.now > end {
        Issue.record("kasane \(arguments.joined(separator: " ")) still runs after \(Self.patience)")
        send(SIGKILL)
        break
      }
      usleep(1000)
    }
    process.waitUntilExit()
    let wasKilled = process.terminationReason == .uncaughtSignal
    return Outcome(
      status: wasKilled ? -process.terminationStatus : process.terminationStatus, stdout: text("stdout"),
      stderr: text("stderr"))
  }
}

/// The built `kasane`, beside the tests: the test program itself on Linux, a bundle on macOS.
let kasaneExecutable: URL = {
  final class Marker {}
  var folders = [URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()]
  folders.append(Bundle(for: Marker.self).bundleURL)
  folders.append(Bundle(for: Marker.self).bundleURL.deletingLastPathComponent())
  let candidates = folders.map { $0.appending(path: "kasane") }
  // Where there is none, running it fails with this path.
  return candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? candidates[0]
}()

/// A fresh, empty folder that goes when the test is over. A suite keeps it as a property, which lives as long as
/// the test runs.
final class TemporaryFolder {
  let url: URL
  fileprivate let outputs: URL
  private let parent: URL

  init() throws {
    // Resolved, since the system's temporary folder is a link on macOS.
    parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "kasane-tests-\(UUID().uuidString)")
    url = parent.appending(path: "work")
    outputs = parent.appending(path: "outputs")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: parent) }

  // MARK: Commands

  /// Runs `kasane` in the folder to its end.
  func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    try start(arguments, environment: environment).finish()
  }

  /// Starts `kasane` in the folder, with a file or nothing as its standard input.
  func start(
    _ arguments: [String], environment: [String: String] = [:], input: URL? = nil
  ) throws -> RunningCommand {
    try RunningCommand(arguments, in: self, environment: environment, input: input)
  }

  /// Trains a run that must succeed.
  func train(_ name: String, _ options: [String] = []) throws {
    let outcome = try run(trainArguments(name, options))
    try #require(outcome.status == 0, "\(outcome.stderr)")
  }

  // MARK: Files

  /// The place of a name in the folder.
  func file(_ name: String) -> URL { url.appending(path: name) }
  /// Whether something has that name.
  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name).path) }
  /// A file's bytes.
  func data(_ name: String) throws -> Data { try Data(contentsOf: file(name)) }
  /// A file's text.
  func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }

  /// Replaces a file's content.
  func write(_ data: Data, to name: String) throws { try data.write(to: file(name)) }
  /// Copies a file or a folder.
  func copy(_ name: String, to other: String) throws {
    try FileManager.default.copyItem(at: file(name), to: file(other))
  }
  /// Removes a file or a folder.
  func remove(_ name: String) throws { try FileManager.default.removeItem(at: file(name)) }

  /// The names in a folder, sorted; none where there is no such folder.
  func names(_ name: String = ".") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: file(name).path)) ?? []).sorted()
  }

  /// Everything below the folder that was written in part and left behind.
  var partials: [String] {
    let all = FileManager.default.enumerator(atPath: url.path)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.contains(".partial") }
  }
}

/// The arguments of a small training run: a fifth of a second in debug. Later options win over earlier ones.
func trainArguments(_ name: String, _ options: [String] = []) -> [String] {
  let small = ["--iterations", "300", "--hidden", "8", "--seed", "1", "--threads", "1", "--output", name]
  return ["train", "binary-addition"] + small + options
}
