// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The most memory that this process has had in the machine at once.
enum PeakMemory {
  /// Starts anew from what the process has now. False where the system does not allow it.
  static func reset() -> Bool {
    #if os(Linux)
      guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
      // The system's answer comes with the closing.
      return fputs("5", file) >= 0 && fclose(file) == 0
    #else
      return false
    #endif
  }

  /// In bytes.
  static var bytes: Int {
    #if os(Linux)
      if let file = fopen("/proc/self/status", "r") {
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
          let words = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.split { $0 <= 32 }
          guard words.count > 1, words[0].elementsEqual("VmHWM:".utf8) else { continue }
          return (Int(String(decoding: words[1], as: UTF8.self)) ?? 0) * 1024
        }
      }
    #endif
    var usage = rusage()
    // The C library's header names the first parameter's type differently from one system to the next.
    #if os(Linux)
      getrusage(__rusage_who_t(0), &usage)
      return usage.ru_maxrss * 1024
    #else
      getrusage(RUSAGE_SELF, &usage)
      return usage.ru_maxrss
    #endif
  }
}
