#include "lib/corpus/dedup/shingler.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/error.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

constexpr uint64_t kBase = 0x9e3779b97f4a7c15;

// The upper half of a product depends on all bits of the sum.
uint64_t mixed(uint64_t sum) {
  sum ^= sum >> 32;
  return sum * 0xd6e8feb86659fd93;
}

}  // namespace

Shingler::Shingler(ShinglerOptions options)
    : options_(options), window_(static_cast<size_t>(options.size)) {
  LLMTOOL_ASSERT(options.size > 0);
  for (int i = 0; i < options.size; ++i) power_ *= kBase;
}

inline void Shingler::add(uint64_t unit, std::vector<uint64_t>& hashes) {
  sum_ = sum_ * kBase + unit - power_ * window_[at_];
  window_[at_] = unit;
  if (++at_ == window_.size()) at_ = 0;
  if (++count_ >= window_.size()) hashes.push_back(mixed(sum_));
}

void Shingler::add_words(std::vector<uint64_t>& hashes) {
  const std::string_view text = normalised_;
  size_t begin = 0;
  const auto end_word = [&](size_t end) {
    if (end > begin) add(XXH3_64bits(text.data() + begin, end - begin), hashes);
  };
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte > ' ' && byte < 0xC2) {  // all white space is below or has a first byte from here on
      ++at;
      continue;
    }
    size_t next = at;
    if (is_space(next_code_point(text, next))) {
      end_word(at);
      begin = next;
    }
    at = next;
  }
  end_word(text.size());
}

void Shingler::add_characters(std::vector<uint64_t>& hashes) {
  for (size_t at = 0; at < normalised_.size();) {
    uint64_t c = next_code_point(normalised_, at) + 1;
    c *= 0xff51afd7ed558ccd;
    add(c ^ c >> 29, hashes);
  }
}

size_t Shingler::append_hashes(std::string_view text, uint64_t least,
                               std::vector<uint64_t>& hashes) {
  normalised_.clear();
  append_normalised(normalised_, text, options_.normalisation);
  window_.assign(window_.size(), 0);
  at_ = 0;
  count_ = sum_ = 0;
  const size_t before = hashes.size();
  if (options_.words)
    add_words(hashes);
  else
    add_characters(hashes);
  if (hashes.size() == before && count_ >= least) hashes.push_back(mixed(sum_));
  return hashes.size() - before;
}

void Shingler::shingle(std::string_view text, std::vector<uint32_t>& hashes) {
  sums_.clear();
  append_hashes(text, 1, sums_);
  hashes.resize(sums_.size());
  for (size_t i = 0; i < sums_.size(); ++i) hashes[i] = static_cast<uint32_t>(sums_[i] >> 32);
}

}  // namespace llmtool
