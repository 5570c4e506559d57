// SPDX-License-Identifier: Apache-2.0

import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An HTTP server on this machine that does what a test tells it to, good or bad.
public final class LocalServer: @unchecked Sendable {
  /// What a client asks for.
  public struct Request: Sendable, Equatable {
    /// The path, with its slash.
    public let path: String
    /// The first byte of the range that is asked for, if one is.
    public let start: Int?
    /// How many requests for this path there have been, this one counted.
    public let number: Int
  }

  /// What it gets.
  public struct Reply: Sendable {
    /// The status of HTTP.
    public var status = 200
    /// The headers, `Content-Length` apart.
    public var headers: [String] = []
    /// The body.
    public var body: [UInt8] = []
    /// The length that is announced; nil for none.
    public var length: Int?
    /// How many bytes of the body are sent before the connection is cut.
    public var cut = Int.max
    /// How many bytes of the body are sent before nothing comes any more.
    public var stall = Int.max
    /// The wait before each kibibyte of the body.
    public var pause: Duration?

    /// A status with nothing but headers.
    public init(status: Int, headers: [String] = []) {
      (self.status, self.headers, length) = (status, headers, 0)
    }

    /// A file, or the part of it that is asked for.
    public init(_ file: [UInt8], for request: Request, ranges: Bool = true) {
      body = file
      if ranges, let start = request.start {
        if start >= file.count {
          (status, body) = (416, [])
        } else {
          (status, body) = (206, Array(file[start...]))
          headers.append("Content-Range: bytes \(start)-\(file.count - 1)/\(file.count)")
        }
      }
      length = body.count
    }
  }

  /// Where it is: `http://127.0.0.1:` and a port.
  public let address: String
  private let listener: Int32
  private let answer: @Sendable (Request) -> Reply
  private let lock = NSLock()
  private var seen: [Request] = []

  /// All that was asked for so far.
  public var requests: [Request] { lock.withLock { seen } }

  /// A server that answers every request by `answer`.
  public init(_ answer: @escaping @Sendable (Request) -> Reply) throws {
    self.answer = answer
    #if os(Linux)
      listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    #else
      listener = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let isBound = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
    address = "http://127.0.0.1:\(UInt16(bigEndian: place.sin_port))"
    // Threads of their own: the tests' pool is as small as the machine, and these wait.
    Thread.detachNewThread { [weak self] in
      while true {
        let client = accept(descriptor, nil, nil)
        guard client >= 0 else {
          if errno == EINTR { continue }
          break
        }
        guard let server = self else {
          close(client)
          break
        }
        Thread.detachNewThread { server.serve(client) }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func serve(_ client: Int32) {
    defer { close(client) }
    guard let request = read(client) else { return }
    let reply = answer(request)
    var head = "HTTP/1.1 \(reply.status) Status\r\nConnection: close\r\n"
    for header in reply.headers { head += header + "\r\n" }
    if let length = reply.length { head += "Content-Length: \(length)\r\n" }
    guard send(Array((head + "\r\n").utf8), to: client) else { return }
    let last = min(reply.body.count, reply.cut, reply.stall)
    for start in stride(from: 0, to: last, by: 1024) {
      if let pause = reply.pause { usleep(UInt32(pause / .microseconds(1))) }
      guard send(Array(reply.body[start..<min(start + 1024, last)]), to: client) else { return }
    }
    guard reply.stall < reply.body.count else { return }
    // Until the client has enough of it.
    var byte: UInt8 = 0
    while recv(client, &byte, 1, 0) > 0 {}
  }

  private func read(_ client: Int32) -> Request? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
      let count = recv(client, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
    }
    let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count == 3 else { return nil }
    let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
    let start = range.flatMap { Int($0.dropFirst(13).prefix { $0.isNumber }) }
    return lock.withLock {
      let number = seen.count { $0.path == words[1] } + 1
      let request = Request(path: String(words[1]), start: start, number: number)
      seen.append(request)
      return request
    }
  }

  private func send(_ bytes: [UInt8], to client: Int32) -> Bool {
    #if os(Linux)
      let flags = Int32(MSG_NOSIGNAL)
    #else
      let flags: Int32 = 0
    #endif
    var done = 0
    while done < bytes.count {
      let sent = bytes[done...].withUnsafeBytes { sendBytes(client, $0.baseAddress!, $0.count, flags) }
      guard sent > 0 else { return false }
      done += sent
    }
    return true
  }
}

// The C function, whose name the method would hide.
private func sendBytes(_ socket: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ flags: Int32) -> Int {
  send(socket, bytes, count, flags)
}
