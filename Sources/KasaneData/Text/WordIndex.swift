// SPDX-License-Identifier: Apache-2.0

/// Words by their bytes, numbered in the order in which they were added: text of millions of words a second is looked up
/// without making strings of them.
struct WordIndex {
  /// How many words there are.
  private(set) var count = 0
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var hashes: [UInt64] = []
  /// One more than the number of the word in a place; 0 where there is none. As many as a power of two, at most half full.
  private var slots = [Int32](repeating: 0, count: 1 << 12)

  /// No words.
  init() {}

  /// The words in their order, each once.
  init(_ words: some Sequence<String>) {
    for word in words {
      var word = word
      word.withUTF8 { _ = add($0) }
    }
  }

  /// The number of a word, or nil for one that is not there.
  func number(of word: UnsafeBufferPointer<UInt8>) -> Int32? {
    let found = slots[place(of: word, Self.hash(word))]
    return found == 0 ? nil : found - 1
  }

  /// The number of a word, which is added where it is not there.
  mutating func add(_ word: UnsafeBufferPointer<UInt8>) -> Int32 {
    let hash = Self.hash(word)
    let place = place(of: word, hash)
    if slots[place] > 0 { return slots[place] - 1 }
    bytes += word
    ends.append(bytes.count)
    hashes.append(hash)
    count += 1
    slots[place] = Int32(count)
    if 2 * count > slots.count { grow() }
    return Int32(count - 1)
  }

  /// A word as text.
  func word(_ number: Int) -> String { String(decoding: bytes[range(of: number)], as: UTF8.self) }

  private func range(of number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

  /// Where a word is, or where it belongs.
  private func place(of word: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while true {
      let found = Int(slots[place]) - 1
      if found < 0 { return place }
      if hashes[found] == hash {
        let own = range(of: found)
        if own.count == word.count, zip(own, word).allSatisfy({ bytes[$0] == $1 }) { return place }
      }
      place = (place + 1) & mask
    }
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: 2 * slots.count)
    let mask = slots.count - 1
    for number in 0..<count {
      var place = Int(truncatingIfNeeded: hashes[number]) & mask
      while slots[place] > 0 { place = (place + 1) & mask }
      slots[place] = Int32(number + 1)
    }
  }

  /// FNV-1a of 64 bits (Fowler, Noll and Vo), of which the upper half is folded onto the lower.
  private static func hash(_ word: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash ^ hash >> 32
  }
}
