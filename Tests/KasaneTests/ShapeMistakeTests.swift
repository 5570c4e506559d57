// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Mistakes of a program, each of which traps with the operation and all shapes in its message.
enum ShapeMistake: String, CaseIterable, Codable {
  case binaryShapes, binaryTypes, matmulShapes, matmulBatches, matmulVector, dotShapes, einsumSizes,
    einsumTerm
  case reshapeSize, reshapeDoesNotDivide, reshapeTwoOpen, reshapeNegative, permutation, axis, axisTwice,
    broadcast
  case squeeze, select, subscriptIndex, subscriptRange, subscriptCount, subscriptStride, subscriptValue,
    emptyRank
  case stackShapes, concatenateShapes, concatenateTypes, splitSizes, splitParts, elementCount, scalar,
    elementType
  case gatherIndex, gatherType, gatherAlongShape, scatterShape, embeddingIndex, embeddingTable, oneHotIndex,
    mask
  case topCount, reflection, padding, interpolation, window, tiles, diagonal, arangeStep, arangeSize,
    repetition
  case negativeSize, absurdSize, tooManyAxes, raggedRows, raggedLiteral

  /// What the message must have in it.
  var message: String {
    switch self {
    case .binaryShapes: "shapes [2, 3] and [2] do not broadcast"
    case .binaryTypes: "float32 with int32"
    case .matmulShapes: "matmul: shapes [2, 3] and [2, 3] do not fit"
    case .matmulBatches: "matmul: shapes [2, 2, 3] and [3, 3, 2] do not broadcast"
    case .matmulVector: "matmul: shapes [2, 3] and [2] do not fit"
    case .dotShapes: "dot: shapes [2] and [3]"
    case .einsumSizes: "einsum: \"ij,jk\" for shapes [2, 3], [2, 3]"
    case .einsumTerm: "einsum: \"ij\" for shapes [2, 3, 4]"
    case .reshapeSize: "reshaped: shape [2, 3] does not fit [4]"
    case .reshapeDoesNotDivide: "reshaped: shape [7] does not fit [2, -1]"
    case .reshapeTwoOpen: "reshaped: shape [4] to [-1, -1]"
    case .reshapeNegative: "reshaped: shape [4] to [-2, -2]"
    case .permutation: "permuted: [0, 0] is no order of the axes of shape [2, 3]"
    case .axis: "sum: axis 2 of a tensor of shape [2, 3]"
    case .axisTwice: "flipped: axes [0, -2] of shape [2, 3]"
    case .broadcast: "broadcast: shape [2, 3] does not fit [2, 4]"
    case .squeeze: "squeezed: axis 1 of shape [2, 3]"
    case .select: "select: index -3 of axis 0 of shape [2, 3]"
    case .subscriptIndex: "subscript: index 3 of axis 1 of shape [2, 3]"
    case .subscriptRange: "subscript: range 1..<4 of axis 1 of shape [2, 3]"
    case .subscriptCount: "subscript: 3 indices for a tensor of shape [2, 3]"
    case .subscriptStride: "subscript: 4 indices from 0 in steps of 1 of axis 1 of shape [2, 3]"
    case .subscriptValue: "subscript: a value of shape [2] does not fit a slice of shape [3]"
    case .emptyRank: "subscript: index 0 of a tensor without axes"
    case .stackShapes: "stack: [2, 3] float32 beside [3, 2] float32"
    case .concatenateShapes: "concatenate: [2, 3] float32 and [2, 2] float32 along axis 0"
    case .concatenateTypes: "concatenate: [2, 3] float32 and [2, 3] int32"
    case .splitSizes: "split: sizes [1, 1] do not add up to axis 1 of shape [2, 3]"
    case .splitParts: "split: axis 1 of shape [2, 3] cannot be split into 2"
    case .elementCount: "3 elements do not make a tensor of shape [2, 2]"
    case .scalar: "scalar of a tensor of shape [2, 3]"
    case .elementType: "a float32 tensor read as float64"
    case .gatherIndex: "gathered: index 3 of axis 1 of a tensor of shape [2, 3]"
    case .gatherType: "gathered: indices of type float32"
    case .gatherAlongShape: "gatheredAlong: indices of shape [4, 1] along axis 1 of a tensor of shape [2, 3]"
    case .scatterShape: "scatterAdding: values of shape [2], float32, at indices of shape [1]"
    case .embeddingIndex: "embedding: index -3 of axis 0 of a tensor of shape [2, 3]"
    case .embeddingTable: "embedding: a table of shape [2]"
    case .oneHotIndex: "oneHot: index 4 of axis 0 of a tensor of shape [4]"
    case .mask: "masked: a bool mask of shape [3] for a tensor of shape [2, 3]"
    case .topCount: "topK: 4 elements of axis 1 of a tensor of shape [2, 3]"
    case .reflection: "padded: 0 before and 3 after axis 1 of shape [2, 3], mode reflect"
    case .padding: "padded: [1] before and [1] after do not fit the axes of shape [2, 3]"
    case .interpolation: "interpolated: images of shape [2, 3]"
    case .window: "unfolded: windows of 4 in steps of 1 along axis 1 of shape [2, 3]"
    case .tiles: "tiled: [-1] times a tensor of shape [2, 3]"
    case .diagonal: "diagonal: axes 0 and -2 of shape [2, 3] are one"
    case .arangeStep: "arange: a step of 0"
    case .arangeSize: "no room for a tensor of shape [1152921504606846976], int64"
    case .repetition: "has more elements than can be counted"
    case .negativeSize: "a tensor of shape [-1, -2], which has a negative size"
    case .absurdSize: "no room for a tensor of shape [1099511627776, 1024], float32"
    case .tooManyAxes: "a tensor has at most 8 axes"
    case .raggedRows: "rows with 2 and with 1 elements"
    case .raggedLiteral: "an array literal of tensors of shapes [2] and [1]"
    }
  }

  /// Makes the mistake.
  func make() {
    var x = Tensor(ones: [2, 3])
    switch self {
    case .binaryShapes: _ = x + Tensor(ones: [2])
    case .binaryTypes: _ = x * Tensor(ones: [3], dtype: .int32)
    case .matmulShapes: _ = matmul(x, x)
    case .matmulBatches: _ = matmul(Tensor(ones: [2, 2, 3]), Tensor(ones: [3, 3, 2]))
    case .matmulVector: _ = matmul(x, Tensor(ones: [2]))
    case .dotShapes: _ = dot(Tensor(ones: [2]), Tensor(ones: [3]))
    case .einsumSizes: _ = einsum("ij,jk", x, x)
    case .einsumTerm: _ = einsum("ij", Tensor(ones: [2, 3, 4]))
    case .reshapeSize: _ = x.reshaped(to: [4])
    case .reshapeDoesNotDivide: _ = Tensor(ones: [7]).reshaped(to: [2, -1])
    case .reshapeTwoOpen: _ = Tensor(ones: [4]).reshaped(to: [-1, -1])
    case .reshapeNegative: _ = Tensor(ones: [4]).reshaped(to: [-2, -2])
    case .permutation: _ = x.permuted([0, 0])
    case .axis: _ = x.sum(axes: [2])
    case .axisTwice: _ = x.flipped(axes: [0, -2])
    case .broadcast: _ = x.broadcast(to: [2, 4])
    case .squeeze: _ = x.squeezed(axis: 1)
    case .select: _ = x.select(-3)
    case .subscriptIndex: _ = x[0, 3]
    case .subscriptRange: _ = x[..., 1..<4]
    case .subscriptCount: _ = x[0, 0, 0]
    case .subscriptStride: _ = x[0, stride(from: 0, to: 4, by: 1)]
    case .subscriptValue: x[0] = Tensor(ones: [2])
    case .emptyRank: _ = Tensor(1.0)[0]
    case .stackShapes: _ = Tensor.stack([x, x.transposed()])
    case .concatenateShapes: _ = Tensor.concatenate([x, x[..., ..<2]])
    case .concatenateTypes: _ = Tensor.concatenate([x, x.cast(to: .int32)])
    case .splitSizes: _ = x.split(sizes: [1, 1], axis: -1)
    case .splitParts: _ = x.split(into: 2, axis: 1)
    case .elementCount: _ = Tensor([1.0, 2, 3], shape: [2, 2])
    case .scalar: _ = x.scalar
    case .elementType: _ = x.elements(as: Double.self)
    case .gatherIndex: _ = x.gathered(Tensor([0, 3]), axis: 1)
    case .gatherType: _ = x.gathered(Tensor([Float(0)]))
    case .gatherAlongShape: _ = x.gatheredAlong(Tensor([[0], [0], [0], [0]]), axis: 1)
    case .scatterShape: _ = x.scatterAdding(Tensor(ones: [2]), at: Tensor([0]))
    case .embeddingIndex: _ = embedding(x, Tensor([0, -3]))
    case .embeddingTable: _ = embedding(Tensor(ones: [2]), Tensor([0]))
    case .oneHotIndex: _ = oneHot(Tensor([0, 4]), depth: 4)
    case .mask: _ = x.masked(by: Tensor([true, false, true]))
    case .topCount: _ = x.topK(4)
    case .reflection: _ = x.padded(axis: 1, after: 3, mode: .reflect)
    case .padding: _ = x.padded(before: [1])
    case .interpolation: _ = x.interpolated(to: Size2D(4, 4))
    case .window: _ = x.unfolded(size: 4)
    case .tiles: _ = x.tiled([-1])
    case .diagonal: _ = x.diagonal(axes: (0, -2))
    case .arangeStep: _ = Tensor.arange(from: 0, to: 3, step: 0)
    case .arangeSize: _ = Tensor.arange(1 << 60)
    case .repetition: _ = x.repeated(1 << 62, axis: 0)
    case .negativeSize: _ = Tensor(zeros: [-1, -2])
    case .absurdSize: _ = Tensor(zeros: [1 << 40, 1 << 10])
    case .tooManyAxes: _ = Tensor(zeros: [1, 1, 1, 1, 1, 1, 1, 1, 1])
    case .raggedRows: _ = Tensor([[1, 2], [3]] as [[Float]])
    case .raggedLiteral: _ = [[1, 2], [3]] as Tensor
    }
  }
}

@Suite struct ShapeMistakeTests {
  @Test(arguments: ShapeMistake.allCases)
  func trapsSayWhatIsWrong(_ mistake: ShapeMistake) async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      mistake.make()
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains(mistake.message))
  }
}
