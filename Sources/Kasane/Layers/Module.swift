// SPDX-License-Identifier: Apache-2.0

@_spi(Reflection) import Swift
import Synchronization

/// A value that holds parameters: a layer, or a model made of layers. Its parameters are found in its stored
/// properties, whatever they are nested in; a module is nothing but its declaration.
public protocol Module: Sendable {}

/// A module that is applied to an input.
public protocol Layer: Module {
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
    visitParameters(path: "") { parameter, name in
      if !found.contains(where: { $0.parameter === parameter }) { found.append((name, parameter)) }
    }
    return found
  }

  /// Calls `body` with every parameter in the order of declaration, a shared one each time it occurs.
  func forEachParameter(_ body: (Parameter) -> Void) {
    visitParameters(path: nil) { parameter, _ in body(parameter) }
  }

  fileprivate func visitParameters(path: String?, _ body: (Parameter, String) -> Void) {
    withUnsafeBytes(of: self) { bytes in
      guard let base = bytes.baseAddress else { return }
      ModuleLayout.of(Self.self).visit(base, path: path, body)
    }
  }
}

/// Where the parameters lie in values of a type, found by reflection once for each type.
final class ModuleLayout: Sendable {
  private enum Content {
    /// A `Parameter` or an optional one.
    case parameter
    /// A value of varying content: an array, an optional layer, an existential.
    case nest(any ParameterNest.Type)
    case existential(any Any.Type)
  }

  private struct Field: @unchecked Sendable {
    let name: String
    let offset: Int
    let content: Content
  }

  private let fields: [Field]

  private init(_ fields: [Field]) { self.fields = fields }

  private static let known = Mutex<[ObjectIdentifier: ModuleLayout]>([:])

  static func of(_ type: Any.Type) -> ModuleLayout {
    if let layout = known.withLock({ $0[ObjectIdentifier(type)] }) { return layout }
    let layout = ModuleLayout(fields(of: type, name: "", offset: 0))
    return known.withLock { known in
      known[ObjectIdentifier(type)] = layout
      return layout
    }
  }

  /// The option to pass over fields of kinds that the run-time library does not know.
  private static let ignoringUnknown = _EachFieldOptions(rawValue: 1 << 1)

  private static func fields(of type: Any.Type, name: String, offset: Int) -> [Field] {
    if type == Parameter.self || type == Parameter?.self {
      return [Field(name: name, offset: offset, content: .parameter)]
    }
    if let nest = type as? any ParameterNest.Type {
      return [Field(name: name, offset: offset, content: .nest(nest))]
    }
    precondition(!(type is AnyObject.Type && type is any Module.Type), "\(type): a module must be a struct")
    var found: [Field] = []
    _ = _forEachField(of: type, options: ignoringUnknown) { field, fieldOffset, fieldType, kind in
      let path = (name.isEmpty ? "" : name + ".") + String(cString: field)
      if kind == .existential {
        found.append(Field(name: path, offset: offset + fieldOffset, content: .existential(fieldType)))
      } else {
        found += fields(of: fieldType, name: path, offset: offset + fieldOffset)
      }
      return true
    }
    return found
  }

  /// Calls `body` with every parameter of the value at `base` and its name: `path` followed by the fields' names,
  /// or an empty string where `path` is nil, so that a walk without names makes no strings.
  func visit(_ base: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void) {
    for field in fields {
      let place = base + field.offset
      switch field.content {
      case .parameter:
        guard let parameter = place.load(as: Parameter?.self) else { continue }
        body(parameter, Self.join(path, field.name) ?? "")
      case .nest(let type):
        type.visitParameters(at: place, path: Self.join(path, field.name), body)
      case .existential(let type):
        func load<Existential>(_ type: Existential.Type) -> Any { place.load(as: type) }
        let module = _openExistential(type, do: load) as? any Module
        module?.visitParameters(path: Self.join(path, field.name), body)
      }
    }
  }

  static func join(_ path: String?, _ name: String) -> String? {
    guard let path else { return nil }
    return path.isEmpty ? name : path + "." + name
  }
}

/// A container in which layers may lie.
protocol ParameterNest {
  static func visitParameters(at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void)
}

private func visitElement<Element>(_ element: Element, path: String?, _ body: (Parameter, String) -> Void) {
  if let parameter = element as? Parameter {
    body(parameter, path ?? "")
  } else if let module = element as? any Module {
    module.visitParameters(path: path, body)
  } else if let nest = Element.self as? any ParameterNest.Type {
    withUnsafeBytes(of: element) { bytes in
      guard let base = bytes.baseAddress else { return }
      nest.visitParameters(at: base, path: path, body)
    }
  }
}

extension Array: ParameterNest {
  static func visitParameters(at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void)
  {
    let elements = place.load(as: Self.self)
    guard Element.self is any Module.Type else {
      for (index, element) in elements.enumerated() {
        visitElement(element, path: path.map { "\($0).\(index)" }, body)
      }
      return
    }
    // All of one type: its layout is looked up once.
    let layout = ModuleLayout.of(Element.self)
    elements.withUnsafeBufferPointer { buffer in
      for index in buffer.indices {
        layout.visit(buffer.baseAddress! + index, path: path.map { "\($0).\(index)" }, body)
      }
    }
  }
}

extension Optional: ParameterNest {
  static func visitParameters(at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void)
  {
    if let wrapped = place.load(as: Self.self) { visitElement(wrapped, path: path, body) }
  }
}
