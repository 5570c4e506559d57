// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// A convolution that oneDNN computes.
struct LibraryConvolution {
  private var shape: cdnn_convolution
  /// The shapes of images, kernel and results.
  fileprivate let images, weight, results: Shape
  private let geometry: ConvolutionGeometry

  /// Nil for what oneDNN does not take: empty tensors, and margins at the end that leave out more of the images than the
  /// last step of the kernel would.
  init?(images x: Shape, weight w: Shape, results y: Shape, dtype: DType, _ geometry: ConvolutionGeometry) {
    guard dtype == .float32 || dtype == .bfloat16 else { return nil }
    guard x.elementCount > 0, w.elementCount > 0, y.elementCount > 0 else { return nil }
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
    (images, weight, results, self.geometry) = (x, w, y, geometry)
    shape = cdnn_convolution(
      computes: 0, type: Int64(dtype == .bfloat16 ? CDNN_BFLOAT16 : CDNN_FLOAT32), has_bias: 0, has_addend: 0,
      activation: Int64(CDNN_IDENTITY), threads: Int64(ks_adopt_threads()), batch: Int64(x[0]),
      height: Int64(x[1]), width: Int64(x[2]), inputs: Int64(x[3]), out_height: Int64(y[1]),
      out_width: Int64(y[2]), outputs: Int64(y[3]), kernel_height: Int64(w[0]), kernel_width: Int64(w[1]),
      stride_height: Int64(stride.height), stride_width: Int64(stride.width),
      dilation_height: Int64(dilation.height), dilation_width: Int64(dilation.width), top: Int64(margins.top),
      left: Int64(margins.left), bottom: Int64(bottom), right: Int64(right), groups: Int64(geometry.groups))
  }

  /// What computes one of the three tensors from the other two, to be given back; nil where oneDNN has no fast way.
  func primitive(
    _ computed: Int, hasBias: Bool = false, hasAddend: Bool = false, activation: Activation? = nil
  ) -> LibraryPrimitive? {
    var shape = shape
    shape.computes = Int64(computed)
    shape.has_bias = hasBias ? 1 : 0
    shape.has_addend = hasAddend ? 1 : 0
    if let activation {
      guard let code = activation.libraryCode else { return nil }
      shape.activation = Int64(code)
    }
    var primitive: OpaquePointer?
    let status = cdnn_convolution_find(&shape, &primitive)
    if status == 0 { return LibraryPrimitive(primitive: primitive!, convolution: self) }
    // Where it has no fast way, and none at all.
    if cdnn_is_unimplemented(status) != 0 { return nil }
    fail(status, "making")
  }

  fileprivate func fail(_ status: Int32, _ doing: String) -> Never {
    fatalError(
      "convolution: oneDNN says \(String(cString: cdnn_status_name(status))) on \(doing) that of images "
        + "\(images) with a weight \(weight) to \(results), \(geometry)")
  }
}

/// A primitive of oneDNN's, held until it is given back.
struct LibraryPrimitive {
  fileprivate let primitive: OpaquePointer
  fileprivate let convolution: LibraryConvolution

  /// Places, inputs and outputs of the kernel of a single group.
  fileprivate var kernelSizes: (Int64, Int64, Int64) {
    let weight = convolution.weight
    return (Int64(weight[0] * weight[1]), Int64(weight[2]), Int64(weight[3]))
  }

  func giveBack() { cdnn_convolution_give_back(primitive) }

  /// Computes one of images, weight and results, all contiguous; bias float32, and the weight too unless it is packed.
  func run(
    images: Tensor, weight: Tensor, isPacked: Bool = false, bias: Tensor? = nil, addend: Tensor? = nil,
    results: Tensor
  ) {
    if !isPacked, let blocks = KernelBlocks(self) {
      return run(images: images, weight: weight, in: blocks, bias: bias, addend: addend, results: results)
    }
    var operands = cdnn_operands(
      images: images.data, weight: weight.data, bias: bias?.floats, addend: addend?.data,
      results: results.data, is_packed: isPacked ? 1 : 0)
    let bytes = cdnn_convolution_workspace(primitive, operands.is_packed)
    let workspace = Tensor(unsetWithShape: Shape(bytes), dtype: .uint8)
    let status = cdnn_convolution_run(primitive, &operands, workspace.data)
    withExtendedLifetime((images, weight, bias, addend, results, workspace)) {}
    if status != 0 { convolution.fail(status, "running") }
  }

  /// The same by a copy of the weight that this library's kernels make, or read, in the primitive's layout.
  private func run(
    images: Tensor, weight: Tensor, in blocks: KernelBlocks, bias: Tensor?, addend: Tensor?, results: Tensor
  ) {
    let packed = Tensor(unsetWithShape: Shape(cdnn_convolution_packed_bytes(primitive)), dtype: .uint8)
    if !blocks.isForGradient { blocks.pack(weight, into: packed) }
    run(
      images: images, weight: packed, isPacked: true, bias: bias, addend: addend, results: results)
    if blocks.isForGradient { blocks.unpack(packed, into: weight) }
  }

  /// Equal for all primitives that take the same kernel in the same layout.
  var layout: Int { Int(cdnn_convolution_layout(primitive)) }

  /// The float32 kernel in the layout that the primitive likes best: itself where that is the tensor's.
  func packed(_ weight: Tensor) -> Tensor {
    let bytes = cdnn_convolution_packed_bytes(primitive)
    if bytes == 0 { return weight }
    let result = Tensor(unsetWithShape: Shape(bytes), dtype: .uint8)
    if let blocks = KernelBlocks(self) {
      blocks.pack(weight, into: result)
      return result
    }
    let workspace = Tensor(
      unsetWithShape: Shape(cdnn_convolution_workspace(primitive, 0)), dtype: .uint8)
    let status = cdnn_convolution_pack(primitive, weight.floats, result.data, workspace.data)
    withExtendedLifetime((weight, result, workspace)) {}
    if status != 0 { convolution.fail(status, "packing the weight of") }
    return result
  }
}

/// A layout of oneDNN's that this library's kernels write or read faster than oneDNN's reorders do.
private struct KernelBlocks {
  private let kind: Int
  private var blocks: ks_kernel_blocks

  init?(_ primitive: LibraryPrimitive) {
    var found = cdnn_blocks()
    cdnn_convolution_blocks(primitive.primitive, &found)
    kind = Int(found.kind)
    let isKnown =
      kind == CDNN_OUTPUT_ROWS
      || (kind == CDNN_INPUT_PAIRS || kind == CDNN_OUTPUT_PAIRS) && HalfProduct.isAvailable
    guard isKnown else { return nil }
    let (places, inputs, outputs) = primitive.kernelSizes
    blocks = ks_kernel_blocks(
      places: places, inputs: inputs, outputs: outputs, block: found.outputs,
      output_stride: found.output_stride, input_stride: found.input_stride, place_stride: found.place_stride)
  }

  /// Whether it is the layout of a weight's gradient, which is read.
  var isForGradient: Bool { kind == CDNN_OUTPUT_ROWS }

  func pack(_ weight: Tensor, into packed: Tensor) {
    var blocks = blocks
    let numbers = packed.data.assumingMemoryBound(to: UInt16.self)
    if kind == CDNN_INPUT_PAIRS {
      ks_half_pack_input_pairs(&blocks, weight.floats, numbers)
    } else {
      ks_half_pack_output_pairs(&blocks, weight.floats, numbers)
    }
  }

  func unpack(_ packed: Tensor, into weight: Tensor) {
    var blocks = blocks
    ks_unpack_output_rows(&blocks, packed.data.assumingMemoryBound(to: Float.self), weight.floats)
  }
}

extension UnaryPrimitive {
  /// The library's number of an activation that can follow a convolution or a product, or nil.
  var libraryCode: Int? {
    switch self {
    case .relu: CDNN_RELU
    case .tanh: CDNN_TANH
    case .sigmoid: CDNN_SIGMOID
    case .gelu: CDNN_GELU
    case .silu: CDNN_SILU
    default: nil
    }
  }
}

extension Activation {
  /// The library's number of the activation, those included that are no primitive of the engine, or nil.
  fileprivate var libraryCode: Int? {
    switch self {
    case .relu6: CDNN_RELU6
    case .leakyReLU: CDNN_LEAKY_RELU
    case .hardSwish: CDNN_HARD_SWISH
    default: primitive?.libraryCode
    }
  }
}
