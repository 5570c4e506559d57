// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes

/// Numbers and times as a report shows them. `report.js` writes numbers in the same way.
enum ReportNumbers {
  /// A whole number as it is, another with four significant digits, very large and small ones by powers of ten.
  static func text(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    if value == value.rounded(), abs(value) < 1e9 { return grouped(fixed(value, 0)) }
    let digits = significant(value)
    if digits.exponent < -3 || digits.exponent > 8 {
      let mantissa = digits.text.split(separator: "e")[0]
      return trimmed(String(mantissa)) + "×10" + raised(digits.exponent)
    }
    return grouped(trimmed(fixed(value, max(0, 3 - digits.exponent))))
  }

  /// A whole number, its digits in groups of three.
  static func text(_ value: Int) -> String { grouped(String(value)) }

  /// A share as a percentage.
  static func percent(_ share: Double) -> String { trimmed(fixed(100 * share, 2)) + " %" }

  /// A value to six significant digits, so that files stay small.
  static func rounded(_ value: Double) -> Double { Double(scientific(value, 5)) ?? value }

  /// Four significant digits and the power of ten of the first.
  private static func significant(_ value: Double) -> (text: String, exponent: Int) {
    let text = scientific(value, 3)
    return (text, text.split(separator: "e").last.flatMap { Int($0) } ?? 0)
  }

  private static func trimmed(_ text: String) -> String {
    guard text.contains(".") else { return text }
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private static func grouped(_ text: String) -> String {
    let start = text.firstIndex(where: \.isNumber) ?? text.startIndex
    let end = text.firstIndex(of: ".") ?? text.endIndex
    var groups = ""
    for (index, digit) in text[start..<end].reversed().enumerated() {
      if index > 0 && index % 3 == 0 { groups = "," + groups }
      groups = String(digit) + groups
    }
    return (text[..<start] == "-" ? "−" : "") + groups + text[end...]
  }

  private static func raised(_ exponent: Int) -> String {
    let digits = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    let number = String(abs(exponent)).compactMap(\.wholeNumberValue).map { digits[$0] }.joined()
    return (exponent < 0 ? "⁻" : "") + number
  }

  /// How long something took.
  static func time(_ seconds: Double, in language: Language) -> String {
    let whole = Int(min(seconds, 1e12).rounded())
    let (hours, minutes) = (whole / 3600, whole % 3600 / 60)
    if seconds < 1 { return language("\(fixed(seconds, 2)) s", "\(fixed(seconds, 2)) 秒") }
    if seconds < 10 { return language("\(fixed(seconds, 1)) s", "\(fixed(seconds, 1)) 秒") }
    if hours > 0 { return language("\(hours) h \(minutes) min", "\(hours) 時間 \(minutes) 分") }
    if minutes > 0 { return language("\(minutes) min \(whole % 60) s", "\(minutes) 分 \(whole % 60) 秒") }
    return language("\(whole) s", "\(whole) 秒")
  }

  /// A moment such as 2026-11-25T02:19:01Z, for readers; what is not of that form stays as it is.
  static func moment(_ text: String) -> String {
    guard let match = text.wholeMatch(of: /(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\dZ/) else { return text }
    return "\(match.1) \(match.2) UTC"
  }
}
