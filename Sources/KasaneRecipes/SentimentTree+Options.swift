// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
public import KasaneData

extension SentimentTree {
  /// Which network makes phrases of their parts.
  public enum Network: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// The recursive neural network (Socher et al. 2011).
    case rnn
    /// The recursive matrix-vector network (Socher et al. 2012).
    case matrixVector = "mv-rnn"
    /// The recursive neural tensor network (Socher et al. 2013).
    case rntn
    /// The binary Tree-LSTM (Tai, Socher and Manning 2015).
    case treeLSTM = "tree-lstm"
    /// The child-sum Tree-LSTM (Tai, Socher and Manning 2015).
    case childSum = "child-sum"
  }

  /// How the gradient is followed.
  public enum Method: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Adagrad.
    case adagrad
    /// Adam.
    case adam
  }

  /// The options of a run.
  public struct Options: RecipeOptions {
    @Option(
      help: """
        quick: seconds on made-up trees; full: the Stanford Sentiment Treebank (default: full with --data or sst_trees in \
        KASANE_DATA, else quick).
        """)
    public var preset: Preset?
    @Option(
      help: ArgumentHelp(
        "Folder with train.txt and dev.txt, a tree a line, or sample (default: sample in quick, KASANE_DATA/sst_trees in "
          + "full).", valueName: "folder"), completion: .directory, transform: treeLocation("--data"))
    public var data: String?
    @Option(help: "Network.")
    public var model = Network.treeLSTM
    @Option(
      help: ArgumentHelp(
        "Text file of word vectors to begin with, such as GloVe's: a word a line, then its numbers.",
        valueName: "file"), completion: .file(), transform: treeLocation("--vectors"))
    public var vectors: String?
    @Option(help: "Size of a word's vector (1 to 4096), for rnn, mv-rnn and rntn also of a phrase's.")
    public var features = ByPreset(quick: 20, full: 50)
    @Option(help: "Rank of a word's matrix beside its diagonal, for mv-rnn (0 to 64; default: 3).")
    public var rank: Int?
    @Option(help: "Size of a phrase's vector for tree-lstm and child-sum (1 to 4096).")
    public var hidden = ByPreset(quick: 24, full: 150)
    @Option(help: "Passes over the training trees (1 to 10000).")
    public var epochs = ByPreset(quick: 8, full: 10)
    @Option(help: "Trees in one iteration (1 to 10000).")
    public var batch = ByPreset(quick: 20, full: 20)
    @Option(help: "Optimizer.")
    public var optimizer = Method.adam
    @Option(help: "Step size at the start (above 0); it falls to 0 along a cosine.")
    public var learningRate = ByPreset(quick: 0.01, full: 0.002)
    @Option(help: "What the step size is multiplied by for the words' vectors (0 or more, below 1000).")
    public var wordRate = 1.0
    @Option(help: "Part of the vectors' elements that are dropped in training (0 or more, below 1).")
    public var dropout = ByPreset(quick: 0, full: 0.5)
    @Option(help: "Weight decay of all but the words' vectors (0 or more, below 1).")
    public var weightDecay = 0.0
    @Option(help: "Epochs without a better accuracy after which to stop (0: never).")
    public var patience = 0

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--features", self[\.features], in: 1...4096)
      if let rank {
        try require("--rank", rank, in: 0...64)
        if model != .matrixVector {
          throw ValidationError("--rank: goes with --model \(Network.matrixVector.rawValue) alone")
        }
      }
      try require("--hidden", self[\.hidden], in: 1...4096)
      try require("--epochs", self[\.epochs], in: 1...10_000)
      try require("--batch", self[\.batch], in: 1...10_000)
      try requireLearningRate("--learning-rate", self[\.learningRate])
      try require("--word-rate", wordRate, in: 0..<1000)
      try require("--dropout", self[\.dropout], in: 0..<1)
      try require("--weight-decay", weightDecay, in: 0..<1)
      try require("--patience", patience, in: 0...Int.max)
    }

    /// The preset given, or the one that the data at hand allow.
    public var chosenPreset: Preset? {
      preset ?? (data != nil || SentimentTrees.hasTraining(in: SentimentTrees.defaultFolder) ? .full : .quick)
    }

    /// Where the trees are.
    var place: String {
      data ?? (chosenPreset == .quick ? SentimentTrees.sample : SentimentTrees.defaultFolder)
    }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "File of trees, folder of such, or sample (default: that of the training).", valueName: "place"),
      completion: .file(), transform: treeLocation("--data"))
    public var data: String?
    @Option(help: "Which of a folder's files: train (train.txt), dev (dev.txt) or test (test.txt).")
    public var split = SentimentTrees.Split.dev

    /// The trees that the run was judged by.
    public init() {}
  }

  /// The options of a prediction.
  public struct PredictionOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp("Draw the tree with each phrase's sentiment in this SVG file.", valueName: "file"),
      completion: .file(extensions: ["svg"]))
    public var svg: String?

    /// Nothing is drawn.
    public init() {}

    /// Checks the path.
    public func validate() throws {
      if svg == "" { throw ValidationError("--svg: empty, a file's path expected") }
    }
  }
}

extension SentimentTrees.Split: ExpressibleByArgument {}

/// A file or a folder of trees or of vectors, or the sample.
private func treeLocation(_ flag: String) -> @Sendable (String) throws -> String {
  dataLocation(flag, "a path", sample: SentimentTrees.sample)
}
