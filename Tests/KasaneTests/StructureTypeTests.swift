// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What only moves or orders elements does the same for every type.
@Suite struct StructureTypeTests {
  private static let movements: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("slice", { $0[1..., (0...).stride(by: -2)] }), ("select", { $0[1] }), ("flipped", { $0.flipped() }),
    ("permuted", { $0.permuted([1, 0]) }), ("reshaped", { $0.transposed().reshaped(to: [2, 6]) }),
    ("diagonal", { $0.diagonal() }), ("broadcast", { $0.broadcast(to: [2, 3, 4]) }),
    ("unfolded", { $0.unfolded(size: 2) }), ("rolled", { $0.rolled(by: 1, axis: 1) }),
    ("tiled", { $0.tiled([2, 2]) }), ("repeated", { $0.repeated(2, axis: 0) }),
    ("padded", { $0.padded(before: [1, 2], mode: .constant(1)) }),
    ("reflected", { $0.padded(before: [1, 2], mode: .reflect) }),
    ("edges", { $0.padded(before: [1, 2], mode: .edge) }), ("lowerTriangle", { $0.lowerTriangle() }),
    ("upperTriangle", { $0.upperTriangle(offset: 1) }),
    ("concatenate", { Tensor.concatenate([$0, $0[1...]]) }),
    ("stack", { Tensor.stack([$0, $0], axis: 1) }), ("gathered", { $0.gathered(Tensor([2, -1, 0])) }),
    ("gatheredAlong", { $0.gatheredAlong(Tensor([[1, 0], [3, 2], [0, 0]]), axis: 1) }),
    ("masked", { $0.masked(by: Tensor([true, false, true])) }), ("sorted", { $0.sorted().values }),
    ("sorted descending", { $0.sorted(axis: 0, descending: true).values }),
    ("argsorted", { $0.argsorted() }), ("topK", { $0.topK(2).values }), ("unique", { $0.unique().values }),
    ("counts", { $0.unique().counts }), ("inverse", { $0.unique().inverse }),
    ("nonzero", { $0.nonzeroIndices() }),
    ("nearest", { $0.expanded(axis: 0).interpolated(to: 5, mode: .nearest) }),
    ("search", { Tensor([0, 1]).cast(to: $0.dtype).searchSorted($0) }),
    (
      "set",
      {
        var x = $0
        x[..., 1..<3] = Tensor([[0], [1], [0]])
        return x
      }
    ),
  ]

  @Test(arguments: movements.indices)
  func everyTypeMoves(_ index: Int) {
    let (name, function) = Self.movements[index]
    let x = Tensor([0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 1], shape: [3, 4])
    let expected = function(x)
    for dtype in DType.allCases {
      let found = function(x.cast(to: dtype))
      #expect(found.shape == expected.shape, "\(name) of \(dtype)")
      #expect(found.scalars == expected.scalars, "\(name) of \(dtype)")
      #expect(found.dtype == dtype || found.dtype == .int64, "\(name) of \(dtype)")
    }
  }

  @Test func sumsAtIndicesOfEveryNumber() {
    for dtype in DType.allCases where dtype != .bool {
      let x = Tensor([1, 2, 3]).cast(to: dtype), values = Tensor([10, 20, 30, 40]).cast(to: dtype)
      let found = x.scatterAdding(values, at: Tensor([2, 0, -1, 0] as [Int32]))
      #expect(found.scalars == [61, 2, 43] && found.dtype == dtype, "\(dtype)")
      let along = x.scatterAddingAlong(values, at: Tensor([0, 1, 0, -1]), axis: 0)
      #expect(along.scalars == [41, 22, 43], "\(dtype)")
      #expect(oneHot(Tensor([1, -1]), depth: 3, dtype: dtype).scalars == [0, 1, 0, 0, 0, 1], "\(dtype)")
    }
  }

  @Test func notANumberIsLargest() {
    let x = Tensor([2, .nan, -.infinity, 1, .infinity, -0.0, 0.0])
    #expect(x.argsorted().scalars == [2, 5, 6, 3, 0, 4, 1])
    #expect(x.argsorted(descending: true).scalars == [1, 4, 0, 3, 5, 6, 2])
    let (values, _, counts) = Tensor([0.0, -0.0, .nan, 1, 1]).unique()
    #expect(Array(values.scalars.prefix(2)) == [0, 1] && values.shape == [3])
    #expect(counts.scalars == [2, 2, 1])
  }

  @Test func wholeNumbersBeyondDoublesKeepTheirOrder() {
    let large = Tensor([Int.max, Int.max - 1, Int.min, Int.max])
    #expect(large.argsorted().scalars == [2, 1, 0, 3])
    #expect([Int](large.unique().values) == [Int.min, Int.max - 1, Int.max])
    #expect([Int](large.sorted().values.searchSorted(Tensor([Int.max]))) == [2])
    #expect([Int](large.gathered(Tensor([1]))) == [Int.max - 1])
  }

  @Test func emptyTensorsPass() {
    let x = Tensor(zeros: [0, 3])
    #expect(x.sorted(axis: 0).values.shape == [0, 3] && x.sorted().indices.shape == [0, 3])
    #expect(x.unique().values.shape == [0] && x.unique().inverse.shape == [0, 3])
    #expect(x.flipped().shape == [0, 3] && x.rolled(by: 2, axis: 1).shape == [0, 3])
    #expect(x.gathered(Tensor([Int]()), axis: 0).shape == [0, 3])
    #expect(x.masked(by: Tensor(zeros: [0], dtype: .bool)).shape == [0, 3])
    #expect(x.nonzeroIndices().shape == [0, 2] && x.diagonal().shape == [0])
    #expect(embedding(Tensor(zeros: [2, 3]), Tensor(zeros: [0, 4], dtype: .int32)).shape == [0, 4, 3])
    #expect(einsum("ij,jk->ik", x, Tensor(zeros: [3, 2])).shape == [0, 2])
    #expect(einsum("ij,ik->jk", x, Tensor(zeros: [0, 2])).scalars == [0, 0, 0, 0, 0, 0])
    #expect(Tensor(zeros: [2, 0, 2, 1]).interpolated(to: Size2D(0, 3)).shape == [2, 0, 3, 1])
    #expect(Tensor.concatenate([x, x]).shape == [0, 3] && x.split(into: 3, axis: 1).count == 3)
  }
}
