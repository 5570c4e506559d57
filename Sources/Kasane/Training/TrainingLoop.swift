// SPDX-License-Identifier: Apache-2.0

internal import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What an iteration leaves.
public struct TrainingStep {
  /// The loss before the update.
  public var loss: Double
  /// What a reader is told of it: when it is a report, or when there are metrics.
  public var text: String?
  /// What else was measured, by name, such as `validation_accuracy`; recorded whether the iteration is one to report or
  /// not.
  public var metrics: [String: Double]
  /// How far from good the model is on data that it does not learn from, where the iteration ended with such a judgement:
  /// the lower, the better. The run keeps the weights of the best.
  public var judgement: Double?

  /// The outcome of an iteration.
  public init(loss: Double, text: String? = nil, metrics: [String: Double] = [:], judgement: Double? = nil) {
    self.loss = loss
    self.text = text
    self.metrics = metrics
    self.judgement = judgement
  }
}

/// A system in training: what the loop needs to know of a recipe.
public protocol Trainable: AnyObject {
  /// The type of the model.
  associatedtype Model: Module
  /// What is trained.
  var model: Model { get }
  /// What trains it.
  var optimizer: any Optimizer { get }
  /// What else is saved in checkpoints, by name; nothing unless said otherwise.
  var companions: [String: any Checkpointed] { get }
  /// How many iterations make a run.
  var iterations: Int { get }
  /// The random numbers that the iterations draw.
  var random: RandomGenerator { get set }
  /// What tells the data that the iterations learn from from others, or nil where they hang on options and seed alone. A
  /// checkpoint that was made with other data is refused.
  var dataFingerprint: String? { get }
  /// After how many judgements in a row that are no better than the best a run ends early, or nil for never.
  var patience: Int? { get }
  /// How many tokens an iteration learns from, or nil where that says nothing.
  var tokensPerIteration: Int? { get }
  /// The share of the time that was spent waiting for data that another thread makes, or nil where none does.
  var waitingShare: Double? { get }
  /// One iteration: forward, backward, update. It gives a text when `reporting`.
  func step(_ iteration: Int, reporting: Bool) -> TrainingStep
}

extension Trainable {
  /// Nil: options and seed say everything.
  public var dataFingerprint: String? { nil }
  /// Nil: all iterations are done.
  public var patience: Int? { nil }
  /// Nil: there are no tokens.
  public var tokensPerIteration: Int? { nil }
  /// Nil: no other thread makes data.
  public var waitingShare: Double? { nil }
  /// Nothing.
  public var companions: [String: any Checkpointed] { [:] }
}

/// How a run's loop ended.
public enum TrainingOutcome: Equatable, Sendable {
  /// All iterations are done and the model is saved.
  case finished
  /// A signal arrived; the state after `completed` iterations is saved.
  case interrupted(signal: Int32, completed: Int)
}

/// What a checkpoint calls the loop's own state.
private enum Key {
  static let random = "random"
  static let data = "data"
  static let lossSum = "loss_sum"
  static let lossCount = "loss_count"
  static let best = "best"
  static let model = "model."
  static let optimizer = "optimizer."
  static let companion = "companion."
}

/// Trains in a run folder: reports, checkpoints, signals, and going on where a run was stopped.
public final class TrainingLoop<Subject: Trainable> {
  private let subject: Subject
  private let run: RunFolder
  private var listeners: [any TrainingListener] = []
  private var completed = 0
  private var lossSum = 0.0
  private var lossCount = 0
  private var best = Best()
  private var lastCheckpoint: String?

  /// The best judgement of the run so far, before it was stopped or since; nil where there was none.
  public var bestJudgement: Double? { best.judgement }

  /// A loop over a subject that is in its initial state.
  public init(_ subject: Subject, in run: RunFolder) {
    self.subject = subject
    self.run = run
  }

  /// Whether nothing remains to be done.
  private var isOver: Bool {
    if let patience = subject.patience, best.failures >= patience { return true }
    return completed >= subject.iterations
  }

  private func emit(_ event: TrainingEvent) throws {
    for listener in listeners { try listener.receive(event) }
  }

  /// Runs the iterations that remain after the state that `restore` found, or all of them.
  public func train(listeners: [any TrainingListener]) throws -> TrainingOutcome {
    self.listeners = listeners
    ks_catch_signals()
    if completed == 0 && lastCheckpoint == nil { try save() }
    try emit(.started(completed: completed, total: subject.iterations))
    while !isOver {
      try iterate()
      let signal = ks_caught_signal()
      let isLast = isOver
      if signal != 0 || completed % run.configuration.checkpointEvery == 0 || isLast { try save() }
      if signal != 0 && !isLast { return .interrupted(signal: signal, completed: completed) }
    }
    // The model comes last: where it is, the run is whole.
    try emit(.finished)
    if best.judgement != nil {
      try subject.model.load(try Safetensors(contentsOf: run.bestPath).tensors, from: run.bestPath)
    }
    try saveModel(to: run.modelPath)
    return .finished
  }

  private func saveModel(to path: String) throws {
    try Safetensors(subject.model.tensors, metadata: ["producer": "kasane"]).write(
      to: path, checksummed: true)
  }

  private func judge(_ judgement: Double) throws {
    guard judgement.isFinite else { throw diverged("the judgement is \(judgement)") }
    if best.take(judgement) { try saveModel(to: run.bestPath) }
  }

  private func iterate() throws {
    let iteration = completed
    let reporting = iteration % run.configuration.printEvery == 0
    let step = withPrecision(run.configuration.precision ?? .float32) {
      subject.step(iteration, reporting: reporting)
    }
    let loss = step.loss
    guard loss.isFinite else { throw diverged("the loss is \(loss)") }
    if let (name, value) = step.metrics.first(where: { !$0.value.isFinite }) {
      throw diverged("\(name) is \(value)")
    }
    completed += 1
    lossSum += loss
    lossCount += 1
    if let judgement = step.judgement { try judge(judgement) }
    try emit(.stepped(iteration: iteration, loss: loss))
    if reporting || !step.metrics.isEmpty {
      let mean = lossSum / Double(lossCount)
      (lossSum, lossCount) = (0, 0)
      try emit(
        .reported(
          iteration: iteration, loss: loss, meanLoss: mean, metrics: step.metrics, text: step.text ?? ""))
    }
  }

  private func diverged(_ what: String) -> KasaneError {
    KasaneError(
      "\(run.path): training diverged at iteration \(completed): \(what); a smaller --learning-rate may help; "
        + "last good checkpoint: \(lastCheckpoint ?? "none")")
  }

  // MARK: Checkpoints

  private func save() throws {
    let checkpoint = Checkpoint(completed: completed)
    for (name, tensor) in subject.model.tensors {
      guard tensor.isFinite else { throw diverged("\(name) is no longer finite") }
      checkpoint.tensors[Key.model + name] = tensor
    }
    for (name, tensor) in subject.optimizer.state(of: subject.model) {
      checkpoint.tensors[Key.optimizer + name] = tensor
    }
    for (companion, state) in subject.companions.mapValues(\.state) {
      for (name, tensor) in state { checkpoint.tensors["\(Key.companion)\(companion).\(name)"] = tensor }
    }
    let random = subject.random
    checkpoint.notes[Key.random] = "\(random.seed) \(random.stream) \(random.position)"
    checkpoint.notes[Key.data] = subject.dataFingerprint
    checkpoint.notes[Key.lossSum] = String(lossSum.bitPattern, radix: 16)
    checkpoint.notes[Key.lossCount] = String(lossCount)
    checkpoint.notes[Key.best] = best.note
    try emit(.checkpointing(checkpoint))
    let path = run.checkpointPath(completed)
    try checkpoint.write(to: path, run: run.configuration.id)
    run.pruneCheckpoints()
    lastCheckpoint = path
    try emit(.checkpointed(completed: completed, path: path))
  }

  /// Restores the state of the run's last checkpoint and returns it, or nil where the run has none yet.
  public func restore() throws -> Checkpoint? {
    guard let last = run.checkpointIterations.last else { return nil }
    let path = run.checkpointPath(last)
    let checkpoint = try Checkpoint(contentsOf: path, run: run.configuration.id)
    func part(_ prefix: String) -> [String: Tensor] {
      var found: [String: Tensor] = [:]
      for (name, tensor) in checkpoint.tensors where name.hasPrefix(prefix) {
        found[String(name.dropFirst(prefix.count))] = tensor
      }
      return found
    }
    let random = (checkpoint.notes[Key.random] ?? "").split(separator: " ").compactMap { UInt64($0) }
    let sum = checkpoint.notes[Key.lossSum].flatMap { UInt64($0, radix: 16) }
    let count = checkpoint.notes[Key.lossCount].flatMap(Int.init)
    guard random.count == 3, let sum, let count, checkpoint.completed == last else {
      throw KasaneError("\(path): not a checkpoint of this version: its notes are incomplete")
    }
    if let now = subject.dataFingerprint, let then = checkpoint.notes[Key.data], now != then {
      throw KasaneError("\(path): the run learned from other data (\(then)) than are there now (\(now))")
    }
    try subject.model.load(part(Key.model), from: path)
    try subject.optimizer.restore(part(Key.optimizer), for: subject.model, from: path)
    for (name, companion) in subject.companions {
      try companion.restore(part("\(Key.companion)\(name)."), from: path)
    }
    subject.random = RandomGenerator(seed: random[0], stream: random[1], position: random[2])
    (completed, lossSum, lossCount, lastCheckpoint) = (last, Double(bitPattern: sum), count, path)
    best = Best(note: checkpoint.notes[Key.best])
    return checkpoint
  }
}

/// The best judgement of a run so far.
private struct Best {
  private(set) var judgement: Double?
  /// How many judgements came after it.
  private(set) var failures = 0

  init() {}

  init(note: String?) {
    guard let parts = note?.split(separator: " "), parts.count == 2, let bits = UInt64(parts[0], radix: 16)
    else { return }
    (judgement, failures) = (Double(bitPattern: bits), Int(parts[1]) ?? 0)
  }

  var note: String? { judgement.map { "\(String($0.bitPattern, radix: 16)) \(failures)" } }

  /// Takes note of a judgement; true where it is the best.
  mutating func take(_ new: Double) -> Bool {
    if let judgement, new >= judgement {
      failures += 1
      return false
    }
    (judgement, failures) = (new, 0)
    return true
  }
}
