// SPDX-License-Identifier: Apache-2.0

/// What layers that act otherwise in training (dropout, batch normalisation) find there: where their random numbers
/// come from.
final class TrainingContext: @unchecked Sendable {
  // Used by the one task that opened it.
  @TaskLocal static var current: TrainingContext?

  @exclusivity(unchecked) var random: RandomGenerator
  /// Whether a checkpointed block runs a second time: what a layer keeps of a batch must not be taken twice.
  @exclusivity(unchecked) var isRecomputing = false

  init(random: RandomGenerator) { self.random = random }
}

/// Whether layers act as in training. They do within `withTraining`, and nowhere else.
public var isTraining: Bool { TrainingContext.current != nil }

/// Runs `body` with layers acting as in training: dropout drops, batch normalisation uses the batch's own statistics and
/// takes note of them. Random numbers are drawn from `random`.
public func withTraining<Result>(
  using random: inout RandomGenerator, _ body: () throws -> Result
) rethrows -> Result {
  let context = TrainingContext(random: random)
  defer { random = context.random }
  return try TrainingContext.$current.withValue(context, operation: body)
}

/// Runs `body` with layers acting as in use, also within `withTraining`.
public func withEvaluation<Result>(_ body: () throws -> Result) rethrows -> Result {
  try TrainingContext.$current.withValue(nil, operation: body)
}
