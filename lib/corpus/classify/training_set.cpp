#include "lib/corpus/classify/training_set.h"

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "lib/base/error.h"
#include "lib/corpus/classify/training.h"
#include "lib/text/document_sample.h"

namespace llmtool {
namespace {

constexpr size_t kMostLabels = 65535;
constexpr size_t kLongestText = size_t{1} << 31;

bool has_space(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

}  // namespace

TrainingSet::TrainingSet(fs::path folder, double held_out, uint64_t seed)
    : path_(std::move(folder) / "texts"), share_(held_out), seed_(seed) {
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_) fail_io("write", path_, errno);
}

uint32_t TrainingSet::label(std::string_view name) {
  const auto at = std::ranges::find(labels_, name);
  if (at != labels_.end()) return static_cast<uint32_t>(at - labels_.begin());
  check(!name.empty() && !has_space(name), Fault::kInput, "'", name,
        "' cannot be a label: expected a word without white space");
  check(labels_.size() < kMostLabels, Fault::kInput, "there are more than ", kMostLabels,
        " labels; is that the right member?");
  labels_.emplace_back(name);
  return static_cast<uint32_t>(labels_.size() - 1);
}

void TrainingSet::add(uint32_t label, std::string_view prepared) {
  const bool has_word =
      std::ranges::any_of(prepared, [](char c) { return static_cast<unsigned char>(c) > ' '; });
  if (!has_word) {
    ++empty_;
    return;
  }
  check(prepared.size() < kLongestText, Fault::kInput, "a text of ", prepared.size(),
        " bytes is too long to learn from; use --max-bytes");
  Text text{document_hash(prepared, seed_), size_, static_cast<uint32_t>(prepared.size()), label};
  file_.write(prepared.data(), static_cast<std::streamsize>(prepared.size()));
  if (!file_) fail_io("write", path_, errno);
  size_ += prepared.size();
  const bool held = std::ldexp(static_cast<double>(text.hash >> 11), -53) < share_;
  (held ? held_out_ : learnt_).push_back(text);
}

void TrainingSet::finish() {
  file_.close();
  if (!file_) fail_io("write", path_, errno);
  const auto in_order = [](const Text& a, const Text& b) {
    return std::tie(a.hash, a.label, a.offset) < std::tie(b.hash, b.label, b.offset);
  };
  std::ranges::sort(learnt_, in_order);
  std::ranges::sort(held_out_, in_order);
  texts_ = std::make_unique<MappedFile>(path_);
}

std::string_view TrainingSet::text(const Text& text) const {
  return {reinterpret_cast<const char*>(texts_->bytes().data()) + text.offset, text.length};
}

void TrainingSet::write_training_file(const fs::path& path) const {
  AtomicFile file(path);
  for (const Text& entry : learnt_) {
    file.write(concat("__label__", labels_[entry.label], " ", training_text(text(entry)), "\n"));
  }
  file.commit();
}

}  // namespace llmtool
