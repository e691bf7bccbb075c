// Names and URLs of Creative Commons licences.
#include <algorithm>

#include "lib/corpus/license/match_phrase.h"

namespace llmtool::license {
namespace {

constexpr uint32_t kLongestName = 14;  // words

bool is(const Word& word, std::string_view what) {
  return word.hash == word_hash(what);
}

template <class... T>
bool is_any(const Word& word, T... what) {
  return (is(word, what) || ...);
}

std::string from_parts(bool nc, bool nd, bool sa, const std::string& version) {
  std::string expression = "CC-BY";
  if (nc) expression += "-NC";
  if (nd) expression += "-ND";
  if (sa && !nd) expression += "-SA";
  return expression + "-" + (version.empty() ? "1.0" : version);
}

bool known(const std::string& version) {
  return version == "1.0" || version == "2.0" || version == "2.5" || version == "3.0" ||
         version == "4.0";
}

// creativecommons.org/licenses/by-nc-sa/4.0/, creativecommons.org/publicdomain/zero/1.0/
std::string from_url(std::string_view url) {
  std::string lower(url);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  const size_t host = lower.find("creativecommons.org/");
  if (host == std::string::npos) return {};
  std::string_view path = std::string_view(lower).substr(host + 20);
  if (path.starts_with("publicdomain/zero/1.0")) return "CC0-1.0";
  if (path.starts_with("publicdomain/mark/1.0")) return "CC-PDM-1.0";
  if (path.starts_with("licenses/publicdomain")) return "CC-PDDC";
  if (!path.starts_with("licenses/by")) return {};
  path.remove_prefix(9);
  const std::string_view kind = path.substr(0, path.find('/'));
  if (kind.size() == path.size()) return {};
  const std::string version(path.substr(kind.size() + 1, 3));
  if (!known(version)) return {};
  const auto has = [&](std::string_view what) { return kind.find(what) != kind.npos; };
  return from_parts(has("-nc"), has("-nd"), has("-sa"), version);
}

}  // namespace

Saying creative_commons_name(std::string_view text, const std::vector<Word>& words, uint32_t at) {
  const Word& first = words[at];
  Saying saying{Says::kName, {}, at, at + 1, true, false, false};
  if (first.has(Word::kUrl)) {
    saying.expression = from_url(text.substr(first.begin, first.end - first.begin));
    return saying;
  }
  uint32_t i = at;
  const auto size = static_cast<uint32_t>(words.size());
  if (is(first, "creative") && at + 1 < size && is(words[at + 1], "commons"))
    i += 2;
  else if (is(first, "cc"))
    i += 1;
  else
    return {};
  bool by = false, nc = false, nd = false, sa = false;
  std::string version;
  const uint32_t last = std::min(size, i + kLongestName);
  for (; i < last; ++i) {
    const Word& word = words[i];
    if (is_any(word, "by", "attribution"))
      by = true;
    else if (is_any(word, "nc", "noncommercial", "commercial"))
      nc = true;
    else if (is_any(word, "nd", "noderivs", "noderivatives", "derivs", "derivatives", "derivative",
                    "noderiv"))
      nd = true;
    else if (is_any(word, "sa", "sharealike", "alike"))
      sa = true;
    else if (version = version_of(text, word); known(version)) {
      saying.end = i + 1;
      break;
    } else if (!is_any(word, "share", "non", "no", "works", "license", "version", "v", "the",
                       "public", "unported", "international"))
      break;
    version.clear();
    saying.end = i + 1;
  }
  if (!by && !(is(first, "creative") && (nc || sa || nd))) return {};
  saying.expression = from_parts(nc, nd, sa, version);
  saying.family_only = version.empty();
  return saying;
}

}  // namespace llmtool::license
