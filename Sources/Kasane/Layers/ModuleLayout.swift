// SPDX-License-Identifier: Apache-2.0

@_spi(Reflection) import Swift
import Synchronization

/// Where the parameters lie in values of a type, found by reflection once for each type.
final class ModuleLayout: Sendable {
  private enum Content {
    /// A `Parameter` or an optional one.
    case parameter
    /// A value of varying content: an array, an optional layer, an existential, an enum.
    case nest(any ParameterNest.Type)
    case existential(any Any.Type)
    case enumeration(any Any.Type)
  }

  private struct Field: @unchecked Sendable {
    let name: String
    let offset: Int
    let content: Content
  }

  private let fields: [Field]

  private init(_ fields: [Field]) { self.fields = fields }

  /// Whether values of the type never hold a parameter.
  var isEmpty: Bool { fields.isEmpty }

  private static let known = Mutex<[ObjectIdentifier: ModuleLayout]>([:])

  static func of(_ type: Any.Type) -> ModuleLayout {
    if let layout = known.withLock({ $0[ObjectIdentifier(type)] }) { return layout }
    let layout = ModuleLayout(fields(of: type, kind: kind(of: type), name: "", offset: 0))
    return known.withLock { known in
      known[ObjectIdentifier(type)] = layout
      return layout
    }
  }

  // MARK: Reflection

  /// The option to pass over fields of kinds that the run-time library does not know.
  private static let ignoringUnknown = _EachFieldOptions(rawValue: 1 << 1)

  /// A type's kind, which the library tells of fields only.
  private static func kind(of type: Any.Type) -> _MetadataKind {
    struct Holder<Value> { let value: Value }
    func holder<Value>(_ type: Value.Type) -> Any.Type { Holder<Value>.self }
    var result = _MetadataKind.struct
    _ = _forEachField(of: _openExistential(type, do: holder), options: ignoringUnknown) { _, _, _, kind in
      result = kind
      return true
    }
    return result
  }

  private static func fields(of type: Any.Type, kind: _MetadataKind, name: String, offset: Int) -> [Field] {
    if type == Parameter.self || type == Parameter?.self {
      return [Field(name: name, offset: offset, content: .parameter)]
    }
    if let nest = type as? any ParameterNest.Type {
      return nest.mayHoldParameters ? [Field(name: name, offset: offset, content: .nest(nest))] : []
    }
    precondition(
      !(type is AnyObject.Type && type is any Module.Type),
      "\(type) is a class, and a module must be a struct or an enum: what it holds as state goes into parameters"
    )
    switch kind {
    case .existential, .unknown:
      // The library has no name for the kind of an existential with constraints, such as any Layer<Tensor, Tensor>.
      return isTrivial(type) ? [] : [Field(name: name, offset: offset, content: .existential(type))]
    case .enum:
      // References make a type that cannot be copied bit by bit; an enum without them holds no parameter.
      return isTrivial(type) ? [] : [Field(name: name, offset: offset, content: .enumeration(type))]
    case .struct, .tuple: break
    default: return []
    }
    var found: [Field] = []
    _ = _forEachField(of: type, options: ignoringUnknown) { field, fieldOffset, fieldType, fieldKind in
      // An element of a tuple without a label is called ".0".
      let own = String(cString: field)
      let path = join(name, own.hasPrefix(".") ? String(own.dropFirst()) : own)!
      found += fields(of: fieldType, kind: fieldKind, name: path, offset: offset + fieldOffset)
      return true
    }
    return found
  }

  private static func isTrivial(_ type: Any.Type) -> Bool {
    func isTrivial<Value>(_ type: Value.Type) -> Bool { _isPOD(type) }
    return _openExistential(type, do: isTrivial)
  }

  // MARK: Walking

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
        guard let content = Self.content(of: Self.load(place, as: type)) else { continue }
        Self.visit(content, path: Self.join(path, field.name), body)
      case .enumeration(let type):
        guard let (label, payload) = Self.payload(of: Self.load(place, as: type)) else { continue }
        Self.visit(payload, path: Self.join(path, Self.join(field.name, label)!), body)
      }
    }
  }

  private static func visit(_ value: Any, path: String?, _ body: (Parameter, String) -> Void) {
    func visit<Value>(_ value: Value) {
      withUnsafeBytes(of: value) { bytes in
        guard let base = bytes.baseAddress else { return }
        of(Value.self).visit(base, path: path, body)
      }
    }
    _openExistential(value, do: visit)
  }

  private static func load(_ place: UnsafeRawPointer, as type: Any.Type) -> Any {
    func load<Value>(_ type: Value.Type) -> Any { place.load(as: type) }
    return _openExistential(type, do: load)
  }

  /// What an existential holds, where that may hold parameters. The cast takes it out of its existential.
  private static func content(of existential: Any) -> Any? {
    existential as? any Module ?? existential as? any ParameterNest ?? existential as? Parameter
  }

  /// An enum's case and what it carries, or nil where it carries nothing.
  static func payload(of value: Any) -> (label: String, value: Any)? {
    guard let child = Mirror(reflecting: value).children.first else { return nil }
    return (child.label ?? "", child.value)
  }

  /// The name of something within what has the first name; either may be empty.
  static func join(_ path: String?, _ name: String) -> String? {
    guard let path else { return nil }
    return path.isEmpty ? name : name.isEmpty ? path : path + "." + name
  }

  // MARK: Replacing

  /// Puts another parameter in the place of each one of the value at `base`.
  func replace(_ base: UnsafeMutableRawPointer, by replacement: (Parameter) -> Parameter) {
    for field in fields {
      let place = base + field.offset
      switch field.content {
      case .parameter:
        let parameter = place.assumingMemoryBound(to: Parameter?.self)
        if let present = parameter.pointee { parameter.pointee = replacement(present) }
      case .nest(let type): type.replaceParameters(at: place, by: replacement)
      case .existential(let type): Self.replace(place, of: type, by: replacement)
      case .enumeration(let type):
        Self.visit(Self.load(place, as: type), path: nil) { _, _ in
          preconditionFailure("copy: \(field.name) is a \(type), and what an enum carries cannot be replaced")
        }
      }
    }
  }

  private static func replace(
    _ place: UnsafeMutableRawPointer, of type: Any.Type, by replacement: (Parameter) -> Parameter
  ) {
    func open<Existential>(_ type: Existential.Type) {
      let typed = place.assumingMemoryBound(to: type)
      func replace<Value>(_ value: Value) -> Any {
        var changed = value
        withUnsafeMutableBytes(of: &changed) { bytes in
          guard let base = bytes.baseAddress else { return }
          of(Value.self).replace(base, by: replacement)
        }
        return changed
      }
      guard let content = content(of: typed.pointee) else { return }
      typed.pointee = _openExistential(content, do: replace) as! Existential
    }
    _openExistential(type, do: open)
  }
}

/// A container in which layers may lie.
protocol ParameterNest {
  /// Whether any of its values can hold a parameter.
  static var mayHoldParameters: Bool { get }
  static func visitParameters(at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void)
  static func replaceParameters(at place: UnsafeMutableRawPointer, by replacement: (Parameter) -> Parameter)
}

extension Array: ParameterNest {
  static var mayHoldParameters: Bool { !ModuleLayout.of(Element.self).isEmpty }

  static func visitParameters(
    at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void
  ) {
    // All of one type: its layout is looked up once.
    let layout = ModuleLayout.of(Element.self)
    place.load(as: Self.self).withUnsafeBufferPointer { buffer in
      for index in buffer.indices {
        layout.visit(buffer.baseAddress! + index, path: path.map { ModuleLayout.join($0, "\(index)")! }, body)
      }
    }
  }

  static func replaceParameters(at place: UnsafeMutableRawPointer, by replacement: (Parameter) -> Parameter) {
    let layout = ModuleLayout.of(Element.self)
    place.assumingMemoryBound(to: Self.self).pointee.withUnsafeMutableBufferPointer { buffer in
      for index in buffer.indices { layout.replace(buffer.baseAddress! + index, by: replacement) }
    }
  }
}

extension Optional: ParameterNest {
  static var mayHoldParameters: Bool { !ModuleLayout.of(Wrapped.self).isEmpty }

  static func visitParameters(
    at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void
  ) {
    guard let wrapped = place.load(as: Self.self) else { return }
    withUnsafeBytes(of: wrapped) { ModuleLayout.of(Wrapped.self).visit($0.baseAddress!, path: path, body) }
  }

  static func replaceParameters(at place: UnsafeMutableRawPointer, by replacement: (Parameter) -> Parameter) {
    let typed = place.assumingMemoryBound(to: Self.self)
    guard var wrapped = typed.pointee else { return }
    withUnsafeMutableBytes(of: &wrapped) {
      ModuleLayout.of(Wrapped.self).replace($0.baseAddress!, by: replacement)
    }
    typed.pointee = wrapped
  }
}

extension Dictionary: ParameterNest {
  static var mayHoldParameters: Bool { !ModuleLayout.of(Value.self).isEmpty }

  /// The layers come in the order of their keys: numbers by size, everything else by its text.
  static func visitParameters(
    at place: UnsafeRawPointer, path: String?, _ body: (Parameter, String) -> Void
  ) {
    let layout = ModuleLayout.of(Value.self)
    for (name, value) in place.load(as: Self.self).inOrderOfKeys {
      withUnsafeBytes(of: value) {
        layout.visit($0.baseAddress!, path: path.map { ModuleLayout.join($0, name)! }, body)
      }
    }
  }

  static func replaceParameters(at place: UnsafeMutableRawPointer, by replacement: (Parameter) -> Parameter) {
    let layout = ModuleLayout.of(Value.self)
    let typed = place.assumingMemoryBound(to: Self.self)
    for key in typed.pointee.keys {
      withUnsafeMutableBytes(of: &typed.pointee[key]!) { layout.replace($0.baseAddress!, by: replacement) }
    }
  }

  var inOrderOfKeys: [(name: String, value: Value)] {
    if Key.self == Int.self {
      return map { ($0.key as! Int, $0.value) }.sorted { $0.0 < $1.0 }.map { ("\($0.0)", $0.1) }
    }
    return map { (name: "\($0.key)", value: $0.value) }.sorted { $0.name < $1.name }
  }
}
