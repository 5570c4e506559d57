// SPDX-License-Identifier: Apache-2.0

extension ReferenceEngine {
  // MARK: Matrix products

  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      switch transposing {
      case .none:
        let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
        guard let batch = Shape(a.shape.dropLast(2)).broadcast(with: Shape(b.shape.dropLast(2))) else {
          preconditionFailure("matmul: shapes \(a.shape) and \(b.shape) do not broadcast")
        }
        let left = a.numbers(type, in: Shape(batch + [m, k])),
          right = b.numbers(type, in: Shape(batch + [k, n]))
        var result: [N] = []
        for i in 0..<batch.elementCount {
          result += product(m, k, n, { left[(i * m + $0) * k + $1] }, { right[(i * k + $0) * n + $1] })
        }
        return Tensor(numbers: result, shape: Shape(batch + [m, n]), dtype: a.dtype)
      case .right:
        let k = a.shape[a.rank - 1]
        let (m, n) = (a.shape.dropLast().reduce(1, *), b.shape.dropLast().reduce(1, *))
        let (left, right) = (a.numbers(type), b.numbers(type))
        let result: [N] = product(m, k, n, { left[$0 * k + $1] }, { right[$1 * k + $0] })
        return Tensor(numbers: result, shape: Shape(a.shape.dropLast() + [n]), dtype: a.dtype)
      case .left:
        let (m, n) = (a.shape[a.rank - 1], b.shape[b.rank - 1])
        let (left, right) = (a.numbers(type), b.numbers(type))
        let result: [N] = product(
          m, a.shape.dropLast().reduce(1, *), n, { left[$1 * m + $0] }, { right[$0 * n + $1] })
        return Tensor(numbers: result, shape: Shape(m, n), dtype: a.dtype)
      }
    }
    return run(a.dtype.number)
  }

  /// The product of an m by k matrix and a k by n one, given by their elements.
  private func product<N: ReferenceNumber>(
    _ m: Int, _ k: Int, _ n: Int, _ a: (Int, Int) -> N, _ b: (Int, Int) -> N
  ) -> [N] {
    (0..<m * n).map { place in
      (0..<k).reduce(N(0.0)) { $0 + a(place / n, $1) * b($1, place % n) }
    }
  }

  // MARK: Convolutions

  /// Calls `body` with the places of the elements of images, kernel and result that one multiplication brings
  /// together.
  private func forEachProduct(
    images: Shape, kernel: Shape, result: Shape, _ g: ConvolutionGeometry,
    _ body: (_ x: Int, _ weight: Int, _ y: Int) -> Void
  ) {
    let (height, width, channels) = (images[1], images[2], images[3])
    let (inputs, outputs) = (kernel[2], kernel[3])
    for y in 0..<result.elementCount {
      let output = y % outputs, column = y / outputs % result[2]
      let row = y / outputs / result[2] % result[1], image = y / outputs / result[2] / result[1]
      let group = output / (outputs / g.groups)
      for weight in 0..<kernel[0] * kernel[1] * inputs {
        let (i, j, input) = (weight / inputs / kernel[1], weight / inputs % kernel[1], weight % inputs)
        let imageRow = row * g.stride.height + i * g.dilation.height - g.margins.top
        let imageColumn = column * g.stride.width + j * g.dilation.width - g.margins.left
        guard 0..<height ~= imageRow, 0..<width ~= imageColumn else { continue }
        let x = ((image * height + imageRow) * width + imageColumn) * channels + group * inputs + input
        body(x, weight * outputs + output, y)
      }
    }
  }

  func convolution(
    _ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let size = geometry.outputSize(
      image: Size2D(x.shape[1], x.shape[2]), kernel: Size2D(weight.shape[0], weight.shape[1]))
    let shape: Shape = [x.shape[0], size.height, size.width, weight.shape[3]]
    let (values, weights) = (x.numbers(Double.self), weight.numbers(Double.self))
    var result = bias?.numbers(Double.self, in: shape) ?? [Double](repeating: 0, count: shape.elementCount)
    forEachProduct(images: x.shape, kernel: weight.shape, result: shape, geometry) {
      result[$2] += values[$0] * weights[$1]
    }
    return Tensor(numbers: result, shape: shape, dtype: x.dtype)
  }

  func convolutionInputGradient(
    _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (values, weights) = (gradient.numbers(Double.self), weight.numbers(Double.self))
    var result = [Double](repeating: 0, count: shape.elementCount)
    forEachProduct(images: shape, kernel: weight.shape, result: gradient.shape, geometry) {
      result[$0] += values[$2] * weights[$1]
    }
    return Tensor(numbers: result, shape: shape, dtype: gradient.dtype)
  }

  func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
  ) -> Tensor {
    let (values, gradients) = (x.numbers(Double.self), gradient.numbers(Double.self))
    var result = [Double](repeating: 0, count: shape.elementCount)
    forEachProduct(images: x.shape, kernel: shape, result: gradient.shape, geometry) {
      result[$1] += values[$0] * gradients[$2]
    }
    return Tensor(numbers: result, shape: shape, dtype: x.dtype)
  }

  // MARK: Pooling

  /// Calls `body` for each element of a pooling's result with the places in its window: those of the images'
  /// elements, and the numbers of their pixels.
  private func forEachWindow(
    _ images: Shape, _ windows: PoolingWindows, _ body: (_ y: Int, _ x: [Int], _ pixels: [Int]) -> Void
  ) -> Shape {
    let (width, channels) = (images[2], images[3])
    let result: Shape = [images[0], windows.rows.count, windows.columns.count, channels]
    for y in 0..<result.elementCount {
      let channel = y % channels, column = y / channels % windows.columns.count
      let row = y / channels / windows.columns.count % windows.rows.count
      let image = y / channels / windows.columns.count / windows.rows.count
      let pixels = windows.rows[row].flatMap { i in windows.columns[column].map { i * width + $0 } }
      body(y, pixels.map { (image * images[1] * width + $0) * channels + channel }, pixels)
    }
    return result
  }

  func maximumPool(_ x: Tensor, _ windows: PoolingWindows) -> (values: Tensor, indices: Tensor) {
    let numbers = x.numbers(Double.self)
    var (values, indices) = ([Double](), [Int32]())
    let shape = forEachWindow(x.shape, windows) { _, places, pixels in
      var best = 0
      for i in places.indices {
        let (value, present) = (numbers[places[i]], numbers[places[best]])
        if !present.isNaN && (value > present || value.isNaN) { best = i }
      }
      values.append(numbers[places[best]])
      indices.append(Int32(pixels[best]))
    }
    return (Tensor(numbers: values, shape: shape, dtype: x.dtype), Tensor(indices, shape: shape))
  }

  func averagePool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor {
    let numbers = x.numbers(Double.self)
    var values: [Double] = []
    let shape = forEachWindow(x.shape, windows) { y, places, _ in
      values.append(places.reduce(0) { $0 + numbers[$1] } / divisor(y, x.shape[3], windows))
    }
    return Tensor(numbers: values, shape: shape, dtype: x.dtype)
  }

  func averagePoolGradient(_ gradient: Tensor, shape: Shape, _ windows: PoolingWindows) -> Tensor {
    let gradients = gradient.numbers(Double.self)
    var result = [Double](repeating: 0, count: shape.elementCount)
    _ = forEachWindow(shape, windows) { y, places, _ in
      for place in places { result[place] += gradients[y] / divisor(y, shape[3], windows) }
    }
    return Tensor(numbers: result, shape: shape, dtype: gradient.dtype)
  }

  /// What the average at place `y` of the result divides by.
  private func divisor(_ y: Int, _ channels: Int, _ windows: PoolingWindows) -> Double {
    let column = y / channels % windows.columns.count
    let row = y / channels / windows.columns.count % windows.rows.count
    return Double(windows.rowCounts[row] * windows.columnCounts[column])
  }
}
