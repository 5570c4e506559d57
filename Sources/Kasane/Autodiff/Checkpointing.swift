// SPDX-License-Identifier: Apache-2.0

/// Computes a block without keeping what its backward pass needs: only the inputs are kept, and the block runs a second
/// time when its gradient is wanted (Chen et al. 2016, "Training deep nets with sublinear memory cost").
///
/// The gradients are those of `body(inputs)`, to the bit: by the inputs, by the parameters that the block uses, and by
/// tensors it captures. Blocks nest. The block runs in training or evaluation mode as it did first, and what it draws
/// from the generator of `withTraining` repeats; from other sources of chance it must not draw. Within a scope whose
/// gradients are differentiated again the block is recorded as if it stood there by itself.
///
/// - Parameters:
///   - inputs: What the block is applied to.
///   - body: The block. It may be called twice, the second time after this function has returned.
public func checkpointed(_ inputs: [Tensor], _ body: @escaping ([Tensor]) -> Tensor) -> Tensor {
  guard let tape = Tape.recording, tape.depth == 1 else { return body(inputs) }
  let context = TrainingContext.current
  let random = context?.random
  let precision = Precision.current
  // The value may be a tensor that was there before, which has its own place on the tape.
  let output = withoutGradient { body(inputs) }.alias()
  // Which parameters the block uses shows only when it is recorded.
  tape.record(.checkpoint, output, inputs: inputs, saving: inputs, always: true) { step in
    let again = random.map { TrainingContext(random: $0) }
    again?.isRecomputing = true
    let inputs = (0..<step.inputCount).map { step[$0] }
    let gradient = step.gradient
    step.withChildTape { tape in
      let value = TrainingContext.$current.withValue(again) { withPrecision(precision) { body(inputs) } }
      tape.propagate(gradient, from: value, downTo: 0)
    }
  }
  return output
}

/// The same for a block of one input.
public func checkpointed(_ x: Tensor, _ body: @escaping (Tensor) -> Tensor) -> Tensor {
  checkpointed([x]) { body($0[0]) }
}
