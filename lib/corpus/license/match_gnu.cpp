// Names of GNU licences with their versions, in all the ways they are written.
#include <algorithm>
#include <array>

#include "lib/corpus/license/match_phrase.h"

namespace llmtool::license {
namespace {

constexpr uint32_t kForward = 24, kBackward = 16, kLater = 14;  // words

bool is(const Word& word, std::string_view what) {
  return word.hash == word_hash(what);
}

template <class... T>
bool is_any(const Word& word, T... what) {
  return (is(word, what) || ...);
}

struct Name {
  std::string family;   // "GPL", "LGPL", "AGPL", "GFDL"
  std::string version;  // of "gplv2"
  uint32_t end = 0;
};

std::string lower_of(std::string_view text, const Word& word) {
  std::string bytes(text.substr(word.begin, word.end - word.begin));
  for (char& c : bytes) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return bytes;
}

// "gpl", "lgplv2.1", "agpl3".
Name joined_name(std::string_view text, const Word& word) {
  const size_t length = word.end - word.begin;
  if (length < 3 || length > 10) return {};
  std::string bytes = lower_of(text, word);
  if (bytes == "fdl" || bytes == "gfdl") return {"GFDL", "", 1};
  Name name;
  if (bytes.starts_with("gpl")) name.family = "GPL";
  if (bytes.starts_with("lgpl")) name.family = "LGPL";
  if (bytes.starts_with("agpl")) name.family = "AGPL";
  if (name.family.empty()) return {};
  bytes.erase(0, name.family.size());
  if (!bytes.empty() && bytes[0] == 'v') bytes.erase(0, 1);
  if (bytes.empty()) {
    if (name.family.size() + 1 == length) return {};  // "gplv"
  } else if (bytes[0] < '1' || bytes[0] > '3' ||
             bytes.find_first_not_of("0123456789.") != std::string::npos) {
    return {};
  }
  name.version = bytes;
  name.end = 1;
  return name;
}

Name name_at(std::string_view text, const std::vector<Word>& words, uint32_t at) {
  const auto word = [&](uint32_t i) -> const Word& {
    static const Word none;
    return i < words.size() ? words[i] : none;
  };
  Name name = joined_name(text, words[at]);
  if (!name.family.empty()) return name.end += at, name;
  uint32_t i = at;
  if (is(word(i), "gnu")) ++i;
  if (i > at && i < words.size()) {
    name = joined_name(text, words[i]);
    if (!name.family.empty()) return name.end += i, name;
    if (is(word(i), "free") && is(word(i + 1), "documentation") && is(word(i + 2), "license")) {
      return {"GFDL", "", i + 3};
    }
  }
  std::string family = "GPL";
  for (; is_any(word(i), "lesser", "library", "affero", "or"); ++i) {
    if (i == at && is(word(i), "or")) return {};
    if (is_any(word(i), "lesser", "library")) family = "LGPL";
    if (is(word(i), "affero")) family = "AGPL";
  }
  if (is(word(i), "general"))
    ++i;
  else if (i == at || family != "LGPL")
    return {};
  if (!is(word(i), "public") || !is_any(word(i + 1), "license", "licenses")) return {};
  return {family, "", i + 2};
}

std::string known_version(const std::string& family, const std::string& version) {
  static const std::array<std::pair<std::string_view, std::string_view>, 4> all = {
      {{"GPL", " 1.0 2.0 3.0 "},
       {"LGPL", " 2.0 2.1 3.0 "},
       {"AGPL", " 1.0 3.0 "},
       {"GFDL", " 1.1 1.2 1.3 "}}};
  for (const auto& [name, versions] : all) {
    if (name == family && versions.find(" " + version + " ") != std::string_view::npos) {
      return version;
    }
  }
  return {};
}

class GnuReader {
 public:
  GnuReader(std::string_view text, const std::vector<Word>& words, uint32_t at, const Name& name)
      : text_(text), words_(words), at_(at), name_(name), end_(name.end) {}

  Saying read() {
    version_ = name_.version.empty() ? std::string() : with_zero(name_.version);
    if (!version_.empty()) {
      later_from(name_.end - 1, name_.end + kLater);
    } else if (!version_before()) {
      version_behind();
    }
    return say();
  }

 private:
  static std::string with_zero(const std::string& version) {
    return version.find('.') == std::string::npos ? version + ".0" : version;
  }

  std::string version_at(uint32_t i) const {
    const Word& word = words_[i];
    const size_t length = word.end - word.begin;
    if (length > 4) return {};
    return known_version(name_.family, version_of(text_, word));
  }

  bool says_version(uint32_t i) const {
    return is_any(words_[i], "version", "versions", "v", "ver", "vers", "license", "gpl", "lgpl");
  }

  // "version 2 or any later version of the GNU ..."
  bool version_before() {
    const uint32_t first = at_ > kBackward ? at_ - kBackward : 0;
    if (at_ < 3 || !(is(words_[at_ - 1], "of") || is(words_[at_ - 2], "of"))) return false;
    for (uint32_t i = at_ - 1; i > first; --i) {
      if (words_[i].has(Word::kSentenceEnd) && i + 1 < at_) return false;
      if (!is_any(words_[i - 1], "version", "versions", "v")) continue;
      version_ = version_at(i);
      if (version_.empty()) continue;
      begin_ = i - 1;
      later_from(i, at_);
      return true;
    }
    return false;
  }

  void version_behind() {
    const auto last =
        std::min<uint32_t>(static_cast<uint32_t>(words_.size()), name_.end + kForward);
    for (uint32_t i = name_.end; i < last; ++i) {
      if (i > name_.end && !name_at(text_, words_, i).family.empty() && !is(words_[i], "general")) {
        return;
      }
      const bool close = i <= name_.end + 1 && !is(words_[i == 0 ? 0 : i - 1], "of");
      if (!close && !says_version(i - 1)) continue;
      version_ = version_at(i);
      if (version_.empty()) continue;
      end_ = i + 1;
      later_from(i, i + kLater);
      return;
    }
  }

  bool plus_behind(uint32_t i) const {
    return words_[i].end < text_.size() && text_[words_[i].end] == '+';
  }

  // Behind the version at words_[i]: "or later", "only", "or 3".
  void later_from(uint32_t i, uint32_t limit) {
    const auto last = std::min<uint32_t>(static_cast<uint32_t>(words_.size()), limit);
    end_ = std::max(end_, i + 1);
    if (plus_behind(i)) {
      later_ = true;
      return;
    }
    bool open = false;
    for (uint32_t k = i + 1; k < last; ++k) {
      if (!name_at(text_, words_, k).family.empty()) return;
      if (k <= i + 4 && is(words_[k], "only")) {
        end_ = k + 1;
        return;
      }
      if (is_any(words_[k], "or", "any")) open = true;
      if (open && is_any(words_[k], "later", "newer", "higher", "greater", "above", "subsequent")) {
        later_ = true;
        end_ = std::max(end_, k + 1);
        return;
      }
      if (is(words_[k - 1], "or") && k <= i + 3 && second_.empty()) second_ = version_at(k);
      if (is(words_[k - 1], "version") && open && k <= i + 10 && second_.empty()) {
        second_ = version_at(k);
      }
      if (words_[k].has(Word::kSentenceEnd) && k > i + 1) return;
    }
  }

  Saying say() const {
    Saying saying{Says::kGnu, {}, std::min(begin_, at_), end_, later_, version_.empty(), false};
    if (version_.empty()) {
      const std::string_view first = name_.family == "GPL"    ? "1.0"
                                     : name_.family == "LGPL" ? "2.0"
                                     : name_.family == "AGPL" ? "3.0"
                                                              : "1.1";
      saying.expression = name_.family + "-" + std::string(first) + "-or-later";
      return saying;
    }
    saying.expression = name_.family + "-" + version_ + (later_ ? "-or-later" : "-only");
    if (!later_ && !second_.empty() && second_ > version_) {
      saying.expression += " OR " + name_.family + "-" + second_ + "-only";
    }
    return saying;
  }

  std::string_view text_;
  const std::vector<Word>& words_;
  uint32_t at_;
  Name name_;
  std::string version_, second_;
  bool later_ = false;
  uint32_t begin_ = UINT32_MAX, end_;
};

// "see the GNU ... for details", "received a copy of the GNU ...".
bool is_aside(const std::vector<Word>& words, uint32_t at) {
  for (uint32_t back = 1; back <= 4 && back <= at; ++back) {
    const Word& word = words[at - back];
    if (is_any(word, "see", "copy", "compatible", "incompatible", "unlike", "not")) return true;
    if (!is_any(word, "the", "of", "a", "gnu", "with", "to")) return false;
  }
  return false;
}

}  // namespace

Saying gnu_name(std::string_view text, const std::vector<Word>& words, uint32_t at) {
  const Name name = name_at(text, words, at);
  if (name.family.empty()) return {};
  Saying saying = GnuReader(text, words, at, name).read();
  saying.aside = is_aside(words, at) && saying.begin == at;
  return saying;
}

}  // namespace llmtool::license
