// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// The halves are computed in float32, float64 by plain loops.
extension CPUEngine {
  func convolution(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor {
    let (x, dtype) = Self.computable(x)
    let (weight, bias) = (Self.computable(weight).0, bias.map { Self.computable($0).0 })
    let size = geometry.outputSize(
      image: Size2D(x.shape[1], x.shape[2]), kernel: Size2D(weight.shape[0], weight.shape[1]))
    let y = Tensor(
      unsetWithShape: [x.shape[0], size.height, size.width, weight.shape[3]], dtype: x.dtype)
    var shape = ks_convolution(images: x.shape, weight: weight.shape, results: y.shape, geometry)
    withExtendedLifetime((x, weight, bias)) {
      ks_convolution_forward(&shape, x.dtype.rawValue, y.data, x.data, weight.data, bias?.data)
    }
    return Self.converted(y, to: dtype)
  }

  func convolutionInputGradient(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (gradient, dtype) = Self.computable(gradient)
    let weight = Self.computable(weight).0
    let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    var task = ks_convolution(images: shape, weight: weight.shape, results: gradient.shape, geometry)
    withExtendedLifetime((gradient, weight)) {
      ks_convolution_input_gradient(
        &task, gradient.dtype.rawValue, result.data, gradient.data, weight.data)
    }
    return Self.converted(result, to: dtype)
  }

  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (gradient, dtype) = Self.computable(gradient)
    let x = Self.computable(x).0
    let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    var task = ks_convolution(images: x.shape, weight: shape, results: gradient.shape, geometry)
    withExtendedLifetime((x, gradient)) {
      ks_convolution_weight_gradient(&task, gradient.dtype.rawValue, result.data, x.data, gradient.data)
    }
    return Self.converted(result, to: dtype)
  }

  /// The tensor contiguous and of a type that the kernels for images compute in, and the type that it had.
  static func computable(_ x: Tensor) -> (Tensor, DType) {
    let dtype = x.dtype
    if dtype == .float32 || dtype == .float64 { return (x.contiguous(), dtype) }
    let wide = Tensor(unsetWithShape: x.shape, dtype: .float32)
    wide.fill(from: x)
    return (wide, dtype)
  }

  /// The tensor of another type, off the tape.
  static func converted(_ x: Tensor, to dtype: DType) -> Tensor {
    if x.dtype == dtype { return x }
    let result = Tensor(unsetWithShape: x.shape, dtype: dtype)
    result.fill(from: x)
    return result
  }
}

extension Tensor {
  /// The first element. The tensor must outlive the use.
  var data: UnsafeMutableRawPointer { object.pointee.data! }
}

extension ks_convolution {
  fileprivate init(images: Shape, weight: Shape, results: Shape, _ geometry: ConvolutionGeometry) {
    self.init(
      batch: Int64(images[0]), height: Int64(images[1]), width: Int64(images[2]), inputs: Int64(images[3]),
      out_height: Int64(results[1]), out_width: Int64(results[2]), outputs: Int64(results[3]),
      kernel_height: Int64(weight[0]), kernel_width: Int64(weight[1]),
      stride_height: Int64(geometry.stride.height), stride_width: Int64(geometry.stride.width),
      dilation_height: Int64(geometry.dilation.height), dilation_width: Int64(geometry.dilation.width),
      top: Int64(geometry.margins.top), left: Int64(geometry.margins.left), groups: Int64(geometry.groups))
  }
}
