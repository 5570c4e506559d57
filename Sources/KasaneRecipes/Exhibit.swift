// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser

/// A language that reports are written in.
public enum Language: String, CaseIterable, Sendable, ExpressibleByArgument {
  /// English.
  case english = "en"
  /// Japanese.
  case japanese = "ja"

  /// Words in this language. Both have to be given, so that none can be forgotten:
  ///
  ///     language("Confusion matrix", "混同行列")
  public func callAsFunction(_ english: String, _ japanese: String) -> String {
    self == .english ? english : japanese
  }
}

/// Something that a recipe has to show of a trained run: it stands in the run's report, and figures can be drawn alone.
public struct Exhibit: Sendable {
  /// What is shown.
  public enum Content: Sendable {
    /// An SVG image, which `SVG` makes, or one like it.
    case figure(String)
    /// Rows below the names of their columns.
    case table(columns: [Column], rows: [[String]])
    /// Lines that a network or a corpus has written; they stay as they are.
    case text([String])
  }

  /// A column of a table.
  public struct Column: Sendable {
    /// What stands above it.
    public let title: String
    /// Whether it holds numbers, which then stand below each other.
    public let isNumeric: Bool

    /// A column of words, or of numbers.
    public init(_ title: String, isNumeric: Bool = false) {
      self.title = title
      self.isNumeric = isNumeric
    }
  }

  /// What `kasane plot --figure` calls it: words in lower case, joined by hyphens.
  public let name: String
  /// What stands above it.
  public let title: String
  /// What it says, in a sentence or two; for a figure, also to those who cannot see it.
  public let caption: String
  /// What is shown.
  public let content: Content

  /// Something to show, all its words in the language that was asked for.
  public init(_ name: String, title: String, caption: String, _ content: Content) {
    self.name = name
    self.title = title
    self.caption = caption
    self.content = content
  }
}
