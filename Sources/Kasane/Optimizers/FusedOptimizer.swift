// SPDX-License-Identifier: Apache-2.0

/// What the optimizers of the library have in common: one primitive of the engine changes all parameters of a model at
/// once, and what the rule remembers is kept by parameter.
///
/// A bfloat16 or float16 parameter is changed in float32 and rounded; what is remembered of it is float32. The gradient
/// of an embedding's table that is known by rows stays so where the rule leaves a row without a gradient as it is: SGD
/// without momentum and Adagrad, both without weight decay. For other rules it is made dense.
public class FusedOptimizer: Optimizer {
  /// The step size, which may be changed between steps.
  public var learningRate: Double {
    didSet { Self.check(learningRate >= 0, "a learning rate of \(learningRate)") }
  }
  /// How much of a parameter counts as gradient, or, for AdamW and Lion, is taken away directly, times the learning
  /// rate.
  public let weightDecay: Double
  /// Parameters that are treated in a way of their own.
  public let groups: [ParameterGroup]

  /// What is known of one parameter.
  private struct Slot {
    let identity: UInt64
    let rateFactor, weightDecay: Double
    let isFrozen: Bool
    var steps = 0
    var states: (Tensor?, Tensor?, Tensor?) = (nil, nil, nil)
  }

  // In the order in which the model declares its parameters, so that a walk over it finds them one after the other.
  @exclusivity(unchecked) private var slots: [Slot] = []
  private var slotOfParameter: [UInt64: Int] = [:]
  /// The step in the making, and what only the step holds; their memory stays from one step to the next.
  @exclusivity(unchecked) private var parts: [ParameterUpdate] = []
  @exclusivity(unchecked) private var kept: [Tensor] = []

  init(learningRate: Double, weightDecay: Double, groups: [ParameterGroup]) {
    Self.check(learningRate >= 0, "a learning rate of \(learningRate)")
    Self.check(weightDecay >= 0, "a weight decay of \(weightDecay)")
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.groups = groups
  }

  static func check(_ condition: Bool, _ found: @autoclosure () -> String) {
    precondition(condition, "\(Self.self): \(found()) is out of range")
  }

  // MARK: What a rule says of itself

  var rule: UpdateRule { fatalError("\(Self.self): no rule") }
  /// The names of the states in a checkpoint; nil where the rule has none at that place.
  var stateNames: (String?, String?, String?) { (nil, nil, nil) }
  /// The states' first value.
  var initialState: Double { 0 }
  /// Sets what depends on the number of the step, counted from 1. Rate and weight decay come as they stand in the
  /// optimizer or the group.
  func prepare(_ part: inout ParameterUpdate, step: Int) {}
  /// Whether a row whose gradient is zero stays as it is.
  func leavesRows(weightDecay: Double) -> Bool { false }

  // MARK: The step

  /// Moves every parameter of the model one step; those without a gradient stay as they are.
  public final func update<Model: Module>(_ model: Model, along gradients: Gradients) {
    var rounded: [(wide: Tensor, parameter: Tensor)] = []
    var next = 0
    gradients.forEachEntry(of: model) { parameter, place in
      let index = slot(of: parameter, in: model, guess: next)
      next = index + 1
      guard let place, !slots[index].isFrozen, gradients.store.entries[place].isKnown else { return }
      let storage = parameter.mutableStorage()
      if storage.object.pointee.dtype > DType.float64.rawValue {
        rounded.append((storage.cast(to: .float32), storage))
        append(rounded[rounded.count - 1].wide, gradients, place, slot: index)
      } else {
        append(storage, gradients, place, slot: index)
      }
    }
    engine.update(rule, parts)
    parts.removeAll(keepingCapacity: true)
    if !kept.isEmpty { kept.removeAll(keepingCapacity: true) }
    for (wide, parameter) in rounded { engine.copy(wide, into: parameter) }
  }

  private func append(_ target: Tensor, _ gradients: Gradients, _ place: Int, slot index: Int) {
    if slots[index].steps == 0 { makeStates(like: target, slot: index) }
    slots[index].steps += 1
    let rate = learningRate * slots[index].rateFactor
    if let gradient = gradients.store.entries[place].gradient,
      gradient.object.pointee.dtype == target.object.pointee.dtype
    {
      parts.append(ParameterUpdate(target, along: gradient, rate: rate))
    } else {
      appendConverted(target, gradients.store.entries[place], rate: rate, slot: index)
    }
    let last = parts.count - 1
    // Where there are states, the first is one.
    if slots[index].states.0 != nil { parts[last].states = slots[index].states }
    parts[last].scale = gradients.scale
    parts[last].weightDecay = slots[index].weightDecay
    prepare(&parts[last], step: slots[index].steps)
  }

  /// The part of a parameter whose gradient is known by rows or of another type.
  private func appendConverted(
    _ target: Tensor, _ entry: GradientStore.Entry, rate: Double, slot index: Int
  ) {
    let rows = leavesRows(weightDecay: slots[index].weightDecay) ? entry.rows : nil
    let gradient = withoutGradient { (rows?.values ?? entry.dense!).cast(to: target.dtype) }
    parts.append(ParameterUpdate(target, along: gradient, rate: rate))
    kept.append(gradient)
    if let rows {
      parts[parts.count - 1].rows = rows.indices
      kept.append(rows.indices)
    }
  }

  private func makeStates(like target: Tensor, slot index: Int) {
    let names = stateNames
    func make(_ name: String?) -> Tensor? {
      name.map { _ in Tensor(repeating: initialState, shape: target.shape, dtype: target.dtype) }
    }
    slots[index].states = (make(names.0), make(names.1), make(names.2))
  }

  private func slot<Model: Module>(of parameter: Parameter, in model: Model, guess: Int) -> Int {
    if guess < slots.count && slots[guess].identity == parameter.identity { return guess }
    if let known = slotOfParameter[parameter.identity] { return known }
    for (name, parameter) in model.parameters where slotOfParameter[parameter.identity] == nil {
      let group = groups.first { $0.contains(name, parameter.shape) }
      slotOfParameter[parameter.identity] = slots.count
      slots.append(
        Slot(
          identity: parameter.identity, rateFactor: group?.learningRateFactor ?? 1,
          weightDecay: group?.weightDecay ?? weightDecay, isFrozen: group?.isFrozen ?? false))
    }
    return slotOfParameter[parameter.identity]!
  }

  // MARK: Checkpoints

  private static let stepName = "step"

  private var namedStates: [(place: WritableKeyPath<(Tensor?, Tensor?, Tensor?), Tensor?>, name: String)] {
    let names = stateNames
    let all: [(WritableKeyPath<(Tensor?, Tensor?, Tensor?), Tensor?>, String?)] = [
      (\.0, names.0), (\.1, names.1), (\.2, names.2),
    ]
    return all.compactMap { place, name in name.map { (place, $0) } }
  }

  /// The parameters that the optimizer changes, with their names and slots.
  private func changed<Model: Module>(
    in model: Model
  ) -> [(name: String, parameter: Parameter, slot: Int)] {
    model.parameters.compactMap { name, parameter in
      guard parameter.isTrainable else { return nil }
      let index = slot(of: parameter, in: model, guess: slots.count)
      return slots[index].isFrozen ? nil : (name, parameter, index)
    }
  }

  /// The type in which a parameter is changed, and its states are.
  private static func stateType(of parameter: Parameter) -> DType {
    parameter.storage.dtype == .float64 ? .float64 : .float32
  }

  /// What the optimizer remembers of a model, by the names of its parameters.
  public final func state<Model: Module>(of model: Model) -> [String: Tensor] {
    let states = namedStates
    guard !states.isEmpty else { return [:] }
    var found: [String: Tensor] = [:]
    for (name, parameter, index) in changed(in: model) {
      found["\(name).\(Self.stepName)"] = Tensor(slots[index].steps)
      for (place, stateName) in states {
        let type = Self.stateType(of: parameter)
        let copy = Tensor(repeating: initialState, shape: parameter.shape, dtype: type)
        if let state = slots[index].states[keyPath: place] { engine.copy(state, into: copy) }
        found["\(name).\(stateName)"] = copy
      }
    }
    return found
  }

  /// Takes back what `state(of:)` gave; throws one line that lists every name missing, unexpected or misshapen.
  public final func restore<Model: Module>(
    _ state: [String: Tensor], for model: Model, from source: String
  ) throws {
    let states = namedStates
    let own = states.isEmpty ? [] : changed(in: model)
    var problems = ProblemList(of: state)
    for (name, parameter, _) in own {
      for (_, stateName) in states {
        problems.expect("\(name).\(stateName)", parameter.shape, Self.stateType(of: parameter))
      }
      let stepName = "\(name).\(Self.stepName)"
      if problems.expect(stepName, Shape(), .int64), state[stepName]!.scalar < 0 {
        problems.add("\(stepName) is \(Int(state[stepName]!.scalar))")
      }
    }
    try problems.throwAny("\(source): not the state of this optimizer (\(Self.self))")
    for (name, _, index) in own {
      slots[index].steps = Int(state["\(name).\(Self.stepName)"]!.scalar)
      for (place, stateName) in states {
        slots[index].states[keyPath: place] = state["\(name).\(stateName)"]!.ownCopy()
      }
    }
  }
}

extension Tensor {
  /// The same elements in memory of their own, off the tape.
  func ownCopy() -> Tensor {
    let copy = Tensor(unsetLike: self)
    engine.copy(self, into: copy)
    return copy
  }
}

/// What is wrong with named tensors that come from a file.
struct ProblemList {
  private let tensors: [String: Tensor]
  private var expected: Set<String> = []
  private var problems: [String] = []

  init(of tensors: [String: Tensor]) { self.tensors = tensors }

  mutating func add(_ problem: String) { problems.append(problem) }

  /// Notes what is wrong with one tensor; true where nothing is.
  @discardableResult
  mutating func expect(_ name: String, _ shape: Shape, _ dtype: DType) -> Bool {
    expected.insert(name)
    guard let tensor = tensors[name] else {
      problems.append("\(name) is missing")
      return false
    }
    guard tensor.shape == shape, tensor.dtype == dtype else {
      problems.append("\(name) is \(tensor.shape) \(tensor.dtype), not \(shape) \(dtype)")
      return false
    }
    return true
  }

  /// Throws one line that begins with `what` where there is a problem or a tensor that was not expected.
  func throwAny(_ what: String) throws {
    let unexpected = tensors.keys.filter { !expected.contains($0) }.sorted().map { "\($0) is unexpected" }
    let all = problems + unexpected
    guard all.isEmpty else { throw KasaneError("\(what): \(all.joined(separator: "; "))") }
  }
}
