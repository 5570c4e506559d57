// SPDX-License-Identifier: Apache-2.0

/// What came of loading weights into a model.
public struct LoadingReport: Sendable, Equatable {
  /// The parameters that were given a value.
  public internal(set) var loaded: [String] = []
  /// The parameters for which there is no tensor.
  public internal(set) var missing: [String] = []
  /// The tensors, by the source's names, for which there is no parameter.
  public internal(set) var unexpected: [String] = []
  /// The parameters whose tensor has another shape, or a type that does not convert, and what it has.
  public internal(set) var misshapen: [String: String] = [:]

  /// Whether every parameter was given a value and every tensor was used.
  public var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty }

  fileprivate var problems: [String] {
    missing.map { "\($0) is missing" } + misshapen.sorted { $0.key < $1.key }.map { "\($0) is \($1)" }
      + unexpected.map { "\($0) is unexpected" }
  }

  /// Throws a list of every name that did not fit.
  func requireComplete(_ source: String) throws {
    guard !isComplete else { return }
    throw KasaneError("\(source): not the weights of this model: \(problems.joined(separator: "; "))")
  }
}

extension LoadingReport: CustomStringConvertible {
  /// How many parameters were loaded, and every name that did not fit.
  public var description: String {
    (["\(loaded.count) parameters loaded"] + problems).joined(separator: "; ")
  }
}

extension Module {
  /// The parameters' tensors by name.
  public var tensors: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.parameter.storage) })
  }

  /// Writes the parameters to a safetensors file.
  ///
  /// - Parameters:
  ///   - dtype: What parameters of floating-point types are converted to: bfloat16 or float16 makes a file of half
  ///     the size, which loads into float32 again.
  ///   - prefix: What the file's names have before the parameters' own.
  ///   - metadata: Notes about the file.
  ///   - included: Whether a parameter of that name is written; all are unless told otherwise.
  public func save(
    to path: String, as dtype: DType? = nil, prefix: String = "", metadata: [String: String] = [:],
    where included: (String) -> Bool = { _ in true }
  ) throws {
    var tensors: [String: Tensor] = [:]
    for (name, parameter) in parameters where included(name) {
      let value = parameter.storage
      tensors[prefix + name] =
        withoutGradient { value.dtype.isFloatingPoint ? value.cast(to: dtype ?? value.dtype) : value }
    }
    try Safetensors(tensors, metadata: metadata).write(to: path, checksummed: true)
  }

  /// Reads the parameters from a safetensors file, tensor by tensor. Floating-point types are converted.
  ///
  /// - Parameters:
  ///   - strict: Whether the file must have exactly this model's parameters. Then a list of every name that is missing,
  ///     unexpected or of another shape or type is thrown and nothing is changed; else what fits is loaded.
  ///   - prefix: Only names with this prefix are looked at, and it is taken away.
  ///   - included: Whether a parameter of that name is to be loaded; the others are left alone, and tensors for
  ///     them are passed over.
  ///   - renaming: The parameter's name for a name of the file, its prefix taken away; nil to pass over a tensor.
  /// - Returns: what was loaded and, unless strict, what did not fit.
  @discardableResult
  public func load(
    contentsOf path: String, strict: Bool = true, prefix: String = "",
    where included: (String) -> Bool = { _ in true }, renaming: (String) -> String? = { $0 }
  ) throws -> LoadingReport {
    let file = try SafetensorsFile(path)
    var offers = file.entries.map { Offer(name: $0.name, shape: $0.shape, dtype: $0.dtype) }
    offers += file.unsupported.map { Offer(name: $0.key, shape: [], dtype: nil, code: $0.value) }
    let matching = try Matching(
      self, offers.sorted { $0.name < $1.name }, source: path, strict: strict, prefix: prefix, included,
      renaming)
    if file.isChecksummed {
      // What is damaged is found only at the end, and must not have changed anything.
      var tensors = try file.tensors { matching.targets[$0] != nil }
      for (name, parameter) in matching.targets {
        parameter.assign(converting: tensors.removeValue(forKey: name)!)
      }
    } else {
      for entry in file.entries {
        guard let parameter = matching.targets[entry.name] else { continue }
        parameter.assign(converting: try file.tensor(entry.name))
      }
    }
    return matching.report
  }

  /// Replaces the parameters by the tensors of the same names. Throws a list of every name that is missing,
  /// unexpected or of another shape or type, and then changes nothing; unless strict, what fits is loaded.
  @discardableResult
  public func load(
    _ tensors: [String: Tensor], from source: String, strict: Bool = true
  ) throws -> LoadingReport {
    let offers = tensors.keys.sorted().map { name in
      Offer(name: name, shape: tensors[name]!.shape, dtype: tensors[name]!.dtype)
    }
    let matching = try Matching(
      self, offers, source: source, strict: strict, prefix: "", { _ in true }, { $0 })
    for (name, parameter) in matching.targets { parameter.assign(converting: tensors[name]!) }
    return matching.report
  }
}

/// A tensor that a source has.
private struct Offer {
  let name: String
  let shape: Shape
  /// Nil for a type that Kasane does not have.
  let dtype: DType?
  var code = ""

  func fits(_ tensor: Tensor) -> Bool {
    guard let dtype, shape == tensor.shape else { return false }
    return dtype == tensor.dtype || (dtype.isFloatingPoint && tensor.dtype.isFloatingPoint)
  }
}

/// Which of a source's tensors goes into which parameter.
private struct Matching {
  /// The parameters by the source's names.
  private(set) var targets: [String: Parameter] = [:]
  private(set) var report = LoadingReport()

  init(
    _ model: some Module, _ offers: [Offer], source: String, strict: Bool, prefix: String,
    _ included: (String) -> Bool, _ renaming: (String) -> String?
  ) throws {
    let parameters = model.parameters
    let known = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.parameter) })
    var sources: [String: Offer] = [:]
    for offer in offers where offer.name.hasPrefix(prefix) {
      guard let name = renaming(String(offer.name.dropFirst(prefix.count))), included(name) else { continue }
      if let other = sources[name] {
        throw KasaneError("\(source): \(other.name) and \(offer.name) would both be \(name)")
      }
      sources[name] = offer
      if known[name] == nil { report.unexpected.append(offer.name) }
    }
    for (name, parameter) in parameters where included(name) {
      guard let offer = sources[name] else {
        report.missing.append(name)
        continue
      }
      let own = parameter.storage
      guard offer.fits(own) else {
        let found = offer.dtype.map { "\(offer.shape) \($0)" } ?? "of the unknown type \(offer.code)"
        report.misshapen[name] = "\(found), not \(own.shape) \(own.dtype)"
        continue
      }
      targets[offer.name] = parameter
      report.loaded.append(name)
    }
    if strict { try report.requireComplete(source) }
  }
}

extension Parameter {
  fileprivate func assign(converting value: Tensor) {
    withoutGradient { assign(value.cast(to: storage.dtype)) }
  }
}
