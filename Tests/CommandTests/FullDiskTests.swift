// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
  import Foundation
  import LocalServer
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Musl
  #endif

  /// A file system in memory, small enough to be filled. Only root may mount one.
  private final class SmallDisk {
    private let path: String
    // Kept, so that it is removed after the disk in it is gone.
    private let folder: TemporaryFolder
    private var isMounted = false

    init?(in folder: TemporaryFolder, kibibytes: Int) {
      self.folder = folder
      path = folder.file("disk").path
      guard mkdir(path, 0o755) == 0, mount("tmpfs", path, "tmpfs", 0, "size=\(kibibytes)k") == 0 else {
        return nil
      }
      isMounted = true
    }

    deinit { if isMounted { umount2(path, Int32(MNT_DETACH)) } }

    static let canBeMounted: Bool = {
      guard let folder = try? TemporaryFolder() else { return false }
      return SmallDisk(in: folder, kibibytes: 64) != nil
    }()
  }

  /// What happens when the disk is full.
  @Suite(.enabled(if: SmallDisk.canBeMounted, "mounting a small disk is not permitted here"))
  struct FullDiskTests {
    let folder: TemporaryFolder
    private let disk: SmallDisk

    init() throws {
      folder = try TemporaryFolder()
      disk = try #require(SmallDisk(in: folder, kibibytes: 200))
    }

    /// Fills the disk but for some space.
    private func fill(leaving kibibytes: Int) throws {
      let size = (200 - kibibytes) * 1024
      try folder.write(Data(repeating: 1, count: size), to: "disk/ballast")
    }

    @Test func fullFromTheStart() throws {
      try fill(leaving: 0)
      try folder.expectError(
        trainArguments("disk/r"), names: "disk/r/config.json: cannot be written: No space left on device")
      #expect(folder.names("disk") == ["ballast"])
    }

    @Test func noSpaceForAFileThatIsWrittenWhole() throws {
      // One checkpoint of 42 kB fits, a second beside it does not.
      try fill(leaving: 80)
      let outcome = try folder.run(
        trainArguments("disk/r", ["--hidden", "100", "--checkpoint-every", "100"]))
      #expect(outcome.status == 1, "\(outcome.stderr)")
      let checkpoint = "disk/r/checkpoints/step-000000100.safetensors"
      let reason = "cannot be written: No space left on device"
      #expect(outcome.errorLines.dropFirst() == ["Error: \(checkpoint): \(reason)"])
      #expect(folder.names("disk/r/checkpoints") == ["step-000000000.safetensors"])
      #expect(folder.partials == [])

      try folder.train("r")
      try folder.remove("disk/r")
      try folder.remove("disk/ballast")
      try fill(leaving: 0)
      try folder.expectError(["plot", "r", "--output", "disk/x.svg"], names: "disk/x.svg: \(reason)")
      #expect(!folder.has("disk/x.svg"))
    }

    @Test func noSpaceForADownload() throws {
      try fill(leaving: 64)
      let server = try LocalServer { LocalServer.Reply([UInt8](repeating: 7, count: 228_145), for: $0) }
      let outcome = try folder.run(
        ["data", "get", "names", "--from", "\(server.address)/names.txt"],
        environment: ["KASANE_DATA": "disk", "no_proxy": "127.0.0.1"])
      #expect(outcome.status == 1, "\(outcome.stderr)")
      let place = "disk/names/names.txt.gz.download"
      #expect(outcome.errorLines == ["Error: \(place): cannot be written: No space left on device"])
      #expect(folder.names("disk") == ["ballast"] && server.requests.count == 1)
    }

    @Test func fullAfterAWhileAndGoneOnWith() throws {
      // A report each iteration, so that the metrics soon take what is left.
      let options = ["--print-every", "1", "--checkpoint-every", "20", "--iterations", "400"]
      try folder.train("whole", options)
      try fill(leaving: 64)
      let outcome = try folder.run(trainArguments("disk/r", options))
      try #require(outcome.status == 1, "\(outcome.stderr)")
      #expect(outcome.errorLines.first == "Training binary-addition with seed 1 in disk/r")
      let errors = outcome.errorLines.dropFirst()
      #expect(errors.count == 1, "\(outcome.stderr)")
      #expect(errors.first?.hasPrefix("Error: disk/r/") == true, "\(outcome.stderr)")
      #expect(errors.first?.hasSuffix("cannot be written: No space left on device") == true)
      #expect(folder.partials == [])
      #expect(!folder.has("disk/r/model.safetensors"))

      // What is there can be used, and with space again the run goes on as if nothing had been.
      #expect(try folder.run(["show", "disk/r"]).status == 0)
      #expect(try folder.run(["predict", "disk/r", "1", "1"]).status == 0)
      try folder.remove("disk/ballast")
      let rest = try folder.run(["train", "--resume", "disk/r"])
      #expect(rest.status == 0, "\(rest.stderr)")
      #expect(try folder.data("disk/r/model.safetensors") == folder.data("whole/model.safetensors"))
      let metrics = try folder.text("disk/r/metrics.jsonl").split(separator: "\n")
      #expect(metrics.count == 400)
      for (iteration, line) in metrics.enumerated() {
        #expect(line.hasPrefix("{\"iteration\":\(iteration),"))
      }
    }
  }
#endif
