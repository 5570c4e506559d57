// SPDX-License-Identifier: Apache-2.0

/// How many zeros are laid around an image or a sequence before a kernel or a window moves over it.
public enum Padding: Hashable, Sendable {
  /// None: the kernel stays within the image.
  case valid
  /// As many as make the result as large as the image divided by the stride, rounded up: TensorFlow's and Keras's
  /// definition. Where the number is odd, the end gets the larger part.
  case same
  /// All before the first step, so that no result sees a later step than its own (van den Oord et al. 2016). For
  /// sequences only.
  case causal
  /// The given numbers.
  case explicit(Margins)

  /// Zeros before and after an axis of `size` elements over which a kernel of `kernel` elements, `dilation` apart,
  /// moves in steps of `stride`.
  private func margins(
    size: Int, kernel: Int, stride: Int, dilation: Int
  ) -> (before: Int, after: Int) {
    let reach = (kernel - 1) * dilation + 1
    switch self {
    case .valid, .explicit: return (0, 0)
    case .causal: return (reach - 1, 0)
    case .same:
      guard stride > 0 else { return (0, 0) }
      let count = (size + stride - 1) / stride
      let total = max((count - 1) * stride + reach - size, 0)
      return (total / 2, total - total / 2)
    }
  }

  /// Zeros around an image.
  func margins(image: Size2D, kernel: Size2D, stride: Size2D, dilation: Size2D) -> Margins {
    if case .explicit(let margins) = self { return margins }
    let (top, bottom) = margins(
      size: image.height, kernel: kernel.height, stride: stride.height, dilation: dilation.height)
    let (left, right) = margins(
      size: image.width, kernel: kernel.width, stride: stride.width, dilation: dilation.width)
    return Margins(top: top, bottom: bottom, left: left, right: right)
  }

  /// Zeros before and after a sequence, as an image of one row.
  func columnMargins(size: Int, kernel: Int, stride: Int, dilation: Int) -> Margins {
    if case .explicit(let margins) = self { return Margins(left: margins.left, right: margins.right) }
    let (left, right) = margins(size: size, kernel: kernel, stride: stride, dilation: dilation)
    return Margins(left: left, right: right)
  }
}
