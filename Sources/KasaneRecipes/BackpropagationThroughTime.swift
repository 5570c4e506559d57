// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneModels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Backpropagation through time (Rumelhart, Hinton and Williams 1986; Werbos 1990) by hand, equation by equation.
///
/// With x(t), z(t), u(t), v(t), y(t) and E as in `RecurrentTagger`, the forward pass keeps z and y, and one
/// recursion goes back through the steps:
///
///     delta_out(t) = (y(t) - d(t)) g'(v(t))
///     delta(t)     = (delta(t+1) W^T + delta_out(t) W_out^T) f'(u(t))
///
///     dE/dW_in  = sum x(t)^T delta(t)            dE/db = sum delta(t)
///     dE/dW     = sum z(t-1)^T delta(t)
///     dE/dW_out = sum z(t)^T delta_out(t)        dE/dc = sum delta_out(t)
final class BackpropagationThroughTime {
  private typealias Matrix = UnsafeMutablePointer<Float>

  private let inputs, hidden, steps: Int
  private let activation: BinaryAddition.HiddenActivation
  private let z, y, wTransposed: Matrix
  private let delta, deltaNext: Matrix
  private let dWIn, dW, dWOut, db: Matrix
  private var dc: Float = 0

  /// Memory for sequences of `steps` steps through a network with one output.
  init(_ model: RecurrentTagger, activation: BinaryAddition.HiddenActivation, steps: Int) {
    func zeros(_ count: Int) -> Matrix {
      let memory = Matrix.allocate(capacity: count)
      memory.initialize(repeating: 0, count: count)
      return memory
    }
    inputs = model.cell.inputWeight.shape[0]
    hidden = model.cell.inputWeight.shape[1]
    self.activation = activation
    self.steps = steps
    (z, y) = (zeros((steps + 1) * hidden), zeros(steps))  // z(-1) = 0 comes first
    (delta, deltaNext, wTransposed) = (zeros(hidden), zeros(hidden), zeros(hidden * hidden))
    (dWIn, dW, dWOut, db) = (zeros(inputs * hidden), zeros(hidden * hidden), zeros(hidden), zeros(hidden))
  }

  deinit {
    for memory in [z, y, wTransposed, delta, deltaNext, dWIn, dW, dWOut, db] { memory.deallocate() }
  }

  /// One step of gradient descent on the mean of E over the sequences `x` [batch, time, inputs] with the answers
  /// `d` [batch, time, 1]. Returns that mean.
  func train(_ model: RecurrentTagger, _ x: Tensor, _ d: Tensor, learningRate: Float) -> Double {
    let batch = x.shape[0]
    dWIn.update(repeating: 0, count: inputs * hidden)
    dW.update(repeating: 0, count: hidden * hidden)
    dWOut.update(repeating: 0, count: hidden)
    db.update(repeating: 0, count: hidden)
    dc = 0
    var error: Float = 0
    x.withElements(of: Float.self) { x in
      d.withElements(of: Float.self) { d in
        for problem in 0..<batch {
          let x = x.baseAddress! + problem * steps * inputs
          let d = d.baseAddress! + problem * steps
          forward(model, x)
          for t in 0..<steps { error += (y[t] - d[t]) * (y[t] - d[t]) / 2 }
          backward(model, x, d)
        }
      }
    }
    let rate = learningRate / Float(batch)
    descend(model.cell.inputWeight, dWIn, rate)
    descend(model.cell.recurrentWeight, dW, rate)
    descend(model.output.weight, dWOut, rate)
    if let b = model.cell.bias { descend(b, db, rate) }
    if let c = model.output.bias { c.withMutableElements(of: Float.self) { $0[0] -= rate * dc } }
    return Double(error / Float(batch))
  }

  private func forward(_ model: RecurrentTagger, _ x: UnsafePointer<Float>) {
    let (wIn, w) = (elements(model.cell.inputWeight), elements(model.cell.recurrentWeight))
    let wOut = elements(model.output.weight)
    let b = model.cell.bias.map(elements)
    let c = model.output.bias.map { elements($0)[0] } ?? 0
    for t in 0..<steps {
      let (before, now) = (z + t * hidden, z + (t + 1) * hidden)
      for j in 0..<hidden { now[j] = b?[j] ?? 0 }
      addProduct(x + t * inputs, wIn, rows: inputs, to: now)
      addProduct(before, w, rows: hidden, to: now)
      var v = c
      for j in 0..<hidden {
        now[j] = f(now[j])
        v += now[j] * wOut[j]
      }
      y[t] = sigmoid(v)
    }
  }

  private func backward(_ model: RecurrentTagger, _ x: UnsafePointer<Float>, _ d: UnsafePointer<Float>) {
    let (w, wOut) = (elements(model.cell.recurrentWeight), elements(model.output.weight))
    for i in 0..<hidden { for j in 0..<hidden { wTransposed[j * hidden + i] = w[i * hidden + j] } }
    deltaNext.update(repeating: 0, count: hidden)
    for t in (0..<steps).reversed() {
      let (before, now) = (z + t * hidden, z + (t + 1) * hidden)
      let deltaOut = (y[t] - d[t]) * y[t] * (1 - y[t])
      for j in 0..<hidden { delta[j] = deltaOut * wOut[j] }
      addProduct(deltaNext, wTransposed, rows: hidden, to: delta)
      for j in 0..<hidden {
        delta[j] *= fPrime(now[j])
        dWOut[j] += now[j] * deltaOut
        db[j] += delta[j]
      }
      dc += deltaOut
      addOuterProduct(x + t * inputs, delta, rows: inputs, to: dWIn)
      addOuterProduct(before, delta, rows: hidden, to: dW)
      deltaNext.update(from: delta, count: hidden)
    }
  }

  // MARK: f, g and row vectors

  private func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }

  private func f(_ u: Float) -> Float {
    switch activation {
    case .sigmoid: sigmoid(u)
    case .tanh: tanhf(u)
    case .relu: u < 0 ? 0 : u
    }
  }

  /// f'(u) from z = f(u).
  private func fPrime(_ z: Float) -> Float {
    switch activation {
    case .sigmoid: z * (1 - z)
    case .tanh: 1 - z * z
    case .relu: z > 0 ? 1 : 0
    }
  }

  /// out += v M, where M has `rows` rows of `hidden` columns.
  @inline(__always)
  private func addProduct(_ v: UnsafePointer<Float>, _ m: UnsafePointer<Float>, rows: Int, to out: Matrix) {
    for i in 0..<rows {
      let value = v[i]
      for j in 0..<hidden { out[j] += value * m[i * hidden + j] }
    }
  }

  /// M += v^T w, where M has `rows` rows of `hidden` columns.
  @inline(__always)
  private func addOuterProduct(_ v: UnsafePointer<Float>, _ w: UnsafePointer<Float>, rows: Int, to m: Matrix)
  {
    for i in 0..<rows {
      let value = v[i]
      for j in 0..<hidden { m[i * hidden + j] += value * w[j] }
    }
  }

  /// The parameter's memory, which stays where it is while this object trains.
  private func elements(_ parameter: Parameter) -> UnsafePointer<Float> {
    parameter.value.withElements(of: Float.self) { $0.baseAddress! }
  }

  private func descend(_ parameter: Parameter, _ gradient: Matrix, _ rate: Float) {
    parameter.withMutableElements(of: Float.self) { values in
      for index in values.indices { values[index] -= rate * gradient[index] }
    }
  }
}
