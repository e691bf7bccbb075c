// The rules by which LLaMA kept source files, as RedPajama v1 wrote them down
// (data_prep/github/github_run_filter.py). A line is one of str.splitlines(), its length its
// characters without the line break. Letters and digits are those of str.isalpha and str.isalnum.
// RedPajama divides the letters by the tokens of EleutherAI/pythia-6.9b; a token here is a run of
// letters, digits and "_", or any other character that is no space.
#include <algorithm>

#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/lines.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

struct CodeFigures {
  uint64_t lines = 0, line_characters = 0, longest_line = 0;
  uint64_t letters = 0, letters_and_digits = 0, tokens = 0;
};

void measure_lines(TextAnalysis& text, int, CodeFigures& out) {
  out = {};
  for_each_line(text.text(), [&](std::string_view line) {
    const uint64_t length = count_characters(line);
    ++out.lines;
    out.line_characters += length;
    out.longest_line = std::max(out.longest_line, length);
  });
}

// Bits of a character, counted by adding them up in fields of one word.
constexpr uint64_t kLetterOne = 1, kAlnumOne = uint64_t{1} << 21, kTokenOne = uint64_t{1} << 42;

struct CodeClass {
  uint64_t counts = 0;  // letter, letter or digit
  uint64_t starts = 0;  // a token, if the character before was not part of a run
  uint64_t joins = 0;   // all ones if it is part of a run
};

CodeClass class_of(unsigned flags, bool is_underscore) {
  const bool run = (flags & kWord) != 0;
  CodeClass found;
  if (flags & kAlphabetic) found.counts += kLetterOne;
  if (run && !is_underscore) found.counts += kAlnumOne;
  if (!(flags & kSpace)) found.starts = kTokenOne;
  found.joins = run ? ~uint64_t{0} : 0;
  return found;
}

std::array<CodeClass, 128> ascii_classes() {
  std::array<CodeClass, 128> classes;
  for (uint32_t c = 0; c < 128; ++c)
    classes[c] = class_of(CharacterTable::get().flags(c), c == '_');
  return classes;
}

void measure_characters(TextAnalysis& analysis, int, CodeFigures& out) {
  static const std::array<CodeClass, 128> ascii = ascii_classes();
  const CharacterTable& table = CharacterTable::get();
  const std::string_view text = analysis.text();
  out = {};
  uint64_t before = 0;
  for (size_t at = 0; at < text.size();) {
    uint64_t counts = 0;  // its fields hold 2^21 characters
    const size_t end = std::min(text.size(), at + (1 << 20));
    while (at < end) {
      const auto c = static_cast<uint8_t>(text[at]);
      CodeClass other;
      const CodeClass* found = &other;
      if (c < 128) {
        found = &ascii[c];
        ++at;
      } else {
        const Character character = character_at(text, at);
        other = class_of(table.flags(character.point), false);
        at += character.bytes;
      }
      counts += found->counts + (found->starts & ~(before & found->joins));
      before = found->joins;
    }
    out.letters += counts & (kAlnumOne - 1);
    out.letters_and_digits += counts >> 21 & (kAlnumOne - 1);
    out.tokens += counts >> 42;
  }
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double longest_line(TextAnalysis& text, const FilterVariants&) {
  return static_cast<double>(text.once(measure_lines, 0).longest_line);
}

double mean_line(TextAnalysis& text, const FilterVariants&) {
  const CodeFigures& f = text.once(measure_lines, 0);
  return share(f.line_characters, f.lines);
}

double alphanumeric(TextAnalysis& text, const FilterVariants&) {
  return share(text.once(measure_characters, 0).letters_and_digits, text.characters());
}

double letters_per_token(TextAnalysis& text, const FilterVariants&) {
  const CodeFigures& f = text.once(measure_characters, 0);
  return share(f.letters, f.tokens);
}

const Register<FilterRule> max_line_length{
    {.name = "code.max_line_length",
     .measures = "characters of the longest line (str.splitlines)",
     .follows = "RedPajama v1",
     .bounds = {{}, 1000},
     .scale = Figure::Scale::kLog,
     .low = 1,
     .high = 1e5,
     .measure = longest_line}};
const Register<FilterRule> mean_line_length{
    {.name = "code.mean_line_length",
     .measures = "mean characters of a line (str.splitlines)",
     .follows = "RedPajama v1",
     .bounds = {{}, 100},
     .scale = Figure::Scale::kLog,
     .low = 1,
     .high = 1e4,
     .measure = mean_line}};
const Register<FilterRule> alphanumeric_share{
    {.name = "code.alphanumeric_share",
     .measures = "letters and digits (str.isalnum) / characters",
     .follows = "RedPajama v1",
     .bounds = {0.25, {}},
     .measure = alphanumeric}};
const Register<FilterRule> alphabetic_per_token{
    {.name = "code.alphabetic_per_token",
     .measures = "letters / tokens; a token: letters, digits and _ in a row, or another character",
     .follows = "RedPajama v1, its tokens pythia's",
     .bounds = {1.5, {}},
     .high = 10,
     .measure = letters_per_token}};

}  // namespace
}  // namespace llmtool
