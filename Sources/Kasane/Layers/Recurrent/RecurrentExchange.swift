// SPDX-License-Identifier: Apache-2.0

extension Recurrent where Cell: ExchangeableCell {
  /// The weights by the names and in the layout of another library: the state dictionary of a `torch.nn.LSTM`, say, or
  /// Keras's variables by their paths. Throws where that library has no such layer.
  ///
  /// - Parameter prefix: What the names have before them, such as `encoder.` in PyTorch or `sequential/` in Keras.
  public func tensors(in layout: RecurrentLayout, prefix: String = "") throws -> [String: Tensor] {
    try WeightExchange(self, layout, prefix).tensors()
  }

  /// Replaces the weights by those of another library. Throws a list of every name that is missing, unexpected or of
  /// another shape or type, and then changes nothing. What belongs to other layers is passed over: names without the
  /// prefix, and in Keras's layout those of layers that are not named.
  ///
  /// - Parameters:
  ///   - prefix: What the names have before them, such as `encoder.` in PyTorch or `sequential/` in Keras.
  ///   - source: Where the tensors are from, for the error.
  public func load(
    _ tensors: [String: Tensor], in layout: RecurrentLayout, prefix: String = "", from source: String
  ) throws {
    try WeightExchange(self, layout, prefix).load(tensors, from: source)
  }

  /// Replaces the weights by those of a safetensors file that another library has written.
  public func load(contentsOf path: String, in layout: RecurrentLayout, prefix: String = "") throws {
    try WeightExchange(self, layout, prefix).load(contentsOf: path)
  }

  /// Writes the weights to a safetensors file for another library.
  public func save(to path: String, in layout: RecurrentLayout, prefix: String = "") throws {
    try Safetensors(try tensors(in: layout, prefix: prefix)).write(to: path)
  }
}

extension ExchangeableCell {
  /// The weights by the names and in the layout of another library's cell, `torch.nn.LSTMCell`, say. Throws where that
  /// library has no such cell.
  ///
  /// - Parameter prefix: What the names have before them, such as `decoder.` in PyTorch or `lstm_cell/` in Keras.
  public func tensors(in layout: RecurrentLayout, prefix: String = "") throws -> [String: Tensor] {
    try WeightExchange(self, layout, prefix).tensors()
  }

  /// Replaces the weights by those of another library's cell. Throws a list of every name that is missing, unexpected or of
  /// another shape or type, and then changes nothing.
  public func load(
    _ tensors: [String: Tensor], in layout: RecurrentLayout, prefix: String = "", from source: String
  ) throws {
    try WeightExchange(self, layout, prefix).load(tensors, from: source)
  }
}

/// Which of another library's names stand for which parts of which cells.
private struct WeightExchange {
  /// A cell, and its tensors' names by their ends.
  private struct Place {
    let cell: any ExchangeableCell
    let name: (String) -> String
  }

  private let layout: CellLayout
  private var places: [Place] = []
  /// The name that this library would give a tensor that has been found; nil for one of another layer.
  private let canonical: (String) -> String?

  init<Cell: ExchangeableCell>(_ cell: Cell, _ layout: RecurrentLayout, _ prefix: String) {
    self.layout = layout.ofCells
    canonical = { $0.hasPrefix(prefix) ? $0 : nil }
    places = [Place(cell: cell) { prefix + $0 }]
  }

  init<Cell: ExchangeableCell>(_ layer: Recurrent<Cell>, _ layout: RecurrentLayout, _ prefix: String) throws {
    self.layout = layout.ofCells
    let isBidirectional = layer.isBidirectional
    switch layout {
    case .pyTorch:
      canonical = { $0.hasPrefix(prefix) ? $0 : nil }
      for (index, level) in layer.layers.enumerated() {
        places.append(Place(cell: level.forward) { "\(prefix)\($0)_l\(index)" })
        guard let backward = level.backward else { continue }
        places.append(Place(cell: backward) { "\(prefix)\($0)_l\(index)_reverse" })
      }
    case .keras(let given):
      let names = KerasNames(
        prefix: prefix, cell: Cell.kerasName, given: given, isBidirectional: isBidirectional,
        count: layer.layers.count)
      let (found, count) = (names.layers.count, layer.layers.count)
      guard found == count else {
        throw KasaneError(
          "\(found) names of Keras's layers, \(given.joined(separator: ", ")), where there \(count == 1 ? "is 1 layer" : "are \(count) layers")"
        )
      }
      canonical = names.canonical
      for (index, level) in layer.layers.enumerated() {
        places.append(Place(cell: level.forward) { names.name(index, "forward", $0) })
        guard let backward = level.backward else { continue }
        places.append(Place(cell: backward) { names.name(index, "backward", $0) })
      }
    }
  }

  private func exported(_ place: Place) throws -> [String: Tensor] {
    func export<Cell: ExchangeableCell>(_ cell: Cell) throws -> [String: Tensor] {
      try withoutGradient { try layout.exported(cell) }
    }
    return try export(place.cell)
  }

  func tensors() throws -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for place in places {
      for (end, tensor) in try exported(place) { result[place.name(end)] = tensor }
    }
    return result
  }

  func load(contentsOf path: String) throws {
    try load(SafetensorsFile(path).tensors { canonical($0) != nil }, from: path)
  }

  func load(_ tensors: [String: Tensor], from source: String) throws {
    let expected = try self.tensors()
    var report = LoadingReport()
    var found: [String: (name: String, tensor: Tensor)] = [:]
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      guard let own = canonical(name) else { continue }
      guard let wanted = expected[own] else {
        report.unexpected.append(name)
        continue
      }
      if let other = found[own] {
        throw KasaneError("\(source): \(other.name) and \(name) would both be \(own)")
      }
      found[own] = (name, tensor)
      if tensor.shape != wanted.shape || !tensor.dtype.isFloatingPoint {
        report.misshapen[name] = "\(tensor.shape) \(tensor.dtype), not \(wanted.shape) \(wanted.dtype)"
      }
    }
    report.missing = expected.keys.filter { found[$0] == nil }.sorted()
    try report.requireComplete(source)
    withoutGradient {
      for place in places { assign(found.mapValues(\.tensor), to: place.cell, place.name) }
    }
  }

  private func assign<Cell: ExchangeableCell>(
    _ tensors: [String: Tensor], to cell: Cell, _ name: (String) -> String
  ) {
    var own: [String: Tensor] = [:]
    for end in layout.ends { own[end] = tensors[name(end)]?.cast(to: cell.inputWeight.storage.dtype) }
    layout.assign(own, to: cell)
  }
}

/// The paths of variables in Keras 3: `sequential/bidirectional_1/forward_lstm_1/lstm_cell/kernel`.
private struct KerasNames {
  let prefix: String
  /// `lstm`.
  let cell: String
  let isBidirectional: Bool
  /// The layers from the input up.
  let layers: [String]

  init(prefix: String, cell: String, given: [String], isBidirectional: Bool, count: Int) {
    (self.prefix, self.cell, self.isBidirectional) = (prefix, cell, isBidirectional)
    let first = isBidirectional ? "bidirectional" : cell
    layers = given.isEmpty ? (0..<count).map { Self.numbered(first, $0) } : given
  }

  /// The first of a kind has no number.
  private static func numbered(_ name: String, _ index: Int) -> String {
    index == 0 ? name : "\(name)_\(index)"
  }

  func name(_ index: Int, _ direction: String, _ end: String) -> String {
    let within = isBidirectional ? "\(direction)_\(Self.numbered(cell, index))/" : ""
    return "\(prefix)\(layers[index])/\(within)\(cell)_cell/\(end)"
  }

  /// What a layer within a bidirectional one is called, and its cell, hangs on what else the program made: only the layer,
  /// the direction and the end of the name tell. The state of a layer's random numbers is no weight.
  func canonical(_ found: String) -> String? {
    guard found.hasPrefix(prefix) else { return nil }
    let parts = found.dropFirst(prefix.count).split(separator: "/").map(String.init)
    guard parts.count > 1, let index = layers.firstIndex(of: parts[0]) else { return nil }
    // Keras 2 numbers variables: kernel:0.
    let end = parts.last!.hasSuffix(":0") ? String(parts.last!.dropLast(2)) : parts.last!
    if end == "seed_generator_state" { return nil }
    guard isBidirectional else { return parts.count <= 3 ? name(index, "", end) : found }
    let direction = ["forward", "backward"].first { parts[1].hasPrefix($0 + "_") }
    guard let direction, (3...4).contains(parts.count) else { return found }
    return name(index, direction, end)
  }
}

extension RecurrentLayout {
  fileprivate var ofCells: CellLayout {
    switch self {
    case .pyTorch: .pyTorch
    case .keras: .keras
    }
  }
}
