// SPDX-License-Identifier: Apache-2.0

// The C library's scalar functions under names that do not hide the tensor functions `log`, `exp` and so on.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package func logarithm(_ x: Double) -> Double { log(x) }
package func exponential(_ x: Double) -> Double { exp(x) }
func cosine(_ x: Double) -> Double { cos(x) }
func errorFunction(_ x: Double) -> Double { erf(x) }
package func raised(_ base: Double, to exponent: Double) -> Double { pow(base, exponent) }

/// A number with a fixed number of digits after the point.
public func fixed(_ value: Double, _ digits: Int) -> String { formatted(value, digits, "%.*f") }

/// A number with an exponent and a fixed number of digits after the point.
package func scientific(_ value: Double, _ digits: Int) -> String { formatted(value, digits, "%.*e") }

private func formatted(_ value: Double, _ digits: Int, _ format: String) -> String {
  guard value.isFinite else { return "\(value)" }
  var text = [CChar](repeating: 0, count: 64)
  let length = withVaList([Int32(digits), value]) { vsnprintf(&text, text.count, format, $0) }
  return String(decoding: text.prefix(Int(min(length, 63))).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
