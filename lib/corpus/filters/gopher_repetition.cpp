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

void measure_parts(std::string_view text, size_t least, KeySet& seen, PartFigures& out) {
  out.parts = out.duplicates = out.duplicate_characters = 0;
  seen.clear(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  for_each_between(text, least, [&](std::string_view part) {
    ++out.parts;
    if (seen.insert(hash_of(part))) return;
    ++out.duplicates;
    out.duplicate_characters += count_characters(part);
  });
}

void measure_paragraphs(TextAnalysis& text, int, PartFigures& out) {
  measure_parts(stripped(text.text()), 2, text.seen(), out);
}

void measure_lines(TextAnalysis& text, int variant, PartFigures& out) {
  if (variant_of(variant) != GopherVariant::kDolma)
    return measure_parts(text.text(), 1, text.seen(), out);
  out.parts = out.duplicates = out.duplicate_characters = 0;
  text.counts().clear(
      static_cast<size_t>(std::count(text.text().begin(), text.text().end(), '\n')) + 1);
  for_each_part(text.text(), [&](std::string_view line) {
    ++out.parts;
    const uint32_t count = text.counts().add(hash_of(line), 0).count;
    if (count < 2) return;
    const uint64_t copies = count == 2 ? 2 : 1;
    out.duplicates += copies;
    out.duplicate_characters += copies * count_characters(line);
  });
}

void measure_runs(TextAnalysis& text, int variant, WordRuns& out) {
  out.reset(text.text(), words_of(text, variant));
}

size_t ngrams_of(const WordRuns& runs, size_t n) {
  return runs.words() < n ? 0 : runs.words() - n + 1;
}

struct TopNgram {
  double value = 0;
  std::vector<uint8_t> repeats;  // 1 where an n-gram begins that is there twice
};

// Only where a shorter n-gram is repeated can a longer one be.
template <size_t N>
void measure_top(TextAnalysis& text, int variant, TopNgram& out) {
  const WordRuns& runs = text.once(measure_runs, variant);
  const size_t count = ngrams_of(runs, N);
  out.value = 0;
  out.repeats.assign(count, 0);
  if (count == 0) return;
  const std::vector<uint8_t>* shorter = nullptr;
  size_t candidates = count;
  if constexpr (N > 2) {
    shorter = &text.once(measure_top<N - 1>, variant).repeats;
    candidates = static_cast<size_t>(std::count(shorter->begin(), shorter->end(), 1));
  }
  text.counts().clear(candidates);
  KeyCounts::Slot top{0, 1, 0};
  for (size_t i = 0; i < count; ++i) {
    if (shorter != nullptr && !((*shorter)[i] & (*shorter)[i + 1])) continue;
    const KeyCounts::Slot& slot = text.counts().add(runs.hash(i, N), static_cast<uint32_t>(i));
    if (slot.count < 2) continue;
    out.repeats[slot.first] = out.repeats[i] = 1;
    if (slot.count > top.count || (slot.count == top.count && slot.first < top.first)) top = slot;
  }
  const bool datatrove = variant_of(variant) == GopherVariant::kDatatrove;
  const uint64_t length = runs.characters(top.first, N) + (datatrove ? N - 1 : 0);
  out.value = share(length * top.count, datatrove ? text.characters() : runs.characters_of_all());
}

// Words whose first 16 bytes, with those of the words behind, are those of another word: an n-gram
// of 16 bytes or more that begins elsewhere is there once.
struct Openings {
  static constexpr size_t kBytes = 16;
  std::vector<uint8_t> repeats;
  size_t candidates = 0;  // repeats, and 5-grams of fewer bytes
};

void measure_openings(TextAnalysis& text, int variant, Openings& out) {
  const WordRuns& runs = text.once(measure_runs, variant);
  out.repeats.assign(runs.words(), 0);
  text.counts().clear(runs.words());
  const std::string_view all = runs.joined(0, runs.words());
  for (size_t i = 0; i < runs.words(); ++i) {
    const size_t begin = static_cast<size_t>(runs.joined(i, 1).data() - all.data());
    if (all.size() - begin < Openings::kBytes) break;
    const uint64_t key = hash_of(all.substr(begin, Openings::kBytes));
    const KeyCounts::Slot& slot = text.counts().add(key, static_cast<uint32_t>(i));
    if (slot.count > 1) out.repeats[slot.first] = out.repeats[i] = 1;
  }
  out.candidates = 0;
  for (size_t i = 0; i < ngrams_of(runs, 5); ++i)
    out.candidates += out.repeats[i] || runs.joined(i, 5).size() < Openings::kBytes;
}

struct DuplicateNgrams {
  double value = 0;
};

uint64_t skipping_duplicates(const WordRuns& runs, size_t n, const Openings& openings,
                             KeySet& seen) {
  uint64_t characters = 0;
  seen.clear(openings.candidates);
  const size_t count = ngrams_of(runs, n);
  for (size_t i = 0; i < count;) {
    const std::string_view ngram = runs.joined(i, n);
    if ((ngram.size() >= Openings::kBytes && !openings.repeats[i]) || seen.insert(hash_of(ngram))) {
      ++i;
    } else {
      characters += runs.characters(i, n);
      i += n;
    }
  }
  return characters;
}

template <size_t N>
void measure_duplicates(TextAnalysis& text, int number, DuplicateNgrams& out) {
  const GopherVariant variant = variant_of(number);
  const WordRuns& runs = text.once(measure_runs, number);
  if (variant == GopherVariant::kDatatrove) {
    const Openings& openings = text.once(measure_openings, number);
    out.value = share(skipping_duplicates(runs, N, openings, text.seen()), text.characters());
    return;
  }
  const size_t count = ngrams_of(runs, N);
  text.counts().clear(count);
  for (size_t i = 0; i < count; ++i) text.counts().add(runs.hash(i, N), 0);
  uint64_t duplicate = 0, all = 0;
  size_t covered = 0;  // words up to here are counted
  for (size_t i = 0; i < count; ++i) {
    all += runs.characters(i, N);
    if (text.counts().count(runs.hash(i, N)) < 2) continue;
    const size_t first = variant == GopherVariant::kDolma ? i : std::max(i, covered);
    duplicate += runs.characters(first, i + N - first);
    covered = i + N;
  }
  out.value = share(duplicate, variant == GopherVariant::kDolma ? all : runs.characters_of_all());
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
  return share(characters, text.once(measure_runs, variant).characters_of_all());
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
