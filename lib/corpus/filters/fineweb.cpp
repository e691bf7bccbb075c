// The rules that FineWeb added (Penedo et al. 2024), as datatrove's FineWebQualityFilter. A line is
// what is between "\n" and has more than spaces. Terminal punctuation is datatrove's list for all
// scripts. Line breaks are compared with the English words of words.h.
#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/lines.h"
#include "lib/corpus/filters/repeats.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

constexpr size_t kShortLine = 30;

struct LineFigures {
  uint64_t lines = 0, ended = 0, short_lines = 0, duplicate_characters = 0, breaks = 0;
};

void measure(TextAnalysis& text, int, LineFigures& out) {
  const CharacterTable& table = CharacterTable::get();
  out.lines = out.ended = out.short_lines = out.duplicate_characters = 0;
  out.breaks = static_cast<uint64_t>(std::count(text.text().begin(), text.text().end(), '\n'));
  text.seen().clear(out.breaks + 1);
  for_each_part(text.text(), [&](std::string_view line) {
    if (stripped(line).empty()) return;
    ++out.lines;
    out.ended += (table.flags_before(line, line.size()) & kTerminal) != 0;
    const bool may_be_short = line.size() <= 4 * kShortLine;
    out.short_lines +=
        line.size() <= kShortLine || (may_be_short && count_characters(line) <= kShortLine);
    if (!text.seen().insert(hash_of(line))) out.duplicate_characters += count_characters(line);
  });
}

const LineFigures& figures(TextAnalysis& text) {
  return text.once(measure, 0);
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double line_end(TextAnalysis& text, const FilterVariants&) {
  return share(figures(text).ended, figures(text).lines);
}

double short_lines(TextAnalysis& text, const FilterVariants&) {
  return share(figures(text).short_lines, figures(text).lines);
}

double duplicates(TextAnalysis& text, const FilterVariants&) {
  return share(figures(text).duplicate_characters, text.characters() - figures(text).breaks);
}

double newlines(TextAnalysis& text, const FilterVariants&) {
  return share(figures(text).breaks, text.word_count(WordKind::kEnglish));
}

FilterRule rule(std::string name, std::string measures, FilterBounds bounds,
                decltype(FilterRule::measure) measured) {
  return {.name = std::move(name),
          .measures = std::move(measures),
          .follows = "FineWeb (datatrove)",
          .bounds = bounds,
          .measure = measured};
}

const Register<FilterRule> rule_line_end{rule(
    "fineweb.line_end", "lines that end in terminal punctuation / lines", {0.12, {}}, line_end)};
const Register<FilterRule> rule_short{
    rule("fineweb.short_lines", "lines of 30 characters or less / lines", {{}, 0.67}, short_lines)};
const Register<FilterRule> rule_duplicates{rule(
    "fineweb.duplicate_line_characters",
    "characters of lines seen before / characters without line breaks", {{}, 0.01}, duplicates)};
const Register<FilterRule> rule_newlines{
    rule("fineweb.newlines_per_word", "line breaks / English words", {{}, 0.3}, newlines)};

}  // namespace
}  // namespace llmtool
