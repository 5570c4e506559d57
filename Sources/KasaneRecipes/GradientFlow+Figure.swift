// SPDX-License-Identifier: Apache-2.0

public import Kasane
import KasaneModels

extension GradientFlow {
  /// Draws how the gradient reaches back through networks of all kinds before they learn.
  public func keepFiles(in run: RunFolder) throws {
    try Files.write(Self.figure(of: untrained(in: .english), in: .english), to: run.file(Self.figureName))
  }

  static let figureName = "gradient-flow.svg"

  /// The norms of dE/dh(t) of a network on fresh problems.
  func norms(_ network: SequenceNetwork, _ options: Options) -> [[Double]] {
    var random = RandomGenerator(seed: seed, stream: Stream.figure)
    let (inputs, answers) = problems(32, using: &random)
    let last = inputs.shape[1] - 1
    return network.stateGradientNorms(inputs) { outputs in
      switch options.problem {
      case .adding: meanSquaredError(outputs.select(last, axis: 1), answers)
      // Of the last symbol alone: otherwise every step after the sign has an error of its own.
      case .copying: crossEntropy(outputs.select(last, axis: 1), answers.select(last, axis: 1))
      }
    }
  }

  /// By what factor clipping would shrink a network's gradients.
  private func clippingFactor(_ network: SequenceNetwork) -> Double {
    var random = RandomGenerator(seed: seed, stream: Stream.figure)
    let (inputs, answers) = problems(32, using: &random)
    let norm = gradient(at: network) { self.loss($0, inputs, answers) }.norm
    let limit = options.clip > 0 ? options.clip : 1
    return norm > limit ? limit / norm : 1
  }

  /// Networks of all kinds that have learned nothing, panel by panel.
  func untrained(in language: Language) -> [FlowPanel] {
    func made(_ change: (inout Options) -> Void) -> (network: SequenceNetwork, norms: [[Double]]) {
      var options = options
      options.gain = 1
      change(&options)
      var random = RandomGenerator(seed: seed, stream: Stream.weights)
      let network = Self.network(options, using: &random)
      return (network, norms(network, options))
    }
    var panels = HiddenActivation.allCases.map { activation in
      FlowPanel(
        title: "RNN, \(activation == .relu ? "ReLU" : "\(activation)")",
        series: InitialWeights.allCases.map { weights in
          let found = made {
            ($0.cell, $0.activation, $0.`init`) = (.rnn, activation, weights)
          }
          return FlowSeries(label: weights == .he ? "He" : "\(weights)".capitalized, norms: found.norms[0])
        })
    }
    let lstm = made { $0.cell = .lstm }.norms
    panels.append(
      FlowPanel(
        title: language("LSTM and GRU", "LSTM と GRU"),
        series: [
          FlowSeries(label: "LSTM, h", norms: lstm[0]), FlowSeries(label: "LSTM, c", norms: lstm[1]),
          FlowSeries(label: "GRU", norms: made { $0.cell = .gru }.norms[0]),
        ]))
    let wild = made {
      ($0.cell, $0.activation, $0.`init`, $0.gain) = (.rnn, .relu, .he, 1.5)
    }
    let factor = clippingFactor(wild.network)
    panels.append(
      FlowPanel(
        title: language("RNN, ReLU, He times 1.5", "RNN, ReLU, He × 1.5"),
        series: [
          FlowSeries(label: language("as it comes", "そのまま"), norms: wild.norms[0]),
          FlowSeries(label: language("clipped", "クリッピング後"), norms: wild.norms[0].map { $0 * factor }),
        ]))
    return panels
  }

  /// The norms of this run's own network.
  func ownPanel(_ learned: [[Double]], in language: Language) -> FlowPanel {
    let names = learned.count == 1 ? ["h"] : ["h", "c"]
    return FlowPanel(
      title: language("This run (\(options.cell))", "この学習 (\(options.cell))"),
      series: zip(names, learned).map { name, norms in
        FlowSeries(label: language("\(name), learned", "\(name) (学習後)"), norms: norms)
      })
  }

  static func figure(of panels: [FlowPanel], in language: Language) -> String {
    flowFigure(
      panels,
      title: language("Norm of dE/dh(t) by the distance from the end", "末尾からの距離ごとの dE/dh(t) のノルム"))
  }

  /// Distances from the last step at which norms are told.
  static func distances(steps: Int) -> [Int] {
    let round = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter { $0 < steps - 1 }
    return round + [steps - 1]
  }

  /// How far gradients reach in networks that have learned nothing and in this run's.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    let learned = norms(model, options)
    let steps = learned[0].count
    let columns = [language("Distance", "距離"), "|dE/dh|", "|dE/dc|"].prefix(learned.count + 1)
    return [
      Exhibit(
        "gradient-flow", title: language("How far the gradient reaches back", "勾配がさかのぼる距離"),
        caption: language(
          "The norm of the error's derivative by the state, from the last step on the left to the first on the right, "
            + "on a logarithmic scale: networks that have learned nothing, and last the one of this run. A curve that "
            + "falls shows a gradient that vanishes, one that rises a gradient that explodes.",
          "誤差の状態についての微分のノルムを、左端の最終時刻から右端の最初の時刻へ、対数目盛で示します。学習していない各種の"
            + "ネットワークと、最後にこの学習のネットワークです。下がる曲線は勾配の消失、上がる曲線は勾配の爆発を表します。"),
        .figure(
          Self.figure(of: untrained(in: language) + [ownPanel(learned, in: language)], in: language))),
      Exhibit(
        "gradient-norms", title: language("Norms of this run's gradient", "この学習の勾配のノルム"),
        caption: language(
          "By the distance from the last step, in steps.", "最終時刻からの距離 (ステップ数) ごとの値です。"),
        .table(
          columns: columns.map { .init($0, isNumeric: true) },
          rows: Self.distances(steps: steps).map { distance in
            ["\(distance)"] + learned.map { scientificText($0[steps - 1 - distance]) }
          })),
    ]
  }
}
