// SPDX-License-Identifier: Apache-2.0
// The library has C++ alone, which a program cannot look up by name when it wants it: it is linked.
#include "ks_pieces.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct ks_pieces {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

class Lines : public sentencepiece::SentenceIterator {
 public:
  Lines(ks_pieces_line next, void *source) : next_(next), source_(source) { Next(); }
  bool done() const override { return done_; }
  void Next() override {
    const char *line = nullptr;
    size_t length = 0;
    done_ = !next_(source_, &line, &length);
    value_.assign(done_ ? "" : line, done_ ? 0 : length);
  }
  const std::string &value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  ks_pieces_line next_;
  void *source_;
  bool done_ = false;
  std::string value_;
};

bool fail(const std::string &text, char *reason, size_t size) {
  std::string line = text;
  for (char &letter : line) {
    if (letter == '\n') letter = ' ';
  }
  std::snprintf(reason, size, "%s", line.c_str());
  return false;
}

}  // namespace

bool ks_pieces_train(const char *kind, int32_t pieces, double coverage, ks_pieces_line next, void *source,
                     ks_pieces_sink take, void *context, char *reason, size_t size) {
  try {
    Lines lines(next, source);
    std::string model;
    const std::unordered_map<std::string, std::string> options = {
        {"model_type", kind},
        {"vocab_size", std::to_string(pieces)},
        {"character_coverage", std::to_string(coverage)},
        {"num_threads", "1"},
        {"minloglevel", "2"},
    };
    const auto status = sentencepiece::SentencePieceTrainer::Train(options, &lines, &model);
    if (!status.ok()) return fail(status.ToString(), reason, size);
    take(context, model.data(), model.size());
    return true;
  } catch (const std::exception &error) {
    return fail(error.what(), reason, size);
  }
}

ks_pieces *ks_pieces_open(const char *bytes, size_t length) {
  try {
    auto model = std::make_unique<ks_pieces>();
    const auto status = model->processor.LoadFromSerializedProto({bytes, length});
    return status.ok() && model->processor.GetPieceSize() > 0 ? model.release() : nullptr;
  } catch (const std::exception &) {
    return nullptr;
  }
}

void ks_pieces_close(ks_pieces *model) { delete model; }

int32_t ks_pieces_count(const ks_pieces *model) { return model->processor.GetPieceSize(); }

const char *ks_pieces_piece(const ks_pieces *model, int32_t number, size_t *length) {
  const std::string &piece = model->processor.IdToPiece(number);
  *length = piece.size();
  return piece.data();
}

void ks_pieces_encode(const ks_pieces *model, const char *line, size_t length, ks_pieces_sink take, void *context) {
  std::vector<std::string> pieces;
  if (!model->processor.Encode({line, length}, &pieces).ok()) return;
  for (const auto &piece : pieces) take(context, piece.data(), piece.size());
}

void ks_pieces_decode(const ks_pieces *model, const int32_t *numbers, size_t count, ks_pieces_sink take, void *context) {
  std::string text;
  const std::vector<int> ids(numbers, numbers + count);
  if (model->processor.Decode(ids, &text).ok()) take(context, text.data(), text.size());
}

int32_t ks_pieces_number(const ks_pieces *model, const char *piece, size_t length) {
  return model->processor.PieceToId({piece, length});
}
