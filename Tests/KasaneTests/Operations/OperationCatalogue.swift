// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

/// The rows of an operation that the tape can record. The switch has no default: an operation without rows does not
/// compile. The rows themselves stand in one file a family.
func rows(of operation: Kasane.Operation) -> [OperationRow] {
  switch operation {
  case .leaf: ElementwiseRows.leaf
  case .custom: AutodiffRows.custom
  case .checkpoint: AutodiffRows.checkpoint
  case .add: ElementwiseRows.add
  case .subtract: ElementwiseRows.subtract
  case .multiply: ElementwiseRows.multiply
  case .divide: ElementwiseRows.divide
  case .negate: ElementwiseRows.negate
  case .square: ElementwiseRows.square
  case .squareRoot: ElementwiseRows.squareRoot
  case .exponential: ElementwiseRows.exponential
  case .logarithm: ElementwiseRows.logarithm
  case .cast: ElementwiseRows.cast
  case .absolute: ElementwiseRows.absolute
  case .maximum: ElementwiseRows.maximum
  case .minimum: ElementwiseRows.minimum
  case .remainder: ElementwiseRows.remainder
  case .clip: ElementwiseRows.clip
  case .reciprocalSquareRoot: PowerRows.reciprocalSquareRoot
  case .reciprocal: PowerRows.reciprocal
  case .exponentialMinusOne: PowerRows.exponentialMinusOne
  case .logarithmOnePlus: PowerRows.logarithmOnePlus
  case .errorFunction: PowerRows.errorFunction
  case .power: PowerRows.power
  case .powerOfNumber: PowerRows.powerOfNumber
  case .numberToPower: PowerRows.numberToPower
  case .choice: ComparisonRows.choice
  case .sine: TrigonometricRows.sine
  case .cosine: TrigonometricRows.cosine
  case .tangent: TrigonometricRows.tangent
  case .arcSine: TrigonometricRows.arcSine
  case .arcCosine: TrigonometricRows.arcCosine
  case .arcTangent: TrigonometricRows.arcTangent
  case .arcTangent2: TrigonometricRows.arcTangent2
  case .hyperbolicSine: TrigonometricRows.hyperbolicSine
  case .hyperbolicCosine: TrigonometricRows.hyperbolicCosine
  case .inverseHyperbolicSine: TrigonometricRows.inverseHyperbolicSine
  case .inverseHyperbolicCosine: TrigonometricRows.inverseHyperbolicCosine
  case .inverseHyperbolicTangent: TrigonometricRows.inverseHyperbolicTangent
  case .softplus: ActivationRows.softplus
  case .gelu: ActivationRows.gelu
  case .geluGradient: ActivationRows.geluGradient
  case .geluTanh: ActivationRows.geluTanh
  case .silu: ActivationRows.silu
  case .hardTanh: ActivationRows.hardTanh
  case .softmax: SoftmaxRows.softmax
  case .logSoftmax: SoftmaxRows.logSoftmax
  case .maximumOverAxes: ReductionRows.maximum
  case .minimumOverAxes: ReductionRows.minimum
  case .product: ReductionRows.product
  case .cumulativeSum: ReductionRows.cumulativeSum
  case .sigmoid: ActivationRows.sigmoid
  case .tanh: ActivationRows.tanh
  case .relu: ActivationRows.relu
  case .sigmoidGradient: ActivationRows.sigmoidGradient
  case .tanhGradient: ActivationRows.tanhGradient
  case .reluGradient: ActivationRows.reluGradient
  case .sum: ReductionRows.sum
  case .matmul: ProductRows.matmul
  case .linear: LinearRows.linear
  case .gatedTanh: ActivationRows.gatedTanh
  case .crossEntropy: LossRows.crossEntropy
  case .convolution: ConvolutionRows.images + ConvolutionRows.sequences
  case .convolutionInputGradient: ConvolutionRows.inputGradient
  case .convolutionWeightGradient: ConvolutionRows.weightGradient
  case .maximumPool: PoolingRows.maxima + PoolingRows.adaptiveMaxima
  case .maximumPoolGradient: PoolingRows.maximumGradients
  case .averagePool: PoolingRows.averages + PoolingRows.adaptiveAverages
  case .averagePoolGradient: PoolingRows.averageGradients
  case .batchNormalization: BatchNormRows.batchNormalization
  case .recurrent: RecurrentRows.recurrent
  case .attention: AttentionRows.heads
  case .layerNormalization: NormalizationRows.layer
  case .recurrentState: RecurrentRows.finalStates
  case .halfSquaredError: LossRows.halfSquaredError
  case .reshape: ViewRows.reshape
  case .permute: ViewRows.permute
  case .transpose: ViewRows.transpose
  case .select: ViewRows.select
  case .slice: SlicingRows.slice
  case .embed: SlicingRows.embed
  case .replace: SlicingRows.replace
  case .unfold: SlicingRows.unfold
  case .fold: SlicingRows.fold
  case .broadcast: ViewRows.broadcast
  case .stack: JoiningRows.stack
  case .concatenate: JoiningRows.concatenate
  case .take: IndexingRows.take
  case .scatterAdd: IndexingRows.scatterAdd
  case .takeAlong: IndexingRows.takeAlong
  case .scatterAddAlong: IndexingRows.scatterAddAlong
  case .embedding: IndexingRows.embedding
  }
}

/// Public operations that are made of others and leave no record of their own on the tape.
enum Composition: CaseIterable {
  case reshaping, axes, repeating, splitting, vectorProducts, einsum
  case triangles, padding, selection, order, uniqueness, resizing
  case transposedConvolution, normalization
  case activation, mean
  case constant, interpolation, logarithms, comparison, truthValues, classification
  case rectifiers, gates, bounded, statistics, norm, counts, places, cumulativeProduct
  case differences, divergences, cosines, dropout
  case attention
}

/// The rows of a composed operation. Also without a default.
func rows(of composition: Composition) -> [OperationRow] {
  switch composition {
  case .reshaping: ViewRows.reshaping
  case .axes: ViewRows.axes
  case .repeating: JoiningRows.repeating
  case .splitting: JoiningRows.splitting
  case .vectorProducts: ProductRows.vectorProducts
  case .einsum: ProductRows.einsum
  case .triangles: ViewRows.triangles
  case .padding: PaddingRows.padding
  case .selection: IndexingRows.selection
  case .order: OrderRows.order
  case .uniqueness: OrderRows.uniqueness
  case .resizing: ResizingRows.resizing
  case .transposedConvolution: ConvolutionRows.transposedImages + ConvolutionRows.transposedSequences
  case .normalization: NormalizationRows.all
  case .activation: ActivationRows.activation
  case .mean: ReductionRows.mean
  case .constant: ElementwiseRows.constant
  case .interpolation: ElementwiseRows.interpolation
  case .logarithms: PowerRows.logarithms
  case .comparison: ComparisonRows.comparison
  case .truthValues: ComparisonRows.truthValues
  case .classification: ComparisonRows.classification
  case .rectifiers: ActivationRows.rectifiers
  case .gates: ActivationRows.gates
  case .bounded: ActivationRows.bounded
  case .statistics: StatisticsRows.statistics
  case .norm: StatisticsRows.norm
  case .counts: ReductionRows.counts
  case .places: ReductionRows.places
  case .cumulativeProduct: ReductionRows.cumulativeProduct
  case .differences: LossRows.differences
  case .divergences: LossRows.divergences
  case .cosines: LossRows.cosines
  case .attention: AttentionRows.attention
  case .dropout: DropoutRows.dropout
  }
}

/// All rows.
let operationRows = Kasane.Operation.allCases.flatMap(rows(of:)) + Composition.allCases.flatMap(rows(of:))

/// Public functions in `Sources/Kasane/Operations` that compute nothing to be checked, with the reason.
let functionsWithoutRows: [String: String] = [
  "detached": "the same elements; GradientTests shows that no gradient flows"
]
