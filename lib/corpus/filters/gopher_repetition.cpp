// The repetition rules of Gopher (Rae et al. 2021, table A1).
//   datatrove  GopherRepetitionFilter. Paragraphs are what is between two or more "\n" of the
//              stripped text, lines what is between one or more. A duplicate is one that was there
//              before. N-grams are of English words (words.h). Top: the most frequent one (of
//              equals the first), its characters with spaces x how often it is there. Duplicate:
//              from the left, an n-gram whose characters were there before counts, and the next is
//              looked at behind it; else the next is one word on. All divided by the characters of
//              the text
//   dolma      gopher_v1: lines between "\n"; every copy of a line that is there twice counts, its
//              characters / those of all words; n-grams of words between spaces. Top: characters of
//              its words x how often / characters of all words. Duplicate: characters of all
//              n-grams that are there twice / characters of all n-grams. Paragraphs: as datatrove
//   paper      n-grams of words between spaces. Top: as dolma. Duplicate: words that are in an
//              n-gram that is there twice, none counted twice, / characters of all words. Lines and
//              paragraphs: as datatrove
#include <algorithm>

#include "lib/corpus/filters/characters.h"
#include "lib/corpus/filters/lines.h"
#include "lib/corpus/filters/repeats.h"
#include "lib/corpus/filters/rule.h"

namespace llmtool {
namespace {

struct PartFigures {
  uint64_t parts = 0, duplicates = 0, duplicate_characters = 0;
  KeySet seen;
  KeyCounts counts;
};

struct WordFigures {
  WordHashes hashes;
  std::vector<uint64_t> characters;  // of the words before i
};

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

GopherVariant variant_of(int variant) {
  return static_cast<GopherVariant>(variant);
}

const std::vector<Word>& words_of(TextAnalysis& text, int variant) {
  return text.words(variant_of(variant) == GopherVariant::kDatatrove ? WordKind::kEnglish
                                                                     : WordKind::kWhitespace);
}

// f(part) for what is between runs of `least` or more "\n".
template <class F>
void for_each_between(std::string_view text, size_t least, F&& f) {
  size_t begin = 0;
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    const size_t end = std::min(text.find_first_not_of('\n', at), text.size());
    if (end - at >= least) {
      f(text.substr(begin, at - begin));
      begin = end;
    }
    at = end;
  }
  f(text.substr(begin));
}

void measure_parts(std::string_view text, size_t least, PartFigures& out) {
  out.parts = out.duplicates = out.duplicate_characters = 0;
  out.seen.clear(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  for_each_between(text, least, [&](std::string_view part) {
    ++out.parts;
    if (out.seen.insert(hash_of(part))) return;
    ++out.duplicates;
    out.duplicate_characters += count_characters(part);
  });
}

void measure_paragraphs(TextAnalysis& text, int, PartFigures& out) {
  measure_parts(stripped(text.text()), 2, out);
}

void measure_lines(TextAnalysis& text, int variant, PartFigures& out) {
  if (variant_of(variant) != GopherVariant::kDolma) return measure_parts(text.text(), 1, out);
  out.parts = out.duplicates = out.duplicate_characters = 0;
  out.counts.clear(static_cast<size_t>(std::count(text.text().begin(), text.text().end(), '\n')) +
                   1);
  for_each_part(text.text(), [&](std::string_view line) {
    ++out.parts;
    const uint32_t count = out.counts.add(hash_of(line), 0).count;
    if (count < 2) return;
    const uint64_t copies = count == 2 ? 2 : 1;
    out.duplicates += copies;
    out.duplicate_characters += copies * count_characters(line);
  });
}

void measure_words(TextAnalysis& text, int variant, WordFigures& out) {
  const std::vector<Word>& words = words_of(text, variant);
  out.hashes.reset(text.text(), words);
  out.characters.resize(words.size() + 1);
  out.characters[0] = 0;
  for (size_t i = 0; i < words.size(); ++i)
    out.characters[i + 1] = out.characters[i] + words[i].characters;
}

// N-grams of one text.
struct Ngrams {
  Ngrams(TextAnalysis& text, int number, size_t length)
      : figures(text.once(measure_words, number)), n(length) {
    const size_t words = figures.characters.size() - 1;
    count = words < n ? 0 : words - n + 1;
  }
  uint64_t characters(size_t i) const { return figures.characters[i + n] - figures.characters[i]; }
  uint64_t hash(size_t i) const { return figures.hashes.hash(i, n); }
  uint64_t hash_joined(size_t i) const { return figures.hashes.hash_joined(i, n); }
  uint64_t characters_of_all_words() const { return figures.characters.back(); }

  const WordFigures& figures;
  size_t n, count = 0;
};

struct TopNgram {
  double value = 0;
  KeyCounts counts;
};

template <size_t N>
void measure_top(TextAnalysis& text, int variant, TopNgram& out) {
  const Ngrams ngrams(text, variant, N);
  out.value = 0;
  if (ngrams.count == 0) return;
  out.counts.clear(ngrams.count);
  KeyCounts::Slot top;
  for (size_t i = 0; i < ngrams.count; ++i) {
    const KeyCounts::Slot& slot = out.counts.add(ngrams.hash(i), static_cast<uint32_t>(i));
    if (slot.count > top.count || (slot.count == top.count && slot.first < top.first)) top = slot;
  }
  const bool datatrove = variant_of(variant) == GopherVariant::kDatatrove;
  const uint64_t length = ngrams.characters(top.first) + (datatrove ? N - 1 : 0);
  out.value =
      share(length * top.count, datatrove ? text.characters() : ngrams.characters_of_all_words());
}

struct DuplicateNgrams {
  double value = 0;
  KeySet seen;
  KeyCounts counts;
};

uint64_t skipping_duplicates(const Ngrams& ngrams, KeySet& seen) {
  uint64_t characters = 0;
  seen.clear(ngrams.count);
  for (size_t i = 0; i < ngrams.count;) {
    if (seen.insert(ngrams.hash_joined(i))) {
      ++i;
    } else {
      characters += ngrams.characters(i);
      i += ngrams.n;
    }
  }
  return characters;
}

template <size_t N>
void measure_duplicates(TextAnalysis& text, int number, DuplicateNgrams& out) {
  const GopherVariant variant = variant_of(number);
  const Ngrams ngrams(text, number, N);
  if (variant == GopherVariant::kDatatrove) {
    out.value = share(skipping_duplicates(ngrams, out.seen), text.characters());
    return;
  }
  out.counts.clear(ngrams.count);
  for (size_t i = 0; i < ngrams.count; ++i) out.counts.add(ngrams.hash(i), 0);
  uint64_t duplicate = 0, all = 0;
  size_t covered = 0;  // words up to here are counted
  for (size_t i = 0; i < ngrams.count; ++i) {
    all += ngrams.characters(i);
    if (out.counts.count(ngrams.hash(i)) < 2) continue;
    if (variant == GopherVariant::kDolma) {
      duplicate += ngrams.characters(i);
    } else {
      const std::vector<uint64_t>& before = ngrams.figures.characters;
      duplicate += before[i + N] - before[std::max(i, covered)];
      covered = i + N;
    }
  }
  out.value =
      share(duplicate, variant == GopherVariant::kDolma ? all : ngrams.characters_of_all_words());
}

double paragraphs(TextAnalysis& text, const FilterVariants&) {
  const PartFigures& f = text.once(measure_paragraphs, 0);
  return share(f.duplicates, f.parts);
}

double paragraph_characters(TextAnalysis& text, const FilterVariants&) {
  return share(text.once(measure_paragraphs, 0).duplicate_characters, text.characters());
}

double lines(TextAnalysis& text, const FilterVariants& v) {
  const PartFigures& f = text.once(measure_lines, static_cast<int>(v.gopher));
  return share(f.duplicates, f.parts);
}

double line_characters(TextAnalysis& text, const FilterVariants& v) {
  const int variant = static_cast<int>(v.gopher);
  const uint64_t characters = text.once(measure_lines, variant).duplicate_characters;
  if (v.gopher != GopherVariant::kDolma) return share(characters, text.characters());
  return share(characters, text.once(measure_words, variant).characters.back());
}

template <size_t N>
double top(TextAnalysis& text, const FilterVariants& v) {
  return text.once(measure_top<N>, static_cast<int>(v.gopher)).value;
}

template <size_t N>
double duplicates(TextAnalysis& text, const FilterVariants& v) {
  return text.once(measure_duplicates<N>, static_cast<int>(v.gopher)).value;
}

FilterRule rule(std::string name, std::string measures, double at_most,
                decltype(FilterRule::measure) measure) {
  return {.name = "gopher." + name,
          .measures = std::move(measures),
          .follows = "Gopher: datatrove, dolma, paper",
          .bounds = {{}, at_most},
          .measure = measure};
}

template <size_t N>
FilterRule top_rule(double at_most) {
  return rule(concat("top_", N, "gram"),
              concat("characters of the most frequent ", N, "-gram / characters"), at_most, top<N>);
}

template <size_t N>
FilterRule duplicates_rule(double at_most) {
  return rule(concat("duplicate_", N, "grams"),
              concat("characters of ", N, "-grams seen before / characters"), at_most,
              duplicates<N>);
}

const Register<FilterRule> rule_paragraphs{
    rule("duplicate_paragraphs", "paragraphs seen before / paragraphs", 0.3, paragraphs)};
const Register<FilterRule> rule_paragraph_characters{
    rule("duplicate_paragraph_characters", "characters of paragraphs seen before / characters", 0.2,
         paragraph_characters)};
const Register<FilterRule> rule_lines{
    rule("duplicate_lines", "lines seen before / lines", 0.3, lines)};
const Register<FilterRule> rule_line_characters{rule("duplicate_line_characters",
                                                     "characters of lines seen before / characters",
                                                     0.2, line_characters)};
const Register<FilterRule> top_2{top_rule<2>(0.20)}, top_3{top_rule<3>(0.18)},
    top_4{top_rule<4>(0.16)};
const Register<FilterRule> duplicate_5{duplicates_rule<5>(0.15)},
    duplicate_6{duplicates_rule<6>(0.14)}, duplicate_7{duplicates_rule<7>(0.13)},
    duplicate_8{duplicates_rule<8>(0.12)}, duplicate_9{duplicates_rule<9>(0.11)},
    duplicate_10{duplicates_rule<10>(0.10)};

}  // namespace
}  // namespace llmtool
