// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// A convolution by a kernel of 3 x 3 in steps of one that computes tiles of 4 x 4 results with a quarter of the
/// multiplications (Lavin and Gray 2016, section 4.1; the points are 0, ±5/8, ±3/2 and infinity).
///
/// Its results are off by about 1e-6 of their root mean square, six times what a plain sum in float32 is, the farthest by
/// some 1e-5.
struct WinogradConvolution {
  private let shape: ks_winograd
  private let images, weight, results: Shape

  /// Nil for what is no such convolution, or of another type or numbers of channels than the kernels take.
  init?(images x: Shape, weight w: Shape, results y: Shape, dtype: DType, _ geometry: ConvolutionGeometry) {
    guard dtype == .float32, w[0] == 3, w[1] == 3, geometry.groups == 1, geometry.stride == Size2D(1),
      geometry.dilation == Size2D(1), w[2] % 16 == 0, w[3] % 16 == 0, x.elementCount > 0, y.elementCount > 0,
      w.elementCount > 0
    else { return nil }
    (images, weight, results) = (x, w, y)
    shape = ks_winograd(
      batch: Int64(x[0]), height: Int64(x[1]), width: Int64(x[2]), inputs: Int64(x[3]),
      out_height: Int64(y[1]),
      out_width: Int64(y[2]), outputs: Int64(y[3]), top: Int64(geometry.margins.top),
      left: Int64(geometry.margins.left), image_pixel: 0, result_pixel: 0)
  }

  /// Whether it is faster than the library's convolution. That is a matter of shapes alone, so that a program always
  /// computes the same.
  var pays: Bool {
    let down = (results[1] + 3) / 4, across = (results[2] + 3) / 4, places = results[1] * results[2]
    // Tiles that lie mostly on the image; tiles enough for the kernel's way there; work enough for the launches.
    return places * 2 >= down * across * 16 && results[0] * down * across >= 16
      && min(weight[2], weight[3]) >= 32 && results[0] * places * weight.elementCount >= 1 << 25
  }

  /// Whether it is so where the library has the kernel ready in its own layout, while the kernel's way to the points is gone
  /// each time.
  var paysInUse: Bool { pays && results[0] * ((results[1] + 3) / 4) * ((results[2] + 3) / 4) >= 49 }

  /// The results, of float32 operands.
  func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let y = Tensor(unsetWithShape: results, dtype: .float32)
    let (x, weight, bias) = (Pixels(x), weight.contiguous(), bias?.contiguous())
    var shape = shape
    shape.image_pixel = x.distance
    withExtendedLifetime((x, weight, bias)) {
      check(ks_winograd_forward(&shape, y.floats, x.tensor.floats, weight.floats, bias?.floats))
    }
    return y
  }

  /// The gradient of the images, of float32 operands.
  func imagesGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    let x = Tensor(unsetWithShape: images, dtype: .float32)
    let (gradient, weight) = (Pixels(gradient), weight.contiguous())
    var shape = shape
    shape.result_pixel = gradient.distance
    withExtendedLifetime((gradient, weight)) {
      check(ks_winograd_images_gradient(&shape, x.floats, gradient.tensor.floats, weight.floats))
    }
    return x
  }

  /// The gradient of the kernel, of float32 operands.
  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let result = Tensor(unsetWithShape: weight, dtype: .float32)
    let (x, gradient) = (Pixels(x), Pixels(gradient))
    var shape = shape
    (shape.image_pixel, shape.result_pixel) = (x.distance, gradient.distance)
    withExtendedLifetime((x, gradient)) {
      check(ks_winograd_kernel_gradient(&shape, result.floats, x.tensor.floats, gradient.tensor.floats))
    }
    return result
  }

  /// Images whose pixels lie evenly, such as some of the channels of wider ones.
  private struct Pixels {
    let tensor: Tensor
    let distance: Int64

    init(_ images: Tensor) {
      tensor = ks_row_stride(images.object) > 0 ? images : images.contiguous()
      distance = ks_row_stride(tensor.object)
    }
  }

  private func check(_ status: Int32) {
    if status != Int32(KS_DONE) {
      fatalError("out of memory: no room for a convolution of images \(images) with a weight \(weight)")
    }
  }
}
