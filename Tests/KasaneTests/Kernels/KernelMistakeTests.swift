// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

@testable import Kasane

/// What an engine refuses, and the words with which it does.
enum KernelMistake: String, CaseIterable, Codable {
  case functionOfWholes, sumOfTruths, additionOfTruths, divisionByZero, remainderByZero, truthsAlong,
    mixedTypes
  case productOfBytes, randomWholes, negativeSize, negativeSizes, countlessElements, tooLarge,
    tooLargeForTheMachine

  var message: String {
    switch self {
    case .functionOfWholes: "exponential: int32 where a floating-point type is needed"
    case .sumOfTruths: "sum: bool where a numeric type is needed"
    case .additionOfTruths: "add: bool where a numeric type is needed"
    case .divisionByZero: "divide: int8 divided by zero"
    case .remainderByZero: "remainder: int64 divided by zero"
    case .truthsAlong: "cumulativeSum: bool where a numeric type is needed"
    case .mixedTypes: "add: float32 with float64; cast one of them"
    case .productOfBytes: "matmul: int8 where a floating-point type, int32 or int64 is needed"
    case .randomWholes: "random: int32 where a floating-point type is needed"
    case .negativeSize: "[3, -1]"
    case .negativeSizes: "[-3, -1]"
    case .countlessElements: "[4611686018427387904, 4]"
    case .tooLarge: "out of memory: no room for a tensor of shape [1152921504606846976], int8"
    case .tooLargeForTheMachine: "out of memory: no room for a tensor of shape [4398046511104], float32"
    }
  }

  func make() {
    let truths = Tensor([true, false])
    switch self {
    case .functionOfWholes: _ = cpu.unary(.exponential, Tensor([Int32(1)]))
    case .sumOfTruths: _ = cpu.reduce(.sum, truths, to: [1])
    case .additionOfTruths: _ = cpu.binary(.add, truths, truths)
    case .divisionByZero: _ = cpu.binary(.divide, Tensor([Int8(1), 2]), Tensor([Int8(1), 0]))
    case .remainderByZero: _ = cpu.binary(.remainder, Tensor([1, 2]), Tensor(0))
    case .truthsAlong: _ = cpu.cumulativeSum(truths, axis: 0, reversed: false)
    case .mixedTypes: _ = cpu.binary(.add, Tensor([Float(1)]), Tensor([1.0]))
    case .productOfBytes:
      let bytes = Tensor(ones: [2, 2], dtype: .int8)
      _ = cpu.matrixProduct(bytes, bytes, transposing: .none)
    case .randomWholes: _ = cpu.random(.normal, shape: [2], dtype: .int32, seed: 1, stream: 0, position: 0)
    case .negativeSize: _ = Tensor(zeros: [3, -1])
    case .negativeSizes: _ = Tensor(zeros: [-3, -1])
    case .countlessElements: _ = Tensor(zeros: [1 << 62, 4])
    case .tooLarge: _ = Tensor(zeros: [1 << 60], dtype: .int8)
    case .tooLargeForTheMachine: _ = Tensor(zeros: [1 << 42])
    }
  }
}

@Suite struct KernelMistakeTests {
  @Test(arguments: KernelMistake.allCases) func trapsSayWhatIsWrong(_ mistake: KernelMistake) async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      mistake.make()
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains(mistake.message))
  }

  @Test func memoryThatCannotBeHadIsNull() {
    for shape in [[-1], [-1, -1], [1 << 62, 2], [1 << 62], [1 << 61, 1 << 3], [1 << 45]] as [[Int64]] {
      #expect(ks_tensor_make(DType.float64.rawValue, 0, Int32(shape.count), shape) == nil, "\(shape)")
    }
    // Nothing is held back by the refusal.
    let whole = Memory.pooledBytes
    _ = Tensor(zeros: [1000])
    #expect(Memory.pooledBytes < whole + 1 << 24)
  }
}
