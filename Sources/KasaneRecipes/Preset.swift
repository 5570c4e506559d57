// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser

/// A set of defaults, chosen by `--preset`. What the command line gives wins over it.
public enum Preset: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
  /// Done in seconds, with data that are always there.
  case quick
  /// The whole thing.
  case full
}

/// The value of an option whose default hangs on the preset:
///
///     @Option(help: "Passes over the training images.")
///     var epochs = ByPreset(quick: 20, full: 10)
///
/// `options[\.epochs]` is what was given, or else the default of the options' preset.
public struct ByPreset<Value: ExpressibleByArgument & Encodable & Sendable>: Sendable {
  private let given: Value?
  private let quick: Value
  private let full: Value

  /// An option that is not given.
  public init(quick: Value, full: Value) {
    given = nil
    (self.quick, self.full) = (quick, full)
  }

  /// The value in a preset.
  public func value(in preset: Preset) -> Value { given ?? (preset == .quick ? quick : full) }
}

extension ByPreset: ExpressibleByArgument {
  /// An option that is given.
  public init?(argument: String) {
    guard let value = Value(argument: argument) else { return nil }
    given = value
    (quick, full) = (value, value)
  }

  /// Both defaults.
  public var defaultValueDescription: String {
    let (quick, full) = (quick.defaultValueDescription, full.defaultValueDescription)
    return quick == full ? full : "\(quick) in quick, \(full) in full"
  }

  /// The values of the option's type.
  public static var allValueStrings: [String] { Value.allValueStrings }
}

extension CodingUserInfoKey {
  /// The preset whose defaults are written for options that were not given.
  static let preset = CodingUserInfoKey(rawValue: "preset")!
}

extension ByPreset: Encodable {
  /// Writes the value alone.
  public func encode(to encoder: any Encoder) throws {
    try value(in: encoder.userInfo[.preset] as? Preset ?? .full).encode(to: encoder)
  }
}
