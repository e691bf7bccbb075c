#include "lib/corpus/classify/text_classifier.h"

#include <cmath>
#include <cstring>

#include "lib/base/error.h"
#include "lib/corpus/classify/label_scores.h"
#include "lib/corpus/classify/ngram_rows.h"

namespace llmtool {
namespace {

constexpr std::string_view kLabelPrefix = "__label__";
constexpr size_t kBlock = 16;  // columns whose sums stay in registers
// A quantised matrix is unpacked if that takes at most so many bytes for one of its file.
constexpr uint64_t kMostUnpacked = 64;

using Lanes = float __attribute__((vector_size(16)));

Lanes lanes_at(const char* at) {
  Lanes lanes;
  std::memcpy(&lanes, at, sizeof lanes);
  return lanes;
}

// sums[0, 16) += the columns from `column` on of each row, one row after another.
void add_block(const char* floats, size_t columns, size_t column, const std::vector<int32_t>& rows,
               float* sums) {
  Lanes a{}, b{}, c{}, d{};
  for (const int32_t row : rows) {
    const char* at = floats + (static_cast<size_t>(row) * columns + column) * sizeof(float);
    a += lanes_at(at);
    b += lanes_at(at + 16);
    c += lanes_at(at + 32);
    d += lanes_at(at + 48);
  }
  std::memcpy(sums, &a, 16);
  std::memcpy(sums + 4, &b, 16);
  std::memcpy(sums + 8, &c, 16);
  std::memcpy(sums + 12, &d, 16);
}

float sum_column(const char* floats, size_t columns, size_t column,
                 const std::vector<int32_t>& rows) {
  float sum = 0;
  for (const int32_t row : rows) {
    float value;
    std::memcpy(&value, floats + (static_cast<size_t>(row) * columns + column) * sizeof value,
                sizeof value);
    sum += value;
  }
  return sum;
}

}  // namespace

class TextClassifier::Parts {
 public:
  Parts(std::span<const std::byte> bytes, std::string_view name)
      : name_(name),
        model_(parse_model_file(bytes, name)),
        ngrams_(model_, name),
        scores_(model_, name),
        columns_(static_cast<size_t>(model_.columns)) {
    for (const ModelWord& label : model_.labels) {
      std::string_view text = label.text;
      if (text.starts_with(kLabelPrefix)) text.remove_prefix(kLabelPrefix.size());
      labels_.emplace_back(text);
    }
    floats_ = model_.input.floats;
    if (floats_ == nullptr) unpack(bytes.size());
  }

  const std::vector<std::string>& labels() const { return labels_; }
  std::string_view note() const { return model_.note; }

  void predict(std::string_view text, size_t most, Scratch& s,
               std::vector<LabelScore>& found) const {
    found.clear();
    s.rows.clear();
    ngrams_.append(text, s.word, s.hashes, s.rows);
    if (s.rows.empty() || most == 0) return;
    fill_hidden(s);
    scores_.best(s.hidden, most, s.output, s.best);
    for (const auto& [logarithm, label] : s.best) {
      const float score = std::exp(logarithm);
      check(std::isfinite(score), Fault::kInput, "'", name_,
            "': its values give a score that is no finite number");
      found.push_back({label, score});
    }
  }

 private:
  void unpack(size_t file_bytes) {
    const ModelMatrix& input = model_.input;
    const auto values = static_cast<uint64_t>(input.rows) * columns_;
    check(values * sizeof(float) <= kMostUnpacked * file_bytes, Fault::kInput, "'", name_,
          "': sub-vectors of ", input.part_columns, " columns are too long to be unpacked");
    unpacked_.resize(values);
    for (int64_t r = 0; r < input.rows; ++r) {
      float* row = unpacked_.data() + static_cast<size_t>(r) * columns_;
      input.row(r, row);
      const float norm = input.norm(r);
      for (size_t c = 0; c < columns_; ++c) row[c] *= norm;
    }
    floats_ = reinterpret_cast<const char*>(unpacked_.data());
  }

  void fill_hidden(Scratch& s) const {
    s.hidden.resize(columns_);
    size_t column = 0;
    for (; column + kBlock <= columns_; column += kBlock) {
      add_block(floats_, columns_, column, s.rows, s.hidden.data() + column);
    }
    for (; column < columns_; ++column) {
      s.hidden[column] = sum_column(floats_, columns_, column, s.rows);
    }
    const auto scale = static_cast<float>(1.0 / static_cast<double>(s.rows.size()));
    for (float& value : s.hidden) value *= scale;
  }

  std::string name_;
  ModelFile model_;
  NgramRows ngrams_;
  LabelScores scores_;
  size_t columns_;
  std::vector<std::string> labels_;
  std::vector<float> unpacked_;
  const char* floats_ = nullptr;  // of the input matrix
};

TextClassifier::TextClassifier(const fs::path& path)
    : file_(std::make_unique<MappedFile>(path)),
      parts_(std::make_unique<Parts>(file_->bytes(), path.string())) {}

TextClassifier::TextClassifier(std::string_view bytes, std::string_view name)
    : parts_(std::make_unique<Parts>(std::as_bytes(std::span(bytes)), name)) {}

TextClassifier::~TextClassifier() = default;

const std::vector<std::string>& TextClassifier::labels() const {
  return parts_->labels();
}

std::string_view TextClassifier::note() const {
  return parts_->note();
}

void TextClassifier::predict(std::string_view text, size_t most, Scratch& scratch,
                             std::vector<LabelScore>& found) const {
  parts_->predict(text, most, scratch, found);
}

}  // namespace llmtool
