// SPDX-License-Identifier: Apache-2.0

internal import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Kasane's version.
public let kasaneVersion = "0.1.0"

/// What the program runs on.
public enum Machine {
  /// Threads that parallel kernels use: as many as KASANE_THREADS says, else as there are processors, until set.
  public static var threads: Int {
    get { Int(ks_threads()) }
    set { ks_set_threads(Int32(newValue)) }
  }

  /// The instruction set of the kernels in use.
  public static var instructionSet: String { String(cString: ks_instruction_set()) }

  /// Processors that are online.
  public static var processors: Int { sysconf(Int32(_SC_NPROCESSORS_ONLN)) }

  /// Bytes of memory in the machine.
  public static var memoryBytes: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

  /// System, architecture, processor and number of cores.
  public static var description: String {
    var names = utsname()
    uname(&names)
    let system = withUnsafeBytes(of: names.sysname) { text($0) }
    let architecture = withUnsafeBytes(of: names.machine) { text($0) }
    return "\(system) \(architecture), \(processor ?? "unknown processor"), \(processors) cores"
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static var processor: String? {
    #if os(Linux)
      guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 512)
      while fgets(&line, Int32(line.count), file) != nil {
        let content = line.withUnsafeBytes { text($0) }
        guard content.hasPrefix("model name"), let colon = content.firstIndex(of: ":") else { continue }
        let name = content[content.index(after: colon)...].split(whereSeparator: \.isWhitespace)
        return name.joined(separator: " ")
      }
      return nil
    #else
      var size = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0 else { return nil }
      var brand = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("machdep.cpu.brand_string", &brand, &size, nil, 0) == 0 else { return nil }
      return brand.withUnsafeBytes { text($0) }
    #endif
  }
}
