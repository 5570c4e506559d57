// SPDX-License-Identifier: Apache-2.0

/// A value that holds parameters: a layer, or a model made of layers. Its parameters are found in its stored
/// properties, whatever they are nested in: structs, tuples, arrays, dictionaries, optionals, existentials and the
/// payloads of enums. A module is nothing but its declaration.
///
/// A module is a struct or an enum. Classes are not looked into, and one that conforms is refused.
public protocol Module: Sendable {}

/// A module that is applied to an input.
public protocol Layer<Input, Output>: Module {
  /// What the layer is applied to.
  associatedtype Input
  /// What the layer gives.
  associatedtype Output

  /// Applies the layer.
  func callAsFunction(_ input: Input) -> Output
}

extension Module {
  /// The parameters with their names, such as `encoder.weight` or `layers.0.bias`, in the order of declaration.
  /// A shared parameter is listed once, under its first name.
  public var parameters: [(name: String, parameter: Parameter)] {
    var found: [(name: String, parameter: Parameter)] = []
    var known: Set<ObjectIdentifier> = []
    visitParameters(path: "") { parameter, name in
      if known.insert(ObjectIdentifier(parameter)).inserted { found.append((name, parameter)) }
    }
    return found
  }

  /// Calls `body` with every parameter in the order of declaration, a shared one each time it occurs.
  func forEachParameter(_ body: (Parameter) -> Void) {
    visitParameters(path: nil) { parameter, _ in body(parameter) }
  }

  private func visitParameters(path: String?, _ body: (Parameter, String) -> Void) {
    withUnsafeBytes(of: self) { bytes in
      guard let base = bytes.baseAddress else { return }
      ModuleLayout.of(Self.self).visit(base, path: path, body)
    }
  }

  /// How many numbers the parameters hold, a shared one counted once.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.shape.elementCount } }

  /// How many numbers training changes: those of the trainable parameters.
  public var trainableParameterCount: Int {
    parameters.reduce(0) { $0 + ($1.parameter.isTrainable ? $1.parameter.shape.elementCount : 0) }
  }

  // MARK: Freezing

  /// Takes parameters out of training, all of them or those whose names pass: no gradient is taken by them, and no
  /// optimizer moves them, until `unfreeze`. `model.encoder.freeze()` freezes a part.
  public func freeze(where included: (String) -> Bool = { _ in true }) {
    for (name, parameter) in parameters where included(name) { parameter.isFrozen = true }
  }

  /// Gives parameters back to training that `freeze` took out of it. State that is never trained, such as a running
  /// mean, stays so.
  public func unfreeze(where included: (String) -> Bool = { _ in true }) {
    for (name, parameter) in parameters where included(name) { parameter.isFrozen = false }
  }

  // MARK: Copying

  /// A model of its own: the same structure with new parameters of the same values. What was shared within the model
  /// is shared within the copy. Traps for a model that keeps layers in the payloads of enums, which cannot be
  /// replaced.
  public func copy() -> Self {
    var result = self
    var copies: [ObjectIdentifier: Parameter] = [:]
    withUnsafeMutableBytes(of: &result) { bytes in
      guard let base = bytes.baseAddress else { return }
      ModuleLayout.of(Self.self).replace(base) { parameter in
        if let copy = copies[ObjectIdentifier(parameter)] { return copy }
        let copy = Parameter(copying: parameter)
        copies[ObjectIdentifier(parameter)] = copy
        return copy
      }
    }
    return result
  }
}
