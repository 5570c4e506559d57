// SPDX-License-Identifier: Apache-2.0

/// The modules that a module holds, with their names and own parameters: what a summary lists.
struct ModuleTree {
  struct Entry {
    /// The name as in `parameters`, empty for the model itself.
    let path: String
    let type: Any.Type
    /// What the type is called, with the case of an enum.
    let title: String
    let parent: Int?
    /// The first parameter anywhere in it, by which a layer is recognised when it runs.
    let firstParameter: ObjectIdentifier?
    /// The parameters that lie in the module itself rather than in one it holds.
    var parameters: [Parameter] = []
  }

  /// The model first, and every module before those that it holds.
  private(set) var entries: [Entry] = []

  init(_ model: some Module) { add(model, path: "", parent: nil) }

  /// The entry's ancestors from its parent up.
  func ancestors(of index: Int) -> [Int] {
    Array(sequence(first: index) { entries[$0].parent }.dropFirst())
  }

  private mutating func add(_ module: any Module, path: String, parent: Int?) {
    var first: ObjectIdentifier? = nil
    module.forEachParameter { if first == nil { first = ObjectIdentifier($0) } }
    let type = Swift.type(of: module as Any)
    let title =
      Mirror(reflecting: module).displayStyle == .enum ? "\(type).\(caseName(of: module))" : "\(type)"
    entries.append(Entry(path: path, type: type, title: title, parent: parent, firstParameter: first))
    addFields(of: module, path: path, owner: entries.count - 1)
  }

  private func caseName(of value: Any) -> String {
    ModuleLayout.payload(of: value)?.label ?? String("\(value)".prefix { $0 != "(" })
  }

  private mutating func addFields(of value: Any, path: String, owner: Int) {
    if let sequential = value as? Sequential {
      for (index, layer) in sequential.layers.enumerated() {
        add(layer, path: ModuleLayout.join(path, "\(index)")!, parent: owner)
      }
      return
    }
    if Mirror(reflecting: value).displayStyle == .enum {
      guard let (label, payload) = ModuleLayout.payload(of: value) else { return }
      return addValue(payload, path: ModuleLayout.join(path, label)!, owner: owner)
    }
    for (label, child) in Mirror(reflecting: value).children {
      let name = label ?? ""
      let own = name.hasPrefix(".") ? String(name.dropFirst()) : name
      addValue(child, path: ModuleLayout.join(path, own)!, owner: owner)
    }
  }

  private mutating func addValue(_ value: Any, path: String, owner: Int) {
    if let parameter = value as? Parameter {
      entries[owner].parameters.append(parameter)
      return
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      if let content = mirror.children.first { addValue(content.value, path: path, owner: owner) }
    case .collection:
      for (index, child) in mirror.children.enumerated() {
        // Arrays of numbers and the like are not walked.
        guard index > 0 || mayHoldModules(child.value) else { return }
        addValue(child.value, path: ModuleLayout.join(path, "\(index)")!, owner: owner)
      }
    case .dictionary:
      for (name, child) in (value as? any ModuleDictionary)?.children ?? [] {
        addValue(child, path: ModuleLayout.join(path, name)!, owner: owner)
      }
    case .class: return
    default:
      if let module = value as? any Module {
        add(module, path: path, parent: owner)
      } else if mayHoldModules(value) {
        addFields(of: value, path: path, owner: owner)
      }
    }
  }

  private func mayHoldModules(_ value: Any) -> Bool {
    value is any Module || !ModuleLayout.of(type(of: value)).isEmpty
  }
}

private protocol ModuleDictionary {
  var children: [(name: String, value: Any)] { get }
}

extension Dictionary: ModuleDictionary {
  fileprivate var children: [(name: String, value: Any)] {
    inOrderOfKeys.map { (name: $0.name, value: $0.value as Any) }
  }
}
