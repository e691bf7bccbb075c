#include "lib/corpus/ngram/arpa_writer.h"

#include <charconv>
#include <cmath>

#include "lib/base/error.h"

namespace llmtool {
namespace {

constexpr size_t kBatchNgrams = 8192;
constexpr size_t kBatchesPerThread = 4;
constexpr float kLogZero = -99;

// As lmplz spells them: with an exponent below 1e-6, and that without a leading 0.
void append_number(std::string& out, float value) {
  constexpr float kLeastFixed = 1e-6f;
  char digits[64];
  const float finite = std::isfinite(value) ? value : kLogZero;
  const bool fixed = finite == 0 || std::abs(finite) >= kLeastFixed;
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), finite, format);
  LLMTOOL_ASSERT(error == std::errc());
  const bool padded = !fixed && end[-2] == '0';
  out.append(digits, padded ? end - 2 : end);
  if (padded) out += end[-1];
}

void check_word(const std::string& word) {
  const bool fits =
      !word.empty() && word.find_first_of(std::string_view("\0\t\n\r ", 5)) == std::string::npos;
  check(fits, Fault::kInput, "the word '", word,
        "' cannot stand in an ARPA file: it is empty or has white space in it");
}

}  // namespace

ArpaWriter::ArpaWriter(const fs::path& path, ThreadPool& pool)
    : out_(path), pool_(pool), batches_(kBatchesPerThread * static_cast<size_t>(pool.size())) {}

ArpaWriter::~ArpaWriter() = default;

void ArpaWriter::begin(const std::vector<std::string>& words, const std::vector<uint64_t>& counts) {
  for (const std::string& word : words) check_word(word);
  words_ = words;
  counts_ = counts;
  added_.assign(counts.size(), 0);
  std::string head = "\\data\\\n";
  for (size_t k = 0; k < counts.size(); ++k) {
    head += concat("ngram ", k + 1, "=", counts[k], "\n");
  }
  out_.write(head + "\n");
}

ArpaWriter::Batch& ArpaWriter::new_batch() {
  if (used_ == batches_.size()) flush();
  Batch& batch = batches_[used_++];
  batch.order = order_;
  return batch;
}

void ArpaWriter::start_order(size_t order) {
  LLMTOOL_ASSERT(order >= order_ && order <= counts_.size());
  std::string lead;
  while (order_ < order) {
    if (order_ > 0) lead += "\n";
    lead += concat("\\", ++order_, "-grams:\n");
  }
  new_batch().lead = std::move(lead);
}

void ArpaWriter::add(const Ngram& ngram) {
  const size_t order = ngram.words.size();
  if (order != order_) {
    start_order(order);
  } else if (used_ == 0 || batches_[used_ - 1].numbers.size() == 2 * kBatchNgrams) {
    new_batch();
  }
  Batch& batch = batches_[used_ - 1];
  batch.words.insert(batch.words.end(), ngram.words.begin(), ngram.words.end());
  batch.numbers.push_back(ngram.log10_probability);
  batch.numbers.push_back(ngram.log10_backoff);
  ++added_[order - 1];
}

void ArpaWriter::append_lines(Batch& batch) const {
  batch.lines = batch.lead;
  const NgramWord* word = batch.words.data();
  for (size_t i = 0; i < batch.numbers.size(); i += 2) {
    append_number(batch.lines, batch.numbers[i]);
    for (size_t w = 0; w < batch.order; ++w, ++word) {
      batch.lines += w == 0 ? '\t' : ' ';
      batch.lines += words_[*word];
    }
    if (batch.order < counts_.size()) {
      batch.lines += '\t';
      append_number(batch.lines, batch.numbers[i + 1]);
    }
    batch.lines += '\n';
  }
}

void ArpaWriter::flush() {
  pool_.parallel_for(static_cast<int64_t>(used_), 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) append_lines(batches_[static_cast<size_t>(i)]);
  });
  for (size_t i = 0; i < used_; ++i) {
    Batch& batch = batches_[i];
    out_.write(batch.lines);
    batch.lead.clear();
    batch.words.clear();
    batch.numbers.clear();
  }
  used_ = 0;
}

void ArpaWriter::end() {
  if (order_ < counts_.size()) start_order(counts_.size());
  flush();
  LLMTOOL_ASSERT(added_ == counts_);
  out_.write("\n\\end\\\n");
  out_.close();
}

}  // namespace llmtool
