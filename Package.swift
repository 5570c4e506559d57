// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let package = Package(
  name: "Kasane",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Kasane", targets: ["Kasane"]),
    .library(name: "KasaneData", targets: ["KasaneData"]),
    .library(name: "KasaneModels", targets: ["KasaneModels"]),
    .library(name: "KasaneRecipes", targets: ["KasaneRecipes"]),
    .executable(name: "kasane", targets: ["KasaneCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.28.0"),
  ],
  targets: [
    .target(name: "CDNN", linkerSettings: [.linkedLibrary("dnnl")]),
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(
      name: "Kasane",
      dependencies: ["CDNN", "CKernels", .product(name: "SwiftProtobuf", package: "swift-protobuf")]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CReport", exclude: ["report.css", "report.js"]),
    .target(name: "CLibrary", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CImages", dependencies: ["CLibrary"]),
    .target(name: "CMecab", dependencies: ["CLibrary"]),
    .target(
      name: "CSentencePiece",
      linkerSettings: [.linkedLibrary("sentencepiece"), .linkedLibrary("sentencepiece_train")]),
    .target(name: "CTransfer", dependencies: ["CLibrary"]),
    .target(name: "CSamples", exclude: ["digits", "text"]),
    .target(
      name: "KasaneData",
      dependencies: ["CImages", "CMecab", "CSamples", "CSentencePiece", "CTransfer", "CZlib", "Kasane"]),
    .target(name: "KasaneModels", dependencies: ["Kasane"]),
    .target(
      name: "KasaneRecipes",
      dependencies: [
        "Kasane", "KasaneData", "KasaneModels",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "CStart"),
    // Named apart from `Kasane`: on a file system that ignores case `kasane` would be the same folder.
    .executableTarget(
      name: "KasaneCommand",
      dependencies: [
        "CReport", "CStart", "Kasane", "KasaneData", "KasaneModels", "KasaneRecipes",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(
      name: "KasaneTests", dependencies: ["Kasane", "CKernels"], resources: [.copy("Fixtures")]),
    .target(name: "LocalServer", path: "Tests/LocalServer"),
    .testTarget(
      name: "KasaneDataTests", dependencies: ["Kasane", "KasaneData", "LocalServer"],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "KasaneModelsTests", dependencies: ["Kasane", "KasaneModels"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "KasaneRecipesTests", dependencies: ["Kasane", "KasaneData", "KasaneModels", "KasaneRecipes"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "DocumentationTests", dependencies: ["Kasane"]),
    .testTarget(
      name: "CommandTests", dependencies: ["Kasane", "KasaneData", "KasaneCommand", "LocalServer"]),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)

// The checks before a change lands build with warnings as errors; a user with a newer compiler should not.
if Context.environment["KASANE_STRICT"] != nil {
  for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
    target.cSettings = (target.cSettings ?? []) + [.treatAllWarnings(as: .error)]
  }
}
