// A supervised fastText model as its file has it: .bin, .ftz, and what `llmtool classify train`
// writes.
//
// The file is checked before anything is believed: every size against the bytes that are there,
// every index against its table. Nothing is allocated that the file's length does not account for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace llmtool {

enum class ModelLoss { kHierarchical = 1, kNegative, kSoftmax, kOneVsAll };

// rows x columns of floats: as they lie in the file, or as codes of sub-vectors.
struct ModelMatrix {
  int64_t rows = 0, columns = 0;
  const char* floats = nullptr;  // rows * columns, at any address; nullptr if quantised

  // Quantised: row r is, for each sub-vector m, the centroid that codes[r * parts + m] names, times
  // the row's norm.
  int64_t parts = 0, part_columns = 0;  // the last sub-vector may be shorter
  const uint8_t* codes = nullptr;
  const char* centroids = nullptr;
  const uint8_t* norm_codes = nullptr;  // nullptr: norms are 1
  const char* norms = nullptr;          // 256 floats

  // The row as floats, without its norm; and that.
  void row(int64_t r, float* out) const;
  float norm(int64_t r) const;
};

struct ModelWord {
  std::string_view text;
  int64_t count = 0;
};

struct ModelFile {
  int32_t version = 0, columns = 0, word_ngrams = 1;
  int32_t buckets = 0, min_chars = 0, max_chars = 0;  // max_chars 0: no n-grams of characters
  ModelLoss loss = ModelLoss::kSoftmax;
  std::vector<ModelWord> words, labels;  // labels with their prefix "__label__"
  bool pruned = false;
  std::vector<std::pair<int32_t, int32_t>> kept;  // if pruned: bucket, row behind the words
  ModelMatrix input, output;                      // a row for each word and bucket; for each label
  std::string_view note;  // what `classify train` adds behind the model: a JSON object, or empty
};

// The views are into bytes. Fault::kInput naming `name`, the byte and what was expected.
ModelFile parse_model_file(std::span<const std::byte> bytes, std::string_view name);

// The bytes to append to a model file for its note; programs that read such files stop before it.
std::string note_bytes(std::string_view json);

}  // namespace llmtool
