// SPDX-License-Identifier: Apache-2.0

internal import CSentencePiece
import Kasane

/// Pieces of words that are learned from text (Kudo and Richardson 2018), by the library SentencePiece. White space is part of
/// the pieces, as ▁, so that text comes back as it was.
public final class SentencePieceTokenizer: Tokenizer, @unchecked Sendable {
  /// How pieces are found.
  public enum Kind: String, CaseIterable, Codable, Sendable {
    /// A language model of single pieces (Kudo 2018).
    case unigram
    /// Byte-pair encoding: pairs that are seen most often become one (Sennrich, Haddow and Birch 2016).
    case bpe
  }

  /// The model's file.
  public let bytes: [UInt8]
  /// All pieces by number; the first are the unknown one and the ends of texts.
  public let pieces: [String]
  // Nothing of it changes once it is there.
  private let model: OpaquePointer

  /// The model of a file, as the library's own tools write it. Throws one line where it is none.
  public convenience init(contentsOf path: String) throws {
    try self.init(try Files.read(path), from: path)
  }

  /// The model of a file's bytes; `name` is the file's in errors.
  public init(_ bytes: [UInt8], from name: String) throws {
    let opened = bytes.withUnsafeBytes { memory in
      memory.withMemoryRebound(to: CChar.self) { memory in
        memory.baseAddress.flatMap { ks_pieces_open($0, memory.count) }
      }
    }
    guard let opened else { throw KasaneError("\(name): not a model of SentencePiece") }
    guard Self.isWhole(bytes) else {
      ks_pieces_close(opened)
      throw KasaneError("\(name): not a whole model of SentencePiece: its end is missing")
    }
    model = opened
    self.bytes = bytes
    pieces = (0..<ks_pieces_count(opened)).map { number in
      var length = 0
      let piece = ks_pieces_piece(opened, number, &length)
      return String(decoding: UnsafeRawBufferPointer(start: piece, count: length), as: UTF8.self)
    }
  }

  /// Whether a model's message has its last part, how text is normalised: one that is cut between two pieces is a message too,
  /// and the library takes it.
  private static func isWhole(_ bytes: [UInt8]) -> Bool {
    var place = 0
    func number() -> Int? {
      var (value, shift) = (0, 0)
      while place < bytes.count, shift < 63 {
        value |= Int(bytes[place] & 0x7F) << shift
        place += 1
        if bytes[place - 1] < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    var hasRules = false
    while place < bytes.count {
      // Everything at the top is a field with a length before it.
      guard let tag = number(), tag & 7 == 2, let length = number(), length <= bytes.count - place else {
        return false
      }
      if tag >> 3 == 3 { hasRules = true }
      place += length
    }
    return hasRules
  }

  deinit { ks_pieces_close(model) }

  /// Learns the pieces of a text. Throws one line where the text cannot be read, or does not give so many pieces.
  ///
  /// - Parameters:
  ///   - kind: how pieces are found
  ///   - count: how many there are to be, with the unknown one and the ends of texts
  ///   - coverage: the share of the text's characters that must have a piece: 1, or 0.9995 for Japanese and Chinese
  public static func train(
    on corpus: Corpus, kind: Kind, count: Int, coverage: Double = 1
  ) throws -> SentencePieceTokenizer {
    let source = LineSource(corpus)
    let sink = ByteSink()
    let (isTrained, reason) = withReason { reason, size in
      ks_pieces_train(
        kind.rawValue, Int32(clamping: count), coverage,
        { context, line, length in
          Unmanaged<LineSource>.fromOpaque(context).takeUnretainedValue().next(line, length)
        }, Unmanaged.passUnretained(source).toOpaque(),
        { context, bytes, length in ByteSink.take(context, bytes, length) },
        Unmanaged.passUnretained(sink).toOpaque(), reason, size)
    }
    if let problem = source.problem { throw problem }
    guard isTrained else {
      throw KasaneError("\(corpus.name): \(count) pieces cannot be learned from it: \(reason)")
    }
    let made = try SentencePieceTokenizer(sink.bytes, from: corpus.name)
    guard made.pieces.count == count else {
      throw KasaneError(
        "\(corpus.name): \(count) pieces cannot be learned from it: it has \(made.pieces.count)")
    }
    return made
  }

  /// Writes the model, which the library's own tools read.
  public func write(to path: String) throws { try Files.write([bytes], to: path) }

  /// The pieces of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    let sink = PieceSink()
    var line = line
    line.withUTF8 { text in
      text.withMemoryRebound(to: CChar.self) { text in
        guard let start = text.baseAddress else { return }
        ks_pieces_encode(
          model, start, text.count, { context, bytes, length in PieceSink.take(context, bytes, length) },
          Unmanaged.passUnretained(sink).toOpaque())
      }
    }
    for piece in sink.pieces { try body(piece) }
  }

  /// The number of a piece; that of the unknown one where it is none.
  public func number(of piece: String) -> Int {
    var piece = piece
    return piece.withUTF8 { text in
      text.withMemoryRebound(to: CChar.self) { text in
        Int(text.baseAddress.map { ks_pieces_number(model, $0, text.count) } ?? 0)
      }
    }
  }

  /// The text that pieces make.
  public func text(of tokens: [String]) -> String {
    let numbers = tokens.map { Int32(number(of: $0)) }
    let sink = ByteSink()
    ks_pieces_decode(
      model, numbers, numbers.count, { context, bytes, length in ByteSink.take(context, bytes, length) },
      Unmanaged.passUnretained(sink).toOpaque())
    return String(decoding: sink.bytes, as: UTF8.self)
  }
}

/// Lines for the library, which asks for one after another.
private final class LineSource {
  private let lines: CorpusLines
  /// The line at hand, at an address that holds until the next.
  private var line = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 1)
  var problem: (any Error)?

  init(_ corpus: Corpus) { lines = CorpusLines(corpus) }

  deinit { line.deallocate() }

  func next(_ out: UnsafeMutablePointer<UnsafePointer<CChar>?>, _ length: UnsafeMutablePointer<Int>) -> Bool {
    do {
      guard let text = try lines.next() else { return false }
      line.deallocate()
      let bytes = text.utf8CString
      line = .allocate(capacity: bytes.count)
      _ = line.initialize(from: bytes)
    } catch {
      problem = error
      return false
    }
    length.pointee = line.count - 1
    out.pointee = UnsafePointer(line.baseAddress)
    return true
  }
}

/// Bytes from the library.
private final class ByteSink {
  var bytes: [UInt8] = []

  static func take(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<CChar>, _ length: Int) {
    Unmanaged<ByteSink>.fromOpaque(context!).takeUnretainedValue().bytes += UnsafeRawBufferPointer(
      start: bytes, count: length)
  }
}

/// Pieces from the library.
private final class PieceSink {
  var pieces: [String] = []

  static func take(_ context: UnsafeMutableRawPointer?, _ bytes: UnsafePointer<CChar>, _ length: Int) {
    Unmanaged<PieceSink>.fromOpaque(context!).takeUnretainedValue().pieces.append(
      String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self))
  }
}
