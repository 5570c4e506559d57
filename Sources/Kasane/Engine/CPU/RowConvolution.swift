// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Convolutions along a single row in steps of one, such as those of sounds, as matrix products: for each tap the row,
/// moved by the tap's distance, times the tap's matrix. They are faster than oneDNN's convolution where the kernels for
/// products are the best, and so is the gradient of a weight where there is one for bfloat16.
struct RowConvolution {
  private let images, weight, results: Shape
  private let dilation, left: Int

  /// Nil for other convolutions, where it does not pay, and where KASANE_CONVOLUTION refuses it.
  init?(images x: Shape, weight w: Shape, results y: Shape, _ geometry: ConvolutionGeometry) {
    guard !convolutionsAreDirect, x[1] == 1, y[1] == 1, w[0] == 1, w[1] > 1, w[1] <= 8,
      geometry.groups == 1, geometry.stride == Size2D(1), geometry.margins.top == 0, w[2] >= 16, w[3] >= 16,
      x.elementCount > 0, y[2] * w[2] * w[3] >= 1 << 22
    else { return nil }
    (images, weight, results) = (x, w, y)
    (dilation, left) = (geometry.dilation.width, geometry.margins.left)
  }

  /// The results at which a tap sees pixels, and the first of these.
  private func overlap(of tap: Int) -> (results: Range<Int>, pixel: Int) {
    let shift = tap * dilation - left
    let first = max(0, -shift), end = max(first, min(results[2], images[2] - shift))
    return (first..<end, first + shift)
  }

  private func rows(_ x: Tensor, _ image: Int, from pixel: Int, count: Int) -> MatrixView {
    let (width, channels) = (x.shape[2], x.shape[3])
    return MatrixView(
      x.data + x.dtype.size * (image * width + pixel) * channels, rows: count, columns: channels)
  }

  private func matrix(_ weight: Tensor, _ tap: Int) -> MatrixView {
    let (inputs, outputs) = (self.weight[2], self.weight[3])
    return MatrixView(weight.data + 4 * tap * inputs * outputs, rows: inputs, columns: outputs)
  }

  /// The results, of float32 operands.
  func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let (x, weight) = (x.contiguous(), weight.contiguous())
    let y = Tensor(unsetWithShape: results, dtype: .float32)
    if let bias {
      y.fill(from: withoutGradient { bias.broadcast(to: results) })
    } else {
      engine.fill(y, with: 0)
    }
    forEachTap { image, tap, places, pixel in
      KernelProduct(rows(x, image, from: pixel, count: places.count), matrix(weight, tap), accumulates: true)
        .run(into: rows(y, image, from: places.lowerBound, count: places.count))
    }
    withExtendedLifetime((x, weight)) {}
    return y
  }

  /// The gradient of the images, of float32 operands.
  func imagesGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    let (gradient, weight) = (gradient.contiguous(), weight.contiguous())
    let x = Tensor(unsetWithShape: images, dtype: .float32)
    engine.fill(x, with: 0)
    forEachTap { image, tap, places, pixel in
      KernelProduct(
        rows(gradient, image, from: places.lowerBound, count: places.count), matrix(weight, tap).transposed(),
        accumulates: true
      ).run(into: rows(x, image, from: pixel, count: places.count))
    }
    withExtendedLifetime((gradient, weight)) {}
    return x
  }

  /// The gradient of the weight in float32, of bfloat16 operands.
  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let (x, gradient) = (x.contiguous(), gradient.contiguous())
    let result = Tensor(unsetWithShape: weight, dtype: .float32)
    engine.fill(result, with: 0)
    forEachTap { image, tap, places, pixel in
      HalfProduct(
        rows(x, image, from: pixel, count: places.count),
        rows(gradient, image, from: places.lowerBound, count: places.count)
      ).run(into: matrix(result, tap), accumulates: true)
    }
    withExtendedLifetime((x, gradient)) {}
    return result
  }

  private func forEachTap(_ body: (_ image: Int, _ tap: Int, _ places: Range<Int>, _ pixel: Int) -> Void) {
    for image in 0..<images[0] {
      for tap in 0..<weight[1] {
        let (places, pixel) = overlap(of: tap)
        if !places.isEmpty { body(image, tap, places, pixel) }
      }
    }
  }
}
