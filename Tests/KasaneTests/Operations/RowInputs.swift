// SPDX-License-Identifier: Apache-2.0

import CKernels

@testable import Kasane

/// How a tensor's elements may lie in memory.
enum Layout: CaseIterable {
  case contiguous, transposed, stepped, reversed, offset, broadcast
}

/// Makes the inputs of rows from a seed.
struct RowInputs {
  var random: RandomGenerator

  init(seed: UInt64) { random = RandomGenerator(seed: seed) }

  private mutating func between(_ lower: Double, _ upper: Double) -> Double {
    lower + (upper - lower) * random.uniform()
  }

  private mutating func signed(_ lower: Double, _ upper: Double) -> Double {
    let magnitude = between(lower, upper)
    return random.uniform() < 0.5 ? magnitude : -magnitude
  }

  private mutating func whole(_ lower: Int, _ upper: Int) -> Double {
    Double(Int.random(in: lower..<upper, using: &random))
  }

  /// An input of real numbers; of whole ones where the type holds no others.
  mutating func tensor(_ input: Input, dtype: DType = .float64) -> Tensor {
    let count = input.shape.elementCount
    switch input.domain {
    case .index(let bound):
      return Tensor((0..<count).map { _ in Int64(whole(0, bound)) }, shape: input.shape)
    case .bool:
      return Tensor((0..<count).map { _ in random.uniform() < 0.5 }, shape: input.shape)
    case .distinct:
      let spacing = dtype.isFloatingPoint ? 0.1 : 1
      let lowest = dtype == .uint8 ? 0 : -Double(count / 2) * spacing
      let values = (0..<count).shuffled(using: &random).map { place -> Double in
        let jitter = dtype.isFloatingPoint ? between(0, 0.05) : 0
        return lowest + spacing * Double(place) + jitter
      }
      return Tensor(values, shape: input.shape).cast(to: dtype)
    default:
      let isFloatingPoint = dtype.isFloatingPoint
      let values = (0..<count).map { _ -> Double in
        isFloatingPoint ? number(input.domain) : wholeNumber(input.domain, dtype)
      }
      return Tensor(values, shape: input.shape).cast(to: dtype)
    }
  }

  private mutating func number(_ domain: Domain) -> Double {
    switch domain {
    case .positive: between(0.2, 1.2)
    case .insideOne: signed(0.1, 0.8)
    case .between(let lower, let upper): between(lower, upper)
    default: signed(0.2, 1.2)
    }
  }

  private mutating func wholeNumber(_ domain: Domain, _ dtype: DType) -> Double {
    if dtype == .bool { return whole(0, 2) }
    switch domain {
    case .positive: return whole(1, 7)
    case .between(let lower, let upper): return whole(Int(lower.rounded(.up)), Int(upper.rounded(.up)))
    default:
      let magnitude = whole(1, 7)
      return dtype == .uint8 || random.uniform() < 0.5 ? magnitude : -magnitude
    }
  }

  /// The inputs of a row with its own shapes.
  mutating func inputs(of row: OperationRow, dtype: DType = .float64) -> [Tensor] {
    row.inputs.map { tensor($0, dtype: dtype) }
  }

  /// The shapes of a row's inputs drawn at random, or nil where it has only its own. `number` counts the draws: the
  /// first has an axis of size 0, the second one of size 1.
  mutating func shapes(of row: OperationRow, number: Int) -> [Shape]? {
    switch row.shapes {
    case .fixed: return nil
    case .same(let leastRank, let allowsEmpty):
      let shape = shape(leastRank: leastRank, number: number, allowsEmpty: allowsEmpty)
      return row.inputs.map { _ in shape }
    case .broadcasting:
      let whole = shape(leastRank: 0, number: number, allowsEmpty: true)
      return row.inputs.map { _ in part(of: whole) }
    }
  }

  private mutating func shape(leastRank: Int, number: Int, allowsEmpty: Bool) -> Shape {
    let rank = number == 2 ? leastRank : Int.random(in: max(1, leastRank)...max(4, leastRank), using: &random)
    var shape = Shape((0..<rank).map { _ in [1, 2, 3, 3, 5, 7].randomElement(using: &random)! })
    while shape.elementCount > 90 { shape[Int.random(in: 0..<rank, using: &random)] = 1 }
    guard rank > 0 else { return shape }
    let axis = Int.random(in: 0..<rank, using: &random)
    if number == 0 && allowsEmpty { shape[axis] = 0 }
    if number == 1 { shape[axis] = 1 }
    return shape
  }

  /// A shape that broadcasts to the given one: some leading axes dropped, some of size 1.
  private mutating func part(of whole: Shape) -> Shape {
    if random.uniform() < 0.4 { return whole }
    var part = Shape(whole.dropFirst(Int.random(in: 0...whole.count, using: &random)))
    for axis in 0..<part.count where random.uniform() < 0.3 { part[axis] = 1 }
    return part
  }
}

extension Tensor {
  /// The same elements laid out otherwise; where broadcast, those of the first slice everywhere.
  func laidOut(_ layout: Layout) -> Tensor {
    guard rank > 0, elementCount > 0 else { return self }
    var strides = shape
    var span = layout == .offset ? 3 : 1
    let step = layout == .stepped ? 2 : 1
    var axes = Array(0..<rank)
    if layout != .transposed { axes.reverse() }
    for axis in axes {
      strides[axis] = layout == .reversed ? -span : span * step
      span *= shape[axis] * step
    }
    switch layout {
    case .contiguous: return self
    case .broadcast:
      let first = select(0, axis: 0).contiguous()
      return first.broadcast(to: shape)
    default:
      let memory = Tensor(zeros: [span + 3], dtype: dtype)
      let offset = layout == .reversed ? span - 1 : layout == .offset ? 2 : 0
      let made = shape.withSizes { sizes in
        strides.withSizes { ks_tensor_view(memory.object, Int32(rank), sizes, $0, Int64(offset)) }
      }
      let view = Tensor(box: TensorBox.holding(made!, of: memory.box))
      view.fill(from: self)
      return view
    }
  }
}
