#include "lib/corpus/classify/model_file.h"

#include <cmath>
#include <cstring>
#include <string>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr int32_t kMagic = 793712314;
constexpr int32_t kSupervised = 3;
constexpr int64_t kCentroids = 256;
constexpr int32_t kMostColumns = 1 << 16, kMostGram = 64;
constexpr int64_t kMostPartColumns = 64;
constexpr std::string_view kNoteMagic = "llmtool\1";

// Takes the file from front to back.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::string_view name)
      : data_(reinterpret_cast<const char*>(bytes.data())), size_(bytes.size()), name_(name) {}

  size_t left() const { return size_ - at_; }

  template <class... P>
  void expect(bool ok, const P&... parts) const {
    if (ok) return;
    fail(Fault::kInput, concat("'", name_, "', before byte ", at_, ": ", concat(parts...)),
         "a supervised model of fastText 0.1 to 0.9 is expected (.bin or .ftz), as it was written");
  }

  const char* take(uint64_t count, uint64_t width, std::string_view what) {
    expect(width == 0 || count <= left() / width, "the file ends inside ", what);
    const char* found = data_ + at_;
    at_ += count * width;
    return found;
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(1, sizeof(T), what), sizeof(T));
    return value;
  }

  int32_t between(int32_t low, int32_t high, std::string_view what) {
    const auto value = number<int32_t>(what);
    expect(value >= low && value <= high, what, " is ", value, ", not ", low, " to ", high);
    return value;
  }

  bool flag(std::string_view what) {
    const auto value = number<uint8_t>(what);
    expect(value <= 1, what, " is ", int(value), ", not 0 or 1");
    return value == 1;
  }

  std::string_view text(std::string_view what) {
    const void* end = std::memchr(data_ + at_, 0, left());
    expect(end != nullptr, "the file ends inside ", what);
    const std::string_view found(data_ + at_,
                                 static_cast<size_t>(static_cast<const char*>(end) - data_) - at_);
    at_ += found.size() + 1;
    return found;
  }

 private:
  const char* data_;
  size_t size_, at_ = 0;
  std::string_view name_;
};

void read_settings(Cursor& in, ModelFile& model) {
  in.expect(in.left() >= 8 && in.number<int32_t>("the magic number") == kMagic,
            "this is no fastText model");
  model.version = in.between(11, 12, "the version");
  model.columns = in.between(1, kMostColumns, "dim");
  in.take(4, sizeof(int32_t), "the settings");  // ws, epoch, minCount, neg
  model.word_ngrams = in.between(0, kMostGram, "wordNgrams");
  model.loss = static_cast<ModelLoss>(in.between(1, 4, "loss"));
  const auto kind = in.number<int32_t>("the kind of model");
  in.expect(kind == kSupervised, "it has vectors of words, no classifier");
  model.buckets = in.between(0, INT32_MAX, "bucket");
  model.min_chars = in.between(0, kMostGram, "minn");
  model.max_chars = in.between(0, kMostGram, "maxn");
  in.take(1, sizeof(int32_t) + sizeof(double), "the settings");  // lrUpdateRate, t
  if (model.version == 11) model.max_chars = 0;  // such models have none, whatever they say
  in.expect(model.buckets > 0 || (model.max_chars == 0 && model.word_ngrams <= 1),
            "it has n-grams but no buckets for them");
}

void read_dictionary(Cursor& in, ModelFile& model) {
  const auto size = in.between(1, INT32_MAX, "the size of the dictionary");
  const auto words = in.between(0, size, "the number of words");
  const auto labels = in.between(1, size, "the number of labels");
  in.expect(words == size - labels, "the dictionary has ", size, " entries, not ", words,
            " words and ", labels, " labels");
  in.take(1, sizeof(int64_t), "the number of tokens");
  const auto kept = in.number<int64_t>("the number of kept buckets");
  constexpr size_t kLeastEntry = 10;
  in.expect(static_cast<size_t>(size) <= in.left() / kLeastEntry,
            "the file is too short for a dictionary of ", size, " entries");
  model.words.reserve(static_cast<size_t>(words));
  model.labels.reserve(static_cast<size_t>(labels));
  for (int32_t i = 0; i < size; ++i) {
    ModelWord word;
    word.text = in.text("the dictionary");
    word.count = in.number<int64_t>("the dictionary");
    const auto type = in.number<int8_t>("the dictionary");
    in.expect(type == (i < words ? 0 : 1), "entry ", i, " of the dictionary is no ",
              i < words ? "word" : "label");
    in.expect(word.count >= 0, "entry ", i, " of the dictionary was seen ", word.count, " times");
    (i < words ? model.words : model.labels).push_back(word);
  }
  in.expect(kept >= -1 && kept <= model.buckets, "it keeps ", kept, " of ", model.buckets,
            " buckets");
  model.pruned = kept >= 0;
  const int64_t pairs = std::max<int64_t>(kept, 0);
  const char* data = in.take(static_cast<uint64_t>(pairs), 8, "the kept buckets");
  model.kept.resize(static_cast<size_t>(pairs));
  for (size_t i = 0; i < model.kept.size(); ++i) {
    auto& [bucket, row] = model.kept[i];
    std::memcpy(&bucket, data + 8 * i, 4);
    std::memcpy(&row, data + 8 * i + 4, 4);
    in.expect(bucket >= 0 && bucket < model.buckets && row >= 0 && row < pairs, "kept bucket ", i,
              " is bucket ", bucket, " in row ", row, " of ", pairs);
  }
}

// A table of centroids; width: columns of a row, part: of a sub-vector, 0 if the file says.
const char* read_centroids(Cursor& in, int64_t width, ModelMatrix& matrix) {
  const auto columns = in.number<int32_t>("a quantiser");
  const auto parts = in.number<int32_t>("a quantiser");
  const auto part = in.number<int32_t>("a quantiser");
  const auto last = in.number<int32_t>("a quantiser");
  in.expect(columns == width, "a quantiser of ", columns, " columns stands for ", width);
  in.expect(part >= 1 && part <= kMostPartColumns, "sub-vectors have ", part, " columns, not 1 to ",
            kMostPartColumns);
  in.expect(parts == (width + part - 1) / part && last == width - (parts - 1) * int64_t{part},
            parts, " sub-vectors of ", part, " columns and ", last, " in the last make no ", width);
  matrix.parts = parts;
  matrix.part_columns = part;
  return in.take(static_cast<uint64_t>(width), kCentroids * sizeof(float), "a quantiser");
}

ModelMatrix read_matrix(Cursor& in, bool quantised, int64_t rows, int64_t columns,
                        std::string_view what) {
  ModelMatrix matrix;
  const bool has_norms = quantised && in.flag(what);
  matrix.rows = in.number<int64_t>(what);
  matrix.columns = in.number<int64_t>(what);
  in.expect(matrix.rows == rows && matrix.columns == columns, what, " has ", matrix.rows, " x ",
            matrix.columns, " values, expected ", rows, " x ", columns);
  if (!quantised) {
    matrix.floats =
        in.take(static_cast<uint64_t>(rows), static_cast<uint64_t>(columns) * sizeof(float), what);
    return matrix;
  }
  const auto size = in.number<int32_t>(what);
  in.expect(size >= 0, what, " has ", size, " codes");
  matrix.codes = reinterpret_cast<const uint8_t*>(in.take(static_cast<uint64_t>(size), 1, what));
  matrix.centroids = read_centroids(in, columns, matrix);
  in.expect(size == rows * matrix.parts, what, " has ", size, " codes, expected ", rows, " x ",
            matrix.parts);
  if (has_norms) {
    ModelMatrix of_norms;
    matrix.norm_codes =
        reinterpret_cast<const uint8_t*>(in.take(static_cast<uint64_t>(rows), 1, what));
    matrix.norms = read_centroids(in, 1, of_norms);
  }
  return matrix;
}

std::string_view read_note(Cursor& in) {
  if (in.left() == 0) return {};
  const size_t rest = in.left();
  const std::string_view tail(in.take(rest, 1, "the note"), rest);
  uint64_t length = 0;
  const bool known = rest >= sizeof length + kNoteMagic.size() && tail.ends_with(kNoteMagic);
  if (known) std::memcpy(&length, tail.data() + rest - kNoteMagic.size() - sizeof length, 8);
  in.expect(known && length == rest - kNoteMagic.size() - sizeof length, rest,
            " bytes lie behind the model");
  return tail.substr(0, length);
}

float float_at(const char* floats, int64_t i) {
  float value;
  std::memcpy(&value, floats + i * int64_t{sizeof value}, sizeof value);
  return value;
}

}  // namespace

void ModelMatrix::row(int64_t r, float* out) const {
  if (floats != nullptr) {
    std::memcpy(out, floats + r * columns * int64_t{sizeof(float)},
                static_cast<size_t>(columns) * sizeof(float));
    return;
  }
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = part * part_columns;
    const int64_t width = std::min(part_columns, columns - first);
    const int64_t centroid = codes[r * parts + part];
    const char* from = centroids + (first * kCentroids + centroid * width) * int64_t{sizeof(float)};
    std::memcpy(out + first, from, static_cast<size_t>(width) * sizeof(float));
  }
}

float ModelMatrix::norm(int64_t r) const {
  return norm_codes == nullptr ? 1.0F : float_at(norms, norm_codes[r]);
}

ModelFile parse_model_file(std::span<const std::byte> bytes, std::string_view name) {
  Cursor in(bytes, name);
  ModelFile model;
  read_settings(in, model);
  read_dictionary(in, model);
  const bool quantised = in.flag("the kind of the input matrix");
  in.expect(quantised || !model.pruned, "buckets were left out of a matrix that is not quantised");
  const int64_t rows = static_cast<int64_t>(model.words.size()) +
                       (model.pruned ? static_cast<int64_t>(model.kept.size()) : model.buckets);
  model.input = read_matrix(in, quantised, rows, model.columns, "the input matrix");
  const bool quantised_output = in.flag("the kind of the output matrix");
  model.output =
      read_matrix(in, quantised && quantised_output, static_cast<int64_t>(model.labels.size()),
                  model.columns, "the output matrix");
  model.note = read_note(in);
  return model;
}

std::string note_bytes(std::string_view json) {
  std::string bytes(json);
  const uint64_t length = json.size();
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes.append(kNoteMagic);
}

}  // namespace llmtool
