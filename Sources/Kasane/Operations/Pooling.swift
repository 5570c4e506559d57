// SPDX-License-Identifier: Apache-2.0

/// The maximum over each window of images `[batch, height, width, channels]`. The gradient goes to the first of equal
/// maxima.
///
/// - Parameters:
///   - x: The images.
///   - size: The windows' height and width.
///   - stride: Steps from one window to the next; the windows' size where nil.
///   - padding: Margins, which are never the maximum. They must be smaller than the windows.
///   - roundsUp: Whether a last window that only partly fits is taken too.
public func maxPool2D(
  _ x: Tensor, size: Size2D, stride: Size2D? = nil, padding: Padding = .valid, roundsUp: Bool = false
) -> Tensor {
  maximumPool(
    x, windows("maxPool2D", x, size, stride ?? size, padding, roundsUp: roundsUp, countsPadding: false))
}

/// The maximum over each window of sequences `[batch, time, features]`.
public func maxPool1D(
  _ x: Tensor, size: Int, stride: Int? = nil, padding: Padding = .valid, roundsUp: Bool = false
) -> Tensor {
  pooledSequences("maxPool1D", x, size, stride ?? size, padding) { images, size, stride, padding in
    maximumPool(
      images, windows("maxPool1D", images, size, stride, padding, roundsUp: roundsUp, countsPadding: false))
  }
}

/// The average over each window of images `[batch, height, width, channels]`.
///
/// - Parameters:
///   - x: The images.
///   - size: The windows' height and width.
///   - stride: Steps from one window to the next; the windows' size where nil.
///   - padding: Margins. They must be smaller than the windows.
///   - roundsUp: Whether a last window that only partly fits is taken too.
///   - countsPadding: Whether the margins take part in the average, as zeros; PyTorch's default, while TensorFlow
///     never does so.
public func averagePool2D(
  _ x: Tensor, size: Size2D, stride: Size2D? = nil, padding: Padding = .valid, roundsUp: Bool = false,
  countsPadding: Bool = false
) -> Tensor {
  averagePool(
    x,
    windows(
      "averagePool2D", x, size, stride ?? size, padding, roundsUp: roundsUp, countsPadding: countsPadding))
}

/// The average over each window of sequences `[batch, time, features]`.
public func averagePool1D(
  _ x: Tensor, size: Int, stride: Int? = nil, padding: Padding = .valid, roundsUp: Bool = false,
  countsPadding: Bool = false
) -> Tensor {
  pooledSequences("averagePool1D", x, size, stride ?? size, padding) { images, size, stride, padding in
    averagePool(
      images,
      windows(
        "averagePool1D", images, size, stride, padding, roundsUp: roundsUp, countsPadding: countsPadding))
  }
}

/// The maximum of each channel over all pixels of `[batch, height, width, channels]`: `[batch, channels]`, or
/// `[batch, 1, 1, channels]` where the axes are kept.
public func globalMaxPool2D(_ x: Tensor, keepingAxes: Bool = false) -> Tensor {
  let y = maximumPool(x, adaptiveWindows("globalMaxPool2D", x, 1))
  return keepingAxes ? y : y.reshaped(to: Shape(y.shape[0], y.shape[3]))
}

/// The average of each channel over all pixels of `[batch, height, width, channels]`: `[batch, channels]`, or
/// `[batch, 1, 1, channels]` where the axes are kept.
public func globalAveragePool2D(_ x: Tensor, keepingAxes: Bool = false) -> Tensor {
  let y = averagePool(x, adaptiveWindows("globalAveragePool2D", x, 1))
  return keepingAxes ? y : y.reshaped(to: Shape(y.shape[0], y.shape[3]))
}

/// The maxima over windows that divide images into as many rows and columns as `outputSize` says, of whatever size the
/// images are: window i of n covers the rows from floor(i h / n) up to ceil((i + 1) h / n), as in PyTorch.
public func adaptiveMaxPool2D(_ x: Tensor, outputSize: Size2D) -> Tensor {
  maximumPool(x, adaptiveWindows("adaptiveMaxPool2D", x, outputSize))
}

/// The averages over windows that divide images into as many rows and columns as `outputSize` says, of whatever size
/// the images are: window i of n covers the rows from floor(i h / n) up to ceil((i + 1) h / n), as in PyTorch.
public func adaptiveAveragePool2D(_ x: Tensor, outputSize: Size2D) -> Tensor {
  averagePool(x, adaptiveWindows("adaptiveAveragePool2D", x, outputSize))
}

/// The maxima over windows that divide sequences `[batch, time, features]` into `outputSize` parts.
public func adaptiveMaxPool1D(_ x: Tensor, outputSize: Int) -> Tensor {
  pooledSequences("adaptiveMaxPool1D", x, 1, 1, .valid) { images, _, _, _ in
    maximumPool(images, adaptiveWindows("adaptiveMaxPool1D", images, Size2D(1, outputSize)))
  }
}

/// The averages over windows that divide sequences `[batch, time, features]` into `outputSize` parts.
public func adaptiveAveragePool1D(_ x: Tensor, outputSize: Int) -> Tensor {
  pooledSequences("adaptiveAveragePool1D", x, 1, 1, .valid) { images, _, _, _ in
    averagePool(images, adaptiveWindows("adaptiveAveragePool1D", images, Size2D(1, outputSize)))
  }
}

// MARK: Values and pullbacks

private func maximumPool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor {
  let (values, indices) = engine.maximumPool(x, windows)
  return maximumPool(x, at: indices, windows, values: values)
}

/// The pixels at the indices: once it is known where the maxima are, pooling is linear.
private func maximumPool(
  _ x: Tensor, at indices: Tensor, _ windows: PoolingWindows, values: Tensor? = nil
) -> Tensor {
  let result =
    values
    ?? withoutGradient {
      engine.takeAlong(x.asPixels, indices.cast(to: .int64).asPixels, axis: 1).reshaped(to: indices.shape)
    }
  return recorded(.maximumPool, result, x, saving: indices, x.ghostIfRecording) { step in
    step.add(maximumPoolGradient(step.gradient, at: step[0], shape: step[1].shape, windows), to: 0)
  }
}

/// An image of the given shape with the gradients added to the pixels at the indices.
func maximumPoolGradient(_ gradient: Tensor, at indices: Tensor, shape: Shape, _ windows: PoolingWindows)
  -> Tensor
{
  let result = engine.maximumPoolGradient(gradient, at: indices, shape: shape, windows)
  return recorded(.maximumPoolGradient, result, gradient, saving: indices) { step in
    step.add(maximumPool(step.gradient, at: step[0], windows), to: 0)
  }
}

extension Tensor {
  /// Images with their pixels as one axis.
  var asPixels: Tensor {
    let shape = self.shape
    return reshaped(to: Shape(shape[0], shape[1] * shape[2], shape[3]))
  }
}

func averagePool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor {
  recorded(.averagePool, engine.averagePool(x, windows), x, saving: x.ghostIfRecording) { step in
    step.add(averagePoolGradient(step.gradient, shape: step[0].shape, windows), to: 0)
  }
}

func averagePoolGradient(_ gradient: Tensor, shape: Shape, _ windows: PoolingWindows) -> Tensor {
  let value = engine.averagePoolGradient(gradient, shape: shape, windows)
  return recorded(.averagePoolGradient, value, gradient) { step in
    step.add(averagePool(step.gradient, windows), to: 0)
  }
}

// MARK: Windows

/// Windows of one size that move in steps.
private func windows(
  _ name: String, _ x: Tensor, _ size: Size2D, _ stride: Size2D, _ padding: Padding, roundsUp: Bool,
  countsPadding: Bool
) -> PoolingWindows {
  checkImages(name, x)
  let geometry = checkedGeometry(name, Size2D(x.shape[1], x.shape[2]), size, stride, padding, 1, 1)
  let margins = geometry.margins
  precondition(
    max(margins.top, margins.bottom) < size.height && max(margins.left, margins.right) < size.width,
    "\(name): \(margins) around windows of \(size.height) by \(size.width)")
  func axis(_ image: Int, _ before: Int, _ after: Int, _ size: Int, _ stride: Int) -> ([Range<Int>], [Int]) {
    let room = image + before + after - size
    precondition(
      room >= 0 && image > 0,
      "\(name): windows of \(size) on an axis of \(image) with margins \(before) and \(after)")
    var count = (room + (roundsUp ? stride - 1 : 0)) / stride + 1
    // A window must begin before the margin at the end does.
    if roundsUp && (count - 1) * stride >= image + before { count -= 1 }
    let starts = (0..<count).map { $0 * stride - before }
    return (
      starts.map { max($0, 0)..<min($0 + size, image) },
      starts.map { countsPadding ? min($0 + size, image + after) - $0 : min($0 + size, image) - max($0, 0) }
    )
  }
  let (rows, rowCounts) = axis(x.shape[1], margins.top, margins.bottom, size.height, stride.height)
  let (columns, columnCounts) = axis(x.shape[2], margins.left, margins.right, size.width, stride.width)
  var result = PoolingWindows(rows: rows, columns: columns)
  (result.rowCounts, result.columnCounts) = (rowCounts, columnCounts)
  return result
}

private func adaptiveWindows(_ name: String, _ x: Tensor, _ count: Size2D) -> PoolingWindows {
  checkImages(name, x)
  func axis(_ image: Int, _ count: Int) -> [Range<Int>] {
    precondition(count >= 0 && image > 0, "\(name): input \(x.shape) in \(count) parts")
    return (0..<count).map { $0 * image / count..<(($0 + 1) * image + count - 1) / count }
  }
  return PoolingWindows(rows: axis(x.shape[1], count.height), columns: axis(x.shape[2], count.width))
}

private func checkImages(_ name: String, _ x: Tensor) {
  precondition(x.dtype.isFloatingPoint, "\(name): \(x.dtype) where a floating-point type is needed")
  precondition(
    x.rank == 4, "\(name): input \(x.shape) is no batch of images [batch, height, width, channels]")
}

/// Pools sequences as images of one row.
private func pooledSequences(
  _ name: String, _ x: Tensor, _ size: Int, _ stride: Int, _ padding: Padding,
  _ pool: (Tensor, Size2D, Size2D, Padding) -> Tensor
) -> Tensor {
  precondition(x.rank == 3, "\(name): input \(x.shape) is no batch of sequences [batch, time, features]")
  let margins = padding.columnMargins(size: x.shape[1], kernel: size, stride: stride, dilation: 1)
  let images = x.reshaped(to: [x.shape[0], 1, x.shape[1], x.shape[2]])
  let y = pool(images, Size2D(1, size), Size2D(1, stride), .explicit(margins))
  return y.reshaped(to: Shape(y.shape[0], y.shape[2], y.shape[3]))
}
