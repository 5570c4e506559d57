// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// This program in a process of its own, where memory and settings of the start do not mix with the caller's.
enum OwnProcess {
  /// Runs the program with the given arguments to its end and returns its exit status, above 128 for a signal, and what
  /// it wrote to standard output where that is captured. It inherits the environment but for the variables given, of
  /// which those that are nil are taken away.
  static func run(_ arguments: [String], environment: [String: String?] = [:], capturing: Bool = false) throws
    -> (status: Int32, output: String)
  {
    let words: [UnsafeMutablePointer<CChar>?] = ([calledAs] + arguments).map { strdup($0) } + [nil]
    let variables: [UnsafeMutablePointer<CChar>?] =
      inherited(without: environment)
      + environment.compactMap { name, value in value.map { strdup("\(name)=\($0)") } } + [nil]
    defer { for pointer in words + variables { free(pointer) } }

    var actions = fileActions()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var ends: [Int32] = [-1, -1]
    if capturing {
      guard pipe(&ends) == 0 else { throw KasaneError("bench: no pipe: \(Files.lastReason)") }
      posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
      for end in ends { posix_spawn_file_actions_addclose(&actions, end) }
    }
    var child: pid_t = 0
    let problem = posix_spawn(&child, executable, &actions, nil, words, variables)
    if capturing { close(ends[1]) }
    defer { if capturing { close(ends[0]) } }
    guard problem == 0 else {
      throw KasaneError("\(executable): cannot be started: \(String(cString: strerror(problem)))")
    }
    let text = capturing ? everything(from: ends[0]) : ""
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    // The low seven bits are the signal's number.
    let signal = status & 0x7f
    return (signal == 0 ? status >> 8 & 0xff : 128 + signal, text)
  }

  #if canImport(Darwin)
    private static func fileActions() -> posix_spawn_file_actions_t? { nil }
  #else
    private static func fileActions() -> posix_spawn_file_actions_t { posix_spawn_file_actions_t() }
  #endif

  /// The program's file.
  private static let executable: String = {
    #if os(Linux)
      // Resolved, so that the child is listed under its name.
      var name = [CChar](repeating: 0, count: Int(PATH_MAX))
      let length = readlink("/proc/self/exe", &name, name.count - 1)
      return length > 0
        ? String(decoding: name[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self) : calledAs
    #else
      var size = UInt32(PATH_MAX)
      var name = [CChar](repeating: 0, count: Int(size))
      guard _NSGetExecutablePath(&name, &size) == 0 else { return calledAs }
      return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    #endif
  }()

  private static func inherited(without changed: [String: String?]) -> [UnsafeMutablePointer<CChar>?] {
    var variables: [UnsafeMutablePointer<CChar>?] = []
    var next = environ
    while let variable = next.pointee {
      let text = String(cString: variable)
      if changed.index(forKey: String(text.prefix { $0 != "=" })) == nil {
        variables.append(strdup(variable))
      }
      next += 1
    }
    return variables
  }

  private static func everything(from descriptor: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
