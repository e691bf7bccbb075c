#include "lib/text/charsmap.h"

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"
#include "lib/text/utf8.h"

namespace llmtool {
namespace {

struct Blob {
  std::vector<uint32_t> units;
  std::string_view replacements;
};

bool has_key(uint32_t unit) {
  return (unit >> 8) & 1;
}
// A unit that holds a value has bit 31, which no label has.
uint32_t label_of(uint32_t unit) {
  return unit & (1u << 31 | 0xff);
}
uint32_t value_of(uint32_t unit) {
  return unit & ~(1u << 31);
}
size_t offset_of(uint32_t unit) {
  return size_t{unit >> 10} << ((unit & (1u << 9)) >> 6);
}

std::string split(std::string_view bytes, Blob& blob) {
  uint32_t trie_bytes = 0;
  if (bytes.size() <= sizeof trie_bytes) {
    return concat("its normalisation map has ", bytes.size(), " bytes");
  }
  std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  const std::string_view rest = bytes.substr(sizeof trie_bytes);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes >= rest.size()) {
    return concat("its normalisation map has ", rest.size(), " bytes and names a trie of ",
                  trie_bytes);
  }
  blob.units.resize(trie_bytes / 4);
  std::memcpy(blob.units.data(), rest.data(), trie_bytes);
  blob.replacements = rest.substr(trie_bytes);
  if (blob.replacements.back() != '\0') {
    return "the strings of its normalisation map do not end with a zero";
  }
  return "";
}

// Follows every path of a trie, each node once.
class TrieCheck {
 public:
  explicit TrieCheck(const Blob& blob) : blob_(blob), longest_(blob.units.size(), kUnseen) {}

  std::string problem() {
    visit(0, 0, 0);
    return problem_;
  }

 private:
  static constexpr int kUnseen = -1;

  // The longest key below a unit that is reached by depth bytes; children of earlier units are
  // found at its own offset from theirs.
  int visit(size_t unit, size_t from, int depth) {
    const size_t children = from ^ offset_of(blob_.units[unit]);
    if ((children | 0xff) >= blob_.units.size()) {
      return fail(concat("unit ", unit, " of its normalisation trie points outside"));
    }
    if (unit != 0 && has_key(blob_.units[unit])) check_value(unit, children);
    if (longest_[children] == kUnseen) {
      int longest = 0;
      for (size_t c = 0; c < 256 && problem_.empty(); ++c) {
        const size_t child = children ^ c;
        if (label_of(blob_.units[child]) != c) continue;
        if (depth == static_cast<int>(Charsmap::kMaxKey)) {
          return fail("its normalisation trie runs in circles, or has keys longer than 255 bytes");
        }
        longest = std::max(longest, 1 + visit(child, child, depth + 1));
      }
      longest_[children] = longest;
    }
    if (depth + longest_[children] > static_cast<int>(Charsmap::kMaxKey)) {
      fail("its normalisation trie has keys longer than 255 bytes");
    }
    return longest_[children];
  }

  void check_value(size_t unit, size_t children) {
    const uint32_t value = value_of(blob_.units[children]);
    if (value >= blob_.replacements.size()) {
      fail(concat("unit ", unit, " of its normalisation trie has a value outside"));
      return;
    }
    const std::string_view rest = blob_.replacements.substr(value, Charsmap::kMaxReplacement + 1);
    const size_t end = rest.find('\0');
    if (end == rest.npos) {
      fail(concat("a rule of its normalisation map writes more than ", Charsmap::kMaxReplacement,
                  " bytes"));
    } else if (first_invalid_utf8(rest.substr(0, end)) != rest.npos) {
      fail("a rule of its normalisation map writes what is not UTF-8");
    }
  }

  int fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return 0;
  }

  const Blob& blob_;
  std::vector<int> longest_;  // bytes below the node whose children begin here
  std::string problem_;
};

}  // namespace

std::string Charsmap::problem_of(std::string_view bytes) {
  Blob blob;
  std::string problem = split(bytes, blob);
  return problem.empty() ? TrieCheck(blob).problem() : problem;
}

Charsmap::Charsmap(std::string_view bytes) {
  Blob blob;
  LLMTOOL_ASSERT(split(bytes, blob).empty());
  units_ = std::move(blob.units);
  replacements_ = blob.replacements;
  const size_t root = offset_of(units_[0]);
  for (size_t c = 0; c < 256; ++c) starts_[c] = label_of(units_[root ^ c]) == c;
}

bool Charsmap::continues(std::string_view prefix) const {
  if (units_.empty()) return false;
  size_t node = offset_of(units_[0]);
  for (const char byte : prefix) {
    const auto c = static_cast<unsigned char>(byte);
    const uint32_t unit = units_[node ^ c];
    if (label_of(unit) != c) return false;
    node = node ^ c ^ offset_of(unit);
  }
  return true;
}

Charsmap::Match Charsmap::longest(std::string_view text) const {
  Match match;
  if (units_.empty()) return match;
  size_t node = offset_of(units_[0]), at = 0;
  uint32_t value = 0;
  for (const char byte : text) {
    const auto c = static_cast<unsigned char>(byte);
    const uint32_t unit = units_[node ^ c];
    if (label_of(unit) != c) break;
    node = node ^ c ^ offset_of(unit);
    ++at;
    if (!has_key(unit)) continue;
    match.length = at;
    value = value_of(units_[node]);
  }
  if (match.length > 0) match.replacement = replacements_.data() + value;
  return match;
}

}  // namespace llmtool
