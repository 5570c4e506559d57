// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Float16 is computed in float32.
extension CPUEngine {
  func maximumPool(_ x: Tensor, _ windows: PoolingWindows) -> (values: Tensor, indices: Tensor) {
    // Where a maximum is, the kernel keeps in 32 bits.
    precondition(
      x.shape[1] * x.shape[2] <= Int(Int32.max), "maximumPool: images of too many pixels, shape \(x.shape)")
    let (x, dtype) = Self.poolable(x)
    let shape = windows.resultShape(of: x.shape)
    let values = Tensor(unsetWithShape: shape, dtype: x.dtype)
    let indices = Tensor(unsetWithShape: shape, dtype: .int32)
    windows.withPooling(of: x.shape) { task in
      ks_maximum_pool(
        task, x.dtype.rawValue, values.data, indices.data.assumingMemoryBound(to: Int32.self), x.data)
    }
    withExtendedLifetime(x) {}
    return (Self.converted(values, to: dtype), indices)
  }

  func maximumPoolGradient(
    _ gradient: Tensor, at indices: Tensor, shape: Shape, _ windows: PoolingWindows
  ) -> Tensor {
    let (gradient, dtype) = Self.poolable(gradient)
    let indices = indices.contiguous()
    let x = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    windows.withPooling(of: shape) {
      ks_maximum_pool_gradient(
        $0, gradient.dtype.rawValue, x.data, indices.data.assumingMemoryBound(to: Int32.self), gradient.data)
    }
    withExtendedLifetime((gradient, indices)) {}
    return Self.converted(x, to: dtype)
  }

  /// The tensor contiguous and of a type that the kernels know, and the type that it had.
  private static func poolable(_ x: Tensor) -> (Tensor, DType) {
    x.dtype == .bfloat16 ? (x.contiguous(), .bfloat16) : computable(x)
  }

  func averagePool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor {
    let (x, dtype) = Self.poolable(x)
    let y = Tensor(unsetWithShape: windows.resultShape(of: x.shape), dtype: x.dtype)
    windows.withPooling(of: x.shape) { ks_average_pool($0, x.dtype.rawValue, y.data, x.data) }
    withExtendedLifetime(x) {}
    return Self.converted(y, to: dtype)
  }

  func averagePoolGradient(_ gradient: Tensor, shape: Shape, _ windows: PoolingWindows) -> Tensor {
    let (gradient, dtype) = Self.poolable(gradient)
    let x = Tensor(unsetWithShape: shape, dtype: gradient.dtype)
    windows.withPooling(of: shape) {
      ks_average_pool_gradient($0, gradient.dtype.rawValue, x.data, gradient.data)
    }
    withExtendedLifetime(gradient) {}
    return Self.converted(x, to: dtype)
  }
}

extension PoolingWindows {
  fileprivate func resultShape(of images: Shape) -> Shape {
    [images[0], rows.count, columns.count, images[3]]
  }

  /// Calls `body` with the windows as C takes them.
  fileprivate func withPooling(of images: Shape, _ body: (UnsafePointer<ks_pooling>) -> Void) {
    // Firsts, lasts and counts of the rows, then those of the columns.
    let (height, width) = (rows.count, columns.count)
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: 3 * (height + width) + 1) { numbers in
      for (i, row) in rows.enumerated() {
        numbers[i] = Int64(row.lowerBound)
        numbers[height + i] = Int64(row.upperBound)
        numbers[2 * height + i] = Int64(rowCounts[i])
      }
      let base = UnsafePointer(numbers.baseAddress!), rest = 3 * height
      for (j, column) in columns.enumerated() {
        numbers[rest + j] = Int64(column.lowerBound)
        numbers[rest + width + j] = Int64(column.upperBound)
        numbers[rest + 2 * width + j] = Int64(columnCounts[j])
      }
      var task = ks_pooling(
        batch: Int64(images[0]), height: Int64(images[1]), width: Int64(images[2]),
        channels: Int64(images[3]), out_height: Int64(height), out_width: Int64(width), row_first: base,
        row_last: base + height, column_first: base + rest, column_last: base + rest + width,
        row_counts: base + 2 * height, column_counts: base + rest + 2 * width)
      body(&task)
    }
  }
}
