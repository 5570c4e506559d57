// SPDX-License-Identifier: Apache-2.0

import Kasane

extension OperationBenchmark {
  /// Matrix products: square ones from small to large, those of networks, odd ones, and many small ones.
  static let products: [OperationBenchmark] =
    [16, 64, 256, 1024, 2048].map { product($0, $0, $0) } + [
      product(128, 784, 400), product(20, 650, 2600), product(37, 129, 61), product(2560, 256, 1024),
      product(2560, 256, 6000), product(128, 768, 3072),
      OperationBenchmark(
        "product, transposed right", "128 x 400, 784 x 400", operations: 2 * 128 * 400 * 784,
        numbers: 128 * 400 + 784 * 400 + 128 * 784
      ) {
        let (a, b) = (normal([128, 400]), normal([784, 400]))
        return { _ = engine.matrixProduct(a, b, transposing: .right) }
      },
      OperationBenchmark(
        "product, transposed left", "2560 x 256, 2560 x 1024", operations: 2 * 2560 * 256 * 1024,
        numbers: 2560 * 256 + 2560 * 1024 + 256 * 1024
      ) {
        let (a, b) = (normal([2560, 256]), normal([2560, 1024]))
        return { _ = engine.matrixProduct(a, b, transposing: .left) }
      },
      OperationBenchmark(
        "products, batched", "96 x (128 x 64 x 128)", operations: 2 * 96 * 128 * 64 * 128,
        numbers: 96 * (2 * 128 * 64 + 128 * 128)
      ) {
        let (a, b) = (normal([96, 128, 64]), normal([96, 64, 128]))
        return { _ = matmul(a, b) }
      },
    ]

  private static func product(_ m: Int, _ k: Int, _ n: Int) -> OperationBenchmark {
    OperationBenchmark(
      "product", "\(m) x \(k) x \(n)", operations: 2 * Double(m) * Double(k) * Double(n),
      numbers: m * k + k * n + m * n
    ) {
      let (a, b) = (normal([m, k]), normal([k, n]))
      return { _ = matmul(a, b) }
    }
  }

  // MARK: Convolutions

  /// A layer's size.
  private struct Convolution: Sendable {
    let label: String
    let image: Shape
    let kernel: Shape
    var stride = 1
    var groups = 1
    var dilation = 1

    var geometry: ConvolutionGeometry {
      var geometry = ConvolutionGeometry()
      geometry.stride = Size2D(stride)
      geometry.groups = groups
      geometry.dilation = Size2D(1, dilation)
      // As many as keep the size, before the first step where the image is a sequence.
      let isSequence = kernel[0] == 1 && kernel[1] > 1
      geometry.margins =
        isSequence ? Margins(left: (kernel[1] - 1) * dilation) : Margins(kernel[0] / 2)
      return geometry
    }

    var result: Shape {
      let size = geometry.outputSize(
        image: Size2D(image[1], image[2]), kernel: Size2D(kernel[0], kernel[1]))
      return [image[0], size.height, size.width, kernel[3]]
    }

    /// The convolution and its gradients.
    var benchmarks: [OperationBenchmark] {
      let (image, kernel, result, geometry) = (image, kernel, result, geometry)
      let operations = 2 * Double(result.elementCount) * Double(kernel.elementCount / kernel[3])
      let numbers = image.elementCount + kernel.elementCount + result.elementCount
      let weight = engineWeight(kernel)
      return [
        OperationBenchmark("convolution", label, operations: operations, numbers: numbers) {
          let (x, w) = (normal(image), weight())
          return { _ = engine.convolution(x, w, bias: nil, geometry) }
        },
        OperationBenchmark("convolution by input", label, operations: operations, numbers: numbers) {
          let (g, w) = (normal(result), weight())
          return { _ = engine.convolutionInputGradient(g, w, shape: image, geometry) }
        },
        OperationBenchmark("convolution by weight", label, operations: operations, numbers: numbers) {
          let (x, g) = (normal(image), normal(result))
          return { _ = engine.convolutionWeightGradient(x, g, shape: kernel, geometry) }
        },
      ]
    }

    private func engineWeight(_ kernel: Shape) -> @Sendable () -> Tensor { { normal(kernel) } }
  }

  /// Convolutions of ResNet, MobileNet and WaveNet, with their gradients.
  static let convolutions: [OperationBenchmark] = [
    Convolution(
      label: "7 x 7 / 2, 3-64, 8 x 224^2", image: [8, 224, 224, 3], kernel: [7, 7, 3, 64], stride: 2),
    Convolution(label: "3 x 3, 64-64, 8 x 56^2", image: [8, 56, 56, 64], kernel: [3, 3, 64, 64]),
    Convolution(label: "1 x 1, 256-64, 8 x 56^2", image: [8, 56, 56, 256], kernel: [1, 1, 256, 64]),
    Convolution(label: "3 x 3, 512-512, 8 x 7^2", image: [8, 7, 7, 512], kernel: [3, 3, 512, 512]),
    Convolution(
      label: "depthwise 3 x 3, 512, 16 x 14^2", image: [16, 14, 14, 512], kernel: [3, 3, 1, 512], groups: 512),
    Convolution(
      label: "causal 2, 64-128, 4 x 8000", image: [4, 1, 8000, 64], kernel: [1, 2, 64, 128], dilation: 32),
  ].flatMap(\.benchmarks)
}
