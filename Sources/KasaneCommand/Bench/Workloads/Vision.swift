// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneModels

// Networks for images.
extension Workload {
  static let mobileNetInference = inference("mobilenet-v1-infer", "MobileNet") { MobileNetV1(using: &$0) }
  static let mobileNetTraining = training("mobilenet-v1-train", "MobileNet", batch: 16) {
    MobileNetV1(using: &$0)
  }
  static let denseNetInference = inference("densenet121-infer", "DenseNet-121", smallest: 29) {
    DenseNet(using: &$0)
  }
  static let denseNetTraining = training("densenet121-train", "DenseNet-121", batch: 8, smallest: 29) {
    DenseNet(using: &$0)
  }
  static let resNetInference = inference("resnet50-infer", "ResNet-50") { ResNet(using: &$0) }
  static let resNetTraining = training("resnet50-train", "ResNet-50", batch: 8) { ResNet(using: &$0) }

  private typealias Maker<Model> = @Sendable (inout RandomGenerator) -> Model
  private static let side = 224

  private static func inference<Model: Layer<Tensor, Tensor>>(
    _ name: String, _ title: String, smallest: Int = 1, _ make: @escaping Maker<Model>
  ) -> Workload {
    Workload(
      name: name, about: "\(title) in use, one image of \(side) x \(side)", smallestImage: smallest
    ) { options in
      var random = RandomGenerator(seed: 1)
      let model = make(&random)
      let images = images(options, batch: 1, &random)
      return { _ = model(images) }
    }
  }

  private static func training<Model: Layer<Tensor, Tensor>>(
    _ name: String, _ title: String, batch: Int, smallest: Int = 1, _ make: @escaping Maker<Model>
  ) -> Workload {
    Workload(
      name: name,
      about: "a step of \(title), \(batch) images of \(side) x \(side), 1,000 classes, SGD with momentum",
      smallestImage: smallest
    ) { options in
      var random = RandomGenerator(seed: 1)
      let model = make(&random)
      let images = images(options, batch: batch, &random)
      let labels = Tensor(
        (0..<images.shape[0]).map { _ in Int64.random(in: 0..<1000, using: &random) })
      let optimizer = SGD(learningRate: 0.1, momentum: 0.9)
      return {
        let (_, gradients) = withTraining(using: &random) {
          valueWithGradient(at: model) { model in crossEntropy(model(images), labels) }
        }
        optimizer.update(model, along: gradients)
      }
    }
  }

  private static func images(_ options: WorkloadOptions, batch: Int, _ random: inout RandomGenerator)
    -> Tensor
  {
    let side = options.image ?? side
    return Tensor(normal: [options.batch ?? batch, side, side, 3], using: &random)
  }
}
