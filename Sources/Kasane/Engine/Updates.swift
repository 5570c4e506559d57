// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// An optimizer's rule, with the numbers that all parameters share. In the equations p is the parameter and g its
/// gradient, to which `weightDecay * p` has been added; rate, weightDecay and correction are the part's.
public enum UpdateRule: Sendable {
  /// `p -= rate * g`. With one state m: `m = momentum * m + correction * g`, and m takes the place of g, or
  /// `g + momentum * m` with Nesterov's momentum.
  case descent(momentum: Double, isNesterov: Bool)
  /// One state, the sum of squares s: `s += g^2; p -= rate * g / (sqrt(s) + epsilon)`.
  case adagrad(epsilon: Double)
  /// Three states, of which the second and third may be absent: the mean of squares s, the mean a and the momentum m:
  /// `p -= rate * m`, where `m = momentum * m + g / (sqrt(s - a^2) + epsilon)`.
  case rmsprop(smoothing: Double, epsilon: Double, momentum: Double)
  /// Two states, the mean of squares s and that of the changes' squares d:
  /// `p -= rate * c`, where `c = sqrt(d + epsilon) / sqrt(s + epsilon) * g`.
  case adadelta(decay: Double, epsilon: Double)
  /// Three states, of which the third may be absent: the mean m, the mean of squares v and the largest v:
  /// `p -= rate * m / (sqrt(v) / correction + epsilon)`. With decoupled decay `p *= 1 - weightDecay` comes first
  /// instead, and g is without it.
  case adam(beta1: Double, beta2: Double, epsilon: Double, isDecoupled: Bool)
  /// Two states, the mean m and the fading maximum u: `u = max(beta2 * u, |g| + epsilon); p -= rate * m / u`.
  case adamax(beta1: Double, beta2: Double, epsilon: Double)
  /// One state, the mean m: `p = (1 - weightDecay) * p - rate * sign(beta1 * m + (1 - beta1) * g)`, g without decay,
  /// then `m = beta2 * m + (1 - beta2) * g`.
  case lion(beta1: Double, beta2: Double)
}

/// One parameter's part in an optimizer's step. All its tensors but `rows` are of one type, float32 or float64;
/// parameter and states are contiguous and of one shape.
///
/// A part does not keep its tensors: for a small model the counting of references would cost more than the step.
/// Whoever makes a part holds them until the step is done.
public struct ParameterUpdate {
  private var unkept: (parameter: Unkept, gradient: Unkept, rows: Unkept?)
  private var unkeptStates: (Unkept?, Unkept?, Unkept?) = (nil, nil, nil)
  /// What the gradient is multiplied by first.
  public var scale = 1.0
  /// The step size, with corrections for the step's number in it.
  public var rate: Double
  /// The weight decay as the rule takes it.
  public var weightDecay = 0.0
  /// A further number of the rule that changes from step to step.
  public var correction = 1.0

  init(_ parameter: Tensor, along gradient: Tensor, rate: Double) {
    unkept = (Unkept(parameter), Unkept(gradient), nil)
    self.rate = rate
  }

  /// What is changed in place.
  public var parameter: Tensor {
    get { unkept.parameter.tensor }
    set { unkept.parameter = Unkept(newValue) }
  }
  /// The gradient, of the parameter's shape; where there are rows, `[count, ...]`.
  public var gradient: Tensor { unkept.gradient.tensor }
  /// What the rule remembers, changed in place.
  public var states: (Tensor?, Tensor?, Tensor?) {
    get { (unkeptStates.0?.tensor, unkeptStates.1?.tensor, unkeptStates.2?.tensor) }
    set {
      unkeptStates = (newValue.0.map(Unkept.init), newValue.1.map(Unkept.init), newValue.2.map(Unkept.init))
    }
  }
  /// The rows of parameter and states that the gradient's rows belong to, int64 `[count]`, each once; all where nil.
  public var rows: Tensor? {
    get { unkept.rows?.tensor }
    set { unkept.rows = newValue.map(Unkept.init) }
  }

  // The same as C sees them, without counting references.

  var parameterObject: UnsafeMutablePointer<KSTensor> { unkept.parameter.object }
  var gradientObject: UnsafeMutablePointer<KSTensor> { unkept.gradient.object }
  var rowsObject: UnsafeMutablePointer<KSTensor>? { unkept.rows?.object }
  var stateMemory: (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) {
    (
      unkeptStates.0?.object.pointee.data, unkeptStates.1?.object.pointee.data,
      unkeptStates.2?.object.pointee.data
    )
  }
}

/// A tensor that somebody else keeps.
private struct Unkept {
  private let box: Unmanaged<TensorBox>

  init(_ tensor: Tensor) { box = .passUnretained(tensor.box) }

  var tensor: Tensor { Tensor(box: box.takeUnretainedValue()) }
  var object: UnsafeMutablePointer<KSTensor> { box._withUnsafeGuaranteedRef { $0.object } }
}

extension Engine {
  /// The rules composed from primitives, a parameter at a time.
  public func update(_ rule: UpdateRule, _ parts: [ParameterUpdate]) { composedUpdate(rule, parts) }

  /// The sum of the squares of all elements, composed from primitives.
  public func sumOfSquares(_ x: Tensor) -> Double { composedSumOfSquares(x) }

  func composedUpdate(_ rule: UpdateRule, _ parts: [ParameterUpdate]) {
    for part in parts {
      guard let rows = part.rows else {
        ComposedUpdate(engine: self, part: part).run(rule)
        continue
      }
      // The rows are taken out, changed, and put back.
      var taken = part
      taken.rows = nil
      func take(_ tensor: Tensor) -> Tensor { self.take(tensor, rows, axis: 0) }
      let parameter = take(part.parameter)
      let states = (part.states.0.map(take), part.states.1.map(take), part.states.2.map(take))
      (taken.parameter, taken.states) = (parameter, states)
      ComposedUpdate(engine: self, part: taken).run(rule)
      func put(_ tensor: Tensor?, into target: Tensor?) {
        guard let tensor, let target else { return }
        withoutGradient {
          for (place, row) in rows.elements(as: Int.self).enumerated() {
            copy(tensor.select(place), into: target.select(row))
          }
        }
      }
      put(parameter, into: part.parameter)
      put(states.0, into: part.states.0)
      put(states.1, into: part.states.1)
      put(states.2, into: part.states.2)
    }
  }

  func composedSumOfSquares(_ x: Tensor) -> Double {
    guard x.elementCount > 0 else { return 0 }
    // Squares of large float32 numbers are beyond their own type.
    let wide = Tensor(unsetWithShape: x.shape, dtype: .float64)
    copy(x, into: wide)
    return scalar(reduce(.sum, unary(.square, wide), to: Shape(repeating: 1, count: x.rank)))
  }
}

/// A rule for one parameter, made of an engine's primitives.
private struct ComposedUpdate<E: Engine> {
  let engine: E
  let part: ParameterUpdate

  private func number(_ value: Double) -> Tensor {
    let result = Tensor(unsetWithShape: Shape(), dtype: part.parameter.dtype)
    engine.fill(result, with: value)
    return result
  }
  private func times(_ x: Tensor, _ factor: Double) -> Tensor { engine.binary(.multiply, x, number(factor)) }
  private func plus(_ a: Tensor, _ b: Tensor) -> Tensor { engine.binary(.add, a, b) }
  private func minus(_ a: Tensor, _ b: Tensor) -> Tensor { engine.binary(.subtract, a, b) }
  private func over(_ a: Tensor, _ b: Tensor) -> Tensor { engine.binary(.divide, a, b) }
  private func root(_ x: Tensor) -> Tensor { engine.unary(.squareRoot, x) }
  private func square(_ x: Tensor) -> Tensor { engine.unary(.square, x) }
  private func larger(_ a: Tensor, _ b: Tensor) -> Tensor { engine.binary(.maximum, a, b) }

  /// keep * state + share * x, which the state becomes.
  private func mix(_ keep: Double, _ state: Tensor, _ share: Double, _ x: Tensor) -> Tensor {
    store(plus(times(state, keep), times(x, share)), in: state)
  }
  private func store(_ value: Tensor, in state: Tensor) -> Tensor {
    engine.copy(value, into: state)
    return value
  }

  private var parameter: Tensor { part.parameter }
  private var plainGradient: Tensor { times(part.gradient, part.scale) }
  private var gradient: Tensor { plus(plainGradient, times(parameter, part.weightDecay)) }
  private var first: Tensor { part.states.0! }
  private var second: Tensor { part.states.1! }

  private func move(by change: Tensor) {
    engine.copy(minus(parameter, times(change, part.rate)), into: parameter)
  }
  private func shrink() { engine.copy(times(parameter, 1 - part.weightDecay), into: parameter) }

  func run(_ rule: UpdateRule) {
    switch rule {
    case .descent(let momentum, let isNesterov):
      let g = gradient
      guard let state = part.states.0 else { return move(by: g) }
      let m = mix(momentum, state, part.correction, g)
      move(by: isNesterov ? plus(g, times(m, momentum)) : m)
    case .adagrad(let epsilon):
      let g = gradient
      let s = store(plus(first, square(g)), in: first)
      move(by: over(g, plus(root(s), number(epsilon))))
    case .rmsprop(let smoothing, let epsilon, let momentum):
      let g = gradient
      var spread = mix(smoothing, first, 1 - smoothing, square(g))
      if let mean = part.states.1 {
        spread = minus(spread, square(mix(smoothing, mean, 1 - smoothing, g)))
      }
      let change = over(g, plus(root(spread), number(epsilon)))
      move(by: part.states.2.map { mix(momentum, $0, 1, change) } ?? change)
    case .adadelta(let decay, let epsilon):
      let g = gradient
      let s = mix(decay, first, 1 - decay, square(g))
      let ratio = over(root(plus(second, number(epsilon))), root(plus(s, number(epsilon))))
      let change = engine.binary(.multiply, ratio, g)
      _ = mix(decay, second, 1 - decay, square(change))
      move(by: change)
    case .adam(let beta1, let beta2, let epsilon, let isDecoupled):
      if isDecoupled { shrink() }
      let g = isDecoupled ? plainGradient : gradient
      let m = mix(beta1, first, 1 - beta1, g)
      var v = mix(beta2, second, 1 - beta2, square(g))
      if let largest = part.states.2 { v = store(larger(largest, v), in: largest) }
      move(by: over(m, plus(over(root(v), number(part.correction)), number(epsilon))))
    case .adamax(let beta1, let beta2, let epsilon):
      let g = gradient
      let m = mix(beta1, first, 1 - beta1, g)
      let magnitude = plus(engine.unary(.absolute, g), number(epsilon))
      move(by: over(m, store(larger(times(second, beta2), magnitude), in: second)))
    case .lion(let beta1, let beta2):
      let g = plainGradient
      shrink()
      move(by: engine.unary(.sign, plus(times(first, beta1), times(g, 1 - beta1))))
      _ = mix(beta2, first, 1 - beta2, g)
    }
  }
}
