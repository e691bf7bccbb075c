#include "lib/corpus/ngram/ccnet_normaliser.h"

#include <algorithm>
#include <array>
#include <utf8proc.h>

#include "lib/base/error.h"
#include "lib/corpus/dedup/normaliser.h"
#include "lib/corpus/filters/characters.h"
#include "lib/text/code_points.h"

namespace llmtool {
namespace {

struct Replacement {
  char32_t from;
  const char* to;
};

// CCNet's table, sorted. Its entry for the wide digit one is left out: digits are 0 before.
constexpr std::array<Replacement, 33> kPunctuation = {{
    {U'«', "\""},  {U'´', "'"},   {U'»', "\""},  {U'–', "-"},   {U'—', " - "}, {U'’', "'"},
    {U'“', "\""},  {U'”', "\""},  {U'„', "\""},  {U'…', "..."}, {U'∶', ":"},   {U'━', "-"},
    {U'►', "-"},   {U'、', ","},  {U'。', "."},  {U'〈', "<"},  {U'〉', ">"},  {U'《', "\""},
    {U'》', "\""}, {U'「', "\""}, {U'」', "\""}, {U'【', "["},  {U'】', "]"},  {U'！', "!"},
    {U'％', "%"},  {U'（', "("},  {U'）', ")"},  {U'，', ","},  {U'．', ". "}, {U'：', ":"},
    {U'；', ";"},  {U'？', "?"},  {U'～', "~"},
}};
static_assert(std::ranges::is_sorted(kPunctuation, {}, &Replacement::from));

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

class CcnetNormaliser {
 public:
  CcnetNormaliser(std::string& out, bool fixed) : out_(out), fixed_(fixed) {}

  // text is lower case.
  void add(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      if (is_ascii(text[at])) {
        put_ascii(static_cast<unsigned char>(text[at++]));
        continue;
      }
      // Marks change places only with marks: never over a letter of ASCII.
      const size_t begin = at;
      while (at < text.size() && !is_ascii(text[at])) ++at;
      put_decomposed(text.substr(begin, at - begin));
    }
  }

 private:
  void put_ascii(uint32_t c) {
    if (c - '0' < 10u) {
      out_.push_back('0');
    } else if (c >= 0x20 && c != 0x7F) {
      out_.push_back(static_cast<char>(c));
    } else if (fixed_ && is_space(c)) {
      out_.push_back(' ');
    }
  }

  void put_decomposed(std::string_view run) {
    constexpr auto kCanonical = UTF8PROC_DECOMPOSE;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(run.data());
    const auto size = static_cast<utf8proc_ssize_t>(run.size());
    // A code point has four parts at most.
    if (parts_.size() < 4 * run.size()) parts_.resize(4 * run.size());
    const auto count = utf8proc_decompose(bytes, size, parts_.data(),
                                          static_cast<utf8proc_ssize_t>(parts_.size()), kCanonical);
    LLMTOOL_ASSERT(count >= 0 && static_cast<size_t>(count) <= parts_.size());
    for (utf8proc_ssize_t i = 0; i < count; ++i) put(parts_[static_cast<size_t>(i)]);
  }

  void put(utf8proc_int32_t part) {
    const auto c = static_cast<uint32_t>(part);
    if (c < 0x80) return put_ascii(c);
    if (c < 0xA0) {
      if (fixed_ && is_space(c)) out_.push_back(' ');
      return;
    }
    const auto category = utf8proc_category(part);
    if (category == UTF8PROC_CATEGORY_MN) return;
    if (category == UTF8PROC_CATEGORY_ND) return out_.push_back('0');
    const auto* found =
        std::ranges::lower_bound(kPunctuation, static_cast<char32_t>(c), {}, &Replacement::from);
    if (found != kPunctuation.end() && found->from == c) {
      out_ += found->to;
    } else {
      put_code_point(out_, c);
    }
  }

  std::string& out_;
  bool fixed_;
  std::vector<utf8proc_int32_t> parts_;
};

}  // namespace

const std::vector<std::string>& ngram_normaliser_names() {
  static const std::vector<std::string> names = {"none", "ccnet", "ccnet-fixed"};
  return names;
}

NgramNormaliser ngram_normaliser_of(std::string_view name) {
  const auto& names = ngram_normaliser_names();
  const auto found = std::ranges::find(names, name);
  check(found != names.end(), Fault::kUsage, "--normaliser is '", name,
        "', expected none, ccnet or ccnet-fixed");
  return static_cast<NgramNormaliser>(found - names.begin());
}

void normalise_for_ngrams(std::string_view text, NgramNormaliser how, std::string& out) {
  out.clear();
  if (how == NgramNormaliser::kNone) {
    out = text;
    return;
  }
  std::string lower;
  append_normalised(lower, stripped(text), Normalisation::kLower);
  out.reserve(lower.size());
  CcnetNormaliser(out, how == NgramNormaliser::kCcnetFixed).add(lower);
}

}  // namespace llmtool
