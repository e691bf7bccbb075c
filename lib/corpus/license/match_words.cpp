#include "lib/corpus/license/match_words.h"

#include <algorithm>
#include <array>

namespace llmtool::license {
namespace {

constexpr size_t kLongestTag = 160;
constexpr size_t kLongestNotice = 40;  // words

enum Class : uint8_t { kBreak, kLetter, kDigit, kHigh };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) classes[c] = kLetter;
    if (c >= '0' && c <= '9') classes[c] = kDigit;
    if (c >= 0x80) classes[c] = kHigh;
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

unsigned char lower(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

// Words that say the same.
uint64_t canonical(uint64_t hash) {
  switch (hash) {
    case word_hash("licence"):
      return word_hash("license");
    case word_hash("licences"):
      return word_hash("licenses");
    case word_hash("licenced"):
      return word_hash("licensed");
    case word_hash("sublicence"):
      return word_hash("sublicense");
    case word_hash("acknowledgement"):
      return word_hash("acknowledgment");
    case word_hash("acknowledgements"):
      return word_hash("acknowledgments");
    default:
      return hash;
  }
}

class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  std::vector<Word> run() {
    words_.reserve(text_.size() / 6 + 8);
    while (at_ < text_.size()) step();
    end_line();
    skip_rights_reserved();
    return std::move(words_);
  }

 private:
  unsigned char byte(size_t i) const {
    return i < text_.size() ? static_cast<unsigned char>(text_[i]) : 0;
  }
  uint8_t class_of(size_t i) const {
    return i < text_.size() ? kClasses[byte(i)] : uint8_t{kBreak};
  }

  // How many bytes of punctuation a byte over 0x7F begins; 0: it is of a word.
  size_t high_break(size_t i) const {
    const unsigned char c = byte(i);
    if (c == 0xC2) return 2;
    if (c == 0xE2 || c == 0xEF) return 3;
    if (c == 0xE3 && byte(i + 1) == 0x80) return 3;
    return 0;
  }

  void step() {
    const unsigned char c = byte(at_);
    switch (kClasses[c]) {
      case kLetter:
      case kDigit:
        return word();
      case kHigh:
        if (const size_t length = high_break(at_)) {
          if (c == 0xC2 && byte(at_ + 1) == 0xA9) sign_ = true;
          at_ += length;
          return;
        }
        return word();
      default:
        break;
    }
    if (c == '\n') return end_line(), static_cast<void>(++at_);
    if (c == '<') return tag();
    if (c == '&') return entity();
    if ((c == '.' || c == ';' || c == ':') && !words_.empty() && words_.back().end == at_) {
      words_.back().flags |= Word::kSentenceEnd;
    }
    ++at_;
  }

  bool url_starts(size_t i) const {
    const std::string_view rest = text_.substr(i, 8);
    const auto is = [&](std::string_view what) {
      if (rest.size() < what.size()) return false;
      for (size_t k = 0; k < what.size(); ++k) {
        if (lower(static_cast<unsigned char>(rest[k])) != static_cast<unsigned char>(what[k])) {
          return false;
        }
      }
      return true;
    };
    return is("http://") || is("https://") || is("www.") || is("ftp://");
  }

  void url() {
    const size_t begin = at_;
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) > ' ' &&
           std::string_view("\"'<>()[]{}`|,;*\\").find(text_[at_]) == std::string_view::npos) {
      ++at_;
    }
    while (at_ > begin + 1 && (text_[at_ - 1] == '.' || text_[at_ - 1] == ':')) --at_;
    push(begin, at_, Word::kUrl | Word::kSkipped);
  }

  void push(size_t begin, size_t end, int flags) {
    uint64_t hash = kHashSeed;
    for (size_t i = begin; i < end; ++i) {
      unsigned char c = lower(byte(i));
      if (c >= 0x80 && c <= 0x9E && i > begin && byte(i - 1) == 0xC3) c |= 0x20;
      hash = hash_byte(hash, c);
    }
    if (words_.size() == line_) flags |= Word::kLineStart;
    words_.push_back({canonical(hash), static_cast<uint32_t>(begin), static_cast<uint32_t>(end),
                      static_cast<uint8_t>(flags)});
  }

  void word() {
    const unsigned char first = lower(byte(at_));
    if ((first == 'h' || first == 'w' || first == 'f') && url_starts(at_)) return url();
    const size_t begin = at_;
    bool digits = true;
    for (; at_ < text_.size(); ++at_) {
      const uint8_t kind = class_of(at_);
      if (kind == kLetter || (kind == kHigh && high_break(at_) == 0)) {
        digits = false;
      } else if (kind == kBreak && byte(at_) == '.' && at_ > begin && class_of(at_ - 1) == kDigit &&
                 class_of(at_ + 1) == kDigit) {
        continue;
      } else if (kind != kDigit) {
        break;
      }
    }
    push(begin, at_, marks(begin, digits));
    if (at_ - begin == 1 && first == 'c' && byte(begin - 1) == '(' && byte(at_) == ')')
      sign_ = true;
    if (digits && at_ - begin == 4 && (byte(begin) == '1' || byte(begin) == '2')) year_ = true;
  }

  int marks(size_t begin, bool digits) const {
    if (words_.size() == line_ && leads(begin)) return Word::kSkipped | Word::kLeader;
    return bullet(begin, digits) ? Word::kSkipped : 0;
  }

  // rem, dnl and c as comment leaders.
  bool leads(size_t begin) const {
    const size_t length = at_ - begin;
    const unsigned char a = lower(byte(begin));
    if (length == 1) return a == 'c' && byte(at_) <= ' ' && (begin == 0 || byte(begin - 1) == '\n');
    if (length != 3) return false;
    const unsigned char b = lower(byte(begin + 1)), c = lower(byte(begin + 2));
    return (a == 'd' && b == 'n' && c == 'l') || (a == 'r' && b == 'e' && c == 'm');
  }

  // "1.", "a)", "(iii)", "2.1." at the start of a line.
  bool bullet(size_t begin, bool digits) const {
    const unsigned char next = byte(at_);
    const size_t length = at_ - begin;
    if (next != ')' && next != '.') return false;
    if (digits) return length <= 2 || words_.size() == line_;
    if (length == 1) return true;
    if (length > 4 || next == '.') return false;
    for (size_t i = begin; i < at_; ++i) {
      if (std::string_view("ivxIVX").find(text_[i]) == std::string_view::npos) return false;
    }
    return true;
  }

  void tag() {
    const unsigned char next = byte(at_ + 1);
    const bool opens = class_of(at_ + 1) == kLetter || next == '/' || next == '!';
    if (opens && !(next == '!' && byte(at_ + 2) == '-')) {
      const size_t limit = std::min(text_.size(), at_ + kLongestTag);
      size_t close = at_ + 1;
      while (close < limit && text_[close] != '>' && text_[close] != '<') ++close;
      if (close < limit && text_[close] == '>') return inside_tag(close);
    }
    ++at_;
  }

  void inside_tag(size_t close) {
    for (++at_; at_ < close;) {
      const unsigned char c = lower(byte(at_));
      if ((c == 'h' || c == 'w') && url_starts(at_)) {
        url();
      } else {
        // A placeholder for a year is one.
        if (c == 'y' && lower(byte(at_ + 1)) == 'e' && lower(byte(at_ + 2)) == 'a') year_ = true;
        if (c == '\n') end_line();
        ++at_;
      }
    }
    at_ = close + 1;
  }

  void entity() {
    for (size_t i = at_ + 1; i < at_ + 9; ++i) {
      if (byte(i) == ';' && i > at_ + 2) {
        if (text_.substr(at_, i - at_) == "&copy") sign_ = true;
        at_ = i + 1;
        return;
      }
      if (class_of(i) == kBreak && byte(i) != '#') break;
    }
    ++at_;
  }

  static bool begins_grant(uint64_t hash) {
    switch (hash) {
      case word_hash("permission"):
      case word_hash("redistribution"):
      case word_hash("licensed"):
      case word_hash("license"):
      case word_hash("this"):
      case word_hash("these"):
      case word_hash("everyone"):
      case word_hash("all"):
      case word_hash("you"):
      case word_hash("under"):
      case word_hash("released"):
      case word_hash("distributed"):
        return true;
      default:
        return false;
    }
  }

  static bool says_copyright(uint64_t hash) {
    return hash == word_hash("copyright") || hash == word_hash("filecopyrighttext") ||
           hash == word_hash("snippetcopyrighttext");
  }

  // A line that is a copyright notice is skipped, up to where a grant begins behind it.
  void end_line() {
    size_t first = line_;
    while (first < words_.size() && first < line_ + 3 && words_[first].has(Word::kSkipped) &&
           words_[first].end - words_[first].begin < 4) {
      ++first;
    }
    size_t named = first;
    for (size_t ahead = 0; ahead < 2 && named < words_.size(); ++ahead, ++named) {
      if (says_copyright(words_[named].hash)) break;
    }
    const bool says = named < words_.size() && says_copyright(words_[named].hash);
    const bool by_sign = sign_ && year_ && first < words_.size();
    if ((says && (sign_ || year_)) || (by_sign && words_.size() - line_ < 16))
      skip_notice(says ? named : first);
    line_ = words_.size();
    sign_ = year_ = false;
  }

  void skip_notice(size_t named) {
    const size_t end = std::min(words_.size(), named + kLongestNotice);
    for (size_t i = line_; i < end; ++i) {
      if (i > named && begins_grant(words_[i].hash)) break;
      words_[i].flags |= Word::kSkipped | Word::kNotice;
    }
  }

  void skip_rights_reserved() {
    for (size_t i = 0; i + 2 < words_.size(); ++i) {
      if (words_[i].hash == word_hash("all") && words_[i + 1].hash == word_hash("rights") &&
          words_[i + 2].hash == word_hash("reserved")) {
        for (size_t k = i; k < i + 3; ++k) words_[k].flags |= Word::kSkipped;
      }
    }
  }

  std::string_view text_;
  std::vector<Word> words_;
  size_t at_ = 0;
  size_t line_ = 0;                   // the first word of this line
  bool sign_ = false, year_ = false;  // (c) and a year stand in this line
};

}  // namespace

std::vector<Word> words_of(std::string_view text) {
  return Cutter(text).run();
}

}  // namespace llmtool::license
