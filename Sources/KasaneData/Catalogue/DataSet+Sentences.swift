// SPDX-License-Identifier: Apache-2.0

// Sentences, pairs of them and dialogues.
extension DataSet {
  static let sentences: [DataSet] = [
    sstTrees, sentencePolarity, movieReviews, cola, smsSpam, dlfs2Sequences, smallParallelEnja, dailydialog,
    selfDialogue,
  ]

  private static let sstTrees = DataSet(
    "sst_trees", task: "sentiment of syntax trees",
    about: "Stanford Sentiment Treebank, five classes (Socher et al. 2013): 8,544 trees and 1,101",
    licence: "for research, no licence stated", home: "https://nlp.stanford.edu/sentiment/",
    files: [
      File(
        "dev.txt.gz", size: 280_825,
        sha256: "0e9336aed6e4730e19f58d00a77b3f0297efdb755f7b5e598c98a05e3f97ea40",
        member: "trees/dev.txt"),
      File(
        "train.txt.gz", size: 2_160_058,
        sha256: "e2f3f41b0b1e6d4dddc0effe3bfc2d27ed8928079aa9a03d652311614fc5feb7",
        member: "trees/train.txt"),
    ],
    archive: Archive(
      addresses: ["https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip"],
      sha256: "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc"))

  private static let sentencePolarity = DataSet(
    "sentence_polarity", task: "sentiment of sentences",
    about: "10,662 sentences of reviews, two classes (Pang and Lee 2005)",
    licence: "for research, no licence stated",
    home: "https://www.cs.cornell.edu/people/pabo/movie-review-data/",
    made: "label, tab, sentence, of rt-polarity.pos and rt-polarity.neg",
    files: [
      File(
        "sentence_polarity.tsv.gz", size: 1_249_468,
        sha256: "cc16757c2e47caa56355eae934a0bdccf33c09de904625b61871ce7fd453315c")
    ])

  private static let movieReviews = DataSet(
    "movie_reviews", task: "sentiment of texts",
    about: "2,000 reviews, two classes (Pang and Lee 2004)",
    licence: "for research, no licence stated",
    home: "https://www.cs.cornell.edu/people/pabo/movie-review-data/",
    made:
      "label, name and text of each file of polarity dataset 2.0, tab between them, <nl> for the ends of lines",
    files: [
      File(
        "movie_reviews.tsv.gz", size: 8_070_574,
        sha256: "b1b9f3a93f3a2e3d2e6230dfb2b7ca7b57ca7a4df92254e13da11264a88f32e4")
    ])

  private static let cola = DataSet(
    "cola", task: "acceptability of sentences",
    about: "Corpus of Linguistic Acceptability (Warstadt, Singh and Bowman 2018)",
    licence: "for research, no licence stated", home: "https://nyu-mll.github.io/CoLA/",
    made: "the folder raw of the public version 1.1; its README is SOURCE_README.txt",
    files: [
      File(
        "SOURCE_README.txt", size: 6_570,
        sha256: "b056fc502a7820e87daf24520083c48951571fa12b2ef4f9707ff9ff08c0256e"),
      File(
        "in_domain_dev.tsv.gz", size: 25_957,
        sha256: "77176f6a03faa5a1c4f23c69971fc1bff565931112fb65af47b2d6e24b7f42f7"),
      File(
        "in_domain_train.tsv.gz", size: 428_578,
        sha256: "f320a10f92d3bce6b29152fde322a362eac39238e50d8de0c8815457fdf4fc12"),
      File(
        "out_of_domain_dev.tsv.gz", size: 27_754,
        sha256: "201b9c57b2a20f1282242eec0ed8995729e3be19c29a46c047b3727338836c05"),
    ])

  private static let smsSpam = DataSet(
    "sms_spam", task: "spam",
    about: "5,574 messages, ham or spam (Almeida, Hidalgo and Yamakami 2011)",
    licence: "CC BY 4.0", home: "https://archive.ics.uci.edu/dataset/228/sms+spam+collection",
    made: "the original with a line of names, Label and SMS, before it",
    files: [
      File(
        "SMSSpamCollection.tsv.gz", size: 477_917,
        sha256: "fae7ea7d915ef73903e5c2f46ffa2f4a39909a574e20fda4f2b81f7cb1e15e1f")
    ])

  private static let dlfs2Sequences = DataSet(
    "dlfs2_sequences", task: "sequence to sequence",
    about: "50,000 sums and 50,000 dates (Saito, Deep Learning from Scratch 2)",
    licence: "MIT", home: "https://github.com/oreilly-japan/deep-learning-from-scratch-2",
    files: [
      File(
        "addition.txt.gz", size: 650_000,
        sha256: "34e0746f5014c11311c9452ee9050bf14e38eca44ec4aaf4d81eba2b38674009",
        addresses: [scratch2 + "addition.txt"]),
      File(
        "date.txt.gz", size: 2_050_000,
        sha256: "62e66a301ce8537868e725512d2a45663fc366526b7e42028cb703bda2b1c79a",
        addresses: [scratch2 + "date.txt"]),
    ])

  private static let smallParallelEnja = DataSet(
    "small_parallel_enja", task: "translation",
    about: "50,000 pairs of English and Japanese sentences, and 500 to judge by",
    licence: "CC BY-SA", home: "https://github.com/odashi/small_parallel_enja",
    files: [
      File(
        "dev.en.gz", size: 17_054,
        sha256: "04a2673449770657fd5e3b963cb856be3130923212b6db8ac7eaeef18f06c041",
        addresses: [enja + "dev.en"]),
      File(
        "dev.ja.gz", size: 27_781,
        sha256: "cd534f56b8639dc130f86a365e5ec0aa70042000bdd740a622fbbf8b6be4acca",
        addresses: [enja + "dev.ja"]),
      File(
        "train.en.gz", size: 1_701_356,
        sha256: "148b05dcd28638fe20ee84f2b1127001c80982be352007dda241fb759adadc76",
        addresses: [enja + "train.en"]),
      File(
        "train.ja.gz", size: 2_784_447,
        sha256: "fc81a1434349ec98a449d7ae9cd2530057f689637684ecfed3501ea6a8a07ecc",
        addresses: [enja + "train.ja"]),
    ])

  private static let dailydialog = DataSet(
    "dailydialog", task: "dialogue",
    about: "13,118 everyday dialogues with acts and emotions (Li et al. 2017)",
    licence: "CC BY-NC-SA 4.0", home: "http://yanran.li/dailydialog",
    made: "the text files of the archive and of the archives in it",
    files: [
      File(
        "dialogues_act_test.txt.gz", size: 16_480,
        sha256: "566649e92babfa528a77757b161deeee91e9c91fe0db71760063747e132d3f4c"),
      File(
        "dialogues_act_train.txt.gz", size: 185_458,
        sha256: "e910d5cfedc500d03dbedd3bcf8661ae8cf0e44d029e56a291f49a7b67042adf"),
      File(
        "dialogues_act_validation.txt.gz", size: 17_138,
        sha256: "fbeee7a1b2927c9cb33d6fdc384bb3ea55abf040928d2de4dcea57ab4a669682"),
      File(
        "dialogues_emotion_test.txt.gz", size: 16_480,
        sha256: "482b7235f91a1441055a09241b2d2709bb1702f4a08d7316c27fa807cba7d3c9"),
      File(
        "dialogues_emotion_train.txt.gz", size: 185_458,
        sha256: "5c94e57c6e6c6641f4b1386513085f9d9b934229e732a556424ca7dfae4b6c77"),
      File(
        "dialogues_emotion_validation.txt.gz", size: 17_138,
        sha256: "3d4094299a995e998bbc3492ce1755c9abc1e7f56500c840e83b12dd16580596"),
      File(
        "dialogues_test.txt.gz", size: 544_208,
        sha256: "3c323651cdfb09f7b529f850eddf96a638fc6cc9b43330b77956ab248484a1a8"),
      File(
        "dialogues_train.txt.gz", size: 6_041_183,
        sha256: "71633bd5fdb0b09dd82215b131b56432cf7329a0fe50bc8adec168713d350d1a"),
      File(
        "dialogues_validation.txt.gz", size: 558_030,
        sha256: "2ad64701fe3a4449e7a6ee7cdc6c2a71c80f77b8a34f708ac0532395f499081c"),
    ])

  private static let selfDialogue = DataSet(
    "self_dialogue", task: "dialogue",
    about: "about 15,000 dialogues on films, music and sport (Fainberg et al. 2018)",
    licence: "for research, no licence stated", home: "https://github.com/jfainberg/self_dialogue_corpus",
    made: "a dialogue a line: topic, tab, turns with __eou__ after each; split into train and valid",
    files: [
      File(
        "train.tsv.gz", size: 13_046_186,
        sha256: "07b57c38d99ffd4942fbe17e97d6cc8144d9d6308a206163c299003ffeb6e4e1"),
      File(
        "valid.tsv.gz", size: 716_995,
        sha256: "fe96d6ced0b2dd1b5e079aa83f089648bfc39b9fed1d9d1e647b75ef588610d5"),
    ])

  private static let enja =
    "https://raw.githubusercontent.com/odashi/small_parallel_enja/312408a11c5fbcbc09443bebb18121f7efdcd61e/"

  private static let scratch2 =
    "https://raw.githubusercontent.com/oreilly-japan/deep-learning-from-scratch-2/842ae31c2bb070f5116275606ed90396626a2c17/dataset/"
}
