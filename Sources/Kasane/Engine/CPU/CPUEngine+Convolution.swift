// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// oneDNN for float32 and bfloat16, plain loops for float64; float16 is computed in float32.
extension CPUEngine {
  func convolution(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor {
    let call = ConvolutionCall(x, weight, bias: bias, geometry)
    // In use the library has the weight ready in its own layout.
    if Tape.recording != nil, weight.dtype == .float32,
      let winograd = winograd(
        images: x.shape, weight: weight.shape, results: call.resultShape, x.dtype, geometry)
    {
      return winograd.forward(x, weight, bias: bias)
    }
    if let y = kernelConvolution(call) ?? libraryConvolution(call) { return y }
    let (x, dtype) = Self.computable(x)
    if dtype != x.dtype {
      // oneDNN may have no way for the half, but one for float32.
      return Self.converted(convolution(x, weight, bias: bias, geometry), to: dtype)
    }
    let (weight, bias) = (Self.converted(weight, to: x.dtype), bias.map { Self.converted($0, to: x.dtype) })
    let y = Tensor(unsetWithShape: call.resultShape, dtype: x.dtype)
    var task = ks_convolution(images: x.shape, weight: weight.shape, results: y.shape, geometry)
    let (kernel, addend) = (weight.contiguous(), bias?.contiguous())
    withExtendedLifetime((x, kernel, addend)) {
      ks_convolution_forward(&task, x.dtype.rawValue, y.data, x.data, kernel.data, addend?.data)
    }
    return y
  }

  func convolution(_ call: ConvolutionCall) -> Tensor {
    kernelConvolution(call) ?? libraryConvolution(call) ?? composedConvolution(call)
  }

  /// The whole call by this library's own kernels, where these are the fastest on the machine in use too, or nil.
  private func kernelConvolution(_ call: ConvolutionCall) -> Tensor? {
    guard KernelProduct.isBest, call.weight.dtype == .float32 else { return nil }
    let (x, shape) = (call.x, call.resultShape)
    if x.dtype == .float32,
      let row = RowConvolution(
        images: x.shape, weight: call.weight.shape, results: shape, call.geometry)
    {
      let (weight, bias) = folded(call)
      return finished(row.forward(x, weight, bias: bias), call)
    }
    guard
      let winograd = winograd(
        images: x.shape, weight: call.weight.shape, results: shape, x.dtype, call.geometry),
      winograd.paysInUse
    else { return nil }
    let ready = preparedWeight(call, layout: -1) { $0 }
    let (weight, bias) = ready.map { ($0.tensor, $0.second) } ?? folded(call)
    return finished(winograd.forward(x, weight, bias: bias), call)
  }

  /// Winograd's convolution where it is the fastest and not refused by KASANE_CONVOLUTION.
  private func winograd(
    images: Shape, weight: Shape, results: Shape, _ dtype: DType, _ geometry: ConvolutionGeometry
  ) -> WinogradConvolution? {
    guard !convolutionsAreDirect else { return nil }
    let winograd = WinogradConvolution(
      images: images, weight: weight, results: results, dtype: dtype, geometry)
    return winograd.flatMap { $0.pays ? $0 : nil }
  }

  /// The whole call in one primitive, or nil where there is none.
  private func libraryConvolution(_ call: ConvolutionCall) -> Tensor? {
    let shape = call.resultShape
    let library = LibraryConvolution(
      images: call.x.shape, weight: call.weight.shape, results: shape, dtype: call.x.dtype, call.geometry)
    guard
      let primitive = library?.primitive(
        CDNN_RESULTS, hasBias: call.bias != nil || call.norm != nil, hasAddend: call.residual != nil,
        activation: call.activation)
    else { return nil }
    let y = Tensor(unsetWithShape: shape, dtype: call.x.dtype)
    let (x, residual) = (call.x.contiguous(), call.residual?.contiguous())
    if let ready = preparedWeight(call, layout: primitive.layout, primitive.packed) {
      primitive.run(
        images: x, weight: ready.tensor, isPacked: true, bias: ready.second, addend: residual, results: y)
    } else {
      let (weight, bias) = folded(call)
      primitive.run(images: x, weight: weight, bias: bias, addend: residual, results: y)
    }
    primitive.giveBack()
    return y
  }

  /// The weight, packed in a layout of this number, and the bias, with the norm in them, kept with the weight: where the
  /// weight is a parameter's and nobody is about to change it, as in training.
  private func preparedWeight(
    _ call: ConvolutionCall, layout: Int, _ packed: (Tensor) -> Tensor
  ) -> PreparedValue? {
    guard Tape.recording == nil, let values = call.weight.preparedValuesOfWhole else { return nil }
    var others: [PreparedValues] = []
    for tensor in [call.bias, call.norm?.mean, call.norm?.variance, call.norm?.scale, call.norm?.shift] {
      guard let tensor else { continue }
      guard let known = tensor.preparedValuesOfWhole else { return nil }
      others.append(known)
    }
    let epsilon = call.norm.map { Int(bitPattern: UInt($0.epsilon.bitPattern)) } ?? -1
    return values.value(
      for: .init(.foldedConvolution, layout, epsilon, others.count), dependingOn: others
    ) {
      let (weight, bias) = folded(call)
      return PreparedValue(packed(weight), bias)
    }
  }

  /// The kernel and the bias with the norm in them, contiguous and of type float32.
  private func folded(_ call: ConvolutionCall) -> (Tensor, Tensor?) {
    let weight = Self.converted(call.weight, to: .float32),
      bias = call.bias.map { Self.converted($0, to: .float32) }
    guard let norm = call.norm else { return (weight.contiguous(), bias?.contiguous()) }
    let (factor, offset) = factorAndOffset(of: norm)
    let moved = bias.map { binary(.add, binary(.multiply, $0, factor), offset) } ?? offset
    return (binary(.multiply, weight, factor), moved)
  }

  func convolutionInputGradient(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    if weight.dtype == .float32,
      let winograd = winograd(
        images: shape, weight: weight.shape, results: gradient.shape, gradient.dtype, geometry)
    {
      return winograd.imagesGradient(gradient, weight)
    }
    if weight.dtype == .float32,
      let row = RowConvolution(images: shape, weight: weight.shape, results: gradient.shape, geometry)
    {
      if gradient.dtype == .float32, KernelProduct.isBest { return row.imagesGradient(gradient, weight) }
      if gradient.dtype == .bfloat16,
        let result = turnedConvolution(gradient, weight, shape: shape, geometry)
      {
        return result
      }
    }
    let library = LibraryConvolution(
      images: shape, weight: weight.shape, results: gradient.shape, dtype: gradient.dtype, geometry)
    if let primitive = library?.primitive(CDNN_IMAGES_GRADIENT) {
      let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
      primitive.run(
        images: result, weight: Self.converted(weight, to: .float32).contiguous(),
        results: gradient.contiguous())
      primitive.giveBack()
      return result
    }
    let (wide, dtype) = Self.computable(gradient)
    if dtype != wide.dtype {
      return Self.converted(convolutionInputGradient(wide, weight, shape: shape, geometry), to: dtype)
    }
    let weight = Self.converted(weight, to: dtype).contiguous()
    let result = Tensor(unsetWithShape: shape, dtype: dtype)
    var task = ks_convolution(images: shape, weight: weight.shape, results: gradient.shape, geometry)
    withExtendedLifetime((wide, weight)) {
      ks_convolution_input_gradient(&task, dtype.rawValue, result.data, wide.data, weight.data)
    }
    return result
  }

  /// The images' gradient of a convolution along a row in steps of one as the convolution of its gradient with the kernel
  /// turned around, which oneDNN computes faster in bfloat16, or nil where the margins do not allow it.
  private func turnedConvolution(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor? {
    var turned = geometry
    turned.margins.left = (weight.shape[1] - 1) * geometry.dilation.width - geometry.margins.left
    let kernel = withoutGradient { weight.flipped(axes: [1]).swappedAxes(2, 3) }.contiguous()
    let library = LibraryConvolution(
      images: gradient.shape, weight: kernel.shape, results: shape, dtype: gradient.dtype, turned)
    guard let primitive = library?.primitive(CDNN_RESULTS) else { return nil }
    let result = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    primitive.run(images: gradient.contiguous(), weight: kernel, results: result)
    primitive.giveBack()
    return result
  }

  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    convolutionWeightGradient(x, gradient, shape: shape, geometry, resultType: gradient.dtype)
  }

  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry, resultType: DType
  ) -> Tensor {
    if resultType == .float32, geometry.isPointwise(shape), x.dtype == gradient.dtype,
      x.dtype == .float32 || x.dtype == .bfloat16
    {
      let result =
        x.dtype == .float32
        ? matrixProduct(x, gradient, transposing: .left)
        : matrixProduct(x, gradient, transposing: .left, resultType: .float32)
      return withoutGradient { result.reshaped(to: shape) }
    }
    if x.dtype == .float32, resultType == .float32,
      let winograd = winograd(
        images: x.shape, weight: shape, results: gradient.shape, gradient.dtype, geometry)
    {
      return winograd.weightGradient(x, gradient)
    }
    if x.dtype == .float32, gradient.dtype == .float32, resultType == .float32,
      geometry.paysToGather(shape, gradient.shape)
    {
      return gatheredWeightGradient(x.contiguous(), gradient.contiguous(), shape: shape, geometry)
    }
    if HalfProduct.isAvailable, x.dtype == .bfloat16, gradient.dtype == .bfloat16, resultType == .float32,
      let row = RowConvolution(images: x.shape, weight: shape, results: gradient.shape, geometry)
    {
      return row.weightGradient(x, gradient)
    }
    if HalfProduct.isAvailable, x.dtype == .bfloat16, gradient.dtype == .bfloat16, resultType == .float32,
      geometry.paysToGatherNarrow(shape, gradient.shape)
    {
      return gatheredWeightGradient(x.contiguous(), gradient.contiguous(), shape: shape, geometry)
    }
    let library = LibraryConvolution(
      images: x.shape, weight: shape, results: gradient.shape, dtype: gradient.dtype, geometry)
    if let primitive = library?.primitive(CDNN_WEIGHT_GRADIENT) {
      let result = Tensor(unsetWithShape: shape, dtype: .float32)
      primitive.run(images: x.contiguous(), weight: result, results: gradient.contiguous())
      primitive.giveBack()
      return Self.converted(result, to: resultType)
    }
    let (images, wide) = (Self.computable(x).0, Self.computable(gradient).0)
    if wide.dtype != gradient.dtype {
      return convolutionWeightGradient(images, wide, shape: shape, geometry, resultType: resultType)
    }
    let result = Tensor(unsetWithShape: shape, dtype: wide.dtype)
    var task = ks_convolution(images: x.shape, weight: shape, results: gradient.shape, geometry)
    withExtendedLifetime((images, wide)) {
      ks_convolution_weight_gradient(&task, wide.dtype.rawValue, result.data, images.data, wide.data)
    }
    return Self.converted(result, to: resultType)
  }

  /// The kernel's gradient in float32 as matrix products of what the places of some images at a time see with their
  /// gradients, both float32 or both bfloat16.
  private func gatheredWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let result = Tensor(unsetWithShape: shape, dtype: .float32)
    var task = ks_convolution(images: x.shape, weight: shape, results: gradient.shape, geometry)
    let places = gradient.shape[1] * gradient.shape[2], outputs = shape[3]
    let seen = shape.elementCount / outputs, image = x.elementCount / x.shape[0], size = x.dtype.size
    let most = min(x.shape[0], max(1, ConvolutionGeometry.gathered / (places * seen)))
    let rows = Tensor(unsetWithShape: [most * places, seen], dtype: x.dtype)
    // Two numbers of bfloat16 are moved like one of float32.
    task.inputs /= Int64(4 / size)
    _ = ks_adopt_threads()
    withExtendedLifetime((x, gradient, rows)) {
      for first in stride(from: 0, to: x.shape[0], by: most) {
        let count = min(most, x.shape[0] - first)
        task.batch = Int64(count)
        let images = x.data + first * image * size
        ks_gather_columns(
          &task, rows.data.assumingMemoryBound(to: Float.self), images.assumingMemoryBound(to: Float.self))
        multiply(
          transposed: MatrixView(rows.data, rows: count * places, columns: seen),
          MatrixView(gradient.data + first * places * outputs * size, rows: count * places, columns: outputs),
          into: MatrixView(result.data, rows: seen, columns: outputs), dtype: x.dtype, accumulates: first > 0)
      }
    }
    return result
  }

  /// y = a^T b, or y += a^T b, of matrices of float32 or of bfloat16, y of float32.
  private func multiply(
    transposed a: MatrixView, _ b: MatrixView, into y: MatrixView, dtype: DType, accumulates: Bool
  ) {
    if dtype == .bfloat16 {
      HalfProduct(a, b).run(into: y, accumulates: accumulates)
      return
    }
    let (left, right) = (GemmOperand(a), GemmOperand(b))
    let status = cdnn_sgemm(
      1, 0, a.columns, b.columns, a.rows, 1, left.floats, left.stride, right.floats, right.stride,
      accumulates ? 1 : 0, y.data.assumingMemoryBound(to: Float.self), y.rowStride)
    precondition(
      status == 0,
      "convolution: oneDNN status \(status) for the gradient of a weight \(y.rows) by \(y.columns)")
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

extension ConvolutionGeometry {
  /// So many numbers of what places see are gathered at a time: 8 MiB, which stay in the last cache.
  fileprivate static let gathered = 1 << 21

  /// Whether the library's gradient of the kernel is slower than a product of what is gathered: in steps of more than one,
  /// and along a single row, it runs at 150 to 230 GFLOP/s. With few inputs it takes as long to gather them.
  fileprivate func paysToGather(_ kernel: Shape, _ results: Shape) -> Bool {
    let places = results[1] * results[2], seen = kernel[0] * kernel[1] * kernel[2]
    return groups == 1 && (stride != Size2D(1) || results[1] == 1) && kernel[0] * kernel[1] > 1
      && min(kernel[2], kernel[3]) >= 32
      && places * seen <= 4 * Self.gathered && results[0] * places * kernel.elementCount >= 1 << 25
  }

  /// The same in bfloat16, where the library is slow on few places and in steps of more than one.
  fileprivate func paysToGatherNarrow(_ kernel: Shape, _ results: Shape) -> Bool {
    let places = results[1] * results[2], area = kernel[0] * kernel[1]
    return groups == 1 && min(kernel[2], kernel[3]) >= 32 && kernel[2].isMultiple(of: 2)
      && (places < 64 || stride != Size2D(1) && (places < 256 || area == 1))
      && places * area * kernel[2] <= 4 * Self.gathered
      && results[0] * places * kernel.elementCount >= 1 << 25
  }

  /// Whether a kernel sees single pixels, and all of them: then its gradient is a matrix product, which oneDNN computes at
  /// up to twice the speed of its convolution's.
  fileprivate func isPointwise(_ kernel: Shape) -> Bool {
    kernel[0] == 1 && kernel[1] == 1 && groups == 1 && stride == Size2D(1) && margins == Margins()
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
