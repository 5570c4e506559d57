// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The suite of workloads: the shortest measurements of the smallest of them.
@Suite struct BenchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private struct Line: Decodable {
    let name, precision, version: String
    let best_ms, median_ms: Double
    let threads, peak_bytes: Int
    let gflops: Double?
  }

  private struct ProfileLine: Decodable {
    let name: String
    let operation, pass: String?
    let calls, ms, share, gflops, gbs, roofline, outside_ms, peak_gflops, peak_gbs: Double?
  }

  private func bench<T: Decodable>(_ type: T.Type, _ arguments: String...) throws -> [T] {
    let outcome = try folder.run(["bench", "--json", "--seconds", "0.02", "--threads", "1"] + arguments)
    try #require(outcome.status == 0, "\(outcome.stderr)")
    return try outcome.lines.map { try JSONDecoder().decode(T.self, from: Data($0.utf8)) }
  }

  @Test func severalWorkloads() throws {
    let lines = try bench(Line.self, "dqn-update", "vae", "--batch", "3")
    #expect(lines.map(\.name) == ["dqn-update", "vae"])
    for line in lines {
      #expect(line.best_ms > 0 && line.best_ms <= line.median_ms)
      #expect(line.threads == 1 && line.precision == "float32" && !line.version.isEmpty)
      #expect(line.peak_bytes > 1 << 20 && line.peak_bytes < 1 << 30)
      #expect((line.gflops ?? 0) > 0)
    }
    #expect(folder.names() == [])
  }

  @Test func namesForPeople() throws {
    let outcome = try folder.run(["bench", "dqn-update", "--seconds", "0.02"])
    #expect(outcome.lines.count == 1 && outcome.lines[0].hasPrefix("dqn-update: "))
    let help = try folder.run(["bench", "--help"]).stdout
    for name in [
      "binary-addition", "dqn-update", "vae", "core", "all", "--precision", "--profile", "--image",
    ] {
      #expect(help.contains(name), "\(name)")
    }
    #expect(!help.contains("count-operations"))
  }

  @Test func longSequencesOfBits() throws {
    let outcome = try folder.run([
      "bench", "binary-addition", "--length", "129", "--batch", "2", "--seconds", "0.02", "--threads", "1",
    ])
    #expect(outcome.status == 0 && outcome.lines.count == 3, "\(outcome.stderr)")
  }

  @Test func whatEveryProgramPays() throws {
    struct Line: Decodable { let name: String, best_ms, median_ms: Double }
    let lines = try bench(Line.self, "startup")
    #expect(lines.map(\.name) == ["startup"])
    #expect(lines[0].best_ms > 0 && lines[0].best_ms <= lines[0].median_ms)
  }

  @Test func peaks() throws {
    struct Line: Decodable { let name: String, gflops, gbs: Double }
    let lines = try bench(Line.self, "peaks")
    #expect(lines.count == 1 && lines[0].name == "peaks" && lines[0].gflops > 0 && lines[0].gbs > 0)
  }

  #if os(Linux)
    /// The program starts itself anew with a setting for libgomp, unless the user has one.
    @Test func threadsThatWaitShortly() throws {
      for (environment, expected) in [
        ([:], "'3000'"), (["GOMP_SPINCOUNT": "77"], "'77'"), (["OMP_WAIT_POLICY": "passive"], "'0'"),
      ] {
        let outcome = try folder.run(
          ["info"], environment: environment.merging(["OMP_DISPLAY_ENV": "verbose"]) { $1 })
        let line = outcome.errorLines.first { $0.contains("GOMP_SPINCOUNT") }
        #expect(line?.contains(expected) == true, "\(environment): \(line ?? outcome.stderr)")
      }
    }
  #endif

  @Test func profile() throws {
    let lines = try bench(ProfileLine.self, "dqn-update", "--profile")
    #expect(lines.allSatisfy { $0.name == "dqn-update" })
    #expect(try #require(lines[0].peak_gflops) > 0 && #require(lines[0].peak_gbs) > 0)
    #expect(try #require(lines[0].outside_ms) >= 0)
    let rows = lines.dropFirst()
    for (operation, pass) in [("linear", "forward"), ("matrixProduct", "backward")] {
      let products = try #require(rows.first { $0.operation == operation && $0.pass == pass })
      // Three layers, and their gradients by weights and by all inputs but the first.
      #expect(products.calls == (pass == "forward" ? 3 : 5))
      #expect(try #require(products.gflops) > 0 && #require(products.roofline) > 0)
    }
    #expect(rows.contains { $0.operation == "update" })
    let shares = try rows.reduce(0) { try $0 + #require($1.share) }
    #expect(shares > 0.2 && shares <= 1.0001)
  }

  @Test func profileForPeople() throws {
    let outcome = try folder.run([
      "bench", "dqn-update", "--profile", "--shapes", "--seconds", "0.02", "--threads", "1",
    ])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(outcome.lines.contains { $0.hasPrefix("matrixProduct [64, 128] [128, 128]") })
    #expect(outcome.lines.last?.hasPrefix("all ") == true)
  }

  @Test(arguments: [
    (["nonsense"], "nonsense"), (["vae", "nonsense"], "nonsense"), ([], "names"),
    (["vae", "--batch=0"], "--batch"), (["vae", "--batch=-1"], "--batch"), (["vae", "--batch=x"], "--batch"),
    (["vae", "--batch=65537"], "--batch"), (["vae", "--length=0"], "--length"),
    (["vae", "--image=0"], "--image"), (["vae", "--image=4097"], "--image"),
    (["densenet121-infer", "--image=28"], "--image"),
    (["vae", "--precision=float8"], "--precision"), (["vae", "--method=tape"], "--method"),
    (["vae", "binary-addition", "--method=tape"], "--method"), (["vae", "--threads=0"], "--threads"),
    (["vae", "--seconds=0"], "--seconds"), (["vae", "--seconds=inf"], "--seconds"),
    (["vae", "--shapes"], "--shapes"), (["core", "--profile"], "--profile"),
    (["ops", "--profile"], "--profile"), (["vae", "--foo"], "--foo"),
  ]) func badInput(_ arguments: [String], _ what: String) throws {
    let outcome = try folder.run(["bench"] + arguments)
    #expect(outcome.status == 64, "\(arguments): \(outcome.stderr)")
    let first = outcome.errorLines.first ?? ""
    #expect(first.hasPrefix("Error: ") && first.contains(what), "\(arguments): \(outcome.stderr)")
    #expect(outcome.stdout.isEmpty, "\(arguments)")
  }

  @Test func unknownProfile() throws {
    let outcome = try folder.run(["info"], environment: ["KASANE_PROFILE": "everything"])
    #expect(outcome.status == 1)
    #expect(outcome.stderr == "Error: KASANE_PROFILE: everything, one of operations, shapes expected\n")
  }
}
