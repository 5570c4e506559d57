// SPDX-License-Identifier: Apache-2.0

/// The cross-entropy between the softmax of logits and labels: -log(softmax(logits)[label]) of each position.
///
/// The mean is weighted by the classes' weights, and positions that are ignored do not count; it is NaN where all are.
///
/// - Parameters:
///   - logits: `[..., classes]`
///   - labels: the right classes' numbers `[...]`, of a type of whole numbers
///   - classWeights: what each class counts, `[classes]`, or nil for 1 each
///   - ignoredIndex: a label whose positions have no loss
///   - labelSmoothing: this share of the right class's probability is spread evenly over all classes (Szegedy et al.
///     2016, section 7)
///   - reduction: what becomes of the losses of the positions
public func crossEntropy(
  _ logits: Tensor, _ labels: Tensor, classWeights: Tensor? = nil, ignoredIndex: Int? = nil,
  labelSmoothing: Double = 0, reduction: Reduction = .mean
) -> Tensor {
  requireShare(labelSmoothing)
  if classWeights == nil && logits.dtype != .float16 && !Tape.isNested {
    return fusedCrossEntropy(logits, labels, ignoredIndex, labelSmoothing, reduction)
  }
  let labels = CheckedLabels("crossEntropy", labels, logits, classWeights, ignoredIndex)
  // A loss is float32 where its logits are bfloat16.
  let logProbabilities = logSoftmax(logits.dtype == .bfloat16 ? logits.cast(to: .float32) : logits)
  let losses = labels.losses(logProbabilities)
  guard labelSmoothing > 0 else { return labels.reduced(losses, reduction) }
  // Every class is wrong by its weight times the probability that smoothing gives it.
  let weighted = labels.classWeights.map { logProbabilities * $0 } ?? logProbabilities
  let spread = labels.masked(-weighted.sum(axes: [-1]))
  let share = labelSmoothing / Double(logits.shape[logits.rank - 1])
  return labels.reduced((1 - labelSmoothing) * losses + share * spread, reduction)
}

/// The losses by one primitive of the engine, which keeps the logits instead of their softmax.
private func fusedCrossEntropy(
  _ logits: Tensor, _ labels: Tensor, _ ignoredIndex: Int?, _ labelSmoothing: Double, _ reduction: Reduction
) -> Tensor {
  CheckedLabels.requireFit("crossEntropy", labels, logits)
  let whole = withoutGradient { labels.cast(to: .int64).contiguous() }
  let call = CrossEntropyCall(
    logits: logits, labels: whole, ignoredIndex: ignoredIndex, labelSmoothing: labelSmoothing)
  let (losses, statistics) = engine.crossEntropy(call)
  let result = recorded(
    .crossEntropy, losses, inputs: [logits], saving: [logits, whole, statistics],
    integers: (ignoredIndex ?? .min, Int(bitPattern: UInt(labelSmoothing.bitPattern)))
  ) { step in
    let (ignored, smoothing) = step.integers
    let call = CrossEntropyCall(
      logits: step[0], labels: step[1], ignoredIndex: ignored == .min ? nil : ignored,
      labelSmoothing: Double(bitPattern: UInt64(UInt(bitPattern: smoothing))))
    step.add(engine.crossEntropyGradient(call, statistics: step[2], gradient: step.gradient), to: 0)
  }
  guard let ignoredIndex, reduction == .mean else { return reduction(result) }
  return result.sum() / (whole .!= Double(ignoredIndex)).sum().cast(to: result.dtype)
}

/// The cross-entropy between the softmax of logits and probabilities: the sum over the classes of
/// -probability * log(softmax(logits)), each times the class's weight. The mean is over the positions.
///
/// - Parameters:
///   - logits: `[..., classes]`
///   - probabilities: the right probabilities of the classes, of the same shape and type
///   - classWeights: what each class counts, `[classes]`, or nil for 1 each
///   - labelSmoothing: this share of the probabilities is spread evenly over all classes
///   - reduction: what becomes of the losses of the positions
public func crossEntropy(
  _ logits: Tensor, probabilities: Tensor, classWeights: Tensor? = nil, labelSmoothing: Double = 0,
  reduction: Reduction = .mean
) -> Tensor {
  logits.requireFloatingPoint("crossEntropy")
  precondition(
    logits.rank > 0 && probabilities.shape == logits.shape,
    "crossEntropy: probabilities of shape \(probabilities.shape) for logits of shape \(logits.shape)")
  requireShare(labelSmoothing)
  let weights = checkedWeights("crossEntropy", classWeights, logits)
  let share = labelSmoothing / Double(logits.shape[logits.rank - 1])
  let targets = labelSmoothing > 0 ? (1 - labelSmoothing) * probabilities + share : probabilities
  let products = targets * logSoftmax(logits)
  return reduction(-(weights.map { products * $0 } ?? products).sum(axes: [-1]))
}

/// -log(probability) of the right class of each position, from the logarithms of the probabilities; see
/// `crossEntropy` for the parameters and the mean.
public func negativeLogLikelihood(
  _ logProbabilities: Tensor, _ labels: Tensor, classWeights: Tensor? = nil, ignoredIndex: Int? = nil,
  reduction: Reduction = .mean
) -> Tensor {
  let labels = CheckedLabels("negativeLogLikelihood", labels, logProbabilities, classWeights, ignoredIndex)
  return labels.reduced(labels.losses(logProbabilities), reduction)
}

/// The cross-entropy between the logistic function of logits and the probability of being true, which is `targets`:
/// -(t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x))) of each element.
///
/// - Parameters:
///   - logits: of any shape
///   - targets: of the same shape and type, in [0, 1]
///   - positiveWeight: what the first term counts, broadcast, or nil for 1
///   - reduction: what becomes of the losses of the elements
public func binaryCrossEntropy(
  logits: Tensor, _ targets: Tensor, positiveWeight: Tensor? = nil, reduction: Reduction = .mean
) -> Tensor {
  logits.requireFloatingPoint("binaryCrossEntropy")
  precondition(
    logits.shape == targets.shape,
    "binaryCrossEntropy: logits of shape \(logits.shape) and targets of shape \(targets.shape) differ")
  if let weight = positiveWeight {
    precondition(
      weight.shape.broadcast(with: logits.shape) == logits.shape,
      "binaryCrossEntropy: a weight of shape \(weight.shape) does not broadcast to shape \(logits.shape)")
  }
  // log(sigmoid(x)) is -softplus(-x), and log(1 - sigmoid(x)) is that less x.
  let cost = softplus(-logits)
  let scaled = positiveWeight.map { cost * (targets * ($0.cast(to: logits.dtype) - 1) + 1) } ?? cost
  return reduction((1 - targets) * logits + scaled)
}

private func requireShare(_ labelSmoothing: Double) {
  precondition(
    labelSmoothing >= 0 && labelSmoothing <= 1,
    "crossEntropy: a label smoothing of \(labelSmoothing), which is not in [0, 1]")
}

private func checkedWeights(_ operation: String, _ weights: Tensor?, _ scores: Tensor) -> Tensor? {
  guard let weights else { return nil }
  precondition(
    weights.shape == [scores.shape[scores.rank - 1]],
    "\(operation): class weights of shape \(weights.shape) for scores of shape \(scores.shape)")
  // They are constants: no gradient flows to them.
  return withoutGradient { weights.cast(to: scores.dtype) }.detached()
}

/// Labels that are known to fit scores `[..., classes]`, and what their positions count.
struct CheckedLabels {
  /// The labels `[...]`, int64; 0 where they are ignored.
  let labels: Tensor
  let classWeights: Tensor?
  /// Where a label counts, or nil where all do.
  let counts: Tensor?

  init(
    _ operation: String, _ labels: Tensor, _ scores: Tensor, _ classWeights: Tensor?, _ ignoredIndex: Int?
  ) {
    Self.requireFit(operation, labels, scores)
    self.classWeights = checkedWeights(operation, classWeights, scores)
    var whole = labels.cast(to: .int64)
    counts = ignoredIndex.map { whole .!= Double($0) }
    if let counts { whole = Tensor.where(counts, whole, 0) }
    self.labels = whole
    let classes = scores.shape[scores.rank - 1]
    guard whole.elementCount > 0 else { return }
    let (least, largest) = (whole.min().scalar, whole.max().scalar)
    let wrong = least < 0 ? least : largest
    precondition(
      least >= 0 && largest < Double(classes),
      "\(operation): label \(Int(wrong)) where there are \(classes) classes")
  }

  static func requireFit(_ operation: String, _ labels: Tensor, _ scores: Tensor) {
    scores.requireFloatingPoint(operation)
    precondition(
      !labels.dtype.isFloatingPoint && labels.dtype != .bool,
      "\(operation): labels of type \(labels.dtype) where whole numbers are needed")
    precondition(
      scores.rank > 0 && labels.shape == Shape(scores.shape.dropLast()),
      "\(operation): labels of shape \(labels.shape) for scores of shape \(scores.shape)")
  }

  /// The weighted loss of each position, `[...]`.
  func losses(_ logProbabilities: Tensor) -> Tensor {
    let places = labels.expanded(axis: -1)
    let chosen = logProbabilities.takingAlong(places, axis: labels.rank).reshaped(to: labels.shape)
    return masked(-(weights.map { chosen * $0 } ?? chosen))
  }

  /// What each position counts by its class, `[...]`, or nil for 1 each.
  private var weights: Tensor? {
    classWeights.map { weights in
      let flat = labels.reshaped(to: Shape(labels.elementCount))
      return engine.takeAlong(weights, flat, axis: 0).reshaped(to: labels.shape)
    }
  }

  /// The values with 0 at the positions that are ignored.
  func masked(_ values: Tensor) -> Tensor { counts.map { Tensor.where($0, values, 0) } ?? values }

  func reduced(_ losses: Tensor, _ reduction: Reduction) -> Tensor {
    guard reduction == .mean else { return reduction(losses) }
    if let weights { return losses.sum() / masked(weights).sum() }
    guard let counts else { return losses.mean() }
    return losses.inSinglePrecision { $0.sum() / counts.sum().cast(to: $0.dtype) }
  }
}
