// SPDX-License-Identifier: Apache-2.0

internal import CTransfer
import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How patient downloads are.
public struct TransferOptions: Sendable {
  /// How often in a row a server may fail without a byte having come.
  public var attempts = 5
  /// The wait before the second attempt; it doubles with each that follows.
  public var pause = Duration.seconds(1)
  /// How long a connection may take.
  public var connectTimeout = Duration.seconds(20)
  /// How long nothing may come.
  public var stallTimeout = Duration.seconds(30)

  /// The defaults.
  public init() {}
}

/// How far a download has come.
public struct TransferProgress: Sendable {
  /// What is downloaded.
  public let file: String
  /// How many of its bytes are there.
  public let received: Int
  /// How many bytes it has, where the server says so.
  public let total: Int?
  /// Bytes a second since the download began.
  public let rate: Double

  /// The seconds that are left, where they can be told.
  public var remaining: Double? {
    guard let total, rate > 0 else { return nil }
    return Double(max(0, total - received)) / rate
  }
}

/// The download of one file to a place where it stays until it is whole, so that it can be gone on with at any time.
struct Transfer {
  let address: String
  /// The file that is written.
  let path: String
  /// The most bytes that are taken.
  let limit: Int
  let options: TransferOptions
  let progress: (TransferProgress) -> Void

  /// Why a download failed.
  struct Failure: Error {
    let line: String
    /// Whether it was the disk and not the server, so that no other address helps.
    var isOurs = false
  }

  /// Downloads what is missing. Returns whether all of it came at once, without going on from an earlier part. Throws
  /// `Failure`; what has come stays where it is of use.
  func run() throws -> Bool {
    var (failures, restarts) = (0, 0)
    var startedAfresh = false
    while true {
      let before = Self.size(of: path)
      if before == 0 { startedAfresh = true }
      let receiver = try Receiver(self, after: before)
      let result = receiver.run(from: before)
      if let failure = receiver.failure { throw failure }
      switch result.end {
      case KS_TRANSFER_COMPLETE: return startedAfresh && restarts == 0
      case KS_TRANSFER_STOPPED:
        // A part at another place than the one that was asked for.
        try discard()
        restarts += 1
        failures += 1
      case KS_TRANSFER_REFUSED where result.status == 416 && before > 0:
        // Nothing follows what is there, so it is of another file.
        try discard()
        failures += 1
      case KS_TRANSFER_REFUSED: throw Failure(line: "\(address): \(Self.reason(of: result))")
      default:
        // A server that cuts every connection still gives the file piece by piece.
        failures = Self.size(of: path) > before ? 1 : failures + 1
        restarts += 1
      }
      guard failures < options.attempts, restarts < 1000 else {
        throw Failure(line: "\(address): \(Self.reason(of: result)), after \(failures) attempts")
      }
      Self.sleep(options.pause * (1 << min(failures - 1, 16)))
    }
  }

  private func discard() throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw unwritable }
  }

  fileprivate var unwritable: Failure {
    Failure(line: "\(path): cannot be written: \(Files.lastReason)", isOurs: true)
  }

  static func size(of path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  private static func reason(of result: ks_transfer_result) -> String {
    let words = withUnsafeBytes(of: result.reason) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return words.isEmpty ? "not the part of the file that was asked for" : words
  }

  private static func sleep(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    withUnsafePointer(to: time) { _ = nanosleep($0, nil) }
  }
}

/// Writes what comes to the file.
private final class Receiver {
  private let transfer: Transfer
  private let descriptor: Int32
  private let clock = ContinuousClock()
  private let started: ContinuousClock.Instant
  private var isBegun = false
  private var position: Int
  private var total: Int?
  private var came = 0
  /// What went wrong on this side.
  var failure: Transfer.Failure?

  init(_ transfer: Transfer, after size: Int) throws {
    self.transfer = transfer
    position = size
    started = clock.now
    descriptor = open(transfer.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw transfer.unwritable }
    guard lseek(descriptor, 0, SEEK_END) >= 0 else { throw transfer.unwritable }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func run(from start: Int) -> ks_transfer_result {
    transfer.address.withCString { address in
      var request = ks_transfer_request()
      request.address = address
      request.start = Int64(start)
      request.connect_milliseconds = Self.milliseconds(transfer.options.connectTimeout)
      request.stall_milliseconds = Self.milliseconds(transfer.options.stallTimeout)
      request.context = Unmanaged.passUnretained(self).toOpaque()
      request.receive = { context, head, bytes, count in
        let receiver = Unmanaged<Receiver>.fromOpaque(context!).takeUnretainedValue()
        return receiver.take(head!.pointee, UnsafeBufferPointer(start: bytes, count: count))
      }
      return ks_transfer(&request)
    }
  }

  private func take(_ head: ks_transfer_head, _ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    if !isBegun {
      isBegun = true
      if head.status == 200 && position > 0 {
        // A server without ranges begins at the beginning.
        guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else { return fail() }
        position = 0
      }
      guard Int(head.start) == position else { return false }
      total = head.length < 0 ? nil : position + Int(head.length)
    }
    guard position + bytes.count <= transfer.limit else {
      failure = Transfer.Failure(line: "\(transfer.address): longer than the file that is expected")
      unlink(transfer.path)
      return false
    }
    guard Files.writeAll(bytes, to: descriptor) else { return fail() }
    position += bytes.count
    came += bytes.count
    let seconds = max((clock.now - started) / .seconds(1), 1e-9)
    transfer.progress(
      TransferProgress(
        file: Self.name(transfer.address), received: position, total: total, rate: Double(came) / seconds))
    return true
  }

  /// Leaves no part behind that would keep a full disk full.
  private func fail() -> Bool {
    failure = transfer.unwritable
    unlink(transfer.path)
    return false
  }

  private static func name(_ address: String) -> String {
    address.split(separator: "/").last.map(String.init) ?? address
  }

  private static func milliseconds(_ duration: Duration) -> Int32 {
    Int32(clamping: Int((duration / .milliseconds(1)).rounded(.up)))
  }
}
