// SPDX-License-Identifier: Apache-2.0

/// Averages of a model's parameters over the steps of its training, often better than the last ones (Polyak and
/// Juditsky 1992): `average = decay * average + (1 - decay) * parameter`.
///
/// All floating-point parameters are averaged, also those that are not trained, such as a norm's running mean.
public final class ExponentialMovingAverage: Checkpointed {
  /// How much of the averages stays in a step.
  public let decay: Double
  /// Whether the decay begins lower, `(1 + t) / (10 + t)` in step t, so that the first parameters are soon forgotten.
  public let warmsUp: Bool
  /// How many steps have been averaged.
  public private(set) var steps = 0

  private var averages: [(name: String, parameter: Parameter, average: Tensor)]

  /// Averages that begin with the model's parameters.
  public init<Model: Module>(of model: Model, decay: Double = 0.999, warmsUp: Bool = false) {
    precondition(decay >= 0 && decay < 1, "ExponentialMovingAverage: a decay of \(decay)")
    self.decay = decay
    self.warmsUp = warmsUp
    averages = model.parameters.compactMap { name, parameter in
      guard parameter.storage.dtype.isFloatingPoint else { return nil }
      let wide = parameter.storage.dtype == .float64 ? DType.float64 : .float32
      let average = Tensor(unsetWithShape: parameter.shape, dtype: wide)
      engine.copy(parameter.storage, into: average)
      return (name, parameter, average)
    }
  }

  /// Takes the parameters as they are now into the averages. To be called after each step.
  public func update() {
    steps += 1
    let decay = warmsUp ? min(decay, Double(1 + steps) / Double(10 + steps)) : decay
    // A part does not keep its tensors.
    let current = withoutGradient { averages.map { $0.parameter.storage.cast(to: $0.average.dtype) } }
    let parts = zip(averages, current).map { known, current in
      // average += (1 - decay) (parameter - average) is a descent along the parameter, less the average as decay.
      var part = ParameterUpdate(known.average, along: current, rate: decay - 1)
      part.weightDecay = -1
      return part
    }
    engine.update(.descent(momentum: 0, isNesterov: false), parts)
    withExtendedLifetime(current) {}
  }

  /// Runs `body` with the averages in the parameters' place. What `body` does to the parameters is lost.
  public func withAverages<Result>(_ body: () throws -> Result) rethrows -> Result {
    var trained = averages.map { $0.parameter.storage.ownCopy() }
    for (_, parameter, average) in averages { parameter.assign(average.cast(to: parameter.storage.dtype)) }
    defer {
      for index in averages.indices { averages[index].parameter.exchange(&trained[index]) }
    }
    return try body()
  }

  /// The averages by the parameters' names, in the types of the parameters: a model's file can be made of them.
  public var tensors: [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: averages.map { name, parameter, average in
        (name, average.ownCopy().cast(to: parameter.storage.dtype))
      })
  }

  private static let stepName = "step"
  private static let prefix = "average."

  /// What it remembers, by name.
  public var state: [String: Tensor] {
    var state = [Self.stepName: Tensor(steps)]
    for (name, _, average) in averages { state[Self.prefix + name] = average.ownCopy() }
    return state
  }

  /// Takes back what `state` gave; throws where a name is missing, unexpected or misshapen.
  public func restore(_ state: [String: Tensor], from source: String) throws {
    var problems = ProblemList(of: state)
    problems.expect(Self.stepName, Shape(), .int64)
    for (name, _, average) in averages { problems.expect(Self.prefix + name, average.shape, average.dtype) }
    try problems.throwAny("\(source): not the averages of this model")
    steps = Int(state[Self.stepName]!.scalar)
    for index in averages.indices {
      averages[index].average = state[Self.prefix + averages[index].name]!.ownCopy()
    }
  }
}
