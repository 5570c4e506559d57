// SPDX-License-Identifier: Apache-2.0

/// What becomes of the losses of the single elements.
public enum Reduction: String, CaseIterable, Codable, Sendable {
  /// They are the result.
  case none
  /// Their sum, one number.
  case sum
  /// Their mean, one number.
  case mean

  /// The losses, their sum or their mean.
  func callAsFunction(_ losses: Tensor) -> Tensor {
    switch self {
    case .none: losses
    case .sum: losses.sum()
    case .mean: losses.mean()
    }
  }
}

/// Traps unless an answer and what it should be have one shape: a loss that broadcasts hides mistakes.
private func requireOneShape(_ operation: String, _ y: Tensor, _ target: Tensor) {
  precondition(y.shape == target.shape, "\(operation): shapes \(y.shape) and \(target.shape) differ")
  y.requireFloatingPoint(operation)
}

/// Half the sum of squared differences over all elements, `sum((y - target)^2) / 2`, as one number.
public func halfSquaredError(_ y: Tensor, _ target: Tensor) -> Tensor {
  precondition(
    y.shape == target.shape, "halfSquaredError: shapes \(y.shape) and \(target.shape) differ")
  return recorded(.halfSquaredError, engine.halfSquaredError(y, target), y, target, saving: y, target) {
    step in
    step.add(step.gradient * (step[0] - step[1]), to: 0)
    step.add(step.gradient * (step[1] - step[0]), to: 1)
  }
}

/// (y - target)^2 of each element, two tensors of one shape.
public func meanSquaredError(_ y: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  requireOneShape("meanSquaredError", y, target)
  return reduction(square(y - target))
}

/// |y - target| of each element, two tensors of one shape; the derivative where they are equal is taken as 0.
public func meanAbsoluteError(_ y: Tensor, _ target: Tensor, reduction: Reduction = .mean) -> Tensor {
  requireOneShape("meanAbsoluteError", y, target)
  return reduction(abs(y - target))
}

/// Half the squared difference where it is below `delta`, else `delta` (|y - target| - `delta` / 2) (Huber 1964); two
/// tensors of one shape.
public func huberLoss(
  _ y: Tensor, _ target: Tensor, delta: Double = 1, reduction: Reduction = .mean
) -> Tensor {
  requireOneShape("huberLoss", y, target)
  precondition(delta > 0, "huberLoss: a delta of \(delta), which is not above 0")
  let difference = y - target
  let bounded = difference.clipped(min: -delta, max: delta)
  return reduction(bounded * (difference - 0.5 * bounded))
}

/// The squared difference over 2 `beta` where it is below `beta`, else |y - target| - `beta` / 2 (Girshick 2015,
/// equation 3); the absolute error for a `beta` of 0. Two tensors of one shape.
public func smoothL1Loss(
  _ y: Tensor, _ target: Tensor, beta: Double = 1, reduction: Reduction = .mean
) -> Tensor {
  precondition(beta >= 0, "smoothL1Loss: a beta of \(beta), which is below 0")
  requireOneShape("smoothL1Loss", y, target)
  if beta == 0 { return meanAbsoluteError(y, target, reduction: reduction) }
  return huberLoss(y, target, delta: beta, reduction: reduction) / beta
}

/// max(0, margin - target * score) of each element, where a target is 1 or -1 (Cortes and Vapnik 1995); two tensors
/// of one shape.
public func hingeLoss(
  _ scores: Tensor, _ targets: Tensor, margin: Double = 1, reduction: Reduction = .mean
) -> Tensor {
  requireOneShape("hingeLoss", scores, targets)
  return reduction(relu(margin - targets * scores))
}

/// The divergence of Kullback and Leibler (1951), target (log(target) - log(y)) of each element, from the logarithms of
/// the probabilities y and the target probabilities; two tensors of one shape. Where a target is 0 it is 0.
///
/// The mean is over all elements; the divergence of whole distributions is the sum over their axis: take the sum,
/// divided by their number.
public func klDivergence(
  _ logProbabilities: Tensor, _ targets: Tensor, reduction: Reduction = .mean
) -> Tensor {
  requireOneShape("klDivergence", logProbabilities, targets)
  let isZero = withoutGradient { targets .== 0 }
  return reduction(targets * (log(Tensor.where(isZero, 1, targets)) - logProbabilities))
}

/// The cosine of the angle between vectors along an axis, whose other axes broadcast; a length below `epsilon` counts
/// as `epsilon`.
public func cosineSimilarity(_ a: Tensor, _ b: Tensor, axis: Int = -1, epsilon: Double = 1e-8) -> Tensor {
  a.requireFloatingPoint("cosineSimilarity")
  guard let shape = a.shape.broadcast(with: b.shape) else {
    preconditionFailure("cosineSimilarity: shapes \(a.shape) and \(b.shape) do not broadcast")
  }
  let (a, b) = (a.broadcast(to: shape), b.broadcast(to: shape))
  let axes = Shape(a.axis(axis, of: "cosineSimilarity"))
  let lengths = a.norm(axes: axes).clipped(min: epsilon) * b.norm(axes: axes).clipped(min: epsilon)
  return (a * b).sum(axes: axes) / lengths
}

/// 1 - cos(a, b) for pairs of vectors that should be alike, of target 1, and max(0, cos(a, b) - margin) for pairs that
/// should not, of target -1. Vectors `[..., size]`, targets `[...]`.
public func cosineEmbeddingLoss(
  _ a: Tensor, _ b: Tensor, targets: Tensor, margin: Double = 0, reduction: Reduction = .mean
) -> Tensor {
  requireOneShape("cosineEmbeddingLoss", a, b)
  precondition(
    a.rank > 0 && targets.shape == Shape(a.shape.dropLast()),
    "cosineEmbeddingLoss: targets of shape \(targets.shape) for vectors of shape \(a.shape)")
  let similarity = cosineSimilarity(a, b)
  let areAlike = withoutGradient { targets .> 0 }
  return reduction(Tensor.where(areAlike, 1 - similarity, relu(similarity - margin)))
}
