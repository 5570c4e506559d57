// SPDX-License-Identifier: Apache-2.0

/// Reused from step to step by the tape while nobody else holds it.
final class GradientStore {
  struct Entry {
    let parameter: Parameter
    var gradient: Tensor?
    /// The gradient of a table of which only some rows were used, in place of a dense one.
    var rows: RowGradient?

    /// Whether there is a gradient, dense or by rows.
    var isKnown: Bool { gradient != nil || rows != nil }
    /// The gradient as one tensor.
    var dense: Tensor? { gradient ?? rows?.dense }
    /// The numbers that there are, dense or of some rows.
    var values: Tensor? { gradient ?? rows?.values }

    /// Replaces the numbers, be they dense or of some rows.
    mutating func mapValues(_ transform: (Tensor) -> Tensor) {
      if let gradient { self.gradient = transform(gradient) }
      if let rows { self.rows = rows.with(values: transform(rows.values)) }
    }

    /// Shows the gradient to the parameter's hook and takes what that gives in its place.
    mutating func callHook() {
      guard let hook = parameter.gradientHook, let dense else { return }
      guard let replaced = hook(dense) else { return }
      precondition(
        replaced.shape == dense.shape,
        "onGradient: a gradient of shape \(replaced.shape) for a parameter of shape \(dense.shape)")
      (gradient, rows) = (replaced, nil)
    }
  }

  @exclusivity(unchecked) var entries: [Entry] = []
}

/// The gradients of a loss by a model's parameters.
public struct Gradients {
  private(set) var store: GradientStore
  /// What all gradients are multiplied by when they are read: to scale them costs no pass over them.
  private(set) var scale = 1.0

  init(store: GradientStore) { self.store = store }

  /// No gradients, to which those of batches are added; see `accumulate`.
  public init() { store = GradientStore() }

  /// The gradient by a parameter, or nil where the loss does not depend on it or it is not the model's. What is known
  /// by rows is made a dense tensor each time.
  public subscript(parameter: Parameter) -> Tensor? {
    get {
      guard let dense = entry(of: parameter)?.dense else { return nil }
      return scale == 1 ? dense : dense * scale
    }
    set {
      if let newValue {
        precondition(
          newValue.shape == parameter.shape,
          "Gradients: a gradient of shape \(newValue.shape) for a parameter of shape \(parameter.shape)")
      }
      applyScale()
      let entry = GradientStore.Entry(parameter: parameter, gradient: newValue, rows: nil)
      if let index = store.entries.firstIndex(where: { $0.parameter === parameter }) {
        store.entries[index] = entry
      } else {
        store.entries.append(entry)
      }
    }
  }

  /// The gradient by an embedding's table as the rows that were used, or nil where it is not known by rows: there is
  /// none, the table was used in other ways too, or a second derivative may be asked for.
  public func rows(of parameter: Parameter) -> RowGradient? {
    guard let rows = entry(of: parameter)?.rows else { return nil }
    return scale == 1 ? rows : rows.with(values: rows.values * scale)
  }

  /// The gradients with the names of a model's parameters, in the order of declaration. A shared parameter is listed
  /// once, under its first name; one without a gradient is left out.
  public func named<Model: Module>(
    in model: Model
  ) -> [(name: String, parameter: Parameter, gradient: Tensor)] {
    model.parameters.compactMap { name, parameter in
      self[parameter].map { (name, parameter, $0) }
    }
  }

  /// Multiplies all gradients by a number.
  public mutating func scale(by factor: Double) { scale *= factor }

  /// Adds the gradients of another batch, times a factor. The sum of four batches of one size, for a step along
  /// their mean:
  ///
  ///     var total = Gradients()
  ///     for batch in batches {
  ///       let (loss, gradients) = valueWithGradient(at: model) { $0.loss(batch) }
  ///       total.accumulate(gradients, scale: 0.25)
  ///     }
  ///     optimizer.update(model, along: total)
  public mutating func accumulate(_ other: Gradients, scale factor: Double = 1) {
    applyScale()
    let factor = factor * other.scale
    for (index, added) in other.store.entries.enumerated() {
      guard added.values != nil else { continue }
      var scaled = added
      if factor != 1 { scaled.mapValues { $0 * factor } }
      let isNext = index < store.entries.count && store.entries[index].parameter === added.parameter
      let known = isNext ? index : store.entries.firstIndex { $0.parameter === added.parameter }
      if let known {
        Self.add(scaled, to: &store.entries[known])
      } else {
        store.entries.append(scaled)
      }
    }
  }

  private static func add(_ added: GradientStore.Entry, to entry: inout GradientStore.Entry) {
    switch (entry.gradient, entry.rows, added.gradient, added.rows) {
    case (let present?, _, let gradient?, _): entry.gradient = present + gradient
    case (let present?, _, _, let rows?): entry.gradient = rows.added(to: present)
    case (_, let present?, let gradient?, _):
      (entry.gradient, entry.rows) = (present.added(to: gradient), nil)
    case (_, let present?, _, let rows?):
      let parts = [(present.indices, present.values), (rows.indices, rows.values)]
      entry.rows = RowGradient(summing: parts, rowCount: present.rowCount)
    default: entry = added
    }
  }

  /// Replaces every gradient by what `transform` makes of it. A gradient known by rows comes as the values of its
  /// rows.
  public mutating func mapValues(_ transform: (Tensor) -> Tensor) {
    applyScale()
    for index in store.entries.indices { store.entries[index].mapValues(transform) }
  }

  private func place(of parameter: Parameter) -> Int? {
    store.entries.firstIndex { $0.parameter === parameter }
  }

  private func entry(of parameter: Parameter) -> GradientStore.Entry? {
    place(of: parameter).map { store.entries[$0] }
  }

  /// Makes the store this value's own, with the factor in it.
  private mutating func applyScale() {
    if !isKnownUniquelyReferenced(&store) {
      let copy = GradientStore()
      copy.entries = store.entries
      store = copy
    }
    guard scale != 1 else { return }
    let factor = scale
    scale = 1
    for index in store.entries.indices { store.entries[index].mapValues { $0 * factor } }
  }

  /// Calls `body` with every trainable parameter of the model, a shared one once, and the place of its gradient among
  /// the store's entries.
  func forEachEntry<Model: Module>(of model: Model, _ body: (Parameter, _ place: Int?) -> Void) {
    var index = 0
    let stamp = Parameter.nextStamp()
    model.forEachParameter { parameter in
      guard parameter.isTrainable, parameter.takeStamp(stamp) else { return }
      // The gradients are in the order in which the model they were taken of declares its parameters.
      let isNext = index < store.entries.count && store.entries[index].parameter === parameter
      body(parameter, isNext ? index : place(of: parameter))
      index += 1
    }
  }
}
