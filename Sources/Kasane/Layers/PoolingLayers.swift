// SPDX-License-Identifier: Apache-2.0

/// The maximum over each window of images; see `maxPool2D`.
public struct MaxPool2D: Layer {
  /// The windows' height and width.
  public let size: Size2D
  /// Steps from one window to the next.
  public let stride: Size2D
  /// Margins, which are never the maximum.
  public let padding: Padding
  /// Whether a last window that only partly fits is taken too.
  public let roundsUp: Bool

  /// A layer whose windows, unless told otherwise, lie side by side.
  public init(_ size: Size2D, stride: Size2D? = nil, padding: Padding = .valid, roundsUp: Bool = false) {
    (self.size, self.stride, self.padding, self.roundsUp) = (size, stride ?? size, padding, roundsUp)
  }

  /// Maps `[batch, height, width, channels]` to `[batch, outHeight, outWidth, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      maxPool2D(x, size: size, stride: stride, padding: padding, roundsUp: roundsUp)
    }
  }
}

/// The maximum over each window of sequences; see `maxPool1D`.
public struct MaxPool1D: Layer {
  /// The windows' length.
  public let size: Int
  /// Steps from one window to the next.
  public let stride: Int
  /// Margins, which are never the maximum.
  public let padding: Padding
  /// Whether a last window that only partly fits is taken too.
  public let roundsUp: Bool

  /// A layer whose windows, unless told otherwise, lie side by side.
  public init(_ size: Int, stride: Int? = nil, padding: Padding = .valid, roundsUp: Bool = false) {
    (self.size, self.stride, self.padding, self.roundsUp) = (size, stride ?? size, padding, roundsUp)
  }

  /// Maps `[batch, time, features]` to `[batch, outTime, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      maxPool1D(x, size: size, stride: stride, padding: padding, roundsUp: roundsUp)
    }
  }
}

/// The average over each window of images; see `averagePool2D`.
public struct AveragePool2D: Layer {
  /// The windows' height and width.
  public let size: Size2D
  /// Steps from one window to the next.
  public let stride: Size2D
  /// Margins.
  public let padding: Padding
  /// Whether a last window that only partly fits is taken too.
  public let roundsUp: Bool
  /// Whether the margins take part in the average, as zeros.
  public let countsPadding: Bool

  /// A layer whose windows, unless told otherwise, lie side by side.
  public init(
    _ size: Size2D, stride: Size2D? = nil, padding: Padding = .valid, roundsUp: Bool = false,
    countsPadding: Bool = false
  ) {
    (self.size, self.stride, self.padding, self.roundsUp) = (size, stride ?? size, padding, roundsUp)
    self.countsPadding = countsPadding
  }

  /// Maps `[batch, height, width, channels]` to `[batch, outHeight, outWidth, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      averagePool2D(
        x, size: size, stride: stride, padding: padding, roundsUp: roundsUp, countsPadding: countsPadding)
    }
  }
}

/// The average over each window of sequences; see `averagePool1D`.
public struct AveragePool1D: Layer {
  /// The windows' length.
  public let size: Int
  /// Steps from one window to the next.
  public let stride: Int
  /// Margins.
  public let padding: Padding
  /// Whether a last window that only partly fits is taken too.
  public let roundsUp: Bool
  /// Whether the margins take part in the average, as zeros.
  public let countsPadding: Bool

  /// A layer whose windows, unless told otherwise, lie side by side.
  public init(
    _ size: Int, stride: Int? = nil, padding: Padding = .valid, roundsUp: Bool = false,
    countsPadding: Bool = false
  ) {
    (self.size, self.stride, self.padding, self.roundsUp) = (size, stride ?? size, padding, roundsUp)
    self.countsPadding = countsPadding
  }

  /// Maps `[batch, time, features]` to `[batch, outTime, features]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      averagePool1D(
        x, size: size, stride: stride, padding: padding, roundsUp: roundsUp, countsPadding: countsPadding)
    }
  }
}

/// The average of each channel over all pixels of an image (Lin et al. 2014).
public struct GlobalAveragePool2D: Layer {
  /// The layer, which has nothing to choose.
  public init() {}

  /// Maps `[batch, height, width, channels]` to `[batch, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { reported { globalAveragePool2D(x) } }
}

/// The maximum of each channel over all pixels of an image.
public struct GlobalMaxPool2D: Layer {
  /// The layer, which has nothing to choose.
  public init() {}

  /// Maps `[batch, height, width, channels]` to `[batch, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { reported { globalMaxPool2D(x) } }
}

/// The averages over windows that divide an image of whatever size into a fixed number of parts; see
/// `adaptiveAveragePool2D`.
public struct AdaptiveAveragePool2D: Layer {
  /// Into how many rows and columns an image is divided.
  public let outputSize: Size2D

  /// A layer whose results have the given size.
  public init(_ outputSize: Size2D) { self.outputSize = outputSize }

  /// Maps `[batch, height, width, channels]` to `[batch, outHeight, outWidth, channels]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported { adaptiveAveragePool2D(x, outputSize: outputSize) }
  }
}
