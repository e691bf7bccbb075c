#include "lib/corpus/license/match_tag.h"

#include <string>

namespace llmtool::license {
namespace {

constexpr size_t kLongestExpression = 1024;  // bytes

bool is_identifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '+' || c == ':';
}

bool is_operator(std::string_view word) {
  const auto is = [&](std::string_view upper, std::string_view lower) {
    return word == upper || word == lower;
  };
  return is("AND", "and") || is("OR", "or") || is("WITH", "with");
}

// Reads one expression of a line.
class ExpressionReader {
 public:
  explicit ExpressionReader(std::string_view line) : line_(line) {}

  // Empty: nothing like one stands here.
  std::string read() {
    std::string word;
    while (next(word)) {
      if (word == "(") {
        if (!operand_) break;
        ++depth_;
      } else if (word == ")") {
        if (operand_ || depth_ == 0) break;
        --depth_;
      } else if (is_operator(word)) {
        if (operand_) break;
        operand_ = true;
      } else {
        if (!operand_) break;
        operand_ = false;
      }
      append(word);
      end_ = at_;
    }
    if (expression_.empty()) return {};
    return operand_ || depth_ > 0 ? std::string(kUnknownLicense) : expression_;
  }
  size_t end() const { return end_; }

 private:
  bool next(std::string& word) {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
    if (at_ == line_.size()) return false;
    const size_t begin = at_;
    if (line_[at_] == '(' || line_[at_] == ')') {
      ++at_;
    } else {
      while (at_ < line_.size() && is_identifier(line_[at_])) ++at_;
    }
    word = line_.substr(begin, at_ - begin);
    // "-->" closes a comment, "." a sentence.
    while (word.size() > 1 && (word.back() == '.' || word.back() == '-' || word.back() == ':')) {
      word.pop_back();
    }
    return !word.empty() && word != "-" && word != "." && word != ":" && word[0] != '-';
  }

  void append(const std::string& word) {
    if (!expression_.empty() && word != ")" && expression_.back() != '(') expression_ += ' ';
    expression_ += word;
  }

  std::string_view line_;
  size_t at_ = 0, end_ = 0;
  bool operand_ = true;  // one is expected
  int depth_ = 0;
  std::string expression_;
};

}  // namespace

std::vector<LicenseFinding> find_tags(std::string_view text, const std::vector<Word>& words) {
  std::vector<LicenseFinding> findings;
  bool ignored = false;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].hash == word_hash("reuse")) {
      if (words[i + 1].hash == word_hash("ignorestart")) ignored = true;
      if (words[i + 1].hash == word_hash("ignoreend")) ignored = false;
    }
    if (ignored || i + 2 >= words.size() || words[i].hash != word_hash("spdx") ||
        words[i + 1].hash != word_hash("license") || words[i + 2].hash != word_hash("identifier")) {
      continue;
    }
    size_t at = words[i + 2].end;
    while (at < text.size() && (text[at] == ' ' || text[at] == '"')) ++at;
    if (at >= text.size() || (text[at] != ':' && text[at] != '=')) continue;
    ++at;
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '"')) ++at;
    const std::string_view rest = text.substr(at, kLongestExpression);
    ExpressionReader reader(rest.substr(0, rest.find_first_of("\r\n")));
    std::string expression = reader.read();
    if (expression.empty()) continue;
    findings.push_back({std::move(expression), LicenseFinding::Kind::kTag, 1.0, words[i].begin,
                        at + reader.end()});
  }
  return findings;
}

}  // namespace llmtool::license
