#include "lib/corpus/ngram/arpa_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "lib/base/error.h"
#include "lib/base/text_stream.h"
#include "lib/corpus/ngram/kenlm_format.h"

namespace llmtool {
namespace {

constexpr size_t kMaxLine = size_t{1} << 20;
constexpr float kMissingUnknown = -100;  // log10 probability of <unk>; KenLM's

bool is_separator(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool is_blank(std::string_view line) {
  return std::ranges::all_of(line,
                             [](char c) { return is_separator(c) || c == '\v' || c == '\f'; });
}

std::string_view next_field(std::string_view& line) {
  size_t begin = 0;
  while (begin < line.size() && is_separator(line[begin])) ++begin;
  size_t end = begin;
  while (end < line.size() && !is_separator(line[end])) ++end;
  const std::string_view field = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return field;
}

struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view s) const { return kenlm_word_key(s); }
};

class ArpaReader {
 public:
  ArpaReader(const fs::path& path, NgramSink& sink) : lines_(path, kMaxLine), sink_(sink) {}

  void read() {
    read_counts();
    read_unigrams();
    for (size_t order = 2; order <= counts_.size(); ++order) read_order(order);
    read_end();
    sink_.end();
  }

 private:
  template <class... P>
  void expect(bool ok, const P&... parts) {
    if (!ok) [[unlikely]]
      fail(Fault::kInput, concat(lines_.where(), ": ", parts...));
  }

  std::string_view next_line(const char* expected) {
    std::string_view line;
    if (!lines_.next(line)) {
      fail(Fault::kInput, concat(lines_.where(), ": the file ends here; expected ", expected),
           "is it cut short, or no ARPA file?");
    }
    return line;
  }

  std::string_view next_filled_line(const char* expected) {
    std::string_view line;
    do {
      line = next_line(expected);
    } while (is_blank(line));
    return line;
  }

  static std::string shown(std::string_view line) {
    constexpr size_t kShown = 60;
    std::string text(line.substr(0, kShown));
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < ' ') c = ' ';
    }
    return concat("'", text, line.size() > kShown ? "...'" : "'");
  }

  static std::string_view without_return(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void read_counts() {
    std::string_view line = next_line("\\data\\");
    while (is_blank(line) || line.starts_with('#')) line = next_line("\\data\\");
    expect(without_return(line) == "\\data\\", shown(line), ", expected \\data\\");
    while (!is_blank(line = next_line("ngram N=COUNT, or a blank line"))) {
      const size_t order = counts_.size() + 1;
      const std::string begin = concat("ngram ", order, "=");
      expect(line.starts_with(begin), shown(line), ", expected ", begin);
      expect(order <= kMaxNgramOrder, "order ", order, ", expected at most ", kMaxNgramOrder);
      line.remove_prefix(begin.size());
      uint64_t count = 0;
      const std::string_view field = next_field(line);
      const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), count);
      expect(error == std::errc() && end == field.data() + field.size() && is_blank(line),
             "the count of ", order, "-grams is ", shown(field), ", expected a number");
      counts_.push_back(count);
    }
    expect(!counts_.empty(), "no counts of n-grams behind \\data\\");
    expect(counts_[0] < std::numeric_limits<NgramWord>::max() - 1, counts_[0],
           " words, more than there are numbers for");
  }

  void read_heading(size_t order) {
    const std::string expected = concat("\\", order, "-grams:");
    const std::string_view line = next_filled_line(expected.c_str());
    expect(without_return(line) == expected, shown(line), ", expected ", expected, " (", counts_[0],
           " 1-grams, ... are announced)");
  }

  float number(std::string_view field, const char* what) {
    float value = 0;
    std::string_view digits = field;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool tiny = error == std::errc::result_out_of_range && std::fabs(value) < 1;
    expect((error == std::errc() || tiny) && end == digits.data() + digits.size() &&
               std::isfinite(value),
           what, " is ", shown(field), ", expected a number");
    return tiny ? 0.0f : value;
  }

  // What stands before the words.
  float probability(std::string_view& line) {
    const float value = number(next_field(line), "a log10 probability");
    expect(value <= 0, "log10 probability ", value, ", expected at most 0");
    return value;
  }

  // What stands behind the words.
  float backoff(std::string_view line, size_t order) {
    const std::string_view field = next_field(line);
    const float value = field.empty() ? 0.0f : number(field, "a log10 back-off");
    expect(is_blank(line), "more than ", order, " words and a back-off");
    expect(order < counts_.size() || value == 0, "back-off ", value, " of a ", order,
           "-gram, the highest order; expected none");
    return value;
  }

  void read_unigrams() {
    struct Weights {
      float probability = kMissingUnknown, backoff = 0;
    };
    std::vector<std::string> words = {"<unk>"};
    std::vector<Weights> weights(1);
    bool has_unknown = false;
    read_heading(1);
    for (uint64_t i = 0; i < counts_[0]; ++i) {
      std::string_view line = next_line("a 1-gram");
      Weights w;
      w.probability = probability(line);
      const std::string_view word = next_field(line);
      expect(!word.empty() && word.find('\0') == word.npos, "a 1-gram without a word");
      w.backoff = backoff(line, 1);
      if (is_unknown_word(word)) {
        expect(!has_unknown, "<unk> is there twice");
        has_unknown = true;
        weights[0] = w;
        continue;
      }
      expect(numbers_.emplace(std::string(word), static_cast<NgramWord>(words.size())).second,
             "the word ", shown(word), " is there twice");
      words.emplace_back(word);
      weights.push_back(w);
    }
    counts_[0] = words.size();
    sink_.begin(words, counts_);
    for (NgramWord w = 0; w < words.size(); ++w) {
      sink_.add({{&w, 1}, weights[w].probability, weights[w].backoff});
    }
  }

  NgramWord number_of(std::string_view word) {
    expect(!word.empty(), "too few words");
    if (is_unknown_word(word)) return 0;
    const auto found = numbers_.find(word);
    expect(found != numbers_.end(), "the word ", shown(word), " is no 1-gram");
    return found->second;
  }

  void read_order(size_t order) {
    read_heading(order);
    std::vector<NgramWord> words(order);
    for (uint64_t i = 0; i < counts_[order - 1]; ++i) {
      std::string_view line = next_line("an n-gram");
      const float p = probability(line);
      for (NgramWord& word : words) word = number_of(next_field(line));
      sink_.add({words, p, backoff(line, order)});
    }
  }

  void read_end() {
    const std::string_view line = next_filled_line("\\end\\");
    expect(without_return(line) == "\\end\\", shown(line), ", expected \\end\\ behind ",
           counts_.back(), " ", counts_.size(), "-grams");
    std::string_view behind;
    while (lines_.next(behind)) expect(is_blank(behind), shown(behind), " behind \\end\\");
  }

  LineReader lines_;
  NgramSink& sink_;
  std::vector<uint64_t> counts_;
  std::unordered_map<std::string, NgramWord, StringHash, std::equal_to<>> numbers_;
};

}  // namespace

void read_arpa(const fs::path& path, NgramSink& sink) {
  ArpaReader(path, sink).read();
}

}  // namespace llmtool
