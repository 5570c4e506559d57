// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// One recurrent cell over sequences and a linear map of its outputs, made to look into: it can say how large the
/// derivatives of a loss by its states are.
public struct SequenceNetwork: Module {
  /// The cell.
  public let cell: any RecurrentCell
  /// From an output of the cell to an answer.
  public let output: Linear

  /// A network around a cell.
  public init(cell: any RecurrentCell, outputs: Int, using generator: inout RandomGenerator) {
    self.cell = cell
    output = Linear(cell.hidden, outputs, initializer: .glorotUniform, using: &generator)
  }

  /// The answers `[batch, time, outputs]` to `[batch, time, inputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { output(Self.outputs(of: cell, x)) }

  /// The answer `[batch, outputs]` after the last step.
  public func last(_ x: Tensor) -> Tensor { output(Self.outputs(of: cell, x).select(-1, axis: 1)) }

  private static func outputs<Cell: RecurrentCell>(of cell: Cell, _ x: Tensor) -> Tensor {
    cell.run(x, from: nil, reversed: false).outputs
  }

  /// The norms of the derivatives of a loss by the states after each step, from the first to the last: one series for h
  /// and, where the cell has one, a second for c.
  ///
  /// - Parameter loss: One number from the answers `[batch, time, outputs]`.
  public func stateGradientNorms(_ x: Tensor, loss: (Tensor) -> Tensor) -> [[Double]] {
    Self.stateGradientNorms(of: cell, self, x, loss: loss)
  }

  private static func stateGradientNorms<Cell: RecurrentCell>(
    of cell: Cell, _ network: SequenceNetwork, _ x: Tensor, loss: (Tensor) -> Tensor
  ) -> [[Double]] {
    let steps = x.shape[1]
    var norms = [[Double]](
      repeating: [Double](repeating: 0, count: steps), count: Cell.tensorsPerState)
    _ = gradient(at: network) { network in
      // Inside of the scope the parameters are watched; the cell is the same one.
      let projected = cell.project(x)
      var state: Cell.State?
      var outputs: [Tensor] = []
      for step in 0..<steps {
        let next = cell.step(projected.select(step, axis: 1), state)
        let looked = Cell.tensors(of: next).enumerated().map { kind, tensor in
          tensor.onGradient { norms[kind][step] = $0.norm().scalar }
        }
        state = Cell.state(of: looked[...])
        outputs.append(cell.output(of: state!))
      }
      return loss(network.output(Tensor.stack(outputs, axis: 1)))
    }
    return norms
  }
}
