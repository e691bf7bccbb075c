#include "lib/corpus/license/match_phrase.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "lib/corpus/license/match_phrases.h"

namespace llmtool::license {
namespace {

struct Token {
  std::vector<uint64_t> words;  // any of them
  bool optional = false;
  bool version = false;
  uint32_t gap = 0;  // up to so many words, and no word of its own
};

struct Compiled {
  const Phrase* phrase = nullptr;
  std::vector<Token> tokens;
};

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(by), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Token compile(std::string_view part) {
  Token token;
  if (part[0] == '?') token.optional = true, part.remove_prefix(1);
  if (part == "#") {
    token.version = true;
  } else if (part[0] == '*') {
    std::from_chars(part.data() + 1, part.data() + part.size(), token.gap);
  } else {
    for (const std::string_view word : split(part, '|')) token.words.push_back(word_hash(word));
  }
  return token;
}

struct Found {
  uint32_t end = 0;
  std::string version;
};

// All phrases, by the first of their words.
class Book {
 public:
  Book() {
    for (const Phrase& phrase : kPhrases) {
      Compiled& compiled = all_.emplace_back();
      compiled.phrase = &phrase;
      for (const std::string_view part : split(phrase.pattern, ' ')) {
        compiled.tokens.push_back(compile(part));
      }
      for (const uint64_t word : compiled.tokens[0].words) {
        heads_[word % heads_.size()].push_back({word, static_cast<uint16_t>(all_.size() - 1)});
      }
    }
  }

  // The longest phrase at words[at]; null if none.
  const Phrase* find(std::string_view text, const std::vector<Word>& words, uint32_t at,
                     Found& best) const {
    const Phrase* result = nullptr;
    for (const auto& [hash, index] : heads_[words[at].hash % heads_.size()]) {
      if (hash != words[at].hash) continue;
      Found found;
      if (!match(text, words, at + 1, all_[index].tokens, 1, found)) continue;
      if (result == nullptr || found.end > best.end) {
        result = all_[index].phrase;
        best = std::move(found);
      }
    }
    return result;
  }

 private:
  static bool match(std::string_view text, const std::vector<Word>& words, uint32_t at,
                    const std::vector<Token>& tokens, size_t next, Found& found) {
    if (next == tokens.size()) return found.end = at, true;
    const Token& token = tokens[next];
    if (token.gap > 0) {
      for (uint32_t skip = 0; skip <= token.gap && at + skip <= words.size(); ++skip) {
        if (match(text, words, at + skip, tokens, next + 1, found)) return true;
      }
      return false;
    }
    if (at < words.size()) {
      if (token.version) {
        std::string version = version_of(text, words[at]);
        if (!version.empty() && match(text, words, at + 1, tokens, next + 1, found)) {
          found.version = std::move(version);
          return true;
        }
      } else if (std::find(token.words.begin(), token.words.end(), words[at].hash) !=
                     token.words.end() &&
                 match(text, words, at + 1, tokens, next + 1, found)) {
        return true;
      }
    }
    return token.optional && match(text, words, at, tokens, next + 1, found);
  }

  std::vector<Compiled> all_;
  std::array<std::vector<std::pair<uint64_t, uint16_t>>, 4096> heads_;
};

Saying saying_of(const Phrase& phrase, const Found& found, uint32_t at) {
  Saying saying{phrase.says, std::string(phrase.expression), at, found.end, false, false, false};
  if (phrase.versions == "*") saying.family_only = true;
  const size_t mark = saying.expression.find('#');
  if (mark == std::string::npos) return saying;
  const std::vector<std::string_view> versions = split(phrase.versions, ' ');
  std::string version(versions[0]);
  saying.family_only = found.version.empty();
  saying.whole = !found.version.empty();
  if (saying.whole) {
    const bool known = std::find(versions.begin(), versions.end(), found.version) != versions.end();
    if (!known) return saying.expression = kUnknownLicense, saying;
    version = found.version;
  }
  saying.expression.replace(mark, 1, version);
  return saying;
}

// Names from their URLs, and what begins by a word of its own kind.
Saying special(std::string_view text, const std::vector<Word>& words, uint32_t at) {
  Saying saying = creative_commons_name(text, words, at);
  if (!saying.expression.empty() || !words[at].has(Word::kUrl)) return saying;
  static constexpr std::pair<std::string_view, std::string_view> kUrls[] = {
      {"apache.org/licenses/LICENSE-2.0", "Apache-2.0"},
      {"apache.org/licenses/LICENSE-1.1", "Apache-1.1"},
      {"opensource.org/licenses/mit-license", "MIT"},
      {"opensource.org/licenses/MIT", "MIT"},
      {"opensource.org/licenses/mit", "MIT"},
      {"opensource.org/license/mit", "MIT"},
      {"opensource.org/licenses/BSD-3-Clause", "BSD-3-Clause"},
      {"opensource.org/licenses/BSD-2-Clause", "BSD-2-Clause"},
      {"opensource.org/licenses/bsd-license", "BSD-2-Clause"},
      {"opensource.org/licenses/Apache-2.0", "Apache-2.0"},
      {"opensource.org/licenses/ISC", "ISC"},
      {"boost.org/LICENSE_1_0.txt", "BSL-1.0"},
      {"mozilla.org/MPL/2.0", "MPL-2.0"},
      {"mozilla.org/MPL/MPL-1.1", "MPL-1.1"},
      {"eclipse.org/legal/epl-v10", "EPL-1.0"},
      {"eclipse.org/legal/epl-2.0", "EPL-2.0"},
      {"unlicense.org", "Unlicense"},
      {"wtfpl.net", "WTFPL"},
      {"sam.zoy.org/wtfpl", "WTFPL"},
      {"php.net/license/3_01", "PHP-3.01"},
      {"scripts.sil.org/OFL", "OFL-1.1"},
  };
  const std::string_view url = text.substr(words[at].begin, words[at].end - words[at].begin);
  for (const auto& [part, expression] : kUrls) {
    if (url.find(part) != std::string_view::npos) {
      saying = {Says::kName, std::string(expression), at, at + 1, true, false, false};
    }
  }
  return saying;
}

// By the first three letters: most words are not looked at any further.
bool may_be_gnu(std::string_view text, const Word& word) {
  if (word.end - word.begin < 3) return false;
  uint32_t letters = 0;
  for (uint32_t i = 0; i < 3; ++i) {
    letters = letters << 8 | (static_cast<unsigned char>(text[word.begin + i]) | 0x20);
  }
  constexpr auto code = [](const char* s) {
    return uint32_t(s[0]) << 16 | uint32_t(s[1]) << 8 | uint32_t(s[2]);
  };
  switch (letters) {
    case code("gnu"):
    case code("gpl"):
    case code("lgp"):
    case code("agp"):
    case code("gfd"):
    case code("fdl"):
    case code("gen"):
    case code("les"):
    case code("lib"):
    case code("aff"):
      return true;
    default:
      return false;
  }
}

bool may_be_special(const Word& word) {
  return word.has(Word::kUrl) || word.hash == word_hash("creative") || word.hash == word_hash("cc");
}

}  // namespace

std::string version_of(std::string_view text, const Word& word) {
  std::string_view bytes = text.substr(word.begin, word.end - word.begin);
  if (!bytes.empty() && (bytes[0] == 'v' || bytes[0] == 'V')) bytes.remove_prefix(1);
  if (bytes.empty() || bytes.size() > 5 || bytes[0] < '0' || bytes[0] > '9' ||
      bytes.find_first_not_of("0123456789.") != std::string_view::npos) {
    return {};
  }
  std::string version(bytes);
  if (version.ends_with(".0.0")) version.resize(version.size() - 2);
  return version.find('.') == std::string::npos ? version + ".0" : version;
}

std::vector<Saying> find_sayings(std::string_view text, const std::vector<Word>& words) {
  static const Book book;
  std::vector<Saying> sayings;
  for (uint32_t at = 0; at < words.size();) {
    Saying best;
    if (may_be_gnu(text, words[at])) best = gnu_name(text, words, at);
    if (may_be_special(words[at])) best = special(text, words, at);
    Found found;
    const Phrase* phrase = book.find(text, words, at, found);
    if (phrase != nullptr && (best.expression.empty() || found.end > best.end)) {
      best = saying_of(*phrase, found, at);
    } else if (best.expression.empty()) {
      ++at;
      continue;
    }
    // What only colours the words around must not hide a name among them.
    const bool hides = best.says == Says::kName || best.says == Says::kWeakName ||
                       best.says == Says::kGnu || best.says == Says::kPerl ||
                       best.says == Says::kException;
    at = hides ? std::max(best.end, at + 1) : at + 1;
    sayings.push_back(std::move(best));
  }
  return sayings;
}

}  // namespace llmtool::license
