// The quality rules of Gopher (Rae et al. 2021, appendix A).
//   datatrove  GopherQualityFilter: English words (words.h); counted and measured are those that
//              are not symbols all through; "#" and "..." or "…" in the text / all words; lines of
//              str.splitlines() that begin, after spaces, with • or -, that end in "..." or "…";
//              distinct stop words
//   dolma      gopher_v1: words between spaces; the median length; words with "#", words with "…";
//              lines between "\n" that begin with * or -, that end in "…"; every stop word counts
//   paper      words between spaces; the mean length; "#" and "..." or "…" in the text / words;
//              bullets • * -; ellipsis lines as datatrove; distinct stop words
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <emmintrin.h>

#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/lines.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

// Up to four bytes as a number.
constexpr uint32_t packed(std::string_view word) {
  uint32_t value = 0;
  for (size_t i = 0; i < word.size(); ++i)
    value |= uint32_t{static_cast<uint8_t>(word[i])} << 8 * i;
  return value;
}

struct WordFigures {
  uint64_t words = 0;  // all
  uint64_t counted = 0;
  double length = 0;  // mean or median of those
  uint64_t alphabetic = 0;
  uint64_t stop_words = 0;
  std::vector<uint64_t> of_length;  // words of each length, for the median
};

struct SymbolFigures {
  uint64_t hashes = 0, ellipses = 0;  // in the text, or words that have one
};

struct EdgeFigures {
  uint64_t lines = 0, bullets = 0, ellipses = 0;
};

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

GopherVariant variant_of(int variant) {
  return static_cast<GopherVariant>(variant);
}

WordKind kind_of(GopherVariant variant) {
  return variant == GopherVariant::kDatatrove ? WordKind::kEnglish : WordKind::kWhitespace;
}

// Of the stop words each has a place of its own.
constexpr size_t stop_word_place(uint32_t packed_word) {
  return packed_word * 0x6ec9d287U >> 29;
}

constexpr std::string_view kStopWords[] = {"the", "be", "to", "of", "and", "that", "have", "with"};

constexpr auto kStopWordAt = [] {
  std::array<uint32_t, std::size(kStopWords)> places{};
  for (const std::string_view word : kStopWords)
    places[stop_word_place(packed(word))] = packed(word);
  return places;
}();
static_assert(std::find(kStopWordAt.begin(), kStopWordAt.end(), 0U) == kStopWordAt.end());

// The stop word's bit, or 0.
unsigned stop_word(std::string_view text, const Word& word) {
  if (word.bytes < 2 || word.bytes > 4) return 0;
  uint32_t value = 0;
  if (text.size() - word.begin >= sizeof value) {
    std::memcpy(&value, text.data() + word.begin, sizeof value);
    value &= ~uint32_t{0} >> (32 - 8 * word.bytes);
  } else {
    value = packed(word.in(text));
  }
  const size_t place = stop_word_place(value);
  return unsigned{kStopWordAt[place] == value} << place;
}

// As statistics.median: of an even number the mean of the two in the middle.
double median(const std::vector<uint64_t>& of_length, uint64_t count) {
  if (count == 0) return 0;
  const auto at = [&](uint64_t place) {
    uint64_t seen = 0;
    for (size_t length = 0;; ++length) {
      seen += of_length[length];
      if (seen > place) return static_cast<double>(length);
    }
  };
  return (at((count - 1) / 2) + at(count / 2)) / 2;
}

void measure_words(TextAnalysis& text, int number, WordFigures& out) {
  const GopherVariant variant = variant_of(number);
  const std::vector<Word>& words = text.words(kind_of(variant));
  out.words = words.size();
  out.counted = out.alphabetic = out.stop_words = 0;
  std::fill(out.of_length.begin(), out.of_length.end(), 0);
  uint64_t characters = 0;
  unsigned found = 0;
  for (const Word& word : words) {
    out.alphabetic += word.is_alphabetic;
    const unsigned stop = stop_word(text.text(), word);
    found |= stop;
    out.stop_words += stop != 0;
    if (variant == GopherVariant::kDatatrove && word.is_symbol) continue;
    ++out.counted;
    characters += word.characters;
    if (variant != GopherVariant::kDolma) continue;
    if (out.of_length.size() <= word.characters) out.of_length.resize(word.characters + 1);
    ++out.of_length[word.characters];
  }
  if (variant == GopherVariant::kDolma) {
    out.length = median(out.of_length, out.counted);
    if (out.of_length.size() > 4096) out.of_length = {};
    return;
  }
  out.length = share(characters, out.counted);
  out.stop_words = static_cast<uint64_t>(__builtin_popcount(found));
}

// str.count("#"); str.count("...") and str.count("…") in one figure.
SymbolFigures count_symbols(std::string_view text) {
  SymbolFigures found;
  size_t dots_end = 0;  // of the last "..."
  const auto look_at = [&](size_t at) {
    const std::string_view rest = text.substr(at, 3);
    if (rest == "…") ++found.ellipses;
    if (at < dots_end || rest != "...") return;
    ++found.ellipses;
    dots_end = at + 3;
  };
  size_t at = 0;
  for (; at + 17 <= text.size(); at += 16) {
    const auto* from = reinterpret_cast<const __m128i*>(text.data() + at);
    const auto* behind = reinterpret_cast<const __m128i*>(text.data() + at + 1);
    const auto are = [](const __m128i* place, char c) {
      return _mm_cmpeq_epi8(_mm_loadu_si128(place), _mm_set1_epi8(c));
    };
    found.hashes += static_cast<size_t>(
        std::popcount(static_cast<unsigned>(_mm_movemask_epi8(are(from, '#')))));
    const __m128i begins = _mm_or_si128(_mm_and_si128(are(from, '.'), are(behind, '.')),
                                        _mm_and_si128(are(from, '\xe2'), are(behind, '\x80')));
    for (auto bits = static_cast<unsigned>(_mm_movemask_epi8(begins)); bits != 0; bits &= bits - 1)
      look_at(at + static_cast<size_t>(std::countr_zero(bits)));
  }
  for (; at < text.size(); ++at) {
    found.hashes += text[at] == '#';
    look_at(at);
  }
  return found;
}

void measure_symbols(TextAnalysis& text, int number, SymbolFigures& out) {
  out = {};
  if (variant_of(number) != GopherVariant::kDolma) {
    out = count_symbols(text.text());
    return;
  }
  for (const Word& word : text.words(WordKind::kWhitespace)) {
    out.hashes += word.in(text.text()).find('#') != std::string_view::npos;
    out.ellipses += word.in(text.text()).find("…") != std::string_view::npos;
  }
}

bool is_bullet(std::string_view line, GopherVariant variant) {
  const bool round = variant != GopherVariant::kDolma && line.starts_with("•");
  const bool star = variant != GopherVariant::kDatatrove && line.starts_with('*');
  return round || star || line.starts_with('-');
}

void measure_edges(TextAnalysis& text, int number, EdgeFigures& out) {
  const GopherVariant variant = variant_of(number);
  out = {};
  if (variant == GopherVariant::kDolma) {
    for_each_part(text.text(), [&](std::string_view line) {
      ++out.lines;
      out.bullets += is_bullet(line, variant);
      out.ellipses += line.ends_with("…");
    });
    return;
  }
  for_each_line(text.text(), [&](std::string_view whole) {
    const std::string_view line = stripped(whole);
    ++out.lines;
    out.bullets += is_bullet(line, variant);
    out.ellipses += line.ends_with("...") || line.ends_with("…");
  });
}

const WordFigures& word_figures(TextAnalysis& text, const FilterVariants& variants) {
  return text.once(measure_words, static_cast<int>(variants.gopher));
}

const SymbolFigures& symbol_figures(TextAnalysis& text, const FilterVariants& variants) {
  return text.once(measure_symbols, static_cast<int>(variants.gopher));
}

const EdgeFigures& edge_figures(TextAnalysis& text, const FilterVariants& variants) {
  return text.once(measure_edges, static_cast<int>(variants.gopher));
}

double words(TextAnalysis& text, const FilterVariants& v) {
  return static_cast<double>(word_figures(text, v).counted);
}

double word_length(TextAnalysis& text, const FilterVariants& v) {
  return word_figures(text, v).length;
}

double hash_ratio(TextAnalysis& text, const FilterVariants& v) {
  return share(symbol_figures(text, v).hashes, word_figures(text, v).words);
}

double ellipsis_ratio(TextAnalysis& text, const FilterVariants& v) {
  return share(symbol_figures(text, v).ellipses, word_figures(text, v).words);
}

double bullet_lines(TextAnalysis& text, const FilterVariants& v) {
  return share(edge_figures(text, v).bullets, edge_figures(text, v).lines);
}

double ellipsis_lines(TextAnalysis& text, const FilterVariants& v) {
  return share(edge_figures(text, v).ellipses, edge_figures(text, v).lines);
}

double alphabetic_words(TextAnalysis& text, const FilterVariants& v) {
  return share(word_figures(text, v).alphabetic, word_figures(text, v).words);
}

double stop_words(TextAnalysis& text, const FilterVariants& v) {
  return static_cast<double>(word_figures(text, v).stop_words);
}

FilterRule rule(std::string name, std::string measures, FilterBounds bounds, double high,
                decltype(FilterRule::measure) measure) {
  return {.name = std::move(name),
          .measures = std::move(measures),
          .follows = "Gopher: datatrove, dolma, paper",
          .bounds = bounds,
          .high = high,
          .measure = measure};
}

const Register<FilterRule> rule_words{{.name = "gopher.words",
                                       .measures = "words",
                                       .follows = "Gopher: datatrove, dolma, paper",
                                       .bounds = {50, 100000},
                                       .scale = Figure::Scale::kLog,
                                       .low = 1,
                                       .high = 1e6,
                                       .measure = words}};
const Register<FilterRule> rule_word_length{rule("gopher.mean_word_length",
                                                 "mean characters of a word (dolma: median)",
                                                 {3, 10}, 20, word_length)};
const Register<FilterRule> rule_hashes{
    rule("gopher.hash_ratio", "# / words", {{}, 0.1}, 0.5, hash_ratio)};
const Register<FilterRule> rule_ellipses{
    rule("gopher.ellipsis_ratio", "ellipses / words", {{}, 0.1}, 0.5, ellipsis_ratio)};
const Register<FilterRule> rule_bullets{rule(
    "gopher.bullet_lines", "lines that begin with a bullet / lines", {{}, 0.9}, 1, bullet_lines)};
const Register<FilterRule> rule_ellipsis_lines{rule("gopher.ellipsis_lines",
                                                    "lines that end in an ellipsis / lines",
                                                    {{}, 0.3}, 1, ellipsis_lines)};
const Register<FilterRule> rule_alphabetic{
    rule("gopher.alphabetic_words", "words with a letter / words", {0.8, {}}, 1, alphabetic_words)};
const Register<FilterRule> rule_stop_words{
    rule("gopher.stop_words", "of the be to of and that have with, how many (dolma: how often)",
         {2, {}}, 8, stop_words)};

}  // namespace
}  // namespace llmtool
