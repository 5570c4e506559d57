// SPDX-License-Identifier: Apache-2.0

/// A workload of the suite: a model of the zoo at a size that everybody measures.
struct Workload: Sendable {
  /// Its name on the command line.
  let name: String
  /// What it is, in one line for the help.
  let about: String
  /// The least height and width of an image that the model can take.
  var smallestImage = 1
  /// Makes model and data for the options and returns what one iteration does.
  let make: @Sendable (WorkloadOptions) -> () -> Void
}

/// The sizes that the command line gives; a workload has its own for the others.
struct WorkloadOptions: Sendable {
  /// Examples in one iteration.
  var batch: Int?
  /// Steps of a sequence.
  var length: Int?
  /// Height and width of an image.
  var image: Int?
}

extension Workload {
  /// Every workload, in the order of the table.
  static let all: [Workload] = [
    .binaryAddition(.fused),
    .nextWord, .lstmLanguageModel, .gruLanguageModel, .bidirectionalLSTM, .attentionTranslator,
    .hierarchicalDialogue, .beamSearch, .skipGram, .continuousBagOfWords,
    .translationTransformer, .maskedLanguageModel, .bertBaseInference, .miniLMInference,
    .variationalAutoencoder, .variationalAutoencoderEpoch,
    .mobileNetInference, .mobileNetTraining,
    .denseNetInference, .denseNetTraining,
    .resNetInference, .resNetTraining,
    .waveNet,
    .deepQUpdate,
  ]
}
