// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes

/// The configurations and states of runs side by side; where they differ is marked.
struct ReportTables {
  private let records: [RunRecord]
  private let language: Language

  init(_ records: [RunRecord], in language: Language) {
    (self.records, self.language) = (records, language)
  }

  /// The options in which runs differ.
  static func differing(_ records: [RunRecord]) -> [String] {
    let options = records.map(\.run.configuration.options)
    return Set(options.flatMap(\.keys)).filter { name in
      options.contains { $0[name] != options[0][name] }
    }.sorted()
  }

  private struct Row {
    let title: String
    let values: [String?]
    /// False for what no two runs have in common.
    var isCompared = true
    var differs: Bool { isCompared && values.contains { $0 != values[0] } }
  }

  /// What each run was told.
  private var options: [Row] {
    let names = Set(records.flatMap(\.run.configuration.options.keys)).sorted()
    return names.map { name in
      Row(
        title: raw(name, "code"),
        values: records.map { $0.run.configuration.options[name].map { raw("\($0)") } })
    }
  }

  /// What each run was.
  private var runs: [Row] {
    func row(
      _ english: String, _ japanese: String, isCompared: Bool = false, _ value: (RunRecord) -> String?
    ) -> Row {
      Row(title: language(english, japanese), values: records.map(value), isCompared: isCompared)
    }
    func set(_ english: String, _ japanese: String, _ value: (RunConfiguration) -> String) -> Row {
      row(english, japanese, isCompared: true) { raw(value($0.run.configuration)) }
    }
    return [
      set("Recipe", "レシピ") { $0.recipe },
      row("State", "状態", isCompared: true) { record in
        record.run.isFinished ? language("finished", "完了") : language("not finished", "未完了")
      },
      row("Steps", "ステップ数") { raw(ReportNumbers.text($0.steps)) },
      row("Lines recorded", "記録行数") { raw(ReportNumbers.text($0.recorded)) },
      row("Time", "時間") { ReportNumbers.time($0.seconds, in: language) },
      set("Seed", "乱数シード") { String($0.seed) },
      row("Began", "開始") { raw(ReportNumbers.moment($0.run.configuration.created)) },
      set("Precision", "精度") { ($0.precision ?? .float32).rawValue },
      set("Threads", "スレッド数") { String($0.threads) },
      set("Machine", "マシン") { $0.machine },
      set("Engine", "エンジン") { $0.engine },
      set("Instruction set", "命令セット") { $0.instructionSet },
      set("Version", "バージョン") { "Kasane \($0.version)" },
      row("Folder", "フォルダ") { raw($0.run.path) },
    ]
  }

  /// Both in one table.
  var html: String {
    let head =
      records.count > 1
      ? "<thead><tr><td></td>"
        + records.enumerated().map { number, record in
          "<th scope=\"col\"><i class=\"swatch \(Colours.name(number))\"></i>\(raw(record.name))</th>"
        }.joined() + "</tr></thead>" : ""
    let note =
      records.count > 1 && !Self.differing(records).isEmpty
      ? "<p class=\"note\">\(mark) \(language("marks what differs between the runs.", "の付いた行は、学習の間で値が異なります。"))</p>"
      : ""
    return """
      \(note)<div class="scroll" tabindex="0"><table class="settings">\(head)
      \(body(language("Options", "オプション"), options))
      \(body(language("Run", "実行"), runs))
      </table></div>
      """
  }

  private var mark: String {
    "<b class=\"mark-differs\" title=\"\(language("differs", "異なる"))\">≠</b>"
  }

  private func body(_ title: String, _ rows: [Row]) -> String {
    let lines = rows.map { row in
      let cells = row.values.map { "<td>\($0 ?? "–")</td>" }.joined()
      return row.differs
        ? "<tr class=\"differs\"><th scope=\"row\">\(row.title) \(mark)</th>\(cells)</tr>"
        : "<tr><th scope=\"row\">\(row.title)</th>\(cells)</tr>"
    }
    return
      "<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"\(records.count + 1)\">\(title)</th></tr>"
      + lines.joined() + "</tbody>"
  }
}
