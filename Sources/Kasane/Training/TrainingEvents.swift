// SPDX-License-Identifier: Apache-2.0

/// What happens in a run, in the order in which it happens.
public enum TrainingEvent {
  /// The first iteration, `completed` of `total` being done already, is about to begin.
  case started(completed: Int, total: Int)
  /// An iteration is done.
  case stepped(iteration: Int, loss: Double)
  /// An iteration whose metrics are recorded: its loss, the mean since the report before, the recipe's own metrics by
  /// name, and its text.
  case reported(iteration: Int, loss: Double, meanLoss: Double, metrics: [String: Double], text: String)
  /// A checkpoint is about to be written: what a listener says of itself is kept in it.
  case checkpointing(Checkpoint)
  /// A checkpoint has been written.
  case checkpointed(completed: Int, path: String)
  /// All iterations are done; the model is about to be saved.
  case finished
}

/// Something that follows a run: the terminal, a log file, TensorBoard.
public protocol TrainingListener: AnyObject {
  /// Takes note of an event.
  func receive(_ event: TrainingEvent) throws
}

/// A run's state after a number of iterations: enough to go on as if it had never stopped.
public final class Checkpoint {
  /// How many iterations are done.
  public let completed: Int
  /// Parameters and what else the trainable keeps.
  public var tensors: [String: Tensor]
  /// Small state: random generators, lengths of log files.
  public var notes: [String: String]

  init(completed: Int, tensors: [String: Tensor] = [:], notes: [String: String] = [:]) {
    self.completed = completed
    self.tensors = tensors
    self.notes = notes
  }

  private enum Key {
    static let format = "format"
    static let run = "run"
    static let completed = "completed"
    static let formatName = "kasane-checkpoint-1"
  }

  func write(to path: String, run: String) throws {
    var notes = notes
    notes[Key.format] = Key.formatName
    notes[Key.run] = run
    notes[Key.completed] = String(completed)
    try Safetensors(tensors, metadata: notes).write(to: path, checksummed: true)
  }

  convenience init(contentsOf path: String, run: String) throws {
    let file = try Safetensors(contentsOf: path)
    guard file.metadata[Key.format] == Key.formatName else {
      throw KasaneError(
        "\(path): not a checkpoint: its format is \(file.metadata[Key.format] ?? "unnamed"), "
          + "\(Key.formatName) expected")
    }
    guard file.metadata[Key.run] == run else {
      throw KasaneError(
        "\(path): a checkpoint of another run (\(file.metadata[Key.run] ?? "unnamed"), not \(run))")
    }
    guard let completed = file.metadata[Key.completed].flatMap(Int.init), completed >= 0 else {
      throw KasaneError("\(path): not a checkpoint: the number of iterations is missing")
    }
    self.init(completed: completed, tensors: file.tensors, notes: file.metadata)
  }
}
