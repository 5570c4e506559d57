// SPDX-License-Identifier: Apache-2.0

// Running text, and what goes with it.
extension DataSet {
  static let texts: [DataSet] = [
    englishNovels, wikitext2ValidTest, wikiMini, tinyshakespeare, names, word2vecEval, glove50d5k,
  ]

  private static let englishNovels = DataSet(
    "english_novels", task: "language models, word vectors",
    about: "English novels of the 19th and early 20th century, 17 million characters",
    licence: "public domain",
    made: "novels, a paragraph a line, in parts to learn from and to judge by",
    files: [
      File(
        "train.txt.gz", size: 17_193_698,
        sha256: "e27731c5d9d24a934e5d14b298716a576488389abb9d682a57f80fd941e3beb0"),
      File(
        "valid.txt.gz", size: 355_870,
        sha256: "b4ad63bb85036ca1d28375281e75f43d8666f52252c470c17f0f1719faf144d4"),
    ])

  private static let wikitext2ValidTest = DataSet(
    "wikitext2_valid_test", task: "language models",
    about: "WikiText-2, validation and test parts (Merity et al. 2016)",
    licence: "CC BY-SA 3.0", home: "https://arxiv.org/abs/1609.07843",
    files: [
      File(
        "test.txt.gz", size: 1_256_449,
        sha256: "d790b833ef8cf03a90db7bf1271b7520b83c45ce07ba3c1a9699df81e239eca0",
        addresses: [wikitext + "test.txt"]),
      File(
        "valid.txt.gz", size: 1_121_681,
        sha256: "f0737ed31fc1329026e95cb8b98e19c2a182c39c240ab909dc31abf2f8af58e8",
        addresses: [wikitext + "valid.txt"]),
    ])

  private static let wikiMini = DataSet(
    "wiki_mini", task: "language models, word vectors",
    about: "104 articles of the English Wikipedia",
    licence: "CC BY-SA", home: "https://en.wikipedia.org",
    made: "the text of the articles that titles.txt lists, a paragraph a line",
    files: [
      File(
        "titles.txt", size: 1_484,
        sha256: "983501c523e7a82dd3d074fd141d3bd684e832455eb089821174fe39a86acaf3"),
      File(
        "wiki_mini.txt.gz", size: 2_774_749,
        sha256: "d9fef29b0680829b17375dc4c59ed80b5d916d2eee427ce9c80c10397364466a"),
    ])

  private static let tinyshakespeare = DataSet(
    "tinyshakespeare", task: "language models by characters",
    about: "Shakespeare, 1.1 million characters (Karpathy 2015)",
    licence: "public domain", home: "https://github.com/karpathy/char-rnn",
    files: [
      File(
        "input.txt.gz", size: 1_115_394,
        sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        addresses: [charRNN + "input.txt"])
    ])

  private static let names = DataSet(
    "names", task: "names by characters",
    about: "32,032 first names",
    licence: "public domain", home: "https://github.com/karpathy/makemore",
    files: [
      File(
        "names.txt.gz", size: 228_145,
        sha256: "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
        addresses: [
          "https://raw.githubusercontent.com/karpathy/makemore/988aa59e4d8fefa526d06f3b453ad116258398d4/names.txt"
        ])
    ])

  private static let word2vecEval = DataSet(
    "word2vec_eval", task: "judging word vectors",
    about: "19,544 analogies (Mikolov et al. 2013), WordSim-353, SimLex-999",
    licence: "Apache-2.0; CC BY 4.0; SimLex-999 for research",
    home: "https://aclweb.org/aclwiki/WordSimilarity-353_Test_Collection_(State_of_the_art)",
    files: [
      File(
        "questions-words.txt.gz", size: 603_955,
        sha256: "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36",
        addresses: [
          "https://raw.githubusercontent.com/tmikolov/word2vec/20c129af10659f7c50e86e3be406df663beff438/questions-words.txt"
        ]),
      File(
        "simlex999.txt", size: 18_126,
        sha256: "d5e0501971478a511430ee880bd0121e94ac701ba86d90544d83e6d2ba3db05d",
        addresses: [gensim + "simlex999.txt"]),
      File(
        "wordsim353.tsv", size: 7_186,
        sha256: "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
        addresses: [gensim + "wordsim353.tsv"]),
    ])

  private static let glove50d5k = DataSet(
    "glove_50d_5k", task: "word vectors",
    about: "GloVe 6B of 50 dimensions (Pennington, Socher and Manning 2014), the 5,000 commonest words",
    licence: "PDDL 1.0", home: "https://nlp.stanford.edu/projects/glove/",
    made: "the first 5,000 lines of glove.6B.50d.txt in https://nlp.stanford.edu/data/glove.6B.zip",
    files: [
      File(
        "glove.50d.5k.txt.gz", size: 2_158_642,
        sha256: "f50b07b377a4f6a3d2187d8e1afc2f592cdc36faee5061b93ad8bcd376c2481b")
    ])

  private static let charRNN =
    "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/"

  private static let gensim =
    "https://raw.githubusercontent.com/piskvorky/gensim/37f90ec121eb7cd401448a947e80953e0c53ccdc/gensim/test/test_data/"

  private static let wikitext =
    "https://raw.githubusercontent.com/pytorch/examples/77f55b912142e11fcfdf5b530231fb9c52f181e8/word_language_model/data/wikitext-2/"
}
