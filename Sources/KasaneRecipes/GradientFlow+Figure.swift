// SPDX-License-Identifier: Apache-2.0

public import Kasane
import KasaneModels

extension GradientFlow {
  /// Draws how the gradient reaches back through networks of all kinds before they learn.
  public func keepFiles(in run: RunFolder) throws {
    try Files.write(Self.figure(of: untrained()), to: run.file(Self.figureName))
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
  func untrained() -> [FlowPanel] {
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
        title: "LSTM and GRU",
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
        title: "RNN, ReLU, He times 1.5",
        series: [
          FlowSeries(label: "as it comes", norms: wild.norms[0]),
          FlowSeries(label: "clipped", norms: wild.norms[0].map { $0 * factor }),
        ]))
    return panels
  }

  static func figure(of panels: [FlowPanel]) -> String {
    flowFigure(panels, title: "Norm of dE/dh(t) by the distance from the end")
  }
}
