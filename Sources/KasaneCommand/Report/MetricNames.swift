// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes

/// What a reader sees for the name of a metric.
struct MetricName {
  let text: String
  /// Whether the words are the report's, and not the name as it was recorded.
  let isTranslated: Bool
  /// Whether the values are shares, shown as percentages.
  let isShare: Bool

  init(_ name: String, in language: Language) {
    let isValidation = name.hasPrefix(RunRecord.validationPrefix)
    let base = isValidation ? String(name.dropFirst(RunRecord.validationPrefix.count)) : name
    isShare =
      base.hasSuffix("accuracy") || ["precision", "recall", "f1"].contains(base) || base.hasSuffix("_f1")
    guard let known = Self.known(base, in: language) else {
      (text, isTranslated) = (name, false)
      return
    }
    let keeps = known.hasPrefix("F1") || known.hasPrefix("KL")
    let beginning = keeps ? known : known.prefix(1).lowercased() + String(known.dropFirst())
    text = isValidation ? language("Validation \(beginning)", "検証の\(known)") : known
    isTranslated = true
  }

  private static func known(_ name: String, in language: Language) -> String? {
    switch name {
    case RunRecord.loss: language("Loss", "損失")
    case RunRecord.iterationRate: language("Iterations per second", "毎秒の反復回数")
    case RunRecord.tokenRate: language("Tokens per second", "毎秒のトークン数")
    case "accuracy": language("Accuracy", "正解率")
    case "binary_accuracy": language("Accuracy, of two classes", "二値分類の正解率")
    case "phrase_accuracy": language("Accuracy of phrases", "句の正解率")
    case "gradient_norm": language("Norm of the gradient", "勾配のノルム")
    case "learning_rate": language("Learning rate", "学習率")
    case "perplexity": language("Perplexity", "パープレキシティ")
    case "precision": language("Precision", "適合率")
    case "recall": language("Recall", "再現率")
    case "f1": language("F1", "F1 値")
    case "mark_f1": language("F1 of marks", "句読点の F1 値")
    case "capital_f1": language("F1 of capitals", "大文字の F1 値")
    case "negative_elbo": language("Negative ELBO", "負の ELBO")
    case "reconstruction": language("Reconstruction, nats", "再構成誤差（ナット）")
    case "kl": language("KL divergence, nats", "KL 情報量（ナット）")
    case "squared_error": language("Squared error of a pixel", "画素の二乗誤差")
    default: nil
    }
  }

  /// A value as text.
  func text(_ value: Double) -> String { isShare ? ReportNumbers.percent(value) : ReportNumbers.text(value) }
}
