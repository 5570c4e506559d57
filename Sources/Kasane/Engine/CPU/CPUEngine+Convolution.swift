// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// oneDNN for float32, in which the halves are computed too; plain loops for float64.
extension CPUEngine {
  func convolution(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor {
    let (x, dtype) = Self.computable(x)
    let (weight, bias) = (Self.computable(weight).0, bias.map { Self.computable($0).0 })
    let size = geometry.outputSize(
      image: Size2D(x.shape[1], x.shape[2]), kernel: Size2D(weight.shape[0], weight.shape[1]))
    let y = Tensor(
      unsetWithShape: [x.shape[0], size.height, size.width, weight.shape[3]], dtype: x.dtype)
    if let call = LibraryConvolution(images: x, weight: weight, results: y, geometry) {
      call.run(CDNN_RESULTS, bias: bias)
    } else {
      var task = ks_convolution(images: x.shape, weight: weight.shape, results: y.shape, geometry)
      withExtendedLifetime((x, weight, bias)) {
        ks_convolution_forward(&task, x.dtype.rawValue, y.data, x.data, weight.data, bias?.data)
      }
    }
    return Self.converted(y, to: dtype)
  }

  func convolutionInputGradient(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (gradient, dtype) = Self.computable(gradient)
    let weight = Self.computable(weight).0
    let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    if let call = LibraryConvolution(images: result, weight: weight, results: gradient, geometry) {
      call.run(CDNN_IMAGES_GRADIENT)
    } else {
      var task = ks_convolution(images: shape, weight: weight.shape, results: gradient.shape, geometry)
      withExtendedLifetime((gradient, weight)) {
        ks_convolution_input_gradient(
          &task, gradient.dtype.rawValue, result.data, gradient.data, weight.data)
      }
    }
    return Self.converted(result, to: dtype)
  }

  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (gradient, dtype) = Self.computable(gradient)
    let x = Self.computable(x).0
    let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    if let call = LibraryConvolution(images: x, weight: result, results: gradient, geometry) {
      call.run(CDNN_WEIGHT_GRADIENT)
    } else {
      var task = ks_convolution(images: x.shape, weight: shape, results: gradient.shape, geometry)
      withExtendedLifetime((x, gradient)) {
        ks_convolution_weight_gradient(&task, gradient.dtype.rawValue, result.data, x.data, gradient.data)
      }
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

/// A convolution that oneDNN computes.
private struct LibraryConvolution {
  let images, weight, results: Tensor
  let geometry: ConvolutionGeometry
  var shape: cdnn_convolution

  /// Nil for what oneDNN does not take: other types than float32, empty tensors, and margins at the end that leave
  /// out more of the images than the last step of the kernel would.
  init?(images: Tensor, weight: Tensor, results: Tensor, _ geometry: ConvolutionGeometry) {
    let (x, w, y) = (images.shape, weight.shape, results.shape)
    guard images.dtype == .float32, x.elementCount > 0, w.elementCount > 0, y.elementCount > 0 else {
      return nil
    }
    /// Margins that make the size of the results exact: oneDNN, which rounds down, wants no other.
    func after(_ image: Int, _ before: Int, _ kernel: Int, _ dilation: Int, _ results: Int, _ stride: Int)
      -> Int
    {
      (results - 1) * stride + (kernel - 1) * dilation + 1 - image - before
    }
    let (stride, dilation, margins) = (geometry.stride, geometry.dilation, geometry.margins)
    let bottom = after(x[1], margins.top, w[0], dilation.height, y[1], stride.height)
    let right = after(x[2], margins.left, w[1], dilation.width, y[2], stride.width)
    guard margins.top >= 0, margins.left >= 0, bottom > -stride.height, right > -stride.width else {
      return nil
    }
    (self.images, self.weight, self.results, self.geometry) = (images, weight, results, geometry)
    shape = cdnn_convolution(
      computes: 0, has_bias: 0, threads: Int64(ks_adopt_threads()), batch: Int64(x[0]), height: Int64(x[1]),
      width: Int64(x[2]), inputs: Int64(x[3]), out_height: Int64(y[1]), out_width: Int64(y[2]),
      outputs: Int64(y[3]), kernel_height: Int64(w[0]), kernel_width: Int64(w[1]),
      stride_height: Int64(stride.height), stride_width: Int64(stride.width),
      dilation_height: Int64(dilation.height), dilation_width: Int64(dilation.width), top: Int64(margins.top),
      left: Int64(margins.left), bottom: Int64(bottom), right: Int64(right), groups: Int64(geometry.groups))
  }

  /// Computes one of the three tensors from the other two.
  func run(_ computed: Int, bias: Tensor? = nil) {
    var shape = shape
    shape.computes = Int64(computed)
    shape.has_bias = bias == nil ? 0 : 1
    var primitive: OpaquePointer?
    var bytes = 0
    check(cdnn_convolution_find(&shape, &primitive, &bytes), "making")
    let workspace = Tensor(unsetWithShape: Shape(bytes), dtype: .uint8)
    check(
      cdnn_convolution_run(
        primitive, images.floats, weight.floats, bias?.floats, results.floats, workspace.data), "running")
    withExtendedLifetime((images, weight, results, bias, workspace)) {}
  }

  private func check(_ status: Int32, _ doing: String) {
    guard status != 0 else { return }
    fatalError(
      "convolution: oneDNN says \(String(cString: cdnn_status_name(status))) on \(doing) that of images "
        + "\(images.shape) with a weight \(weight.shape) to \(results.shape), \(geometry)")
  }
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
