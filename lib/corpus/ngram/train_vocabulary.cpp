#include "lib/corpus/ngram/train_vocabulary.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kMostWords = size_t{1} << 28;  // what a node of the trainer's levels can hold

}  // namespace

uint64_t word_hash(std::string_view word) {
  return XXH3_64bits(word.data(), word.size());
}

TrainVocabulary::TrainVocabulary() : slots_(size_t{1} << 12) {
  for (const std::string_view word : {"<unk>", "<s>", "</s>"}) find_or_add(word, word_hash(word));
}

std::string_view TrainVocabulary::word(NgramWord number) const {
  const uint64_t begin = number == 0 ? 0 : ends_[number - 1];
  return std::string_view(bytes_).substr(begin, ends_[number] - begin);
}

NgramWord TrainVocabulary::find_or_add(std::string_view word, uint64_t hash) {
  const size_t mask = slots_.size() - 1;
  const auto tag = static_cast<uint32_t>(hash >> 32);
  size_t at = hash & mask;
  for (; slots_[at].number != 0; at = (at + 1) & mask) {
    const NgramWord number = slots_[at].number - 1;
    if (slots_[at].tag == tag && this->word(number) == word) return number;
  }
  check(size() < kMostWords, Fault::kInput, "the text has more than ", kMostWords,
        " different words");
  const auto number = static_cast<NgramWord>(size());
  slots_[at] = {tag, number + 1};
  bytes_ += word;
  ends_.push_back(bytes_.size());
  hashes_.push_back(hash);
  if (2 * size() > slots_.size()) grow();
  return number;
}

void TrainVocabulary::grow() {
  slots_.assign(2 * slots_.size(), {});
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < size(); ++i) {
    size_t at = hashes_[i] & mask;
    while (slots_[at].number != 0) at = (at + 1) & mask;
    slots_[at] = {static_cast<uint32_t>(hashes_[i] >> 32), static_cast<uint32_t>(i + 1)};
  }
}

std::vector<std::string> TrainVocabulary::words() const {
  std::vector<std::string> all;
  all.reserve(size());
  for (size_t i = 0; i < size(); ++i) all.emplace_back(word(static_cast<NgramWord>(i)));
  return all;
}

}  // namespace llmtool
