// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A page's elements and texts. Reading fails where the page is no well-formed XML, as far as reports use that.
struct PageReader {
  struct Element {
    let name: String
    let attributes: [String: String]
    /// What stands in it and in its elements.
    var text = ""
    /// Whether its text is the report's own, and not that of a run.
    let isTranslated: Bool
  }

  struct Problem: Error, CustomStringConvertible { let description: String }

  /// In the order in which they begin.
  private(set) var elements: [Element] = []
  /// The pieces of text outside of scripts and styles, and whether they are the report's own.
  private(set) var texts: [(text: String, isTranslated: Bool)] = []

  /// The elements of a name, or those of a class.
  func all(_ name: String, class wanted: String? = nil) -> [Element] {
    elements.filter { element in
      let classes = element.attributes["class", default: ""].split(separator: " ").map(String.init)
      return element.name == name && (wanted.map(classes.contains) ?? true)
    }
  }

  init(_ page: String) throws {
    var rest = page[...]
    var open: [Int] = []
    func fail(_ what: String) -> Problem { Problem(description: "\(what) before: \(rest.prefix(80))") }
    func take(_ prefix: String) -> Bool {
      guard rest.hasPrefix(prefix) else { return false }
      rest = rest.dropFirst(prefix.count)
      return true
    }
    func take(to end: String) throws -> String {
      guard let place = rest.range(of: end) else { throw fail("no \(end)") }
      defer { rest = rest[place.upperBound...] }
      return String(rest[..<place.lowerBound])
    }
    guard take("<!DOCTYPE html>\n") else { throw fail("no doctype") }
    while !rest.isEmpty {
      if take("<![CDATA[") {
        let content = try take(to: "]]>")
        for place in open { elements[place].text += content }
      } else if take("</") {
        let name = try take(to: ">")
        guard let last = open.popLast(), elements[last].name == name else { throw fail("</\(name)>") }
      } else if take("<") {
        var tag = try take(to: ">")
        let isEmpty = tag.hasSuffix("/")
        if isEmpty { tag.removeLast() }
        guard let name = tag.prefixMatch(of: /[a-zA-Z][a-zA-Z0-9]*/) else { throw fail("<\(tag)>") }
        var attributes: [String: String] = [:]
        var left = tag[name.range.upperBound...]
        while let found = left.prefixMatch(of: /\s+([a-zA-Z][a-zA-Z0-9:-]*)="([^"<]*)"/) {
          guard attributes.updateValue(try Self.unescaped(String(found.2)), forKey: String(found.1)) == nil
          else {
            throw fail("two attributes \(found.1)")
          }
          left = left[found.range.upperBound...]
        }
        guard left.allSatisfy(\.isWhitespace) else { throw fail("<\(tag)>") }
        let isTranslated =
          attributes["translate"] != "no" && (open.last.map { elements[$0].isTranslated } ?? true)
        elements.append(Element(name: String(name.0), attributes: attributes, isTranslated: isTranslated))
        if !isEmpty { open.append(elements.count - 1) }
      } else {
        let end = rest.firstIndex(of: "<") ?? rest.endIndex
        let text = try Self.unescaped(String(rest[..<end]))
        rest = rest[end...]
        guard let last = open.last else {
          guard text.allSatisfy(\.isWhitespace) else { throw fail("text outside") }
          continue
        }
        for place in open { elements[place].text += text }
        if !["script", "style"].contains(elements[last].name) && !text.allSatisfy(\.isWhitespace) {
          texts.append((text, elements[last].isTranslated))
        }
      }
    }
    guard open.isEmpty else { throw fail("\(open.map { elements[$0].name }) open") }
  }

  private static func unescaped(_ text: String) throws -> String {
    for scalar in text.unicodeScalars where scalar.value < 32 && scalar != "\n" && scalar != "\t" {
      throw Problem(description: "the character \(scalar.value)")
    }
    let parts = text.components(separatedBy: "&")
    let known = ["amp;": "&", "lt;": "<", "gt;": ">", "quot;": "\""]
    return try parts[0]
      + parts.dropFirst().map { part in
        guard let name = known.keys.first(where: part.hasPrefix) else {
          throw Problem(description: "&\(part)")
        }
        return known[name]! + part.dropFirst(name.count)
      }.joined()
  }
}
