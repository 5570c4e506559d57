// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An SVG image with a size of its own, as a file of that kind or drawn pixel by pixel.
struct VectorImage {
  private let text: String
  private let size: (width: Double, height: Double)

  /// An image of this program's: its first element has a width and a height.
  init(_ text: String) {
    self.text = text
    let found = text.firstMatch(of: /<svg [^>]*?width="([\d.]+)" height="([\d.]+)"/)
    size = (found.flatMap { Double($0.1) } ?? 300, found.flatMap { Double($0.2) } ?? 150)
  }

  private func height(at width: Double) -> Double { (size.height * width / size.width).rounded(.up) }

  /// The file, made as wide as asked for.
  func svg(width: Int?) -> String {
    guard let width else { return text }
    let own = "width=\"\(SVG.at(size.width))\" height=\"\(SVG.at(size.height))\""
    guard let place = text.firstRange(of: own) else { return text }
    let new = "width=\"\(width)\" height=\"\(SVG.at(height(at: Double(width))))\""
    return text.replacingCharacters(in: place, with: new)
  }

  /// The image as PNG, as wide as asked for or twice as wide as it says, since it is for screens with small pixels. Throws
  /// where the system has no librsvg, which is looked for only now: most commands never need it.
  func png(width: Int?, for path: String) throws -> [UInt8] {
    let pixels = Double(width ?? Int(2 * size.width))
    return try Renderer(for: path).png(of: text, width: pixels, height: height(at: pixels))
  }
}

/// librsvg and cairo, loaded while the program runs.
private struct Renderer {
  private typealias NewHandle =
    @convention(c) (UnsafePointer<UInt8>, Int, UnsafeMutableRawPointer?) -> OpaquePointer?
  private typealias Render =
    @convention(c) (OpaquePointer, OpaquePointer, UnsafeRawPointer, UnsafeMutableRawPointer?) -> Int32
  private typealias NewSurface = @convention(c) (Int32, Int32, Int32) -> OpaquePointer?
  private typealias NewContext = @convention(c) (OpaquePointer) -> OpaquePointer?
  private typealias Use = @convention(c) (OpaquePointer) -> Void
  private typealias Status = @convention(c) (OpaquePointer) -> Int32
  private typealias Writer =
    @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<UInt8>?, UInt32) -> Int32
  private typealias WriteSurface =
    @convention(c) (OpaquePointer, Writer, UnsafeMutableRawPointer?) -> Int32

  private let path: String
  private let (rsvg, cairo): (UnsafeMutableRawPointer, UnsafeMutableRawPointer)

  init(for path: String) throws {
    #if os(macOS)
      let folders = ["", "/opt/homebrew/lib/", "/usr/local/lib/"]
      let (names, package) = (["librsvg-2.2.dylib", "libcairo.2.dylib"], "librsvg (Homebrew)")
    #else
      let folders = [""]
      let (names, package) = (["librsvg-2.so.2", "libcairo.so.2"], "librsvg2-2 (Debian and Ubuntu)")
    #endif
    let libraries = names.compactMap { name in
      folders.lazy.compactMap { dlopen($0 + name, RTLD_NOW) }.first
    }
    guard libraries.count == names.count else {
      throw KasaneError(
        "\(path): PNG needs the library librsvg, which is not installed: \(package); .svg needs nothing")
    }
    self.path = path
    (rsvg, cairo) = (libraries[0], libraries[1])
  }

  private func function<Function>(_ name: String, in library: UnsafeMutableRawPointer, as type: Function.Type)
    throws
    -> Function
  {
    guard let found = dlsym(library, name) else {
      throw KasaneError("\(path): PNG needs librsvg 2.46 or newer: this one has no \(name)")
    }
    return unsafeBitCast(found, to: type)
  }

  /// Draws a file of SVG with a given number of pixels.
  func png(of text: String, width: Double, height: Double) throws -> [UInt8] {
    let failure = KasaneError("\(path): cannot be drawn by librsvg")
    let bytes = Array(text.utf8)
    let newHandle = try function("rsvg_handle_new_from_data", in: rsvg, as: NewHandle.self)
    let render = try function("rsvg_handle_render_document", in: rsvg, as: Render.self)
    let newSurface = try function("cairo_image_surface_create", in: cairo, as: NewSurface.self)
    let newContext = try function("cairo_create", in: cairo, as: NewContext.self)
    let contextStatus = try function("cairo_status", in: cairo, as: Status.self)
    let write = try function("cairo_surface_write_to_png_stream", in: cairo, as: WriteSurface.self)
    let freeContext = try function("cairo_destroy", in: cairo, as: Use.self)
    let freeSurface = try function("cairo_surface_destroy", in: cairo, as: Use.self)
    let freeHandle = try function("g_object_unref", in: rsvg, as: Use.self)

    guard let handle = newHandle(bytes, bytes.count, nil) else { throw failure }
    defer { freeHandle(handle) }
    // The first format is that with eight bits each of red, green, blue and opacity.
    guard let surface = newSurface(0, Int32(width), Int32(height)) else { throw failure }
    defer { freeSurface(surface) }
    guard let context = newContext(surface) else { throw failure }
    defer { freeContext(context) }
    let viewport = [0, 0, width, height]
    guard contextStatus(context) == 0, render(handle, context, viewport, nil) != 0 else { throw failure }

    var file: [UInt8] = []
    let status = withUnsafeMutablePointer(to: &file) { file in
      write(
        surface,
        { file, bytes, count in
          file!.assumingMemoryBound(to: [UInt8].self).pointee
            .append(contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
          return 0
        }, file)
    }
    guard status == 0, !file.isEmpty else { throw failure }
    return file
  }
}
